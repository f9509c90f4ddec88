"""Figure of one trial: rasters of the spikes, and the readouts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..support import checks
from . import figures
from .figures import (
    CLASSES,
    DASHES,
    bare,
    check_finite,
    colour,
    for_paper,
    legend,
    name,
    pt,
    size,
    time_axis,
    title,
)
from .protocols import TraceLike
from .rates import firing_rates
from .recorded import checked_trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_CLASSES = 30  # of a legend: more lines cannot be told apart anyway


@for_paper
def activity(
    trace: TraceLike, trial: int = 0, *, units: int | None = None, width: float | None = None
) -> Figure:
    r"""Draw the spikes of the inputs and populations and the readouts of one trial.

    Parameters
    ----------
    trace
        What `biosnn.run` returns.
    trial
        Number of the trial.
    units
        Draw at most this many units of each input and population, evenly spaced. Default: all.
    width
        Width of the figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    A figure with one panel per raster and per readout, on one time axis. Mean rates in the trial
    are written at the right of the rasters. The line of the true class is heavy. The title gives
    the true class and the prediction, which is the class with the largest maximum over time.

    Raises
    ------
    ValueError
        If the trace has no such trial, or `units` is not a whole number of at least 1.

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
    trial = checked_trial(trace, trial)
    if units is not None:
        units = checks.whole(units, "units", 1, why="it is how many are drawn; None draws all")
    network = trace.network
    rasters = _rasters(trace)
    heights = _heights([population.n for population, _ in rasters], len(network.readouts))
    home = figures.figure(width, 8.0, sum(heights) + 0.9)
    share = home.get_figheight() / (sum(heights) + 0.9)
    axes = home.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis, (population, spikes), height in zip(axes, rasters, heights):
        _raster(axis, population, spikes[trial], units, 72 * height * share)
    label = None if trace.labels is None else int(trace.labels[trial])
    for axis, readout in zip(axes[len(rasters) :], network.readouts):
        _readout(axis, trace, readout, trial, label)
    for axis in axes:
        bare(axis)
    time_axis(axes[-1], trace)
    home.align_ylabels(axes)
    title(home, _outcome(trace, trial, label))
    if network.readouts:
        _class_legend(home, axes[len(rasters) :], label)
    return home


def _rasters(trace):
    """Pairs (population, its SpikeTrains), the inputs first."""
    network = trace.network
    inputs = [(p, trace.inputs[p.name]) for p in network.inputs]
    firing = [p for p in network.populations if p.kind in ("spiking", "pooling")]
    return inputs + [(p, trace.spikes[p.name]) for p in firing]


def _heights(sizes, n_readouts):
    """Inches of each panel. They grow as the root of n, so that small populations stay visible."""
    roots = np.sqrt(sizes or [1])
    return [*np.clip(2.2 * roots / roots.max(), 0.6, None)][: len(sizes)] + [1.8] * n_readouts


def _raster(axis, population, spikes, most, points):
    """Draw the spikes of one trial as ticks; `points` is the height of the panel."""
    n = population.n
    shown = np.arange(n)
    if most is not None:
        shown = np.unique(np.linspace(0, n - 1, min(most, n)).astype(int))
    keep = np.isin(spikes.units, shown)
    axis.plot(
        spikes.times[keep] * 1e3,
        spikes.units[keep],
        linestyle="none",
        marker="|",
        color=colour(population),
        markersize=float(np.clip(0.7 * points / shown.size, 1.5, pt(8.0))),
        markeredgewidth=pt(0.7),
        rasterized=True,
    )
    axis.set_ylim(-0.5, n - 0.5)
    axis.set_yticks([0, n - 1] if n > 1 else [0])
    some = f"\n({shown.size} of {n})" if shown.size < n else ""
    name(axis, f"{population.name}\n{'neuron' if population.kind == 'spiking' else 'unit'}{some}")
    axis.text(
        1.01,
        0.5,
        _rate(firing_rates(spikes).mean()),
        transform=axis.transAxes,
        va="center",
        fontsize=size(0.85),
        color=colour(population),
    )


def _rate(rate):
    """A rate in hertz in words; never rounded to zero."""
    if rate == 0:
        return "silent"
    return f"{rate:.1f} Hz" if rate >= 1 else f"{rate:.2g} Hz"


def _readout(axis, trace, readout, trial, label):
    """Draw the membranes of a readout, that of the true class heavily."""
    values = trace.states[f"{readout.name}.U"][trial]
    check_finite(values, f"{readout.name}.U in trial {trial}")
    for k in range(readout.n):
        true = k == label
        axis.plot(
            trace.times * 1e3,
            values[:, k],
            color=CLASSES[k % len(CLASSES)],
            linewidth=pt(2.8 if true else 0.9),
            linestyle=DASHES[k // len(CLASSES) % 3],
            zorder=3 if true else 2,
            label=f"{k} (true)" if true else f"{k}",
        )
    name(axis, f"{readout.name}\nU")


def _class_legend(home, axes, label):
    """Add one legend for all readouts: a number has the same colour in each."""
    lines = max((axis.lines for axis in axes), key=len)
    if 1 < len(lines) <= _MOST_CLASSES:
        heading = "unit of the readout" if label is None else "class"
        legend(home, lines, [line.get_label() for line in lines], heading)


def _outcome(trace, trial, label):
    """The title: true class and prediction of each readout."""
    if label is None:
        return f"trial {trial}"
    said = [f"class {label}"]
    for readout in trace.network.readouts:
        largest = trace.states[f"{readout.name}.U"][trial].max(axis=0)
        tied = int(np.sum(largest == largest.max()))
        found = f"predicted {largest.argmax()}"
        found += f", tied with {tied - 1} other{'s' * (tied > 2)}" if tied > 1 else ""
        said.append(found + (f" ({readout.name})" if len(trace.network.readouts) > 1 else ""))
    return f"trial {trial}: " + ", ".join(said)
