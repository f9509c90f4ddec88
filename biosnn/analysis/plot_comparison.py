"""Figure of a comparison with Brian2: spikes and membranes of both, and their difference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..support import checks
from .figures import DASHES, RUNS, listed, name, note
from .places import place
from .protocols import ComparisonLike, PopulationLike, check
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

_OURS, _THEIRS, _DIVERGED = RUNS[3], RUNS[0], RUNS[2]


@drawing
def comparison(
    report: ComparisonLike,
    population: PopulationLike | str | None = None,
    neuron: int = 0,
    *,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw biosnn and Brian2: spikes of one trial, U of one neuron, and their difference.

    Parameters
    ----------
    report
        What `biosnn.brian.compare` returns. The trial is `report.trial`.
    population
        The population or its name. Default: the first that spikes.
    neuron
        Number of the neuron whose membrane is drawn.
    ax
        Where to draw: a Figure or SubFigure without axes, or three Axes. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: three panels. Where spikes differ, a vertical line says from
    when on.

    Raises
    ------
    ValueError
        If U of the population was not recorded, or there is no such neuron.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> one = bs.SpikeTrains.from_units([[0.01], [0.02]], duration=0.05)
    >>> u = np.zeros((50, 2))
    >>> report = bs.brian.Comparison(
    ...     identical=True,
    ...     happened=True,
    ...     divergence=None,
    ...     states={"E.U": (0.0, 1.0)},
    ...     spike_counts={"E": (2, 2)},
    ...     statistics={},
    ...     duration=0.05,
    ...     n_trials=1,
    ...     dt=1e-3,
    ...     traces={"E.U": (u, u)},
    ...     rasters={"E": (one, one)},
    ... )
    >>> bs.plot.comparison(report).get_suptitle()
    'trial 0'
    """
    check(report, "report", ComparisonLike, "the Comparison that bs.brian.compare(…) returns")
    wanted = _population(report, population)
    mine, other = report.traces[f"{wanted}.U"]
    neuron = checks.whole(neuron, "neuron", 0, mine.shape[1] - 1)
    heights = (2.0, 1.5, 1.0)
    where = place(ax, (8.0, 6.0), width, panels=3, sharex=True, height_ratios=heights)
    raster, trace, gap = where.axes
    handles = _both_rasters(raster, report, wanted)
    raster.set_ylim(-0.5, mine.shape[1] - 0.5)
    raster.set_yticks(np.unique([0, mine.shape[1] - 1]))
    times = 1e3 * report.dt * np.arange(len(mine))
    trace.plot(times, mine[:, neuron], color=_OURS, linewidth=pt(2.6))
    trace.plot(times, other[:, neuron], color=_THEIRS, linewidth=pt(0.8), linestyle=DASHES[1])
    _difference(gap, times, np.abs(mine - other).max(axis=1))
    for axis, words in (
        (raster, f"{wanted}\nneuron"),
        (trace, f"U of\nneuron {neuron}"),
        (gap, "largest |difference|\nof U, any neuron"),
    ):
        name(axis, words)
        bare(axis)
    for axis in where.bottom:
        axis.set_xlabel("time (ms)", fontsize=size())
    labels = ["biosnn", "Brian2"]
    if report.divergence is not None:
        at = 1e3 * report.dt * report.divergence.step
        marks = [
            axis.axvline(at, color=_DIVERGED, linewidth=pt(1.5)) for axis in (raster, trace, gap)
        ]
        handles.append(marks[0])
        labels.append(f"spikes differ from {at:g} ms on")
    where.title(f"trial {report.trial}")
    where.legend(handles, labels)
    return where.done()


def _population(report, population):
    """The name of the population to draw; ValueError if its membrane was not recorded."""
    known = [key for key in report.rasters if f"{key}.U" in report.traces]
    wanted = getattr(population, "name", population)
    if population is None:
        wanted = next(iter(report.rasters), None)
    if wanted is not None and wanted not in known and isinstance(wanted, str):
        raise ValueError(
            f'the comparison holds no {wanted}.U; compare(..., record=["{wanted}.U"]). '
            f"It holds {listed(report.traces)}."
        )
    return checks.choice(wanted, "population", known)


def _difference(axis, times, values):
    """Draw the largest difference at each step, on an axis that shows rounding errors and zero."""
    axis.plot(times, values, color=_THEIRS, linewidth=pt(0.9))
    axis.set_yscale("symlog", linthresh=1e-16)
    powers = [f"$10^{{{k}}}$" for k in (-12, -8, -4)]
    axis.set_yticks([0, 1e-12, 1e-8, 1e-4, 1], ["0", *powers, "1"])
    axis.set_yticks([], minor=True)


def _both_rasters(axis, report, population):
    """Draw the spikes of one trial in both programs; returns their marks."""
    handles = []
    for spikes, marker, hue in zip(report.rasters[population], ("o", "|"), (_OURS, _THEIRS)):
        one = spikes[report.trial]
        handles += axis.plot(
            1e3 * one.times,
            one.units,
            linestyle="none",
            marker=marker,
            markersize=pt(5),
            markerfacecolor="none",
            color=hue,
            markeredgewidth=pt(0.8),
            rasterized=True,
        )
    if not any(line.get_xdata().size for line in handles):
        note(axis, "no spikes in either program")
    return handles
