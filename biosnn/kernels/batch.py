"""The compiled loops: one step of a network forward, and beside each part its adjoint.

Kernels see arrays and scalars only (arrays.py). Index letters: b trial, n step, g group, p population, k bundle of
projections, j presynaptic neuron, i postsynaptic neuron. The order of a step is Brian2's: integrate, threshold, synapses, reset.

    integrate   U*, I* = M (U, I) + drive * current       a clamped (refractory) U stays
    threshold   S = U* > theta
    deliver     I_i += W_ji S_j[n - D]
    reset       U = U* + S (U_reset - U*)   or   U = U* - theta S

A tile of trials goes through each part side by side, so arrays of states are (trial of the tile, element).
"""

from .arrays import BEFORE_RESET, END_OF_STEP
from .conductance import conduct, conduct_adjoint
from .dense import (
    accumulate,
    accumulate_now,
    deliver,
    events_by_unit,
    gather_inputs,
    pull_dense,
    pull_near,
)
from .jit import borrowed, fused, is_raised, kernel, part
from .membrane import (
    add_bias,
    bias_adjoint,
    bound,
    bound_adjoint,
    inject,
    inject_adjoint,
    integrate,
    integrate_adjoint,
    matrix_adjoint,
)
from .past import accumulate_before, begin, deliver_before, gather_before, keep_end, state_before
from .pooling import pool, pool_adjoint
from .random import draw_spikes
from .recording import add_moments
from .sparse import accumulate_sparse, accumulate_sparse_before, deliver_sparse, pull_sparse
from .threshold import (
    add_jumps,
    clamp_adjoint,
    collect_spikes,
    is_listed,
    jumps_adjoint,
    jumps_adjoint_before,
    reset,
    reset_adjoint,
    threshold,
    threshold_adjoint,
)

AHEAD = 192  # steps times trials whose input events are delivered together
ROWS = 1152  # steps times trials whose events are accumulated together


@kernel
def _copy_blocks(blocks, moment, trials, states, rows, start, n):
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            size = blocks.size[m]
            for b in range(trials):
                row, state = (
                    part(rows[start + b, n], blocks.column[m], size),
                    part(states[b], blocks.first[m], size),
                )
                for i in range(size):
                    row[i] = state[i]


@kernel
def _add_blocks(blocks, moment, trials, rows, start, n, states):
    for m in range(blocks.size.size):
        if blocks.tag[m] == moment:
            size = blocks.size[m]
            for b in range(trials):
                row, state = (
                    part(rows[start + b, n], blocks.column[m], size),
                    part(states[b], blocks.first[m], size),
                )
                for i in range(size):
                    state[i] += row[i]


@kernel
def _gather_all(wiring, weight, drive, start, trials, first, last, scratch):
    """What the inputs add to currents at steps first .. last - 1."""
    for k in range(wiring.source.size):
        if wiring.source[k] < wiring.n_inputs:
            gather_inputs(
                weight[wiring.weight_first[k] :],
                wiring.n_post[k],
                scratch.sums.size,
                drive.inputs,
                drive.rows[start : start + trials],
                trials,
                wiring.n_inputs,
                wiring.source[k],
                first,
                last,
                wiring.delay[k],
                wiring.input_column[k],
                scratch.arriving,
            )


@fused
def _deliver_all(model, wiring, weight, drive, spikes, start, trials, n, arriving, new, extras):
    """All events that arrive at step n: bundle by bundle, those emitted `delay` steps before."""
    n_inputs, n_populations = wiring.n_inputs, model.group.size
    for k in range(wiring.source.size):
        m, n_post, target, jump, source = (
            n - wiring.delay[k],
            wiring.n_post[k],
            wiring.target[k],
            wiring.jump[k],
            wiring.source[k],
        )
        if m < 0:
            if extras is not None:
                deliver_before(
                    wiring,
                    k,
                    n_populations,
                    weight[wiring.weight_first[k] :],
                    drive.past,
                    start,
                    trials,
                    m,
                    arriving,
                    new,
                )
            continue
        w, at = weight[wiring.weight_first[k] :], m * n_populations + source - n_inputs
        for b in range(trials):
            current = part(new[b], target, n_post)
            if source < n_inputs:
                row = part(arriving[b], wiring.input_column[k], n_post)
                for i in range(n_post):
                    current[i] += jump * row[i]
            else:
                deliver(
                    w,
                    n_post,
                    jump,
                    spikes,
                    spikes.pointers[start + b, at],
                    spikes.pointers[start + b, at + 1],
                    current,
                )


@kernel
def _add_currents(model, drive, start, n, trials, old, new):
    """What changes U* beside the linear step: currents, biases, conductances, bounds."""
    if drive.current.shape[1]:
        inject(model, drive.blocks, drive.current, start, n, trials, new)
    if model.bias.size:
        add_bias(model, trials, new)
    for g in range(model.n_spiking):
        if model.conducting[g]:
            conduct(model, g, drive, start, n, trials, old, new)
        if model.bounds.used[g]:
            bound(model, g, trials, new)


@kernel
def forward(model, wiring, weight, drive, recording, scratch, steps, first, last, extras, stop):
    """Simulate trials first .. last - 1 of the batch from the initial state, and write `recording`.

    stop: int64; the run ends early, and what it wrote is worth nothing, as soon as stop[0] is not 0.
    extras: None if nothing of what passes.needs_extras looks for occurs; another kernel is compiled then, in half the time.
    """
    model, wiring, weight, drive, recording, scratch = borrowed(
        (model, wiring, weight, drive, recording, scratch)
    )
    spikes, margin, clock, stored = (
        recording.spikes,
        recording.margin,
        scratch.clock,
        recording.margin.shape[1] == steps,
    )
    tile, ahead = scratch.states.shape[1], scratch.arriving.shape[0]
    random = (
        drive.chance.kind.size + drive.chance.silent.size > 0 and spikes.values.size == 0
    )  # the smooth twin has no noise
    for start in range(first, last, tile):
        trials = min(tile, last - start)
        clock[:] = 0
        for b in range(trials):
            scratch.states[0, b, : model.initial.size] = model.initial
        if extras is not None:
            if drive.past.states.shape[0]:
                begin(drive.past, model, start, trials, scratch.states[0], clock)
        for n in range(steps):
            if is_raised(stop, 0):
                return
            old, new, slot = scratch.states[n % 2], scratch.states[(n + 1) % 2], n if stored else 0
            if n % ahead == 0:
                _gather_all(wiring, weight, drive, start, trials, n, min(n + ahead, steps), scratch)
                if extras is not None:
                    gather_before(
                        wiring, weight, drive.past, start, trials, n, min(n + ahead, steps), scratch
                    )
            for g in range(model.row_first.size - 1):
                integrate(model, g, trials, old, new)
            if extras is not None:
                _add_currents(model, drive, start, n, trials, old, new)
            for g in range(model.n_spiking):
                threshold(model, g, trials, old, new, clock, margin, start, slot)
            if extras is not None:
                if random:
                    draw_spikes(drive.chance, trials, margin, start, slot, drive.past.first + n)
                pool(model.pools, trials, margin, start, slot)
            for p in range(model.group.size):
                collect_spikes(model, p, trials, margin, slot, spikes, recording.near, start, n)
            if recording.states.shape[2]:
                _copy_blocks(
                    recording.blocks, BEFORE_RESET, trials, new, recording.states, start, n
                )
            if extras is not None:
                if recording.moments.shape[2]:
                    add_moments(
                        recording.moment_blocks,
                        BEFORE_RESET,
                        trials,
                        new,
                        recording.moments,
                        start,
                        n,
                    )
            _deliver_all(
                model,
                wiring,
                weight,
                drive,
                spikes,
                start,
                trials,
                n,
                scratch.arriving[n % ahead],
                new,
                extras,
            )
            if extras is not None:
                deliver_sparse(
                    wiring.sparse,
                    wiring.n_inputs,
                    model.group.size,
                    weight,
                    drive,
                    spikes,
                    start,
                    trials,
                    n,
                    new,
                )
            for p in range(model.group.size):
                reset(
                    model, p, trials, spikes, margin, start, n, slot, new, clock, recording.counts
                )
            if extras is not None:
                add_jumps(model, drive.past, trials, spikes, start, n, new)
            if recording.states.shape[2]:
                _copy_blocks(recording.blocks, END_OF_STEP, trials, new, recording.states, start, n)
            if extras is not None:
                if recording.moments.shape[2]:
                    add_moments(
                        recording.moment_blocks,
                        END_OF_STEP,
                        trials,
                        new,
                        recording.moments,
                        start,
                        n,
                    )
        if recording.end.shape[0]:
            keep_end(recording, start, trials, scratch.states[steps % 2], clock)


@fused
def _resets_adjoint(model, recording, loss, start, trials, n, differentiate, now, grad_spikes):
    """Undo the resets of step n; grad_S begins with the derivatives of the loss."""
    size = recording.counts.shape[1]
    for b in range(trials):
        given, total = part(loss.counts[start + b], 0, size), part(grad_spikes[b], 0, size)
        for i in range(size):
            total[i] = given[i]
        if loss.spikes.shape[1]:
            for i in range(size):
                total[i] += loss.spikes[start + b, n, i]
    for g in range(model.n_spiking):
        reset_adjoint(
            model,
            g,
            trials,
            recording.margin,
            start,
            n,
            recording.spikes.values.size > 0,
            differentiate,
            now,
            grad_spikes,
        )


@fused
def _pull_all(
    model, wiring, weight, panels, near, start, trials, n, steps, window, ring, grad_spikes
):
    """grad_S of what was emitted at step n and arrived `delay` steps later."""
    for k in range(wiring.source.size):
        p = wiring.source[k] - wiring.n_inputs
        if (
            p < 0
            or not wiring.pulled[k]
            or n + wiring.delay[k] >= steps
            or window > 0
            and n // window != (n + wiring.delay[k]) // window
        ):
            continue
        arrived = ring[(n + wiring.delay[k]) % ring.shape[0]]
        n_pre, n_post, target, jump = (
            wiring.n_pre[k],
            wiring.n_post[k],
            wiring.target[k],
            wiring.jump[k],
        )
        pre = model.population_first[p]
        if is_listed(model, model.group[p], near):
            pull_near(
                weight[wiring.weight_first[k] :],
                n_post,
                jump,
                trials,
                arrived,
                target,
                near,
                start,
                n * model.group.size + p,
                grad_spikes,
                pre,
            )
        else:
            pull_dense(
                panels[wiring.panel_first[k] :],
                n_pre,
                n_post,
                jump,
                trials,
                arrived,
                target,
                grad_spikes,
                pre,
            )


@fused
def _accumulate_step(
    wiring, n_populations, drive, spikes, start, trials, n, steps, ring, grad_weight
):
    """grad_W of the small bundles from the events emitted at step n."""
    for k in range(wiring.source.size):
        n_post, source = wiring.n_post[k], wiring.source[k]
        if wiring.kept_column[k] >= 0 or not wiring.trained[k] or n + wiring.delay[k] >= steps:
            continue
        arrived, gradient = (
            ring[(n + wiring.delay[k]) % ring.shape[0]],
            grad_weight[wiring.weight_first[k] :],
        )
        for b in range(trials):
            adjoint = part(arrived[b], wiring.target[k], n_post)
            if source < wiring.n_inputs:
                row, at = drive.rows[start + b], n * wiring.n_inputs + source
                first, last = drive.inputs.pointers[row, at], drive.inputs.pointers[row, at + 1]
                accumulate_now(gradient, n_post, wiring.jump[k], drive.inputs, first, last, adjoint)
            else:
                at = n * n_populations + source - wiring.n_inputs
                first, last = spikes.pointers[start + b, at], spikes.pointers[start + b, at + 1]
                accumulate_now(gradient, n_post, wiring.jump[k], spikes, first, last, adjoint)


@fused
def _keep_arrived(kept, trials, now, slot, arrived, span):
    """Set the adjoints of currents aside, for the events that arrive at this step."""
    for m in range(kept.size.size):
        for at in range(0, kept.size[m], span):
            size, block = min(span, kept.size[m] - at), arrived[(kept.column[m] + at) // span, slot]
            for b in range(trials):
                row, state = part(block[b], 0, size), part(now[b], kept.first[m] + at, size)
                for i in range(size):
                    row[i] = state[i]


@fused
def _accumulate_all(
    wiring, n_populations, drive, spikes, start, trials, first, last, steps, scratch, grad_weight
):
    """grad_W from the events emitted at steps first .. last - 1, bundle by bundle."""
    arrived, sorting = scratch.arrived, scratch.sorting
    slots, tile = arrived.shape[1], arrived.shape[2]
    for b in range(trials):
        sorting.rows[b] = start + b
    for k in range(wiring.source.size):
        n_pre, delay, source, arrive = (
            wiring.n_pre[k],
            wiring.delay[k],
            wiring.source[k],
            min(last, steps - wiring.delay[k]),
        )
        if wiring.kept_column[k] < 0 or not wiring.trained[k]:
            continue
        if source < wiring.n_inputs:
            events_by_unit(
                drive.inputs,
                drive.rows[start : start + trials],
                trials,
                wiring.n_inputs,
                source,
                first,
                arrive,
                delay,
                slots,
                tile,
                n_pre,
                sorting,
            )
        else:
            events_by_unit(
                spikes,
                sorting.rows,
                trials,
                n_populations,
                source - wiring.n_inputs,
                first,
                arrive,
                delay,
                slots,
                tile,
                n_pre,
                sorting,
            )
        accumulate(
            grad_weight[wiring.weight_first[k] :],
            n_pre,
            wiring.n_post[k],
            wiring.jump[k],
            source >= wiring.n_inputs and spikes.values.size > 0,
            sorting,
            wiring.kept_column[k],
            arrived,
            scratch.sums,
        )


@fused
def _currents_adjoint(model, drive, recording, gradient, start, trials, n, grad_new):
    """As `_add_currents` but for conductances, whose adjoint comes with that of the linear step; and the adjoint of its matrix."""
    for g in range(model.n_spiking):
        if model.bounds.used[g]:
            bound_adjoint(model, g, trials, recording.margin, start, n, grad_new)
    if drive.current.shape[1]:
        inject_adjoint(
            model,
            drive.blocks,
            drive.current,
            start,
            n,
            trials,
            grad_new,
            gradient.current,
            gradient.drive,
        )
    if model.bias.size:
        bias_adjoint(model, trials, grad_new, gradient.bias, gradient.drive)
    if gradient.coefficient.size:
        for g in range(model.row_first.size - 1):
            for b in range(trials):
                old = state_before(model, drive.past, recording.states, start + b, n)
                matrix_adjoint(model, g, grad_new[b], old, gradient.coefficient)


@fused
def _populations_adjoint(
    model,
    drive,
    recording,
    loss,
    gradient,
    start,
    trials,
    n,
    grad_new,
    grad_spikes,
    grad_old,
    kept,
    extras,
):
    """From the adjoint after step n (synapses and reset undone) to the one after step n - 1. Overwrites that of U."""
    margin = recording.margin
    if loss.states.shape[1]:
        _add_blocks(loss.blocks, BEFORE_RESET, trials, loss.states, start, n, grad_new)
    for g in range(model.n_spiking):
        threshold_adjoint(model, g, trials, margin, start, n, grad_spikes, grad_new)
    if extras is not None:
        if gradient.states.shape[2]:
            _copy_blocks(gradient.blocks, BEFORE_RESET, trials, grad_new, gradient.states, start, n)
    for g in range(model.n_spiking):
        if model.clamped_steps[g] > 0:
            clamp_adjoint(model, g, trials, margin, start, n, grad_new, kept)
    if extras is not None:
        _currents_adjoint(model, drive, recording, gradient, start, trials, n, grad_new)
    for g in range(model.row_first.size - 1):
        integrate_adjoint(model, g, trials, grad_new, grad_old)
        if extras is not None:
            if model.conducting[g]:
                conduct_adjoint(
                    model,
                    g,
                    drive,
                    recording.states,
                    start,
                    n,
                    trials,
                    grad_new,
                    grad_old,
                    gradient,
                )
        if g < model.n_spiking and model.clamped_steps[g] > 0:
            a, u = model.neuron_first[g], model.state_first[g]
            for b in range(trials):
                for i in range(model.neuron_first[g + 1] - a):
                    grad_old[b, u + i] += kept[b, a + i]


@kernel
def _steps_before_silence(loss, start, trials, steps):
    """Number of steps up to the last one with a derivative of the loss in a tile of trials: all later adjoints are 0."""
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


@fused
def adjoint(
    model,
    wiring,
    weight,
    panels,
    drive,
    recording,
    loss,
    gradient,
    scratch,
    differentiate_reset,
    first,
    last,
    extras,
    stop,
):
    """Add the gradients of trials first .. last - 1 to `gradient`, a tile of trials at a time, from the last step back that matters.

    extras, stop: as in `forward`.
    """
    model, wiring, weight, panels, drive, recording = borrowed(
        (model, wiring, weight, panels, drive, recording)
    )
    loss, gradient, scratch = borrowed((loss, gradient, scratch))
    ring, grad_spikes, kept = (
        scratch.states,
        scratch.grad_spikes,
        scratch.kept,
    )  # ring: adjoints after the synapses, by step
    tile, slots = scratch.states.shape[1], scratch.arrived.shape[1]
    window = ROWS // tile
    for start in range(first, last, tile):
        trials = min(tile, last - start)
        steps = _steps_before_silence(loss, start, trials, recording.margin.shape[1])
        ring[:] = 0
        for n in range(steps - 1, -1, -1):
            if is_raised(stop, 0):
                return
            now, before = ring[n % ring.shape[0]], ring[(n - 1) % ring.shape[0]]
            if loss.states.shape[1]:
                _add_blocks(loss.blocks, END_OF_STEP, trials, loss.states, start, n, now)
            if extras is not None:
                if gradient.states.shape[2]:
                    _copy_blocks(
                        gradient.blocks, END_OF_STEP, trials, now, gradient.states, start, n
                    )
            _keep_arrived(wiring.kept, trials, now, n % slots, scratch.arrived, scratch.sums.size)
            _resets_adjoint(
                model, recording, loss, start, trials, n, differentiate_reset, now, grad_spikes
            )
            if extras is not None:
                jumps_adjoint(
                    model,
                    recording,
                    start,
                    trials,
                    n,
                    steps,
                    loss.window,
                    ring,
                    grad_spikes,
                    gradient.jump,
                )
            _pull_all(
                model,
                wiring,
                weight,
                panels,
                recording.near,
                start,
                trials,
                n,
                steps,
                loss.window,
                ring,
                grad_spikes,
            )
            if extras is not None:
                pull_sparse(
                    wiring.sparse,
                    wiring.n_inputs,
                    model,
                    weight,
                    recording.near,
                    start,
                    trials,
                    n,
                    steps,
                    loss.window,
                    ring,
                    grad_spikes,
                )
                accumulate_sparse(
                    wiring.sparse,
                    wiring.n_inputs,
                    model.group.size,
                    drive,
                    recording.spikes,
                    start,
                    trials,
                    n,
                    steps,
                    ring,
                    gradient.weight,
                )
                pool_adjoint(model, trials, recording.margin, recording.near, start, n, grad_spikes)
            _accumulate_step(
                wiring,
                model.group.size,
                drive,
                recording.spikes,
                start,
                trials,
                n,
                steps,
                ring,
                gradient.weight,
            )
            _populations_adjoint(
                model,
                drive,
                recording,
                loss,
                gradient,
                start,
                trials,
                n,
                now,
                grad_spikes,
                before,
                kept,
                extras,
            )
            if loss.window > 0 and n % loss.window == 0:
                before[:] = 0
            if n % window == 0:
                _accumulate_all(
                    wiring,
                    model.group.size,
                    drive,
                    recording.spikes,
                    start,
                    trials,
                    n,
                    min(n + window, steps),
                    steps,
                    scratch,
                    gradient.weight,
                )
        if extras is not None:
            if drive.past.steps:
                accumulate_before(
                    wiring,
                    model.group.size,
                    drive.past,
                    start,
                    trials,
                    steps,
                    ring,
                    gradient.weight,
                )
                accumulate_sparse_before(
                    wiring.sparse,
                    wiring.n_inputs,
                    model.group.size,
                    drive.past,
                    start,
                    trials,
                    steps,
                    ring,
                    gradient.weight,
                )
                jumps_adjoint_before(model, drive.past, start, trials, steps, ring, gradient.jump)
