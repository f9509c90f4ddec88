"""From projections to the arrays that kernels of batches read: dense bundles, sparse rows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels.arrays import Blocks, Sparse, Wiring
from ..kernels.simd import BLOCK_BYTES, SPAN_BYTES
from ..network.network import Network
from ..network.projection import Projection
from .packed import Filled, PackedNeurons

# share of connected pairs from which on a sparse projection runs as a dense one …
_FILLED = 0.05
# … unless it is so large that zeros would take memory that synapses do not (several times:
# gradients of each thread)
_FILLED_BYTES = 1 << 27
# of weights whose gradient stays in the first-level cache: their events are not collected
_SMALL_BYTES = 32e3

#: Projection -> (slice of the vector of weights, columns within the bundle; None if it is sparse).
Places = dict[str, tuple[slice, slice | None]]


class _Key(NamedTuple):
    """What projections of one bundle have in common."""

    source: int
    delay: int
    jump: float
    non_negative: bool
    trained: bool
    pulled: bool
    filled: bool


class _Bundle:
    """Dense projections of one source with neighbouring targets, whose weights share rows."""

    def __init__(self, key, target, n_pre):
        self.key, self.target, self.n_pre, self.size, self.members = key, target, n_pre, 0, []

    def takes(self, key, target):
        """Whether a projection with this first target goes on where the bundle ends."""
        return self.key == key and self.target + self.size == target

    def add(self, name, size):
        """Add a projection onto that many neurons."""
        self.members.append((name, slice(self.size, self.size + size)))
        self.size += size


def pack_wiring(packed: PackedNeurons) -> tuple[Wiring, Places, int, Filled | None]:
    """Return the projections as arrays.

    Dense projections of one source, delay and kind of receptor with neighbouring targets share a
    bundle.

    Returns
    -------
    The wiring, where the weights of each projection lie, the number of weights, and the sparse
    projections that are filled up.
    """
    network = packed.network
    spiking = [p.name for p in packed.order if p.kind != "readout"]
    sources = [p.name for p in network.inputs] + spiking
    fills = {name for name in network.synapses if _fills_up(network, network.projection(name))}
    bundles = _bundles(packed, sources, fills)
    n_pre = np.array([bundle.n_pre for bundle in bundles], np.int64)
    n_post = np.array([bundle.size for bundle in bundles], np.int64)
    filled = np.array([bundle.key.filled for bundle in bundles], bool)
    own = n_pre * n_post * ~filled
    ends = np.cumsum(own)
    places: Places = {
        name: (slice(int(ends[k] - own[k]), int(ends[k])), columns)
        for k, bundle in enumerate(bundles)
        for name, columns in bundle.members
        if name not in fills
    }
    sparse = _SparseRows(packed, sources, int(sum(own)), fills)
    first, full = _fill(network, bundles, ends - own, n_post, sparse.places, sparse.n_weights)
    wiring = _wiring(network, bundles, n_pre, n_post, first, sparse.table())
    return wiring, places | sparse.places, sparse.n_weights, full


def _fills_up(network: Network, projection: Projection) -> bool:
    """Whether a sparse projection runs as a dense one.

    It does if it has one delay, no shared weights, and so many pairs that the dense loops are
    faster, and if the machine holds the weights easily.
    """
    synapses = network.synapses[projection.name]
    if (
        projection.delay is None
        or synapses.shares_weights
        or not np.ndim(network.weights[projection.name])
    ):
        return False
    pairs = synapses.n_pre * synapses.n_post
    return synapses.size >= _FILLED * pairs and pairs * network.dtype.itemsize <= _FILLED_BYTES


def _bundles(packed, sources, fills):
    """The dense projections, and those of `fills`, in bundles."""
    network = packed.network
    dense = [p for p in network.projections if p.name not in network.synapses or p.name in fills]
    found = []
    for k, projection in enumerate(dense):
        receptor = network[projection.post].neuron.receptors[projection.receptor]
        target, size = packed.state(projection.post, receptor.state)
        key = _Key(
            source=sources.index(projection.pre),
            delay=network.delay_steps(projection),
            jump=float(receptor.jump),
            non_negative=projection.non_negative,
            trained=not projection.frozen,
            pulled=projection.gradient_to_source,
            filled=projection.name in fills,
        )
        found.append((key, target, k, size, projection))
    bundles: list[_Bundle] = []
    for key, target, _, size, projection in sorted(found, key=lambda each: each[:3]):
        if not bundles or not bundles[-1].takes(key, target):
            bundles.append(_Bundle(key, target, network[projection.pre].n))
        bundles[-1].add(projection.name, size)
    return bundles


def _wiring(network, bundles, n_pre, n_post, first, sparse):
    """The arrays of bundles whose first weights are `first`, and of sparse projections."""
    keys, dtype, n_inputs = [bundle.key for bundle in bundles], network.dtype, len(network.inputs)
    source = np.array([key.source for key in keys], np.int64)
    pulled = np.array([key.pulled for key in keys], bool)
    targets = [bundle.target for bundle in bundles]
    span = SPAN_BYTES // dtype.itemsize
    widths = -(-n_post // span) * span
    driven = source < n_inputs
    kept_column, kept = _kept_columns(targets, n_pre, n_post, widths, dtype)
    return Wiring(
        n_inputs=n_inputs,
        source=source,
        target=np.array(targets, np.int64),
        jump=np.array([key.jump for key in keys], dtype),
        delay=np.array([key.delay for key in keys], np.int64),
        n_pre=n_pre,
        n_post=n_post,
        weight_first=first,
        panel_first=_panel_firsts(n_pre * pulled * ~driven, n_post, dtype),
        input_column=np.cumsum(widths * driven) - widths * driven,
        kept_column=kept_column,
        kept=kept,
        trained=np.array([key.trained for key in keys], bool),
        pulled=pulled,
        sparse=sparse,
    )


def _fill(network, bundles, first, n_post, places, n_weights):
    """(first weight of every bundle, Filled); `n_weights` come before those that are filled up."""
    first, size, place, source = first.astype(np.int64), n_weights, [], []
    for k, bundle in enumerate(bundles):
        if not bundle.key.filled:
            continue
        first[k], size = size, size + bundle.n_pre * bundle.size
        for name, columns in bundle.members:
            synapses = network.synapses[name]
            rows = synapses.sources.astype(np.int64) * n_post[k]
            place.append(first[k] + rows + columns.start + synapses.target)
            source.append(places[name][0].start + synapses.weight_places(network.weights[name]))
    if not place:
        return first, None
    return first, Filled(size=size, place=np.concatenate(place), source=np.concatenate(source))


class _SparseRows:
    """Sparse projections, each taken apart by the delays of its synapses.

    n_weights: at first those of dense projections, which come before; at the end, all. Projections
    of `fills` have a place for their weights alone.
    """

    def __init__(self, packed, sources, n_weights, fills):
        self.packed, self.sources, self.n_weights = packed, sources, n_weights
        self.places: Places = {}
        self.entries: list[dict] = []
        self.first: list[NDArray] = []
        self.post: list[NDArray] = []
        self.at: list[NDArray] = []
        self.n_rows = self.n_synapses = 0
        network = packed.network
        for projection in network.projections:
            if projection.name in network.synapses:
                size = int(np.size(network.weights[projection.name]))
                place = slice(self.n_weights, self.n_weights + size)
                self.places[projection.name] = (place, None)
                self.n_weights += size
                if projection.name not in fills:
                    self._add(projection, place.start)

    def _add(self, projection, first_weight):
        """Add the synapses of a projection, delay by delay."""
        network = self.packed.network
        synapses, delays = network.synapses[projection.name], network.delay_steps(projection)
        places = synapses.weight_places(network.weights[projection.name])
        at = np.broadcast_to(places, synapses.size)
        for delay in np.unique(delays):
            if np.ndim(delays) == 0:
                chosen, first = slice(None), synapses.first
            else:
                chosen = np.flatnonzero(delays == delay)
                first = np.searchsorted(chosen, synapses.first)
            self.entries.append(self._entry(projection, synapses.n_pre, delay))
            self.first.append(first + self.n_synapses)
            self.post.append(synapses.target[chosen])
            self.at.append(first_weight + at[chosen])
            self.n_rows += first.size
            self.n_synapses += self.post[-1].size

    def _entry(self, projection, n_pre, delay):
        """What kernels need to know of the synapses with one delay, besides their rows."""
        network = self.packed.network
        receptor = network[projection.post].neuron.receptors[projection.receptor]
        target, n_post = self.packed.state(projection.post, receptor.state)
        return {
            "source": self.sources.index(projection.pre),
            "target": target,
            "jump": receptor.jump,
            "delay": delay,
            "n_pre": n_pre,
            "n_post": n_post,
            "trained": not projection.frozen,
            "pulled": projection.gradient_to_source,
            "row_first": self.n_rows,
        }

    def table(self):
        """The arrays that kernels read; ValueError if there are too many weights."""
        if self.n_weights >= 1 << 32:
            raise ValueError(
                f"the network has {self.n_weights} weights; batches of trials and training take "
                "fewer than 2^32. Use simulate."
            )
        kinds = {"jump": self.packed.network.dtype, "trained": bool, "pulled": bool}
        names = Sparse._fields[: Sparse._fields.index("first")]
        columns = {
            name: np.array([entry[name] for entry in self.entries], kinds.get(name, np.int64))
            for name in names
        }
        # unsigned: kernels then need no test for negative places
        return Sparse(
            **columns,
            first=_joined(self.first, np.int64),
            post=_joined(self.post, np.uint32),
            at=_joined(self.at, np.uint32),
        )


def _joined(parts, kind):
    """Arrays, or none, as one of a type."""
    return np.concatenate([np.empty(0, kind), *parts]).astype(kind, copy=False)


def _kept_columns(targets, n_pre, sizes, widths, dtype):
    """(first column of each bundle in Scratch.arrived or -1, the blocks of these columns).

    Columns are whole spans; bundles with the same targets share them.
    """
    firsts, at = {}, 0
    for target, n, size, width in zip(targets, n_pre, sizes, widths):
        if n * size * dtype.itemsize > _SMALL_BYTES and (target, int(size)) not in firsts:
            firsts[target, int(size)] = at
            at += int(width)
    columns = [firsts.get((target, int(size)), -1) for target, size in zip(targets, sizes)]
    blocks = Blocks(
        tag=np.zeros(len(firsts), np.int64),
        first=np.array([target for target, _ in firsts], np.int64),
        column=np.array(list(firsts.values()), np.int64),
        size=np.array([size for _, size in firsts], np.int64),
    )
    return np.array(columns, np.int64), blocks


def _panel_firsts(n_pre, n_post, dtype):
    """(bundles + 1,) the first element of the panels of each bundle, and the end.

    Panels hold as many presynaptic neurons as a block has.
    """
    width = BLOCK_BYTES // dtype.itemsize
    return np.concatenate([[0], np.cumsum(-(-n_pre // width) * width * n_post)]).astype(np.int64)
