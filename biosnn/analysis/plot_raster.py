"""Figure of the spikes of several populations in one panel, and the ticks of all rasters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.spike_trains import SpikeTrains
from ..support import checks
from .figures import extent, fitted, inches, note, side, spaced
from .places import place
from .protocols import PopulationLike, SimulationLike, TraceLike
from .runs import Group, Window, groups, longest, window
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

_TICK, _COVERED = 0.7, 0.2  # points across; share of the panel that ticks may cover
_ROWS, _SPIKES = 220.0, 1500.0  # of an inch, of a square inch: what an eye can tell apart


@drawing
def raster(
    recording: TraceLike | SimulationLike | SpikeTrains | Mapping[str, SpikeTrains],
    populations: Sequence[PopulationLike | str] | PopulationLike | str | None = None,
    trial: int = 0,
    *,
    units: int | None = None,
    start: float = 0.0,
    stop: float | None = None,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    r"""Draw the spikes of populations above each other, the first on top.

    Parameters
    ----------
    recording
        What `biosnn.run` or `biosnn.simulate` returns, SpikeTrains, or a dict of names and
        SpikeTrains, such as a `biosnn.data.Recording`.
    populations
        One name or several. Default: all of which spikes were kept, without inputs.
    trial
        Number of the trial.
    units
        Draw at most this many units of each, evenly spaced. Default: as many as an eye can tell
        apart in the panel, the same share of every population.
    start, stop
        What to draw of the time, in seconds. Default: all of it.
    ax
        The Axes to draw into. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes. Populations have the colours of their signs. Where not all
    units are drawn, the axis says how many of how many.

    Raises
    ------
    ValueError
        If there is no such trial, population or time.

    See Also
    --------
    activity : each population in a panel of its own, with rates and readouts.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, n_units=50, duration=0.5, seed=1)
    >>> bs.plot.raster(spikes, units=10).axes[0].get_ylabel()
    'unit\n(10 of 50)'
    """
    found, origin = groups(recording, populations)
    number = checks.whole(trial, "trial", 0, len(found[0].spikes) - 1)
    units = checked_units(units)
    time = window(start, stop, longest(found), origin)
    trains = [group.spikes[number] for group in found]
    where = place(ax, (8.0, 4.0), width)
    (axis,) = where.axes
    shown = _numbers(axis, trains, units, time)
    top, middles = 0, []
    for group, spikes, chosen in zip(found, trains, shown):
        _ticks(axis, group.colour, spikes, chosen, time, first_row=top)
        middles.append(top + (chosen.size - 1) / 2)
        top += chosen.size
    axis.set_ylim(top - 0.5, -0.5)
    time.axis(axis)
    bare(axis)
    if len(found) == 1:
        axis.set_yticks(np.unique([0, top - 1]), np.unique([0, shown[0][-1]]))
        side(axis, _label(axis, found[0], shown[0], _kind(found[0])))
    else:
        _names(axis, found, shown, np.array(middles))
    if not any(np.size(line.get_xdata()) for line in axis.lines):
        note(axis, "no spikes")
    return where.done()


def checked_units(units: Any) -> int | None:
    """Return how many units are drawn at most, or None."""
    if units is None:
        return None
    return checks.whole(units, "units", 1, why="it is how many are drawn; None draws all")


def draw_ticks(
    axis: Any, group: Group, spikes: SpikeTrains, units: int | None, time: Window
) -> int:
    """Draw the spikes of one trial, each at the number of its unit; returns how many units."""
    (chosen,) = _numbers(axis, [spikes], units, time)
    _ticks(axis, group.colour, spikes, chosen, time)
    return chosen.size


def rate_in_words(rate: float) -> str:
    """Return a rate in hertz in words; never rounded to zero."""
    if rate == 0:
        return "silent"
    return f"{rate:.1f} Hz" if rate >= 1 else f"{rate:.2g} Hz"


def _numbers(axis, trains, units, time):
    """The units of each that are drawn: `units` of each, or the same share of all."""
    if units is None:
        across, height = (each / axis.get_figure().dpi for each in axis.bbox.size)
        found = sum(int(np.count_nonzero(time.holds(spikes.times))) for spikes in trains)
        rows = sum(spikes.n_units for spikes in trains)
        share = min(1.0, _ROWS * height / rows, _SPIKES * height * across / max(found, 1))
    counts = [units or max(1, round(share * spikes.n_units)) for spikes in trains]
    return [
        np.unique(np.linspace(0, spikes.n_units - 1, min(count, spikes.n_units)).astype(int))
        for count, spikes in zip(counts, trains)
    ]


def _ticks(axis, hue, spikes, chosen, time, first_row=None):
    """Draw spikes of the chosen units, at their numbers, or in rows that begin with `first_row`."""
    row = np.full(spikes.n_units, -1)
    row[chosen] = chosen if first_row is None else first_row + np.arange(chosen.size)
    keep = (row[spikes.units] >= 0) & time.holds(spikes.times)
    axis.plot(
        spikes.times[keep] * time.factor,
        row[spikes.units[keep]],
        linestyle="none",
        marker="|",
        color=hue,
        markersize=_height(axis, chosen.size, np.count_nonzero(keep)),
        markeredgewidth=pt(_TICK),
        rasterized=True,
    )


def _kind(group):
    """What the units of a population are."""
    return "neuron" if getattr(group.population, "kind", "") == "spiking" else "unit"


def _height(axis, rows, spikes):
    """Points of a tick: those of a row, or more where there are few spikes."""
    across, height = 72 * axis.bbox.size / axis.get_figure().dpi
    sparse = min(_COVERED * across * height / (pt(_TICK) * max(spikes, 1)), 4.0)
    return float(np.clip(max(0.7 * height / rows, sparse), 1.5, pt(8.0)))


def _names(axis, found, shown, middles):
    """Name the populations in their colours."""
    home, rows = axis.get_figure(), sum(chosen.size for chosen in shown)
    labels = [_label(axis, *each) for each in zip(found, shown)]
    high = np.array([extent(home, label, size(0.9))[1] for label in labels])
    needed = 1.1 * high * home.dpi / (0.85 * axis.bbox.height) * rows
    axis.set_yticks(spaced(middles, needed, rows), labels)
    axis.tick_params(axis="y", length=0)
    for label, group in zip(axis.get_yticklabels(), found):
        label.set(color=group.colour, fontsize=size(0.9))


def _label(axis, group, chosen, what=""):
    """Name of a population, and how many of its units are drawn."""
    n = group.spikes.n_units
    some = f"({chosen.size} of {n})" if chosen.size < n else ""
    text = "\n".join(filter(None, (" ".join(filter(None, (group.name, what))), some)))
    home = axis.get_figure()
    return fitted(home, text, 0.25 * inches(home)[0], size(0.9))
