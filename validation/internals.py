"""What the comparisons take from inside biosnn; all other modules here use public names.

`TrainingStep`
    `bs.train` bins the data and makes its tables in every call. What is compared with the steps of
    other programs is one step alone, the gradient of a batch and the update of the weights, and
    the times of the compiled forward pass and adjoint in it.
`changed`
    A network in which a population or projection is replaced, for Brian2 to get a copy that is
    broken on purpose. `bs.Network` only adds, and checks that everything fits together.
`handed_over`
    Brian2 gets the random numbers of a background; this hands over others.
`OneRank`
    `bs.simulate` among processes ends with messages that nobody sends where the other processes
    are played. This is its loop over steps alone, with what each process has in memory.
`parts_of`
    How many parts a network has that is too large to be built here.
`processors`
    How many threads biosnn takes by itself, so that every program gets as many.
"""

import copy
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import biosnn as bs
from biosnn.brian import objects, trial_input
from biosnn.engine.bundle_tables import number_of_parts
from biosnn.engine.perturbed import perturbed
from biosnn.engine.stream_recording import StreamRecording
from biosnn.engine.stream_run import StreamRun
from biosnn.engine.stream_setting import Setting
from biosnn.kernels import trials, trials_adjoint
from biosnn.support.ranks import Ranks
from biosnn.support.threads import default_threads
from biosnn.training.batch_gradient import GradientPass
from biosnn.training.dataset import Given, load_training
from biosnn.training.objective import make_objective
from biosnn.training.parameters import Parameters
from biosnn.training.presentation import make_presentation
from biosnn.training.update import make_update_rule, update


class Times(NamedTuple):
    """Seconds of one training step; adjoint: the backward pass. NaN where a part has no time."""

    forward: float
    adjoint: float
    optimizer: float
    step: float


class TrainingStep:
    """A training step on one batch, by the path that `bs.train` uses."""

    def __init__(self, net: bs.Network, data: bs.SpikeTrains, threads: int) -> None:
        objective = make_objective(net, bs.MaxOverTimeCrossEntropy(), readout=None)
        presentation = make_presentation(net, batch=len(data), seed=0, threads=threads)
        self._threads = presentation.threads
        self._rule = make_update_rule(net, bs.Adam(2e-3), bs.schedules.Constant(), (), clip=None)
        self._parameters = Parameters(net)
        size = self._parameters.vector.size
        self._optimizer_state = self._rule.optimizer.start(size, net.dtype)
        self._gradient = GradientPass(self._parameters, objective, presentation)
        begin = time.perf_counter()
        nothing = Given(None)
        given = Given(data)
        self._data = load_training(net, objective.terms, given, nothing, presentation).training
        self.data_s = time.perf_counter() - begin

    def step(self) -> Times:
        """Take a step.

        Kernel times are those of all threads, divided by their number; the rest of the step is the
        loss and waiting.
        """
        begin = time.perf_counter()
        with (
            _stopwatch(trials, "forward") as forward,
            _stopwatch(trials_adjoint, "adjoint") as adjoint,
        ):
            found = self._gradient(self._data, self._data.rows)
        middle = time.perf_counter()
        update(self._parameters, found.gradient, self._rule, self._optimizer_state, rate=2e-3)
        end = time.perf_counter()
        return Times(
            forward=sum(forward) / self._threads,
            adjoint=sum(adjoint) / self._threads,
            optimizer=end - middle,
            step=end - begin,
        )

    def write_back(self) -> None:
        """Give the network the weights that the steps have made."""
        self._parameters.write_back()


@contextmanager
def _stopwatch(owner: Any, name: str) -> Iterator[list[float]]:
    """Seconds of each call of a function."""
    function, seconds = getattr(owner, name), []

    def timed(*arguments: Any) -> Any:
        begin = time.perf_counter()
        result = function(*arguments)
        seconds.append(time.perf_counter() - begin)
        return result

    setattr(owner, name, timed)
    try:
        yield seconds
    finally:
        setattr(owner, name, function)


def changed(
    network: bs.Network,
    *,
    population: Any = None,
    projection: Any = None,
    weights: dict[str, Any] | None = None,
    synapses: dict[str, Any] | None = None,
) -> bs.Network:
    """Copy a network with some of its parts replaced.

    Parameters
    ----------
    population, projection
        Takes the place of the one of the same name.
    weights, synapses
        By the name of the projection.
    """
    result = copy.copy(network)
    result._populations = dict(network._populations)
    result._projections = dict(network._projections)
    result.weights = dict(network.weights) | (weights or {})
    result.synapses = dict(network.synapses) | (synapses or {})
    if population is not None:
        result._populations[population.name] = population
    if projection is not None:
        result._projections[projection.name] = projection
    return result


@contextmanager
def handed_over(altered: Callable[[Any], Any] | None) -> Iterator[None]:
    """Inside, Brian2 is handed `altered` of the realization; None: what it should be."""
    if altered is None:
        yield
        return

    def other(*arguments: Any) -> Any:
        return altered(trial_input.realized(*arguments))

    objects.realized, before = other, objects.realized
    try:
        yield
    finally:
        objects.realized = before


class OneRank:
    """One process of those that share a network, ready to run.

    Parameters
    ----------
    network, background, initial
        As for `bs.simulate`.
    communicator
        Its processes; None: this one alone.
    parts
        Of this process. One thread does them all.

    Attributes
    ----------
    bounds, first
        Neurons of each part, and the first part of each process.
    names
        Populations that fire.
    """

    def __init__(
        self,
        network: bs.Network,
        background: Sequence[Any],
        initial: Any,
        communicator: Any = None,
        parts: int = 1,
    ) -> None:
        self._ranks, self.network = Ranks(communicator), network
        change = perturbed(network, ())
        with warnings.catch_warnings(), self._ranks.together():
            warnings.simplefilter("ignore")  # more parts than processors: one thread does them
            given = None, True, background, None, 1, initial  # as `simulate` gives them
            setting = Setting(change, *given, parts, 1 << 20, 1, self._ranks)
            self._run = StreamRun(setting)
        self._run.threads = 1
        tables = self._run.tables
        self.bounds, self.first = self._run.parts.bounds, self._run.exchange.others.first
        self.names = [p.name for p in self._run.layout.order[: tables.n_firing]]

    @property
    def numbers(self) -> dict[str, int]:
        """Of the network: what its cost depends on, beside its activity."""
        run, network = self._run, self.network
        parts = run.parts
        neurons = sum(p.n for p in network.spiking)
        return {
            "neurons": neurons,
            "populations": len(self.names),
            "projections": len(network.projections),
            "synapses": sum(network.synapses[p.name].size for p in network.projections),
            "bundles": parts.bundles.size,
            "shortest": run.large.wires.shortest,
            "longest": run.layout.longest_delay,
            "record": 2 * int(parts.bundles["width"].max()),
            "arriving": 4 * run.large.wires.ring_width // neurons if parts.column.size else 0,
        }

    def bytes(self) -> dict[str, int]:
        """What arrays take, by the names of `ranks_model.memory`."""
        run, parts = self._run, self._run.parts
        memory, places, recent = run.standpoint.memory, run.large.places, run.recent
        states = [memory.x, memory.clock, memory.held, memory.ou, places.element, places.neuron]
        rows = "cells", "populations", "jumps", "wires", "columns", "sources"
        return {
            "own synapses": sum(a.nbytes for a in run.large.wires.alive),
            "where runs start": parts.starts.nbytes,
            "own arrivals": memory.arriving.nbytes,
            "recent spikes": recent.units.nbytes + recent.n_spikes.nbytes,
            "all states": sum(array.nbytes for array in states),
            "tables of parts": sum(np.asarray(getattr(parts, name)).nbytes for name in rows),
        }

    def run(self, steps: int) -> tuple[float, dict[str, int]]:
        """Take some steps; returns seconds of its core, and the spikes of each population."""
        run = self._run
        with self._ranks.together():
            total = run.done + steps
            own = StreamRecording(run, {}, 1, (), run.network.dt * total, total)
            run.compile(own)
            begin = time.thread_time()
            run.go(own, total, lambda *_: None, lambda: False)
            seconds = time.thread_time() - begin
        return seconds, {name: int(own.binned[name].sum()) for name in self.names}


def parts_of(neurons: int, arriving_bytes: float, processes: int, threads: int) -> int:
    """Parts of a network of so many neurons, with so many bytes for what arrives in a step."""
    network = SimpleNamespace(dtype=np.dtype(np.float32))
    layout: Any = SimpleNamespace(n_neurons=neurons, network=network)
    return number_of_parts(layout, int(arriving_bytes / 4), threads, processes)


def processors() -> int:
    """Processors that this process may use."""
    return default_threads()
