"""Figure of gradients over time: whether they vanish or explode."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .figures import DASHES, colour, note
from .places import place
from .protocols import GradientsLike, TraceLike, check
from .runs import window
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn


@drawing
def gradients(
    trace: TraceLike, found: GradientsLike, *, ax: Ax | None = None, width: float | None = None
) -> Drawn:
    """Draw how gradients shrink or grow over time, on a logarithmic axis.

    Parameters
    ----------
    trace
        What `biosnn.run` returns.
    found
        Gradients of that trace: `gradient(trace, …, record=["E.U"], per_step=["E->E"])`. Each
        recorded state and projection is a line, in the colour of its (presynaptic) population.
    ax
        Where to draw: a Figure or SubFigure without axes, or an Axes for each panel. Default: a new
        figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes: a panel for the states (Euclidean norm over trials and
    neurons) and one for the projections. Steps at which a norm is zero are left out.

    Raises
    ------
    ValueError
        If the gradients hold neither states nor steps, or belong to another trace.

    Examples
    --------
    >>> import numpy as np
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(10, bs.ei_lif(), sign="excitatory", name="E")
    >>> _ = net.connect(net.input(20), E, weights=np.full((20, 10), 0.3))
    >>> trace = bs.run(net, bs.data.poisson(20.0, 20, 0.1, seed=1))
    >>> found = bs.Gradients({}, {}, {}, states={"E.U": np.ones((1, 100, 10))})
    >>> bs.plot.gradients(trace, found).axes[0].get_yscale()
    'log'
    """
    check(trace, "trace", TraceLike, "the Trace that run(net, spikes, …) returns")
    check(found, "found", GradientsLike, "the Gradients that gradient(trace, …) returns")
    panels = _panels(trace.network, found)
    if not panels:
        raise ValueError(
            "these gradients have no steps to draw: "
            'gradient(trace, …, record=["E.U"], per_step=["E->E"]).'
        )
    time, handles = window(0.0, None, trace.duration, trace.start), []
    where = place(ax, (8.0, 2.6 * len(panels)), width, panels=len(panels), sharex=True)
    for axis, (label, lines) in zip(where.axes, panels):
        handles += _norms(axis, trace.network, trace.times * time.factor, lines)
        axis.set_ylabel(label, fontsize=size())
        bare(axis)
    time.axis(*where.bottom)
    where.legend(handles, [line.get_label() for line in handles])
    return where.done()


def _panels(network, found):
    """Pairs (label, key -> (population, norm (step,))) of what there is to draw."""
    states = {
        key: (key.partition(".")[0], np.sqrt(np.sum(np.square(values, dtype=float), axis=(0, 2))))
        for key, values in found.states.items()
    }
    steps = {
        key: (network.projection(key).pre, np.asarray(values))
        for key, values in found.per_step.items()
    }
    panels = ("norm of dL/dstate", states), ("norm of the step's part\nof dL/dweights", steps)
    return [(label, lines) for label, lines in panels if lines]


def _norms(axis, network, times, lines):
    """Draw the norms of a panel, key -> (population, (step,)); returns the lines."""
    drawn, handles = {}, []
    for key, (population, norm) in lines.items():
        if norm.shape != times.shape:
            raise ValueError(
                f"the gradients of {key} have {norm.size} steps and the trace has {times.size}; "
                "give the trace from which they were computed."
            )
        k = drawn[population] = drawn.get(population, -1) + 1
        handles += _norm(axis, times, norm, key, colour(network[population]), k)
    if any(np.any(np.isfinite(line.get_ydata())) for line in handles):
        axis.set_yscale("log")
    else:
        axis.set_yticks([])
        note(axis, "no norm is above zero at any step")
    return handles


def _norm(axis, times, norm, key, hue, k):
    """Draw one norm, the k-th line of its population."""
    good = np.isfinite(norm) & (norm > 0)
    why = ""
    if not np.any(norm):
        why = " (zero at every step)"
    elif not np.all(np.isfinite(norm)):
        why = " (partly not finite)"
    return axis.plot(
        times,
        np.where(good, norm, np.nan),
        color=hue,
        label=key + why,
        linewidth=pt(1.2 + 0.8 * (k // len(DASHES))),
        linestyle=DASHES[k % len(DASHES)],
        marker="" if np.all(good) else ".",  # a step alone has no line
        markersize=pt(4),
    )
