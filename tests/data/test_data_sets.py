"""Randman against loops over its formula, Poisson statistics, SHD files good and bad, downloads
from a local server.
"""

import hashlib
import http.server
import math
import sys
import threading
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import stats

from biosnn import SpikeTrains
from biosnn.data import fetch_shd, load_shd, load_speakers, poisson, randman, split
from biosnn.data.randman import manifold_values

DIGITS = Path(__file__).parents[2] / "../shared/data/spoken_digits_test.h5"


# Randman


def naive_manifold(x, a, b, c, alpha):
    """v(x) of one unit at one point, term by term."""
    product = 1.0
    for d in range(len(x)):
        total = 0.0
        for k in range(1, len(a[d])):  # a_0 = 0
            total += (
                a[d][k] * (k + 1) ** -alpha * math.sin(2 * math.pi * (k * x[d] * b[d][k] + c[d][k]))
            )
        product *= total
    return product


def events_by_trial(spikes):
    """(trial, unit) times, for one spike per unit and trial."""
    return spikes.times[np.lexsort((spikes.units, spikes.trials))].reshape(
        len(spikes), spikes.n_units
    )


@pytest.mark.parametrize("dimension, alpha, terms", [(1, 3.0, 10), (2, 2.0, 32), (1, 0.9, 1000)])
def test_manifold_formula(dimension, alpha, terms):
    rng = np.random.default_rng(3)
    a, b, c = rng.random((3, 2, dimension, terms))
    a[..., 0] = 0
    x = rng.random((70, dimension))
    got = manifold_values(x, a, b, c, alpha)
    ref = [[naive_manifold(point, a[i], b[i], c[i], alpha) for i in range(2)] for point in x]
    np.testing.assert_allclose(got, ref, atol=1e-6)


def test_randman_is_the_standardized_formula_on_manifolds_from_the_seed():
    n_classes, n_units, samples, alpha, active, seed = 2, 3, 40, 3.0, 0.05, 11
    got = randman(
        n_classes=n_classes,
        n_units=n_units,
        n_spikes=1,
        dimension=2,
        smoothness=alpha,
        samples_per_class=samples,
        duration=0.2,
        active=active,
        seed=seed,
    )
    rng = np.random.default_rng(seed)
    ref = []
    for r in rng.spawn(n_classes):
        a, b, c = r.random((3, n_units, 2, 10))  # K = 10^(3 / alpha) = 10
        x = r.random((samples, 2))
        v = np.array(
            [
                [naive_manifold(point, a[i], b[i], c[i], alpha) for i in range(n_units)]
                for point in x
            ]
        )
        ref.append(active * (v - v.min(axis=0)) / (v.max(axis=0) - v.min(axis=0)))
    order = rng.permutation(n_classes * samples)
    np.testing.assert_allclose(events_by_trial(got), np.concatenate(ref)[order], atol=1e-6 * active)
    np.testing.assert_array_equal(got.labels, order // samples)


def test_randman_fills_the_active_time_and_fires_a_fixed_number_of_spikes():
    spikes = randman(
        n_classes=3,
        n_units=5,
        n_spikes=2,
        smoothness=2.0,
        samples_per_class=50,
        duration=0.3,
        active=0.12,
        seed=2,
    )
    assert len(spikes) == 150 and spikes.duration == 0.3 and spikes.n_units == 5
    np.testing.assert_array_equal(
        np.bincount(spikes.trials * 5 + spikes.units), np.full(150 * 5, 2)
    )
    np.testing.assert_array_equal(np.bincount(spikes.labels), [50, 50, 50])
    last = np.nextafter(0.12, 0)
    for label in range(3):
        trains = spikes[spikes.labels == label]
        for unit in range(5):
            t = trains.times[trains.units == unit]
            # two manifolds per unit: each has its earliest sample at 0 and its latest just below
            # 0.12 s
            assert np.sum(t == 0) == 2 and np.sum(t == last) == 2 and t.max() == last


def test_randman_defaults_are_the_reference_task():
    spikes = randman()
    assert (
        len(spikes) == 10_000
        and spikes.n_units == 20
        and spikes.times.size == 200_000
        and spikes.duration == 0.2
    )
    np.testing.assert_array_equal(np.bincount(spikes.labels), np.full(10, 1000))
    assert spikes.times.min() == 0 and spikes.times.max() == np.nextafter(0.1, 0)
    assert 0.04 < spikes.times.mean() < 0.06


@pytest.mark.statistical
def test_randman_seed():
    task = dict(n_classes=3, n_units=4, smoothness=2.0, samples_per_class=30)
    one, same, other = (randman(**task, seed=seed) for seed in (5, np.random.default_rng(5), 6))
    np.testing.assert_array_equal(one.times, same.times)
    np.testing.assert_array_equal(one.units, same.units)
    np.testing.assert_array_equal(one.labels, same.labels)
    assert not np.array_equal(one.labels, other.labels)
    assert stats.ks_2samp(one.times, other.times).pvalue < 0.05
    assert np.any(np.diff(one.labels) < 0)  # shuffled
    # another class more leaves the manifolds of the others as they are
    more = randman(**{**task, "n_classes": 4}, seed=5)
    for label in range(3):
        first, second = (
            np.sort(events_by_trial(s)[s.labels == label], axis=0) for s in (one, more)
        )
        np.testing.assert_array_equal(first, second)


def test_randman_classes_differ_in_timing_only():
    spikes = randman(n_classes=2, n_units=10, smoothness=2.0, samples_per_class=100, seed=4)
    times = events_by_trial(spikes)
    # every unit fires once in every trial, so counts are equal; nearest neighbours in time tell the
    # classes apart
    distance = np.linalg.norm(times[:, None] - times[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert np.mean(spikes.labels[distance.argmin(axis=1)] == spikes.labels) > 0.98
    means = [times[spikes.labels == label].mean(axis=0) for label in (0, 1)]
    assert np.abs(means[0] - means[1]).max() > 5e-3


@pytest.mark.statistical
def test_randman_neighbours_on_a_smooth_manifold_are_closer():
    def roughness(
        alpha,
    ):  # mean distance to the nearest sample: a smooth curve passes through its neighbours
        times = events_by_trial(
            randman(n_classes=1, n_units=10, smoothness=alpha, samples_per_class=100, seed=1)
        )
        distance = np.linalg.norm(times[:, None] - times[None], axis=2)
        np.fill_diagonal(distance, np.inf)
        return distance.min(axis=1).mean()

    assert roughness(3.0) < 0.5 * roughness(1.0)


@pytest.mark.parametrize(
    "wrong, words",
    [
        (dict(n_classes=0), "n_classes is 0.*whole number from 1"),
        (dict(n_units=2.5), "n_units is 2.5.*whole number"),
        (dict(n_spikes=-1), "n_spikes is -1"),
        (dict(dimension=True), "dimension is True"),
        (dict(samples_per_class=1), "samples_per_class is 1.*whole number from 2"),
        (dict(smoothness=0), "smoothness is 0.*> 0"),
        (dict(smoothness=math.nan), "smoothness is nan"),
        (dict(active=0.3), "active is 0.3; .* > 0 and <= 0.2"),
        (dict(active=0), "active is 0; .* > 0 and <= 0.2"),
        (dict(duration=math.inf), "duration is inf"),
    ],
)
def test_randman_errors(wrong, words):
    with pytest.raises(ValueError, match=words):
        randman(**wrong)


def test_randman_takes_extreme_smoothness():
    for alpha in (1e-3, 100.0):
        assert (
            randman(
                n_classes=1, n_units=1, smoothness=alpha, samples_per_class=5, seed=1
            ).times.size
            == 5
        )


# Split


def test_split_is_a_partition_of_exact_sizes():
    spikes = poisson(
        20, 3, 0.5, n_trials=25, seed=1, labels=np.arange(25)
    )  # labels name the trials
    parts = split(spikes, (0.1, 0.2, 0.7), seed=3)
    assert [len(part) for part in parts] == [3, 5, 17]  # ends at 2.5 -> 3, 7.5 -> 8, 25
    np.testing.assert_array_equal(
        np.sort(np.concatenate([part.labels for part in parts])), np.arange(25)
    )
    for part in parts:
        for trial, name in enumerate(part.labels):
            np.testing.assert_array_equal(part[trial].times, spikes[int(name)].times)
            np.testing.assert_array_equal(part[trial].units, spikes[int(name)].units)


def test_split_seed_and_rest():
    spikes = poisson(5, 2, 0.5, n_trials=40, seed=1, labels=np.arange(40))
    one, same, other = (split(spikes, (0.5,), seed=seed)[0].labels for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.size == 20 and np.unique(one).size == 20 and set(one) != set(other)
    assert [len(part) for part in split(spikes)] == [32, 4, 4]


@pytest.mark.parametrize("fractions", [(0.8, 0.3), (0.5, 0), (0.5, -0.1), (0.5, math.nan), (), 0.5])
def test_split_rejects_fractions(fractions):
    with pytest.raises(
        ValueError,
        match="fractions are .*positive numbers with a sum of at most 1|"
        "fractions has the value nan",
    ):
        split(poisson(5, 2, 0.5, n_trials=4, seed=1), fractions)


def test_split_rejects_a_part_without_trials():
    with pytest.raises(ValueError, match="0.1 of 4 trials rounds to no trial"):
        split(poisson(5, 2, 0.5, n_trials=4, seed=1), (0.8, 0.1, 0.1))


# Poisson


@pytest.mark.statistical
def test_poisson_counts():
    rate, duration, n_units, n_trials = 20.0, 0.5, 40, 200
    spikes = poisson(rate, n_units, duration, n_trials, seed=1)
    counts = np.bincount(spikes.trials * n_units + spikes.units, minlength=n_units * n_trials)
    mean, n = rate * duration, counts.size
    assert abs(counts.mean() - mean) < 4 * np.sqrt(mean / n)
    assert abs(counts.var() / mean - 1) < 4 * np.sqrt(2 / n)  # variance = mean
    assert stats.kstest(spikes.times, stats.uniform(0, duration).cdf).pvalue > 0.01
    assert spikes.times.max() < duration


@pytest.mark.statistical
def test_poisson_intervals_are_exponential():
    spikes = poisson(30.0, 1, 200.0, seed=2)
    assert stats.kstest(np.diff(spikes.times), stats.expon(scale=1 / 30.0).cdf).pvalue > 0.01
    correlation = np.corrcoef(np.diff(spikes.times)[:-1], np.diff(spikes.times)[1:])[0, 1]
    assert abs(correlation) < 4 / np.sqrt(spikes.times.size)


@pytest.mark.statistical
def test_poisson_rates_per_unit():
    rates = np.array([0.0, 1.0, 10.0, 100.0])
    counts = np.bincount(poisson(rates, 4, 1.0, n_trials=500, seed=3).units, minlength=4)
    assert counts[0] == 0
    assert np.all(np.abs(counts - 500 * rates) <= 4 * np.sqrt(500 * rates))


def test_poisson_seed_and_labels():
    one, same, other = (
        poisson(10, 3, 1.0, 4, seed=seed, labels=[2, 0, 1, 0])
        for seed in (1, np.random.default_rng(1), 2)
    )
    np.testing.assert_array_equal(one.times, same.times)
    np.testing.assert_array_equal(one.units, same.units)
    assert not np.array_equal(one.times, other.times)
    np.testing.assert_array_equal(one.labels, [2, 0, 1, 0])
    silent = poisson(0, 3, 1.0, 4, seed=1)
    assert len(silent) == 4 and silent.times.size == 0


@pytest.mark.parametrize(
    "wrong, words",
    [
        (dict(rates=-1.0), "rates, in Hz, has the value -1;.*>= 0"),
        (dict(rates=[1, math.nan, -2]), "rates, in Hz, has the value nan at 1"),
        (dict(rates=math.inf), "rates, in Hz, has the value inf.*finite"),
        (dict(rates=[1, 2]), r"shape \(2,\).*n_units = 3.*\(3,\)"),
        (dict(duration=0), "duration is 0.*> 0"),
        (dict(duration=math.nan), "duration is nan"),
        (dict(n_units=0), "n_units is 0"),
        (dict(n_trials=1.0), "n_trials is 1.0.*whole number"),
        (dict(labels=[0, 1]), r"labels have shape \(2,\); there are 1 trials"),
    ],
)
def test_poisson_errors(wrong, words):
    with pytest.raises(ValueError, match=words):
        poisson(**{**dict(rates=1.0, n_units=3, duration=1.0, seed=1), **wrong})


# Files in the layout of SHD

TIMES = [[0.125, 0.25, 0.5], [], [0.0625, 0.6875]]
UNITS = [[5, 699, 0], [], [3, 3]]


def write(
    path, times=TIMES, units=UNITS, labels=(4, 0, 19), time_type=np.float16, unit_type=np.uint16
):
    with h5py.File(path, "w") as file:
        for name, entries, element in (
            ("spikes/times", times, time_type),
            ("spikes/units", units, unit_type),
        ):
            stored = file.create_dataset(name, (len(entries),), h5py.vlen_dtype(element))
            for b, entry in enumerate(entries):
                stored[b] = np.array(entry, element)
        file["labels"] = np.array(labels)
    return path


def test_shd_trials_may_keep_their_own_ends(tmp_path):
    content = [[[0.1, 0.528], [], [0.299, 0.61]], [[1, 2], [], [3, 4]]]
    path = write(tmp_path / "a.h5", *content, time_type=np.float32)
    spikes = load_shd(path, own_ends=True)
    assert spikes.ends.tolist() == [0.53, 0.01, 0.62] and spikes.duration == 0.62
    short = load_shd(path, duration=0.4, own_ends=True)
    assert short.ends.tolist() == [0.11, 0.01, 0.3] and short.times.size == 2
    for part in split(spikes, (0.34, 0.33, 0.33), seed=1):
        assert part.duration in (0.53, 0.01, 0.62) and part.ends is None
    none = load_shd(write(tmp_path / "b.h5", [], [], np.zeros(0, int)), own_ends=True)
    assert len(none) == 0 and none.ends is None


@pytest.mark.parametrize("time_type", [np.float16, np.float32, np.float64])
def test_shd_round_trip(tmp_path, time_type):
    spikes = load_shd(write(tmp_path / "a.h5", time_type=time_type), duration=1.0)
    assert spikes.times.dtype == np.float32 and spikes.n_units == 700 and spikes.duration == 1.0
    np.testing.assert_array_equal(spikes.times, np.concatenate(TIMES))
    np.testing.assert_array_equal(spikes.units, np.concatenate(UNITS))
    np.testing.assert_array_equal(spikes.offsets, [0, 3, 3, 5])
    np.testing.assert_array_equal(spikes.labels, [4, 0, 19])


def test_shd_double_precision(tmp_path):
    path = write(tmp_path / "a.h5", [[0.1]], [[1]], [0], np.float64)
    assert load_shd(str(path), duration=1.0, dtype=np.float64).times[0] == 0.1
    with pytest.raises(ValueError, match="dtype is float16.*float32 or float64"):
        load_shd(path, dtype=np.float16)


def test_shd_duration_drops_spikes_at_and_after_it(tmp_path):
    spikes = load_shd(write(tmp_path / "a.h5"), duration=0.5)
    np.testing.assert_array_equal(spikes.times, [0.125, 0.25, 0.0625])
    np.testing.assert_array_equal(spikes.units, [5, 699, 3])
    np.testing.assert_array_equal(spikes.offsets, [0, 2, 2, 3])


@pytest.mark.parametrize(
    "latest, duration", [(0.6875, 0.69), (0.5, 0.51), (0.53, 0.54), (0.0, 0.01)]
)
def test_shd_duration_from_the_latest_spike(tmp_path, latest, duration):
    # 0.53 in single precision is not before a trial end of 0.53, which is rounded likewise
    spikes = load_shd(write(tmp_path / "a.h5", [[0.0, latest]], [[1, 2]], [0], np.float32))
    assert spikes.duration == duration
    np.testing.assert_array_equal(spikes.times, np.float32([0, latest]))


def test_shd_sorts_within_trials_and_keeps_ties(tmp_path):
    times, units = [[0.5, 0.25, 0.5, 0.125], [0.25, 0.75]], [[1, 2, 0, 3], [4, 5]]
    spikes = load_shd(write(tmp_path / "a.h5", times, units, [0, 1]), duration=1.0)
    np.testing.assert_array_equal(spikes.times, [0.125, 0.25, 0.5, 0.5, 0.25, 0.75])
    np.testing.assert_array_equal(spikes.units, [3, 2, 1, 0, 4, 5])


def test_shd_without_spikes_or_trials(tmp_path):
    silent = load_shd(write(tmp_path / "a.h5", [[], []], [[], []], [0, 1]))
    assert len(silent) == 2 and silent.times.size == 0 and silent.duration == 0.01
    assert len(load_shd(write(tmp_path / "b.h5", [], [], np.zeros(0, int)), duration=1.0)) == 0


@pytest.mark.parametrize(
    "content, words",
    [
        (dict(units=UNITS[:2]), "times has 3 trials, spikes/units 2 and labels 3.*must agree"),
        (dict(labels=[1, 2]), "times has 3 trials, spikes/units 3 and labels 2"),
        (dict(units=[[5, 699, 0], [1], [3, 3]]), "trial 1 has 0 times but 1 units"),
        (
            dict(units=[[5, 699, 0], [], [3, 700]]),
            r"spike 1 of trial 2 has unit 700; with n_units = 700 .* 0 \.\. 699",
        ),
        (
            dict(units=[[5, -2, 0], [], [3, 3]], unit_type=np.int32),
            "spike 1 of trial 0 has unit -2",
        ),
        (dict(units=[[5, 2**32, 0], [], [3, 3]], unit_type=np.uint64), "has unit 4294967296"),
        (
            dict(times=[[0.1, 0.2, 0.3], [], [-0.5, 0.1]]),
            "spike 0 of trial 2 has time -0.5 s; .*not be negative",
        ),
        (
            dict(times=[[0.1, math.nan, 0.3], [], [0.5, 0.6]]),
            "spike 1 of trial 0 has time nan s; .*finite",
        ),
        (dict(times=[[0.1, 0.2, math.inf], [], [0.5, 0.6]]), "spike 2 of trial 0 has time inf s"),
        (dict(labels=[0, -1, 2]), "labels must be whole numbers 0, 1, 2"),
        (
            dict(labels=[0.5, 1, 2]),
            r"labels has elements of type float64 .*layout must be "
            r"spikes/times \(variable-length floats",
        ),
        (dict(time_type=np.int32), "spikes/times has elements of type int32"),
        (dict(unit_type=np.float32), "spikes/units has elements of type float32"),
    ],
)
def test_shd_rejects_content(tmp_path, content, words):
    with pytest.raises(ValueError, match=words):
        load_shd(write(tmp_path / "a.h5", **content), duration=0.4)


@pytest.mark.parametrize("name", ["spikes/times", "spikes/units", "labels"])
def test_shd_names_missing_data_sets(tmp_path, name):
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file[name]
    with pytest.raises(
        ValueError,
        match=f"a.h5: there is no data set {name}. The layout must be spikes/times .* labels",
    ):
        load_shd(path)


def test_shd_rejects_another_layout(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["spikes"] = np.zeros(3)
    with pytest.raises(
        ValueError, match="no data set spikes/times and no spikes/units and no labels"
    ):
        load_shd(tmp_path / "a.h5")
    with h5py.File(write(tmp_path / "b.h5"), "a") as file:
        del file["spikes/times"]
        file["spikes/times"] = np.zeros((3, 5), np.float32)
    with pytest.raises(
        ValueError, match=r"spikes/times has elements of type float32 and shape \(3, 5\)"
    ):
        load_shd(tmp_path / "b.h5")


def test_shd_missing_file(tmp_path):
    for path in (tmp_path / "none.h5", tmp_path):
        with pytest.raises(
            FileNotFoundError, match=f"{path.name} does not exist, or is not a file"
        ):
            load_shd(path)


def test_shd_corrupt_files(tmp_path):
    whole = write(tmp_path / "a.h5").read_bytes()
    heap = whole.index(b"GCOL")  # where HDF5 keeps entries of variable length
    for n, content in enumerate(
        [
            b"",
            b"no HDF5 at all",
            whole[:100],
            whole[:-1],
            whole[: len(whole) // 2],
            whole[:heap] + b"\0" * 64 + whole[heap + 64 :],
        ]
    ):
        path = tmp_path / f"{n}.h5"
        path.write_bytes(content)
        with pytest.raises(
            OSError, match=f"{n}.h5 cannot be read as HDF5: .*corrupt or incomplete"
        ):
            load_shd(path)


@pytest.mark.skipif(not DIGITS.exists(), reason="the spoken digits are not here")
def test_shd_spoken_digits():
    spikes = load_shd(DIGITS)
    assert len(spikes) == 250 and spikes.n_units == 700 and spikes.times.size == 1_111_190
    assert spikes.times.size / 250 == pytest.approx(4444.76) and spikes.duration == 0.67
    np.testing.assert_array_equal(np.bincount(spikes.labels), np.full(10, 25))
    assert spikes.units.min() >= 0 and spikes.units.max() == 699
    half = load_shd(DIGITS, duration=0.5)
    assert half.times.size == np.sum(spikes.times < 0.5) and half.times.max() < 0.5
    np.testing.assert_array_equal(half[7].times, spikes[7].times[spikes[7].times < 0.5])


# Downloads


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A local server of zipped SHD files, in place of the real one; its log of requests."""
    served, requests = tmp_path / "served", []
    served.mkdir()
    md5 = {}
    for part, label in (("train", 1), ("test", 2)):
        h5 = write(tmp_path / f"shd_{part}.h5", labels=[label] * 3)
        with zipfile.ZipFile(served / f"shd_{part}.h5.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(h5, h5.name)
        md5[part] = hashlib.md5((served / f"shd_{part}.h5.zip").read_bytes()).hexdigest()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=served)

        def log_message(self, *args):
            requests.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as local:
        threading.Thread(target=local.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr("biosnn.data.shd._BASE_URL", f"http://127.0.0.1:{local.server_port}/")
        monkeypatch.setattr("biosnn.data.shd._MD5", {"shd": md5})
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield requests
        local.shutdown()


def test_fetch_downloads_once(tmp_path, server):
    pytest.importorskip("pooch")
    paths = fetch_shd("shd", folder=tmp_path / "cache")
    assert paths == {
        "train": tmp_path / "cache/shd_train.h5",
        "test": tmp_path / "cache/shd_test.h5",
    }
    assert server == ["/shd_train.h5.zip", "/shd_test.h5.zip"]
    np.testing.assert_array_equal(load_shd(paths["train"]).labels, [1, 1, 1])
    np.testing.assert_array_equal(load_shd(paths["test"]).labels, [2, 2, 2])
    written = paths["train"].stat().st_mtime_ns
    assert fetch_shd("shd", folder=str(tmp_path / "cache")) == paths and len(server) == 2
    assert paths["train"].stat().st_mtime_ns == written
    # a file that was cut off is unpacked anew, from the archive that is there
    paths["train"].write_bytes(b"half a file")
    np.testing.assert_array_equal(
        load_shd(fetch_shd("shd", folder=tmp_path / "cache")["train"]).labels, [1, 1, 1]
    )
    assert len(server) == 2


def test_fetch_rejects_a_wrong_checksum(tmp_path, server, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.setattr("biosnn.data.shd._MD5", {"shd": {"train": "0" * 32}})
    with pytest.raises(ValueError, match="does not match the known hash"):
        fetch_shd("shd", folder=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_fetch_says_what_could_not_be_downloaded(tmp_path, server, monkeypatch):
    pytest.importorskip("pooch")
    monkeypatch.setattr("biosnn.data.shd._MD5", {"ssc": {"valid": "0" * 32}})
    with pytest.raises(OSError, match="ssc_valid.h5.zip could not be downloaded .*404"):
        fetch_shd("ssc", folder=tmp_path / "cache")


def test_fetch_errors(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="dataset is 'mnist'; known are 'shd' and 'ssc'"):
        fetch_shd("mnist")
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=r"fetch_shd needs the package pooch: .*biosnn\[data\]"):
        fetch_shd("shd", folder=tmp_path)


def test_speakers_of_a_file(tmp_path):
    path = write(tmp_path / "a.h5")
    with pytest.raises(ValueError, match="no data set extra/speaker"):
        load_speakers(path)
    with h5py.File(path, "a") as file:
        file["extra/speaker"] = np.array([7, 0, 7], np.uint16)
    assert load_speakers(path).tolist() == [7, 0, 7]
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load_speakers(tmp_path / "b.h5")


def test_trials_are_whole_numbers():
    with pytest.raises(
        ValueError, match="trials is .* must be whole numbers, not floating-point numbers"
    ):
        SpikeTrains.from_events([0.1, 0.2], [0, 1], [0.9, 1.9], n_trials=2, n_units=3, duration=1.0)
    assert len(SpikeTrains.from_events([], [], [], n_trials=2, n_units=3, duration=1.0)) == 2
