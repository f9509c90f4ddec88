"""What the comparisons take from inside biosnn; all other modules here use public names.

`TrainingStep`
    `bs.train` bins the data and makes its tables in every call. What is compared with the steps of
    other programs is one step alone, the gradient of a batch and the update of the weights, and
    the times of the compiled forward pass and adjoint in it.
`changed`
    A network in which a population or projection is replaced, for Brian2 to get a copy that is
    broken on purpose. `bs.Network` only adds, and checks that everything fits together.
`processors`
    How many threads biosnn takes by itself, so that every program gets as many.
"""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import biosnn as bs
from biosnn.engine import chunks
from biosnn.support.threads import default_threads
from biosnn.training.train import _Data, _Session


class Times(NamedTuple):
    """Seconds of one training step; adjoint: the backward pass. NaN where a part has no time."""

    forward: float
    adjoint: float
    optimizer: float
    step: float


class TrainingStep:
    """A training step on one batch, by the path that `bs.train` uses."""

    def __init__(self, net: bs.Network, data: bs.SpikeTrains, threads: int) -> None:
        self._session = _Session(
            network=net,
            loss=bs.MaxOverTimeCrossEntropy(),
            optimizer=bs.Adam(2e-3),
            schedule=bs.schedules.Constant(),
            regularizers=(),
            readout=None,
            seed=0,
            threads=threads,
            differentiate_reset=False,
        )
        begin = time.perf_counter()
        self._data = self._session.data = _Data(self._session, data, None, None)
        self.data_s = time.perf_counter() - begin

    def step(self) -> Times:
        """Take a step.

        Kernel times are those of all threads, divided by their number; the rest of the step is the
        loss and waiting.
        """
        begin = time.perf_counter()
        with (
            _stopwatch(chunks.kernels, "forward") as forward,
            _stopwatch(chunks.kernels, "adjoint") as adjoint,
        ):
            *_, gradient = self._session.gradient(self._data, self._data.rows)
        update = time.perf_counter()
        self._session._update(gradient, 2e-3)
        end = time.perf_counter()
        threads = self._session.threads
        return Times(sum(forward) / threads, sum(adjoint) / threads, end - update, end - begin)

    def write_back(self) -> None:
        """Give the network the weights that the steps have made."""
        self._session.write_back()


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


def processors() -> int:
    """Processors that this process may use."""
    return default_threads()
