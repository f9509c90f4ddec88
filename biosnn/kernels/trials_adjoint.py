"""A batch of trials back in time: calls the adjoint of each part of a step; holds no equation.

Each adjoint stands next to what it undoes (membrane.py, threshold.py, dense.py, sparse.py, …). This
file calls them in the reverse order of trials.py. `ring` holds the adjoints of the states of the
last few steps, so that a spike finds those at the step at which it arrived. Kernels see rows of
tables, arrays and scalars only (arrays.py).
"""

import numpy as np

from .arrays import BEFORE_RESET, BLOCK, END_OF_STEP
from .dense import (
    accumulate,
    accumulate_now,
    events_by_unit,
    pull_dense,
    pull_near,
    pull_unit,
)
from .jit import fused, is_raised, kernel, lent, part
from .membrane import update_adjoint
from .plasticity import resources_adjoint
from .pooling import pool_adjoint
from .recording import add_blocks, copy_blocks
from .sparse import accumulate_rows, pull_row
from .threshold import (
    arrivals_adjoint,
    between,
    jump_adjoint,
    jump_size_adjoint,
    reset_adjoint,
    threshold_adjoint,
)
from .trials import emitted
from .wires import delays_of, index_of, targets_of, weights_of

ROWS = 1152  # steps times trials whose events are accumulated together
# of one type: a literal would make a kernel of its own
_AT_END, _BEFORE = np.int64(END_OF_STEP), np.int64(BEFORE_RESET)


@kernel
def _steps_before_silence(loss, start, trials, steps):
    """Number of steps up to the last one with a derivative of the loss in a tile of trials.

    All later adjoints are 0.
    """
    for b in range(start, start + trials):
        for i in range(loss.counts.shape[1]):
            if loss.counts[b, i] != 0:
                return steps
    for n in range(steps, 0, -1):
        for b in range(start, start + trials):
            if loss.states.shape[1]:
                for i in range(loss.states.shape[2]):
                    if loss.states[b, n - 1, i] != 0:
                        return n
            if loss.spikes.shape[1]:
                for i in range(loss.spikes.shape[2]):
                    if loss.spikes[b, n - 1, i] != 0:
                        return n
    return 0


# ----------------------------------------------------------------------------- losses and resets


@fused
def _losses_adjoint(tables, recording, loss, gradient, scratch, start, trials, n, differentiate):
    """Derivatives of the loss at step n, and through the resets of that step."""
    now = scratch.adjoints[n % scratch.adjoints.shape[0]]
    if loss.states.shape[1]:
        add_blocks(loss.blocks, _AT_END, trials, loss.states, start, n, now)
    if gradient.states.shape[2]:
        copy_blocks(gradient.blocks, _AT_END, trials, now, gradient.states, start, n)
    smooth, size = recording.spikes.values.size > 0, recording.counts.shape[1]
    for b in range(trials):
        row, total = start + b, part(scratch.grad_spikes[b], 0, size)
        for i in range(size):
            total[i] = loss.counts[row, i]
        if loss.spikes.shape[1]:
            for i in range(size):
                total[i] += loss.spikes[row, n, i]
        margins, nothing = recording.margin[row, n], part(total, 0, 0)
        for c in range(tables.cells.size):
            cell = tables.cells[c]
            for i in range(0, cell.n if cell.spiking or cell.delta_first >= 0 else 0, BLOCK):
                a, m = cell.neuron_first + i, min(BLOCK, cell.n - i)
                margin = part(margins, a, m) if cell.spiking else nothing
                if cell.spiking:
                    ready = nothing
                    if recording.ready.shape[1]:
                        ready = part(recording.ready[row, n], a, m)
                    reset_adjoint(
                        cell,
                        tables.numbers,
                        i,
                        m,
                        margin,
                        ready,
                        smooth,
                        differentiate,
                        now[b],
                        part(total, a, m),
                        gradient.numbers,
                    )
                if cell.delta_first >= 0:
                    arrivals_adjoint(cell, i, m, margin, now[b])


@kernel
def _near(tables, recording, b, n, p):
    """The neurons of population p that are listed as near threshold: units, first, last.

    No units where there are no lists, and then all neurons count.
    """
    near, cutoff = recording.near, tables.cells[tables.populations[p].cell].cutoff
    if near.units.size == 0 or cutoff == np.inf or n < 0:
        return near.units[:0], np.int64(0), np.int64(0)
    at = n * tables.n_firing + p
    return near.units, near.pointers[b, at], near.pointers[b, at + 1]


@fused
def _jumps_adjoint(tables, recording, gradient, scratch, start, trials, n, steps, window):
    """grad_S of the spikes of step n through the states of their own neurons, and grad_jump."""
    ring, spikes = scratch.adjoints, recording.spikes
    for k in range(tables.jumps.size):
        row = tables.jumps[k]
        population, arrival = tables.populations[row.population], n + row.delay
        if arrival >= steps or arrival < 0:
            continue
        cell = tables.cells[population.cell]
        for b in range(trials):
            arrived = ring[arrival % ring.shape[0], b]
            if n >= 0 and (window == 0 or n // window == arrival // window):
                units, first, last = _near(tables, recording, start + b, n, row.population)
                result = part(scratch.grad_spikes[b], population.neuron_first, population.n)
                jump_adjoint(row, tables.numbers, population.n, units, first, last, arrived, result)
            if cell.learns:
                first, last = between(spikes, start + b, n, tables.n_firing, row.population)
                jump_size_adjoint(
                    row, spikes.units, spikes.values, first, last, arrived, gradient.numbers
                )


# ---------------------------------------------------------------------------------------- synapses


@fused
def _pull_releases(tables, weight, recording, scratch, wire, w, start, b, n, steps, window):
    """grad_S through short-term plasticity, whose resources go back by a step."""
    ring, short = scratch.adjoints, tables.shorts[wire.short]
    population = tables.populations[wire.source - tables.n_inputs]
    grad_release = part(scratch.grad_release, 0, wire.n_pre)
    spikes = part(scratch.grad_release, wire.n_pre, wire.n_pre)
    events = recording.spikes
    first, last = between(events, start + b, n, tables.n_firing, wire.source - tables.n_inputs)
    jump, one = weight.dtype.type(wire.jump), weight.dtype.type(1)
    for j in range(wire.n_pre):
        spikes[j] = 0
        grad_release[j] = 0
    for e in range(first, last):
        spikes[events.units[e]] += events.values[e] if events.values.size else one
    arrival = n + wire.delay
    if wire.ring >= 0 or (arrival < steps and (window == 0 or n // window == arrival // window)):
        for j in range(wire.n_pre):
            grad_release[j] = jump * _pulled(tables, wire, w, j, n, steps, window, ring, b)
    resources_adjoint(
        short,
        recording.resources[start + b, n],
        spikes,
        grad_release,
        scratch.grad_resource[b],
        part(scratch.grad_spikes[b], population.neuron_first, population.n),
    )


@fused
def _pulled(tables, wire, w, j, n, steps, window, ring, b):
    """sum over the synapses of neuron j of weight times adjoint at the arrival."""
    if wire.dense:
        arrived = part(ring[(n + wire.delay) % ring.shape[0], b], wire.adjoint, wire.n_post)
        return pull_unit(w, wire.n_post, j, arrived)
    return pull_row(
        wire,
        targets_of(wire),
        delays_of(wire),
        w,
        index_of(wire),
        tables.split,
        j,
        n,
        steps,
        window,
        ring,
        b,
    )


@fused
def _pull(tables, weight, panels, recording, scratch, start, trials, n, steps, window):
    """grad_S of what was emitted at step n, wire by wire."""
    ring, near, grad_spikes = scratch.adjoints, recording.near, scratch.grad_spikes
    for k in range(tables.wires.size):
        wire = tables.wires[k]
        p, arrival = wire.source - tables.n_inputs, n + wire.delay
        if p < 0 or not wire.pulled:
            continue
        w, jump = weights_of(wire, weight), weight.dtype.type(wire.jump)
        if wire.short >= 0:
            for b in range(trials):
                _pull_releases(
                    tables, weight, recording, scratch, wire, w, start, b, n, steps, window
                )
            continue
        if wire.ring < 0 and (
            arrival >= steps or (window > 0 and n // window != arrival // window)
        ):
            continue
        population = tables.populations[p]
        listed = near.units.size > 0 and tables.cells[population.cell].cutoff < np.inf
        at, arrived = n * tables.n_firing + p, ring[arrival % ring.shape[0]]
        if wire.dense and listed:
            pull_near(
                w,
                wire.n_post,
                jump,
                trials,
                arrived,
                wire.adjoint,
                near,
                start,
                at,
                grad_spikes,
                population.neuron_first,
            )
        elif wire.dense:
            pull_dense(
                part(panels, wire.panel_first, panels.size - wire.panel_first),
                wire.n_pre,
                wire.n_post,
                jump,
                trials,
                arrived,
                wire.adjoint,
                grad_spikes,
                population.neuron_first,
            )
        else:
            for b in range(trials):
                result = part(grad_spikes[b], population.neuron_first, wire.n_pre)
                units, first, last = _near(tables, recording, start + b, n, p)
                for e in range(first, last if listed else wire.n_pre):
                    j = units[e] if listed else e
                    result[j] += jump * _pulled(tables, wire, w, j, n, steps, window, ring, b)


@fused
def _accumulate(tables, drive, recording, gradient, scratch, start, trials, n, steps):
    """grad_W from the events emitted at step n, of the wires whose events are not collected."""
    ring = scratch.adjoints
    for k in range(tables.wires.size):
        wire, arrival = tables.wires[k], n + tables.wires[k].delay
        if (wire.kept >= 0 and n >= 0) or not wire.trained:
            continue
        if wire.ring < 0 and (arrival >= steps or arrival < 0):
            continue
        grad = part(gradient.weight, wire.weight_first, wire.n_weights)
        jump = grad.dtype.type(wire.jump)
        for b in range(trials):
            units, values, shift, first, last = emitted(
                tables, drive, recording, wire, start + b, n
            )
            if first == last:
                continue
            if wire.dense:
                adjoint = part(ring[arrival % ring.shape[0], b], wire.adjoint, wire.n_post)
                accumulate_now(grad, wire.n_post, jump, units, values, shift, first, last, adjoint)
            else:
                accumulate_rows(
                    wire,
                    targets_of(wire),
                    delays_of(wire),
                    index_of(wire),
                    tables.split,
                    units,
                    values,
                    shift,
                    first,
                    last,
                    n,
                    steps,
                    ring,
                    b,
                    grad,
                )


@fused
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


@fused
def _accumulate_window(tables, drive, recording, gradient, scratch, start, trials, n, steps):
    """grad_W of the large wires, from the events of the window of steps that begins with n."""
    sorting, arrived, spikes = scratch.sorting, scratch.arrived, recording.spikes
    last = min(n + ROWS // scratch.adjoints.shape[1], steps)
    for b in range(trials):
        sorting.rows[b] = start + b
    for k in range(tables.wires.size):
        wire = tables.wires[k]
        if wire.kept < 0 or not wire.trained:
            continue
        external = wire.source < tables.n_inputs
        events_by_unit(
            drive.inputs if external else spikes,
            drive.rows[start : start + trials] if external else sorting.rows,
            trials,
            tables.n_inputs if external else tables.n_firing,
            wire.source if external else wire.source - tables.n_inputs,
            n,
            min(last, steps - wire.delay),
            wire.delay,
            arrived.shape[1],
            arrived.shape[2],
            wire.n_pre,
            sorting,
        )
        accumulate(
            part(gradient.weight, wire.weight_first, wire.n_weights),
            wire.n_pre,
            wire.n_post,
            gradient.weight.dtype.type(wire.jump),
            not external and spikes.values.size > 0,
            sorting,
            wire.kept,
            arrived,
            scratch.sums,
        )


# ------------------------------------------------------------------------------------- populations


@kernel
def _state_before(drive, recording, row, n):
    """All states of a trial before step n, where they are recorded."""
    if n > 0 and recording.states.shape[1]:
        return recording.states[row, n - 1]
    return drive.start.states[row % drive.start.states.shape[0]]


@fused
def _populations_adjoint(tables, drive, recording, loss, gradient, scratch, start, trials, n):
    """From the adjoint after step n (synapses and reset undone) to the one after step n - 1."""
    ring, current = scratch.adjoints, scratch.current
    now, before = ring[n % ring.shape[0]], ring[(n - 1) % ring.shape[0]]
    if loss.states.shape[1]:
        add_blocks(loss.blocks, _BEFORE, trials, loss.states, start, n, now)
    nothing = part(scratch.fresh, 0, 0)
    for b in range(trials):
        margins, row = recording.margin[start + b, n], start + b
        for c in range(tables.cells.size):
            cell = tables.cells[c]
            for i in range(0, cell.n if cell.spiking else 0, BLOCK):
                a, m = cell.neuron_first + i, min(BLOCK, cell.n - i)
                threshold_adjoint(
                    cell,
                    i,
                    m,
                    part(margins, a, m),
                    part(scratch.grad_spikes[b], a, m),
                    now[b],
                    gradient.numbers,
                )
    if gradient.states.shape[2]:
        copy_blocks(gradient.blocks, _BEFORE, trials, now, gradient.states, start, n)
    for b in range(trials):
        margins, row = recording.margin[start + b, n], start + b
        old = _state_before(drive, recording, row, n)
        for c in range(tables.cells.size):
            cell = tables.cells[c]
            for i in range(0, cell.n if cell.n_states else 0, BLOCK):
                a, m = cell.neuron_first + i, min(BLOCK, cell.n - i)
                given = nothing
                if recording.currents.shape[1]:
                    given = part(recording.currents[row, n], a, m)
                update_adjoint(
                    cell,
                    tables.states,
                    tables.terms,
                    tables.numbers,
                    i,
                    m,
                    old,
                    given,
                    part(margins, a, m) if cell.spiking else nothing,
                    now[b],
                    before[b],
                    part(current, a, m) if current.size else nothing,
                    gradient.numbers,
                )
        if gradient.current.shape[1]:
            for m in range(drive.blocks.size.size):
                column, a = drive.blocks.column[m], drive.blocks.tag[m]
                for i in range(drive.blocks.size[m]):
                    gradient.current[row, n, column + i] = current[a + i]
    if loss.window > 0 and n % loss.window == 0:  # no gradient leaves a window
        before[:] = 0
        scratch.grad_resource[:] = 0


@fused
def _pools_adjoint(tables, recording, scratch, start, trials, n):
    """grad_S of units that pool goes to their neurons, from the last population to the first."""
    for k in range(tables.pools.size - 1, -1, -1):
        row = tables.pools[k]
        for b in range(trials):
            units, first, last = _near(tables, recording, start + b, n, row.population)
            margin = recording.margin[start + b, n]
            pool_adjoint(row, tables.member, margin, units, first, last, scratch.grad_spikes[b])


@fused
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
    tile = scratch.adjoints.shape[1]
    for start in range(first, last, tile):
        trials = min(tile, last - start)
        steps = _steps_before_silence(loss, start, trials, recording.margin.shape[1])
        scratch.adjoints[:] = 0
        scratch.grad_resource[:] = 0
        for n in range(steps - 1, -1, -1):
            if is_raised(stop, 0):
                return
            _losses_adjoint(
                tables, recording, loss, gradient, scratch, start, trials, n, differentiate
            )
            _keep_arrived(scratch, trials, n)
            _jumps_adjoint(
                tables, recording, gradient, scratch, start, trials, n, steps, loss.window
            )
            _pull(tables, weight, panels, recording, scratch, start, trials, n, steps, loss.window)
            _accumulate(tables, drive, recording, gradient, scratch, start, trials, n, steps)
            _pools_adjoint(tables, recording, scratch, start, trials, n)
            _populations_adjoint(
                tables, drive, recording, loss, gradient, scratch, start, trials, n
            )
            if n % (ROWS // tile) == 0:
                _accumulate_window(
                    tables, drive, recording, gradient, scratch, start, trials, n, steps
                )
        for n in range(-1, -1 - max(recording.spikes.before, drive.inputs.before), -1):
            _accumulate(tables, drive, recording, gradient, scratch, start, trials, n, steps)
            _jumps_adjoint(
                tables, recording, gradient, scratch, start, trials, n, steps, np.int64(0)
            )
