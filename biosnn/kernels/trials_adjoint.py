"""A batch of trials back in time: calls the adjoint of each part of a step; holds no equation.

Each adjoint stands next to what it undoes (membrane.py, threshold.py, dense.py, sparse.py, …). This
file calls them in the reverse order of trials.py. `ring` holds the adjoints of the states of the
last few steps, so that a spike finds those at the step at which it arrived. Kernels see rows of
tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .arrays import BEFORE_RESET, BLOCK, END_OF_STEP
from .dense import accumulate, accumulate_now, events_by_unit, pull_dense, pull_near, pull_unit
from .events import emitted, near_threshold, of_population
from .jit import kernel
from .meeting import is_raised
from .membrane import update_adjoint
from .memory import lent, part
from .plasticity import resources_adjoint
from .pooling import pool_adjoint
from .recording import add_blocks, copy_blocks
from .sparse import accumulate_rows, pull_row
from .threshold import (
    arrivals_adjoint,
    jump_adjoint,
    jump_size_adjoint,
    reset_adjoint,
    threshold_adjoint,
)
from .wires import delays_of, index_of, targets_of, weights_of

ROWS = 1152  # steps times trials whose events are accumulated together
# of one type: a literal would make a kernel of its own
_AT_END, _BEFORE, _ZERO = np.int64(END_OF_STEP), np.int64(BEFORE_RESET), np.int64(0)


@kernel
def _any(values):
    """Whether any is not 0."""
    for i in range(values.size):
        if values[i] != 0:
            return True
    return False


@kernel
def _steps_before_silence(loss, start, trials, steps):
    """Number of steps up to the last one with a derivative of the loss in a tile of trials.

    All later adjoints are 0.
    """
    for b in range(start, start + trials):
        if _any(loss.counts[b]):
            return steps
    for n in range(steps, 0, -1):
        for b in range(start, start + trials):
            if loss.states.shape[1] and _any(loss.states[b, n - 1]):
                return n
            if loss.spikes.shape[1] and _any(loss.spikes[b, n - 1]):
                return n
    return 0


@kernel
def _within(loss, n, arrival, steps):
    """Whether what arrives then still counts: in the run, and in the same window."""
    window = loss.window
    return arrival < steps and (window == 0 or n // window == arrival // window)


@kernel
def _losses_adjoint(tables, recording, loss, gradient, scratch, start, trials, n, differentiate):
    """Derivatives of the loss at step n, and through the resets of that step."""
    now, total = scratch.adjoints[n % scratch.adjoints.shape[0]], scratch.grad_spikes
    if loss.states.shape[1]:
        add_blocks(loss.blocks, _AT_END, trials, loss.states, start, n, now)
    if gradient.states.shape[2]:
        copy_blocks(gradient.blocks, _AT_END, trials, now, gradient.states, start, n)
    smooth, size = recording.spikes.values.size > 0, recording.counts.shape[1]
    for b in range(trials):
        row, margins, nothing = start + b, recording.margin[start + b, n], part(total[b], 0, 0)
        grad, wanted = part(total[b], 0, size), loss.counts[row]
        for i in range(size):
            grad[i] = wanted[i]
        if loss.spikes.shape[1]:
            step = loss.spikes[row, n]
            for i in range(size):
                grad[i] += step[i]
        for c in range(tables.cells.size):
            cell = tables.cells[c]
            for i in range(0, cell.n if cell.spiking or cell.delta_first >= 0 else 0, BLOCK):
                a, m = cell.neuron_first + i, min(BLOCK, cell.n - i)
                margin = part(margins, a, m) if cell.spiking else nothing
                if cell.spiking:
                    ready = (
                        part(recording.ready[row, n], a, m) if recording.ready.shape[1] else nothing
                    )
                    grad_s, numbers = part(total[b], a, m), gradient.numbers
                    reset_adjoint(
                        cell,
                        tables,
                        i,
                        m,
                        margin,
                        ready,
                        smooth,
                        differentiate,
                        now[b],
                        grad_s,
                        numbers,
                    )
                if cell.delta_first >= 0:
                    arrivals_adjoint(cell, i, m, margin, now[b])


@kernel
def _jumps_adjoint(tables, recording, loss, gradient, scratch, start, trials, n, steps):
    """grad_S of the spikes of step n through the states of their own neurons, and grad_jump."""
    ring = scratch.adjoints
    for k in range(tables.jumps.size):
        row, arrival = tables.jumps[k], n + tables.jumps[k].delay
        population = tables.populations[row.population]
        for b in range(trials if 0 <= arrival < steps else 0):
            arrived = ring[arrival % ring.shape[0], b]
            if n >= 0 and _within(loss, n, arrival, steps):
                near = near_threshold(tables, recording, start + b, n, row.population)
                result = part(scratch.grad_spikes[b], population.neuron_first, population.n)
                jump_adjoint(row, tables.numbers, population.n, near, arrived, result)
            if tables.cells[population.cell].learns:
                spikes, p = recording.spikes, row.population
                sent = of_population(spikes, start + b, n, tables.n_firing, p)
                jump_size_adjoint(row, sent, arrived, gradient.numbers)


# ---------------------------------------------------------------------------------------- synapses


@kernel
def _pulled(tables, wire, w, j, n, steps, window, ring, b):
    """sum over the synapses of neuron j of weight times adjoint at the arrival."""
    if wire.dense:
        arrived = part(ring[(n + wire.delay) % ring.shape[0], b], wire.adjoint, wire.n_post)
        return pull_unit(w, wire.n_post, j, arrived)
    target, delay, index = targets_of(wire), delays_of(wire), index_of(wire)
    return pull_row(wire, target, delay, w, index, tables.split, j, n, steps, window, ring, b)


@kernel
def _pull_releases(tables, recording, loss, scratch, wire, w, start, b, n, steps):
    """grad_S through short-term plasticity, whose resources go back by a step."""
    ring, short, p = scratch.adjoints, tables.shorts[wire.short], wire.source - tables.n_inputs
    grad_release = part(scratch.grad_release, 0, wire.n_pre)
    spikes = part(scratch.grad_release, wire.n_pre, wire.n_pre)
    jump, one = w.dtype.type(wire.jump), w.dtype.type(1)
    for j in range(wire.n_pre):
        spikes[j] = grad_release[j] = 0
    sent = of_population(recording.spikes, start + b, n, tables.n_firing, p)
    units, values = sent.units, sent.values
    for e in range(sent.first, sent.last):
        spikes[units[e]] += values[e] if values.size else one
    if wire.ring >= 0 or _within(loss, n, n + wire.delay, steps):
        for j in range(wire.n_pre):
            grad_release[j] = jump * _pulled(tables, wire, w, j, n, steps, loss.window, ring, b)
    before, first = recording.resources[start + b, n], tables.populations[p].neuron_first
    result = part(scratch.grad_spikes[b], first, wire.n_pre)
    resources_adjoint(short, before, spikes, grad_release, scratch.grad_resource[b], result)


@kernel
def _pull(tables, weight, panels, recording, loss, scratch, start, trials, n, steps):
    """grad_S of what was emitted at step n, wire by wire."""
    ring, near, grad_spikes = scratch.adjoints, recording.near, scratch.grad_spikes
    for k in range(tables.wires.size):
        wire, p = tables.wires[k], tables.wires[k].source - tables.n_inputs
        if p < 0 or not wire.pulled:
            continue
        w, jump, arrival = weights_of(wire, weight), weight.dtype.type(wire.jump), n + wire.delay
        if wire.short >= 0:
            for b in range(trials):
                _pull_releases(tables, recording, loss, scratch, wire, w, start, b, n, steps)
            continue
        if wire.ring < 0 and not _within(loss, n, arrival, steps):
            continue
        pre, arrived = tables.populations[p].neuron_first, ring[arrival % ring.shape[0]]
        listed = near.units.size > 0 and tables.cells[tables.populations[p].cell].cutoff < np.inf
        if wire.dense and listed:
            at = n * tables.n_firing + p
            pull_near(wire, w, jump, trials, arrived, near, start, at, grad_spikes, pre)
        elif wire.dense:
            own = part(panels, wire.panel_first, panels.size - wire.panel_first)
            pull_dense(wire, own, jump, trials, arrived, grad_spikes, pre)
        else:
            for b in range(trials):
                result = part(grad_spikes[b], pre, wire.n_pre)
                close = near_threshold(tables, recording, start + b, n, p)
                for e in range(close.first, close.last if listed else wire.n_pre):
                    j = close.units[e] if listed else e
                    pulled = _pulled(tables, wire, w, j, n, steps, loss.window, ring, b)
                    result[j] += jump * pulled


@kernel
def _accumulate(tables, drive, recording, gradient, scratch, start, trials, n, steps):
    """grad_W from the events emitted at step n, of the wires whose events are not collected."""
    ring, split = scratch.adjoints, tables.split
    for k in range(tables.wires.size):
        wire, arrival = tables.wires[k], n + tables.wires[k].delay
        if (wire.kept >= 0 and n >= 0) or not wire.trained:
            continue
        if wire.ring < 0 and (arrival >= steps or arrival < 0):
            continue
        grad = part(gradient.weight, wire.weight_first, wire.n_weights)
        jump, target, delay = grad.dtype.type(wire.jump), targets_of(wire), delays_of(wire)
        index = index_of(wire)
        for b in range(trials):
            sent = emitted(tables, drive, recording, wire, start + b, n)
            if wire.dense:
                adjoint = part(ring[arrival % ring.shape[0], b], wire.adjoint, wire.n_post)
                accumulate_now(grad, wire.n_post, jump, sent, adjoint)
            else:
                accumulate_rows(wire, target, delay, index, split, sent, n, steps, ring, b, grad)


@kernel
def _keep_arrived(scratch, trials, n):
    """Set the adjoints of currents aside, for the events that arrive at this step."""
    kept, arrived, span = scratch.kept, scratch.arrived, scratch.sums.size
    now, slot = scratch.adjoints[n % scratch.adjoints.shape[0]], n % scratch.arrived.shape[1]
    for m in range(kept.size.size):
        for at in range(0, kept.size[m], span):
            size, block = min(span, kept.size[m] - at), arrived[(kept.column[m] + at) // span, slot]
            for b in range(trials):
                row, state = part(block[b], 0, size), part(now[b], kept.first[m] + at, size)
                for i in range(size):
                    row[i] = state[i]


@kernel
def _accumulate_window(tables, drive, recording, gradient, scratch, start, trials, n, steps):
    """grad_W of the large wires, from the events of the window of steps that begins with n."""
    sorting, arrived, spikes = scratch.sorting, scratch.arrived, recording.spikes
    last, slots, tile = min(n + ROWS // arrived.shape[2], steps), arrived.shape[1], arrived.shape[2]
    for b in range(trials):
        sorting.rows[b] = start + b
    for k in range(tables.wires.size):
        wire, q = tables.wires[k], tables.wires[k].source
        if wire.kept < 0 or not wire.trained:
            continue
        until, external = min(last, steps - wire.delay), q < tables.n_inputs
        if external:
            rows, inputs = drive.rows[start : start + trials], drive.inputs
            events_by_unit(wire, inputs, rows, tables.n_inputs, q, n, until, slots, tile, sorting)
        else:
            rows, p, n_firing = sorting.rows[:trials], q - tables.n_inputs, tables.n_firing
            events_by_unit(wire, spikes, rows, n_firing, p, n, until, slots, tile, sorting)
        smooth = not external and spikes.values.size > 0
        grad = part(gradient.weight, wire.weight_first, wire.n_weights)
        accumulate(wire, grad, smooth, sorting, arrived, scratch.sums)


# ------------------------------------------------------------------------------------- populations


@kernel
def _state_before(drive, recording, row, n):
    """All states of a trial before step n, where they are recorded."""
    if n > 0 and recording.states.shape[1]:
        return recording.states[row, n - 1]
    return drive.start.states[row % drive.start.states.shape[0]]


@kernel
def _thresholds_adjoint(tables, recording, gradient, scratch, start, b, n, now):
    """Forward: S = Theta(U* - theta), of all populations."""
    margins, numbers = recording.margin[start + b, n], gradient.numbers
    for c in range(tables.cells.size):
        cell = tables.cells[c]
        for i in range(0, cell.n if cell.spiking else 0, BLOCK):
            a, m = cell.neuron_first + i, min(BLOCK, cell.n - i)
            margin, grad_s = part(margins, a, m), part(scratch.grad_spikes[b], a, m)
            threshold_adjoint(cell, i, m, margin, grad_s, now, numbers)


@kernel
def _updates_adjoint(tables, drive, recording, gradient, scratch, start, b, n, now, before):
    """From the adjoint of the states after an update to that of the states before."""
    margins, row, current = recording.margin[start + b, n], start + b, scratch.current
    nothing, old = part(scratch.fresh, 0, 0), _state_before(drive, recording, row, n)
    for c in range(tables.cells.size):
        cell = tables.cells[c]
        for i in range(0, cell.n if cell.n_states else 0, BLOCK):
            a, m = cell.neuron_first + i, min(BLOCK, cell.n - i)
            given = (
                part(recording.currents[row, n], a, m) if recording.currents.shape[1] else nothing
            )
            margin = part(margins, a, m) if cell.spiking else nothing
            flows = part(current, a, m) if current.size else nothing
            numbers = gradient.numbers
            work = scratch.fresh
            update_adjoint(
                cell, tables, i, m, old, given, margin, now, before, flows, numbers, work
            )
    blocks = drive.blocks
    for m in range(blocks.size.size if gradient.current.shape[1] else 0):
        result = part(gradient.current[row, n], blocks.column[m], blocks.size[m])
        flows = part(current, blocks.tag[m], blocks.size[m])
        for i in range(result.size):
            result[i] = flows[i]


@kernel
def _populations_adjoint(tables, drive, recording, loss, gradient, scratch, start, trials, n):
    """From the adjoint after step n (synapses and reset undone) to the one after step n - 1."""
    ring = scratch.adjoints
    now, before = ring[n % ring.shape[0]], ring[(n - 1) % ring.shape[0]]
    if loss.states.shape[1]:
        add_blocks(loss.blocks, _BEFORE, trials, loss.states, start, n, now)
    for b in range(trials):
        _thresholds_adjoint(tables, recording, gradient, scratch, start, b, n, now[b])
    if gradient.states.shape[2]:
        copy_blocks(gradient.blocks, _BEFORE, trials, now, gradient.states, start, n)
    for b in range(trials):
        into = before[b]
        _updates_adjoint(tables, drive, recording, gradient, scratch, start, b, n, now[b], into)
    if loss.window > 0 and n % loss.window == 0:  # no gradient leaves a window
        before[:] = 0
        scratch.grad_resource[:] = 0


@kernel
def _pools_adjoint(tables, recording, scratch, start, trials, n):
    """grad_S of units that pool goes to their neurons, from the last population to the first."""
    for k in range(tables.pools.size - 1, -1, -1):
        row = tables.pools[k]
        for b in range(trials):
            near = near_threshold(tables, recording, start + b, n, row.population)
            margin, grad_s = recording.margin[start + b, n], scratch.grad_spikes[b]
            pool_adjoint(row, tables.member, margin, near, grad_s)


@kernel
def adjoint(
    tables,
    weight,
    panels,
    drive,
    recording,
    loss,
    gradient,
    scratch,
    differentiate,
    first,
    last,
    stop,
):
    """Add the gradients of trials first .. last - 1 to `gradient`, a tile of trials at a time.

    From the last step that matters back to the first, and then the events that were on their way
    from an earlier run. differentiate: whether gradients flow through resets; stop: as in
    `forward`.
    """
    tables, drive, recording = lent(tables), lent(drive), lent(recording)
    loss, gradient, scratch = lent(loss), lent(gradient), lent(scratch)
    tile, known = scratch.adjoints.shape[1], max(recording.spikes.before, drive.inputs.before)
    for start in range(first, last, tile):
        trials = min(tile, last - start)
        steps = _steps_before_silence(loss, start, trials, recording.margin.shape[1])
        scratch.adjoints[:] = 0
        scratch.grad_resource[:] = 0
        for n in range(steps - 1, -1 - known, -1):
            if is_raised(stop, 0):
                return
            if n >= 0:
                _losses_adjoint(
                    tables, recording, loss, gradient, scratch, start, trials, n, differentiate
                )
                _keep_arrived(scratch, trials, n)
            _jumps_adjoint(tables, recording, loss, gradient, scratch, start, trials, n, steps)
            if n >= 0:
                _pull(tables, weight, panels, recording, loss, scratch, start, trials, n, steps)
            _accumulate(tables, drive, recording, gradient, scratch, start, trials, n, steps)
            if n >= 0:
                _pools_adjoint(tables, recording, scratch, start, trials, n)
                _populations_adjoint(
                    tables, drive, recording, loss, gradient, scratch, start, trials, n
                )
                if n % (ROWS // tile) == 0:
                    _accumulate_window(
                        tables, drive, recording, gradient, scratch, start, trials, n, steps
                    )
