"""Figure of a membrane: its course in a trial or several, and its distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..support import checks
from .figures import colour, density, fitted, gaussian, side, thinned
from .places import place
from .protocols import PopulationLike, SimulationLike, TraceLike
from .runs import Run
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

_FAR = 100.0  # times the largest |U|: a threshold that far away is not drawn
_TALL = 3.0  # times the next one: a bar that is longer is cut


@drawing
def membrane(
    recording: TraceLike | SimulationLike,
    population: PopulationLike | str,
    neuron: int = 0,
    trial: int | Sequence[int] = 0,
    *,
    start: float = 0.0,
    stop: float | None = None,
    theory: tuple[float, float] | None = None,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw the membrane of a neuron, and the distribution of U over all neurons, trials and steps.

    Parameters
    ----------
    recording
        What `biosnn.run` or `biosnn.simulate` returns; it must hold the membrane:
        `run(..., record=["E.U"])`.
    population
        The population or its name.
    neuron
        Number of the neuron in its population; it must be one of those that were recorded.
    trial
        Number of the trial, or several of them, which stand side by side.
    start, stop
        What to draw of the time, in seconds. Default: all of it.
    theory
        Mean and standard deviation of a Gaussian to draw over the histogram, for instance those of
        the initializer's report: `(mu, hypot(sigma, spread))`, since the histogram also holds the
        spread of the means over neurons. The report is about the free membrane: resets and the
        start of a trial show as a difference from it.
    ax
        A Figure or SubFigure without axes, or Axes: one for each trial, and one for the
        distribution. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: one panel for each trial, with the threshold and the spikes,
    and the distribution.

    Raises
    ------
    ValueError
        If the membrane was not recorded, or there is no such population, neuron or trial.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(10, bs.ei_lif(), sign="excitatory", name="E")
    >>> _ = net.connect(net.input(20), E, weights=np.full((20, 10), 0.3))
    >>> trace = bs.run(net, bs.data.poisson(20.0, 20, 0.1, seed=1), record=["E.U"])
    >>> bs.plot.membrane(trace, "E", neuron=3, theory=(0.2, 0.5)).get_suptitle()
    'E, neuron 3, trial 0'
    """
    read = Run(recording)
    found, trials = read.states(population, ("U",)), read.trials(trial)
    column, time = found.column(neuron), read.window(start, stop)
    theory = None if theory is None else _checked_moments(theory)
    inside, ratio = read.inside(time), 3 if width is None else 2
    values = found.values[0]
    where = place(
        ax,
        (5.0 + 4.0 * len(trials), 3.4),
        width,
        panels=len(trials) + 1,
        columns=len(trials) + 1,
        sharey=True,
        width_ratios=[ratio] * len(trials) + [1],
    )
    *left, right = where.axes
    cells, times = found.population, found.times * time.factor
    for axis, number in zip(left, trials):
        shown = inside[number]
        curve = thinned(times[shown], values[number, shown, column])
        axis.plot(*curve, color=colour(cells), linewidth=pt(1.0))
        if len(trials) > 1:
            axis.set_title(f"trial {number}", fontsize=size())
    values = values[inside]
    _histogram(right, values, theory, colour(cells))
    each = [read.spike_times(cells, neuron, number) for number in trials]
    spikes = [own[time.holds(own)] * time.factor for own in each]
    threshold = read.threshold(cells, neuron)
    side(left[0], _threshold(threshold, spikes, values, left, right))
    time.axis(*left)
    for axis in where.axes:
        bare(axis)
    one = f", trial {trials[0]}" if len(trials) == 1 and not read.simulated else ""
    where.title(f"{cells.name}, neuron {neuron}{one}")
    marks = [each for each in (*right.patches, *right.lines) if str(each.get_label())[0] != "_"]
    where.legend(marks, [str(mark.get_label()) for mark in marks])
    return where.done()


def _checked_moments(theory):
    """(mean, standard deviation) as finite numbers, the latter above 0."""
    what = "theory, the mean and standard deviation of U,"
    mean, deviation = checks.reals(theory, what, shape=(2,))
    return mean, checks.real(deviation, "the standard deviation of theory", above=0)


def _threshold(threshold, spikes, values, left, right):
    """Draw threshold and spikes, unless that would squash the membrane. Returns the axis label."""
    if not np.isfinite(threshold):
        return "membrane U"
    largest = float(np.abs(values).max())
    if not any(each.size for each in spikes) and largest > 0 and abs(threshold) > _FAR * largest:
        return f"membrane U\n(threshold = {threshold:.3g},\nnot shown)"
    for axis in (*left, right):
        axis.axhline(threshold, color="black", linewidth=pt(0.8), linestyle="--")
    above = threshold + 0.08 * np.ptp(left[0].get_ylim())
    for axis, times in zip(left, spikes):
        axis.plot(
            times,
            np.full(times.size, above),
            linestyle="none",
            marker="|",
            markersize=pt(9),
            markeredgewidth=pt(1.2),
            color="black",
        )
    return f"membrane U\n(threshold = {threshold:g})"


def _histogram(axis, values, theory, face):
    """Draw a horizontal histogram of U with its moments, and the Gaussian of theory."""
    flat = values.ravel()
    heights = _bars(axis, flat, face)
    peak = 0.0 if theory is None else _bell(axis, *theory)
    words = "density of U, all neurons and trials"
    axis.set_xlim(left=0)
    second, largest = np.sort(heights)[-2:]
    if largest > _TALL * max(second, peak) > 0:  # neurons at their reset would hide all others
        axis.set_xlim(0, 1.2 * max(second, peak))
        words += " (longest bar cut)"
    home = axis.get_figure()
    axis.set_xlabel(fitted(home, words, 1.1 * axis.bbox.width / home.dpi, size()), fontsize=size())


def _bars(axis, flat, face):
    """Draw the histogram; returns the lengths of its bars."""
    if not np.ptp(flat) > 0:
        label = f"measured: always {flat[0]:.3g}"
        axis.axhline(flat[0], color=face, alpha=0.45, linewidth=pt(4), label=label)
        axis.set_xticks([])
        return np.zeros(2)
    heights, edges = density(flat, 60, 0.005)
    mean = flat.mean(dtype=np.float64)
    deviation = flat.std(dtype=np.float64)
    axis.stairs(
        heights,
        edges,
        orientation="horizontal",
        fill=True,
        color=face,
        alpha=0.45,
        label=f"measured: {mean:.3g} ± {deviation:.3g} (mean ± sd)",
    )
    return heights


def _bell(axis, mu, sigma):
    """Draw the Gaussian of theory; returns its peak."""
    u = np.linspace(mu - 4 * sigma, mu + 4 * sigma, 200)
    axis.plot(
        gaussian(u, mu, sigma),
        u,
        color="black",
        linewidth=pt(1.2),
        label=f"theory: {mu:.3g} ± {sigma:.3g}",
    )
    return gaussian(mu, mu, sigma)
