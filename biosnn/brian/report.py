"""What a comparison with Brian2 found, as numbers, tables and a figure."""

from dataclasses import asdict, dataclass, field

import numpy as np
from rich.console import Group
from rich.text import Text

from ..support.tables import Table, printed

#: Relative difference of states above which programs disagree: far above rounding, also of neurons whose upstroke makes it grow.
AGREE = 1e-6


@dataclass(frozen=True)
class Divergence:
    """The first spike that only one program has.

    trial, step, population, neuron   where; of several in one step the first neuron of the first population
    ours, theirs   U of that neuron there before threshold and reset, in biosnn and in Brian2
    threshold      of that population
    only_in        "biosnn" or "Brian2", the program that has the spike
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
    def difference(self):
        """Brian2's membrane minus that of biosnn."""
        return self.theirs - self.ours

    @property
    def margin(self):
        """The membrane of biosnn minus the threshold."""
        return self.ours - self.threshold


@dataclass(frozen=True, eq=False)
class Comparison:
    """biosnn beside Brian2. `print` it for tables; `as_dict` for JSON; `figure()` to look at. It is true where `verdict` is "identical".

    identical     all spikes of all trials agree, and there were some; or there were none, and the states, which changed, agree
    happened      whether any neuron spiked, or any recorded state left its rest, in either program
    divergence    the first spike that only one program has (earliest over trials), or None
    states        "E.U" -> (largest absolute difference, largest absolute value), of each trial before its first such spike
    spike_counts  population -> (biosnn, Brian2)
    statistics    population -> {"rate" (Hz), "cv", "correlation"} -> (mean of biosnn, mean of Brian2, Kolmogorov-Smirnov distance)
    trial         the one that traces and the figure show: that of the divergence, or 0
    traces        of that trial: state -> (biosnn, Brian2), arrays (step, neuron)
    rasters       population -> (SpikeTrains of biosnn, of Brian2)
    duration      of a trial, in seconds
    """

    identical: bool
    happened: bool
    divergence: Divergence | None
    states: dict
    spike_counts: dict
    statistics: dict
    duration: float
    n_trials: int
    dt: float
    traces: dict = field(repr=False, default_factory=dict)
    rasters: dict = field(repr=False, default_factory=dict)

    @property
    def verdict(self) -> str:
        """ "identical", "different" (spikes, or states by more than 1e-6 of the largest), or "nothing happened", so nothing was compared."""
        if not self.happened:
            return "nothing happened"
        return "identical" if self.identical and self.worst_state <= AGREE else "different"

    def __bool__(self) -> bool:
        return self.verdict == "identical"

    @property
    def trial(self):
        return 0 if self.divergence is None else self.divergence.trial

    @property
    def identical_for(self):
        """Seconds from the start in which all spikes agree."""
        return self.duration if self.divergence is None else self.divergence.step * self.dt

    @property
    def worst_state(self):
        """The largest difference of any state, relative to the largest value of that state; 0 if none was recorded."""
        return max(
            (
                difference / scale if scale else np.inf
                for difference, scale in self.states.values()
                if difference
            ),
            default=0.0,
        )

    def as_dict(self):
        """For JSON."""
        parted = (
            None
            if self.divergence is None
            else asdict(self.divergence) | {"difference": self.divergence.difference}
        )
        return {
            "verdict": self.verdict,
            "identical": self.identical,
            "divergence": parted,
            "states": self.states,
            "spike_counts": self.spike_counts,
            "statistics": self.statistics,
            "duration_s": self.duration,
            "n_trials": self.n_trials,
        }

    def _parts(self):
        return [
            self._title(),
            _population_table(self),
            *([_state_table(self)] if self.states else []),
        ]

    def __rich__(self):
        return Group(*(Text(part) if isinstance(part, str) else part for part in self._parts()))

    def _title(self):
        what = (
            f"biosnn beside Brian2: {self.n_trials} {'trial' if self.n_trials == 1 else 'trials'} of {self.duration:g} s, "
            f"dt {1e3 * self.dt:g} ms. "
        )
        if not self.happened:
            return what + (
                "Nothing happened: no neuron spiked in either program, and "
                + ("no recorded state left its rest" if self.states else "no states were recorded")
                + ", so nothing was compared."
            )
        if self.divergence is None:
            spiked, worst = any(map(any, self.spike_counts.values())), self.worst_state
            spikes = "All spikes are identical" if spiked else "No neuron spiked in either program"
            spikes += "; states agree" if worst <= AGREE and not spiked else ""
            return what + (
                f"{spikes}."
                if worst <= AGREE
                else f"{spikes}, but states differ by {worst:.1e} of their largest value."
            )
        d = self.divergence
        return what + (
            f"Spikes differ from {1e3 * d.step * self.dt:g} ms on: in trial {d.trial}, step {d.step}, neuron {d.neuron} of "
            f"{d.population} spikes only in {d.only_in}. Before threshold and reset its U is {d.ours:.9g} in biosnn and {d.theirs:.9g} "
            f"in Brian2, which is {d.difference:+.1e}; the threshold is {d.threshold:g}."
        )

    def __str__(self):
        return printed(*self._parts())

    def figure(self, population=None, neuron=0):
        """Rasters of both programs in one trial (that of the divergence, or the first), the membrane of one neuron in both, and their difference."""
        from ..analysis.plot import comparison

        return comparison(self, population, neuron)


def _population_table(report):
    rows = []
    for name, (ours, theirs) in report.spike_counts.items():
        rows.append([name, f"{ours} {theirs}"])
        for key, digits in (("rate", 2), ("cv", 3), ("correlation", 3)):
            *sides, distance = report.statistics[name][key]
            rows[-1] += [" ".join(_short(side, digits) for side in sides), _short(distance, 3)]
    return Table(
        "spikes: each number in biosnn, in Brian2, and the Kolmogorov-Smirnov distance over neurons (or pairs)",
        ("population", "spikes", "rate (Hz)", "KS", "CV of intervals", "KS", "correlation", "KS"),
        rows,
    )


def _state_table(report):
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
    return "-" if np.isnan(value) else f"{value:.{digits}f}"
