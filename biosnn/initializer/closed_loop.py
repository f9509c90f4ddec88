"""The closed loop: measure the free membranes, correct the weights, until the targets are met.

How membranes are measured is up to a strategy, a `Start`: on trials of data (trials.py), or in a
simulated circuit (circuit.py).
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..support.progress import progress_bar
from ..support.warn import warn
from ..theory.moments import Moments
from .anderson import Anderson
from .report import InitializerReport, PopulationReport
from .targets import Target

#: Parts of a step that are tried, where the equations have no solution at its end.
_SHARES = (1.0, 0.5, 0.25, 0.125)


class Miss(NamedTuple):
    """By how much a measurement misses the targets.

    Parameters
    ----------
    beyond
        Whether the targets are missed by more than the measurement can be wrong.
    error
        Largest error in units of its tolerance.
    """

    beyond: bool
    error: float


class Start(ABC):
    """The start of a network: what the closed loop varies, and what it makes of a measurement.

    A *position* is a vector of all that the loop varies, such as logarithms of rates.
    """

    network: Network
    targets: dict[str, Target]
    rates: dict[str, float]  # that the equations assume, in hertz
    report: InitializerReport
    retreats: bool  # whether a step may be shortened where the equations have no solution

    @abstractmethod
    def position(self) -> NDArray[np.float64]:
        """Return where the start is."""

    @abstractmethod
    def move(self, position: NDArray[np.float64]) -> None:
        """Go to a position and set the weights; ValueError where the equations have no solution."""

    @abstractmethod
    def measure(self) -> Miss:
        """Simulate with the weights as they are, and write what was measured into the report."""

    @abstractmethod
    def image(self) -> NDArray[np.float64]:
        """Return the position at which the last measurement says that the targets are."""

    @abstractmethod
    def predict(self) -> None:
        """Write into the report what theory says of the weights as they are."""

    @abstractmethod
    def advice(self, miss: Miss) -> str:
        """Return what to say of a loop that did not meet its targets within the tolerance."""

    def threshold(self, name: str) -> float:
        """Return the threshold of a population, in the unit of U: the mean over its neurons."""
        return float(np.mean(self.network.thresholds(name)))

    def new_report(self, targets: dict[str, tuple[float, float]]) -> InitializerReport:
        """Return a report with the targets; `targets`: population to (mu, sigma)."""
        rows = [
            PopulationReport(
                name=p.name,
                threshold=float(self.threshold(p.name)),
                alpha=self.targets[p.name].alpha,
                target=Moments(mu=float(targets[p.name][0]), sigma=float(targets[p.name][1])),
            )
            for p in self.network.spiking
        ]
        inputs = {p.name: float(self.rates[p.name]) for p in self.network.inputs}
        return InitializerReport(populations=rows, weights={}, input_rates=inputs)


def close_loop(start: Start, most: int, progress: Any = True) -> None:
    """Measure and correct until the targets are met; keep the best weights that were seen.

    The circuit answers a correction with other rates, so that plain iteration is slow or
    overshoots: steps are accelerated by Anderson mixing.

    Parameters
    ----------
    start
        The start, whose report gets the result.
    most
        Measurements at most.
    progress
        Whether to show the progress.
    """
    mixing = Anderson()
    best: tuple = ((True, np.inf), None)
    report = start.report
    report.closed_loop = True
    with progress_bar(most, "initializing", progress) as advance:
        for iteration in range(most):
            miss = start.measure()
            position = start.position()
            best = min(best, (miss, position), key=lambda seen: seen[0])
            report.iterations = iteration + 1
            advance(1, f"largest error {miss.error:.2g} of the tolerance")
            if miss.error < 1 or iteration == most - 1:
                break
            if not _step(start, position, mixing.step(position, start.image())):
                break
    report.converged = not best[0][0]
    if miss.error >= 1:
        start.move(best[1])
        report.notes.append(start.advice(start.measure()))
        if not report.converged:
            warn(report.notes[-1])
    start.predict()


def _step(start, position, wanted):
    """Go towards the wanted position as far as the equations have solutions; whether it moved."""
    for share in _SHARES:
        try:
            start.move(position + share * (wanted - position))
            return True
        except ValueError:
            if not start.retreats:
                raise
    return False
