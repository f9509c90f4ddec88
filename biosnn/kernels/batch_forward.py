"""A batch of trials forward in time: one step of a network, part by part.

Index letters of all kernels: b trial, n step, g group, p population, k bundle of projections,
j presynaptic neuron, i postsynaptic neuron. The order of a step is Brian2's: integrate, threshold,
synapses, reset.

    integrate   U*, I* = M (U, I) + drive * current       a clamped (refractory) U stays
    threshold   S = U* > theta
    deliver     I_i += W_ji S_j[n - D]
    reset       U = U* + S (U_reset - U*)   or   U = U* - theta S

A tile of trials goes through each part side by side, so arrays of states are (trial of the tile,
element). Kernels see arrays and scalars only (arrays.py). batch_adjoint.py is the way back.
"""

# numba drops a branch at compile time only where its test is `extras is not None` alone

from .arrays import BEFORE_RESET, END_OF_STEP
from .bundles import deliver_all, gather_all
from .conductance import conduct
from .earlier_run import begin, gather_before, keep_end
from .jit import borrowed, is_raised, kernel
from .membrane import add_bias, bound, inject, integrate
from .pooling import pool
from .random import draw_spikes
from .recording import record
from .sparse import deliver_sparse
from .threshold import add_jumps, collect_spikes, reset, threshold

AHEAD = 192  # steps times trials whose input events are delivered together


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
def _gather(wiring, weight, drive, start, trials, first, last, scratch, extras):
    """What inputs add to currents at steps first .. last - 1, by events of this run and before."""
    gather_all(wiring, weight, drive, start, trials, first, last, scratch)
    if extras is not None:
        gather_before(wiring, weight, drive.earlier, start, trials, first, last, scratch)


@kernel
def _integrate(model, drive, start, n, trials, old, new, extras):
    """U*, I* = M (U, I) + …, for all populations."""
    for g in range(model.row_first.size - 1):
        integrate(model, g, trials, old, new)
    if extras is not None:
        _add_currents(model, drive, start, n, trials, old, new)


@kernel
def _spike(model, drive, recording, scratch, start, n, slot, trials, old, new, random, extras):
    """S = U* > theta, for all populations and units that pool spikes."""
    margin = recording.margin
    for g in range(model.n_spiking):
        threshold(model, g, trials, old, new, scratch.clock, margin, start, slot)
    if extras is not None:
        if random:
            draw_spikes(drive.chance, trials, margin, start, slot, drive.earlier.first + n)
        pool(model.pools, trials, margin, start, slot)
    for p in range(model.group.size):
        collect_spikes(model, p, trials, margin, slot, recording.spikes, recording.near, start, n)


@kernel
def _deliver(model, wiring, weight, drive, spikes, start, trials, n, arriving, new, extras):
    """I_i += W_ji S_j[n - D], through dense and sparse projections."""
    deliver_all(model, wiring, weight, drive, spikes, start, trials, n, arriving, new, extras)
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


@kernel
def _reset(model, drive, recording, scratch, start, n, slot, trials, new, extras):
    """U = U* + S (U_reset - U*), and the jumps of other states."""
    spikes = recording.spikes
    for p in range(model.group.size):
        reset(
            model,
            p,
            trials,
            spikes,
            recording.margin,
            start,
            n,
            slot,
            new,
            scratch.clock,
            recording.counts,
        )
    if extras is not None:
        add_jumps(model, drive.earlier, trials, spikes, start, n, new)


@kernel
def _begin(model, drive, start, trials, scratch, extras):
    """States and clocks of a tile of trials before its first step."""
    scratch.clock[:] = 0
    for b in range(trials):
        scratch.states[0, b, : model.initial.size] = model.initial
    if extras is not None:
        if drive.earlier.states.shape[0]:
            begin(drive.earlier, model, start, trials, scratch.states[0], scratch.clock)


@kernel
def forward(model, wiring, weight, drive, recording, scratch, steps, first, last, extras, stop):
    """Simulate trials first .. last - 1 of the batch, and write `recording`.

    stop: int64; the run ends early, and what it wrote is worth nothing, as soon as stop[0] is not
    0. extras: None if nothing of what chunks.needs_extras looks for occurs; another kernel is
    compiled then, in half the time.
    """
    model, wiring, weight, drive, recording, scratch = borrowed(
        (model, wiring, weight, drive, recording, scratch)
    )
    stored = recording.margin.shape[1] == steps
    tile, ahead = scratch.states.shape[1], scratch.arriving.shape[0]
    spikes = recording.spikes
    # the smooth twin has no noise
    random = drive.chance.kind.size + drive.chance.silent.size > 0 and spikes.values.size == 0
    for start in range(first, last, tile):
        trials = min(tile, last - start)
        _begin(model, drive, start, trials, scratch, extras)
        for n in range(steps):
            if is_raised(stop, 0):
                return
            old, new, slot = scratch.states[n % 2], scratch.states[(n + 1) % 2], n if stored else 0
            if n % ahead == 0:
                until = min(n + ahead, steps)
                _gather(wiring, weight, drive, start, trials, n, until, scratch, extras)
            _integrate(model, drive, start, n, trials, old, new, extras)
            _spike(
                model, drive, recording, scratch, start, n, slot, trials, old, new, random, extras
            )
            record(recording, BEFORE_RESET, trials, new, start, n, extras)
            arriving = scratch.arriving[n % ahead]
            _deliver(model, wiring, weight, drive, spikes, start, trials, n, arriving, new, extras)
            _reset(model, drive, recording, scratch, start, n, slot, trials, new, extras)
            record(recording, END_OF_STEP, trials, new, start, n, extras)
        if recording.end.shape[0]:
            keep_end(recording, start, trials, scratch.states[steps % 2], scratch.clock)
