"""Augmentations change spikes as they say, by their seed alone."""
import numpy as np
import pytest

import biosnn as bs

DATA = bs.data.poisson(20, 50, 1.0, 40, seed=0, labels=np.arange(40) % 3)


def test_shifts_are_common_to_a_trial():
    moved = bs.augment(DATA, [bs.TimeShift(0.01), bs.ChannelShift(3)], seed=1)
    assert np.array_equal(moved.labels, DATA.labels) and moved.times.size < DATA.times.size
    by_unit, by_time = [], []
    for b in range(40):
        old, new = DATA[b], moved[b]
        # the spikes that stayed inside match one shift in time and one in units
        gap = np.subtract.outer(new.times, old.times)[:, :, None].ravel()
        step = np.subtract.outer(new.units, old.units).ravel()
        close = np.abs(gap) <= 0.01
        pairs, counts = np.unique(np.round(np.stack([gap[close], step[close]], 1), 9), axis=0, return_counts=True)
        best = counts.argmax()
        assert counts[best] >= new.times.size    # every surviving spike moved so
        by_time.append(pairs[best, 0]), by_unit.append(pairs[best, 1])
    assert np.ptp(by_time) > 0.01 and 1.5 < np.std(by_unit) < 4.5


def test_jitter_stretch_drop_and_insert():
    jittered = bs.augment(DATA, [bs.TimeJitter(1e-9), bs.ChannelJitter(1e-9)], seed=1)
    assert np.array_equal(jittered.units, DATA.units) and np.abs(jittered.times - DATA.times).max() < 1e-7
    stretched = bs.augment(DATA, [bs.TimeStretch(0.1)], seed=1)
    ratio = stretched[0].times[0] / DATA[0].times[0]
    n = stretched[0].times.size
    np.testing.assert_allclose(stretched[0].times, DATA[0].times[:n] * ratio, rtol=1e-9)
    kept = bs.augment(DATA, [bs.Drop(0.25)], seed=1).times.size / DATA.times.size
    assert abs(kept - 0.75) < 4 * np.sqrt(0.25 * 0.75 / DATA.times.size)
    added = bs.augment(DATA, [bs.Insert(5.0)], seed=1).times.size - DATA.times.size
    assert abs(added - 5 * 50 * 40) < 4 * np.sqrt(5 * 50 * 40)


def test_seed_decides():
    def run(seed):
        return bs.augment(DATA, [bs.ChannelShift(3), bs.Drop(0.1)], seed)
    assert np.array_equal(run(1).units, run(1).units) and not np.array_equal(run(1).units, run(2).units)


def test_messages():
    with pytest.raises(ValueError, match="spread is -1"):
        bs.ChannelShift(-1)
    with pytest.raises(ValueError, match="0 .. 1"):
        bs.Drop(1.5)
    with pytest.raises(ValueError, match="not an augmentation.*ChannelShift"):
        bs.augment(DATA, ["shift"], seed=0)
