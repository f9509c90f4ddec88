"""Figure of the mean rates of populations over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..data.spike_trains import SpikeTrains
from ..support import checks
from .figures import DASHES, thinned
from .places import place
from .protocols import PopulationLike, SimulationLike, TraceLike, looks_like
from .rates import rate_over_time
from .runs import Window, groups, groups_of, longest, window
from .style import bare, drawing, pt, size
from .windows import checked_width

if TYPE_CHECKING:
    from .places import Ax, Drawn

_BIN = 5e-3  # seconds


class Curve(NamedTuple):
    """A curve of a population over time or frequency."""

    name: str
    colour: str
    dashes: str
    x: np.ndarray
    y: np.ndarray


@drawing
def rates(
    recording: TraceLike | SimulationLike | SpikeTrains | Mapping[str, SpikeTrains],
    populations: Sequence[PopulationLike | str] | PopulationLike | str | None = None,
    trial: int | None = None,
    *,
    start: float = 0.0,
    stop: float | None = None,
    rate_bin: float | None = None,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw the mean rates of the neurons of populations over time.

    Parameters
    ----------
    recording
        What `biosnn.run` or `biosnn.simulate` returns, SpikeTrains, or a dict of names and
        SpikeTrains, such as a `biosnn.data.Recording`.
    populations
        One name or several. Default: all that spike, without inputs.
    trial
        Number of the trial. Default: the mean over all of them.
    start, stop
        What to draw of the time, in seconds. Default: all of it.
    rate_bin
        Width of the bins in seconds. Default: that of a simulation, else 5 ms.
    ax
        The Axes to draw into. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes. Populations of the same sign have the same colour, and differ
    in dashes. The times of perturbations (`biosnn.perturb`) are shaded.

    Raises
    ------
    ValueError
        If there is no such trial, population or time, or a bin is longer than a trial.

    See Also
    --------
    stats.rate_over_time : the numbers.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, n_units=50, duration=0.5, seed=1)
    >>> bs.plot.rates(spikes, rate_bin=20e-3).axes[0].get_ylabel()
    'rate (Hz)'
    """
    curves, duration, origin = rate_curves(recording, populations, trial, rate_bin)
    time = window(start, stop, duration, origin)
    where = place(ax, (8.0, 2.8), width)
    (axis,) = where.axes
    lines = draw_rates(axis, curves, time)
    shade(axis, recording, time)
    axis.set_ylim(bottom=0)
    axis.set_ylabel("rate (Hz)", fontsize=size())
    time.axis(axis)
    bare(axis)
    if len(lines) > 1:
        where.legend(lines, [curve.name for curve in curves])
    return where.done()


def rate_curves(
    recording: Any, populations: Any, trial: int | None, rate_bin: float | None
) -> tuple[list[Curve], float, float]:
    """Return the rates of populations, the duration, and the seconds before time 0."""
    if rate_bin is None and looks_like(recording, SimulationLike):
        return _counted(recording, populations), recording.duration, recording.start
    found, origin = groups(recording, populations)
    duration = longest(found)
    if rate_bin is None:
        step = 0.0 if found[0].population is None else recording.network.dt
        rate_bin = min(max(_BIN, step), duration)
    if trial is not None:
        trial = checks.whole(trial, "trial", 0, len(found[0].spikes) - 1)
    each = [group.spikes if trial is None else group.spikes[trial] for group in found]
    rate_bin = checked_width("rate_bin", rate_bin, duration)
    curves = [rate_over_time(spikes, rate_bin) for spikes in each]
    return with_dashes(found, curves), duration, origin


def with_dashes(found: Sequence[Any], curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> list:
    """Return Curves of groups or populations; those of one colour differ in their dashes."""
    seen: Counter[str] = Counter()
    drawn = []
    for group, (x, y) in zip(found, curves):
        hue = group.colour
        drawn.append(Curve(group.name, hue, DASHES[seen[hue] % len(DASHES)], x, y))
        seen[hue] += 1
    return drawn


def _counted(simulation, populations):
    """Curves of the rates that a simulation has counted, of populations without kept spikes too."""
    found = groups_of(simulation, populations, simulation.rates)
    curves = []
    for group in found:
        values = simulation.rates[group.name]
        curves.append((simulation.rate_bin * (np.arange(values.size) + 0.5), values))
    return with_dashes(found, curves)


def draw_rates(axis: Any, curves: Sequence[Curve], time: Window) -> list[Any]:
    """Draw rates as steps; returns the lines."""
    lines = []
    for curve in curves:
        inside = time.holds(curve.x)
        lines += axis.plot(
            *thinned(curve.x[inside] * time.factor, curve.y[inside]),
            drawstyle="steps-mid",
            color=curve.colour,
            linestyle=curve.dashes,
            linewidth=pt(0.9),
        )
    return lines


def shade(axis: Any, recording: Any, time: Window, population: str | None = None) -> None:
    """Shade the times in which neurons were perturbed, of one population or of any."""
    for each in getattr(recording, "perturbations", ()):
        start, stop = getattr(each, "start", 0.0), getattr(each, "stop", None)
        if not start and stop is None:
            continue  # all of the run
        if population in (None, getattr(each.population, "name", each.population)):
            first, last = max(start, time.start), time.stop if stop is None else stop
            if first < min(last, time.stop):
                span = np.array([first, min(last, time.stop)]) * time.factor
                axis.axvspan(*span, color="0.88", linewidth=0, zorder=0)
