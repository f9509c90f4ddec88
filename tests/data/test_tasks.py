"""Relatives of Randman, event arrays of other libraries, cognitive tasks: values against their
definitions.
"""

import numpy as np
import pytest

import biosnn as bs
from biosnn.data.randman import class_times, number_of_terms


def by_trial(spikes, values):
    return values.reshape(len(spikes), -1)


# Relatives of Randman


def test_spaghetti_has_one_spike_on_each_curve():
    n_classes, n_units, n_spikes, samples, active, seed = 3, 30, 4, 50, 0.1, 7
    got = bs.data.spaghetti(
        n_classes=n_classes,
        n_units=n_units,
        n_spikes=n_spikes,
        smoothness=2.0,
        samples_per_class=samples,
        duration=0.2,
        active=active,
        seed=seed,
    )
    rng = np.random.default_rng(seed)
    values = np.concatenate(
        [
            class_times(r, samples, (2 * n_spikes, 1, number_of_terms(2.0)), 2.0, 1.0)
            for r in rng.spawn(n_classes)
        ]
    )
    order = rng.permutation(n_classes * samples)
    assert np.array_equal(got.labels, order // samples) and np.all(np.diff(got.offsets) == n_spikes)
    for b, k in enumerate(order):
        times, units = values[k, :n_spikes] * active, np.floor(values[k, n_spikes:] * n_units)
        by_time = np.argsort(times)
        np.testing.assert_allclose(got[b].times, times[by_time])
        assert np.array_equal(got[b].units, units[by_time])
    assert (
        got.times.max() == pytest.approx(active)
        and got.units.min() == 0
        and got.units.max() == n_units - 1
    )
    assert np.array_equal(
        got.times,
        bs.data.spaghetti(
            n_classes=n_classes,
            n_units=n_units,
            n_spikes=n_spikes,
            smoothness=2.0,
            samples_per_class=samples,
            duration=0.2,
            active=active,
            seed=seed,
        ).times,
    )


def test_halo_lies_at_its_distance_from_the_manifold():
    options = dict(
        n_classes=3, n_units=12, samples_per_class=40, active=0.1, displacement=0.2, seed=3
    )
    got = bs.data.halo(noise=0, **options)
    assert np.bincount(got.labels).tolist() == [40, 40, 40] and np.all(np.diff(got.offsets) == 12)
    order = np.lexsort((got.units, got.trials))
    points = (
        by_trial(got, got.times[order]) / 0.1 * (1 + 2 * 0.4) - 0.4
    )  # latencies back to coordinates
    on = points[got.labels == 0]
    assert on.min() == pytest.approx(0, abs=1e-9) and on.max() == pytest.approx(1, abs=1e-9)
    # the same points x in every class: each trial of class k has a partner on the manifold at the
    # distance 0.2 k, and none nearer than
    # its neighbours on the curve allow
    for k in (1, 2):
        distances = np.linalg.norm(points[got.labels == k][:, None] - on[None], axis=2)
        assert np.sum(np.abs(distances - 0.2 * k) < 1e-8) >= 40
    noisy = bs.data.halo(noise=0.02, **options | {"displacement": 0.0})
    order = np.lexsort((noisy.units, noisy.trials))
    spread = by_trial(noisy, noisy.times[order]) / 0.1 * 1.16 - 0.08
    far = [np.linalg.norm(point - on, axis=1).min() for point in spread]
    assert 0.3 * 0.02 * np.sqrt(12) < np.median(far) < 1.2 * 0.02 * np.sqrt(12)


@pytest.mark.statistical
def test_tempotron_is_uniform_and_its_labels_say_nothing():
    got = bs.data.tempotron(n_patterns=400, n_units=50, n_classes=2, duration=0.5, seed=1)
    assert got.labels.tolist() == [b % 2 for b in range(400)] and np.all(np.diff(got.offsets) == 50)
    assert np.array_equal(
        np.sort(by_trial(got, got.units), axis=1), np.tile(np.arange(50), (400, 1))
    )
    share, _ = np.histogram(got.times, np.linspace(0, 0.5, 11))
    assert np.all(np.abs(share - 2000) < 5 * np.sqrt(2000))
    means = [got.times[got.labels[got.trials] == k].mean() for k in (0, 1)]
    assert abs(means[0] - means[1]) < 5 * 0.5 / np.sqrt(12 * 10000) * np.sqrt(2)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: bs.data.spaghetti(n_spikes=0), "n_spikes is 0"),
        (lambda: bs.data.spaghetti(active=0.3), "active is 0.3"),
        (lambda: bs.data.halo(displacement=-1), "displacement is -1"),
        (lambda: bs.data.halo(noise=np.nan), "noise is nan"),
        (lambda: bs.data.tempotron(duration=0), "duration is 0;"),
        (lambda: bs.data.tempotron(n_patterns=0), "n_patterns is 0"),
    ],
)
def test_messages_of_manifolds(make, words):
    with pytest.raises(ValueError, match=words):
        make()


# Event arrays

DVS = np.dtype([("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", bool)])


def test_event_arrays_of_a_camera():
    first = np.array(
        [(3, 1, 5000, 1), (0, 0, 0, 0), (2, 2, 12_000, 1)], DVS
    )  # not in order of time
    data = bs.data.from_event_arrays([(first, 1), (np.empty(0, DVS), 0)], (4, 3, 2))
    assert (
        data.n_units == 24
        and data.labels.tolist() == [1, 0]
        and np.diff(data.offsets).tolist() == [3, 0]
    )
    np.testing.assert_allclose(data.times, [0, 5e-3, 12e-3])
    frame = (
        bs.bin_spikes(data, 1e-3).dense().reshape(2, -1, 2, 3, 4)
    )  # (trial, step, polarity, row, column)
    assert np.argwhere(frame).tolist() == [[0, 0, 0, 0, 0], [0, 5, 1, 1, 3], [0, 12, 1, 2, 2]]
    assert data.duration == pytest.approx(0.02)
    pooled = bs.data.from_event_arrays([first], (4, 3, 2), pool=2, labels=[5], duration=10e-3)
    assert (
        pooled.n_units == 2 * 2 * 2
        and pooled.units.tolist() == [0, 4 + 1]
        and pooled.labels.tolist() == [5]
    )
    assert bs.data.from_event_arrays([first], (4, 3, 1)).units.tolist() == [0, 1 * 4 + 3, 2 * 4 + 2]


def test_event_arrays_of_a_cochlea_and_of_a_lazy_data_set():
    class Lazy:
        def __len__(self):
            return 3

        def __getitem__(self, k):
            return np.array([(10 * k, 2_000_000 * k // 4)], np.dtype([("t", float), ("x", int)]))[
                : k + 1
            ], k

    for recording in (0, 1, 2):
        assert Lazy()[recording][0]["x"][0] == 500_000 * recording
    data = bs.data.from_event_arrays(Lazy(), (1_000_001, 1, 1), time_unit=1e-3)
    assert data.units.tolist() == [0, 500_000, 1_000_000] and data.labels.tolist() == [0, 1, 2]
    np.testing.assert_allclose(data.times, [0, 0.01, 0.02])


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda e: bs.data.from_event_arrays([e], (3, 3, 2)), "x runs from 3 to 3"),
        (lambda e: bs.data.from_event_arrays([e], (4, 1, 2)), "y runs"),
        (lambda e: bs.data.from_event_arrays([e], (4, 3)), "sensor_size"),
        (
            lambda e: bs.data.from_event_arrays([e], (np.ones(3), 1, 1)),
            "columns of sensor_size is an array",
        ),
        (lambda e: bs.data.from_event_arrays([e], (4, [[1], [1, 2]], 1)), "rows of sensor_size is"),
        (
            lambda e: bs.data.from_event_arrays([e], (4, 1, np.ones(2))),
            "polarities of sensor_size is an array",
        ),
        (
            lambda e: bs.data.from_event_arrays([e], (4, 1, 3)),
            "polarities of sensor_size is 3; it must be a whole number from 1 to 2",
        ),
        (lambda e: bs.data.from_event_arrays([np.zeros((3, 4))], (4, 3, 2)), "structured array"),
        (lambda e: bs.data.from_event_arrays([(e, 1)], (4, 3, 2), labels=[1]), "leave labels out"),
        (
            lambda e: bs.data.from_event_arrays([np.array([(0, 0, -1, 0)], DVS)], (4, 3, 2)),
            "times run from -1",
        ),
        (lambda e: bs.data.from_event_arrays([e], (4, 3, 2), pool=0), "pool is 0"),
    ],
)
def test_messages_of_event_arrays(make, words):
    with pytest.raises(ValueError, match=words):
        make(np.array([(3, 1, 5000, 1)], DVS))


# Cognitive tasks


def rate(task, pool, period, trials):
    """Mean rate (Hz) of a pool in a period, over some trials."""
    start, stop = task.periods[period]
    part, units = task.spikes, task.pools[pool]
    chosen = (
        np.isin(part.trials, np.flatnonzero(trials))
        & (part.units >= units.start)
        & (part.units < units.stop)
    )
    chosen &= (part.times >= start[part.trials]) & (part.times < stop[part.trials])
    return chosen.sum() / ((units.stop - units.start) * (stop - start)[trials].sum())


def near(measured, expected, seconds):
    return abs(measured - expected) < 5 * np.sqrt(expected / seconds)


def test_perceptual_decision():
    task = bs.data.perceptual_decision(
        600, (0.0, 0.2, 0.6), rate=50.0, background=4.0, n_per_pool=10, seed=1
    )
    c, label = task.conditions["coherence"], task.spikes.labels
    assert np.unique(np.abs(c), return_counts=True)[1].tolist() == [200, 200, 200] and np.bincount(
        label
    ).tolist() == [300, 300]
    assert np.all(label[c != 0] == (c[c != 0] < 0)) and 60 < label[c == 0].sum() < 140
    for value in (-0.6, 0.0, 0.2):
        trials = np.isclose(c, value)
        seconds = 10 * 0.5 * trials.sum()
        assert near(rate(task, "for 0", "stimulus", trials), 4 + 50 * (1 + value), seconds)
        assert near(rate(task, "for 1", "stimulus", trials), 4 + 50 * (1 - value), seconds)
    every = np.ones(600, bool)
    assert near(rate(task, "for 0", "fixation", every), 4, 600) and near(
        rate(task, "go", "response", every), 54, 600
    )
    assert near(rate(task, "go", "stimulus", every), 4, 3000)
    # 0.1 + 0.5 s, then 0.1 s of response: steps 300 .. 349 of 2 ms
    assert task.mask.shape == (600, 350) and np.flatnonzero(task.mask.all(axis=0)).tolist() == list(
        range(300, 350)
    )
    assert task.mask.sum() == 600 * 50 and task.spikes.duration == pytest.approx(0.7)
    assert task.targets[5, 320].tolist() == [1 - label[5], label[5]] and np.all(
        task.targets[:, :300] == 0
    )
    again = bs.data.perceptual_decision(
        600, (0.0, 0.2, 0.6), rate=50.0, background=4.0, n_per_pool=10, seed=1
    )
    assert np.array_equal(again.spikes.times, task.spikes.times) and np.array_equal(
        again.spikes.units, task.spikes.units
    )


def test_context_dependent_decision():
    task = bs.data.context_dependent_decision(400, (0.5,), background=0.0, n_per_pool=5, seed=2)
    named = np.where(
        task.conditions["context"] == 0, task.conditions["motion"], task.conditions["color"]
    )
    assert np.array_equal(task.spikes.labels, (named < 0).astype(int)) and np.bincount(
        task.conditions["context"]
    ).tolist() == [200, 200]
    agree = np.sign(task.conditions["motion"]) == np.sign(task.conditions["color"])
    assert 140 < agree.sum() < 260
    for k, stream in enumerate(("motion", "color")):
        cued = task.conditions["context"] == k
        assert near(rate(task, f"context {stream}", "stimulus", cued), 40, 5 * 0.5 * cued.sum())
        assert near(rate(task, f"context {stream}", "fixation", cued), 40, 5 * 0.1 * cued.sum())
        assert (
            rate(task, f"context {stream}", "stimulus", ~cued)
            == 0
            == rate(task, f"context {stream}", "response", cued)
        )
        up = task.conditions[stream] > 0
        assert near(rate(task, f"{stream} 0", "stimulus", up), 60, 5 * 0.5 * up.sum())
        assert near(rate(task, f"{stream} 1", "stimulus", up), 20, 5 * 0.5 * up.sum())


def test_working_memory_with_a_random_delay():
    task = bs.data.working_memory(300, 3, delay=(0.2, 0.6), background=0.0, seed=3)
    item, delay = task.conditions["item"], task.conditions["delay"]
    assert (
        np.array_equal(item, task.spikes.labels)
        and np.bincount(item).tolist() == [100] * 3
        and task.n_choices == 3
    )
    assert 0.2 <= delay.min() < 0.22 and 0.58 < delay.max() <= 0.6
    for k in range(3):
        assert (
            near(rate(task, f"item {k}", "cue", item == k), 40, 20 * 0.2 * 100)
            and rate(task, f"item {k}", "cue", item != k) == 0
        )
        assert rate(task, f"item {k}", "delay", item == k) == 0
    begins = task.mask.argmax(axis=1) * task.dt
    assert np.all((begins >= 0.3 + delay - 1e-9) & (begins < 0.3 + delay + task.dt)) and set(
        task.mask.sum(axis=1)
    ) <= {49, 50, 51}
    assert task.spikes.duration == pytest.approx(0.4 + delay.max())
    assert near(rate(task, "go", "response", item >= 0), 40, 20 * 0.1 * 300)


def test_delayed_match_to_sample():
    task = bs.data.delayed_match_to_sample(400, 4, background=0.0, seed=4)
    sample, test = task.conditions["sample"], task.conditions["test"]
    assert (
        np.array_equal(task.spikes.labels, (sample == test).astype(int))
        and task.spikes.labels.sum() == 200
    )
    others = (test - sample)[sample != test] % 4
    assert set(others) == {1, 2, 3} and np.bincount(others)[1:].min() > 40
    for k in range(4):
        assert near(
            rate(task, f"item {k}", "sample", sample == k), 40, 20 * 0.2 * (sample == k).sum()
        )
        assert near(rate(task, f"item {k}", "test", test == k), 40, 20 * 0.2 * (test == k).sum())
        assert (
            rate(task, f"item {k}", "sample", sample != k)
            == 0
            == rate(task, f"item {k}", "test", test != k)
        )


def test_a_task_trains_in_its_response_window_alone():
    task = bs.data.perceptual_decision(
        40, (0.8,), stimulus=0.04, fixation=0.0, response=0.02, rate=100.0, n_per_pool=4, seed=0
    )
    net = bs.Network(2e-3, np.float64)
    x, h = net.input(12), net.population(20, bs.lif(), name="h")
    net.connect(x, h, weights=np.random.default_rng(0).normal(0, 2, (12, 20)))
    net.connect(h, net.readout(2), weights=np.zeros((20, 2)))
    history = bs.train(
        net,
        task.spikes,
        mask=task.mask,
        loss=bs.EveryStepCrossEntropy(),
        epochs=60,
        optimizer=bs.Adam(5e-3),
        batch=40,
        seed=0,
        progress=False,
    )
    assert history.loss[0] == pytest.approx(np.log(2)) and history.loss[-1] < 0.4
    trace = bs.run(net, task.spikes)
    value, slope = bs.EveryStepCrossEntropy().value_and_gradient(
        trace.states["readout.U"], task.spikes.labels, task.mask
    )
    assert np.all(slope[:, :20] == 0) and np.abs(slope[:, 20:]).max() > 0
    trace = bs.evaluate(net, task.spikes, task.targets, task.mask, loss=bs.MeanSquaredError())
    assert np.isfinite(trace.loss)


@pytest.mark.parametrize(
    "make, words",
    [
        (
            lambda: bs.data.perceptual_decision(10, (1.5,), seed=0),
            "coherences has the value 1.5 at 0",
        ),
        (lambda: bs.data.perceptual_decision(0, seed=0), "n_trials is 0"),
        (lambda: bs.data.perceptual_decision(5, response=1e-4, seed=0), "at least one step"),
        (lambda: bs.data.working_memory(5, delay=(0.5, 0.2), seed=0), "delay is"),
        (lambda: bs.data.working_memory(5, 1, seed=0), "n_items is 1"),
        (lambda: bs.data.delayed_match_to_sample(5, rate=-3, seed=0), "rate is"),
        (lambda: bs.data.working_memory(5, dt=0, seed=0), "dt is 0"),
    ],
)
def test_messages_of_tasks(make, words):
    with pytest.raises(ValueError, match=words):
        make()
