"""Augmentations change spikes as they say, by their seed alone."""

from dataclasses import dataclass

import numpy as np
import pytest

import biosnn as bs
from biosnn.data.augmentation import augmented_events

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
        pairs, counts = np.unique(
            np.round(np.stack([gap[close], step[close]], 1), 9), axis=0, return_counts=True
        )
        best = counts.argmax()
        assert counts[best] >= new.times.size  # every surviving spike moved so
        by_time.append(pairs[best, 0]), by_unit.append(pairs[best, 1])
    assert np.ptp(by_time) > 0.01 and 1.5 < np.std(by_unit) < 4.5


@pytest.mark.statistical
def test_jitter_stretch_drop_and_insert():
    jittered = bs.augment(DATA, [bs.TimeJitter(1e-9), bs.ChannelJitter(1e-9)], seed=1)
    assert (
        np.array_equal(jittered.units, DATA.units)
        and np.abs(jittered.times - DATA.times).max() < 1e-7
    )
    stretched = bs.augment(DATA, [bs.TimeStretch(0.1)], seed=1)
    ratio = stretched[0].times[0] / DATA[0].times[0]
    n = stretched[0].times.size
    np.testing.assert_allclose(stretched[0].times, DATA[0].times[:n] * ratio, rtol=1e-9)
    kept = bs.augment(DATA, [bs.Drop(0.25)], seed=1).times.size / DATA.times.size
    assert abs(kept - 0.75) < 4 * np.sqrt(0.25 * 0.75 / DATA.times.size)
    added = bs.augment(DATA, [bs.Insert(5.0)], seed=1).times.size - DATA.times.size
    assert abs(added - 5 * 50 * 40) < 4 * np.sqrt(5 * 50 * 40)


def test_a_mask_takes_one_band_of_each_trial():
    n = 8000
    data = bs.SpikeTrains.from_events(
        np.full(50 * n, 0.5),
        np.tile(np.arange(50), n),
        np.repeat(np.arange(n), 50),
        n_trials=n,
        n_units=50,
        duration=1.0,
    )
    masked = bs.augment(data, [bs.ChannelMask(20)], seed=1)
    there = np.zeros((n, 50), int)
    there[masked.trials, masked.units] = 1
    lost = 50 - there.sum(axis=1)
    assert set(lost) == set(range(21)) and abs(lost.mean() - 10) < 4 * np.sqrt(
        (21**2 - 1) / 12 / n
    )  # uniform in 0 .. 20
    edges = np.abs(np.diff(np.pad(there, ((0, 0), (1, 1)), constant_values=1), axis=1)).sum(axis=1)
    assert set(edges[lost > 0]) == {2}  # in one piece
    first = np.argmin(there, axis=1)
    for width in (1, 20):  # at every place alike
        assert set(first[lost == width]) == set(range(51 - width))
    assert bs.augment(data, [bs.ChannelMask(500)], seed=1).times.size > 0
    everything = bs.augment(data, [bs.ChannelMask(0)], seed=1)
    assert np.array_equal(everything.units, data.units) and np.array_equal(
        everything.times, data.times
    )


def test_seed_decides():
    def run(seed):
        return bs.augment(DATA, [bs.ChannelShift(3), bs.Drop(0.1)], seed=seed)

    assert np.array_equal(run(1).units, run(1).units) and not np.array_equal(
        run(1).units, run(2).units
    )


def test_blend_mixes_trials_of_one_class():
    # class k fires in units 10 k + 5 +- 1 only, trial b at times with mean 0.2 + 0.02 b
    rng = np.random.default_rng(0)
    trials = np.repeat(np.arange(20), 200)
    labels = np.arange(20) % 2
    data = bs.SpikeTrains.from_events(
        rng.normal(0.2 + 0.02 * trials, 0.01),
        10 * labels[trials] + rng.integers(4, 7, trials.size),
        trials,
        n_trials=20,
        n_units=30,
        duration=1.0,
        labels=labels,
    )
    blended = bs.augment(data, [bs.Blend(1.0)], seed=1)
    for b in range(20):
        old, new = data[b], blended[b]
        assert set(new.units // 10) == {labels[b]} and abs(new.times.size - 200) < 5 * np.sqrt(
            400 / 4
        )
        # both parts lie at the middle of the two means: that of a partner of the class, so a whole
        # number of 0.02 away
        partner = 2 * (new.times.mean() - old.times.mean()) / 0.02
        assert (
            abs(partner - round(partner)) < 0.4
            and round(partner) % 2 == 0
            and np.std(new.times) < 0.012
        )
    assert (
        np.ptp([blended[b].times.mean() - data[b].times.mean() for b in range(20)]) > 0.05
    )  # partners differ
    some = bs.augment(data, [bs.Blend(0.5)], seed=1)
    kept = sum(np.array_equal(some[b].times, data[b].times) for b in range(20))
    assert 3 < kept < 17
    assert np.array_equal(blended.times, bs.augment(data, [bs.Blend(1.0)], seed=1).times)
    with pytest.raises(ValueError, match="need labels"):
        bs.augment(bs.data.poisson(5, 3, 0.1, seed=0), [bs.Blend(1.0)], seed=0)


def test_blend_takes_partners_from_the_pool():
    mine = bs.SpikeTrains.from_events(
        [0.1, 0.2], [0, 0], [0, 0], n_trials=1, n_units=4, duration=1.0, labels=[1]
    )
    pool = bs.SpikeTrains.from_events(
        np.linspace(0.5, 0.9, 400),
        np.full(400, 2),
        np.repeat([0, 1], 200),
        n_trials=2,
        n_units=4,
        duration=1.0,
        labels=[0, 1],
    )
    times, units, _ = augmented_events(mine, [bs.Blend(1.0)], 3, pool).settled()
    assert (
        60 < times.size < 142 and times.max() <= 0.9 - (0.8 - 0.15) / 2 + 1e-9 and set(units) <= {1}
    )


def test_messages():
    with pytest.raises(ValueError, match="spread is -1"):
        bs.ChannelShift(-1)
    with pytest.raises(ValueError, match="most is 2.5; it must be a whole number"):
        bs.ChannelMask(2.5)
    with pytest.raises(ValueError, match="0 .. 1"):
        bs.Drop(1.5)
    with pytest.raises(ValueError, match="must be an augmentation: ChannelShift"):
        bs.augment(DATA, ["shift"], seed=0)


@pytest.mark.parametrize(
    "augmentation",
    [
        bs.TimeShift(0.02),
        bs.TimeJitter(5e-3),
        bs.TimeStretch(0.1),
        bs.ChannelShift(3),
        bs.ChannelJitter(2),
        bs.Drop(0.3),
        bs.ChannelMask(20),
        bs.Insert(5.0),
        bs.Blend(0.5),
    ],
    ids=lambda a: type(a).__name__,
)
def test_what_happens_to_a_trial_does_not_depend_on_the_others(augmentation):
    def changed(rows):
        times, units, trials = augmented_events(
            DATA, [bs.Drop(0.1), augmentation], 7, rows=rows
        ).settled()
        return [sorted(zip(times[trials == k], units[trials == k])) for k in range(rows.size)]

    rows = np.arange(40)
    whole = changed(rows)
    assert len({len(events) for events in whole}) > 5
    for part in (rows[10:13], rows[::-1][:7], rows[[39, 0, 20]]):
        assert changed(part) == [whole[k] for k in part]


# --------------------------------------------------------------------------- those of somebody else


@dataclass(frozen=True)
class Reverse:
    """Some trials run backwards. It knows nothing of ours but the protocol."""

    probability: float

    def apply(self, events, rng):
        times, units, trials = events.columns()
        backwards = rng.random() < self.probability
        times = np.where(backwards[trials], events.duration - times, times)
        return events.replaced(times, units, trials)


class Repeat:
    """Every event comes twice, and its answer is of plain lists."""

    def apply(self, events, rng):
        times, units, trials = (2 * each.tolist() for each in events.columns())
        return events.replaced(times, units, trials)


def test_a_foreign_augmentation_changes_spikes():
    assert isinstance(Reverse(1.0), bs.Augmentation) and isinstance(bs.Drop(0.1), bs.Augmentation)
    assert not isinstance(DATA, bs.Augmentation)
    backwards = bs.augment(DATA, [Reverse(1.0)], seed=1)
    for b in range(3):
        np.testing.assert_allclose(backwards[b].times, np.sort(1.0 - DATA[b].times))
    some = bs.augment(DATA, [Reverse(0.5)], seed=1)
    kept = [np.array_equal(some[b].times, DATA[b].times) for b in range(40)]
    assert 8 < sum(kept) < 32
    both = bs.augment(DATA, [Repeat(), bs.TimeShift(0.0)], seed=1)
    np.testing.assert_array_equal(both.times, np.repeat(DATA.times, 2))
    np.testing.assert_array_equal(both.labels, DATA.labels)


def test_a_foreign_augmentation_is_trained_with():
    def trained(augment):
        net = bs.Network(5e-3)
        x, out = net.input(50), net.readout(3)
        net.connect(x, out, weights=np.full((50, 3), 0.01))
        bs.train(net, DATA, epochs=1, batch=20, augment=augment, seed=1, progress=False)
        return net.weights["input->readout"]

    plain, nothing, backwards = trained([]), trained([Reverse(0.0)]), trained([Reverse(1.0)])
    np.testing.assert_array_equal(plain, nothing)
    assert not np.array_equal(plain, backwards)


@pytest.mark.parametrize(
    "answer, words",
    [
        (lambda events: None, "returns is None; it must be events.moved"),
        (lambda events: events.replaced([0.1], [1, 2], [0]), "one entry per event"),
        (lambda events: events.replaced([0.1], [1.5], [0]), "units of an augmentation"),
        (lambda events: events.replaced([0.1], [1], [40]), "trials of an augmentation run from 40"),
        (lambda events: events.replaced(["a"], [1], [0]), "times of an augmentation"),
    ],
)
def test_a_foreign_augmentation_that_answers_nonsense_is_named(answer, words):
    class Foreign:
        def apply(self, events, rng):
            return answer(events)

    with pytest.raises(ValueError, match=words):
        bs.augment(DATA, [Foreign()], seed=0)
    with pytest.raises(ValueError, match="or an object with apply"):
        bs.augment(DATA, [Foreign], seed=0)


def test_random_numbers_belong_to_the_trial():
    key = np.array([1, 2], np.uint64)
    several = bs.data.TrialRandom(key, 0, np.arange(5))
    alone = bs.data.TrialRandom(key, 0, np.array([3]))
    assert several.normal(1.0)[3] == alone.normal(1.0)[0]
    sizes = np.array([2, 0, 1, 3, 1])
    np.testing.assert_array_equal(several.random(sizes)[3:6], alone.random(3))
    counts = several.poisson(50.0)
    assert counts.dtype == np.int64 and counts[3] == alone.poisson(50.0)[0] and counts.min() > 10
