"""Where trials, or one large network, stand between two runs: what is in a `State`.

Membranes and other states, refractory clocks, sources of noise, resources of synapses, and the
spikes that may still be on their way or count for the gradient.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..support import schema
from . import events
from .layout import Layout
from .plasticity import any_rules
from .state import State
from .wire_order import is_short
from .wire_tables import WireTables

_NUMBERS = (np.dtype(np.float32), np.dtype(np.float64))
_ROUNDING = 1e-9
#: Of the random numbers of a run.
KEY = schema.Rule(np.uint64, ())


class Sizes(NamedTuple):
    """How large the vectors of one trial are."""

    states: int
    neurons: int
    ou: int
    resources: int


class Earlier(NamedTuple):
    """What was before the first step of a run that goes on from another.

    released: for each wire with short-term plasticity, the releases of the events of its source.
    """

    first_step: int
    standing: arrays.Standing
    inputs: arrays.Events
    spikes: arrays.Events
    released: tuple[NDArray, ...]


def sizes_of(layout: Layout, wires: WireTables, n_ou: int = 0) -> Sizes:
    """Return how large the vectors of one trial are."""
    return Sizes(
        states=layout.n_elements,
        neurons=layout.n_neurons,
        ou=n_ou,
        resources=wires.resources,
    )


def new_standing(n_trials: int, sizes: Sizes, dtype: np.dtype) -> arrays.Standing:
    """Return uninitialized states of trials."""
    return arrays.Standing(
        states=np.empty((n_trials, sizes.states), dtype),
        clock=np.empty((n_trials, sizes.neurons), np.int32),
        held=np.empty((n_trials, sizes.neurons), dtype),
        ou=np.empty((n_trials, sizes.ou), dtype),
        resource=np.empty((n_trials, 3 * sizes.resources)),
    )


def at_start(layout: Layout, wires: WireTables, n_ou: int = 0) -> arrays.Standing:
    """Return where all trials stand at the start: one row."""
    sizes = sizes_of(layout, wires, n_ou)
    start = new_standing(1, sizes, layout.network.dtype)
    for array in start:
        array[:] = 0
    start.states[0] = layout.initial_states()
    start.resource[0, sizes.resources : 2 * sizes.resources] = 1  # x; u = 0
    return start


def at_rest(layout: Layout, wires: WireTables, start: arrays.Standing, n_trials: int) -> Earlier:
    """Return an earlier run of silent trials, which ended at `start`."""
    keep, n_inputs = layout.longest_delay, len(layout.network.inputs)
    n_firing = len(layout.sources) - n_inputs
    dtype = layout.network.dtype
    rows = [np.repeat(a, n_trials // len(a), axis=0) for a in start]
    return Earlier(
        first_step=0,
        standing=arrays.Standing(*rows),
        inputs=events.no_events(n_trials, keep * n_inputs, dtype, keep),
        spikes=events.no_events(n_trials, keep * n_firing, dtype, keep),
        released=tuple(np.empty(0, dtype) for _ in range(wires.shorts.size)),
    )


def after(
    layout: Layout,
    wires: WireTables,
    tables: arrays.Tables,
    drive: arrays.Drive,
    recording: arrays.Recording,
    steps: int,
) -> Earlier:
    """Return where a batch stands after a forward pass of `steps` steps.

    The recording must have an end (`new_recording(…, end=True)`).
    """
    keep, n_inputs = layout.longest_delay, tables.n_inputs
    own = np.arange(drive.rows.size)
    released = []
    for short in tables.shorts:
        source = wires.wires[short["wire"]]["source"]
        external = source < n_inputs
        given, rows = (drive.inputs, drive.rows) if external else (recording.spikes, own)
        n_sources = n_inputs if external else tables.n_firing
        number = source if external else source - n_inputs
        released.append(
            _released(given, rows, n_sources, number, steps, keep, recording, short["release"])
        )
    return Earlier(
        first_step=drive.first_step + steps,
        standing=arrays.Standing(*(array.copy() for array in recording.end)),
        inputs=events.last_steps(drive.inputs, drive.rows, n_inputs, steps, keep),
        spikes=events.last_steps(recording.spikes, own, tables.n_firing, steps, keep),
        released=tuple(released),
    )


def _released(given, rows, n_sources, source, steps, keep, recording, at):
    """The releases of the events of a source in the last `keep` steps, trial by trial."""
    parts = [np.empty(0, recording.release.dtype)]
    for b, row in enumerate(rows):
        for n in range(steps - keep, steps):
            first, last = events.between(given, row, n, n_sources, source)
            shift = at - given.pointers[row, 0]
            parts.append(recording.release[b, first + shift : last + shift])
    return np.concatenate(parts)


def rows(earlier: Earlier, first: int, last: int, tables: arrays.Tables, wires: Any) -> Earlier:
    """Return the trials first .. last - 1."""
    chosen = np.arange(first, last)
    cuts = [
        events.one_after_other([events.cut(each, chosen, 0, each.pointers.shape[1] - 1)])._replace(
            before=each.before
        )
        for each in (earlier.inputs, earlier.spikes)
    ]
    released = []
    for short, values in zip(tables.shorts, earlier.released):
        ends = np.cumsum([0, *_counts_of(earlier, tables, wires.wires[short["wire"]]["source"])])
        released.append(values[ends[first] : ends[last]])
    return Earlier(
        first_step=earlier.first_step,
        standing=arrays.Standing(*(array[first:last] for array in earlier.standing)),
        inputs=cuts[0],
        spikes=cuts[1],
        released=tuple(released),
    )


def _counts_of(earlier, tables, source):
    """(trials,) the events of a source in the steps before a run."""
    external = source < tables.n_inputs
    given = earlier.inputs if external else earlier.spikes
    n_sources = tables.n_inputs if external else tables.n_firing
    number = source if external else source - tables.n_inputs
    return np.diff(given.pointers, axis=1)[:, number::n_sources].sum(axis=1)


def joined(parts: list[Earlier]) -> Earlier:
    """Return the trials of several parts of a batch, in their order."""
    standing = (np.concatenate(each) for each in zip(*(part.standing for part in parts)))
    return Earlier(
        first_step=parts[0].first_step,
        standing=arrays.Standing(*standing),
        inputs=events.joined([part.inputs for part in parts]),
        spikes=events.joined([part.spikes for part in parts]),
        released=tuple(np.concatenate(each) for each in zip(*(part.released for part in parts))),
    )


def put_releases(
    release: NDArray,
    earlier: Earlier,
    tables: arrays.Tables,
    wires: Any,
    inputs: arrays.Events,
    rows_of_inputs: NDArray,
    spikes: arrays.Events,
) -> None:
    """Put the releases of events before a run where kernels look for them: release[b, …]."""
    for short, values in zip(tables.shorts, earlier.released):
        source = wires.wires[short["wire"]]["source"]
        external = source < tables.n_inputs
        given = inputs if external else spikes
        which = rows_of_inputs if external else np.arange(len(release))
        n_sources = tables.n_inputs if external else tables.n_firing
        number = source if external else source - tables.n_inputs
        at = 0
        for b, row in enumerate(which):
            shift = short["release"] - given.pointers[row, 0]
            for n in range(-given.before, 0):
                first, last = events.between(given, row, n, n_sources, number)
                release[b, first + shift : last + shift] = values[at : at + last - first]
                at += last - first


# ------------------------------------------------------------------------------------------- files


def as_arrays(earlier: Earlier) -> dict[str, NDArray]:
    """Return name -> array, for a State."""
    found = {
        f"{kind}_{name}": getattr(getattr(earlier, kind), name)
        for kind in ("inputs", "spikes")
        for name in ("pointers", "units")
    }
    none = earlier.standing.states[:0, 0]
    return (
        dict(zip(arrays.Standing._fields, earlier.standing))
        | found
        | {"released": np.concatenate([none, *earlier.released])}
    )


def from_arrays(
    given: dict[str, NDArray], step: int, layout: Layout, wires: WireTables, tables: Any
) -> Earlier:
    """Return what `as_arrays` made."""
    dtype, keep = layout.network.dtype, layout.longest_delay
    inputs, spikes = (
        arrays.Events(
            np.ascontiguousarray(given[f"{kind}_pointers"], np.int64),
            np.ascontiguousarray(given[f"{kind}_units"], np.int32),
            np.empty(0, dtype),
            keep,
        )
        for kind in ("inputs", "spikes")
    )
    standing = arrays.Standing(
        *(np.ascontiguousarray(given[name]) for name in arrays.Standing._fields)
    )
    earlier = Earlier(step, standing, inputs, spikes, ())
    counts = [
        int(_counts_of(earlier, tables, wires.wires[short["wire"]]["source"]).sum())
        for short in tables.shorts
    ]
    ends = np.cumsum([0, *counts])
    parts = [given["released"][a:b] for a, b in pairwise(ends)]
    return earlier._replace(released=tuple(parts))


def rules(number: Any, n_trials: int | None = None) -> dict[str, schema.Rule]:
    """Return the schema (support/schema.py) of what `as_arrays` makes, of any network."""
    rule = schema.Rule
    known = {name: rule(number, (n_trials, None)) for name in ("states", "held", "ou")}
    known |= {
        "clock": rule(np.int32, (n_trials, None), 0),
        "resource": rule(np.float64, (n_trials, None), -_ROUNDING),
        "released": rule(number, (None,), -_ROUNDING),
    }
    for kind in ("inputs", "spikes"):
        known |= {
            f"{kind}_pointers": rule(np.int64, (n_trials, None), 0),
            f"{kind}_units": rule(np.int32, (None,), 0),
        }
    return known


def own_rules(
    layout: Layout, wires: WireTables, clamped: NDArray, n_ou: int, step: int, n_trials: int
) -> dict[str, schema.Rule]:
    """Return the schema of what `as_arrays` makes, of this network.

    Parameters
    ----------
    layout, wires
        Of the network.
    clamped
        (neurons,) the largest clocks.
    n_ou
        Values of Ornstein-Uhlenbeck sources.
    step
        Steps that were simulated.
    n_trials
        Number of trials.
    """
    rule, number, keep = schema.Rule, layout.network.dtype, layout.longest_delay
    sizes, n_inputs = sizes_of(layout, wires, n_ou), len(layout.network.inputs)
    widths = {"inputs": keep * n_inputs + 1, "spikes": keep * (len(layout.sources) - n_inputs) + 1}
    r = sizes.resources
    most = np.concatenate([np.full(2 * r, 1 + _ROUNDING), np.full(r, float(max(step, 0)))])
    known = rules(number, n_trials) | {
        "states": rule(number, (n_trials, sizes.states)),
        "clock": rule(np.int32, (n_trials, sizes.neurons), 0, clamped),
        "held": rule(number, (n_trials, sizes.neurons)),
        "ou": rule(number, (n_trials, n_ou)),
        "resource": rule(np.float64, (n_trials, 3 * r), -_ROUNDING, most),
    }
    for kind, width in widths.items():
        known[f"{kind}_pointers"] = rule(np.int64, (n_trials, width), 0)
    return known


def check_events(given: dict[str, NDArray], layout: Layout, where: str) -> None:
    """Raise a ValueError unless the events of a state are possible.

    Pointers must rise, and units must exist and be in order.
    """
    network = layout.network
    firing = [p for p in layout.order if p.kind != "readout"]
    sizes = {
        "inputs": np.array([p.n for p in network.inputs], np.int64),
        "spikes": np.array([p.n for p in firing], np.int64),
    }
    for kind, n in sizes.items():
        pointers, units = given[f"{kind}_pointers"], given[f"{kind}_units"]
        check_pointers(pointers, units, f"{where}{kind}_pointers")
        counts = np.diff(pointers, axis=1)
        # of each unit: trial, step, source
        place = np.repeat(np.arange(counts.size), counts.ravel())
        if not units.size:
            continue
        beyond = units >= n[place % n.size]
        if beyond.any():
            k = int(np.argmax(beyond))
            raise ValueError(
                f"{where}{kind}_units[{k}] is {units[k]}; that source has "
                f"{n[place[k] % n.size]} units."
            )
        schema.check_order((place, units), kind == "spikes", f"{where}{kind}_units")
    _check_released(given, layout, where)


def _check_released(given, layout, where):
    """ValueError unless there is a release for each event of a source of plastic synapses."""
    network, wanted = layout.network, 0
    n_inputs = len(network.inputs)
    for projection in filter(is_short, network.projections):
        source = layout.sources[projection.pre]
        kind, number, n = "inputs", source, n_inputs
        if source >= n_inputs:
            kind, number, n = "spikes", source - n_inputs, len(layout.sources) - n_inputs
        wanted += int(np.diff(given[f"{kind}_pointers"], axis=1)[:, number::n].sum())
    found = given["released"].size
    if found != wanted:
        raise ValueError(f"{where}'released' has shape ({found},); it must be ({wanted},).")


def check_pointers(pointers: NDArray, units: NDArray, where: str) -> None:
    """Raise a ValueError unless the rows of `pointers` divide `units` among them."""
    schema.check_rising(pointers, units.size, where)
    if np.any(pointers[1:, 0] != pointers[:-1, -1]):
        raise ValueError(
            f"{where}: the events of a trial begin where those of the trial before end."
        )
    if not pointers.size and units.size:
        raise ValueError(f"{where} has no entries for {units.size} events.")


def number_of(given: dict[str, NDArray], name: str) -> np.dtype:
    """Return single or double precision, whichever an array of a file has."""
    found = np.asarray(given.get(name, 0.0)).dtype
    return found if found in _NUMBERS else _NUMBERS[0]


def check_any(given: dict[str, NDArray], step: Any, where: str) -> None:
    """Raise a ValueError unless these can be the arrays of a state of any network."""
    schema.check_step(step, where)
    number = number_of(given, "states")
    known = rules(number) | any_rules(given, number)
    known |= {"ou_sources": schema.Rule(np.int64, (None, 2), 0), "key": KEY}
    schema.check(given, known, where)
    for kind in ("inputs", "spikes"):
        pointers = given[f"{kind}_pointers"]
        check_pointers(pointers, given[f"{kind}_units"], f"{where}: {kind}_pointers")


def check_fingerprint(state: Any, network: Any) -> int:
    """Return the step of a state of this network; ValueError if it is none, or of another."""
    if not isinstance(state, State):
        raise ValueError(
            f"state is {type(state).__name__}; it must be the state of an earlier run or "
            "simulation: trace.state, simulation.state."
        )
    if state.fingerprint != network.fingerprint():
        raise ValueError(
            "this state is of another network: sizes, neurons, projections, dt and dtype must "
            "agree."
        )
    return schema.check_step(state.step, "state")
