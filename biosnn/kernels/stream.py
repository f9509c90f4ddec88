"""One large network for as long as you like: steps of the parts that belong to a thread.

A step is that of trials.py: integrate, threshold, synapses, reset. Part t has the neurons
bounds[p, t] .. bounds[p, t + 1] - 1 of population p and everything that arrives there; a thread
takes some of them. Nothing is shared but the lists of spikes, which are complete up to the last
meeting of the threads. Between two meetings a part goes through several steps, so that it stays in
the cache. Every target adds its inputs in the same order for any number of parts, which is that of
trials.py. Kernels see rows of tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .arrays import BLOCK, NO_ESCAPE
from .bundles import deliver_bundles
from .dense import deliver_dense
from .events import emitted_in_part, find, listed
from .jit import kernel
from .meeting import meet
from .membrane import fill_bias, update
from .memory import lent, part
from .plasticity import arrive_and_learn, learn_from_targets, use_resources
from .pooling import pool_spikes
from .random import add_currents, add_poisson, draw_spikes
from .threshold import hold, jump, reset
from .wires import forget, take, targets_of, weights_of

_ZERO, _ONE = np.int64(0), np.int64(1)


@kernel
def _update(tables, background, key, parts, span, memory, scratch, p, i, m, n, t):
    """Currents, update and margins of a block of population p, in part t."""
    cell, population, trial = parts.cells[t, p], parts.populations[t, p], span.trial
    first, last, words = background.first[p], background.first[p + 1], scratch.words
    driven = cell.biased or first < last
    current = part(scratch.current, 0, m if driven else 0)
    if driven:
        fill_bias(cell, tables, i, m, current)
        ou, own = memory.ou, parts.sources[t]
        add_currents(own, background, first, last, trial, key, n, i, m, words, ou, current)
    update(cell, tables, i, m, memory.x, memory.clock, current, scratch.fresh, scratch.margin)
    if population.escape != NO_ESCAPE:
        draw_spikes(population, p, key, n, i, m, scratch.margin, words)


@kernel
def _find_spikes(tables, background, key, span, recent, parts, memory, scratch, n, t):
    """Integrate, threshold: the spikes of step n of part t."""
    bounds, slot, none, width = (
        parts.bounds,
        n & recent.mask,
        recent.units[:0],
        scratch.margin.dtype.type(0),
    )
    for p in range(tables.cells.size):
        cell, begin, end, count = parts.cells[t, p], bounds[p, t], bounds[p, t + 1], _ZERO
        base = slot * recent.width + recent.first[p, t] if p < tables.n_firing else _ZERO
        units = part(recent.units, base, end - begin if cell.spiking else 0)
        for i in range(begin, end if cell.n_states else begin, BLOCK):
            m = min(BLOCK, end - i)
            _update(tables, background, key, parts, span, memory, scratch, p, i, m, n, t)
            if cell.spiking:
                count, _ = find(scratch.margin, i, m, width, units, count, none, _ZERO)
        if p < tables.n_firing:
            recent.n_spikes[slot, t, p] = count


@kernel
def _use_resources(tables, inputs, recent, span, memory, n, t):
    """Short-term plasticity at the spikes of step n of part t."""
    for q in range(tables.shorts.size):
        wire = tables.wires[tables.shorts[q].wire]
        sent = emitted_in_part(tables, inputs, recent, span, wire, n, t)
        use_resources(tables.shorts[q], n, sent, recent.none, memory.resource)


@kernel
def _pool(tables, recent, bounds, row, first, last, t):
    """The spikes of steps first .. last of the units of part t that pool."""
    p, seen = row.population, recent.seen[t]
    begin, end = bounds[p, t], bounds[p, t + 1]
    neuron_first = tables.populations[row.source].neuron_first
    for n in range(first, last + 1):
        for other in range(bounds.shape[1] - 1):
            sent = listed(recent, row.source, n, other)
            for e in range(sent.first, sent.last):
                seen[neuron_first + recent.units[e]] = n
        slot = n & recent.mask
        units = part(recent.units, slot * recent.width + recent.first[p, t], end - begin)
        count = pool_spikes(row, tables.member, seen, n, begin, end, units, _ZERO)
        recent.n_spikes[slot, t, p] = count


@kernel
def _ring_of(parts, memory, t):
    """The ring of arrivals of part t."""
    return part(memory.ring, parts.ring_first[t], parts.ring_slots * parts.ring_width[t])


@kernel
def _send(tables, inputs, recent, parts, span, memory, scratch, first, last, t):
    """Spikes of steps first .. last into the ring of arrivals of part t."""
    ring = _ring_of(parts, memory, t)
    for n in range(first, last + 1 if ring.size else first):
        deliver_bundles(tables, inputs, recent, span, parts, _ONE, n, t, scratch.waiting, ring)


@kernel
def _send_again(tables, inputs, recent, parts, span, memory, scratch, t):
    """What was on its way from an earlier run."""
    ring = _ring_of(parts, memory, t)
    for n in range(max(span.first - inputs.before, 0), span.first if ring.size else 0):
        _send(tables, inputs, recent, parts, span, memory, scratch, n, n, t)
        forget(n, ring, parts.ring_width[t])


@kernel
def _learn(tables, plastic, inputs, recent, span, wire, n, t, senders, x):
    """What arrives at step n through a wire whose weights learn, and what its targets teach it."""
    w, target, split = weights_of(wire, x), targets_of(wire), tables.split
    for other in range(senders if n >= wire.delay else 0):
        sent = emitted_in_part(tables, inputs, recent, span, wire, n - wire.delay, other)
        arrive_and_learn(plastic, wire, target, split, t, w, sent, n, x)
    learn_from_targets(plastic, wire.learns, t, w, listed(recent, wire.post, n, t), n)


@kernel
def _arrive(tables, inputs, recent, parts, span, wire, n, t, sums, x):
    """What was emitted `delay` steps before arrives now through a dense wire, j ascending.

    The events of an input are summed first, as in batches of trials.
    """
    w, n_post, jump_, m = weights_of(wire, x), wire.n_post, x.dtype.type(wire.jump), n - wire.delay
    begin, size = parts.bounds[wire.post, t], np.int64(0)
    size = parts.bounds[wire.post, t + 1] - begin
    y, one = part(x, wire.target + begin, size), x.dtype.type(1)
    if wire.gathered >= 0:
        total = part(sums, 0, size)
        sent = emitted_in_part(tables, inputs, recent, span, wire, m, _ZERO)
        if sent.first < sent.last:
            for i in range(size):
                total[i] = 0
            deliver_dense(w, n_post, begin, size, one, sent, total)
            for i in range(size):
                y[i] += jump_ * total[i]
        return
    external = wire.source < tables.n_inputs
    senders = parts.bounds.shape[1] - 1 if m >= 0 or external else 0
    for other in range(senders if size else 0):
        sent = emitted_in_part(tables, inputs, recent, span, wire, m, other)
        deliver_dense(w, n_post, begin, size, jump_, sent, y)


@kernel
def _deliver(tables, background, key, plastic, inputs, recent, parts, span, memory, scratch, n, t):
    """Everything that arrives at step n at the neurons of part t."""
    bounds, x, ring = parts.bounds, memory.x, _ring_of(parts, memory, t)
    for s in range(background.n_currents, background.sources.size):
        source = parts.sources[t, s]
        begin, end = bounds[source.population, t], bounds[source.population, t + 1]
        add_poisson(source, background, span.trial, key, n, begin, end, scratch.words, x)
    for k in range(tables.wires.size):
        wire = parts.wires[t, k]
        if wire.learns >= 0:
            _learn(tables, plastic, inputs, recent, span, wire, n, t, bounds.shape[1] - 1, x)
        elif wire.dense:
            _arrive(tables, inputs, recent, parts, span, wire, n, t, scratch.sums, x)
    deliver_bundles(tables, inputs, recent, span, parts, _ZERO, n, t, scratch.waiting, x)
    for c in range(tables.columns.size):
        column, at = parts.columns[t, c], parts.column[c, t]
        begin, end = bounds[column.population, t], bounds[column.population, t + 1]
        take(column, at, begin, end - begin, n, ring, parts.ring_width[t], x)


@kernel
def _reset(tables, recent, parts, memory, scratch, n, t):
    """Reset and jumps of the neurons of part t that spiked; what moved a clamped U is lost."""
    x, numbers, none, clock, held = memory.x, tables.numbers, recent.none, memory.clock, memory.held
    for p in range(tables.n_firing):
        cell = parts.cells[t, p]
        if cell.n_states:
            sent = listed(recent, p, n, t)
            reset(parts.populations[t, p], cell, numbers, sent, none, x, clock, held)
    for k in range(tables.jumps.size):
        row = parts.jumps[t, k]
        if n >= row.delay:
            jump(row, numbers, listed(recent, row.population, n - row.delay, t), x)
    for p in range(tables.cells.size):
        cell = parts.cells[t, p]
        if cell.holds:
            begin, end = parts.bounds[p, t], parts.bounds[p, t + 1]
            hold(cell, begin, end, clock, held, scratch.fresh, x)


@kernel
def _keep(record, span, memory, n, t):
    """The chosen states of part t at the end of step n."""
    if record.element.size and n % record.every == 0:
        row = n // record.every - (span.first - 1) // record.every - 1
        for c in range(record.first[t], record.first[t + 1]):
            record.values[row, record.column[c]] = memory.x[record.element[c]]


@kernel
def advance(
    tables,
    background,
    key,
    plastic,
    inputs,
    recent,
    parts,
    span,
    record,
    memory,
    scratch,
    control,
    thread,
    threads,
):
    """The steps of `span` of the parts that belong to a thread.

    At the end all threads have met, and all spikes are sent.
    """
    tables, background, plastic, inputs, recent, parts, span, record, memory, scratch = (
        lent(tables),
        lent(background),
        lent(plastic),
        lent(inputs),
        lent(recent),
        lent(parts),
        lent(span),
        lent(record),
        lent(memory),
        lent(scratch),
    )
    bounds, last, meetings, n = parts.bounds, span.last, 0, span.first
    all_parts = bounds.shape[1] - 1
    mine = range(all_parts * thread // threads, all_parts * (thread + 1) // threads)
    for t in mine if n < last else range(0):
        if n == span.begin:
            _send_again(tables, inputs, recent, parts, span, memory, scratch, t)
        _find_spikes(tables, background, key, span, recent, parts, memory, scratch, n, t)
        _use_resources(tables, inputs, recent, span, memory, n, t)
    known, found = n - 1, n  # spikes that all threads know of, and those that there are
    while known < last - 1:
        meetings += 1
        meet(control, meetings, threads)
        for k in range(tables.pools.size):  # what they pool is complete now
            for t in mine:
                _pool(tables, recent, bounds, tables.pools[k], known + 1, found, t)
            meetings += 1
            meet(control, meetings, threads)
        # what is found now arrives after the shortest delay at the earliest: no meeting until then
        until = min(found + span.shortest + 1, last)
        for t in mine:
            _send(tables, inputs, recent, parts, span, memory, scratch, known + 1, found, t)
            for m in range(n, until):
                _deliver(
                    tables,
                    background,
                    key,
                    plastic,
                    inputs,
                    recent,
                    parts,
                    span,
                    memory,
                    scratch,
                    m,
                    t,
                )
                _reset(tables, recent, parts, memory, scratch, m, t)
                _keep(record, span, memory, m, t)
                if m + 1 < last:
                    following = m + 1
                    _find_spikes(
                        tables,
                        background,
                        key,
                        span,
                        recent,
                        parts,
                        memory,
                        scratch,
                        following,
                        t,
                    )
                    _use_resources(tables, inputs, recent, span, memory, following, t)
        known, found, n = found, min(until, last - 1), until


# ----------------------------------------------------------------------------------- around the run


@kernel
def collect(recent, p, first, last, steps, units):
    """Spikes of population p in steps first .. last - 1, into `steps` and `units`.

    They are sorted by step, and then by part and neuron.
    """
    total = 0
    for n in range(first, last):
        for t in range(recent.first.shape[1]):
            sent = listed(recent, p, n, t)
            for e in range(sent.first, sent.last):
                steps[total], units[total] = n, recent.units[e]
                total += 1
