"""Where a batch of trials, or a simulation, stands: what the next run goes on from.

A trial is its states, its refractory clocks, and the spikes that are still on their way through delays.
"""

from dataclasses import dataclass

import numpy as np

from ..data.spike_trains import ranges
from ..kernels import arrays
from ..support import schema

_NUMBERS = (np.dtype(np.float32), np.dtype(np.float64))
#: Of the random numbers of a run.
KEY = schema.Rule(np.uint64, ())


@dataclass(frozen=True, eq=False)
class State:
    """Where a run (of all its trials) or a simulation stands: `trace.state` or `simulation.state`.

    Continue with run(network, …, state=it) or simulate(network, …, state=it). save_state and load_state keep it in a file.
    step: how many steps there have been.
    """

    fingerprint: str
    step: int
    arrays: dict


def longest_delay(packed):
    """Steps after which the last effect of a spike has arrived."""
    wiring, jumps = packed.wiring, packed.model.jumps
    return max([0, *map(int, wiring.delay), *map(int, wiring.sparse.delay), *map(int, jumps.delay)])


def nothing(dtype):
    """The arrays.EarlierRun of a run that begins at the initial state."""
    none = arrays.Events(np.zeros((0, 1), np.int64), np.empty(0, np.int32), np.empty(0, dtype))
    return arrays.EarlierRun(0, 0, np.empty((0, 0), dtype), np.empty((0, 0), np.int32), none, none)


def at_rest(packed, n_trials):
    """The same as if the trials had been before, silent and at the initial state."""
    steps, model = longest_delay(packed), packed.model

    def silent(n_sources):
        return arrays.Events(
            np.zeros((n_trials, steps * n_sources + 1), np.int64),
            np.empty(0, np.int32),
            np.empty(0, packed.weight.dtype),
        )

    return arrays.EarlierRun(
        steps,
        0,
        np.tile(model.initial, (n_trials, 1)),
        np.zeros((n_trials, packed.n_spiking), np.int32),
        silent(packed.wiring.n_inputs),
        silent(model.group.size),
    )


def after(packed, drive, recording, steps):
    """Where a batch stands after a forward pass of so many steps whose recording has an end (passes.new_recording)."""
    before, keep = drive.earlier, longest_delay(packed)
    if before is None or not before.states.shape[0]:
        before = at_rest(packed, drive.rows.size)
    inputs = _last_steps(
        before.inputs, drive.inputs, drive.rows, packed.wiring.n_inputs, steps, keep
    )
    spikes = _last_steps(
        before.spikes,
        recording.spikes,
        np.arange(drive.rows.size),
        packed.model.group.size,
        steps,
        keep,
    )
    return arrays.EarlierRun(
        keep, before.first + steps, recording.end.copy(), recording.clock.copy(), inputs, spikes
    )


def _last_steps(before, events, rows, n_sources, steps, keep):
    """The last `keep` steps of some rows of events, `steps` long, and of the `keep` steps before them."""
    new = min(keep, steps)
    parts = [_cut(events, rows, (steps - new) * n_sources, steps * n_sources)]
    if new < keep:
        parts.insert(0, _cut(before, np.arange(len(rows)), new * n_sources, keep * n_sources))
    counts = np.concatenate([count for count, *_ in parts], axis=1)
    order = np.argsort(
        np.concatenate([np.repeat(np.arange(len(rows)), count.sum(axis=1)) for count, *_ in parts]),
        kind="stable",
    )
    units, values = (np.concatenate([part[k] for part in parts]) for k in (1, 2))
    return arrays.Events(
        _pointers(counts),
        np.ascontiguousarray(units[order], np.int32),
        values[order] if values.size else values,
    )


def _cut(events, rows, first, last):
    """(number of events of each step and source, units, values) of a range of columns of the pointers."""
    pointers = events.pointers[rows, first : last + 1]
    total = pointers[:, -1] - pointers[:, 0]
    at = ranges(pointers[:, 0], total)
    return (
        np.diff(pointers, axis=1),
        events.units[at],
        events.values[at] if events.values.size else events.values[:0],
    )


def _pointers(counts):
    """Pointers of events that lie row by row without gaps."""
    ends = np.cumsum(counts, axis=None).reshape(counts.shape)
    total = counts.sum(axis=1)
    first = np.cumsum(total) - total
    return np.ascontiguousarray(np.concatenate([first[:, None], ends], axis=1), np.int64)


def rows(past, first, last):
    """Some trials of a batch."""
    inputs, spikes = (
        events._replace(pointers=events.pointers[first:last])
        for events in (past.inputs, past.spikes)
    )
    return past._replace(
        states=past.states[first:last], clock=past.clock[first:last], inputs=inputs, spikes=spikes
    )


def joined(parts):
    """The trials of several parts of a batch, in their order."""

    def events(each):
        ends = np.cumsum([0, *(e.units.size for e in each)])
        return arrays.Events(
            np.concatenate([e.pointers + end for e, end in zip(each, ends)]),
            np.concatenate([e.units for e in each]),
            np.concatenate([e.values for e in each]),
        )

    states, clock = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("states", "clock")
    )
    return arrays.EarlierRun(
        parts[0].steps,
        parts[0].first,
        states,
        clock,
        events([p.inputs for p in parts]),
        events([p.spikes for p in parts]),
    )


def as_arrays(past):
    """Name -> array, for files."""
    events = {
        f"{kind}_{name}": getattr(getattr(past, kind), name)
        for kind in ("inputs", "spikes")
        for name in ("pointers", "units")
    }
    return {"states": past.states, "clock": past.clock} | events


def from_arrays(given, step, packed):
    """arrays.EarlierRun of a network from what `as_arrays` made."""
    dtype = packed.weight.dtype
    inputs, spikes = (
        arrays.Events(
            np.ascontiguousarray(given[f"{kind}_pointers"], np.int64),
            np.ascontiguousarray(given[f"{kind}_units"], np.int32),
            np.empty(0, dtype),
        )
        for kind in ("inputs", "spikes")
    )
    return arrays.EarlierRun(
        longest_delay(packed),
        step,
        np.ascontiguousarray(given["states"], dtype),
        np.ascontiguousarray(given["clock"], np.int32),
        inputs,
        spikes,
    )


def rules(packed=None, n_trials=None, number=None):
    """The schema (support/schema.py) of what `as_arrays` makes: for a network and so many trials, or for any. number: the dtype of states."""
    rule, number = schema.Rule, number if packed is None else packed.weight.dtype
    size = clamped = width = spiking = None
    if packed is not None:
        model, steps = packed.model, longest_delay(packed)
        size, clamped = (
            model.initial.size,
            np.repeat(model.clamped_steps, np.diff(model.neuron_first))[: packed.n_spiking],
        )
        width, spiking = (steps * n + 1 for n in (packed.wiring.n_inputs, model.group.size))
    known = {
        "states": rule(number, (n_trials, size)),
        "clock": rule(
            np.int32, (n_trials, None if packed is None else packed.n_spiking), 0, clamped
        ),
    }
    for kind, n in (("inputs", width), ("spikes", spiking)):
        known |= {
            f"{kind}_pointers": rule(np.int64, (n_trials, n), 0),
            f"{kind}_units": rule(np.int32, (None,), 0),
        }
    return known


def check_events(given, packed, where):
    """ValueError unless the events of arrays that obey `rules` are whole: pointers that rise, units that there are, in order."""
    n = {
        "inputs": np.array([p.n for p in packed.network.inputs], np.int64),
        "spikes": np.diff(packed.model.population_first),
    }
    for kind, sizes in n.items():
        pointers, units = given[f"{kind}_pointers"], given[f"{kind}_units"]
        check_pointers(pointers, units, f"{where}{kind}_pointers")
        counts = np.diff(pointers, axis=1)
        place = np.repeat(
            np.arange(counts.size), counts.ravel()
        )  # of each unit: trial, step, source
        if not units.size:
            continue
        beyond = units >= sizes[place % sizes.size]
        if beyond.any():
            k = int(np.argmax(beyond))
            raise ValueError(
                f"{where}{kind}_units[{k}] is {units[k]}; that source has {sizes[place[k] % sizes.size]} units."
            )
        schema.check_order((place, units), kind == "spikes", f"{where}{kind}_units")


def check_pointers(pointers, units, where):
    """ValueError unless the rows of `pointers` (see `_pointers`) divide `units` among them."""
    schema.check_rising(pointers, units.size, where)
    if np.any(pointers[1:, 0] != pointers[:-1, -1]):
        raise ValueError(
            f"{where}: the events of a trial begin where those of the trial before end."
        )
    if not pointers.size and units.size:
        raise ValueError(f"{where} has no entries for {units.size} events.")


def number_of(arrays, name):
    """Single or double precision, whichever an array of a file has."""
    found = np.asarray(arrays.get(name, 0.0)).dtype
    return found if found in _NUMBERS else _NUMBERS[0]


def _trials(arrays):
    return next(iter(np.shape(arrays.get("states", 0))), None)


def check_state(arrays, step, where):
    """ValueError unless these are the arrays of the state of a run, of whatever network."""
    schema.check_step(step, where)
    schema.check(
        arrays, rules(None, _trials(arrays), number_of(arrays, "states")) | {"key": KEY}, where
    )
    for kind in ("inputs", "spikes"):
        check_pointers(
            arrays[f"{kind}_pointers"], arrays[f"{kind}_units"], f"{where}: {kind}_pointers"
        )


def checked_state(state, packed):
    """arrays.EarlierRun of a State; ValueError if it is of another network, or of a simulation, or cannot be."""
    if not isinstance(state, State):
        raise ValueError(
            f"state is {type(state).__name__}; it must be the state of an earlier run, trace.state."
        )
    if state.fingerprint != packed.network.fingerprint():
        raise ValueError(
            "this state is of another network: sizes, neurons, projections, dt and dtype must agree."
        )
    if "states" not in state.arrays:
        raise ValueError(
            "this is the state of a simulation; run goes on from the state of a run, trace.state (use simulate)."
        )
    step = schema.check_step(state.step, "state")
    schema.check(state.arrays, rules(packed, _trials(state.arrays)) | {"key": KEY}, "state")
    check_events(state.arrays, packed, "state: ")
    return from_arrays(state.arrays, step, packed)
