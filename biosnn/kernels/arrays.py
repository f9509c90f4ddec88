"""What kernels read and write: arrays and scalars in named tuples, and nothing else.

All states lie in one vector, group by group and, within a group, state by state. A group is a run
of neighbouring populations with tables of the same shape, the same reset, refractory period and
surrogate; kernels treat it as one. Likewise neighbouring projections from one source onto
neighbouring neurons form one bundle, whose weights share rows.
"""

from typing import NamedTuple

import numpy as np

from .simd import LANES, SPAN_BYTES

_BEYOND = max(SPAN_BYTES, 8 * LANES)

(
    SUPERSPIKE,
    SIGMOID,
    TRIANGULAR,
    TRUNCATED_SUPERSPIKE,
    GAUSSIAN,
    ARCTAN,
    MULTI_GAUSSIAN,
    ASYMPTOTIC_SUPERSPIKE,
    EXPONENTIAL,
) = range(9)
NO_ESCAPE, SIGMOID_ESCAPE, EXPONENTIAL_ESCAPE = range(-1, 2)
RESET_TO_VALUE, RESET_BY_SUBTRACTION = range(2)
END_OF_STEP, BEFORE_RESET = range(2)


class Terms(NamedTuple):
    """Sparse sums, one for each state of each group.

    Row r is the sum over e in first[r] .. first[r+1]-1 of coefficient[at[e]] * x[other[e]].
    """

    first: np.ndarray  # (states + 1,) first term of each state
    other: np.ndarray  # (terms,) the state of the same group that is multiplied
    at: np.ndarray  # (terms,) its first coefficient: one number per neuron of the group


class Jumps(NamedTuple):
    """What spikes add to other states of their own neuron (adaptation).

    One entry for each such state of a population.
    """

    population: np.ndarray  # (entries,) spiking population
    target: np.ndarray  # (entries,) first element of its state in the state vector
    delay: np.ndarray  # (entries,) steps
    first: np.ndarray  # (entries,) that of its neuron i is size[first + i]
    size: np.ndarray


class Bounds(NamedTuple):
    """Bounds of U*, for groups that have them."""

    used: np.ndarray  # (spiking groups,)
    low: np.ndarray  # (spiking neurons,)
    high: np.ndarray


class Pools(NamedTuple):
    """Units that pool spikes (pooling.py).

    K populations, in an order in which each comes after what it pools.
    """

    population: np.ndarray  # (K,) among the spiking ones of the model, the last of which they are
    target: np.ndarray  # (K,) first of its units among the neurons
    units: np.ndarray  # (K,)
    size: np.ndarray  # (K,) neurons of a window
    first: np.ndarray  # (K,) window g is member[first + g size : first + (g + 1) size]
    member: np.ndarray  # neurons, among all of the model


class Model(NamedTuple):
    """Neurons as arrays: G groups, P spiking populations, N neurons.

    Spiking groups come first, then readouts. Units that pool count as spiking.
    """

    n_spiking: int  # number of spiking groups
    neuron_first: np.ndarray  # (G+1,) first neuron of each group
    state_first: np.ndarray  # (G+1,) first element of each group in the state vector; U comes first
    row_first: np.ndarray  # (G+1,) first state of each group in `rows` and `columns`
    rows: Terms  # of the step matrix M, for x <- M x
    columns: Terms  # of its transpose
    coefficient: np.ndarray  # entries of M, for every neuron
    drive: np.ndarray  # (N,) gain of an injected current
    bias: np.ndarray  # (N,) constant currents, or size 0 where no population has any
    initial: np.ndarray  # state vector at the start of a trial
    threshold: np.ndarray  # (N,)
    reset: np.ndarray  # (N,) value that U is reset to
    reset_kind: np.ndarray  # (G,)
    clamped_steps: np.ndarray  # (G,) updates that a spike clamps
    surrogate: np.ndarray  # (spiking groups,)
    steepness: np.ndarray  # (spiking groups,) beta
    cutoff: np.ndarray  # (spiking groups,) half width of a truncated surrogate
    population_first: np.ndarray  # (P+1,) first neuron of each spiking population
    group: np.ndarray  # (P,) its group
    # (G,) whether conductances act on U (conductance.py); its row of M is zero then
    conducting: np.ndarray
    # (states,) reversal potential of a conductance; NaN where the state is none
    reversal: np.ndarray
    rate: np.ndarray  # (N,) dt / tau_mem where conductances act, else 0
    jumps: Jumps
    bounds: Bounds
    pools: Pools


class Sparse(NamedTuple):
    """Sparse projections in batches of trials: K of them, one for each delay that occurs.

    Source, target, jump and delay are as in Wiring.
    """

    source: np.ndarray  # (K,)
    target: np.ndarray  # (K,)
    jump: np.ndarray  # (K,)
    delay: np.ndarray  # (K,)
    n_pre: np.ndarray  # (K,)
    n_post: np.ndarray  # (K,)
    trained: np.ndarray  # (K,) whether gradients by its weights are wanted
    pulled: np.ndarray  # (K,) whether gradients flow to its source
    row_first: np.ndarray  # (K,) place in `first` of its first row
    # (rows,) synapses of neuron j: first[row_first + j] .. first[row_first + j + 1] - 1
    first: np.ndarray
    post: np.ndarray  # (synapses,) postsynaptic neuron within its population
    at: np.ndarray  # (synapses,) place of its weight, which synapses may share


class Wiring(NamedTuple):
    """Bundles of dense projections (K of them), and sparse ones.

    Sources: 0 .. Q-1 the inputs, Q + p spiking population p.
    """

    n_inputs: int  # Q
    source: np.ndarray  # (K,)
    target: np.ndarray  # (K,) first element of the receptor's state in the state vector
    jump: np.ndarray  # (K,) what a weight of 1 adds to it (+1 or -1)
    delay: np.ndarray  # (K,) steps
    n_pre: np.ndarray  # (K,)
    n_post: np.ndarray  # (K,)
    weight_first: np.ndarray  # (K,) W[j, i] is weight[weight_first + j n_post + i]
    panel_first: np.ndarray  # (K + 1,) where its panels begin, of those that `pull_dense` reads
    # (K,) its first column in Scratch.arriving, of those that inputs drive
    input_column: np.ndarray
    # (K,) its first column in Scratch.arrived; -1 if it is so small that events are not collected
    kept_column: np.ndarray
    kept: "Blocks"  # the columns of Scratch.arrived
    trained: np.ndarray  # (K,) whether gradients by its weights are wanted
    pulled: np.ndarray  # (K,) whether gradients flow to its source
    sparse: Sparse


class Events(NamedTuple):
    """Events of rows, steps and sources.

    Those of row b, step n, source q are
    units[pointers[b, n Q + q] : pointers[b, n Q + q + 1]], ascending.
    """

    pointers: np.ndarray  # (rows, T Q + 1) int64
    units: np.ndarray  # (capacity,) int32
    values: np.ndarray  # (capacity,), or size 0 where every event counts 1


class Blocks(NamedTuple):
    """The elements of the state vector that columns of an array (trial, step, column) hold."""

    tag: np.ndarray  # states: END_OF_STEP or BEFORE_RESET; currents: the first neuron
    first: np.ndarray  # first element of the state vector
    column: np.ndarray  # first column
    size: np.ndarray


#: No columns.
NO_BLOCKS = Blocks(*[np.empty(0, np.int64)] * 4)


class Recording(NamedTuple):
    """What a forward pass writes.

    `states` may have no columns; `margin` has one step unless it is kept for the adjoint.
    """

    spikes: Events  # one row per trial; source p is spiking population p
    # likewise neurons whose surrogate is not zero, where its support is compact; or no units
    near: Events
    counts: np.ndarray  # (B, spiking neurons) spike counts
    margin: np.ndarray  # (B, T or 1, spiking neurons) U* - theta; -inf where clamped
    blocks: Blocks
    states: np.ndarray  # (B, T, columns)
    moment_blocks: Blocks = NO_BLOCKS
    # (B, 2, columns) mean over the steps, and sum of squared deviations from it
    moments: np.ndarray = np.empty((0, 2, 0))
    # (B or 0, elements of the state vector) states after the last step
    end: np.ndarray = np.empty((0, 0))
    # (B or 0, spiking neurons) remaining clamped steps then
    clock: np.ndarray = np.empty((0, 0), np.int32)


class Chance(NamedTuple):
    """What is random in the spikes of a batch, for each spiking neuron; both parts may be empty."""

    # escape noise: NO_ESCAPE, SIGMOID_ESCAPE or EXPONENTIAL_ESCAPE
    kind: np.ndarray = np.empty(0, np.int64)
    steepness: np.ndarray = np.empty(0)
    rate: np.ndarray = np.empty(0)  # expected spikes in a step at threshold
    silent: np.ndarray = np.empty(0)  # probability to be silent for the trial
    key: np.uint64 = np.uint64(0)  # of the random numbers
    # (B,) number of every trial of the batch, in the data set
    trial: np.ndarray = np.empty(0, np.int64)


class EarlierRun(NamedTuple):
    """What was before the first step of a batch that goes on from another.

    Where there is no earlier run: no trials, no steps.
    """

    steps: int  # H: steps before the first whose events may still arrive
    first: int  # number of the first step, counted from the start of all
    states: np.ndarray  # (B, elements of the state vector)
    clock: np.ndarray  # (B, spiking neurons) remaining clamped steps
    inputs: Events  # of the last H steps; one row per trial of the batch
    spikes: Events


class Drive(NamedTuple):
    """What a forward pass reads in addition to the weights."""

    inputs: Events  # one row per trial of the data set
    rows: np.ndarray  # (B,) the row of each trial of the batch
    blocks: Blocks
    current: np.ndarray  # (B, T, columns) injected currents
    chance: Chance = Chance()
    earlier: EarlierRun | None = None  # engine/chunks.py replaces None by one without trials


class LossGradient(NamedTuple):
    """Derivatives of the loss that the adjoint starts from.

    `states` and `spikes` may have no steps.
    """

    blocks: Blocks
    states: np.ndarray  # (B, T, columns)
    spikes: np.ndarray  # (B, T, spiking neurons)
    counts: np.ndarray  # (B, spiking neurons)
    window: int = (
        0  # steps of a window that no gradient leaves backwards in time (truncated); 0: none
    )


class Gradient(NamedTuple):
    """What the adjoint adds to."""

    weight: np.ndarray  # as the weights
    coefficient: np.ndarray  # as Model.coefficient, or size 0
    drive: np.ndarray  # (N,) as Model.drive, or size 0
    rate: np.ndarray  # (N,) as Model.rate, or size 0
    jump: np.ndarray  # as Model.jumps.size, or size 0
    bias: np.ndarray  # as Model.bias
    current: np.ndarray  # (B, T, columns) as Drive.current, or no steps
    blocks: Blocks  # of the states whose adjoints are kept
    states: np.ndarray  # (B, T, columns) these adjoints; or no columns


class Sorting(NamedTuple):
    """Events of one bundle in a window of steps and a tile of trials, by presynaptic neuron."""

    rows: np.ndarray  # (trials of a tile,) rows of the batch
    ends: np.ndarray  # (presynaptic neurons + 1,) where the events of each end
    # (events,) step of the ring times trials of a tile plus trial: where they arrive
    places: np.ndarray
    factors: np.ndarray  # (events,) their values, in the smooth twin


class Scratch(NamedTuple):
    """Working memory of one thread for a tile of trials."""

    # (ring, trials of a tile, elements): states, or their adjoints, of the last few steps
    states: np.ndarray
    clock: np.ndarray  # (trials, N) remaining clamped steps
    grad_spikes: np.ndarray  # (trials, spiking neurons)
    kept: np.ndarray  # (trials, spiking neurons) adjoint of a clamped U
    arriving: np.ndarray  # (steps, trials, columns) what inputs add to currents in the next steps
    # (columns / SPAN, ring, trials, SPAN) adjoints of currents that events arrive at
    arrived: np.ndarray
    sums: np.ndarray  # (SPAN,) SPAN is SPAN_BYTES of numbers
    sorting: Sorting


def aligned(shape, dtype):
    """An uninitialized array that begins at a cache line.

    Vector units then never read across two. _BEYOND bytes may be read after its end.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.empty(size + 64 + _BEYOND, np.uint8)
    start = -memory.ctypes.data % 64
    return memory[start : start + size].view(dtype).reshape(shape)


def aligned_copy(array):
    """A copy of an array that begins at a cache line."""
    copy = aligned(array.shape, array.dtype)
    copy[...] = array
    return copy
