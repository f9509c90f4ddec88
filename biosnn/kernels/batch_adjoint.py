"""A batch of trials back in time: calls the adjoint of each part of a step; holds no equation.

Each adjoint is next to what it undoes (membrane.py, threshold.py, dense.py, sparse.py, …). This
file calls them in the reverse order of batch_forward.py, whose index letters hold here, too.
Kernels see arrays and scalars only (arrays.py).
"""

# numba drops a branch at compile time only where its test is `extras is not None` alone

from .arrays import BEFORE_RESET, END_OF_STEP
from .bundles import accumulate_all, accumulate_step, keep_arrived, pull_all
from .conductance import conduct_adjoint
from .earlier_run import accumulate_before, state_before
from .jit import borrowed, fused, is_raised, kernel, part
from .membrane import (
    bias_adjoint,
    bound_adjoint,
    inject_adjoint,
    integrate_adjoint,
    matrix_adjoint,
)
from .pooling import pool_adjoint
from .recording import add_blocks, copy_blocks
from .sparse import accumulate_sparse, accumulate_sparse_before, pull_sparse
from .threshold import (
    clamp_adjoint,
    jumps_adjoint,
    jumps_adjoint_before,
    reset_adjoint,
    threshold_adjoint,
)

ROWS = 1152  # steps times trials whose events are accumulated together


@fused
def _resets_adjoint(model, recording, loss, scratch, start, trials, n, differentiate):
    """Undo the resets of step n; grad_S begins with the derivatives of the loss."""
    ring, grad_spikes = scratch.states, scratch.grad_spikes
    now = ring[n % ring.shape[0]]
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
def _currents_adjoint(model, drive, recording, gradient, start, trials, n, grad_new):
    """Undo currents, biases and bounds; and the adjoint of the step matrix.

    The adjoint of conductances comes with that of the linear step.
    """
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
                old = state_before(model, drive.earlier, recording.states, start + b, n)
                matrix_adjoint(model, g, grad_new[b], old, gradient.coefficient)


@fused
def _populations_adjoint(
    model, drive, recording, loss, gradient, scratch, start, trials, n, extras
):
    """From the adjoint after step n (synapses and reset undone) to the one after step n - 1.

    Overwrites that of U.
    """
    margin, kept, grad_spikes = recording.margin, scratch.kept, scratch.grad_spikes
    ring = scratch.states
    grad_new, grad_old = ring[n % ring.shape[0]], ring[(n - 1) % ring.shape[0]]
    if loss.states.shape[1]:
        add_blocks(loss.blocks, BEFORE_RESET, trials, loss.states, start, n, grad_new)
    for g in range(model.n_spiking):
        threshold_adjoint(model, g, trials, margin, start, n, grad_spikes, grad_new)
    if extras is not None:
        if gradient.states.shape[2]:
            copy_blocks(gradient.blocks, BEFORE_RESET, trials, grad_new, gradient.states, start, n)
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
    if loss.window > 0 and n % loss.window == 0:  # no gradient leaves a window
        grad_old[:] = 0


@fused
def _losses_adjoint(wiring, loss, gradient, scratch, start, trials, n, extras):
    """Derivatives of the loss by states at the end of step n; and what is kept of their adjoints.

    The ring in scratch.states holds the adjoints after the synapses, by step.
    """
    ring, arrived = scratch.states, scratch.arrived
    now = ring[n % ring.shape[0]]
    if loss.states.shape[1]:
        add_blocks(loss.blocks, END_OF_STEP, trials, loss.states, start, n, now)
    if extras is not None:
        if gradient.states.shape[2]:
            copy_blocks(gradient.blocks, END_OF_STEP, trials, now, gradient.states, start, n)
    keep_arrived(wiring.kept, trials, now, n % arrived.shape[1], arrived, scratch.sums.size)


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


@fused
def _synapses_adjoint(
    model,
    wiring,
    weights,
    drive,
    recording,
    gradient,
    scratch,
    start,
    trials,
    n,
    steps,
    window,
    extras,
):
    """grad_S of the spikes of step n, and grad_W, through everything that they reach."""
    weight, panels = weights
    ring, grad_spikes, grad_weight = scratch.states, scratch.grad_spikes, gradient.weight
    near, spikes, n_populations = recording.near, recording.spikes, model.group.size
    if extras is not None:
        jumps_adjoint(
            model, recording, start, trials, n, steps, window, ring, grad_spikes, gradient.jump
        )
    pull_all(
        model, wiring, weight, panels, near, start, trials, n, steps, window, ring, grad_spikes
    )
    if extras is not None:
        sparse, q = wiring.sparse, wiring.n_inputs
        pull_sparse(
            sparse, q, model, weight, near, start, trials, n, steps, window, ring, grad_spikes
        )
        accumulate_sparse(
            sparse, q, n_populations, drive, spikes, start, trials, n, steps, ring, grad_weight
        )
        pool_adjoint(model, trials, recording.margin, near, start, n, grad_spikes)
    accumulate_step(
        wiring, n_populations, drive, spikes, start, trials, n, steps, ring, grad_weight
    )


@fused
def _accumulate_window(model, wiring, drive, recording, gradient, scratch, start, trials, n, steps):
    """grad_W of the large bundles, from the events of the window of steps that begins with n."""
    until, spikes = min(n + ROWS // scratch.states.shape[1], steps), recording.spikes
    accumulate_all(
        wiring,
        model.group.size,
        drive,
        spikes,
        start,
        trials,
        n,
        until,
        steps,
        scratch,
        gradient.weight,
    )


@fused
def _earlier_adjoint(model, wiring, drive, gradient, start, trials, steps, ring):
    """Gradients from the spikes before the run that arrived in it."""
    earlier, n_populations = drive.earlier, model.group.size
    accumulate_before(wiring, n_populations, earlier, start, trials, steps, ring, gradient.weight)
    accumulate_sparse_before(
        wiring.sparse,
        wiring.n_inputs,
        n_populations,
        earlier,
        start,
        trials,
        steps,
        ring,
        gradient.weight,
    )
    jumps_adjoint_before(model, earlier, start, trials, steps, ring, gradient.jump)


@fused
def _tile_adjoint(
    model,
    wiring,
    weights,
    drive,
    recording,
    loss,
    gradient,
    scratch,
    resets,
    start,
    last,
    extras,
    stop,
):
    """Gradients of a tile of trials, from the last step that matters back to the first.

    resets: whether they flow through resets. Returns whether it went all the way.
    """
    ring = scratch.states
    trials, window = min(ring.shape[1], last - start), ROWS // ring.shape[1]
    steps = _steps_before_silence(loss, start, trials, recording.margin.shape[1])
    ring[:] = 0
    for n in range(steps - 1, -1, -1):
        if is_raised(stop, 0):
            return False
        _losses_adjoint(wiring, loss, gradient, scratch, start, trials, n, extras)
        _resets_adjoint(model, recording, loss, scratch, start, trials, n, resets)
        _synapses_adjoint(
            model,
            wiring,
            weights,
            drive,
            recording,
            gradient,
            scratch,
            start,
            trials,
            n,
            steps,
            loss.window,
            extras,
        )
        _populations_adjoint(
            model, drive, recording, loss, gradient, scratch, start, trials, n, extras
        )
        if n % window == 0:
            _accumulate_window(
                model, wiring, drive, recording, gradient, scratch, start, trials, n, steps
            )
    if extras is not None:
        if drive.earlier.steps:
            _earlier_adjoint(model, wiring, drive, gradient, start, trials, steps, ring)
    return True


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
    """Add the gradients of trials first .. last - 1 to `gradient`, a tile of trials at a time.

    extras, stop: as in `forward`.
    """
    model, wiring, weight, panels, drive, recording = borrowed(
        (model, wiring, weight, panels, drive, recording)
    )
    loss, gradient, scratch = borrowed((loss, gradient, scratch))
    weights, tile = (weight, panels), scratch.states.shape[1]
    for start in range(first, last, tile):
        if not _tile_adjoint(
            model,
            wiring,
            weights,
            drive,
            recording,
            loss,
            gradient,
            scratch,
            differentiate_reset,
            start,
            last,
            extras,
            stop,
        ):
            return
