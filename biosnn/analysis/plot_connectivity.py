"""Figure of the matrix of weights between all populations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..support import checks
from .figures import (
    EXCITATORY,
    INHIBITORY,
    check_finite,
    colour,
    extent,
    fitted,
    inches,
    listed,
    spaced,
)
from .places import place
from .plot_weights import network_and_weights
from .protocols import NetworkLike, PopulationLike, SimulationLike, TraceLike
from .style import bare, drawing, pt, size

if TYPE_CHECKING:
    from .places import Ax, Drawn

_MOST = 300  # pixels to a side: more cannot be seen
_PART = 1 << 22  # synapses that are sorted into pixels at once


@drawing
def connectivity(
    network: NetworkLike | TraceLike | SimulationLike,
    populations: Sequence[PopulationLike | str] | None = None,
    *,
    ax: Ax | None = None,
    width: float | None = None,
) -> Drawn:
    """Draw the matrix of all weights, with excitation and inhibition in their colours.

    Parameters
    ----------
    network
        A network with weights, or what `biosnn.run` or `biosnn.simulate` returns; a simulation
        has the weights at its end.
    populations
        Names of the populations to draw. Default: all, inputs and readouts too.
    ax
        The Axes to draw into. Default: a new figure.
    width
        Width of a new figure on paper in cm. Default: a figure for the screen.

    Returns
    -------
    The figure, or with `ax` the axes. Columns are presynaptic neurons and rows postsynaptic ones,
    in blocks by population. Weights that lower the membrane are negative. In a large network a
    pixel is the mean over all of its pairs of neurons, connected or not, which the colour bar
    says; colours end at the largest 1 % of the pixels.

    Raises
    ------
    ValueError
        If a projection has no weights yet, or there are no projections to draw.

    See Also
    --------
    weights : how the weights of each projection are distributed.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> E = net.population(80, bs.ei_lif(), "excitatory", name="E")
    >>> I = net.population(20, bs.ei_lif(), "inhibitory", name="I")
    >>> for pre in (E, I):
    ...     for post in (E, I):
    ...         _ = net.connect(
    ...             pre, post, weights=0.1, synapses=bs.Bernoulli(0.2), seed=1
    ...         )
    >>> bs.plot.connectivity(net).axes[0].get_xlabel()
    'presynaptic'
    """
    network, weights = network_and_weights(network)
    projections = _projections(network, weights, populations)
    columns = _Axis.of(network, [p.pre for p in projections])
    rows = _Axis.of(network, [p.post for p in projections])
    image = np.zeros((rows.pixels, columns.pixels))
    for p in projections:
        values = _signed(network, p) * _sums(network, p, weights[p.name], columns, rows)
        image[rows.place[p.post], columns.place[p.pre]] += values
    image /= np.outer(rows.sizes, columns.sizes)
    where = place(ax, (5.6, 4.6), width)
    (axis,) = where.axes
    _draw(axis, image, columns, rows, single=np.all(rows.sizes == 1) and np.all(columns.sizes == 1))
    columns.label(axis, axis.xaxis, "presynaptic")
    rows.label(axis, axis.yaxis, "postsynaptic")
    return where.done()


class _Axis:
    """Populations beside each other: pixels, and the neurons that each of them holds."""

    def __init__(self, populations: list[Any]) -> None:
        self.populations = populations
        total = sum(p.n for p in populations)
        wanted = [max(1, round(p.n * min(1.0, _MOST / total))) for p in populations]
        each = [np.linspace(0, p.n, count + 1).round() for p, count in zip(populations, wanted)]
        self.edges = {p.name: edges.astype(int) for p, edges in zip(populations, each)}
        self.first = np.cumsum([0, *(p.n for p in populations)])
        ends = np.cumsum([0, *wanted])
        names = [p.name for p in populations]
        self.place = {name: slice(a, b) for name, a, b in zip(names, ends[:-1], ends[1:])}
        self.pixels = int(ends[-1])
        self.sizes = np.concatenate([np.diff(edges) for edges in each])
        self.bounds = np.concatenate([[0], np.cumsum(self.sizes)])

    @classmethod
    def of(cls, network: Any, names: list[str]) -> _Axis:
        """Of the populations with these names, in the order of the network."""
        return cls([p for p in network.populations if p.name in names])

    def label(self, axis: Any, side: Any, text: str) -> None:
        """Name the populations in their colours, and draw lines between them."""
        home, below = axis.get_figure(), side is axis.xaxis
        room = 0.7 * (axis.bbox.width if below else axis.bbox.height) / home.dpi  # less the names
        names = [fitted(home, p.name, 0.25 * inches(home)[0], size(0.9)) for p in self.populations]
        boxes = np.array([extent(home, name, size(0.9)) for name in names])
        rotated = below and boxes[:, 0].sum() > 0.9 * room
        along = boxes[:, 0 if below and not rotated else 1]
        middles = (self.first[:-1] + self.first[1:]) / 2
        places = spaced(middles, 1.1 * along / room * self.first[-1], self.first[-1])
        side.set_ticks(places, names)
        side.set_tick_params(length=0)
        for label, population in zip(side.get_ticklabels(), self.populations):
            label.set(color=colour(population), fontsize=size(0.9), rotation=90 * rotated)
        for at in self.first[1:-1]:
            (axis.axvline if below else axis.axhline)(at, color="0.4", linewidth=pt(0.5))
        side.set_label_text(text, fontsize=size())


def _projections(network, weights, populations):
    """Those among the populations; ValueError if there are none, or one has no weights."""
    known = [p.name for p in network.populations]
    if populations is None:
        names = known
    else:
        one = isinstance(populations, str) or hasattr(populations, "name")
        given = checks.several([populations] if one else populations, "populations", "'E'")
        names = [checks.choice(getattr(p, "name", p), "populations", known) for p in given]
    found = [p for p in network.projections if p.pre in names and p.post in names]
    if not found:
        raise ValueError(f"there are no projections among {listed(names)}, so nothing to draw.")
    if missing := [p.name for p in found if p.name not in weights]:
        raise ValueError(
            f"projections without weights: {listed(missing)}. Set or initialize them before you "
            "plot them."
        )
    return found


def _signed(network, projection):
    """1 or -1: whether a weight of a projection raises or lowers the membrane."""
    sign = network[projection.pre].sign
    if sign != "unsigned":
        return 1.0 if sign == "excitatory" else -1.0
    neuron = network[projection.post].neuron
    return float(np.sign(neuron.receptors[projection.receptor].jump)) or 1.0


def _sums(network, projection, weights, columns, rows):
    """(pixels of post, pixels of pre) sums of the weights of a projection."""
    into, out = rows.edges[projection.post], columns.edges[projection.pre]
    check_finite(np.asarray(weights), f"projection {projection.name!r}")
    if projection.name not in network.synapses:
        matrix = np.broadcast_to(weights, (out[-1], into[-1]))
        found = np.add.reduceat(matrix, into[:-1], axis=1, dtype=float)
        return np.add.reduceat(found, out[:-1], axis=0).T
    synapses = network.synapses[projection.name]
    shape = into.size - 1, out.size - 1
    found = np.zeros(shape[0] * shape[1])
    pixel = [np.repeat(np.arange(e.size - 1), np.diff(e)) for e in (into, out)]
    sources, each = synapses.sources, synapses.weight_of_each(weights)
    each = np.broadcast_to(each, sources.shape)
    for first in range(0, sources.size, _PART):
        part = slice(first, first + _PART)
        place_of = pixel[0][synapses.target[part]] * shape[1] + pixel[1][sources[part]]
        found += np.bincount(place_of, each[part], minlength=found.size)
    return found.reshape(shape)


def _draw(axis, image, columns, rows, single):
    """Draw the pixels and their colour bar."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("signs", [INHIBITORY, "white", EXCITATORY])
    some = np.abs(image[image != 0])
    most = float(np.quantile(some, 0.99, method="higher")) if some.size else 1.0
    limits = {"vmin": -most, "vmax": most}
    look = {"cmap": shades, "rasterized": True, **limits}
    mesh = axis.pcolormesh(columns.bounds, rows.bounds, image, **look)
    axis.set_xlim(0, columns.bounds[-1])
    axis.set_ylim(rows.bounds[-1], 0)
    bare(axis)
    bar = axis.get_figure().colorbar(mesh, ax=axis, fraction=0.06, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(labelsize=size(0.85))
    bar.ax.locator_params(nbins=5)
    words = "weight" if single else "mean weight of all pairs in a pixel"
    home = axis.get_figure()
    said = fitted(home, f"{words} (inhibitory < 0)", 0.9 * axis.bbox.height / home.dpi, size(0.85))
    bar.set_label(said, fontsize=size(0.85))
    bar.ax.yaxis.offsetText.set_fontsize(size(0.8))
