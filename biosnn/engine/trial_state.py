"""The state of a batch of trials between two runs: where `run` ends, and where another goes on.

It holds the states of neurons, their refractory clocks, and the spikes that are still on their way
through delays (arrays.EarlierRun).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..support import schema
from ..support.ranges import ranges
from .packed import Packed
from .state import State

_NUMBERS = (np.dtype(np.float32), np.dtype(np.float64))
#: Of the random numbers of a run.
KEY = schema.Rule(np.uint64, ())


def longest_delay(packed: Packed) -> int:
    """Return the steps after which the last effect of a spike has arrived."""
    wiring, jumps = packed.wiring, packed.model.jumps
    return max([0, *map(int, wiring.delay), *map(int, wiring.sparse.delay), *map(int, jumps.delay)])


def nothing(dtype: np.dtype) -> arrays.EarlierRun:
    """Return what precedes a run that begins at the initial state: no trials, no steps."""
    none = arrays.Events(np.zeros((0, 1), np.int64), np.empty(0, np.int32), np.empty(0, dtype))
    return arrays.EarlierRun(
        steps=0,
        first=0,
        states=np.empty((0, 0), dtype),
        clock=np.empty((0, 0), np.int32),
        inputs=none,
        spikes=none,
    )


def at_rest(packed: Packed, n_trials: int) -> arrays.EarlierRun:
    """Return an earlier run of silent trials that ended at the initial state."""
    steps, model = longest_delay(packed), packed.model

    def silent(n_sources):
        """No events in the steps that still matter."""
        return arrays.Events(
            np.zeros((n_trials, steps * n_sources + 1), np.int64),
            np.empty(0, np.int32),
            np.empty(0, packed.weight.dtype),
        )

    return arrays.EarlierRun(
        steps=steps,
        first=0,
        states=np.tile(model.initial, (n_trials, 1)),
        clock=np.zeros((n_trials, packed.n_spiking), np.int32),
        inputs=silent(packed.wiring.n_inputs),
        spikes=silent(model.group.size),
    )


def after(
    packed: Packed, drive: arrays.Drive, recording: arrays.Recording, steps: int
) -> arrays.EarlierRun:
    """Return where a batch stands after a forward pass of `steps` steps.

    The recording must have an end (`new_recording(…, end=True)`).
    """
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
        steps=keep,
        first=before.first + steps,
        states=recording.end.copy(),
        clock=recording.clock.copy(),
        inputs=inputs,
        spikes=spikes,
    )


def _last_steps(before, events, rows, n_sources, steps, keep):
    """The last `keep` steps of some rows of events.

    The rows are `steps` long, and `before` has the `keep` steps before them.
    """
    new = min(keep, steps)
    parts = [_cut(events, rows, (steps - new) * n_sources, steps * n_sources)]
    if new < keep:
        parts.insert(0, _cut(before, np.arange(len(rows)), new * n_sources, keep * n_sources))
    return _one_after_other(parts)


def in_a_row(parts: list[arrays.Events]) -> arrays.Events:
    """Return the events of runs that follow each other as those of one run of all trials."""
    trials = np.arange(len(parts[0].pointers))
    return _one_after_other([_cut(e, trials, 0, e.pointers.shape[1] - 1) for e in parts])


def _one_after_other(parts):
    """Events of what `_cut` returned of some ranges of steps, row by row without gaps."""
    counts = np.concatenate([count for count, *_ in parts], axis=1)
    rows = np.arange(len(counts))
    order = np.argsort(
        np.concatenate([np.repeat(rows, count.sum(axis=1)) for count, *_ in parts]),
        kind="stable",
    )
    units, values = (np.concatenate([part[k] for part in parts]) for k in (1, 2))
    return arrays.Events(
        _pointers(counts),
        np.ascontiguousarray(units[order], np.int32),
        values[order] if values.size else values,
    )


def without_events(
    events: arrays.Events, n_sources: int, silent: list[tuple[int, NDArray, int, int]]
) -> arrays.Events:
    """Return events without those of some units in some steps.

    Parameters
    ----------
    events
        Of trials that lie one after the other.
    n_sources
        Sources in a step.
    silent
        (source, units, first step, last step + 1) of what is left out.
    """
    trials, columns = np.arange(len(events.pointers)), events.pointers.shape[1] - 1
    counts, units, values = _cut(events, trials, 0, columns)
    place = np.repeat(np.tile(np.arange(columns), trials.size), counts.ravel())
    step, source = np.divmod(place, n_sources)
    keep = np.ones(units.size, bool)
    for which, gone, first, last in silent:
        keep &= (source != which) | (step < first) | (step >= last) | ~np.isin(units, gone)
    row = np.repeat(trials, counts.sum(axis=1))
    counts = np.bincount((row * columns + place)[keep], minlength=counts.size).reshape(counts.shape)
    return arrays.Events(_pointers(counts), units[keep], values[keep] if values.size else values)


def _cut(events, rows, first, last):
    """Events of a range of columns of the pointers.

    Returns the number of events of each step and source, their units and values.
    """
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


def rows(earlier: arrays.EarlierRun, first: int, last: int) -> arrays.EarlierRun:
    """Return the trials first .. last - 1."""
    inputs, spikes = (
        events._replace(pointers=events.pointers[first:last])
        for events in (earlier.inputs, earlier.spikes)
    )
    return earlier._replace(
        states=earlier.states[first:last],
        clock=earlier.clock[first:last],
        inputs=inputs,
        spikes=spikes,
    )


def joined(parts: list[arrays.EarlierRun]) -> arrays.EarlierRun:
    """Return the trials of several parts of a batch, in their order."""

    def events(each):
        """Events of all trials, row by row without gaps."""
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
        steps=parts[0].steps,
        first=parts[0].first,
        states=states,
        clock=clock,
        inputs=events([p.inputs for p in parts]),
        spikes=events([p.spikes for p in parts]),
    )


def as_arrays(earlier: arrays.EarlierRun) -> dict[str, NDArray]:
    """Return name -> array, for files."""
    events = {
        f"{kind}_{name}": getattr(getattr(earlier, kind), name)
        for kind in ("inputs", "spikes")
        for name in ("pointers", "units")
    }
    return {"states": earlier.states, "clock": earlier.clock} | events


def from_arrays(given: dict[str, NDArray], step: int, packed: Packed) -> arrays.EarlierRun:
    """Return the earlier run of a network from what `as_arrays` made."""
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
        steps=longest_delay(packed),
        first=step,
        states=np.ascontiguousarray(given["states"], dtype),
        clock=np.ascontiguousarray(given["clock"], np.int32),
        inputs=inputs,
        spikes=spikes,
    )


def rules(
    packed: Packed | None = None, n_trials: int | None = None, number: Any = None
) -> dict[str, schema.Rule]:
    """Return the schema (support/schema.py) of what `as_arrays` makes.

    It is for a network and a number of trials, or for any; number: the dtype of states.
    """
    rule, number = schema.Rule, number if packed is None else packed.weight.dtype
    size = clamped = width = spiking = None
    if packed is not None:
        model, steps = packed.model, longest_delay(packed)
        size = model.initial.size
        clamped = np.repeat(model.clamped_steps, np.diff(model.neuron_first))[: packed.n_spiking]
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


def check_events(given: dict[str, NDArray], packed: Packed, where: str) -> None:
    """Raise a ValueError unless the events of arrays that obey `rules` are possible.

    Pointers must rise, and units must exist and be in order.
    """
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
                f"{where}{kind}_units[{k}] is {units[k]}; that source has "
                f"{sizes[place[k] % sizes.size]} units."
            )
        schema.check_order((place, units), kind == "spikes", f"{where}{kind}_units")


def check_pointers(pointers: NDArray, units: NDArray, where: str) -> None:
    """Raise a ValueError unless the rows of `pointers` divide `units` among them."""
    schema.check_rising(pointers, units.size, where)
    if np.any(pointers[1:, 0] != pointers[:-1, -1]):
        raise ValueError(
            f"{where}: the events of a trial begin where those of the trial before end."
        )
    if not pointers.size and units.size:
        raise ValueError(f"{where} has no entries for {units.size} events.")


def number_of(arrays: dict[str, NDArray], name: str) -> np.dtype:
    """Return single or double precision, whichever an array of a file has."""
    found = np.asarray(arrays.get(name, 0.0)).dtype
    return found if found in _NUMBERS else _NUMBERS[0]


def _trials(arrays):
    """Number of trials of the arrays of a state."""
    return next(iter(np.shape(arrays.get("states", 0))), None)


def check_state(arrays: dict[str, NDArray], step: Any, where: str) -> None:
    """Raise a ValueError unless these can be the arrays of the state of a run of any network."""
    schema.check_step(step, where)
    schema.check(
        arrays, rules(None, _trials(arrays), number_of(arrays, "states")) | {"key": KEY}, where
    )
    for kind in ("inputs", "spikes"):
        check_pointers(
            arrays[f"{kind}_pointers"], arrays[f"{kind}_units"], f"{where}: {kind}_pointers"
        )


def checked_state(state: State, packed: Packed) -> arrays.EarlierRun:
    """Return the earlier run that a State holds.

    Raises
    ------
    ValueError
        If it is of another network, or of a simulation, or cannot be.
    """
    if not isinstance(state, State):
        raise ValueError(
            f"state is {type(state).__name__}; it must be the state of an earlier run, trace.state."
        )
    if state.fingerprint != packed.network.fingerprint():
        raise ValueError(
            "this state is of another network: sizes, neurons, projections, dt and dtype must "
            "agree."
        )
    if "states" not in state.arrays:
        raise ValueError(
            "this is the state of a simulation; run goes on from the state of a run, trace.state "
            "(use simulate)."
        )
    step = schema.check_step(state.step, "state")
    schema.check(state.arrays, rules(packed, _trials(state.arrays)) | {"key": KEY}, "state")
    check_events(state.arrays, packed, "state: ")
    return from_arrays(state.arrays, step, packed)
