"""Figure of a membrane: its course in one trial, and its distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..support import checks
from . import figures
from .figures import (
    bare,
    colour,
    density,
    fitted,
    for_paper,
    gaussian,
    legend,
    pt,
    size,
    time_axis,
    title,
)
from .protocols import PopulationLike, TraceLike
from .recorded import recorded

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FAR = 100.0  # times the largest |U|: a threshold that far away is not drawn
_TALL = 3.0  # times the next one: a bar that is longer is cut


@for_paper
def membrane(
    trace: TraceLike,
    population: PopulationLike | str,
    neuron: int = 0,
    trial: int = 0,
    *,
    theory: tuple[float, float] | None = None,
    width: float | None = None,
) -> Figure:
    """Draw the membrane of a neuron, and the distribution of U over all neurons, trials and steps.

    Parameters
    ----------
    trace
        What `biosnn.run` returns; it must hold the membrane: `run(..., record=["E.U"])`.
    population
        The population or its name.
    neuron, trial
        Numbers of the neuron and the trial.
    theory
        Mean and standard deviation of a Gaussian to draw over the histogram, for instance those of
        the initializer's report: `(mu, hypot(sigma, spread))`, since the histogram also holds the
        spread of the means over neurons. The report is about the free membrane: resets and the
        start of a trial show as a difference from it.
    width
        Width of the figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    A figure of two panels. The left one shows the threshold and the spikes, too.

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
    cells, neuron, trial, (values,) = recorded(trace, population, ("U",), neuron, trial)
    theory = None if theory is None else _checked_moments(theory)
    home = figures.figure(width, 9.0, 3.4)
    left, right = home.subplots(1, 2, sharey=True, width_ratios=[3, 1] if width is None else [2, 1])
    left.plot(trace.times * 1e3, values[trial, :, neuron], color=colour(cells), linewidth=pt(1.0))
    _histogram(right, values, theory, colour(cells))
    words = _threshold(trace, cells, neuron, trial, values, left, right)
    left.set_ylabel(fitted(home, words, 0.5 * home.get_figheight(), size()), fontsize=size())
    time_axis(left, trace)
    for axis in (left, right):
        bare(axis)
    title(home, f"{cells.name}, neuron {neuron}, trial {trial}")
    drawn = [
        mark for mark in (*right.patches, *right.lines) if not mark.get_label().startswith("_")
    ]
    legend(home, drawn, [mark.get_label() for mark in drawn])
    return home


def _checked_moments(theory):
    """(mean, standard deviation) as finite numbers, the latter above 0."""
    what = "theory, the mean and standard deviation of U,"
    mean, deviation = checks.reals(theory, what, shape=(2,))
    return mean, checks.real(deviation, "the standard deviation of theory", above=0)


def _threshold(trace, population, neuron, trial, values, left, right):
    """Draw threshold and spikes, unless that would squash the membrane. Returns the axis label."""
    threshold = population.neuron.threshold
    if not np.isfinite(threshold):
        return "membrane U"
    spikes = trace.spikes[population.name][trial]
    times = spikes.times[spikes.units == neuron]
    largest = float(np.abs(values).max())
    if not times.size and largest > 0 and abs(threshold) > _FAR * largest:
        return f"membrane U\n(threshold = {threshold:.3g},\nnot shown)"
    for axis in (left, right):
        axis.axhline(threshold, color="black", linewidth=pt(0.8), linestyle="--")
    above = threshold + 0.08 * np.ptp(left.get_ylim())
    left.plot(
        times * 1e3,
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
    axis.set_xlabel(fitted(home, words, 0.22 * home.get_figwidth(), size()), fontsize=size())


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
