"""Run a batch of trials of a network: run(network, spikes) -> Trace."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..kernels import arrays
from ..network.network import Network
from ..network.perturb_neurons import Perturbation
from ..support import checks
from ..support.checks import flag, instance
from ..support.threads import checked_threads
from . import chunks
from .background import trials_of
from .background_tables import Source
from .buffers import Wanted
from .conditions import make_conditions, random_key, trial_keys
from .inputs import Inputs, events_of, trial_steps
from .layouts import all_states, checked_arrays, state_layout
from .packed import pack
from .perturbed import perturbed, silenced
from .perturbed_trials import forward_perturbed, holding, injected
from .recording import (
    Record,
    chosen_neurons,
    chosen_states,
    group_labels,
    group_means,
    group_sizes,
)
from .state import State
from .state_checks import checked_state
from .trace import Trace, make_trace


def run(
    network: Network,
    spikes: Inputs | None = None,
    *,
    record: Record = (),
    currents: Mapping[str, ArrayLike] | None = None,
    duration: float | None = None,
    background: Sequence[Source] = (),
    initial: Mapping[str, Any] | None = None,
    seed: Any = None,
    state: State | None = None,
    tape: bool = False,
    moments: Record = (),
    merge: bool = True,
    perturbations: Sequence[Perturbation] = (),
    threads: int | None = None,
) -> Trace:
    """Simulate all trials of `spikes`, from the initial state or from where an earlier run ended.

    Parameters
    ----------
    network
        A network with weights for all projections.
    spikes
        SpikeTrains, or a dict of input name -> SpikeTrains; None for a network without inputs.
        Trials with `ends` of their own are simulated to the longest end; spikes after the end of a
        trial are in neither `spikes` nor `counts`, states are those of the whole run.
    record
        States to keep: names such as ["E.U", "E.I_exc"], or a dict of name -> neurons (indices, a
        slice, None for all). The mean over all neurons is {"E.U": "mean"}, means over groups are
        {"E.U": bs.Means({"left": slice(40), "right": slice(40, 80)})}, one column each. Values are
        those at the end of each step; "E.U_star" is U before threshold and reset. The U of readouts
        is always kept.
    currents
        Population -> array that broadcasts to (trial, step, neuron), added to the right-hand side
        of tau_mem dU/dt.
    duration
        Seconds of a trial of a network without inputs: as many steps as cover it (10.4 ms are 11
        steps of 1 ms), which `trace.duration` shows. Spike trains are treated likewise.
    background
        A list of PoissonInput, Current and OrnsteinUhlenbeck; values may differ between trials.
    initial
        States at the start, such as {"E.U": 0.5}, instead of 0 and `initial` of the population: a
        number, an array (n,) or (trials, n), or a distribution, from which each trial draws.
    seed
        A whole number >= 0 or a numpy Generator, for background, escape noise and initial states.
        Trials, steps and neurons have random numbers of their own; those of the first trial are
        those of `simulate`. Default: 0, or with a `state` the random numbers of the run before.
    state
        State of an earlier run with as many trials (`trace.state`), to go on from: membranes,
        currents, refractory clocks, spikes still on their way. Two runs have the bits of one long
        one, unless the second has a seed, which makes it a branch: other random numbers from here
        on.
    tape
        Whether to keep what `gradient` needs.
    moments
        States whose mean and variance over the steps to keep, without their values, given as for
        `record`: `trace.mean`, `trace.variance`.
    merge
        Whether several spikes of one input unit in one step count once.
    perturbations
        A list of what is done to neurons and synapses during this run, such as
        [perturb.Silence("I", fraction=0.5, start=0.1)] (`biosnn.perturb`). The network stays as it
        is.
    threads
        Default: all processors. The result is the same, bit for bit.

    Returns
    -------
    A Trace of states, spikes and spike counts.

    Raises
    ------
    ValueError
        If something given does not fit the network, or a state leaves the finite numbers.

    See Also
    --------
    simulate : one trial of a large network, for as long as you like.
    gradient : derivatives of a loss of the trace.

    Notes
    -----
    One step integrates (U*, I*) = M (U, I), finds the spikes S = U* > theta, delivers those that
    arrive, I_i += sum_j W_ji S_j[n - D], and resets U = U* + S (U_reset - U*).

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> trace = bs.run(net, duration=0.05, currents={"E": 3.0}, record={"E.U": [0]})
    >>> trace.states["E.U"].shape, bool(trace.counts["E"].min() > 0)
    ((1, 50, 1), True)
    """
    return run_batch(
        network,
        spikes,
        record=record,
        currents=currents,
        duration=duration,
        background=background,
        initial=initial,
        seed=seed,
        state=state,
        tape=tape,
        moments=moments,
        merge=merge,
        perturbations=perturbations,
        threads=threads,
    )


def run_batch(
    network: Network,
    spikes: Inputs | None,
    *,
    record: Record = (),
    currents: Mapping[str, ArrayLike] | None = None,
    duration: float | None = None,
    background: Sequence[Source] = (),
    initial: Mapping[str, Any] | None = None,
    seed: Any = None,
    state: State | None = None,
    tape: bool = False,
    moments: Record = (),
    merge: bool = True,
    perturbations: Sequence[Perturbation] = (),
    threads: int | None = None,
    smooth: bool = False,
) -> Trace:
    """Do what `run` does, and in the smooth twin of the network if `smooth`.

    There every neuron emits sigma(U* - theta), the antiderivative of the surrogate derivative, so
    that the adjoint is the exact gradient.
    """
    instance(network, "network", Network, "a Network")
    change = perturbed(network, perturbations)
    packed = pack(change.network)
    duration = None if duration is None else checks.time(duration, "duration", above=0)
    threads, tape, merge = checked_threads(threads), flag(tape, "tape"), flag(merge, "merge")
    record, moments = chosen_states(record, means=True), chosen_states(moments, "moments")
    currents = checked_arrays(currents, "currents", network.dtype, "{'E': array}")
    state = change.started_from(state)
    background = checks.several(background, "background", "PoissonInput('E', 1e3, 0.1)")
    least = _fewest_trials(state, background, initial)
    events, steps, trains = events_of(network, spikes, merge, duration, currents, least)
    n_trials = events.pointers.shape[0]
    conditions = make_conditions(packed.layout, packed.wires, background, initial, n_trials)
    earlier = _earlier(state, packed, conditions, initial, n_trials)
    own_steps = trial_steps(network, list(trains.values()))
    _check_moments(moments, own_steps)
    schedule = change.schedule(steps)
    packed = holding(packed, schedule, tape)
    layout, current = injected(packed, currents, schedule.pulses, n_trials, steps)
    whole = tape and packed.needs_states
    states = _recorded_states(packed, record, whole)
    kept = state_layout(packed, moments)
    inputs = silenced(network, events, schedule.inputs)
    drive = _drive(inputs, layout.blocks, current, conditions, seed, state)
    drive = drive._replace(random=any(p.noise for p in network.spiking) and not smooth)
    wanted = _wanted(packed, drive, states, kept, tape, smooth)
    ran = forward_perturbed(packed, drive, earlier, wanted, schedule, threads)
    key, sources = int(drive.key[0]), conditions.background.ou_sources
    trace = make_trace(packed, ran, states, steps, trains, kept, own_steps, change, key, sources)
    return _as_asked(trace, record, whole)


def _drive(inputs, blocks, current, conditions, seed, state):
    """What the trials read, with their random numbers and initial states."""
    seed, key = random_key(seed, state)
    trials = np.arange(inputs.pointers.shape[0])
    return arrays.Drive(
        inputs=inputs,
        rows=trials,
        blocks=blocks,
        current=current,
        background=conditions.background.table,
        key=trial_keys(key, trials),
        trial=trials,
        start=conditions.start(seed, trials),
        first_step=0,
        random=False,
    )


def _wanted(packed, drive, states, kept, tape, smooth):
    """What to record: columns of states, and of those of which there are moments alone."""
    return Wanted(
        states.blocks,
        states.width,
        tape=tape,
        smooth=smooth,
        end=True,
        moments=kept,
        currents=chunks.has_currents(packed, drive),
        n_ou=drive.start.ou.shape[1],
    )


def _earlier(state, packed, conditions, initial, n_trials):
    """The run that this one goes on from, or None."""
    if state is None:
        return None
    return checked_state(state, packed, conditions.background, initial, n_trials)


def _fewest_trials(state, background, initial):
    """The number of trials where inputs and currents do not say it."""
    if state is not None:
        return len(getattr(state, "arrays", {}).get("states", [0]))
    most = [np.shape(v)[0] for v in (initial or {}).values() if np.ndim(v) == 2]
    return max([1, *most, *(trials_of(source) for source in background)])


def _with_neurons(trace, record):
    """The trace, which says which neurons its columns are."""
    neurons = {
        name: chosen_neurons(record.get(name), trace.network[name.partition(".")[0]].n, name)
        for name in trace.states
        if name not in trace.groups
    }
    return replace(trace, neurons=neurons)


def _check_moments(moments, own_steps):
    """ValueError for moments of trials that end at different times."""
    if moments and own_steps is not None:
        raise ValueError(
            f"moments are of all steps, but trials end after {own_steps.min()} to "
            f"{own_steps.max()} steps; give record={checks.shown(list(moments))} and take those "
            "until `trace.ends`, or run trials of one length."
        )


def _recorded_states(packed, record, whole):
    """The layout of the recorded states; whole: all of them, which the adjoint then reads."""
    readouts = [f"{p.name}.U" for p in packed.network.readouts]
    wanted = record | {name: None for name in readouts if name not in record}
    layout = state_layout(packed, wanted)
    return state_layout(packed, [*all_states(packed).columns, *wanted]) if whole else layout


def _only(trace, record):
    """The trace, whose states are recorded as a whole, with the neurons that were asked for."""
    for name, neurons in record.items():
        if neurons is not None:
            values = trace.states[name]
            trace.states[name] = values[..., chosen_neurons(neurons, values.shape[-1], name)]
    return trace


def _as_asked(trace, record, whole):
    """The trace with the neurons and means that were asked for.

    whole: the tape needs the states of all neurons.
    """
    trace = _only(trace, record) if whole else trace
    groups = group_labels(record)
    trace = _averaged(trace, record, groups, whole) if groups else trace
    return _with_neurons(trace, record)


def _averaged(trace, record, groups, whole):
    """The trace with means in place of the neurons that they are of, which are then forgotten."""
    states = {}
    for name, values in trace.states.items():
        n = trace.network[name.partition(".")[0]].n
        sizes = group_sizes(record.get(name), n, name)
        states[name] = values.copy() if sizes is None else group_means(values, sizes)
    packed, drive, recording, tables = trace.tape
    if not whole:
        recording = recording._replace(states=np.empty_like(recording.states[:, :0, :0]))
    return replace(trace, states=states, groups=groups, tape=(packed, drive, recording, tables))
