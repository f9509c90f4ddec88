"""Where the numbers of each part of one large network lie in memory, and its rows of tables.

Everything that belongs to a part lies together. Where the parts of two threads lie side by side,
state by state, processors fetch ahead over the end of one into the other, and both wait for each
other all the time: on two cores the linear step then takes four times as long.

Kernels count neurons from the first one of the population in all parts: rows of a part have their
places shifted by its first neuron.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays, room
from ..kernels.random import ORNSTEIN_UHLENBECK, POISSON
from .layout import Layout, first_of
from .rows import as_rows

_LINE = 16  # numbers of a cache line
_GAP = 512  # numbers between two parts: more than processors fetch ahead


class Places(NamedTuple):
    """Where elements of the state vector and neurons of the layout lie, part by part.

    Parameters
    ----------
    element, neuron
        (elements,), (neurons,) their places in vectors that have everything of a part together.
    n_elements, n_neurons
        Sizes of these vectors.
    of_element
        First element of a state -> (parts,) place of its first neuron, less the first neuron.
    of_neuron
        (populations, parts) likewise.
    stride
        (populations, parts) from one state to the next.
    part
        (parts + 1,) the first element of each part.
    """

    element: NDArray[np.int64]
    neuron: NDArray[np.int64]
    n_elements: int
    n_neurons: int
    of_element: dict[int, NDArray[np.int64]]
    of_neuron: NDArray[np.int64]
    stride: NDArray[np.int64]
    part: NDArray[np.int64]


def spread(values: NDArray[Any], places: NDArray[np.int64], size: int) -> NDArray[Any]:
    """Return a vector of `size` with values at their places, and 0 between them."""
    result = room.aligned(size, values.dtype)
    result[:] = 0
    result[places] = values
    return result


def places_of(layout: Layout, bounds: NDArray[np.int64]) -> Places:
    """Return where everything lies.

    Parameters
    ----------
    layout
        Layout of the network.
    bounds
        (populations, parts + 1) neurons of each part.
    """
    sizes = np.diff(bounds)
    stride = -(-sizes // _LINE) * _LINE
    states = np.array([len(p.states) for p in layout.order], np.int64)
    first, part = _firsts(stride * states[:, None])
    first_neuron, ends = _firsts(stride)
    of_neuron = first_neuron - bounds[:, :-1]
    neuron, element = (np.empty(n, np.int64) for n in (layout.n_neurons, layout.n_elements))
    of_element = {}
    for p, population in enumerate(layout.order):
        where = np.repeat(np.arange(sizes.shape[1]), sizes[p])  # the part of each neuron
        own = np.arange(population.n)
        neuron[layout.neurons(population.name)] = of_neuron[p][where] + own
        for r, state in enumerate(population.states):
            at, n = layout.state(population.name, state)
            of_element[at] = first[p] + r * stride[p] - bounds[p, :-1]
            element[at : at + n] = of_element[at][where] + own
    n_elements, n_neurons = int(part[-1]), int(ends[-1])
    return Places(element, neuron, n_elements, n_neurons, of_element, of_neuron, stride, part)


def _firsts(sizes):
    """(populations, parts) where each begins, one part after the other; (parts + 1,) each part."""
    part = first_of(sizes.sum(axis=0) + _GAP)
    return np.cumsum(sizes, axis=0) - sizes + part[:-1], part


class OuPlaces(NamedTuple):
    """Likewise of the values of Ornstein-Uhlenbeck sources; of_source: (sources, parts)."""

    value: NDArray[np.int64]
    n_values: int
    of_source: NDArray[np.int64]


def ou_places(sources: NDArray[Any], n_ou: int, bounds: NDArray[np.int64]) -> OuPlaces:
    """Return where the values of Ornstein-Uhlenbeck sources lie.

    Parameters
    ----------
    sources
        arrays.SOURCE rows of the background.
    n_ou
        Number of these values.
    bounds
        (populations, parts + 1) neurons of each part.
    """
    has = sources["kind"] == ORNSTEIN_UHLENBECK
    sizes = np.diff(bounds)[sources["population"]] * has[:, None]
    first, part = _firsts(-(-sizes // _LINE) * _LINE)
    of_source = first - bounds[sources["population"], :-1]
    value = np.empty(n_ou, np.int64)
    for s in np.flatnonzero(has):
        where, n = np.repeat(np.arange(sizes.shape[1]), sizes[s]), int(sizes[s].sum())
        at = int(sources["ou"][s])
        value[at : at + n] = of_source[s][where] + np.arange(n)
    return OuPlaces(value, int(part[-1]), of_source)


def local_rows(
    tables: arrays.Tables, sources: NDArray[Any], places: Places, ou: OuPlaces
) -> dict[str, Any]:
    """Return the rows of all parts, (parts, rows), by their names in arrays.Parts.

    Parameters
    ----------
    tables
        The network.
    sources
        arrays.SOURCE rows of the background.
    places, ou
        Where everything lies.
    """
    n_parts = places.stride.shape[1]
    names = ("cells", "populations", "jumps", "wires", "columns")
    rows = {name: _repeated(getattr(tables, name), n_parts) for name in names}
    for p, cell in enumerate(tables.cells):
        if cell["n_states"]:
            own = places.of_element[int(cell["state_first"])]
            rows["cells"]["state_first"][:, p] = rows["populations"]["u"][:, p] = own
        rows["cells"]["stride"][:, p] = places.stride[p]
        rows["cells"]["neuron_first"][:, p] = places.of_neuron[p]
        rows["populations"]["neuron_first"][:, p] = places.of_neuron[p]
    for name, field in (("jumps", "target"), ("wires", "target"), ("columns", "state")):
        for k, first in enumerate(getattr(tables, name)[field]):
            rows[name][field][:, k] = places.of_element[int(first)]
    rows["sources"] = _repeated(sources, n_parts)
    rows["sources"]["ou"] = ou.of_source.T
    for s in np.flatnonzero(sources["kind"] >= POISSON):
        rows["sources"]["target"][:, s] = places.of_element[int(sources["target"][s])]
    return rows


def _repeated(rows, n_parts):
    """The same rows for all parts, which are changed for each."""
    return as_rows(np.repeat(np.asarray(rows)[None], n_parts, axis=0))
