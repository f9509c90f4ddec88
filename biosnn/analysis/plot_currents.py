"""Figure of the synaptic currents of a neuron, and of their balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import figures
from .balance import ei_balance
from .figures import (
    EXCITATORY,
    INHIBITORY,
    bare,
    fitted,
    for_paper,
    legend,
    note,
    pt,
    size,
    time_axis,
    title,
)
from .protocols import PopulationLike, TraceLike
from .recorded import population_of, recorded

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@for_paper
def currents(
    trace: TraceLike,
    population: PopulationLike | str,
    neuron: int = 0,
    trial: int = 0,
    *,
    width: float | None = None,
) -> Figure:
    r"""Draw the excitatory (up), inhibitory (down) and net synaptic current of one neuron.

    Parameters
    ----------
    trace
        What `biosnn.run` returns. It must hold the currents, `run(..., record=["E.I_exc",
        "E.I_inh"])`, or for conductances `record=["E.U", "E.g_exc", "E.g_inh"]`.
    population
        The population or its name. Its neurons must have separate currents I_exc and I_inh
        (`biosnn.ei_lif`) or conductances (`biosnn.conductance_lif`).
    neuron, trial
        Numbers of the neuron and the trial.
    width
        Width of the figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    A figure of one panel. Its title gives the balance of the two currents (`stats.ei_balance`),
    for this neuron and as the median over neurons.

    Raises
    ------
    ValueError
        If the population has no such states, they were not recorded, or there is no such neuron
        or trial.

    Notes
    -----
    Through conductances the currents are g_exc (E_exc - U) and g_inh (U - E_inh).

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(10, bs.ei_lif(), sign="excitatory", name="E")
    >>> _ = net.connect(net.input(20), E, weights=np.full((20, 10), 0.3))
    >>> spikes = bs.data.poisson(20.0, 20, 0.1, seed=1)
    >>> trace = bs.run(net, spikes, record=["E.I_exc", "E.I_inh"])
    >>> bs.plot.currents(trace, "E").get_suptitle().split("\n")[0]
    'E, neuron 0, trial 0: only excitatory current'
    """
    cells, neuron, trial, e, i = _two_currents(trace, population, neuron, trial)
    home = figures.figure(width, 9.0, 3.6)
    axis = home.subplots()
    _curves(axis, trace, e[trial, :, neuron], i[trial, :, neuron], trial)
    time_axis(axis, trace)
    words = f"synaptic current\n(threshold = {cells.neuron.threshold:g})"
    axis.set_ylabel(fitted(home, words, 0.5 * home.get_figheight(), size()), fontsize=size())
    bare(axis)
    here = slice(trial, trial + 1), slice(None), slice(neuron, neuron + 1)
    title(
        home,
        f"{cells.name}, neuron {neuron}, trial {trial}: {_balance(e[here], i[here])}\n"
        f"medians over neurons, all trials: {_balance(e, i)}",
    )
    legend(home, axis.lines[:3], [str(line.get_label()) for line in axis.lines[:3]])
    return home


def _two_currents(trace, population, neuron, trial):
    """(population, neuron, trial, excitation, inhibition), the latter two (trial, step, neuron)."""
    reversal = getattr(population_of(trace, population).neuron, "reversal", {})
    if not {"g_exc", "g_inh"} <= set(reversal):
        *which, (e, i) = recorded(trace, population, ("I_exc", "I_inh"), neuron, trial)
        return *which, e, i
    states = ("U", "g_exc", "g_inh")
    *which, (u, e, i) = recorded(trace, population, states, neuron, trial)
    return *which, e * (reversal["g_exc"] - u), i * (u - reversal["g_inh"])


def _curves(axis, trace, excitation, inhibition, trial):
    """Draw the currents (step,) of one neuron."""
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


def _balance(excitation, inhibition):
    """Ratio and correlation in words, with the reason where they do not exist."""
    if excitation.min() < 0 or inhibition.min() < 0:  # a membrane beyond a reversal potential
        return "a current has the other sign at times, so there is no E/I ratio"
    balance = ei_balance(excitation, inhibition)
    ratio = balance.ratio[np.isfinite(balance.ratio)]
    correlation = balance.correlation[np.isfinite(balance.correlation)]
    if not ratio.size:
        sides = (("excitatory", excitation), ("inhibitory", inhibition))
        some = [what for what, values in sides if np.any(values)]
        return f"only {some[0]} current" if len(some) == 1 else "silent, no current"
    said = f"E/I ratio {np.median(ratio):.3g}"
    if correlation.size:
        said += f", correlation {np.median(correlation):.2f}"
    else:
        said += ", correlation does not exist (constant current)"
    n = balance.ratio.size
    if ratio.size < n:
        said += f" ({ratio.size} of {n} neurons; there is none in the others)"
    return said
