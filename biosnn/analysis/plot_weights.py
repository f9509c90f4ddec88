"""Figure of the weights of a network, and of the densities that the initializer aimed at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .figures import check_finite, colour, density, fitted, gaussian, listed
from .places import beside, place
from .protocols import (
    InitializerReportLike,
    NetworkLike,
    SimulationLike,
    TraceLike,
    check,
    looks_like,
)
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

_LONGEST = 20_000  # steps of a postsynaptic potential that are looked at for its peak


@drawing
def weights(
    network: NetworkLike | TraceLike | SimulationLike,
    report: InitializerReportLike | None = None,
    *,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    r"""Draw a histogram of the weights of every projection onto a spiking population.

    Parameters
    ----------
    network
        A network with weights, or what `biosnn.run` or `biosnn.simulate` returns; a simulation
        has the weights at its end, which plasticity may have changed.
    report
        What the initializer returned; its target densities are drawn as lines (a vertical line if
        all weights are equal). Default: histograms alone.
    ax
        Where to draw: a Figure or SubFigure without axes, or an Axes for each projection. Default:
        a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: one panel per projection. A weight is what a spike adds to a
    state of the target; where potentials add up, the label says how far a weight of 1 moves U at
    its peak. At most 0.2 % of the weights lie beyond either end of the axis.

    Raises
    ------
    ValueError
        If a projection has no weights yet, or there are no projections to draw.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(10, bs.ei_lif(), sign="excitatory", name="E")
    >>> _ = net.connect(E, E, weights=np.full((10, 10), 0.3))
    >>> [axis.get_title() for axis in bs.plot.weights(net).axes]
    ['E->E\nmean 0.3, sd 0']
    """
    network, weights = network_and_weights(network)
    if report is not None:
        what = "the report of the initializer, or None"
        check(report, "report", InitializerReportLike, what)
    projections = _projections(network, weights)
    across = beside(width, len(projections), 3 if len(projections) <= 9 else 5)
    rows = -(-len(projections) // across)
    screen = 2.9 * across + 0.3, 2.6 * rows + 0.2
    where = place(ax, screen, width, panels=len(projections), columns=across)
    peaks: dict[tuple[str, str], float] = {}
    for k, (axis, projection) in enumerate(zip(where.axes, projections)):
        values = np.ravel(weights[projection.name]).astype(np.float64)
        target = None if report is None else report.weights.get(projection.name)
        _histogram(axis, network, projection, values, target)
        _say(axis, _meaning(network, projection, peaks))
        axis.set_ylabel("density" if k % across == 0 else "", fontsize=size(0.9))
    aims = [line for axis in where.axes for line in axis.lines]
    where.legend(aims[:1], ["what the initializer aimed at"][: len(aims)])
    return where.done()


def network_and_weights(given: Any) -> tuple[Any, Any]:
    """Return the network of a Network, Trace or Simulation, and the weights by projection."""
    if looks_like(given, SimulationLike):
        return given.network, given.weights
    found = given.network if looks_like(given, TraceLike) else given
    what = "a Network, or what run(…) or simulate(…) returns"
    return check(found, "network", NetworkLike, what), found.weights


def _say(axis, lines):
    """Write what a weight is below a histogram."""
    home, points = axis.get_figure(), size(0.85)
    broken = [fitted(home, line, _breadth(axis), points) for line in lines]
    axis.set_xlabel("\n".join(broken), fontsize=points)


def _breadth(axis):
    """Inches for the texts of a panel."""
    return 1.05 * axis.bbox.width / axis.get_figure().dpi


def _projections(network, weights):
    """Those onto spiking populations; ValueError if there are none, or one has no weights."""
    projections = [p for p in network.projections if network[p.post].kind == "spiking"]
    missing = [p.name for p in projections if p.name not in weights]
    if missing:
        raise ValueError(
            f"projections without weights: {listed(missing)}. Set or initialize them before you "
            "plot them."
        )
    if not projections:
        raise ValueError(
            "the network has no projections onto spiking populations, so no weights to plot."
        )
    return projections


def _histogram(axis, network, projection, values, target):
    """Draw the weights, and the target (family, mean, standard deviation) unless it is None."""
    if not network.in_degree(projection) > 0:  # one number may be there all the same
        values = values[:0]
    check_finite(values, f"projection {projection.name!r}")
    heights, edges = density(values, 40, 0.002)
    axis.stairs(heights, edges, fill=True, color=colour(network[projection.pre]), alpha=0.6)
    if target is not None and values.size:
        _target_density(axis, edges, *target)
    what = f"mean {values.mean():.3g}, sd {_spread(values):.3g}" if values.size else "no synapses"
    said = fitted(axis.get_figure(), f"{projection.name}\n{what}", _breadth(axis), size(0.85))
    axis.set_title(said, fontsize=size(0.85))
    axis.locator_params(nbins=4)
    axis.set_xlim(edges[0], edges[-1])
    axis.set_ylim(bottom=0)
    bare(axis)
    if not values.size:
        axis.set_xticks([])
        axis.set_yticks([])


def _spread(values):
    """Standard deviation; exactly 0 where all values are equal."""
    return values.std() if np.ptp(values) > 0 else 0.0


def _meaning(network, projection, peaks):
    """What a weight of a projection is: one or two lines. `peaks` remembers those of PSPs."""
    neuron = network[projection.post].neuron
    receptor = neuron.receptors[projection.receptor]
    step = "jump" if receptor.jump > 0 else "drop"
    scale = "" if abs(receptor.jump) == 1 else f" / {abs(receptor.jump):g}"
    scale += " / u x" if hasattr(projection.plasticity, "utilization") else ""
    lines = [f"weight: {step} of {receptor.state} per spike{scale}"]
    taus = network.time_constants(projection.post).values()
    heterogeneous = any(np.ndim(tau) for tau in taus)
    if receptor.state == "U" or neuron.reversal or neuron.nonlinear_drive or heterogeneous:
        return lines
    key = projection.post, projection.receptor
    if key not in peaks:
        longest = sum(float(tau) for tau in taus)
        n_steps = int(np.clip(5 * longest / network.dt, 2, _LONGEST))
        potential = network.psp(projection, n_steps)
        peaks[key] = potential[np.abs(potential).argmax()]
    return [*lines, f"(1 moves U by {peaks[key]:.2g} at its peak)"]


def _target_density(axis, edges, family, mean, deviation):
    """Draw the density that was aimed at."""
    style = {"color": "black", "linewidth": pt(1.2)}
    if family is not None and not mean > 0:
        return  # no weights
    if getattr(family, "kappa", None) == 1 or (family is None and not deviation > 0):
        axis.axvline(mean, **style)  # all weights equal: there is no density
        return
    w = np.linspace(edges[0], edges[-1], 400)
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted = (
            gaussian(w, mean, deviation)
            if family is None
            else np.asarray(family.density(np.maximum(w, 0), mean))
        )
    top = axis.get_ylim()[1]
    axis.plot(w, np.where(np.isfinite(wanted), wanted, np.nan), **style)
    axis.set_ylim(0, min(axis.get_ylim()[1], 1.6 * top))  # some densities are infinite at 0
