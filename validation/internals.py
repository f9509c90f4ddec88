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
`processors`
    How many threads biosnn takes by itself, so that every program gets as many.
"""

import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import biosnn as bs
from biosnn.brian import objects, trial_input
from biosnn.kernels import trials, trials_adjoint
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


def processors() -> int:
    """Processors that this process may use."""
    return default_threads()
