"""The tables that kernels of one large network read: arrays with names.

stream_neurons.py, stream_projections.py and background_tables.py fill them. None of this depends on
the number of threads, except `bounds`, `split`, and where the spikes of a step lie in their list.
"""

from typing import NamedTuple

import numpy as np

from ..kernels.arrays import aligned
from ..kernels.random import GRANULE
from ..kernels.stream_neurons import BLOCK
from .stream_layout import StreamLayout


class Cells(NamedTuple):
    """P populations in the order of the network, inputs among them.

    A row is a state of a population.
    """

    n: np.ndarray  # (P,) neurons
    padded: np.ndarray  # (P,) room for them
    neuron_first: np.ndarray  # (P,) first element in arrays of one number per neuron
    state_first: np.ndarray  # (P,) first element in the state vector; U comes first
    row_first: np.ndarray  # (P+1,) first row
    term_first: np.ndarray  # (rows+1,) first term of each row of the step matrix
    term_other: np.ndarray  # (terms,) the state that is multiplied
    term_at: np.ndarray  # (terms,) first coefficient
    # (terms,) 1 if there is one for each neuron; 0 if BLOCK equal ones serve all
    term_step: np.ndarray
    coefficient: np.ndarray
    drive_at: np.ndarray  # (P,) first gain of an injected current
    drive_step: np.ndarray  # (P,)
    threshold: np.ndarray  # (P,)
    reset: np.ndarray  # (P,) value that U takes after a spike
    subtracts: np.ndarray  # (P,) or U loses the threshold
    clamped_steps: np.ndarray  # (P,) updates that a spike clamps
    spiking: np.ndarray  # (P,)
    input_number: np.ndarray  # (P,) which input it is, or -1
    jumps: np.ndarray  # (P,) whether a spike adds to states of its own neuron
    jump_delay: np.ndarray  # (P,) steps
    jump_at: np.ndarray  # (rows,) first of what it adds
    jump_step: np.ndarray
    bounded: np.ndarray  # (P,) whether U* is held between two values
    low: np.ndarray  # (P,)
    high: np.ndarray  # (P,)
    reversal: np.ndarray  # (rows,) reversal potential of a conductance; NaN where the state is none
    conducting: np.ndarray  # (P,) whether there are conductances
    rate_at: np.ndarray  # (P,) first of dt / tau_mem
    rate_step: np.ndarray
    nonlinear: np.ndarray  # (P,) whether U drives itself beyond the linear part
    nonlinear_drive: np.ndarray  # (P, 4) square, constant, slope, onset
    bounds: np.ndarray  # (P, threads+1) neurons of each thread


class Wires(NamedTuple):
    """K projections in order of creation."""

    pre: np.ndarray
    post: np.ndarray
    dense: np.ndarray
    wide: np.ndarray  # targets are int32, else uint16
    long: np.ndarray  # delays of synapses are uint16, else uint8
    delay: np.ndarray  # steps, of projections with one delay
    jump: np.ndarray
    # first element of the receptor's state in the state vector, or in a row of the ring
    target: np.ndarray
    size: np.ndarray  # synapses
    target_address: np.ndarray
    weight_address: np.ndarray
    weight_size: np.ndarray  # 1 where all synapses share one
    delay_address: np.ndarray
    row_first: np.ndarray  # first row in `split`
    # (rows, threads+1) first synapse of each thread in the row of each presynaptic neuron
    split: np.ndarray
    # projections without plasticity, with one delay: they add from the lists of recent spikes
    direct: np.ndarray
    delayed: np.ndarray  # and with a delay for every synapse: they add to the ring
    shortest: int  # delay in steps
    ring_mask: int
    ring_width: int
    ring_population: np.ndarray  # (columns,) of the ring: a state of a population each
    ring_at: np.ndarray
    ring_state: np.ndarray  # first element in the state vector
    uint8: np.ndarray  # empty arrays that stand for their types
    uint16: np.ndarray
    int32: np.ndarray
    pools: "Pools"


class Pools(NamedTuple):
    """Units that pool spikes: K populations in order of creation, each after what it pools."""

    population: np.ndarray
    source: np.ndarray
    row_first: np.ndarray  # first row in `first`
    # the units that look at neuron j of the source are unit[first[r] : first[r + 1]], with
    # r = row_first + j
    first: np.ndarray
    unit: np.ndarray
    seen_first: np.ndarray  # first unit in `seen`
    seen: np.ndarray  # the last step in which a neuron of the window spiked


class Noise(NamedTuple):
    """Background: currents and Ornstein-Uhlenbeck sources by population, then Poisson ones."""

    first: np.ndarray  # (P+1,) first source of each population
    kind: np.ndarray
    population: np.ndarray
    stream: np.ndarray  # place in the list of the background
    start_first: np.ndarray
    segments: np.ndarray
    per_neuron: np.ndarray
    value_first: np.ndarray
    width: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    ou_first: np.ndarray
    decay: np.ndarray
    starts: np.ndarray  # steps from which segments hold
    values: np.ndarray
    table: np.ndarray
    ou: np.ndarray  # values of Ornstein-Uhlenbeck sources
    key: np.uint64


class Drive(NamedTuple):
    """Spikes of the inputs during this run, as arrays.Events of one trial."""

    n_inputs: int
    first_step: int
    steps: int
    pointers: np.ndarray
    units: np.ndarray


class RecentSpikes(NamedTuple):
    """Spikes of the last steps; step n is at n & mask."""

    mask: int
    first: np.ndarray  # (P, threads) where each thread lists the spikes of its neurons
    units: np.ndarray  # (slots, spikes of a step + 1)
    n_spikes: np.ndarray  # (slots, threads, P)


class Record(NamedTuple):
    """Chosen states, once in a fixed number of steps."""

    every: int
    element: np.ndarray  # of the state vector
    owner: np.ndarray  # thread
    clamped_by: np.ndarray  # neuron whose clock holds it, or -1
    values: np.ndarray  # (rows, chosen)


class Memory(NamedTuple):
    """The state of all neurons and of what is on its way."""

    x: np.ndarray
    clock: np.ndarray  # clamped updates that remain, and one more
    held: np.ndarray  # U that is kept while clamped
    ring: np.ndarray  # arrivals of the next steps


class Words(NamedTuple):
    """64 random words, and the numbers that are made of them."""

    unsigned: np.ndarray
    normal: np.ndarray
    counts: np.ndarray


class Scratch(NamedTuple):
    """Working memory of a thread."""

    old: np.ndarray
    fresh: np.ndarray
    margin: np.ndarray
    current: np.ndarray
    words: Words


def new_scratch(layout: StreamLayout) -> Scratch:
    """Return the working memory of one thread."""
    dtype, most = layout.network.dtype, max(1, int(layout.n_rows.max()))
    return Scratch(
        old=aligned(BLOCK, dtype),
        fresh=aligned(most * BLOCK, dtype),
        margin=aligned(BLOCK, dtype),
        current=aligned(BLOCK, dtype),
        words=Words(
            unsigned=np.empty(GRANULE, np.uint32),
            normal=np.empty(GRANULE),
            counts=np.empty(GRANULE, np.int32),
        ),
    )
