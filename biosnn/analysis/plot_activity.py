"""Figure of the activity: rasters of the spikes, population rates, and the readouts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .figures import CLASSES, DASHES, fitted, name, thinned
from .places import place
from .plot_raster import checked_units, draw_ticks, rate_in_words
from .plot_rates import draw_rates, rate_curves, shade
from .protocols import PopulationLike, SimulationLike, TraceLike
from .rates import firing_rates
from .runs import Run, groups
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

_TRUE = " (true)"
_MOST_CLASSES = 30  # of a legend: more lines cannot be told apart anyway


@drawing
def activity(
    recording: TraceLike | SimulationLike,
    trial: int | Sequence[int] = 0,
    *,
    populations: Sequence[PopulationLike | str] | None = None,
    units: int | None = None,
    start: float = 0.0,
    stop: float | None = None,
    rate_bin: float | None = None,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    r"""Draw the spikes of the inputs and populations, their rates, and the readouts.

    Parameters
    ----------
    recording
        What `biosnn.run` or `biosnn.simulate` returns.
    trial
        Number of the trial, or several of them, which stand side by side.
    populations
        Names of inputs and populations whose spikes to draw. Default: all.
    units
        Draw at most this many units of each, evenly spaced. Default: as many as an eye can tell
        apart in the panel.
    start, stop
        What to draw of the time, in seconds. Default: all of it.
    rate_bin
        Width in seconds of the bins of a panel with the mean rates of the populations. Default:
        that of a simulation (`simulation.rate_bin`); none for a trace.
    ax
        Where to draw: a Figure or SubFigure without axes, or as many Axes as there are panels, row
        by row. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: one panel per raster, one for the rates, and one per readout,
    on one time axis. Mean rates are written at the right of the rasters; a raster that does not
    show all units says how many. The line of the true class is heavy. The title gives the true
    class and the prediction, which is the class with the largest maximum over time. The times of
    perturbations (`biosnn.perturb`) are shaded, behind the rates and in the raster of the
    population.

    Raises
    ------
    ValueError
        If there is no such trial, population or time, or `units` is not a whole number of at
        least 1.

    See Also
    --------
    raster : all populations in one panel.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(10, bs.ei_lif(), sign="excitatory", name="E")
    >>> _ = net.connect(net.input(20), E, weights=np.full((20, 10), 0.3))
    >>> trace = bs.run(net, bs.data.poisson(20.0, 20, 0.1, seed=1))
    >>> figure = bs.plot.activity(trace)
    >>> [axis.get_ylabel() for axis in figure.axes]
    ['input\nunit', 'E\nneuron']
    """
    read = Run(recording)
    trials, units, time = read.trials(trial), checked_units(units), read.window(start, stop)
    rasters = _rasters(read, populations)
    curves = _curves(read, rasters, trials, rate_bin)
    readouts = [p for p in read.network.readouts if f"{p.name}.U" in read.source.states]
    heights = _heights([g.population.n for g in rasters], bool(curves), len(readouts))
    where = place(
        ax,
        (8.0 if len(trials) == 1 else 4.0 * len(trials) + 1.0, sum(heights) + 0.9),
        width,
        panels=len(heights) * len(trials),
        columns=len(trials),
        sharex=True,
        sharey="row",
        height_ratios=heights,
    )
    columns = np.array(where.axes, object).reshape(len(heights), len(trials)).T
    for axes, number, of_trial in zip(columns, trials, curves or [None] * len(trials)):
        panels = iter(axes)
        for group in rasters:
            shade(panel := next(panels), recording, time, group.name)
            _raster(panel, group, group.spikes[number], units, time, len(trials) > 1)
        if of_trial:
            shade(panel := next(panels), recording, time)
            _rates(panel, of_trial, time)
        for readout in readouts:
            _readout(next(panels), read, readout, number, time)
    titles = [_outcome(read, number, readouts) for number in trials]
    _finish(where, columns, time, titles)
    if len(trials) == 1 and titles[0]:
        where.title(titles[0])
    if readouts:
        _class_legend(where, columns[0][-len(readouts) :], read.labels, len(trials) == 1)
    return where.done()


def _rasters(read, populations):
    """The Groups whose spikes are drawn, the inputs first."""
    firing = [p.name for p in read.network.populations if p.kind in ("spiking", "pooling")]
    names = [name for name in (*read.inputs, *firing) if name in read.spikes]
    if populations is None and not names:
        return []
    return groups(read.source, names if populations is None else populations)[0]


def _curves(read, rasters, trials, rate_bin):
    """Curves of the rates in each trial; empty where they are not wanted."""
    if rate_bin is None and not read.simulated:
        return []
    names = [group.name for group in rasters if group.population.kind != "input"]
    if not names and read.simulated:
        names = [p.name for p in read.network.spiking]
    return [rate_curves(read.source, names, trial, rate_bin)[0] for trial in trials if names]


def _heights(sizes, rates, n_readouts):
    """Inches of each panel. They grow as the root of n, so that small populations stay visible."""
    roots = np.sqrt(sizes or [1])
    rasters = [*np.clip(2.2 * roots / roots.max(), 0.6, None)][: len(sizes)]
    return rasters + [1.2] * rates + [1.8] * n_readouts


def _raster(axis, group, spikes, units, time, many):
    """Draw the spikes of one trial as ticks, and the mean rate beside them (of many: above)."""
    n, shown = group.population.n, draw_ticks(axis, group, spikes, units, time)
    axis.set_ylim(-0.5, n - 0.5)
    axis.set_yticks([0, n - 1] if n > 1 else [0])
    some = f"\n({shown} of {n})" if shown < n else ""
    name(axis, f"{group.name}\n{'neuron' if group.population.kind == 'spiking' else 'unit'}{some}")
    axis.text(
        1.0 if many else 1.01,
        1.0 if many else 0.5,
        _rate(spikes, time),
        transform=axis.transAxes,
        ha="right" if many else "left",
        va="bottom" if many else "center",
        fontsize=size(0.85),
        color=group.colour,
    )


def _rate(spikes, time):
    """The mean rate of one trial in words."""
    if spikes.durations[0] <= time.start:
        return "ended"
    return rate_in_words(firing_rates(time.cut(spikes)).mean())


def _rates(axis, curves, time):
    """Draw the mean rates of the populations."""
    draw_rates(axis, curves, time)
    axis.set_ylim(bottom=0)
    name(axis, "rate\n(Hz)")


def _readout(axis, read, readout, trial, time):
    """Draw the membranes of a readout, that of the true class heavily."""
    states = read.states(readout, ("U",))
    inside = read.inside(time)[trial]
    for unit, values in zip(states.neurons, states.values[0][trial][inside].T):
        true = read.labels is not None and unit == read.labels[trial]
        axis.plot(
            *thinned(states.times[inside] * time.factor, values),
            color=CLASSES[unit % len(CLASSES)],
            linewidth=pt(2.8 if true else 0.9),
            linestyle=DASHES[unit // len(CLASSES) % 3],
            zorder=3 if true else 2,
            label=f"{unit}{_TRUE}" if true else f"{unit}",
        )
    name(axis, f"{readout.name}\nU")


def _finish(where, columns, time, titles):
    """Labels below, titles of several trials, and names at the left alone."""
    for axes in columns[1:] if where.whole else ():
        for axis in axes:
            axis.set_ylabel("")
    for axis in where.axes:
        bare(axis)
    time.axis(*where.bottom)
    where.home.align_ylabels(list(columns[0]))
    for axes, words in zip(columns, titles):
        if len(titles) > 1:
            said = fitted(where.home, words, 0.7 * where.inches / len(titles), size())
            axes[0].set_title(said, fontsize=size(), pad=1.6 * size())


def _class_legend(where, axes, labels, one):
    """Add one legend for all readouts: a number has the same colour in each.

    one: there is one trial, so that the heavy line of the legend is the true class.
    """
    from matplotlib.lines import Line2D

    lines = max((axis.lines for axis in axes), key=len)
    words = [line.get_label() for line in lines]
    if not 1 < len(lines) <= _MOST_CLASSES:
        return
    if not one:
        words = [each.removesuffix(_TRUE) for each in words]
        looks = [(line.get_color(), line.get_linestyle()) for line in lines]
        lines = [Line2D([], [], color=hue, linestyle=dash, lw=pt(1.2)) for hue, dash in looks]
    where.legend(lines, words, "unit of the readout" if labels is None else "class")


def _outcome(read, trial, readouts):
    """The title: true class and prediction of each readout."""
    if read.labels is None:
        return "" if read.simulated else f"trial {trial}"
    said = [f"class {int(read.labels[trial])}"]
    own = read.source.own_steps
    steps = slice(None if own is None else own[trial])
    for readout in readouts:
        largest = read.source.states[f"{readout.name}.U"][trial, steps].max(axis=0)
        tied = int(np.sum(largest == largest.max()))
        found = f"predicted {largest.argmax()}"
        found += f", tied with {tied - 1} other{'s' * (tied > 2)}" if tied > 1 else ""
        said.append(found + (f" ({readout.name})" if len(readouts) > 1 else ""))
    return f"trial {trial}: " + ", ".join(said)
