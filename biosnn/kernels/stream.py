"""One large network for as long as you like: all steps of the part that belongs to a thread.

A step is that of trials.py: integrate, threshold, synapses, reset. Part t has the neurons
bounds[p, t] .. bounds[p, t + 1] - 1 of population p and everything that arrives there; the rows of
a sparse wire are sorted by target, so that its share of a row is a run of synapses. Nothing else is
shared but the lists of spikes, which are complete up to the last meeting. Every target adds its
inputs in the same order for any number of parts, which is that of trials.py. Kernels see rows of
tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .arrays import BLOCK, NO_ESCAPE
from .jit import at_address, kernel, lent, meet, part
from .membrane import own, update
from .plasticity import arrive_and_learn, learn_from_targets, use_resources
from .pooling import pool_spikes
from .random import CURRENT, add_current, add_ou, add_poisson, draw_spikes
from .threshold import between, find, hold, jump, reset
from .wires import deliver_any, send_any, take, weights_of

_INT32, _UINT16 = np.empty(0, np.int32), np.empty(0, np.uint16)


@kernel
def listed(recent, p, n, t):
    """First and last spike of population p at step n in part t."""
    slot = n & recent.mask
    first = slot * recent.width + recent.first[p, t]
    return first, first + np.int64(recent.n_spikes[slot, t, p])


@kernel
def _emitted(tables, inputs, recent, span, wire, n, t):
    """What a wire carries of step n in part t: units, values, their shift, first and last."""
    q, none = wire.source, inputs.values
    if q < tables.n_inputs:
        first = last = np.int64(0)
        if t == 0 and n - span.begin < span.input_steps:
            first, last = between(inputs, 0, n - span.begin, tables.n_inputs, q)
        if wire.short < 0:
            return inputs.units, none, np.int64(0), first, last
        return inputs.units, recent.release, -tables.shorts[wire.short].release, first, last
    p, slot = q - tables.n_inputs, n & recent.mask
    first, last = listed(recent, p, n, t)
    if wire.short < 0:
        return recent.units, none, np.int64(0), first, last
    at = slot * recent.release_width + tables.shorts[wire.short].release
    shift = slot * recent.width + recent.first[p, 0] - at
    return recent.units, recent.release, shift, first, last


@kernel
def _fill(tables, background, key, trial, n, p, i, m, ou, words, current):
    """current = bias + background, of a block of population p; sources take their step."""
    bias = own(tables.cells[p].bias, tables.numbers, i, m)
    for k in range(m):
        current[k] = bias[k]
    for s in range(background.first[p], background.first[p + 1]):
        source = background.sources[s]
        if source.kind == CURRENT:
            add_current(source, background.starts, background.values, trial, n, i, m, current)
        else:
            add_ou(source, background.values, trial, key, n, 0, i, m, words, ou, current)


@kernel
def _find_spikes(tables, background, key, trial, recent, bounds, memory, scratch, n, t):
    """Integrate, threshold: the spikes of step n of part t."""
    slot, none = n & recent.mask, recent.units[:0]
    for p in range(tables.cells.size):
        cell, population = tables.cells[p], tables.populations[p]
        begin, end, count = bounds[p, t], bounds[p, t + 1], np.int64(0)
        base = slot * recent.width + recent.first[p, t]
        units = part(recent.units, base, end - begin if cell.spiking else 0)
        driven = cell.biased or background.first[p] < background.first[p + 1]
        for i in range(begin, end if cell.n_states else begin, BLOCK):
            m = min(BLOCK, end - i)
            current, margin = part(scratch.current, 0, m if driven else 0), scratch.margin
            if driven:
                _fill(
                    tables,
                    background,
                    key,
                    trial,
                    n,
                    p,
                    i,
                    m,
                    memory.ou,
                    scratch.words,
                    current,
                )
            update(
                cell,
                tables.states,
                tables.terms,
                tables.numbers,
                i,
                m,
                memory.x,
                memory.clock,
                current,
                scratch.fresh,
                margin,
            )
            if cell.spiking:
                if population.escape != NO_ESCAPE:
                    draw_spikes(population, p, key, n, i, m, margin, scratch.words)
                width = margin.dtype.type(0)
                count, _ = find(margin, i, m, width, units, count, none, np.int64(0))
        if p < tables.n_firing:
            recent.n_spikes[slot, t, p] = count


@kernel
def _use_resources(tables, inputs, recent, span, memory, n, t):
    """Short-term plasticity at the spikes of step n of part t."""
    for q in range(tables.shorts.size):
        wire = tables.wires[tables.shorts[q].wire]
        units, release, shift, first, last = _emitted(tables, inputs, recent, span, wire, n, t)
        use_resources(
            tables.shorts[q], n, units, inputs.values, first, last, memory.resource, release, shift
        )


@kernel
def _pool(tables, recent, bounds, row, first, last, t):
    """The spikes of steps first .. last of the units of part t that pool."""
    p, seen = row.population, recent.seen[t]
    source = row.source
    neuron_first = tables.populations[source].neuron_first
    for n in range(first, last + 1):
        slot = n & recent.mask
        for other in range(bounds.shape[1] - 1):
            begin, end = listed(recent, source, n, other)
            for e in range(begin, end):
                seen[neuron_first + recent.units[e]] = n
        base, size = slot * recent.width + recent.first[p, t], bounds[p, t + 1] - bounds[p, t]
        recent.n_spikes[slot, t, p] = pool_spikes(
            row,
            tables.member,
            seen,
            n,
            bounds[p, t],
            bounds[p, t + 1],
            part(recent.units, base, size),
            np.int64(0),
        )


@kernel
def _send(tables, inputs, recent, span, memory, first, last, t, parts):
    """Spikes of steps first .. last into the ring of arrivals."""
    for n in range(first, last + 1):
        for k in range(tables.wires.size):
            wire = tables.wires[k]
            for other in range(parts if wire.ring >= 0 else 0):
                units, values, shift, begin, end = _emitted(
                    tables, inputs, recent, span, wire, n, other
                )
                if begin < end:
                    send_any(
                        wire,
                        tables.split,
                        t,
                        weights_of(wire, memory.x),
                        units,
                        values,
                        shift,
                        begin,
                        end,
                        n,
                        memory.ring,
                        tables.ring_width,
                    )


@kernel
def _learn(tables, plastic, recent, inputs, span, wire, n, t, parts, x):
    """What arrives at step n through a wire whose weights learn, and what its targets teach it."""
    w, rule = weights_of(wire, x), wire.learns
    for other in range(parts):
        units, _, _, first, last = _emitted(
            tables, inputs, recent, span, wire, n - wire.delay, other
        )
        if n < wire.delay or first == last:
            continue
        if wire.wide:
            target = at_address(wire.target_address, wire.size, _INT32)
            arrive_and_learn(
                plastic, rule, wire, target, tables.split, t, w, units, first, last, n, x
            )
        else:
            near = at_address(wire.target_address, wire.size, _UINT16)
            arrive_and_learn(
                plastic, rule, wire, near, tables.split, t, w, units, first, last, n, x
            )
    first, last = listed(recent, wire.post, n, t)
    learn_from_targets(plastic, rule, t, w, recent.units, first, last, n)


@kernel
def _arrive(tables, inputs, recent, span, wire, begin, end, n, t, parts, sums, x):
    """What was emitted `delay` steps before arrives now, in ascending order of j.

    The events of an input through a dense wire are summed first, as in batches of trials.
    """
    w, y = weights_of(wire, x), part(x, wire.target, wire.n_post)
    jump, one = x.dtype.type(wire.jump), x.dtype.type(1)
    if wire.gathered >= 0:
        units, values, shift, first, last = _emitted(
            tables, inputs, recent, span, wire, n - wire.delay, 0
        )
        if first < last:
            total = part(sums, 0, wire.n_post)
            for i in range(begin, end):
                total[i] = 0
            deliver_any(
                wire, tables.split, t, begin, end, w, one, units, values, shift, first, last, total
            )
            for i in range(begin, end):
                y[i] += jump * total[i]
        return
    for other in range(parts if n >= wire.delay else 0):
        units, values, shift, first, last = _emitted(
            tables, inputs, recent, span, wire, n - wire.delay, other
        )
        if first < last:
            deliver_any(
                wire, tables.split, t, begin, end, w, jump, units, values, shift, first, last, y
            )


@kernel
def _deliver(tables, background, key, plastic, inputs, recent, bounds, span, memory, scratch, n, t):
    """Everything that arrives at step n at the neurons of part t."""
    parts, x = bounds.shape[1] - 1, memory.x
    for s in range(background.n_currents, background.sources.size):
        source = background.sources[s]
        p = source.population
        add_poisson(
            source,
            background.starts,
            background.values,
            background.table,
            span.trial,
            key,
            n,
            bounds[p, t],
            bounds[p, t + 1],
            scratch.words,
            x,
        )
    for k in range(tables.wires.size):
        wire = tables.wires[k]
        if wire.learns >= 0:
            _learn(tables, plastic, recent, inputs, span, wire, n, t, parts, x)
        elif wire.ring < 0:
            begin, end = bounds[wire.post, t], bounds[wire.post, t + 1]
            _arrive(tables, inputs, recent, span, wire, begin, end, n, t, parts, scratch.sums, x)
    for c in range(tables.columns.size):
        column = tables.columns[c]
        begin, end = bounds[column.population, t], bounds[column.population, t + 1]
        take(column, begin, end, n, memory.ring, tables.ring_width, x)


@kernel
def _reset(tables, recent, bounds, memory, n, t):
    """Reset and jumps of the neurons of part t that spiked; what moved a clamped U is lost."""
    x, numbers, none = memory.x, tables.numbers, memory.x[:0]
    for p in range(tables.n_firing):
        cell = tables.cells[p]
        if cell.n_states:
            first, last = listed(recent, p, n, t)
            reset(
                tables.populations[p],
                cell,
                numbers,
                recent.units,
                none,
                first,
                last,
                none,
                x,
                memory.clock,
                memory.held,
            )
    for k in range(tables.jumps.size):
        row = tables.jumps[k]
        if n >= row.delay:
            first, last = listed(recent, row.population, n - row.delay, t)
            jump(row, numbers, recent.units, none, first, last, x)
    for p in range(tables.cells.size):
        if tables.cells[p].holds and bounds[p, t] < bounds[p, t + 1]:
            size = bounds[p, t + 1] - bounds[p, t]
            hold(tables.cells[p], bounds[p, t], size, memory.clock, memory.held, x)


@kernel
def _record(record, n, t, x, row):
    """The chosen states of part t."""
    for c in range(record.element.size):
        if record.owner[c] == t:
            record.values[row, c] = x[record.element[c]]


@kernel
def advance(
    tables,
    background,
    key,
    plastic,
    inputs,
    recent,
    bounds,
    span,
    record,
    memory,
    scratch,
    control,
    t,
):
    """The steps of `span` of everything that belongs to part t.

    At the end all threads have met, and all spikes are sent.
    """
    tables, background, plastic, inputs = (
        lent(tables),
        lent(background),
        lent(plastic),
        lent(inputs),
    )
    recent, record, memory, scratch = lent(recent), lent(record), lent(memory), lent(scratch)
    span = lent(span)
    parts, known, meetings, row = bounds.shape[1] - 1, span.first - 1, 0, 0
    for n in range(span.first, span.last):
        _find_spikes(tables, background, key, span.trial, recent, bounds, memory, scratch, n, t)
        _use_resources(tables, inputs, recent, span, memory, n, t)
        # spikes up to n - shortest arrive now: exchange all there are
        if n - span.shortest > known or n == span.last - 1:
            if parts > 1:
                meetings += 1
                meet(control, meetings, parts)
            for k in range(tables.pools.size):  # what they pool is complete now
                _pool(tables, recent, bounds, tables.pools[k], known + 1, n, t)
                if parts > 1:
                    meetings += 1
                    meet(control, meetings, parts)
            _send(tables, inputs, recent, span, memory, known + 1, n, t, parts)
            known = n
        _deliver(
            tables, background, key, plastic, inputs, recent, bounds, span, memory, scratch, n, t
        )
        _reset(tables, recent, bounds, memory, n, t)
        if record.element.size and n % record.every == 0:
            _record(record, n, t, memory.x, row)
            row += 1


# ----------------------------------------------------------------------------------- around the run


@kernel
def split_rows(first, target, bounds, split):
    """split[j, t]: the first synapse of row j whose target is >= bounds[t]."""
    for j in range(first.size - 1):
        for t in range(bounds.size):
            low, high = first[j], first[j + 1]
            while low < high:
                middle = (low + high) // 2
                if target[middle] < bounds[t]:
                    low = middle + 1
                else:
                    high = middle
            split[j, t] = low


@kernel
def collect(recent, p, first, last, steps, units):
    """Spikes of population p in steps first .. last - 1, into `steps` and `units`.

    They are sorted by step, and then by part and neuron.
    """
    total = 0
    for n in range(first, last):
        for t in range(recent.first.shape[1]):
            begin, end = listed(recent, p, n, t)
            for e in range(begin, end):
                steps[total], units[total] = n, recent.units[e]
                total += 1
