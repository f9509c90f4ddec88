"""Run a network on spike trains, and compute gradients through it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..data.binning import bin_spikes
from ..data.spike_trains import SpikeTrains, first_steps, ranges
from ..kernels import arrays
from ..network.escape import chance
from ..network.network import Network
from ..network.step_matrix import linear_step, step_pattern
from ..support import checks, plausible, timegrid
from ..support.checks import flag, instance, reals, shown, texts
from ..support.seeds import stream, whole_seed
from . import chunks as passes
from . import contributions
from .finite import check_batch
from .state import State, after, as_arrays, checked_state
from .trial_tables import check_differentiable, check_reset_is_differentiable, pack

_NO_VALUES = {np.dtype(t): np.empty(0, t) for t in (np.float32, np.float64)}


# -------------------------------------------------------------------------------------------- input


def bin_inputs(network, spikes, merge=True, most=None):
    """Bin the spike trains of all inputs and lay them side by side as kernel events. Returns (events, steps).

    spikes: SpikeTrains for a network with one input, or a dict of input name -> SpikeTrains with equal trials and duration.
    most: the steps that are needed, from the start; the rest is not looked at.
    """
    trains = input_trains(network, spikes)
    sizes = [(timegrid.covering_steps(train.duration, network.dt), len(train)) for train in trains]
    steps, n_trials = sizes[0]
    for population, size in zip(network.inputs, sizes):
        if size != sizes[0]:
            raise ValueError(
                f"input {population.name!r} has {size[1]} trials of {size[0]} steps, "
                f"{network.inputs[0].name!r} has {n_trials} of {steps}; all inputs must share them."
            )
    if most is not None and most < steps:
        steps, trains = most, [first_steps(train, most, network.dt) for train in trains]
    return side_by_side(
        [bin_spikes(train, network.dt, merge=merge) for train in trains], network.dtype
    ), steps


def side_by_side(binned, dtype):
    """Binned inputs with equal trials and steps as kernel events."""
    if len(binned) == 1:
        return arrays.Events(binned[0].pointers, binned[0].units, _NO_VALUES[dtype])
    n_trials = len(binned[0])
    counts = np.stack(
        [np.diff(b.pointers, axis=1) for b in binned], axis=-1
    )  # (trial, step, input)
    source = np.concatenate(
        [
            np.repeat(np.arange(counts[..., q].size), counts[..., q].ravel()) * len(binned) + q
            for q in range(len(binned))
        ]
    )
    units = np.concatenate([b.units for b in binned])[np.argsort(source, kind="stable")]
    ends = np.cumsum(counts.ravel()).reshape(n_trials, -1)
    first = np.concatenate([[0], ends[:-1, -1]])[:, None]
    return arrays.Events(np.concatenate([first, ends], axis=1), units, _NO_VALUES[dtype])


def input_trains(network, spikes):
    """The spike trains of each input of the network, in their order; checked against it."""
    if not network.inputs:
        raise ValueError(
            "the network has no inputs, so there are no spike trains to give it: training and evaluation need some. Connect "
            "net.input(n), whose trains may be without spikes."
        )
    if isinstance(spikes, SpikeTrains):
        if len(network.inputs) != 1:
            raise ValueError(
                f"the network has {len(network.inputs)} inputs; give a dict of input name -> SpikeTrains."
            )
        spikes = {network.inputs[0].name: spikes}
    if not isinstance(spikes, dict) or set(spikes) != {p.name for p in network.inputs}:
        given = ", ".join(map(str, spikes)) if isinstance(spikes, dict) else shown(spikes)
        raise ValueError(
            f"spikes are {given}; the network needs SpikeTrains for its inputs "
            f"{', '.join(p.name for p in network.inputs)}."
        )
    for population in network.inputs:
        if not isinstance(spikes[population.name], SpikeTrains):
            raise ValueError(
                f"input {population.name!r} gets {shown(spikes[population.name])}; it must be SpikeTrains, such as "
                "bs.from_dense(counts, dt) of an array."
            )
        if spikes[population.name].n_units != population.n:
            raise ValueError(
                f"input {population.name!r} has {population.n} units, but its spike trains have "
                f"{spikes[population.name].n_units}."
            )
    return [spikes[p.name] for p in network.inputs]


def labels_of(network, trains):
    """The labels of the inputs, of which some may have none; ValueError if they contradict each other."""
    known = [
        (p.name, train.labels)
        for p, train in zip(network.inputs, trains)
        if train.labels is not None
    ]
    for name, labels in known[1:]:
        if not np.array_equal(labels, known[0][1]):
            raise ValueError(
                f"the inputs {known[0][0]!r} and {name!r} have different labels; the trials of all inputs are the same ones. Give "
                "targets=… if none of them counts."
            )
    return known[0][1] if known else None


# -------------------------------------------------------------------------------- layouts of arrays


@dataclass(frozen=True)
class Layout:
    """Named columns of an array (trial, step, column)."""

    blocks: arrays.Blocks
    columns: dict
    width: int


def _layout(entries):
    """entries: (name, tag, first, size)."""
    columns, at = {}, 0
    for name, _, _, size in entries:
        columns[name] = slice(at, at + size)
        at += size
    tag, first, size = (np.array([e[k] for e in entries], np.int64) for k in (1, 2, 3))
    return Layout(
        arrays.Blocks(tag, first, np.array([columns[e[0]].start for e in entries], np.int64), size),
        columns,
        at,
    )


#: No injected currents.
NO_CURRENT = _layout([]).blocks


def state_layout(packed, names):
    """Columns for states by name: "E.U" and "E.I_exc" at the end of a step, "E.U_star" = U before threshold and reset."""
    entries = []
    for name in dict.fromkeys(names):
        population, _, state = str(name).partition(".")
        p = packed.network[population]
        if state not in [*(p.neuron.states if p.neuron else ()), *(["U_star"] if p.states else ())]:
            raise ValueError(
                f"there is no state {name!r}; {population} has {p.known_states('U_star')}."
            )
        moment = arrays.BEFORE_RESET if state == "U_star" else arrays.END_OF_STEP
        entries.append(
            (name, moment, *packed.state(population, "U" if state == "U_star" else state))
        )
    return _layout(entries)


def all_states(packed):
    """Columns for every state of every population at the end of a step, in the order of the state vector."""
    first = {
        f"{p.name}.{state}": packed.state(p.name, state)[0]
        for p in packed.order
        for state in p.neuron.states
    }
    return state_layout(packed, sorted(first, key=first.get))


def current_layout(packed, currents):
    """Columns for injected currents, population name -> array."""
    names = [p.name for p in packed.order if p.states]
    for name in currents:
        if name not in names:
            raise ValueError(
                f"currents for {name!r}: there is no such population; there are {', '.join(names)}."
            )
    return _layout(
        [(name, packed.neurons(name).start, *packed.state(name, "U")) for name in currents]
    )


def _stack(layout, values, n_trials, steps, dtype, what):
    """Arrays (trial, step, neuron), broadcast over trials and steps, side by side in the columns of a layout."""
    if not layout.columns:
        return np.empty((n_trials, 0, 0), dtype)
    stacked = np.empty((n_trials, steps, layout.width), dtype)
    for name, columns in layout.columns.items():
        shape = (n_trials, steps, columns.stop - columns.start)
        try:
            stacked[..., columns] = np.broadcast_to(values[name], shape)
        except ValueError:
            raise ValueError(
                f"{what} {name!r} have shape {values[name].shape}; they must broadcast to (trial, step, "
                f"neuron) = {shape}."
            ) from None
    return stacked


def _checked_arrays(given, what, dtype, example):
    """Name -> array of finite numbers, of a dict or None."""
    instance({} if given is None else given, what, dict, f"a dict such as {example}")
    return {
        name: reals(values, f"{what} {name!r}", dtype=dtype)
        for name, values in (given or {}).items()
    }


def dense_spikes(packed, recording, name):
    """Spikes of a population as an array (trial, step, neuron)."""
    spikes, n_trials = recording.spikes, recording.counts.shape[0]
    spiking = [p.name for p in packed.order if p.kind != "readout"]
    p, shape = spiking.index(name), (n_trials, -1, len(spiking))
    first, last = (
        spikes.pointers[:, k : k + spikes.pointers.shape[1] - 1].reshape(shape)[..., p]
        for k in (0, 1)
    )
    dense = np.zeros((*first.shape, packed.network[name].n), packed.network.dtype)
    count = (last - first).ravel()
    at = ranges(first.ravel(), count)
    where = np.repeat(np.arange(count.size), count)
    dense.reshape(count.size, -1)[where, spikes.units[at]] = (
        spikes.values[at] if spikes.values.size else 1
    )
    return dense


# ----------------------------------------------------------------------------------- time constants


def tau_gradients(packed, gradient):
    """Gradients with respect to the parameters p of learned time constants and jumps, and to biases, (population, name) -> array.

    dM/dtau by a complex step, which is exact to rounding; then dtau/dp = tau (1 - sigmoid(p)). Of a jump: djump/dp = jump.
    """
    result, network, model = {}, packed.network, packed.model
    for population in packed.order:
        taus, neurons = network.time_constants(population), packed.neurons(population.name)
        g = int(np.searchsorted(model.neuron_first, neurons.start, side="right")) - 1
        offset, first = neurons.start - model.neuron_first[g], model.rows.first[model.row_first[g]]
        for name, shared in population.learn.items():
            if name == "jump":
                own = _jump_gradient(model, gradient, neurons)
                result[population.name, name] = own if shared == "neuron" else own.sum()
                continue
            shifted = {key: value + (1e-20j if key == name else 0) for key, value in taus.items()}
            matrix, drive, rate = (
                a.imag / 1e-20 for a in linear_step(population.neuron, network.dt, shifted)
            )
            total = gradient.drive[neurons] * drive[..., 0] + gradient.rate[neurons] * rate[..., 0]
            for e, (row, column) in enumerate(step_pattern(population.neuron), int(first)):
                at = model.rows.at[e] + offset
                total = (
                    total + gradient.coefficient[at : at + population.n] * matrix[..., row, column]
                )
            p = network.parameters[population.name, name]
            per_neuron = total * taus[name] * (1 - 1 / (1 + np.exp(-p)))
            result[population.name, name] = per_neuron if shared == "neuron" else per_neuron.sum()
        if population.bias:
            result[population.name, "bias"] = gradient.bias[neurons]
    return result


def _jump_gradient(model, gradient, neurons):
    """Of the population with those neurons, for each: by the logarithm of its jumps."""
    total, jumps = np.zeros(neurons.stop - neurons.start), model.jumps
    for p, first in zip(jumps.population, jumps.first):
        if model.population_first[p] == neurons.start:
            total += (
                gradient.jump[first : first + total.size].astype(float)
                * jumps.size[first : first + total.size]
            )
    return total


# ---------------------------------------------------------------------------------------- for users


@dataclass(frozen=True, eq=False)
class Trace:
    """What a run recorded. Step n has the label t = n dt.

    states    name -> array (trial, step, neuron); readouts are always there ("readout.U")
    counts    population -> (trial, neuron) spike counts
    spikes    population -> SpikeTrains
    inputs    input -> SpikeTrains that drove the run
    mean, variance   name -> (trial, neuron) over the steps, of the states in `moments`
    start     seconds that were simulated before this run (in `state`); times count from there
    state     where all trials stand at the end, to go on with run(…, state=trace.state)
    """

    network: object
    inputs: dict
    n_steps: int
    states: dict
    counts: dict
    tape: tuple  # (packed, drive, recording) as kernels have them
    mean: dict = field(default_factory=dict)
    variance: dict = field(default_factory=dict)
    start: float = 0.0

    @property
    def dt(self):
        return self.network.dt

    @property
    def duration(self):
        return self.n_steps * self.dt

    @property
    def times(self):
        """Labels of the steps in seconds."""
        return np.arange(self.n_steps) * self.dt

    @property
    def labels(self):
        return next((train.labels for train in self.inputs.values()), None)

    @cached_property
    def state(self):
        packed, drive, recording = self.tape
        past = after(packed, drive, recording, self.n_steps)
        return State(
            self.network.fingerprint(),
            past.first,
            as_arrays(past) | {"key": np.uint64(drive.chance.key)},
        )

    @cached_property
    def spikes(self):
        packed, _, recording = self.tape
        pointers, n_trials = recording.spikes.pointers, recording.counts.shape[0]
        spiking = [p for p in packed.order if p.kind != "readout"]
        sizes = np.diff(pointers, axis=1).reshape(n_trials, self.n_steps, len(spiking))
        result = {}
        for p, population in enumerate(spiking):
            start = pointers[:, :-1].reshape(sizes.shape)[..., p].ravel()
            count = sizes[..., p].ravel()
            ends = np.cumsum(count)
            at = np.repeat(start - ends + count, count) + np.arange(count.sum())
            times = np.tile(self.times, n_trials).repeat(count)
            offsets = np.concatenate([[0], np.cumsum(sizes[..., p].sum(axis=1))])
            result[population.name] = SpikeTrains(
                times, recording.spikes.units[at], offsets, population.n, self.duration, self.labels
            )
        return result


def run(
    network,
    spikes=None,
    *,
    record=(),
    currents=None,
    threads=None,
    merge=True,
    tape=False,
    duration=None,
    moments=(),
    seed=None,
    state=None,
):
    """Simulate all trials of `spikes` from the initial state, or from where they stood at the end of another run. Returns a Trace.

    spikes     SpikeTrains, or a dict of input name -> SpikeTrains; None for a network without inputs (give `duration`, s)
    record     states to keep, such as ["E.U", "E.I_exc", "I.U_star"]: values at the end of each step; U_star is U before
               threshold and reset. Readouts' U is always kept.
    currents   population -> array that broadcasts to (trial, step, neuron), added to the right-hand side of tau_mem dU/dt
    duration   of a trial: as many steps as cover it (10.4 ms are 11 steps of 1 ms), which trace.duration shows; that of spike trains likewise
    merge      several spikes of one input unit in one step count once
    tape       keep what `gradient` needs
    moments    states of which to keep the mean and variance over the steps, without their values: trace.mean, trace.variance
    seed       a whole number >= 0 or a numpy Generator, of the escape noise of populations that have it; trials, steps and neurons have
               random numbers of their own. Default: 0, or with a `state` None, the random numbers of the run before
    state      of an earlier run of as many trials of this network (trace.state), to go on from, trial by trial: membranes, currents,
               refractory clocks, spikes still on their way. Two runs have the bits of one long one, unless the second has a seed, which
               makes it a branch: other random numbers from here on, one future of this state for each seed
    """
    instance(network, "network", Network, "a Network")
    packed, duration = (
        pack(network),
        None if duration is None else checks.time(duration, "duration", above=0),
    )
    threads, tape, merge = passes.checked_threads(threads), flag(tape, "tape"), flag(merge, "merge")
    record, moments = texts(record, "record", "'E.U'"), texts(moments, "moments", "'E.U'")
    currents = _checked_arrays(currents, "currents", network.dtype, "{'E': array}")
    past = None if state is None else checked_state(state, packed)
    events, steps, trains = _events(
        network, spikes, merge, duration, currents, 1 if past is None else len(past.states)
    )
    n_trials = events.pointers.shape[0]
    if past is not None and len(past.states) != n_trials:
        raise ValueError(
            f"this state is of {len(past.states)} trials, and there are {n_trials}: trial k goes on from trial k."
        )
    layout = current_layout(packed, currents)
    drive = arrays.Drive(
        events,
        np.arange(n_trials),
        layout.blocks,
        _stack(layout, currents, n_trials, steps, network.dtype, "currents"),
        chance(packed.order, network.dt, _noise_seed(seed, state), np.arange(n_trials)),
        past,
    )
    if past is not None and seed is None:
        drive = drive._replace(chance=drive.chance._replace(key=np.uint64(state.arrays["key"])))
    names = [f"{p.name}.U" for p in network.readouts] + [*record]
    if tape and packed.needs_states:
        names = list(all_states(packed).columns) + names
    states = state_layout(packed, names)
    recording = passes.new_recording(
        packed, n_trials, steps, states.blocks, states.width, tape, end=True
    )
    kept = state_layout(packed, moments)
    if kept.width:
        recording = recording._replace(
            moment_blocks=kept.blocks, moments=np.zeros((n_trials, 2, kept.width))
        )
    passes.forward(packed, drive, recording, steps, threads)
    check_batch(packed, drive, recording, steps, all_states)
    return make_trace(packed, drive, recording, states, steps, trains, kept)


def _noise_seed(seed, state):
    """What the random numbers of a run follow from; those of a branch are no others' at the same step."""
    seed = whole_seed(0 if seed is None else seed)
    return seed if state is None else stream(seed, "branch", str(state.step))


def make_trace(packed, drive, recording, layout, steps, trains, moments=None):
    """A Trace of what a forward pass recorded. layout, moments: of the states, and of those with mean and variance alone."""
    kept = moments.columns if moments else {}
    return Trace(
        packed.network,
        trains,
        steps,
        {name: recording.states[..., columns] for name, columns in layout.columns.items()},
        {p.name: recording.counts[:, packed.neurons(p.name)] for p in packed.network.firing},
        (packed, drive, recording),
        {name: recording.moments[:, 0, columns] for name, columns in kept.items()},
        {name: recording.moments[:, 1, columns] / steps for name, columns in kept.items()},
        0.0 if drive.earlier is None else drive.earlier.first * packed.network.dt,
    )


def _events(network, spikes, merge, duration, currents, least):
    if network.inputs:
        trains = input_trains(network, spikes)
        if duration is not None:
            raise ValueError(
                "the spike trains say how long a trial is: leave duration out (it is for networks without inputs)."
            )
        if any(len(train) == 0 for train in trains):
            raise ValueError("the spike trains have no trials, so there is nothing to simulate.")
        events, steps = bin_inputs(network, spikes, merge)
        return events, steps, {p.name: train for p, train in zip(network.inputs, trains)}
    if spikes is not None or duration is None:
        raise ValueError("the network has no inputs: give spikes=None and a duration in seconds.")
    steps = timegrid.covering_steps(duration, network.dt)
    n_trials = max([np.shape(c)[0] for c in currents.values() if np.ndim(c) == 3] + [least])
    return (
        arrays.Events(
            np.zeros((n_trials, 1), np.int64), np.empty(0, np.int32), _NO_VALUES[network.dtype]
        ),
        steps,
        {},
    )


@dataclass(frozen=True, eq=False)
class Gradients:
    """Derivatives of a loss: weights by projection (pre, post), or as `network.weights` has them, except those of frozen ones; currents
    by population (trial, step, neuron); parameters p of learned time constants and jumps by (population, name), biases by
    (population, "bias").

    states     of the states in `record`: name -> dL/dstate (trial, step, neuron)
    per_step   of the projections in `per_step`: name -> (step,) Euclidean norm of what arrives at each step and its part of the gradient
    """

    weights: dict
    currents: dict
    time_constants: dict
    states: dict = field(default_factory=dict)
    per_step: dict = field(default_factory=dict)


def window_steps(truncate, dt):
    """Steps of the windows of truncated backpropagation (0: none) from seconds or None."""
    if truncate is None:
        return 0
    truncate = checks.time(truncate, "truncate", plausible=plausible.WINDOW)
    if (steps := timegrid.nearest_steps(truncate, dt)) < 1:
        raise ValueError(
            f"truncate is {truncate!r} s; it must be at least one step of {dt:g} s, or None."
        )
    timegrid.warn_if_rounded(truncate, steps, dt, "truncate")
    return steps


def gradient(
    trace,
    *,
    states=None,
    spikes=None,
    counts=None,
    differentiate_reset=False,
    threads=None,
    truncate=None,
    record=(),
    per_step=(),
):
    """Gradients by backpropagation through time with surrogate derivatives (DESIGN: the adjoint of each step).

    trace      from run(..., tape=True)
    states     state name -> dL/dstate, arrays (trial, step, neuron), such as {"readout.U": g}
    spikes     population -> dL/dS (trial, step, neuron);  counts: population -> dL/dcount (trial, neuron)
    differentiate_reset   let the gradient flow through the reset of U as well
    truncate   seconds, rounded to the nearest step: truncated backpropagation through time. The trial is cut into windows of this length,
               from its start, and no gradient flows from one into the one before; states and spikes do
    record     states of which to keep dL/dstate at every step, named as for `run`: ["E.U", "E.I_exc", "E.U_star"], to see how gradients
               shrink or grow over time. All that follows from the state counts: its part in L itself, later steps and spikes
    per_step   names of projections of which to keep how much each step adds to the gradient by their weights (contributions.py)
    The initial states of a run that goes on from another are fixed: no gradient flows into them. Spikes that were on their way count.
    """
    instance(trace, "trace", Trace, "what bs.run(…, tape=True) returns")
    check_differentiable(trace.network)
    packed, drive, recording = trace.tape
    if recording.margin.shape[1] != trace.n_steps:
        raise ValueError(
            "this trace has no tape: simulate with run(..., tape=True) to take gradients."
        )
    n_trials, steps, network = drive.rows.size, trace.n_steps, trace.network
    if flag(differentiate_reset, "differentiate_reset"):
        check_reset_is_differentiable(network)
    dtype = network.dtype
    states = _checked_arrays(states, "the gradient by states", dtype, "{'readout.U': array}")
    spikes = _checked_arrays(spikes, "spikes: the gradient of", dtype, "{'E': array}")
    counts = _checked_arrays(counts, "counts: the gradient of", dtype, "{'E': array}")
    layout = state_layout(packed, states)
    grad_spikes = np.zeros((n_trials, steps if spikes else 0, packed.n_spiking), dtype)
    grad_counts = np.zeros((n_trials, packed.n_spiking), dtype)
    firing = [p.name for p in network.firing]
    for name in [*spikes, *counts]:
        if network[name].name not in firing:
            raise ValueError(
                f"{name!r} is an input or a readout; gradients by spikes and counts are of {', '.join(firing)}."
            )
    for given, result, what, axes in (
        (spikes, grad_spikes, "spikes", "trial, step, neuron"),
        (counts, grad_counts, "counts", "trial, neuron"),
    ):
        for name, value in given.items():
            part = result[..., packed.neurons(name)]
            if value.shape != part.shape:
                raise ValueError(
                    f"{what}: the gradient of {name!r} has shape {value.shape}; it must be of shape ({axes}) = {part.shape}."
                )
            part[...] = value
    loss = arrays.LossGradient(
        layout.blocks,
        _stack(layout, states, n_trials, steps, dtype, "state gradients"),
        grad_spikes,
        grad_counts,
        window_steps(truncate, network.dt),
    )
    learns = any(p.learn for p in packed.order)
    record, per_step = texts(record, "record", "'E.U'"), texts(per_step, "per_step", "'E->E'")
    chosen = [network.projection(name) for name in per_step]
    receptors = {
        p.name: f"{p.post}.{network[p.post].neuron.receptors[p.receptor].state}" for p in chosen
    }
    kept = state_layout(packed, [*record, *receptors.values()])
    result = passes.adjoint(
        packed,
        drive,
        recording,
        loss,
        passes.checked_threads(threads),
        differentiate_reset,
        drive.current.shape[1] > 0,
        learns,
        kept.blocks,
    )
    adjoints = {name: result.states[..., at] for name, at in kept.columns.items()}
    columns, at = {}, 0
    for neuron, size in zip(drive.blocks.tag, drive.blocks.size):
        name = next(p.name for p in packed.order if packed.neurons(p.name).start == neuron)
        columns[name] = slice(at, at := at + int(size))
    return Gradients(
        {
            p.name: packed.weight_matrix(p.name, result.weight)
            for p in network.projections
            if not p.frozen
        },
        {name: result.current[..., c] for name, c in columns.items()},
        tau_gradients(packed, result) if network.parameters else {},
        {name: adjoints[name] for name in record},
        {
            p.name: contributions.norms(
                contributions.by_step(packed, drive, recording, p, adjoints[receptors[p.name]])
            )
            for p in chosen
        },
    )
