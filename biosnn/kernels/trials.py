"""A batch of trials forward in time: it calls the parts of a step in their order, and only loops.

The order of a step is Brian2's: integrate, threshold, synapses, reset.

    update      U*, I* = M (U, I) + …                 a clamped (refractory) U stays (membrane.py)
    find        S = U* > theta, or drawn              (events.py, random.py)
    deliver     I_i += W_ji S_j[n - D]                (wires.py)
    reset       U = U + S (U_reset - U), and jumps    (threshold.py)

A tile of trials goes through each part side by side. trials_adjoint.py is the way back, stream.py
the same step for one large network. Kernels see rows of tables, arrays and scalars only
(arrays.py).
"""

import numpy as np

from .arrays import BEFORE_RESET, BLOCK, END_OF_STEP
from .dense import gather_inputs
from .events import emitted, find, find_smoothly, of_population
from .jit import kernel
from .meeting import is_raised
from .membrane import fill_currents, update
from .memory import lent, part
from .plasticity import remember_resources, use_resources
from .pooling import pool
from .random import add_currents, add_poisson, draw_spikes
from .recording import begin, keep, keep_end, record
from .threshold import hold, jump, reset
from .wires import delays_of, deliver, forget, send, take, targets_of, weights_of

AHEAD = 192  # steps times trials whose input events are delivered together
# of one type: a literal would make a kernel of its own
_AT_END, _BEFORE, _ZERO = np.int64(END_OF_STEP), np.int64(BEFORE_RESET), np.int64(0)


@kernel
def _gather(tables, weight, drive, start, trials, first, last, scratch):
    """What inputs add to currents at steps first .. last - 1, wire by wire."""
    rows = drive.rows[start : start + trials]
    for k in range(tables.wires.size):
        wire = tables.wires[k]
        if wire.gathered >= 0:
            w, n_inputs = weights_of(wire, weight), tables.n_inputs
            gather_inputs(wire, w, drive.inputs, rows, n_inputs, first, last, scratch)


@kernel
def _update_all(tables, current, fresh, x, clock, margins):
    """U*, I* = M (U, I) + … of all neurons of one trial."""
    nothing = part(current, 0, 0)
    for c in range(tables.cells.size):
        cell = tables.cells[c]
        for i in range(0, cell.n if cell.n_states else 0, BLOCK):
            a, m = cell.neuron_first + i, min(BLOCK, cell.n - i)
            flows = part(current, a, m) if current.size else nothing
            margin = part(margins, a, m) if cell.spiking else nothing
            update(cell, tables, i, m, x, clock, flows, fresh, margin)


@kernel
def _integrate(tables, drive, recording, scratch, start, trials, n, slot):
    """Currents, updates and margins of all trials; some spikes are drawn, and units pool."""
    current, background, step = scratch.current, drive.background, drive.first_step + n
    for b in range(trials):
        row, margins = start + b, recording.margin[start + b, slot]
        key, words = drive.key[row], scratch.words
        if current.size:
            fill_currents(tables, drive, row, n, current)
            for s in range(background.n_currents):
                source = background.sources[s]
                own, size = part(current, source.neuron_first, source.n), source.n
                trial = drive.trial[row]
                sources, ou = background.sources, scratch.ou[b]
                add_currents(
                    sources, background, s, s + 1, trial, key, step, _ZERO, size, words, ou, own
                )
            if recording.currents.shape[1]:
                keep(current, recording.currents[row, n])
        _update_all(tables, current, scratch.fresh, scratch.x[b], scratch.clock[b], margins)
        for p in range(tables.n_firing if drive.random else 0):
            population = tables.populations[p]
            margin = part(margins, population.neuron_first, population.n)
            draw_spikes(population, p, key, step, _ZERO, population.n, margin, words)
        for k in range(tables.pools.size):
            pool(tables.pools[k], tables.member, margins)


@kernel
def _spike(tables, recording, start, trials, n, slot):
    """S = U* > theta: the events of all populations and units that pool."""
    spikes, near = recording.spikes, recording.near
    none, smooth = near.units[:0], spikes.values.size > 0
    for b in range(start, start + trials):
        at, known = (n + spikes.before) * tables.n_firing, n * tables.n_firing
        for p in range(tables.n_firing):
            population = tables.populations[p]
            cell, size = tables.cells[population.cell], population.n
            margin = part(recording.margin[b, slot], population.neuron_first, size)
            count, count_near = spikes.pointers[b, at + p], _ZERO
            if near.units.size:
                count_near = near.pointers[b, known + p]
            if smooth:
                count = find_smoothly(cell, margin, size, spikes.units, spikes.values, count)
            else:
                listed = near.units if near.units.size and cell.cutoff < np.inf else none
                width, units = margin.dtype.type(cell.cutoff), spikes.units
                count, count_near = find(
                    margin, _ZERO, size, width, units, count, listed, count_near
                )
            spikes.pointers[b, at + p + 1] = count
            if near.units.size:
                near.pointers[b, known + p + 1] = count_near


@kernel
def _release(tables, drive, recording, scratch, start, trials, n):
    """Short-term plasticity at the spikes of step n."""
    step = drive.first_step + n
    for q in range(tables.shorts.size):
        short = tables.shorts[q]
        wire = tables.wires[short.wire]
        for b in range(trials):
            factors = drive.inputs.values
            if wire.source >= tables.n_inputs:
                factors = recording.spikes.values
            sent = emitted(tables, drive, recording, wire, start + b, n)
            use_resources(short, step, sent, factors, scratch.resource[b])
            if recording.resources.shape[1]:
                after = recording.resources[start + b, n + 1]
                remember_resources(short, step, scratch.resource[b], after)


@kernel
def _send(tables, weight, drive, recording, scratch, start, trials, n):
    """What was emitted at step n and has delays of its own goes into the ring."""
    split, width, step = tables.split, tables.ring_width, drive.first_step + n
    for k in range(tables.wires.size):
        wire = tables.wires[k]
        w, target, delay = weights_of(wire, weight), targets_of(wire), delays_of(wire)
        for b in range(trials if wire.ring >= 0 else 0):
            sent = emitted(tables, drive, recording, wire, start + b, n)
            send(wire, target, delay, split, w, sent, step, scratch.ring[b], width)


@kernel
def _send_again(tables, weight, drive, recording, scratch, start, trials):
    """What was on its way from an earlier run, with the weights of this one."""
    scratch.ring[:] = 0
    for n in range(-min(recording.spikes.before, drive.first_step), 0):
        _send(tables, weight, drive, recording, scratch, start, trials, n)
        for b in range(trials if tables.columns.size else 0):
            forget(drive.first_step + n, scratch.ring[b], tables.ring_width)


@kernel
def _arrive(tables, weight, drive, recording, scratch, start, trials, n):
    """I_i += W_ji S_j[n - D], wire by wire, where all synapses have one delay."""
    ahead, split = scratch.arriving.shape[0], tables.split
    for k in range(tables.wires.size):
        wire = tables.wires[k]
        w, factor, target = weights_of(wire, weight), weight.dtype.type(wire.jump), targets_of(wire)
        for b in range(trials if wire.ring < 0 else 0):
            y = part(scratch.x[b], wire.target, wire.n_post)
            if wire.gathered >= 0:
                row = part(scratch.arriving[n % ahead, b], wire.gathered, wire.n_post)
                for i in range(y.size):
                    y[i] += factor * row[i]
            else:
                sent = emitted(tables, drive, recording, wire, start + b, n - wire.delay)
                deliver(wire, target, split, w, factor, sent, y)


@kernel
def _deliver(tables, weight, drive, recording, scratch, start, trials, n):
    """Background, then what arrives through wires, then what waited in the ring."""
    background, step = drive.background, drive.first_step + n
    for b in range(trials):
        trial, key, x = drive.trial[start + b], drive.key[start + b], scratch.x[b]
        for s in range(background.n_currents, background.sources.size):
            source = background.sources[s]
            add_poisson(source, background, trial, key, step, _ZERO, source.n, scratch.words, x)
    _arrive(tables, weight, drive, recording, scratch, start, trials, n)
    _send(tables, weight, drive, recording, scratch, start, trials, n)
    for c in range(tables.columns.size):
        column = tables.columns[c]
        for b in range(trials):
            ring, x, width = scratch.ring[b], scratch.x[b], tables.ring_width
            take(column, column.at, _ZERO, column.n, step, ring, width, x)


@kernel
def _reset(tables, recording, scratch, start, trials, n, slot):
    """U = U + S (U_reset - U), and the jumps of other states; what moved a clamped U is lost."""
    spikes, numbers, cells = recording.spikes, tables.numbers, tables.cells
    none = recording.margin[0, 0][:0]
    for b in range(trials):
        x, clock, held, row = scratch.x[b], scratch.clock[b], scratch.held[b], start + b
        margin = recording.margin[row, slot] if spikes.values.size else none
        for p in range(tables.n_firing):
            population = tables.populations[p]
            if cells[population.cell].n_states:
                sent = of_population(spikes, row, n, tables.n_firing, p)
                reset(population, cells[population.cell], numbers, sent, margin, x, clock, held)
        for k in range(tables.jumps.size):
            each = tables.jumps[k]
            sent = of_population(spikes, row, n - each.delay, tables.n_firing, each.population)
            jump(each, numbers, sent, x)
        for c in range(cells.size):
            if cells[c].holds:
                hold(cells[c], _ZERO, cells[c].n, clock, held, scratch.fresh, x)


@kernel
def _count(tables, recording, scratch, start, trials, n):
    """Spike counts; and U just before the reset, where the adjoint needs it."""
    one = recording.counts.dtype.type(1)
    spikes, units, values = recording.spikes, recording.spikes.units, recording.spikes.values
    for b in range(start, start + trials):
        for p in range(tables.n_firing):
            sent = of_population(spikes, b, n, tables.n_firing, p)
            population = tables.populations[p]
            counts = part(recording.counts[b], population.neuron_first, population.n)
            for e in range(sent.first, sent.last):
                counts[units[e]] += values[e] if values.size else one
        for c in range(tables.cells.size if recording.ready.shape[1] else 0):
            cell = tables.cells[c]
            size = cell.n if cell.spiking else 0
            u = part(scratch.x[b - start], cell.state_first, size)
            keep(u, part(recording.ready[b, n], cell.neuron_first, size))


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
        begin(tables, recording, drive, trials, start, scratch)
        _send_again(tables, weight, drive, recording, scratch, start, trials)
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
            _count(tables, recording, scratch, start, trials, n)
            _reset(tables, recording, scratch, start, trials, n, slot)
            record(recording, _AT_END, trials, scratch.x, start, n)
        if recording.end.states.shape[0]:
            keep_end(recording.end, trials, start, scratch)
