"""What a comparison with Brian2 found, as numbers, tables and a figure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group
from rich.text import Text

from ..data.spike_trains import SpikeTrains
from ..support.show import html
from ..support.tables import Table, printed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..analysis.protocols import PopulationLike

#: Relative difference of states above which programs disagree: far above rounding, also of neurons
#: whose upstroke makes it grow.
AGREE = 1e-6


@dataclass(frozen=True)
class Divergence:
    """The first spike that only one program has.

    Parameters
    ----------
    trial, step, population, neuron
        Where it is. Of several in one step, that of the first neuron of the first population.
    ours, theirs
        U of that neuron there before threshold and reset, in biosnn and in Brian2.
    threshold
        Threshold of that population.
    only_in
        The program that has the spike, "biosnn" or "Brian2".

    Examples
    --------
    >>> import biosnn as bs
    >>> found = bs.brian.Divergence(
    ...     0, 12, "E", 3, 1.25, 0.75, threshold=1.0, only_in="biosnn"
    ... )
    >>> found.difference, found.margin
    (-0.5, 0.25)
    """

    trial: int
    step: int
    population: str
    neuron: int
    ours: float
    theirs: float
    threshold: float
    only_in: str

    @property
    def difference(self) -> float:
        """The membrane of Brian2 minus that of biosnn."""
        return self.theirs - self.ours

    @property
    def margin(self) -> float:
        """The membrane of biosnn minus the threshold."""
        return self.ours - self.threshold


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What biosnn and Brian2 did on the same trials.

    `print` it for tables, `as_dict` gives numbers for JSON, and `figure()` a figure. It is true if
    `verdict` is "identical".

    Parameters
    ----------
    identical
        Whether all spikes of all trials agree, and there were some; or there were none, and the
        states, which changed, agree.
    happened
        Whether any neuron spiked, or any recorded state left its rest, in either program.
    divergence
        The first spike that only one program has (earliest over trials), or None.
    states
        State name to (largest absolute difference, largest absolute value), in each trial before
        its first such spike.
    spike_counts
        Population name to (biosnn, Brian2).
    statistics
        Population name to {"rate" (Hz), "cv", "correlation"} to (mean of biosnn, mean of Brian2,
        Kolmogorov-Smirnov distance).
    duration
        Duration of a trial in seconds.
    n_trials
        Number of trials.
    dt
        Time step in seconds.
    traces
        State name to (biosnn, Brian2), arrays (step, neuron) of the trial `trial`.
    rasters
        Population name to (SpikeTrains of biosnn, of Brian2).

    Examples
    --------
    See `compare`.
    """

    identical: bool
    happened: bool
    divergence: Divergence | None
    states: dict[str, tuple[float, float]]
    spike_counts: dict[str, tuple[int, int]]
    statistics: dict[str, dict[str, tuple[float, float, float]]]
    duration: float
    n_trials: int
    dt: float
    traces: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    rasters: dict[str, tuple[SpikeTrains, SpikeTrains]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """The result in one or two words.

        "identical"; "different", if spikes differ, or states by more than 1e-6 of the largest; or
        "nothing happened", so that nothing was compared.
        """
        if not self.happened:
            return "nothing happened"
        return "identical" if self.identical and self.worst_state <= AGREE else "different"

    def __bool__(self) -> bool:
        return self.verdict == "identical"

    @property
    def trial(self) -> int:
        """The trial of the traces and the figure: that of the divergence, or 0."""
        return 0 if self.divergence is None else self.divergence.trial

    @property
    def identical_for(self) -> float:
        """Seconds from the start in which all spikes agree."""
        return self.duration if self.divergence is None else self.divergence.step * self.dt

    @property
    def worst_state(self) -> float:
        """The largest difference of any state, relative to its largest value; 0 without states."""
        ratios = [
            difference / scale if scale else np.inf
            for difference, scale in self.states.values()
            if difference
        ]
        return max(ratios, default=0.0)

    def as_dict(self) -> dict[str, Any]:
        """Return numbers and texts for JSON."""
        divergence = None
        if self.divergence is not None:
            divergence = asdict(self.divergence) | {"difference": self.divergence.difference}
        return {
            "verdict": self.verdict,
            "identical": self.identical,
            "divergence": divergence,
            "states": self.states,
            "spike_counts": self.spike_counts,
            "statistics": self.statistics,
            "duration_s": self.duration,
            "n_trials": self.n_trials,
        }

    def figure(self, population: PopulationLike | str | None = None, neuron: int = 0) -> Figure:
        """Draw both programs in one trial; see `plot.comparison`.

        Parameters
        ----------
        population
            The population or its name. Default: the first that spikes.
        neuron
            Number of the neuron whose membrane is drawn.
        """
        from ..analysis.plot import comparison

        return comparison(self, population, neuron)

    def _parts(self):
        """A sentence and tables."""
        states = [_state_table(self)] if self.states else []
        return [_summary(self), _population_table(self), *states]

    def __rich__(self):
        return Group(*(Text(part) if isinstance(part, str) else part for part in self._parts()))

    def __str__(self) -> str:
        return printed(*self._parts())

    def __repr__(self) -> str:
        return printed(*self._parts(), width=88).rstrip("\n")

    def _repr_html_(self) -> str:
        summary, *tables = self._parts()
        return html(summary) + "".join(html("", table=table) for table in tables)


# --------------------------------------------------------------------------------- in words, tables


def _summary(report):
    """What was compared, and what came out."""
    trials = "trial" if report.n_trials == 1 else "trials"
    what = (
        f"biosnn and Brian2: {report.n_trials} {trials} of {report.duration:g} s, "
        f"dt {1e3 * report.dt:g} ms. "
    )
    if not report.happened:
        return what + _nothing(report)
    return what + (_agreement(report) if report.divergence is None else _parting(report))


def _nothing(report):
    """That nothing could be compared."""
    left = "no recorded state left its rest" if report.states else "no states were recorded"
    return (
        "Nothing happened: no neuron spiked in either program, and "
        f"{left}, so nothing was compared."
    )


def _agreement(report):
    """That spikes agree, and whether states do."""
    spiked = any(map(any, report.spike_counts.values()))
    worst = report.worst_state
    spikes = "All spikes are identical" if spiked else "No neuron spiked in either program"
    if worst > AGREE:
        return f"{spikes}, but states differ by {worst:.1e} of their largest value."
    return f"{spikes}{'' if spiked else '; states agree'}."


def _parting(report):
    """Where spikes differ, and the membranes there."""
    d = report.divergence
    return (
        f"Spikes differ from {1e3 * d.step * report.dt:g} ms on: in trial {d.trial}, step "
        f"{d.step}, neuron {d.neuron} of {d.population} spikes only in {d.only_in}. Before "
        f"threshold and reset its U is {d.ours:.9g} in biosnn and {d.theirs:.9g} in Brian2, which "
        f"is {d.difference:+.1e}; the threshold is {d.threshold:g}."
    )


def _population_table(report):
    """Spikes and statistics of each population."""
    rows = []
    for name, (ours, theirs) in report.spike_counts.items():
        row = [name, f"{ours} {theirs}"]
        for key, digits in (("rate", 2), ("cv", 3), ("correlation", 3)):
            mine, other, distance = report.statistics[name][key]
            row += [f"{_short(mine, digits)} {_short(other, digits)}", _short(distance, 3)]
        rows.append(row)
    return Table(
        "spikes: each number in biosnn, in Brian2, and the Kolmogorov-Smirnov distance over "
        "neurons (or pairs)",
        ("population", "spikes", "rate (Hz)", "KS", "CV of intervals", "KS", "correlation", "KS"),
        rows,
    )


def _state_table(report):
    """Differences of each state."""
    rows = [
        (name, f"{difference:.1e}", f"{scale:.3g}", f"{difference / scale:.1e}" if scale else "")
        for name, (difference, scale) in report.states.items()
    ]
    return Table(
        "states before the first spike that differs",
        ("state", "largest |difference|", "largest |value|", "ratio"),
        rows,
    )


def _short(value, digits):
    """A number with that many digits, "-" for NaN."""
    return "-" if np.isnan(value) else f"{value:.{digits}f}"
