"""One large network for as long as you like: steps of the parts that belong to a thread.

A step is that of trials.py: integrate, threshold, synapses, reset. Part t has the neurons
bounds[p, t] .. bounds[p, t + 1] - 1 of population p and everything that arrives there; a thread
takes some of them. Nothing is shared but the lists of spikes, which are complete up to the last
meeting of the threads. Between two meetings a part goes through several steps, so that it stays in
the cache. Every target adds its inputs in the same order for any number of parts, which is that of
trials.py. Where other processes run parts of the network, one thread tells them the spikes at each
meeting, and takes theirs (others.py). Kernels see rows of tables, arrays and scalars only
(arrays.py).
"""

import numpy as np

from .arrays import BLOCK, NO_ESCAPE
from .bundles import deliver_bundles
from .dense import deliver_dense
from .events import emitted_in_part, find, listed
from .jit import kernel
from .meeting import HOME, MET, SLICES, await_slice, begin_slice, is_raised, meet
from .membrane import fill_bias, update
from .memory import fetch, fetch_element, lent, part
from .others import exchange, own_parts
from .plasticity import arrive_and_learn, learn_from_targets, use_resources
from .pooling import pool_spikes
from .random import add_currents, add_poisson, draw_spikes
from .threshold import hold, jump, reset
from .underway import deliver_underway, pass_over, send_underway
from .wires import take, targets_of, weights_of

_ZERO = np.int64(0)


@kernel
def _update(run, scratch, p, i, m, n, t):
    """Currents, update and margins of a block of population p, in part t."""
    tables, parts, background, memory = run.tables, run.parts, run.background, run.memory
    cell, population, trial = parts.cells[t, p], parts.populations[t, p], run.span.trial
    first, last, words = background.first[p], background.first[p + 1], scratch.words
    driven, key = cell.biased or first < last, run.key
    current = part(scratch.current, 0, m if driven else 0)
    if driven:
        fill_bias(cell, tables, i, m, current)
        ou, own = memory.ou, parts.sources[t]
        add_currents(own, background, first, last, trial, key, n, i, m, words, ou, current)
    update(cell, tables, i, m, memory.x, memory.clock, current, scratch.fresh, scratch.margin)
    if population.escape != NO_ESCAPE:
        draw_spikes(population, p, key, n, i, m, scratch.margin, words)


@kernel
def _find_spikes(run, scratch, n, t):
    """Integrate, threshold: the spikes of step n of part t, and their releases."""
    tables, recent, bounds = run.tables, run.recent, run.parts.bounds
    slot, none, width = n & recent.mask, recent.units[:0], scratch.margin.dtype.type(0)
    for p in range(tables.cells.size):
        cell, begin, end, count = run.parts.cells[t, p], bounds[p, t], bounds[p, t + 1], _ZERO
        base = slot * recent.width + recent.first[p, t] if p < tables.n_firing else _ZERO
        units = part(recent.units, base, end - begin if cell.spiking else 0)
        for i in range(begin, end if cell.n_states else begin, BLOCK):
            m = min(BLOCK, end - i)
            _update(run, scratch, p, i, m, n, t)
            if cell.spiking:
                count, _ = find(scratch.margin, i, m, width, units, count, none, _ZERO)
        if p < tables.n_firing:
            recent.n_spikes[slot, t, p] = count
    for q in range(tables.shorts.size):
        wire = tables.wires[tables.shorts[q].wire]
        # what inputs release every process works out, in the first of its parts
        sender = t - own_parts(run)[0] if wire.source < tables.n_inputs else t
        sent = emitted_in_part(tables, run.inputs, recent, run.span, wire, n, sender)
        use_resources(tables.shorts[q], n, sent, recent.none, run.memory.resource)


@kernel
def _pool(run, row, first, last, t):
    """The spikes of steps first .. last of the units of part t that pool."""
    recent, bounds, p, seen = run.recent, run.parts.bounds, row.population, run.recent.seen[t]
    begin, end = bounds[p, t], bounds[p, t + 1]
    neuron_first = run.tables.populations[row.source].neuron_first
    for n in range(first, last + 1):
        for other in range(bounds.shape[1] - 1):
            sent = listed(recent, row.source, n, other)
            for e in range(sent.first, sent.last):
                seen[neuron_first + recent.units[e]] = n
        slot = n & recent.mask
        units = part(recent.units, slot * recent.width + recent.first[p, t], end - begin)
        count = pool_spikes(row, run.tables.member, seen, n, begin, end, units, _ZERO)
        recent.n_spikes[slot, t, p] = count


@kernel
def _send_again(run, scratch, first, t):
    """What was on its way from an earlier run, before step `first`."""
    for n in range(max(first - run.inputs.before, 0), first):
        send_underway(run, n, t, scratch.waiting)
    pass_over(run, first, t)


@kernel
def _take(run, scratch, n, t):
    """What arrives at step n through synapses with delays of their own, receptor by receptor."""
    parts, width, x = run.parts, run.parts.arriving_width[t], run.memory.x
    arriving = part(run.memory.arriving, parts.arriving_first[t], width)
    if width > 0:
        deliver_underway(run, n, t, scratch.waiting, arriving)
    for c in range(run.tables.columns.size if width > 0 else 0):
        column, at = parts.columns[t, c], parts.column[c, t]
        begin, end = parts.bounds[column.population, t], parts.bounds[column.population, t + 1]
        take(column, at, begin, end - begin, n, arriving, width, x)


@kernel
def _learn(run, wire, n, t):
    """What arrives at step n through a wire whose weights learn, and what its targets teach it."""
    tables, recent, plastic, x = run.tables, run.recent, run.plastic, run.memory.x
    w, target, senders = weights_of(wire, x), targets_of(wire), run.parts.bounds.shape[1] - 1
    for other in range(senders if n >= wire.delay else 0):
        m = n - wire.delay
        sent = emitted_in_part(tables, run.inputs, recent, run.span, wire, m, other)
        arrive_and_learn(plastic, wire, target, tables.split, t, w, sent, n, x)
    learn_from_targets(plastic, wire.learns, t, w, listed(recent, wire.post, n, t), n)


@kernel
def _arrive(run, wire, n, t, sums):
    """What was emitted `delay` steps before arrives now through a dense wire, j ascending.

    The events of an input are summed first, as in batches of trials.
    """
    tables, inputs, recent, span = run.tables, run.inputs, run.recent, run.span
    bounds, x, m = run.parts.bounds, run.memory.x, n - wire.delay
    w, n_post, jump_, one = (
        weights_of(wire, x),
        wire.n_post,
        x.dtype.type(wire.jump),
        x.dtype.type(1),
    )
    begin = bounds[wire.post, t]
    size = bounds[wire.post, t + 1] - begin
    y = part(x, wire.target + begin, size)
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
    senders = bounds.shape[1] - 1 if m >= 0 or external else 0
    for other in range(senders if size else 0):
        sent = emitted_in_part(tables, inputs, recent, span, wire, m, other)
        deliver_dense(w, n_post, begin, size, jump_, sent, y)


@kernel
def _deliver(run, scratch, n, t):
    """Everything that arrives at step n at the neurons of part t."""
    parts, background, x = run.parts, run.background, run.memory.x
    for s in range(background.n_currents, background.sources.size):
        source = parts.sources[t, s]
        begin, end = parts.bounds[source.population, t], parts.bounds[source.population, t + 1]
        trial, words = run.span.trial, scratch.words
        add_poisson(source, background, trial, run.key, n, begin, end, words, x)
    for k in range(run.tables.wires.size):
        wire = parts.wires[t, k]
        if wire.learns >= 0:
            _learn(run, wire, n, t)
        elif wire.dense:
            _arrive(run, wire, n, t, scratch.sums)
    deliver_bundles(run, n, t, scratch.waiting, x)
    _take(run, scratch, n, t)


@kernel
def _reset(run, scratch, n, t):
    """Reset and jumps of the neurons of part t that spiked; what moved a clamped U is lost."""
    tables, parts, recent, memory = run.tables, run.parts, run.recent, run.memory
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
def _keep(run, first, n, t):
    """The chosen states of part t at the end of step n of a slice that begins at step `first`."""
    record = run.record
    if record.element.size and n % record.every == 0:
        row = n // record.every - (first - 1) // record.every - 1
        for c in range(record.first[t], record.first[t + 1]):
            record.values[row, record.column[c]] = run.memory.x[record.element[c]]


@kernel
def _meet_all(run, control, meetings, thread, threads, stage, first, last):
    """Threads meet, and with other processes: spikes of steps first .. last are known then.

    stage: 0, or k + 1 after what pool k has pooled. Returns how often threads have met.
    """
    meetings += 1
    meet(control, meetings, threads)
    if run.others.call != 0:
        if thread == 0 and not exchange(run, stage, first, last):
            control[HOME] = 1
        meetings += 1
        meet(control, meetings, threads)
    return meetings


@kernel
def _fetch_lists(recent, n_firing, first, last):
    """Have the spikes of steps first .. last fetched, which lie where other threads wrote them."""
    n_spikes, parts, counts = recent.n_spikes, recent.first.shape[1], recent.n_spikes.ctypes.data
    for n in range(first, last + 1):
        at = (n & recent.mask) * n_spikes.shape[1] * n_spikes.shape[2]
        for k in range(at, at + n_spikes.shape[1] * n_spikes.shape[2], 16):
            fetch(counts + k * n_spikes.itemsize)
    for n in range(first, last + 1):
        slot = n & recent.mask
        for t in range(parts):
            for p in range(n_firing):
                if n_spikes[slot, t, p] > 0:
                    fetch_element(recent.units, slot * recent.width + recent.first[p, t])


@kernel
def _run_slice(run, scratch, control, thread, threads):
    """The steps of a slice of time of the parts that belong to a thread.

    At the end all threads have met, and all spikes are sent.
    """
    first, last, pools = control[SLICES + 1], control[SLICES + 2], run.tables.pools
    (own, n_own), meetings, n = own_parts(run), control[MET], first
    mine = range(own + n_own * thread // threads, own + n_own * (thread + 1) // threads)
    for t in mine if n < last else range(0):
        if n == run.span.begin:
            _send_again(run, scratch, n, t)
        _find_spikes(run, scratch, n, t)
    known, found = n - 1, n  # spikes that all threads know of, and those that there are
    while known < last - 1:
        meetings = _meet_all(run, control, meetings, thread, threads, _ZERO, known + 1, found)
        for k in range(pools.size):  # what they pool is complete now
            for t in mine:
                _pool(run, pools[k], known + 1, found, t)
            meetings = _meet_all(run, control, meetings, thread, threads, k + 1, known + 1, found)
        if is_raised(control, HOME):
            return
        if threads > 1:
            _fetch_lists(run.recent, run.tables.n_firing, known + 1, found)
        # what is found now arrives after the shortest delay at the earliest: no meeting until then
        until = min(found + run.span.shortest + 1, last)
        for t in mine:
            late = run.parts.arriving_width[t] > 0
            for m in range(known + 1, found + 1 if late else 0):
                send_underway(run, m, t, scratch.waiting)
            for m in range(n, until):
                _deliver(run, scratch, m, t)
                _reset(run, scratch, m, t)
                _keep(run, first, m, t)
                if m + 1 < last:
                    _find_spikes(run, scratch, m + 1, t)
        known, found, n = found, min(until, last - 1), until
    meet(control, meetings + 1, threads)


@kernel
def advance(run, scratch, control, thread, threads):
    """The first thread runs a slice of time; the others run all, until they are sent home.

    So a slice costs one call from Python, which threads would have to take turns in.
    """
    run, scratch = lent(run), lent(scratch)
    if thread == 0:
        begin_slice(control)
        _run_slice(run, scratch, control, thread, threads)
        return
    slices = 1
    while not await_slice(control, slices):
        _run_slice(run, scratch, control, thread, threads)
        slices += 1


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
