"""Figures of the weights of a network, and of the report of the initializer."""

from typing import Any

import numpy as np

from ..initializer.report import InitializerReport
from ..network.network import Network
from ..network.plasticity import TsodyksMarkram
from ..support import checks
from ..network.psp import psp
from ..theory.moments import as_learned
from . import figures
from .figures import (
    KINDS,
    bare,
    check_finite,
    colour,
    columns,
    density,
    fitted,
    for_paper,
    gaussian,
    legend,
    listed,
    note,
    pt,
    size,
)

_LONGEST = 20_000  # steps of a postsynaptic potential that are looked at for its peak

# ------------------------------------------------------------------------------------------ weights


@for_paper
def weights(
    network: Network, report: InitializerReport | None = None, *, width: float | None = None
) -> Any:
    """Histogram of the weights of every projection onto spiking populations, with the density that
    was aimed at.

    report   of the initializer, whose target densities are drawn as lines (a vertical one if all
             weights are equal); None for histograms alone
    width    cm of the figure on paper; None: for the screen

    A weight is what a spike adds to a state of the target; where potentials add up, the label says
    how far a weight of 1 moves U at its peak. At most 0.2 % of the weights lie beyond either end of
    the axis. ValueError for projections without weights, or if there are none to draw.
    """
    checks.instance(network, "network", Network, "a Network, such as trace.network")
    if report is not None:
        checks.instance(
            report, "report", InitializerReport, "the report of the initializer, or None"
        )
    projections = [p for p in network.projections if network[p.post].kind == "spiking"]
    missing = [p.name for p in projections if p.name not in network.weights]
    if missing:
        raise ValueError(
            f"projections without weights: {listed(missing)}. Set or initialize them before you "
            "plot them."
        )
    if not projections:
        raise ValueError(
            "the network has no projections onto spiking populations, so no weights to plot."
        )
    across = columns(width, len(projections), 3 if len(projections) <= 9 else 5)
    rows = -(-len(projections) // across)
    home = figures.figure(width, 2.9 * across + 0.3, 2.6 * rows + 0.2)
    axes, peaks = home.subplots(rows, across, squeeze=False).ravel(), {}
    for axis in axes[len(projections) :]:
        axis.remove()
    for k, (axis, projection) in enumerate(zip(axes, projections)):
        _weight_histogram(
            axis,
            network,
            projection,
            None if report is None else report.weights.get(projection.name),
        )
        meaning = _meaning(network, projection, peaks)
        inches = 0.8 * home.get_figwidth() / across
        axis.set_xlabel(
            "\n".join(fitted(home, line, inches, size(0.85)) for line in meaning),
            fontsize=size(0.85),
        )
        axis.set_ylabel("density" if k % across == 0 else "", fontsize=size(0.9))
    aims = [line for axis in home.axes for line in axis.lines]
    legend(home, aims[:1], ["what the initializer aimed at"][: len(aims)])
    return home


def _weight_histogram(axis, network, projection, target):
    """Weights of a projection, and the target (family, mean, standard deviation) or None."""
    values = np.ravel(network.weights[projection.name]).astype(np.float64)
    if not network.in_degree(projection) > 0:  # one number may be there all the same
        values = values[:0]
    check_finite(values, f"projection {projection.name!r}")
    heights, edges = density(values, 40, 0.002)
    axis.stairs(heights, edges, fill=True, color=colour(network[projection.pre]), alpha=0.6)
    if target is not None and values.size:
        _target_density(axis, edges, *target)
    home = axis.get_figure()
    what = f"mean {values.mean():.3g}, sd {_spread(values):.3g}" if values.size else "no synapses"
    inches = 0.8 * home.get_figwidth() / axis.get_subplotspec().get_gridspec().ncols
    axis.set_title(
        fitted(home, f"{projection.name}\n{what}", inches, size(0.85)), fontsize=size(0.85)
    )
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
    """What a weight of a projection is: one or two lines. peaks: those that are known already."""
    neuron = as_learned(network)[projection.post].neuron
    receptor = neuron.receptors[projection.receptor]
    step = "jump" if receptor.jump > 0 else "drop"
    scale = "" if abs(receptor.jump) == 1 else f" / {abs(receptor.jump):g}"
    scale += " / u x" if isinstance(projection.plasticity, TsodyksMarkram) else ""
    lines = [f"weight: {step} of {receptor.state} per spike{scale}"]
    heterogeneous = any(np.ndim(tau) for tau in neuron.time_constants.values())
    if receptor.state == "U" or neuron.reversal or neuron.surge or heterogeneous:
        return lines
    key = projection.post, projection.receptor
    if key not in peaks:
        longest = sum(float(tau) for tau in neuron.time_constants.values())
        potential = psp(
            neuron,
            network.dt,
            projection.receptor,
            int(np.clip(5 * longest / network.dt, 2, _LONGEST)),
        )
        peaks[key] = potential[np.abs(potential).argmax()]
    return [*lines, f"(1 moves U by {peaks[key]:.2g} at its peak)"]


def _target_density(axis, edges, family, mean, deviation):
    style = dict(color="black", linewidth=pt(1.2))
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


# -------------------------------------------------------------------------------------- initializer


@for_paper
def initializer(report: InitializerReport, *, width: float | None = None) -> Any:
    """Target, predicted and measured mean and standard deviation of the free membrane, and rates,
    of each population.

    width   cm of the figure on paper; None: for the screen

    The rate that the equations assumed stands for its target. What was not measured is left out.
    """
    checks.instance(
        report, "report", InitializerReport, "the report that bs.fluctuation_driven(…) returns"
    )
    populations = list(report.populations)
    if not populations:
        raise ValueError("the report has no populations, so there is nothing to draw.")
    across = columns(width, 3, 3)
    rows, home = 1 if across == 3 else 3, figures.figure(width, 9.5, 1.0)
    names = [fitted(home, p.name, 0.3 * home.get_figwidth(), size(0.9)) for p in populations]
    each = max(0.45 if rows == 1 else 0.6, *(0.22 * (label.count("\n") + 1) for label in names))
    home.set_figheight(home.get_figheight() * rows * (0.9 + each * len(names)))
    axes = home.subplots(rows, 3 // rows, sharey=True, squeeze=False).ravel()
    panels = (
        ("mean of membrane U", "mu"),
        ("sd of membrane U", "sigma"),
        ("firing rate (Hz)", "rate"),
    )
    handles = {}
    for axis, (words, quantity) in zip(axes, panels):
        handles |= _kinds(axis, populations, quantity)
        axis.set_xlabel(words, fontsize=size())
        axis.locator_params(axis="x", nbins=5)
        axis.grid(axis="x", color="0.9")
        axis.set_axisbelow(True)
        for line in np.arange(len(populations) - 1) + 0.5:
            axis.axhline(line, color="0.85", linewidth=0.6)
        bare(axis)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].set_ylim(len(names) - 0.5, -0.5)
    axes[0].set_ylabel("population", fontsize=size())
    _scales(axes)
    kinds = [kind for kind in KINDS if kind in handles]
    legend(home, [handles[kind] for kind in kinds], kinds)
    return home


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
    """One scale of U for mean and standard deviation, so that errors compare; rates from 0."""
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
