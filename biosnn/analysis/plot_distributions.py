"""Figure of how rates and the irregularity of spike trains are distributed over neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..data.spike_trains import SpikeTrains
from .figures import DASHES, note
from .intervals import isi_cv
from .places import place
from .protocols import PopulationLike, SimulationLike, TraceLike
from .rates import firing_rates
from .runs import groups, longest, window
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

_BINS = 30
_PANELS = (("rate (Hz)", firing_rates), ("CV of the intervals", isi_cv))


@drawing
def distributions(
    recording: TraceLike | SimulationLike | SpikeTrains | Mapping[str, SpikeTrains],
    populations: Sequence[PopulationLike | str] | PopulationLike | str | None = None,
    *,
    start: float = 0.0,
    stop: float | None = None,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw the distributions of rates and of the CV of interspike intervals over neurons.

    Parameters
    ----------
    recording
        What `biosnn.run` or `biosnn.simulate` returns, SpikeTrains, or a dict of names and
        SpikeTrains, such as a `biosnn.data.Recording`.
    populations
        One name or several. Default: all of which spikes were kept, without inputs.
    start, stop
        What to take of the time, in seconds. Default: all of it.
    ax
        Where to draw: a Figure or SubFigure without axes, or two Axes. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: two panels. Vertical lines are the means over neurons, which
    the legend gives, too. Neurons with fewer than three intervals have no CV.

    Raises
    ------
    ValueError
        If there is no such population or time.

    See Also
    --------
    stats.firing_rates, stats.isi_cv : the numbers.

    Examples
    --------
    >>> import biosnn as bs
    >>> spikes = bs.data.poisson(20.0, n_units=50, duration=4.0, seed=1)
    >>> [axis.get_xlabel() for axis in bs.plot.distributions(spikes).axes]
    ['rate (Hz)', 'CV of the intervals']
    """
    found, origin = groups(recording, populations)
    time = window(start, stop, longest(found), origin)
    trains = [time.cut(group.spikes) for group in found]
    where = place(ax, (8.0, 3.2), width, panels=2, columns=2)
    words = [[group.name] if group.name else [] for group in found]
    lines: list = []
    for axis, (label, measure) in zip(where.axes, _PANELS):
        values = [measure(spikes) for spikes in trains]
        known = [each[np.isfinite(each)] for each in values]
        lines = _panel(axis, known, [group.colour for group in found])
        axis.set_xlabel(label, fontsize=size())
        for said, every, some in zip(words, values, known):
            said.append(_in_words(label, every.size, some))
    where.axes[0].set_ylabel("share of neurons\nin a bin", fontsize=size())
    where.legend(lines, [", ".join(said) for said in words])
    return where.done()


def _in_words(label, n, values):
    """The mean of a quantity, and of how many neurons."""
    if not values.size:
        return "no CV"
    if label.startswith("rate"):
        return f"{values.mean():.3g} Hz"
    some = f" ({values.size} of {n} neurons)" if values.size < n else ""
    return f"CV {values.mean():.2f}{some}"


def _panel(axis, each, hues):
    """Draw histograms of the values of each population over the same bins; returns the lines."""
    from matplotlib.lines import Line2D

    edges, lines = _edges(np.concatenate(each)), []
    for k, (values, hue) in enumerate(zip(each, hues)):
        look = {"color": hue, "linestyle": DASHES[hues[:k].count(hue) % len(DASHES)]}
        lines.append(Line2D([], [], linewidth=pt(1.3), **look))
        if not values.size:
            continue
        share = np.histogram(values, edges)[0] / values.size
        axis.stairs(share, edges, fill=True, color=hue, alpha=0.2)
        axis.stairs(share, edges, linewidth=pt(1.3), **look)
        axis.axvline(values.mean(), linewidth=pt(0.9), **look)
    axis.set_xlim(edges[0], edges[-1])
    axis.set_ylim(bottom=0)
    bare(axis)
    if not any(values.size for values in each):
        axis.set_yticks([])
        note(axis, "no neuron has three intervals")
    return lines


def _edges(values):
    """Edges of the bins: from 0 on, unless all values are far from it."""
    if not values.size:
        return np.linspace(0, 1, _BINS + 1)
    low, high = values.min(), np.quantile(values, 0.998, method="higher")
    low = 0.0 if low < 0.5 * high else low - 0.1 * (high - low)
    return np.linspace(low, high + 0.05 * (high - low) or 1.0, _BINS + 1)
