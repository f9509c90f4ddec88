"""Figure of the cross-correlograms of all pairs of populations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.spike_trains import SpikeTrains
from ..support import checks, seeds, timegrid
from .correlogram import cross_correlogram
from .figures import fitted, note
from .places import place
from .protocols import PopulationLike, SimulationLike, TraceLike
from .rates import firing_rates
from .runs import groups, longest, window
from .style import bare, drawing, pt, size
from .windows import checked_width

if TYPE_CHECKING:
    from .places import Ax, Drawn

_REACH, _BINS = 50e-3, 50  # seconds; to either side


@drawing
def correlograms(
    recording: TraceLike | SimulationLike | SpikeTrains | Mapping[str, SpikeTrains],
    populations: Sequence[PopulationLike | str] | PopulationLike | str | None = None,
    *,
    start: float = 0.0,
    stop: float | None = None,
    reach: float | None = None,
    bin_width: float | None = None,
    units: int = 40,
    seed: Any = 0,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw how often the units of each population fire around the spikes of each other one.

    Parameters
    ----------
    recording
        What `biosnn.run` or `biosnn.simulate` returns, SpikeTrains, or a dict of names and
        SpikeTrains, such as a `biosnn.data.Recording`.
    populations
        One name or several. Default: all of which spikes were kept, without inputs.
    start, stop
        What to take of the time, in seconds. Default: all of it.
    reach
        Lags run from -reach to reach, in seconds. Default: 50 ms, or half of a trial if that is
        shorter.
    bin_width
        Width of the bins in seconds; it must divide `reach`. Default: a fiftieth of it. Where it
        alone is given, lags reach a whole number of bins.
    units
        This many of the units that spike are drawn at random from each population; all pairs of
        them count.
    seed
        Seed of this choice: a whole number >= 0 or a numpy Generator.
    ax
        Where to draw: a Figure or SubFigure without axes, or an Axes for each pair of populations,
        row by row. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: the row is the population whose spikes are at lag 0, the
    column that whose rate is drawn. Dotted lines are mean rates. A unit is never paired with
    itself.

    Raises
    ------
    ValueError
        If there is no such population or time, or the lags do not fit into a trial.

    See Also
    --------
    stats.cross_correlogram : the numbers, and what they mean.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, n_units=20, duration=2.0, seed=1)
    >>> bs.plot.correlograms({"A": spikes, "B": spikes}).axes[1].get_title()
    'B around spikes of A'
    """
    found, origin = groups(recording, populations)
    time = window(start, stop, longest(found), origin)
    reach, bin_width = _lags(reach, bin_width, time.length)
    units = checks.whole(units, "units", 1, why="it is how many are drawn at random")
    trains = [time.cut(group.spikes) for group in found]
    random = seeds.generator(seed)
    chosen = [_some(spikes, units, random) for spikes in trains]
    n = len(found)
    screen = max(3.0 * n, 4.5) + 0.5, max(2.0 * n, 3.0) + 0.5
    where = place(ax, screen, width, panels=n * n, columns=n, sharex=True)
    for k, axis in enumerate(where.axes):
        pre, post = divmod(k, n)
        pairs = _pairs(chosen[pre], chosen[post], same=pre == post)
        lags = {"reach": reach, "bin_width": bin_width}
        curve = cross_correlogram(trains[pre], trains[post], pairs, **lags)
        _panel(axis, curve, found[post].colour, firing_rates(trains[post])[chosen[post]])
        what = f"{found[post].name} around spikes of {found[pre].name}"
        said = what if found[post].name else "around spikes of other units"
        breadth = 1.1 * axis.bbox.width / where.home.dpi
        axis.set_title(fitted(where.home, said, breadth, size(0.9)), fontsize=size(0.9))
        if post == 0 or not where.whole:
            axis.set_ylabel("rate (Hz)", fontsize=size())
    for axis in where.bottom:
        axis.set_xlabel("lag (ms)", fontsize=size())
    return where.done()


def _lags(reach, bin_width, duration):
    """(reach, width of the bins) in seconds; by default they fit."""
    if bin_width is not None:
        bin_width = checked_width("bin_width", bin_width, duration)
    if reach is None:
        reach = min(_REACH, duration / 2)
        if bin_width is not None:
            reach = max(1, timegrid.whole_windows(reach, bin_width)) * bin_width
    reach = checked_width("reach", reach, duration)
    if bin_width is None:
        return reach, reach / _BINS
    if timegrid.covering_windows(reach, bin_width) * bin_width > reach * (1 + 1e-9):
        raise ValueError(
            f"bin_width is {bin_width:g} s; it must divide reach, {reach:g} s, so that a bin "
            "begins at lag 0."
        )
    return reach, bin_width


def _some(spikes, units, random):
    """Numbers of some units that spike, ascending."""
    firing = np.unique(spikes.units)
    return np.sort(random.permutation(firing)[:units])


def _pairs(pre, post, *, same):
    """(i, j) of all pairs of different units."""
    i, j = np.repeat(pre, post.size), np.tile(post, pre.size)
    apart = i != j if same else np.ones(i.size, bool)
    return i[apart], j[apart]


def _panel(axis, curve, hue, rates):
    """Draw one correlogram, beside the mean rate of the units."""
    lags, values = curve
    half = (lags[1] - lags[0]) / 2
    axis.set_xlim(1e3 * (lags[0] - half), 1e3 * (lags[-1] + half))
    axis.axvline(0, color="0.8", linewidth=pt(0.8), zorder=1)
    bare(axis)
    if not np.all(np.isfinite(values)):
        axis.set_yticks([])
        note(axis, "no pair of units with spikes far enough from the ends")
        return
    edges = 1e3 * np.append(lags - half, lags[-1] + half)
    axis.stairs(values, edges, baseline=None, color=hue, linewidth=pt(1.1))
    axis.axhline(rates.mean(), color=hue, linestyle=":", linewidth=pt(1.0))
    if values.min() < 0.5 * values.max():  # else structure on a high rate could not be seen
        axis.set_ylim(bottom=0)
