"""Parts and unions of spike trains, and other forms of them, against lists of times."""

import numpy as np
import pytest

import biosnn as bs

ENDS = [0.4, 0.5, 0.25]
LISTS = [
    [[0.1, 0.3], [0.2], []],
    [[], [0.05, 0.05, 0.45], [0.4999]],
    [[0.2], [], [0.01, 0.24]],
]


def trains(dtype=np.float64, **options):
    times = [[np.array(unit, dtype) for unit in trial] for trial in LISTS]
    return bs.SpikeTrains.from_lists(times, **({"ends": ENDS, "labels": [2, 0, 2]} | options))


def same(found, lists, **fields):
    """Whether trains hold these times, and have these fields; and would be made so."""
    assert len(found) == len(lists) and found.n_units == len(lists[0])
    for trial, wanted in zip(found.to_lists(), lists, strict=True):
        for times, right in zip(trial, wanted, strict=True):
            np.testing.assert_allclose(
                times, right, atol=1e-7 if found.times.itemsize < 8 else 1e-12
            )
    for name, value in fields.items():
        np.testing.assert_allclose(getattr(found, name), value, rtol=1e-12)
    again = bs.SpikeTrains(  # checks all of it
        found.times,
        found.units,
        found.offsets,
        found.n_units,
        found.duration,
        found.labels,
        found.ends,
    )
    assert (again.ends is None) == (found.ends is None)


# ----------------------------------------------------------------------------------------- the ends


def test_ends_are_checked_and_the_longest_is_the_duration():
    spikes = trains()
    same(spikes, LISTS, duration=0.5, durations=ENDS, total_duration=1.15)
    assert "0.25 to 0.5 s" in repr(spikes) and "2.9 Hz" in repr(spikes)
    assert trains(ends=[0.5] * 3).ends is None
    same(spikes[[2, 0]], [LISTS[2], LISTS[0]], duration=0.4, ends=[0.25, 0.4], labels=[2, 2])
    same(spikes[1], [LISTS[1]], duration=0.5)
    assert spikes[1].ends is None and spikes[:0].ends is None


@pytest.mark.parametrize(
    "ends, words",
    [
        ([0.4, 0.5], r"ends have shape \(2,\); there are 3 trials"),
        ([0.4, 0.5, 0.2], r"spike 8 \(trial 2\) is at 0.2 s; it must lie before the end .* 0.2 s"),
        ([0.4, 0.5, 0.0], "above 0; that of trial 2 is 0"),
        ([0.4, 0.5, np.nan], "ends"),
        (0.5, r"ends have shape \(\)"),
        (None, "duration is missing"),
        ([400, 500, 250], None),
    ],
)
def test_ends_that_cannot_be_are_refused(ends, words):
    if words is None:  # seconds of hours: a trial may be long
        assert trains(ends=ends).duration == 500
        return
    with pytest.raises(ValueError, match=words):
        trains(ends=ends)


def test_a_duration_beside_ends_must_agree():
    assert trains(duration=0.5).ends.tolist() == ENDS
    with pytest.raises(ValueError, match="duration is 1 s, but the longest trial ends at 0.5 s"):
        trains(duration=1.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("dt", [1e-3, 0.7e-3, 0.05])
def test_steps_of_a_trial_are_those_of_the_trial_alone(dt, dtype):
    rng, ends = np.random.default_rng(0), np.array([0.1, 0.0333, 0.25])
    times = [[rng.uniform(0, end, 40).astype(dtype) for _ in range(3)] for end in ends]
    for trial, end in zip(times, ends):  # where rounding would take them over the end
        trial[0][0] = np.nextafter(dtype(end), dtype(0))
    spikes = bs.SpikeTrains.from_lists(times, ends=ends)
    binned, dense = bs.bin_spikes(spikes, dt, merge=False).dense(), spikes.to_dense(dt)
    np.testing.assert_array_equal(binned, dense)
    np.testing.assert_array_equal(
        bs.bin_spikes(spikes, dt).dense(), spikes.to_dense(dt, merge=True)
    )
    for b in range(3):
        alone = bs.bin_spikes(spikes[b], dt, merge=False).dense()[0]
        np.testing.assert_array_equal(dense[b, : len(alone)], alone)
        assert not dense[b, len(alone) :].any()


# ----------------------------------------------------------------------------------------- to, from


def test_lists_and_back():
    same(bs.SpikeTrains.from_lists(trains().to_lists(), ends=ENDS), LISTS)
    with pytest.raises(ValueError, match="1 and 2 units"):
        bs.SpikeTrains.from_lists([[[0.1], []], [[0.1]]], duration=1)
    with pytest.raises(ValueError, match="times are empty"):
        bs.SpikeTrains.from_lists([], duration=1)
    with pytest.raises(ValueError, match="must be a list"):
        bs.SpikeTrains.from_lists([0.1, 0.2], duration=1)
    with pytest.raises(ValueError, match="times of a unit is .*0.1.*must be a list of times"):
        bs.SpikeTrains.from_lists([[0.1, 0.2]], duration=1)
    with pytest.raises(ValueError, match="in ms"):
        bs.SpikeTrains.from_lists([[[100.0]], [[450.0]]], duration=0.5)


def test_dense_and_back():
    counts = np.random.default_rng(1).poisson(0.3, (4, 30, 5))
    np.testing.assert_array_equal(bs.SpikeTrains.from_dense(counts, 1e-3).to_dense(1e-3), counts)
    ragged = [counts[0, :7], counts[1, :30], counts[2, :11]]
    spikes = bs.SpikeTrains.from_dense(ragged, 1e-3, labels=[0, 1, 2])
    np.testing.assert_allclose(spikes.ends, [0.007, 0.03, 0.011])
    for wanted, found in zip(ragged, spikes.to_dense(1e-3), strict=True):
        np.testing.assert_array_equal(found[: len(wanted)], wanted)
        assert not found[len(wanted) :].any()
    padded = np.where(np.arange(30)[:, None] < 11, counts, 0)
    assert bs.SpikeTrains.from_dense(padded, 1e-3, ends=[0.011, 0.02, 0.03, 0.03]).ends[0] == 0.011
    with pytest.raises(ValueError, match="must lie before the end of the trial at 0.011 s"):
        bs.SpikeTrains.from_dense(counts, 1e-3, ends=[0.011, 0.02, 0.03, 0.03])
    with pytest.raises(ValueError, match=r"each must be \(step, unit\)"):
        bs.SpikeTrains.from_dense([counts[0], counts[1, :, :3]], 1e-3)
    with pytest.raises(ValueError, match="memory|GB"):
        trains().to_dense(1e-12)


def test_data_frames_and_back():
    pandas = pytest.importorskip("pandas")
    spikes = trains()
    frame = spikes.to_frame()
    assert list(frame.columns) == ["trial", "unit", "time_s", "label"] and len(frame) == 10
    counts = frame.groupby(["trial", "unit"]).size()
    assert counts[1, 1] == 3 and (frame.label == spikes.labels[frame.trial]).all()
    shuffled = frame.sample(frac=1, random_state=0)
    found = bs.SpikeTrains.from_frame(shuffled, ends=ENDS, labels=spikes.labels)
    same(found, LISTS, labels=spikes.labels, ends=ENDS)
    of_all = bs.interop.to_frame({"E": spikes, "I": spikes})
    found = bs.SpikeTrains.from_frame(of_all[of_all.population == "I"], ends=ENDS)
    same(found, LISTS, ends=ENDS)
    mine = pandas.DataFrame({"t": [0.3, 0.1], "neuron": [4, 0]})
    found = bs.SpikeTrains.from_frame(mine, duration=1, trial=None, unit="neuron", time="t")
    same(found, [[[0.1], [], [], [], [0.3]]])
    with pytest.raises(ValueError, match=r"no column 'time_s'; it has 't', 'neuron'.*time=…"):
        bs.SpikeTrains.from_frame(mine, duration=1)
    with pytest.raises(ValueError, match="'neuron'"):
        missing = mine.assign(neuron=[np.nan, 1.0])
        bs.SpikeTrains.from_frame(missing, duration=1, trial=None, unit="neuron", time="t")
    with pytest.raises(ValueError, match="frame is"):
        bs.SpikeTrains.from_frame({"time": [0.1]}, duration=1)


# --------------------------------------------------------------------------------- parts and unions


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_selection_holds_its_window_from_zero_on(dtype):
    spikes = trains(dtype)
    part = spikes.select(trials=[1, 0], units=[2, 1], start=0.1, stop=0.45)
    same(part, [[[], []], [[], [0.1]]], durations=[0.35, 0.3], labels=[0, 2])
    assert part.times.dtype == dtype
    same(
        spikes.select(start=0.2), [[[0.1], [0.0], []], [[], [0.25], [0.2999]], [[0.0], [], [0.04]]]
    )
    same(spikes.select(trials=2, units=slice(1, None)), [LISTS[2][1:]], duration=0.25)
    same(spikes.select(), LISTS, ends=ENDS)
    each = spikes.select(start=[0.1, 0.0, 0.05], stop=[0.3, 0.05, 0.5])
    same(each, [[[0.0], [0.1], []], [[], [], []], [[0.15], [], [0.19]]], ends=[0.2, 0.05, 0.2])
    # neighbouring windows share no spike, and lose none, whatever is rounded
    grid = bs.SpikeTrains.from_units([np.arange(1000) * 1e-3], duration=1.0)
    parts = [grid.select(start=k * 0.1, stop=(k + 1) * 0.1) for k in range(10)]
    assert [part.times.size for part in parts] == [100] * 10
    for part in parts:
        np.testing.assert_array_equal(part.to_dense(1e-3).ravel(), np.ones(100))


@pytest.mark.parametrize(
    "options, error, words",
    [
        ({"start": 0.3}, ValueError, "trial 2 ends at 0.25 s already"),
        ({"start": 0.2, "stop": 0.1}, ValueError, "window of trial 0 is 0.2 s to 0.1 s"),
        ({"start": [0, 0.3, 0], "stop": 0.2}, ValueError, "window of trial 1 is 0.3 s to 0.2 s"),
        ({"start": [0, 0.3]}, ValueError, "one for each of 3 trials"),
        ({"stop": 0.6}, ValueError, "where the longest trial ends"),
        ({"units": [1, 1]}, ValueError, "each of them once"),
        ({"units": []}, ValueError, "at least one"),
        ({"units": [3]}, IndexError, "unit .3. does not exist: there are 3 units"),
        ({"trials": 3}, IndexError, "trial 3 does not exist"),
        ({"trials": "a"}, ValueError, "index of trials"),
        ({"start": -1}, ValueError, "start"),
    ],
)
def test_a_selection_of_nothing_says_so(options, error, words):
    with pytest.raises(error, match=words):
        trains().select(**options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shifted_spikes_leave_their_trial(dtype):
    spikes = trains(dtype)
    wanted = [[[0.3], [], []], [[], [0.25, 0.25], []], [[], [], [0.21]]]
    same(spikes.shift(0.2), wanted, ends=ENDS, labels=[2, 0, 2])
    each = [[[0.0, 0.2], [0.1], []], LISTS[1], [[], [], [0.11]]]
    same(spikes.shift([-0.1, 0, 0.1]), each)
    with pytest.warns(bs.UnitWarning, match=r"by 100 s moves all spikes .* are these in ms"):
        assert spikes.shift(100).times.size == 0
    with pytest.raises(ValueError, match="one for each of 3 trials"):
        spikes.shift([0.1, 0.2])
    with pytest.raises(ValueError, match="by"):
        spikes.shift("0.1")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shifts_by_whole_steps_keep_the_spikes_of_all_steps_that_stay(dtype):
    dt, n = 1e-4, 1000
    spikes = bs.SpikeTrains.from_units([(np.arange(n) * dt).astype(dtype)], duration=n * dt)
    for steps in range(1, n, 37):
        for by, first in ((steps, steps), (-steps, 0)):
            counts = spikes.shift(by * dt).to_dense(dt).ravel()
            wanted = np.zeros(n)
            wanted[first : first + n - steps] = 1
            np.testing.assert_array_equal(counts, wanted, err_msg=f"{by} steps")


def test_merged_spikes_are_those_of_both():
    spikes, more = trains(), trains(labels=None).shift(0.01)
    found = spikes.merge(more)
    wanted = [[sorted([*a, *b]) for a, b in zip(*each)] for each in zip(LISTS, more.to_lists())]
    same(found, wanted, ends=ENDS, labels=[2, 0, 2])
    np.testing.assert_array_equal(found.to_dense(1e-3), spikes.to_dense(1e-3) + more.to_dense(1e-3))
    for other, words in (
        (trains(labels=[1, 0, 2]), "different labels"),
        (spikes.select(units=[0, 1]), "3 and 2 units"),
        (spikes[:2], "3 and 2 trials"),
        (trains(ends=[0.4, 0.5, 0.5]), "trial 2 ends at 0.25 s and at 0.5 s"),
        (0.1, "other is 0.1"),
    ):
        with pytest.raises(ValueError, match=words):
            spikes.merge(other)


def test_labels_can_be_changed():
    spikes = trains()
    assert spikes.relabel(None).labels is None and spikes.labels.tolist() == [2, 0, 2]
    assert spikes.relabel([5, 4, 3]).labels.tolist() == [5, 4, 3]
    assert spikes.relabel({2: 0, 0: 1}).labels.tolist() == [0, 1, 0]
    for labels, words in (
        ({2: 0}, "no entry for 0"),
        ([1, 2], r"\(2,\); there are 3 trials"),
        ({2: -1, 0: 1}, "the least is -1"),
    ):
        with pytest.raises(ValueError, match=words):
            spikes.relabel(labels)
    with pytest.raises(ValueError, match="have no labels that a dict could rename"):
        spikes.relabel(None).relabel({0: 1})


def test_trials_follow_each_other():
    spikes = trains()
    same(spikes + spikes[:1], [*LISTS, LISTS[0]], ends=[*ENDS, 0.4], labels=[2, 0, 2, 2])
    one, two = trains(ends=[0.5] * 3), trains(ends=[1.0] * 3)
    same(one + two, LISTS * 2, ends=[0.5] * 3 + [1.0] * 3)
    assert (one + one).ends is None and len(bs.concatenate([one] * 4)) == 12
    same(bs.concatenate([spikes, trains(np.float32)]), LISTS * 2)
    with pytest.raises(ValueError, match="some of the spike trains have labels"):
        spikes + spikes.relabel(None)
    for other in (0.1, "a", None):
        with pytest.raises(TypeError, match=r"a\.shift\(seconds\)"):
            spikes + other


def test_pieces_of_recordings_follow_each_other_in_time():
    spikes, after = trains(np.float32), trains().shift(0.01)
    found = bs.concatenate([spikes, after], axis="time")
    wanted = [
        [[*a, *(end + np.array(b))] for a, b in zip(*each)]
        for end, *each in zip(ENDS, LISTS, after.to_lists())
    ]
    assert found.times.dtype == np.float64
    for trial, right in zip(found.to_lists(), wanted):
        for times, unit in zip(trial, right):
            np.testing.assert_allclose(times, unit, atol=1e-7)
    np.testing.assert_allclose(found.ends, 2 * np.array(ENDS))
    whole = bs.data.poisson(20.0, 5, 1.0, 2, seed=1)
    pieces = [whole.select(start=0.25 * k, stop=0.25 * (k + 1)) for k in range(4)]
    again = bs.concatenate(pieces, axis="time")
    np.testing.assert_allclose(again.times, whole.times, atol=1e-12)
    np.testing.assert_array_equal(again.units, whole.units)
    assert bs.concatenate([whole[:0], whole[:0]], axis="time").duration == 2.0


def test_units_stand_side_by_side():
    spikes = trains()
    found = bs.concatenate([spikes, spikes.select(units=[2, 0])], axis="unit")
    same(found, [[*trial, trial[2], trial[0]] for trial in LISTS], ends=ENDS, labels=[2, 0, 2])
    for parts, axis, words in (
        ([spikes, spikes[:2]], "unit", "3 and 2 trials"),
        ([spikes, spikes.select(units=[0])], "time", "3 and 1 units"),
        ([spikes, spikes.select(units=[0])], "trial", "3 and 1 units"),
        ([], "trial", "parts are empty"),
        ([spikes], "units", "axis is 'units'"),
        (spikes, "trial", "parts"),
        ([spikes, 1], "trial", "one of parts is 1"),
    ):
        with pytest.raises(ValueError, match=words):
            bs.concatenate(parts, axis=axis)


def test_recordings_of_events_keep_their_own_ends():
    events = [
        np.array([(99_000, 2), (1000, 0)], dtype=[("t", "i8"), ("x", "i8")]),
        np.zeros(0, dtype=[("t", "i8"), ("x", "i8")]),
        np.array([(250_000, 1)], dtype=[("t", "i8"), ("x", "i8")]),
    ]
    spikes = bs.data.from_event_arrays(events, (3, 1, 1), own_ends=True)
    assert spikes.ends.tolist() == [0.1, 0.01, 0.26]
    early = bs.data.from_event_arrays(events, (3, 1, 1), own_ends=True, duration=0.2)
    assert early.ends.tolist() == [0.1, 0.01, 0.01] and early.times.size == 2
    pooled, _ = bs.max_pool(spikes, (1, 3), 3)
    assert pooled.ends.tolist() == spikes.ends.tolist()
