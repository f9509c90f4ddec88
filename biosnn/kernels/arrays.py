"""What kernels read and write: rows of structured arrays, and vectors that the rows point into.

A *cell* is a run of neighbouring populations whose tables have one shape; kernels treat it as one.
All states lie in one vector: state r of neuron i of a cell is at state_first + r stride + i.
Numbers of neurons (time constants, thresholds, …) lie in one vector, too: a row holds the place of
each, with step 1 where every neuron has its own, and step 0 where BLOCK equal copies serve all.
Index letters of all kernels: b trial, n step, c cell, p population, k wire (a projection, or
neighbouring ones), j presynaptic neuron, i postsynaptic neuron, r state, s synapse.
"""

from typing import Any, NamedTuple

import numpy as np

#: Neurons that go through all parts of an update while they are in the first-level cache.
BLOCK = 512

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
END_OF_STEP, BEFORE_RESET = range(2)
ONE_WEIGHT, OWN_WEIGHTS, SHARED_WEIGHTS = range(3)


def _row(integers, reals="", places=""):
    """The dtype of a row: 64-bit whole numbers, doubles, and places in the vector of numbers.

    No field has a name that numpy's records have, such as size: they are rows without the compiler.
    """
    place = np.dtype([("at", "i8"), ("step", "i8")])
    fields = [(name, "i8") for name in integers.split()]
    fields += [(name, "f8") for name in reals.split()]
    return np.dtype(fields + [(name, place) for name in places.split()], align=True)


#: A run of populations of one shape. clamps, subtracts, bounded, conducting, nonlinear, biased:
#: whether they occur; learns: whether gradients by its time constants are wanted; holds: whether
#: spikes that arrive at a clamped U are lost (delta synapses); delta_first: where the adjoints of
#: what arrives at U are set aside, behind those of the states, or -1.
CELL = _row(
    "n neuron_first state_first stride n_states row_first spiking clamps subtracts bounded "
    "conducting nonlinear biased learns learns_threshold holds delta_first surrogate",
    "steepness cutoff square constant slope onset",
    "threshold reset clamped low high drive rate bias",
)

#: A state of a cell: its terms of x <- M x are first .. last - 1 of the table of terms, those of
#: the transpose column_first .. column_last - 1. decays: M has nothing but its diagonal there.
STATE = _row(
    "first last column_first column_last decays conductance blocked", "eta gamma", "reversal"
)

#: coefficient * x[other].
TERM = _row("other", "", "coefficient")

#: A population that spikes or pools spikes, or (behind those) a readout; offset: within its cell.
POPULATION = _row("n neuron_first cell offset u escape", "escape_steepness escape_rate silent")

#: What spikes of a population add to another state of their own neuron.
JUMP = _row("population target delay", "", "amount")

#: Units that pool spikes: window g is member[first + g width : first + (g + 1) width].
POOL = _row("population source target units width first")

#: A projection, or neighbouring dense ones of one source whose weights share rows. Sources: inputs,
#: then populations. target: first element of the receptor's state; adjoint: where its adjoint is.
#: gathered: first column in Scratch.arriving, or -1; kept: in Scratch.arrived, or -1; ring: in the
#: ring of arrivals, or -1 where all synapses have one delay; short, learns: number of its
#: plasticity, or -1. The addresses are of arrays that somebody keeps alive, or 0.
WIRE = _row(
    "source post target adjoint delay n_pre n_post dense mode weight_first n_weights "
    "weight_address n_synapses row_first target_address index_address delay_address "
    "trained pulled panel_first gathered kept ring short learns",
    "jump",
)

#: Sparse projections of one source, as one large network reads them (bundles.py): the synapses of
#: neuron j lie together. late: every synapse has its delay, of `delay` steps at least
#: (underway.py); single: all share one weight, and there are only targets, of 2 bytes; width: of a
#: synapse in words of 2 bytes; row_first: first row of Parts.starts; jump: of short-term
#: plasticity, where weights do not have it in them.
BUNDLE = _row("source delay late single alone short n_pre row_first address width", "weight jump")

#: A receptor that synapses with delays of their own reach: of a population, its state and first
#: column.
COLUMN = _row("population n state at")

#: Short-term plasticity of a wire; rates per step. resource: first in u and x of a trial;
#: release: first release of a trial.
SHORT = _row("wire n_pre resource release", "utilization recovery facilitation")

#: A background source. stride: from one trial's values to the next, or 0 where all share them.
SOURCE = _row(
    "kind population stream n neuron_first target starts segments width values stride ou",
    "weight decay",
)


class Tables(NamedTuple):
    """A network as kernels read it."""

    n_inputs: int
    cells: np.ndarray  # CELL: of spiking populations, then of readouts
    states: np.ndarray  # STATE
    terms: np.ndarray  # TERM
    numbers: np.ndarray  # all numbers of neurons
    populations: np.ndarray  # POPULATION: spiking, pooling, readouts
    n_firing: int  # populations that spike or pool
    jumps: np.ndarray  # JUMP
    pools: np.ndarray  # POOL
    member: np.ndarray  # neurons that are pooled
    wires: np.ndarray  # WIRE
    columns: np.ndarray  # COLUMN
    ring_width: int
    # (rows, parts + 1) first synapse of each part in the row of each neuron j; trials: one part
    split: np.ndarray
    shorts: np.ndarray  # SHORT


class Background(NamedTuple):
    """Background sources: currents and Ornstein-Uhlenbeck ones, then Poisson ones."""

    sources: np.ndarray  # SOURCE
    n_currents: int
    first: np.ndarray  # (populations + 1,) first current of each
    starts: np.ndarray  # steps from which pieces hold
    values: np.ndarray
    table: np.ndarray  # cumulative Poisson probabilities


class Events(NamedTuple):
    """Events of rows, steps and sources.

    Those of row b, step n, source q are units[pointers[b, m] : pointers[b, m + 1]], ascending, with
    m = (n + before) Q + q.
    """

    pointers: np.ndarray  # (rows, (before + T) Q + 1) int64
    units: np.ndarray  # (capacity,) int32
    values: np.ndarray  # (capacity,), or size 0 where every event counts 1
    before: int = 0  # steps before the first of the run


class Sent(NamedTuple):
    """Events of one source and step, for one wire: units[first:last], ascending.

    values[e - shift] is what event e counts: a release, or that of the smooth twin; 1 where there
    are no values.
    """

    units: np.ndarray
    values: np.ndarray
    shift: int
    first: int
    last: int


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

    spikes: Events  # one row per trial; source p is population p
    # likewise neurons whose surrogate is not zero, where its support is compact; or no units
    near: Events
    counts: np.ndarray  # (B, firing neurons) spike counts
    # (B, T or 1, firing neurons) U* - theta; -inf where clamped, the least number where silent
    margin: np.ndarray
    ready: np.ndarray  # (B, T or 0, firing neurons) U just before the reset, or no steps
    # (B, T + 1 or 0, 2 resources) u and x of short-term plasticity before the first step and after
    # each
    resources: np.ndarray
    currents: np.ndarray  # (B, T or 0, neurons) all currents, where the adjoint needs them
    release: np.ndarray  # (B, releases) of short-term plasticity, event by event
    blocks: Blocks
    states: np.ndarray  # (B, T, columns)
    moment_blocks: Blocks
    moments: np.ndarray  # (B, 2, columns) mean over the steps, and sum of squared deviations
    end: "Standing"  # where the trials stand after the last step, or no trials


class Standing(NamedTuple):
    """Where trials stand between two steps. Each may have no trials."""

    states: np.ndarray  # (B, elements of the state vector)
    clock: np.ndarray  # (B, neurons) remaining clamped updates, and one more
    held: np.ndarray  # (B, neurons) U that is kept while clamped
    ou: np.ndarray  # (B, values) of Ornstein-Uhlenbeck sources
    resource: np.ndarray  # (B, 3 resources) u, x of short-term plasticity and the step of both


class Memory(NamedTuple):
    """Where one large network stands: the vectors of Standing, and what is on its way."""

    x: np.ndarray
    clock: np.ndarray
    held: np.ndarray
    ou: np.ndarray
    resource: np.ndarray
    arriving: np.ndarray  # what arrives at this step through late bundles, part by part
    underway: Any  # underway.py


class Drive(NamedTuple):
    """What a forward pass reads in addition to the tables."""

    inputs: Events  # one row per trial of the data set
    rows: np.ndarray  # (B,) the row of each trial of the batch
    blocks: Blocks
    current: np.ndarray  # (B, T, columns) injected currents
    background: Background
    key: np.ndarray  # (B,) of the random numbers of each trial
    trial: np.ndarray  # (B,) the row of a background that differs between trials
    start: Standing
    first_step: int  # counted from the start of all
    random: bool  # whether spikes are drawn


class LossGradient(NamedTuple):
    """Derivatives of the loss that the adjoint starts from.

    `states` and `spikes` may have no steps.
    """

    blocks: Blocks
    states: np.ndarray  # (B, T, columns)
    spikes: np.ndarray  # (B, T, firing neurons)
    counts: np.ndarray  # (B, firing neurons)
    window: int = 0  # steps of a window that no gradient leaves backwards in time; 0: none


class Gradient(NamedTuple):
    """What the adjoint adds to."""

    weight: np.ndarray  # as the weights
    numbers: np.ndarray  # as Tables.numbers, or size 0
    current: np.ndarray  # (B, T, columns) as Drive.current, or no steps
    blocks: Blocks  # of the states whose adjoints are kept
    states: np.ndarray  # (B, T, columns) these adjoints; or no columns


class Sorting(NamedTuple):
    """Events of one wire in a window of steps and a tile of trials, by presynaptic neuron."""

    rows: np.ndarray  # (trials of a tile,) rows of the batch
    ends: np.ndarray  # (presynaptic neurons + 1,) where the events of each end
    # (events,) step of the ring times trials of a tile plus trial: where they arrive
    places: np.ndarray
    factors: np.ndarray  # (events,) their values, in the smooth twin


class Scratch(NamedTuple):
    """Working memory of one thread for a tile of trials."""

    x: np.ndarray  # (trials of a tile, elements) states
    clock: np.ndarray  # (trials, neurons)
    held: np.ndarray
    ring: np.ndarray  # (trials, slots, width) of arrivals
    ou: np.ndarray  # (trials, values)
    resource: np.ndarray  # (trials, 3 resources)
    current: np.ndarray  # (neurons,) of one trial, or size 0 where there is none
    fresh: np.ndarray  # states of a block
    words: "Words"
    adjoints: np.ndarray  # (steps, trials, elements): adjoints of the states of the last few steps
    grad_spikes: np.ndarray  # (trials, firing neurons)
    grad_resource: np.ndarray  # (trials, 2 resources)
    grad_release: np.ndarray  # (most presynaptic neurons,)
    arriving: np.ndarray  # (steps, trials, columns) what inputs add to currents in the next steps
    # (columns / SPAN, ring, trials, SPAN) adjoints of currents that events arrive at
    arrived: np.ndarray
    sums: np.ndarray  # (SPAN,) SPAN is SPAN_BYTES of numbers
    sorting: Sorting
    kept: Blocks  # the columns of `arrived`


def synapse_type(dtype):
    """The dtype of a synapse of a bundle, without gaps. target: counted within the part."""
    return np.dtype([("target", "u2"), ("weight", dtype)])


class Parts(NamedTuple):
    """One large network in parts, which threads take."""

    bounds: np.ndarray  # (populations, parts + 1) neurons of each part
    # (parts, rows) as in Tables and Background, where the numbers of a part lie
    cells: np.ndarray
    populations: np.ndarray
    jumps: np.ndarray
    wires: np.ndarray
    columns: np.ndarray
    sources: np.ndarray
    bundles: np.ndarray  # BUNDLE
    # (own parts, rows) uint32: where the synapses of neuron j begin in a part, row by row, in words
    # of 2 bytes
    starts: np.ndarray
    first: np.ndarray  # (bundles, parts) first word of each part
    base: np.ndarray  # (bundles, parts) element of the state vector or of `arriving`: target 0
    arriving_first: np.ndarray  # (parts,) first element of Memory.arriving of each part
    arriving_width: np.ndarray  # (parts,) how many there are
    column: np.ndarray  # (columns, parts) where the columns begin among these
    like: np.ndarray  # (0,) of the type of a synapse


class RecentSpikes(NamedTuple):
    """Spikes of the last steps of one large network; step n is in slot n & mask."""

    mask: int
    width: int  # of a slot
    first: np.ndarray  # (P, parts) where each part lists the spikes of its neurons
    units: np.ndarray  # (slots * width,)
    n_spikes: np.ndarray  # (slots, parts, P)
    none: np.ndarray  # (0,) values of events that count 1
    release_width: int  # of a slot
    release: np.ndarray  # of short-term plasticity, slot by slot, then of the events of inputs
    seen: np.ndarray  # (parts, neurons) the last step in which a neuron that is pooled spiked


class Record(NamedTuple):
    """Chosen states of one large network, once in a fixed number of steps."""

    every: int
    element: np.ndarray  # of the state vector, part by part
    column: np.ndarray  # of values, of each
    first: np.ndarray  # (parts + 1,) first of each part
    values: np.ndarray  # (rows, chosen)


class Span(NamedTuple):
    """What threads that run one large network know of its steps; slices are in meeting.py."""

    begin: int  # the first one, from which its inputs count
    input_steps: int
    shortest: int  # delay in steps
    trial: int  # the row of a background that differs between trials


class Stream(NamedTuple):
    """Everything that threads share which run one large network."""

    tables: Tables
    background: Background
    key: int  # of the random numbers
    plastic: Any  # engine/plasticity.py
    inputs: Events
    recent: RecentSpikes
    parts: Parts
    others: Any  # others.py
    span: Span
    record: Record
    memory: Memory


class PartScratch(NamedTuple):
    """Working memory of a thread that runs part of one large network."""

    fresh: np.ndarray
    margin: np.ndarray
    current: np.ndarray
    sums: np.ndarray  # of what arrives from an input
    words: "Words"
    waiting: Any  # bundles.py


class Words(NamedTuple):
    """64 random words, and the numbers that are made of them."""

    unsigned: np.ndarray
    normal: np.ndarray
    counts: np.ndarray
