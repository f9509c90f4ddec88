"""Binning: events of trials into the steps that contain them."""

import numpy as np

from .jit import kernel
from .simd import lowest_bit

_WORD, _ONE = np.uint64(64), np.uint64(1)


@kernel
def bin_once(spans, n_steps, n_units, duration, dt, tolerance, present, pointers, binned):
    """Events of trials (data/events.py: Spans), moved, into the steps that contain them.

    One of a unit in a step; returns how many there are.

    Those outside of the units 0 .. n_units - 1 or the times 0 <= t < duration are left out.
    tolerance: seconds, see timegrid.steps_of. present: bits (trial, step, unit), zeros. Writes
    pointers (trial, step + 1) and the units of each step, ascending.
    """
    words = present.size // (pointers.shape[0] * n_steps)  # 64 units each
    for b in range(pointers.shape[0]):
        up = np.int64(spans.up[b])
        scale = spans.scale[b]
        shift = spans.shift[b]
        for e in range(spans.first[b], spans.last[b]):
            unit, time = spans.units[e] + up, scale * np.float64(spans.times[e]) + shift
            if not (0 <= unit < n_units and 0 <= time < duration):
                continue
            late = time + min(tolerance.least + tolerance.share * time, tolerance.most)
            step = min(np.int64(late / dt), n_steps - 1)
            present[(b * n_steps + step) * words + (unit >> 6)] |= _ONE << (np.uint64(unit) % _WORD)
    count = 0
    for b in range(pointers.shape[0]):
        pointers[b, 0] = count
        for n in range(n_steps):
            for w in range(words):
                bits = present[(b * n_steps + n) * words + w]
                while bits:
                    binned[count] = 64 * w + lowest_bit(bits)
                    count += 1
                    bits &= bits - _ONE
            pointers[b, n + 1] = count
    return count
