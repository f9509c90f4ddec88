"""One case of the ladder: a network that both programs run, and what must agree."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import ks_2samp

import biosnn as bs

from .internals import handed_over

#: Differences of states, relative to the largest value of each, up to the first spike that differs.
TOLERANCE = 1e-12

#: … of neurons whose upstroke makes rounding errors grow.
UPSTROKE = 1e-10

Spikes = bs.SpikeTrains | dict[str, bs.SpikeTrains]


@dataclass
class Result:
    """What one case showed. `failures` are sentences; without any it passed."""

    rung: int
    name: str
    simulated: float = 0.0
    spikes: int = 0
    first_divergence: float | None = None
    state_error: float = 0.0
    failures: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: seconds, and a state difference relative to the largest value of the state."""
        return {
            "rung": self.rung,
            "case": self.name,
            "passed": not self.failures,
            "first_divergence_s": self.first_divergence,
            "max_state_error": self.state_error,
        }


@dataclass(frozen=True, eq=False)
class Case:
    """A network and a trial that both programs run.

    Attributes
    ----------
    until
        Seconds for which spikes must agree; None: all of the trial. After that, statistics must.
    same_class
        Whether the readout must predict the same class.
    duration
        Seconds, where there is no input.
    tolerance
        Of states.
    background, initial, seed
        As for `biosnn.simulate`; Brian2 is handed the same random numbers.
    against
        The network that Brian2 gets instead.
    altered
        Makes what Brian2 is handed of the background and initial states, from what it should be.
    """

    rung: int
    name: str
    network: bs.Network
    spikes: Spikes | None
    currents: dict[str, np.ndarray] = field(default_factory=dict)
    until: float | None = None
    same_class: bool = False
    duration: float | None = None
    tolerance: float = TOLERANCE
    background: Sequence = ()
    initial: dict[str, Any] | None = None
    seed: int = 0
    against: bs.Network | None = None
    altered: Callable[[Any], Any] | None = None

    def check(self) -> Result:
        """Compare."""
        with handed_over(self.altered):
            report = bs.brian.compare(
                self.network,
                self.spikes,
                currents=self.currents,
                duration=self.duration,
                background=self.background,
                initial=self.initial,
                seed=self.seed,
                progress=False,
                against=self.against,
            )
        return Result(
            self.rung,
            self.name,
            simulated=report.duration,
            spikes=sum(ours for ours, _ in report.spike_counts.values()),
            first_divergence=None if report.identical else report.identical_for,
            state_error=report.worst_state,
            failures=self._failures(report),
        )

    def _failures(self, report: bs.brian.Comparison) -> list[str]:
        """Sentences about what should agree and does not."""
        failures = []
        if report.identical_for < (report.duration if self.until is None else self.until):
            first: Any = report.divergence
            failures.append(
                f"spikes differ from {1e3 * report.identical_for:g} ms on (neuron {first.neuron} "
                f"of {first.population}, U {first.difference:+.1e} in Brian2)"
            )
        if not report.worst_state <= self.tolerance:
            failures.append(f"states differ by {report.worst_state:.1e}")
        if not any(ours for ours, _ in report.spike_counts.values()):
            failures.append("no neuron spiked, so nothing was compared")
        if self.until is not None:
            failures += different_statistics(report, self.until)
        if self.same_class:
            readout = report.traces[f"{self.network.readouts[0].name}.U"]
            ours, theirs = (int(side.max(axis=0).argmax()) for side in readout)
            failures += [f"class {ours}, but {theirs} in Brian2"] if ours != theirs else []
        return failures


@dataclass(frozen=True, eq=False)
class Seeds:
    """Networks of several seeds that both programs run for long.

    Statistics of the same seed must not differ by more in two programs than Brian2's differ from
    seed to seed.

    Attributes
    ----------
    build
        Seed -> (network, currents).
    duration
        Seconds.
    """

    rung: int
    name: str
    build: Callable[[int], tuple[bs.Network, dict[str, np.ndarray]]]
    seeds: range
    duration: float

    def check(self) -> Result:
        """Compare the distributions of rates, CVs and correlations of all seeds."""
        result, sides = Result(self.rung, self.name), []
        for seed in self.seeds:
            network, currents = self.build(seed)
            report = bs.brian.compare(
                network, record=[], currents=currents, duration=self.duration, progress=False
            )
            sides.append(
                {
                    name: [distributions(side) for side in both]
                    for name, both in report.rasters.items()
                }
            )
            result.simulated += report.duration
            result.spikes += sum(ours for ours, _ in report.spike_counts.values())
            if not report.identical:
                earliest = result.first_divergence or np.inf
                result.first_divergence = min(earliest, report.identical_for)
        result.failures = _farther_than_seeds(sides)
        return result


def _farther_than_seeds(sides: list[dict[str, list[dict[str, np.ndarray]]]]) -> list[str]:
    """Where programs differ by more, on average, than any two seeds. sides: of every seed."""
    failures = []
    for name in sides[0]:
        for key in ("rate", "cv", "correlation"):
            pairs = [tuple(program[key] for program in side[name]) for side in sides]
            between = np.mean([distance(ours, theirs) for ours, theirs in pairs])
            apart = max(distance(a[1], b[1]) for a, b in combinations(pairs, 2))
            if not between <= apart:
                failures.append(
                    f"{key} of {name}: Kolmogorov-Smirnov distance {between:.3f}, between seeds "
                    f"of Brian2 at most {apart:.3f}"
                )
    return failures


# --------------------------------------------------------------------------------------- statistics


def distributions(spikes: bs.SpikeTrains) -> dict[str, np.ndarray]:
    """Rates (Hz), CVs of intervals and correlations of counts in 20 ms, where they are defined."""
    values = {
        "rate": bs.stats.firing_rates(spikes),
        "cv": bs.stats.isi_cv(spikes),
        "correlation": bs.stats.correlations(spikes, min(20e-3, spikes.duration / 2)),
    }
    return {key: value[np.isfinite(value)] for key, value in values.items()}


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """The Kolmogorov-Smirnov distance of two samples; NaN if one is empty."""
    if not (ours.size and theirs.size):
        return np.nan
    with np.errstate(divide="ignore"):  # in its p, which nobody reads
        return float(ks_2samp(ours, theirs, method="asymp").statistic)


def different_statistics(report: Any, begin: float) -> list[str]:
    """Distributions after `begin` (s) whose Kolmogorov-Smirnov distance has p < 0.01."""
    failures = []
    for name, both in report.rasters.items():
        ours, theirs = (distributions(after(spikes, begin)) for spikes in both)
        for key in ours:
            # pairs of neurons are not independent
            n, m = (min(side[key].size, both[0].n_units) for side in (ours, theirs))
            found = distance(ours[key], theirs[key])
            if min(n, m) and found > 1.63 * np.sqrt((n + m) / (n * m)):
                failures.append(f"{key} of {name}: Kolmogorov-Smirnov distance {found:.2f}")
    return failures


def after(spikes: bs.SpikeTrains, begin: float) -> bs.SpikeTrains:
    """The spikes after `begin` (s), as a trial that starts there."""
    kept = spikes.times >= begin
    return bs.SpikeTrains.from_events(
        spikes.times[kept] - begin,
        spikes.units[kept],
        spikes.trials[kept],
        n_trials=len(spikes),
        n_units=spikes.n_units,
        duration=spikes.duration - begin,
    )
