"""Figure of what the initializer aimed at, what theory predicts, and what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .figures import KINDS, fitted, inches, note
from .places import beside, place
from .protocols import InitializerReportLike, check
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

_PANELS = (
    ("mean of membrane U", "mu"),
    ("sd of membrane U", "sigma"),
    ("firing rate (Hz)", "rate"),
)


@drawing
def initializer(
    report: InitializerReportLike, *, ax: Ax | None = None, width: float | None = None
) -> Drawn:
    """Draw target, predicted and measured membranes and rates of each population.

    Parameters
    ----------
    report
        What `biosnn.fluctuation_driven` returns.
    ax
        Where to draw: a Figure or SubFigure without axes, or three Axes. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: three panels, mean and standard deviation of the free
    membrane, and firing rates in Hz. The target of a rate is the one that the equations assumed.
    What was not measured is left out.

    Raises
    ------
    ValueError
        If the report has no populations.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(80, bs.ei_lif(), sign="excitatory", name="E")
    >>> I = net.population(20, bs.ei_lif(), sign="inhibitory", name="I")
    >>> for pre in (net.input(100), E, I):
    ...     for post in (E, I):
    ...         _ = net.connect(pre, post)
    >>> spikes = bs.data.poisson(10.0, 100, 0.2, 20, seed=1)
    >>> report = bs.fluctuation_driven(net, spikes, seed=1)  # doctest: +SKIP
    >>> bs.plot.initializer(report, width=17.5).savefig("start.pdf")  # doctest: +SKIP
    """
    what = "the report that bs.fluctuation_driven(…) returns"
    check(report, "report", InitializerReportLike, what)
    populations = list(report.populations)
    if not populations:
        raise ValueError("the report has no populations, so there is nothing to draw.")
    where, names = _panels(ax, width, populations)
    axes, handles = where.axes, dict[str, Any]()
    for axis, (words, quantity) in zip(axes, _PANELS):
        handles |= _kinds(axis, populations, quantity)
        axis.set_xlabel(words, fontsize=size())
        axis.locator_params(axis="x", nbins=5)
        axis.grid(axis="x", color="0.9")
        axis.set_axisbelow(True)
        for line in np.arange(len(populations) - 1) + 0.5:
            axis.axhline(line, color="0.85", linewidth=0.6)
        bare(axis)
    for axis in axes if not where.whole else axes[:1]:
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(len(names) - 0.5, -0.5)
    axes[0].set_ylabel("population", fontsize=size())
    _scales(axes)
    kinds = [kind for kind in KINDS if kind in handles]
    where.legend([handles[kind] for kind in kinds], kinds)
    return where.done()


def _panels(ax, width, populations):
    """(Place of three panels, names of the populations with line breaks)."""
    across = 3 if beside(width, 3, 3) == 3 else 1
    where = place(ax, (9.5, 1.0), width, panels=3, columns=across, sharey=True)
    names = [
        fitted(where.home, p.name, 0.3 * inches(where.home)[0], size(0.9)) for p in populations
    ]
    each = max(0.45 if across == 3 else 0.6, *(0.22 * (label.count("\n") + 1) for label in names))
    if where.new:
        rows = (0.9 + each * len(names)) * 3 / across
        where.home.set_figheight(rows * inches(where.home)[1])
    return where, names


def _kinds(axis, populations, quantity):
    """Draw the values of a quantity; returns kind -> the marks of those that are known."""
    drawn = {}
    for offset, marker, kind in (
        (-0.2, "D", "target"),
        (0.0, "s", "predicted"),
        (0.2, "o", "measured"),
    ):
        values = np.array([getattr(getattr(p, kind), quantity) for p in populations], float)
        if np.any(np.isfinite(values)):
            values = np.where(np.isfinite(values), values, np.nan)
            (drawn[kind],) = axis.plot(
                values,
                np.arange(len(populations)) + offset,
                linestyle="none",
                marker=marker,
                markersize=pt(6),
                color=KINDS[kind],
                label=kind,
            )
    if not drawn:
        axis.set_xticks([])
        note(axis, "not known")
    return drawn


def _scales(axes):
    """Give mean and sd of U one scale, so that errors compare, and let rates begin at 0."""
    mean, deviation, rate = (
        [line.get_xdata() for line in axis.lines if line.get_marker() not in ("", "None")]
        for axis in axes
    )
    low, high = (
        function(np.concatenate([*mean, [np.nan]])) if mean else 0.0
        for function in (np.nanmin, np.nanmax)
    )
    largest = max((np.nanmax(values) for values in deviation), default=0.0)
    span = max(1.15 * max(largest, high - low), 1e-3 * max(abs(low), abs(high))) or 1.0
    axes[0].set_xlim((low + high - span) / 2 - 0.05 * span, (low + high + span) / 2 + 0.05 * span)
    axes[1].set_xlim(-0.03 * span, 1.1 * span)
    fastest = max(max((np.nanmax(values) for values in rate), default=0.0), 1e-3)
    axes[2].set_xlim(-0.03 * fastest, 1.15 * fastest)
