"""Figure of where the neurons of a network are, or of values that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..support.checks import instance, reals
from .figures import colour, listed
from .places import beside, place
from .protocols import NetworkLike, check
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

#: Lengths below 10 cm are metres; larger ones mostly mean the side of a plane, or degrees.
_METRES = 0.1
_UNITS = ((1e-3, "mm"), (1e-6, "µm"))
_MARKS = {"excitatory": "^", "inhibitory": "o", "unsigned": "s"}


@drawing
def positions(
    network: NetworkLike,
    values: Mapping[str, ArrayLike] | None = None,
    *,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw where the neurons of a network are, or values of neurons where they are.

    Parameters
    ----------
    network
        A network with positions (`bs.space`).
    values
        Population name -> (n,) values, such as firing rates, which then give the colours, in a
        panel for each population. Default: all populations that have positions, in one panel.
    ax
        The Axes to draw into; with values of several populations as many of them, or a Figure or
        SubFigure without axes. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes. Rings are drawn as circles, lines as lines; of three
    dimensions the first two are drawn. Axes have a unit where the space is smaller than 10 cm.

    Raises
    ------
    ValueError
        If no population has positions, or values are of another number.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> sheet = bs.space.grid((5, 5), 1e-3)
    >>> E = net.population(25, bs.ei_lif(), "excitatory", name="E", positions=sheet)
    >>> bs.plot.positions(net, {"E": np.arange(25)}).axes[0].get_title()
    'E'
    """
    check(network, "network", NetworkLike, "a Network, such as trace.network")
    placed = {p.name: p for p in network.populations if getattr(p, "positions", None) is not None}
    if not placed:
        raise ValueError(
            "no population of the network has positions: net.population(…, "
            "positions=bs.space.grid(…))."
        )
    if values is None:
        return _all_in_one(list(placed.values()), ax, width)
    instance(values, "values", Mapping, "a dict from population names to values, or None")
    return _one_each(placed, values, ax, width)


def _all_in_one(populations, ax, width):
    """Every population with the colour of its sign."""
    where, handles = place(ax, (5.0, 4.6), width), []
    (axis,) = where.axes
    for layer, population in enumerate(populations):
        places = _places(population.positions, layer)
        marks = axis.plot(
            *places,
            _MARKS[population.sign],
            ms=pt(_mark_size(population.n)),
            mew=0,
            alpha=0.7,
            color=colour(population),
        )
        handles += marks
    _axes(axis, [p.positions for p in populations])
    where.legend(handles, [p.name for p in populations])
    return where.done()


def _one_each(placed, values, ax, width):
    """A panel with values for each population."""
    unknown = [name for name in values if name not in placed]
    if unknown or not values:
        raise ValueError(
            f"values are given for {listed(values)}; populations with positions are "
            f"{listed(placed)}."
        )
    across = beside(width, len(values), 3)
    screen = 3.8 * across + 0.4, 3.2 * -(-len(values) // across) + 0.2
    where = place(ax, screen, width, panels=len(values), columns=across)
    for axis, (name, given) in zip(where.axes, values.items()):
        population = placed[name]
        each = reals(given, f"values of {name!r}", shape=(population.n,))
        places = _places(population.positions, 0)
        area = pt(_mark_size(population.n)) ** 2
        drawn = axis.scatter(*places, s=area, c=each, cmap="viridis", linewidths=0)
        where.home.colorbar(drawn, ax=axis, shrink=0.8).ax.tick_params(labelsize=size(0.9))
        axis.set_title(name, fontsize=size())
        _axes(axis, [population.positions])
    return where.done()


def _places(where, layer):
    """Horizontal and vertical coordinates of neurons."""
    coordinates = np.asarray(where.coordinates)
    if where.dimensions > 1:
        return coordinates[:, :2].T / _unit(where)[0]
    if where.periodic:
        angle = 2 * np.pi * coordinates[:, 0] / where.span[0]
        radius = 1 - 0.12 * layer
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)])
    return np.stack([coordinates[:, 0] / _unit(where)[0], np.full(where.n, -float(layer))])


def _axes(axis, wheres):
    """Labels and limits."""
    where: Any = wheres[0]
    bare(axis)
    size_, name = _unit(where)
    unit = f" ({name})" if name else ""
    if where.dimensions == 1:
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
        if where.periodic:
            axis.set_xticks([])
            axis.spines["bottom"].set_visible(False)
            axis.set_aspect("equal")
            length = f"{where.span[0] / size_:.4g} {name}".strip()
            axis.text(0, 0, f"ring of length\n{length}", ha="center", va="center", fontsize=size())
            return
    else:
        axis.set_ylabel(f"y{unit}", fontsize=size())
        axis.set_aspect("equal")
        if where.extent is not None:
            axis.set_ylim(0, where.span[1] / size_)
    axis.set_xlabel(f"x{unit}", fontsize=size())
    if where.extent is not None:
        axis.set_xlim(0, where.span[0] / size_)


def _unit(where):
    """(size, name) of the unit that suits a space."""
    largest = float(np.max(where.span, initial=0.0))
    if not 0 < largest < _METRES:
        return 1.0, ""
    return next((each for each in _UNITS if largest >= 0.999 * each[0]), _UNITS[-1])


def _mark_size(n):
    """Points of a mark, so that those of n neurons lie side by side."""
    return float(np.clip(200 / np.sqrt(n), 1.5, 8))
