"""Figures of synaptic currents, and of gradients over time."""

from typing import Any

import numpy as np

from ..engine.gradient import Gradients
from ..engine.trace import Trace
from ..support import checks
from . import figures, stats
from .figures import (
    DASHES,
    EXCITATORY,
    INHIBITORY,
    bare,
    colour,
    fitted,
    for_paper,
    legend,
    note,
    pt,
    size,
    time_axis,
    title,
)
from .plot_traces import check_trace, population_of, recorded

# ----------------------------------------------------------------------------------------- currents


@for_paper
def currents(
    trace: Trace, population: Any, neuron: int = 0, trial: int = 0, *, width: float | None = None
) -> Any:
    """Excitatory (up), inhibitory (down) and net synaptic current of one neuron, with the balance
    of the two.

    population   a Population or its name; neuron, trial: which
    width        cm of the figure on paper; None: for the screen

    For populations with separate currents I_exc and I_inh (`ei_lif`) or conductances
    (`conductance_lif`: g_exc (E_exc - U) and g_inh (U - E_inh)). ValueError for others, and unless
    the trace has them: run(..., record=["E.I_exc", "E.I_inh"]) or record=["E.U", "E.g_exc",
    "E.g_inh"].
    """
    reversal = getattr(population_of(trace, population).neuron, "reversal", {})
    if {"g_exc", "g_inh"} <= set(reversal):
        population, neuron, trial, (u, e, i) = recorded(
            trace, population, ("U", "g_exc", "g_inh"), neuron, trial
        )
        e, i = e * (reversal["g_exc"] - u), i * (u - reversal["g_inh"])
    else:
        population, neuron, trial, (e, i) = recorded(
            trace, population, ("I_exc", "I_inh"), neuron, trial
        )
    home = figures.figure(width, 9.0, 3.6)
    axis, excitation, inhibition = home.subplots(), e[trial, :, neuron], i[trial, :, neuron]
    silent = not np.any(excitation) and not np.any(inhibition)
    # where lines may coincide the later one is the thinner one, so that none hides another
    for values, label, line, points in (
        (excitation, "excitatory", EXCITATORY, 5.4 if silent else 2.2),
        (-inhibition, "inhibitory", INHIBITORY, 3.0 if silent else 2.2),
        (excitation - inhibition, "net", "black", 0.9),
    ):
        axis.plot(trace.times * 1e3, values, color=line, linewidth=pt(points), label=label)
    axis.axhline(0, color="black", linewidth=pt(0.5), zorder=1)
    if silent:
        axis.set_ylim(-1, 1)
        axis.set_yticks([0])
        note(axis, f"no synaptic current: nothing arrived at this neuron in trial {trial}")
    time_axis(axis, trace)
    axis.set_ylabel(
        fitted(
            home,
            f"synaptic current\n(threshold = {population.neuron.threshold:g})",
            0.5 * home.get_figheight(),
            size(),
        ),
        fontsize=size(),
    )
    bare(axis)
    one = _balance(
        e[trial : trial + 1, :, neuron : neuron + 1], i[trial : trial + 1, :, neuron : neuron + 1]
    )
    title(
        home,
        f"{population.name}, neuron {neuron}, trial {trial}: {one}\n"
        f"medians over neurons, all trials: {_balance(e, i)}",
    )
    legend(home, axis.lines[:3], [line.get_label() for line in axis.lines[:3]])
    return home


def _balance(excitation, inhibition):
    """Ratio and correlation in words, with the reason where they do not exist."""
    if excitation.min() < 0 or inhibition.min() < 0:  # a membrane beyond a reversal potential
        return "a current has the other sign at times, so there is no E/I ratio"
    balance = stats.ei_balance(excitation, inhibition)
    ratio, correlation = (
        values[np.isfinite(values)] for values in (balance.ratio, balance.correlation)
    )
    n = balance.ratio.size
    if not ratio.size:
        some = [
            what
            for what, values in (("excitatory", excitation), ("inhibitory", inhibition))
            if np.any(values)
        ]
        return f"only {some[0]} current" if len(some) == 1 else "silent, no current"
    said = f"E/I ratio {np.median(ratio):.3g}"
    said += (
        f", correlation {np.median(correlation):.2f}"
        if correlation.size
        else ", correlation does not exist (constant current)"
    )
    return said + (
        f" ({ratio.size} of {n} neurons; there is none in the others)" if ratio.size < n else ""
    )


# ---------------------------------------------------------------------------------------- gradients


@for_paper
def gradients(trace: Trace, found: Gradients, *, width: float | None = None) -> Any:
    """How gradients shrink or grow over time: norms by step, over trials and neurons, on a
    logarithmic axis.

    found   Gradients of the trace, from gradient(trace, …, record=["E.U"], per_step=["E->E"]): one
            line for each recorded state and projection, in the colour of its (presynaptic)
            population. Steps at which a norm is zero are left out
    width   cm of the figure on paper; None: for the screen

    ValueError if it has neither.
    """
    check_trace(trace)
    checks.instance(found, "found", Gradients, "the Gradients that gradient(trace, …) returns")
    network, panels = trace.network, []
    states = {
        key: (key.partition(".")[0], np.sqrt(np.sum(np.square(values, dtype=float), axis=(0, 2))))
        for key, values in found.states.items()
    }
    steps = {
        key: (network.projection(key).pre, np.asarray(values))
        for key, values in found.per_step.items()
    }
    for label, lines in (
        ("norm of dL/dstate", states),
        ("norm of the step's part\nof dL/dweights", steps),
    ):
        panels += [(label, lines)] if lines else []
    if not panels:
        raise ValueError(
            "these gradients have no steps to draw: "
            'gradient(trace, …, record=["E.U"], per_step=["E->E"]).'
        )
    home, handles = figures.figure(width, 8.0, 2.6 * len(panels)), []
    for axis, (label, lines) in zip(
        home.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0], panels
    ):
        handles += _norms(axis, network, trace.times * 1e3, lines)
        axis.set_ylabel(label, fontsize=size())
        bare(axis)
    time_axis(axis, trace)
    legend(home, handles, [line.get_label() for line in handles])
    return home


def _norms(axis, network, times, lines):
    """Draw the norms of a panel: key -> (population, (step,))."""
    drawn, handles = {}, []
    for key, (population, norm) in lines.items():
        if norm.shape != times.shape:
            raise ValueError(
                f"the gradients of {key} have {norm.size} steps and the trace has {times.size}; "
                "give the trace from "
                "which they were computed."
            )
        k = drawn[population] = drawn.get(population, -1) + 1
        good = np.isfinite(norm) & (norm > 0)
        why = (
            " (zero at every step)"
            if not np.any(norm)
            else " (partly not finite)"
            if not np.all(np.isfinite(norm))
            else ""
        )
        handles += axis.plot(
            times,
            np.where(good, norm, np.nan),
            color=colour(network[population]),
            label=key + why,
            linewidth=pt(1.2 + 0.8 * (k // len(DASHES))),
            linestyle=DASHES[k % len(DASHES)],
            marker="" if np.all(good) else ".",
            markersize=pt(4),
        )  # a step alone has no line
    if any(np.any(np.isfinite(line.get_ydata())) for line in handles):
        axis.set_yscale("log")
    else:
        axis.set_yticks([])
        note(axis, "no norm is above zero at any step")
    return handles
