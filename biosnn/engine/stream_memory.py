"""The memory of one large network: its states, lists of recent spikes, and inputs."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays, room
from ..kernels.bundles import Waiting
from ..kernels.underway import Underway
from ..network.network import Network
from . import events, standing
from .buffers import new_words
from .inputs import Inputs, bin_inputs
from .layout import Layout, first_of
from .part_tables import OuPlaces, Places, spread
from .perturbed import silenced
from .wire_tables import WireTables

_LINE = 16  # numbers of a cache line, which one part writes
_WAITING = 256  # spikes whose synapses are added after each other
_COPIED = 4096  # words of short blocks that are added as one


class Standpoint(NamedTuple):
    """The memory of a run, and where the numbers of the layout lie in it.

    Parameters
    ----------
    memory
        As kernels read it, part by part.
    places, ou
        Where what lies.
    """

    memory: arrays.Memory
    places: Places
    ou: OuPlaces

    @property
    def x(self) -> NDArray[Any]:
        """(elements,) a copy of the state vector, in the order of the layout."""
        return self.memory.x[self.places.element]

    def standing(self) -> arrays.Standing:
        """Return where the network stands now, as one trial."""
        memory, places = self.memory, self.places
        return arrays.Standing(
            states=self.x[None],
            clock=memory.clock[places.neuron][None],
            held=memory.held[places.neuron][None],
            ou=memory.ou[self.ou.value][None],
            resource=memory.resource[None].copy(),
        )


def new_memory(
    layout: Layout,
    start: arrays.Standing,
    parts: arrays.Parts,
    places: Places,
    ou: OuPlaces,
    inputs: arrays.Events,
) -> Standpoint:
    """Return the memory of a network that stands there, part by part.

    Parameters
    ----------
    layout
        Layout of the network.
    start
        Where it stands, as one trial.
    parts, places, ou
        Its parts, and where everything lies.
    inputs
        Spikes of the inputs, and those of an earlier run.
    """
    arriving = room.aligned(
        int(parts.arriving_first[-1] + parts.arriving_width[-1]), start.states.dtype
    )
    arriving[:] = 0
    memory = arrays.Memory(
        x=spread(start.states[0], places.element, places.n_elements),
        clock=spread(start.clock[0], places.neuron, places.n_neurons),
        held=spread(start.held[0], places.neuron, places.n_neurons),
        ou=spread(start.ou[0], ou.value, ou.n_values),
        resource=room.aligned_copy(start.resource[0]),
        arriving=arriving,
        underway=_new_underway(layout, parts, inputs),
    )
    return Standpoint(memory, places, ou)


def _new_underway(layout, parts, inputs):
    """Room for all spikes that can be underway at once; memory is taken only when touched."""
    n_inputs, late = len(layout.network.inputs), parts.bundles[parts.bundles["late"] != 0]
    # those of the steps from the first that is underway to the last that is known
    most = layout.most_spikes(2 * layout.longest_delay + 2)
    size = sum(
        inputs.units.size if source < n_inputs else int(most[source - n_inputs])
        for source in late["source"]
    )
    first = first_of(np.where(parts.arriving_width > 0, size + _LINE, 0))
    ends = np.zeros((first.size - 1, _LINE), np.int64)
    ends[:, :2] = first[:-1, None]
    return Underway(
        due=np.empty(first[-1], np.int64),
        address=np.empty(first[-1], np.int64),
        kind=np.empty(first[-1], np.int64),
        factor=np.empty(first[-1], layout.network.dtype),
        first=first,
        ends=ends,
    )


def new_scratch(layout: Layout, tables: arrays.Tables) -> arrays.PartScratch:
    """Return the working memory of one thread."""
    dtype, most = layout.network.dtype, int(max(tables.cells["n_states"], default=1))
    widest = max([0, *(p.n for p in layout.order)]) if np.any(tables.wires["gathered"] >= 0) else 0
    return arrays.PartScratch(
        fresh=room.aligned((most + 4) * arrays.BLOCK, dtype),
        margin=room.aligned(arrays.BLOCK, dtype),
        current=room.aligned(arrays.BLOCK, dtype),
        sums=room.aligned(widest, dtype),
        words=new_words(),
        waiting=Waiting(
            row=np.empty(_WAITING, np.int64),
            bundle=np.empty(_WAITING, np.int64),
            factor=np.empty(_WAITING, dtype),
            address=np.empty(_WAITING, np.int64),
            words=np.empty(_WAITING, np.int64),
            place=np.empty(_WAITING, np.uint64),
            copied=np.empty(_COPIED, np.uint16),
        ),
    )


def new_recent(
    layout: Layout,
    tables: arrays.Tables,
    bounds: NDArray[np.int64],
    slots: int,
    inputs: arrays.Events,
) -> tuple[arrays.RecentSpikes, arrays.Tables]:
    """Return empty lists of the spikes of the last `slots` steps, and where releases lie."""
    firing, parts = bounds[: tables.n_firing], bounds.shape[1] - 1
    starts = np.concatenate([[0], np.cumsum(firing[:, -1])]).astype(np.int64)
    shorts, width = tables.shorts.copy(), 0
    external = tables.wires["source"][tables.shorts["wire"]] < tables.n_inputs
    for q in np.flatnonzero(~external):
        shorts["release"][q] = width
        width += int(tables.shorts["n_pre"][q])
    end = slots * width
    for q in np.flatnonzero(external):
        shorts["release"][q] = end
        end += inputs.units.size
    pooled = layout.n_neurons if tables.pools.size else 0
    recent = arrays.RecentSpikes(
        mask=slots - 1,
        width=int(starts[-1]),
        first=np.ascontiguousarray(starts[:-1, None] + firing[:, :-1]),
        units=np.empty(slots * int(starts[-1]) + 1, np.int32),
        n_spikes=np.zeros((slots, parts, -(-tables.n_firing // _LINE) * _LINE), np.int32),
        none=np.empty(0, layout.network.dtype),
        release_width=width,
        release=np.zeros(end, layout.network.dtype),
        seen=np.full((parts, pooled), -1, np.int64),
    )
    return recent, tables._replace(shorts=shorts)


class Given(NamedTuple):
    """Spikes of the inputs, of one trial for all or one for each, and for how many steps."""

    events: arrays.Events
    steps: int

    def of_trial(self, trial: int, earlier: standing.Earlier | None) -> "Given":
        """Return those of one trial, with those of an earlier run before them."""
        row = trial % len(self.events.pointers)
        if earlier is None:
            return self._replace(events=events.row_of(self.events, row))
        before = events.after_each_other(earlier.inputs, self.events, np.array([row]))
        return self._replace(events=before)


def given_inputs(
    network: Network, spikes: Inputs | None, merge: bool, steps: int, silent: Any, n_trials: int
) -> Given:
    """Return the spikes of the inputs, as far as the run goes, but of silent ones.

    Raises
    ------
    ValueError
        If they do not fit the network, or the number of trials.
    """
    if spikes is not None and not network.inputs:
        raise ValueError("the network has no inputs: give spikes=None.")
    if spikes is None:
        return Given(events.no_events(1, 0, network.dtype), 0)
    found, given = bin_inputs(network, spikes, merge, steps)
    there = found.pointers.shape[0]
    if there not in (1, n_trials):
        raise ValueError(_other_trials(there, n_trials))
    return Given(silenced(network, found, silent), given)


def _other_trials(there, n_trials):
    """What to do with spikes of another number of trials."""
    if n_trials == 1:
        more = f", or run all of them: trials={there}" if there else ""
        return f"simulate runs one trial; spikes have {there}. Choose one: spikes[0]{more}."
    return (
        f"simulate runs {n_trials} trials; spikes have {there}. Give those of one trial, which "
        "all get, or one for each."
    )


def put_spikes(
    recent: arrays.RecentSpikes,
    tables: arrays.Tables,
    bounds: NDArray[np.int64],
    earlier: standing.Earlier,
    inputs: arrays.Events,
) -> None:
    """Put the spikes before a run, and their releases, where kernels look for them."""
    spikes, keep = earlier.spikes, earlier.spikes.before
    for n in range(-keep, 0):
        slot = (earlier.first_step + n) & recent.mask
        for p in range(tables.n_firing):
            first, last = events.between(spikes, 0, n, tables.n_firing, p)
            units = spikes.units[first:last]
            parts = np.searchsorted(bounds[p], units, side="right") - 1
            for t in range(bounds.shape[1] - 1):
                own = units[parts == t]
                at = slot * recent.width + recent.first[p, t]
                recent.units[at : at + own.size] = own
                recent.n_spikes[slot, t, p] = own.size
    for views, values in zip(
        _releases(recent, tables, bounds, inputs, earlier.first_step, keep), earlier.released
    ):
        at = 0
        for view in views:
            view[:] = values[at : at + view.size]
            at += view.size


def _releases(recent, tables, bounds, inputs, step, keep):
    """Of each wire with short-term plasticity, views of the releases of the last steps."""
    for short in tables.shorts:
        source, views = tables.wires["source"][short["wire"]], []
        for n in range(-keep, 0):
            if source < tables.n_inputs:
                first, last = events.between(inputs, 0, n, tables.n_inputs, source)
                views.append(recent.release[short["release"] + first : short["release"] + last])
                continue
            p, slot = source - tables.n_inputs, (step + n) & recent.mask
            for t in range(bounds.shape[1] - 1):
                at = slot * recent.release_width + short["release"]
                at += recent.first[p, t] - recent.first[p, 0]
                views.append(recent.release[at : at + recent.n_spikes[slot, t, p]])
        yield views


def ended(
    layout: Layout,
    wires: WireTables,
    tables: arrays.Tables,
    standpoint: Standpoint,
    recent: arrays.RecentSpikes,
    bounds: NDArray[np.int64],
    inputs: Given,
    begin: int,
    step: int,
) -> standing.Earlier:
    """Return where the network stands at a step of a run that began at `begin`."""
    keep, counts, units = layout.longest_delay, [], []
    for n in range(step - keep, step):
        slot = n & recent.mask
        for p in range(tables.n_firing):
            found = [np.empty(0, np.int32)]
            for t in range(bounds.shape[1] - 1 if n >= 0 else 0):
                at = slot * recent.width + recent.first[p, t]
                found.append(recent.units[at : at + recent.n_spikes[slot, t, p]])
            units.append(np.concatenate(found))
            counts.append(units[-1].size)
    spikes = arrays.Events(
        events.pointers_of(np.array(counts, np.int64).reshape(1, -1)),
        np.concatenate([np.empty(0, np.int32), *units]),
        inputs.events.values,
        keep,
    )
    done, n_inputs = step - begin, tables.n_inputs
    last = (min(done, inputs.steps) + inputs.events.before) * n_inputs
    first = min((done - keep + inputs.events.before) * n_inputs, last)
    own = [events.cut(inputs.events, np.arange(1), first, last)]
    return standing.Earlier(
        first_step=step,
        standing=standpoint.standing(),
        inputs=_padded(own, keep * n_inputs)._replace(before=keep),
        spikes=spikes,
        released=_released(recent, tables, bounds, inputs, begin, step, keep),
    )


def _padded(parts, columns):
    """Events of `events.cut`, with empty columns behind them."""
    counts, units, values = parts[0]
    missing = np.zeros((1, columns - counts.shape[1]), np.int64)
    return events.one_after_other([(np.concatenate([counts, missing], axis=1), units, values)])


def _released(recent, tables, bounds, inputs, begin, step, keep):
    """The releases of the last steps, wire by wire."""
    found = []
    for short in tables.shorts:
        source, parts = tables.wires["source"][short["wire"]], [recent.release[:0]]
        for n in range(step - keep, step):
            if source < tables.n_inputs:
                if n - begin < inputs.steps:
                    first, last = events.between(
                        inputs.events, 0, n - begin, tables.n_inputs, source
                    )
                    at = short["release"]
                    parts.append(recent.release[at + first : at + last])
                continue
            p, slot = source - tables.n_inputs, n & recent.mask
            for t in range(bounds.shape[1] - 1 if n >= 0 else 0):
                at = slot * recent.release_width + short["release"]
                at += recent.first[p, t] - recent.first[p, 0]
                parts.append(recent.release[at : at + recent.n_spikes[slot, t, p]])
        found.append(np.concatenate(parts))
    return tuple(found)
