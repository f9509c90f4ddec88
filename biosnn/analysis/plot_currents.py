"""Figure of the synaptic currents of a neuron, and of their balance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .balance import ei_balance
from .figures import EXCITATORY, INHIBITORY, fitted, note, side, thinned
from .places import place
from .protocols import PopulationLike, SimulationLike, TraceLike
from .runs import Run
from .style import bare, drawing, pt, size
from .synaptic_currents import current_states, currents_of

if TYPE_CHECKING:
    from .places import Ax, Drawn


@drawing
def currents(
    recording: TraceLike | SimulationLike,
    population: PopulationLike | str,
    neuron: int = 0,
    trial: int | Sequence[int] = 0,
    *,
    start: float = 0.0,
    stop: float | None = None,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    r"""Draw the excitatory (up), inhibitory (down) and net synaptic current of one neuron.

    Parameters
    ----------
    recording
        What `biosnn.run` or `biosnn.simulate` returns. It must hold the currents,
        `run(..., record=["E.I_exc", "E.I_inh"])`, or for conductances
        `record=["E.U", "E.g_exc", "E.g_inh"]`.
    population
        The population or its name. Its neurons must have separate excitatory and inhibitory
        currents (`biosnn.ei_lif`, `biosnn.ampa_nmda_gaba`) or conductances
        (`biosnn.conductance_lif`).
    neuron
        Number of the neuron in its population; it must be one of those that were recorded.
    trial
        Number of the trial, or several of them, which stand side by side.
    start, stop
        What to draw of the time, in seconds. Default: all of it.
    ax
        The Axes to draw into; for several trials as many of them, or a Figure or SubFigure without
        axes. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: one panel for each trial. The title gives the balance of the
    two currents (`stats.ei_balance`), for this neuron and as the median over neurons.

    Raises
    ------
    ValueError
        If the population has no such states, they were not recorded, or there is no such neuron
        or trial.

    See Also
    --------
    signals.synaptic_currents : the same currents as signals, with the equations.

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
    read = Run(recording)
    found, e, i = _two_currents(read, population)
    trials, column, time = read.trials(trial), found.column(neuron), read.window(start, stop)
    inside, times = read.inside(time), found.times * time.factor
    n = len(trials)
    where = place(ax, (5.0 + 4.0 * n, 3.6), width, panels=n, columns=n, sharey=True)
    heads = []
    for axis, k in zip(where.axes, trials):
        own_e, own_i = e[k, inside[k], column], i[k, inside[k], column]
        _curves(axis, times[inside[k]], own_e, own_i, "" if read.simulated else f" in trial {k}")
        heads.append((f"trial {k}: ", _balance(own_e[None, :, None], own_i[None, :, None])))
        bare(axis)
    time.axis(*where.axes)
    cells = found.population
    threshold = read.threshold(cells, neuron)
    side(where.axes[0], f"synaptic current\n(threshold = {threshold:g})")
    said, all_trials = f"{cells.name}, neuron {neuron}", "" if read.simulated else ", all trials"
    if n == 1:
        said += f": {heads[0][1]}" if read.simulated else f", {''.join(heads[0])}"
    else:
        for axis, head in zip(where.axes, heads):
            short = fitted(where.home, "".join(head), 0.9 * where.inches / n, size(0.9))
            axis.set_title(short, fontsize=size(0.9))
    where.title(
        f"{said}\nmedians over neurons{all_trials}: {_balance(e[inside][None], i[inside][None])}"
    )
    lines = where.axes[0].lines[:3]
    where.legend(lines, [str(line.get_label()) for line in lines])
    return where.done()


def _two_currents(read, population):
    """(States, excitation, inhibition), the latter two (trial, step, neuron)."""
    cells = read.population(population)
    found = read.states(cells, current_states(cells))
    states = [name.partition(".")[2] for name in found.names]
    return found, *currents_of(cells, dict(zip(states, found.values)))


def _curves(axis, times, excitation, inhibition, where):
    """Draw the currents (step,) of one neuron."""
    silent = not np.any(excitation) and not np.any(inhibition)
    # where lines may coincide the later one is the thinner one, so that none hides another
    for values, label, line, points in (
        (excitation, "excitatory", EXCITATORY, 5.4 if silent else 2.2),
        (-inhibition, "inhibitory", INHIBITORY, 3.0 if silent else 2.2),
        (excitation - inhibition, "net", "black", 0.9),
    ):
        axis.plot(*thinned(times, values), color=line, linewidth=pt(points), label=label)
    axis.axhline(0, color="black", linewidth=pt(0.5), zorder=1)
    if silent:
        axis.set_ylim(-1, 1)
        axis.set_yticks([0])
        note(axis, f"no synaptic current: nothing arrived at this neuron{where}")


def _balance(excitation, inhibition):
    """Ratio and correlation in words, with the reason where they do not exist."""
    if not excitation.size:
        return "the trial has ended"
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
