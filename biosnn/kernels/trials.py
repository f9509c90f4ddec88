"""A batch of trials forward in time: it calls the parts of a step in their order, and only loops.

The order of a step is Brian2's: integrate, threshold, synapses, reset.

    update      U*, I* = M (U, I) + …                 a clamped (refractory) U stays (membrane.py)
    threshold   S = U* > theta, or drawn              (threshold.py, random.py)
    deliver     I_i += W_ji S_j[n - D]                (wires.py)
    reset       U = U + S (U_reset - U), and jumps    (threshold.py)

A tile of trials goes through each part side by side. trials_adjoint.py is the way back, stream.py
the same step for one large network. Kernels see rows of tables, arrays and scalars only
(arrays.py).
"""

import numpy as np

from .arrays import BEFORE_RESET, BLOCK, END_OF_STEP
from .dense import gather_inputs
from .jit import is_raised, kernel, lent, part
from .membrane import own, update
from .plasticity import remember_resources, use_resources
from .pooling import pool
from .random import CURRENT, add_current, add_ou, add_poisson, draw_spikes
from .recording import record
from .threshold import between, find, find_smoothly, hold, jump, reset
from .wires import delays_of, deliver, send, take, targets_of, weights_of

AHEAD = 192  # steps times trials whose input events are delivered together
# of one type: a literal would make a kernel of its own
_AT_END, _BEFORE = np.int64(END_OF_STEP), np.int64(BEFORE_RESET)


@kernel
def fill_currents(cells, numbers, blocks, injected, current):
    """current = bias + injected, of the neurons of one trial."""
    for c in range(cells.size):
        cell = cells[c]
        for i in range(0, cell.n, BLOCK):
            m = min(BLOCK, cell.n - i)
            bias, total = own(cell.bias, numbers, i, m), part(current, cell.neuron_first + i, m)
            for k in range(m):
                total[k] = bias[k]
    for m in range(blocks.size.size if injected.size else 0):
        column = part(injected, blocks.column[m], blocks.size[m])
        total = part(current, blocks.tag[m], blocks.size[m])
        for k in range(blocks.size[m]):
            total[k] += column[k]


@kernel
def emitted(tables, drive, recording, wire, b, n):
    """What wire carries of step n in trial b: units, values, their shift, first and last event."""
    source, spikes = wire.source, recording.spikes
    if source < tables.n_inputs:
        row, events = drive.rows[b], drive.inputs
        first, last = between(events, row, n, tables.n_inputs, source)
    else:
        row, events = b, spikes
        first, last = between(events, row, n, tables.n_firing, source - tables.n_inputs)
    if wire.short < 0:
        return events.units, events.values, np.int64(0), first, last
    shift = events.pointers[row, 0] - tables.shorts[wire.short].release
    return events.units, recording.release[b], shift, first, last


@kernel
def _gather(tables, weight, drive, start, trials, first, last, scratch):
    """What inputs add to currents at steps first .. last - 1, wire by wire."""
    for k in range(tables.wires.size):
        wire = tables.wires[k]
        if wire.gathered >= 0:
            gather_inputs(
                weights_of(wire, weight),
                wire.n_post,
                scratch.sums.size,
                drive.inputs,
                drive.rows[start : start + trials],
                trials,
                tables.n_inputs,
                wire.source,
                first,
                last,
                wire.delay,
                wire.gathered,
                scratch.arriving,
            )


@kernel
def fill_all_currents(tables, drive, n, b, ou, words, current):
    """current = bias + injected + background, of all neurons of trial b; sources take their step."""
    background, step = drive.background, drive.first_step + n
    injected = drive.current[b, n] if drive.current.shape[1] else drive.current[b].reshape(-1)
    fill_currents(tables.cells, tables.numbers, drive.blocks, injected, current)
    for s in range(background.n_currents):
        source = background.sources[s]
        own_part = part(current, source.neuron_first, source.n)
        if source.kind == CURRENT:
            add_current(
                source,
                background.starts,
                background.values,
                drive.trial[b],
                step,
                0,
                source.n,
                own_part,
            )
        else:
            add_ou(
                source,
                background.values,
                drive.trial[b],
                drive.key[b],
                step,
                0,
                0,
                source.n,
                words,
                ou,
                own_part,
            )


@kernel
def _integrate(tables, drive, recording, scratch, start, trials, n, slot):
    """U*, I* = M (U, I) + …, and margins, for all populations; some spikes are drawn."""
    cells, current, margins = tables.cells, scratch.current, recording.margin
    nothing = part(current, 0, 0)
    for b in range(trials):
        x, clock, margin = scratch.x[b], scratch.clock[b], margins[start + b, slot]
        if current.size:
            fill_all_currents(tables, drive, n, start + b, scratch.ou[b], scratch.words, current)
            if recording.currents.shape[1]:
                recording.currents[start + b, n] = current
        for c in range(cells.size):
            cell = cells[c]
            for i in range(0, cell.n if cell.n_states else 0, BLOCK):
                a, m = cell.neuron_first + i, min(BLOCK, cell.n - i)
                update(
                    cell,
                    tables.states,
                    tables.terms,
                    tables.numbers,
                    i,
                    m,
                    x,
                    clock,
                    part(current, a, m) if current.size else nothing,
                    scratch.fresh,
                    part(margin, a, m) if cell.spiking else nothing,
                )
        if drive.random:
            for p in range(tables.n_firing):
                population = tables.populations[p]
                own_part = part(margin, population.neuron_first, population.n)
                draw_spikes(
                    population,
                    p,
                    drive.key[start + b],
                    drive.first_step + n,
                    0,
                    population.n,
                    own_part,
                    scratch.words,
                )
        for k in range(tables.pools.size):
            pool(tables.pools[k], tables.member, margin)


@kernel
def _spike(tables, recording, start, trials, n, slot):
    """S = U* > theta: the events of all populations and units that pool."""
    spikes, near, margins = recording.spikes, recording.near, recording.margin
    none, smooth = near.units[:0], spikes.values.size > 0
    for b in range(start, start + trials):
        at = (n + spikes.before) * tables.n_firing
        for p in range(tables.n_firing):
            population = tables.populations[p]
            cell, size = tables.cells[population.cell], population.n
            margin = part(margins[b, slot], population.neuron_first, size)
            count, count_near = spikes.pointers[b, at + p], np.int64(0)
            listed = near.units.size > 0 and cell.cutoff < np.inf
            if near.units.size:
                count_near = near.pointers[b, n * tables.n_firing + p]
            if smooth:
                count = find_smoothly(cell, margin, size, spikes.units, spikes.values, count)
            else:
                count, count_near = find(
                    margin,
                    0,
                    size,
                    margin.dtype.type(cell.cutoff),
                    spikes.units,
                    count,
                    near.units if listed else none,
                    count_near,
                )
            spikes.pointers[b, at + p + 1] = count
            if near.units.size:
                near.pointers[b, n * tables.n_firing + p + 1] = count_near


@kernel
def _release(tables, drive, recording, scratch, start, trials, n):
    """Short-term plasticity at the spikes of step n, and what goes into the ring of arrivals."""
    for q in range(tables.shorts.size):
        short = tables.shorts[q]
        for b in range(trials):
            wire = tables.wires[short.wire]
            units, release, shift, first, last = emitted(
                tables, drive, recording, wire, start + b, n
            )
            values = drive.inputs.values
            if wire.source >= tables.n_inputs:
                values = recording.spikes.values
            resource = scratch.resource[b]
            step = drive.first_step + n
            use_resources(short, step, units, values, first, last, resource, release, shift)
            if recording.resources.shape[1]:
                remember_resources(short, step, resource, recording.resources[start + b, n + 1])


@kernel
def _deliver(tables, weight, drive, recording, scratch, start, trials, n):
    """Background, then I_i += W_ji S_j[n - D], wire by wire, then what waited in the ring."""
    background, step = drive.background, drive.first_step + n
    ahead = scratch.arriving.shape[0]
    for b in range(trials):
        x = scratch.x[b]
        for s in range(background.n_currents, background.sources.size):
            source = background.sources[s]
            add_poisson(
                source,
                background.starts,
                background.values,
                background.table,
                drive.trial[start + b],
                drive.key[start + b],
                step,
                0,
                source.n,
                scratch.words,
                x,
            )
    for k in range(tables.wires.size):
        wire = tables.wires[k]
        w = weights_of(wire, weight)
        for b in range(trials):
            y = part(scratch.x[b], wire.target, wire.n_post)
            if wire.gathered >= 0:
                row = part(scratch.arriving[n % ahead, b], wire.gathered, wire.n_post)
                jump_ = y.dtype.type(wire.jump)
                for i in range(wire.n_post):
                    y[i] += jump_ * row[i]
                continue
            late = wire.ring >= 0
            units, values, shift, first, last = emitted(
                tables, drive, recording, wire, start + b, n if late else n - wire.delay
            )
            if first == last:
                continue
            if late:
                send(
                    wire,
                    targets_of(wire),
                    delays_of(wire),
                    tables.split,
                    0,
                    w,
                    units,
                    values,
                    shift,
                    first,
                    last,
                    step,
                    scratch.ring[b],
                    tables.ring_width,
                )
            else:
                deliver(
                    wire,
                    targets_of(wire),
                    tables.split,
                    0,
                    0,
                    wire.n_post,
                    w,
                    y.dtype.type(wire.jump),
                    units,
                    values,
                    shift,
                    first,
                    last,
                    y,
                )
    for c in range(tables.columns.size):
        column = tables.columns[c]
        for b in range(trials):
            take(column, 0, column.n, step, scratch.ring[b], tables.ring_width, scratch.x[b])


@kernel
def _reset(tables, recording, scratch, start, trials, n, slot):
    """U = U + S (U_reset - U), counts, and the jumps of other states."""
    spikes, numbers, none = recording.spikes, tables.numbers, recording.margin[0, 0][:0]
    smooth = spikes.values.size > 0
    one = scratch.x.dtype.type(1)
    for b in range(trials):
        x, clock, held, row = scratch.x[b], scratch.clock[b], scratch.held[b], start + b
        margin = recording.margin[row, slot] if smooth else none
        if recording.ready.shape[1]:
            for c in range(tables.cells.size):
                cell = tables.cells[c]
                for i in range(cell.n if cell.spiking else 0):
                    recording.ready[row, n, cell.neuron_first + i] = x[cell.state_first + i]
        for p in range(tables.n_firing):
            population = tables.populations[p]
            first, last = between(spikes, row, n, tables.n_firing, p)
            cell = tables.cells[population.cell]
            if cell.n_states:
                reset(
                    population,
                    cell,
                    numbers,
                    spikes.units,
                    spikes.values,
                    first,
                    last,
                    margin,
                    x,
                    clock,
                    held,
                )
            counts = part(recording.counts[row], population.neuron_first, population.n)
            for e in range(first, last):
                counts[spikes.units[e]] += spikes.values[e] if smooth else one
        for k in range(tables.jumps.size):
            each = tables.jumps[k]
            first, last = between(spikes, row, n - each.delay, tables.n_firing, each.population)
            jump(each, numbers, spikes.units, spikes.values, first, last, x)
        for c in range(tables.cells.size):
            if tables.cells[c].holds:
                hold(tables.cells[c], 0, tables.cells[c].n, clock, held, x)


@kernel
def _begin(tables, recording, start, step, trials, first, scratch):
    """States, clocks and arrivals of a tile of trials before its first step."""
    for b in range(trials):
        row = first + b
        for into, given in (
            (scratch.x, start.states),
            (scratch.held, start.held),
            (scratch.ring, start.ring),
            (scratch.ou, start.ou),
        ):
            for i in range(given.shape[1]):
                into[b, i] = given[row % given.shape[0], i]
        for i in range(start.clock.shape[1]):
            scratch.clock[b, i] = start.clock[row % start.clock.shape[0], i]
        for i in range(start.resource.shape[1]):
            scratch.resource[b, i] = start.resource[row % start.resource.shape[0], i]
        if recording.resources.shape[1]:
            for q in range(tables.shorts.size):
                before = recording.resources[row, 0]
                remember_resources(tables.shorts[q], step - 1, scratch.resource[b], before)


@kernel
def _keep_end(end, trials, first, scratch):
    """… and after its last."""
    for b in range(trials):
        row = first + b
        for into, given in (
            (end.states, scratch.x),
            (end.held, scratch.held),
            (end.ring, scratch.ring),
            (end.ou, scratch.ou),
        ):
            for i in range(into.shape[1]):
                into[row, i] = given[b, i]
        for i in range(end.clock.shape[1]):
            end.clock[row, i] = scratch.clock[b, i]
        for i in range(end.resource.shape[1]):
            end.resource[row, i] = scratch.resource[b, i]


@kernel
def forward(tables, weight, drive, recording, scratch, steps, first, last, stop):
    """Simulate trials first .. last - 1 of the batch, and write `recording`.

    stop: int64; the run ends early, and what it wrote is worth nothing, as soon as stop[0] is not
    0.
    """
    tables, drive, recording, scratch = lent(tables), lent(drive), lent(recording), lent(scratch)
    stored = recording.margin.shape[1] == steps
    tile, ahead = scratch.x.shape[0], scratch.arriving.shape[0]
    for start in range(first, last, tile):
        trials = min(tile, last - start)
        _begin(tables, recording, drive.start, drive.first_step, trials, start, scratch)
        for n in range(steps):
            if is_raised(stop, 0):
                return
            slot = n if stored else 0
            if n % ahead == 0:
                until = min(n + ahead, steps)
                _gather(tables, weight, drive, start, trials, n, until, scratch)
            _integrate(tables, drive, recording, scratch, start, trials, n, slot)
            _spike(tables, recording, start, trials, n, slot)
            record(recording, _BEFORE, trials, scratch.x, start, n)
            _release(tables, drive, recording, scratch, start, trials, n)
            _deliver(tables, weight, drive, recording, scratch, start, trials, n)
            _reset(tables, recording, scratch, start, trials, n, slot)
            record(recording, _AT_END, trials, scratch.x, start, n)
        if recording.end.states.shape[0]:
            _keep_end(recording.end, trials, start, scratch)
