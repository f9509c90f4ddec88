"""Figure of two states of a neuron against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..support import checks
from .figures import colour, side
from .places import place
from .protocols import PopulationLike, SimulationLike, TraceLike
from .runs import Run
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn


@drawing
def phase_plane(
    recording: TraceLike | SimulationLike,
    population: PopulationLike | str,
    x: str = "U",
    y: str = "w_adapt",
    neuron: int = 0,
    trial: int = 0,
    *,
    start: float = 0.0,
    stop: float | None = None,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw two states of a neuron against each other, such as membrane and adaptation.

    Parameters
    ----------
    recording
        What `biosnn.run` or `biosnn.simulate` returns; it must hold both states:
        `simulate(..., record={"E.U": [0], "E.w_adapt": [0]})`.
    population
        The population or its name.
    x, y
        Names of the states, such as "U" and "w_adapt".
    neuron
        Number of the neuron in its population; it must be one of those that were recorded.
    trial
        Number of the trial.
    start, stop
        What to draw of the time, in seconds. Default: all of it.
    ax
        The Axes to draw into. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes. The curve ends with a spike and goes on after the reset,
    which is a dot; a dashed line is the threshold of the membrane. The time begins at the circle.

    Raises
    ------
    ValueError
        If there are no such states, neuron or trial, or they were not recorded.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-4)
    >>> cells = net.population(1, bs.adex(), "excitatory", name="E")
    >>> done = bs.simulate(
    ...     net,
    ...     0.2,
    ...     background=[bs.Current("E", 0.04)],
    ...     record=["E.U", "E.w_adapt"],
    ...     progress=False,
    ... )
    >>> bs.plot.phase_plane(done, "E").axes[0].get_xlabel()
    'U of E, neuron 0'
    """
    read = Run(recording)
    for state, what in ((x, "x"), (y, "y")):
        checks.instance(state, what, str, 'the name of a state, such as "U"')
    found, trial = read.states(population, (x, y)), read.trial(trial)
    column, time = found.column(neuron), read.window(start, stop)
    inside = read.inside(time)[trial]
    if not inside.any():
        raise ValueError(f"trial {trial} has ended before {time.start:g} s: nothing to draw.")
    first, second = (values[trial, inside, column].astype(float) for values in found.values)
    resets = _resets(read, found, neuron, trial, found.times[inside])
    where = place(ax, (5.0, 4.0), width)
    (axis,) = where.axes
    hue, cells = colour(found.population), found.population
    curve = [np.insert(values, resets, np.nan) for values in (first, second)]
    axis.plot(*curve, color=hue, linewidth=pt(1.0))
    marks = _marks(axis, first, second, resets, f"at {1e3 * time.start:g} ms")
    threshold = read.threshold(cells, neuron)
    if resets.size and np.isfinite(threshold):
        marks |= _threshold(axis, x, y, threshold)
    axis.set_xlabel(f"{x} of {cells.name}, neuron {neuron}", fontsize=size())
    side(axis, f"{y} of {cells.name}, neuron {neuron}")
    bare(axis)
    where.legend(list(marks.values()), list(marks))
    return where.done()


def _marks(axis, first, second, resets, start):
    """What it is -> its mark: where the time begins, and resets."""
    look: dict[str, Any] = {"linestyle": "none", "color": "black", "markersize": pt(6)}
    marks = {start: axis.plot(first[:1], second[:1], marker="o", mfc="white", **look)[0]}
    if resets.size:
        marks["after a spike"] = axis.plot(first[resets], second[resets], marker=".", **look)[0]
    return marks


def _threshold(axis, x, y, threshold):
    """What it is -> its mark: the threshold, if one of the states is the membrane."""
    look: dict[str, Any] = {"color": "black", "linewidth": pt(0.8), "linestyle": "--"}
    draws = {x: axis.axvline, y: axis.axhline}
    return {"threshold": draws["U"](threshold, **look)} if "U" in draws else {}


def _resets(read, found, neuron, trial, times):
    """Numbers of the recorded values that are the first at or after a spike of the neuron."""
    at = read.spike_times(found.population, neuron, trial)
    half = 0.5 * read.network.dt  # times of spikes and of states are rounded
    at = at[(at > times[0] + half) & (at < times[-1] + half)]
    return np.unique(np.searchsorted(times, at - half))
