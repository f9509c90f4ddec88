"""Encoders: where spikes are, round trips within the quantisation, and careless use."""

import numpy as np
import pytest

import biosnn as bs
from biosnn import encode

RNG = np.random.default_rng(3)
STATIC = RNG.random((6, 11))
MOVING = np.clip(0.5 + np.cumsum(RNG.normal(0, 0.05, (4, 120, 5)), axis=1), 0, 1)


def unit_times(spikes, trial, unit):
    one = spikes[trial]
    return one.times[one.units == unit]


@pytest.mark.parametrize("low, high", [(0.0, 200.0), (15.0, 120.0)])
def test_regular_spikes_are_where_the_integral_says(low, high):
    spikes = encode.rate(MOVING, dt=0.01, min_rate=low, max_rate=high, kind="regular")
    assert spikes.n_units == 5 and len(spikes) == 4 and spikes.duration == pytest.approx(1.2)
    integral = np.cumsum(low + (high - low) * MOVING, axis=1) * 0.01
    grid = np.arange(121) * 0.01
    for b, c in ((0, 0), (3, 4), (2, 1)):
        curve = np.append(0, integral[b, :, c])
        expected = np.interp(np.arange(int(curve[-1] + 0.5)) + 0.5, curve, grid)
        np.testing.assert_allclose(unit_times(spikes, b, c), expected, atol=1e-9)


def test_regular_rates_round_trip_within_the_quantisation():
    spikes = encode.rate(STATIC, 0.8, max_rate=250.0, min_rate=5.0, kind="regular")
    found = encode.decode_rate(spikes, max_rate=250.0, min_rate=5.0)
    assert np.abs(found - STATIC).max() <= 0.5 / (0.8 * 245) + 1e-9
    slow = np.repeat(MOVING[:, ::20], 20, axis=1)
    spikes = encode.rate(slow, dt=0.01, max_rate=1000.0, kind="regular")
    found = encode.decode_rate(spikes, dt=0.2, max_rate=1000.0)
    assert found.shape == (4, 6, 5)
    assert np.abs(found - slow[:, ::20]).max() <= 1 / (0.2 * 1000) + 1e-9


def test_poisson_rates_have_their_mean_and_variance():
    values = np.tile([[0.2, 0.7]], (4000, 1))
    spikes = encode.rate(values, 0.5, max_rate=40.0, min_rate=2.0, seed=1)
    counts = encode.decode_rate(spikes, max_rate=40.0, min_rate=2.0) * 38 * 0.5 + 2 * 0.5
    expected = (2 + 38 * values[0]) * 0.5
    assert counts.mean(axis=0) == pytest.approx(expected, rel=0.03)
    assert counts.var(axis=0) == pytest.approx(expected, rel=0.08)
    again = encode.rate(values, 0.5, max_rate=40.0, min_rate=2.0, seed=1)
    assert np.array_equal(again.times, spikes.times)
    moving = encode.rate(np.tile([[[0.1], [0.9]]], (3000, 1, 1)), dt=0.1, max_rate=50.0, seed=2)
    found = encode.decode_rate(moving, dt=0.1, max_rate=50.0).mean(axis=0)[:, 0]
    assert found == pytest.approx([0.1, 0.9], rel=0.06)


@pytest.mark.parametrize(
    "options", [{}, {"first": 0.02}, {"scale": "log", "tau": 0.05, "threshold": 0.2}]
)
def test_latencies_round_trip(options):
    spikes = encode.latency(STATIC, 0.5, labels=range(6), **options)
    found = encode.decode_latency(spikes, **options)
    threshold = options.get("threshold", 0.01)
    silent = threshold >= STATIC
    if "tau" in options:
        silent |= 0.05 * np.log(STATIC / np.maximum(STATIC - 0.2, 1e-300)) >= 0.5
    np.testing.assert_allclose(found[~silent], STATIC[~silent], rtol=1e-9)
    assert not found[silent].any() and spikes.times.size == (~silent).sum()
    order = [one.units.tolist() for one in spikes]
    by_size = [[c for c in np.argsort(-x) if not s[c]] for x, s in zip(STATIC, silent)]
    assert order == by_size
    assert spikes.times.min() >= options.get("first", 0)


def test_linear_latencies_are_those_of_a_line():
    spikes = encode.latency([[1.0, 0.75, 0.0, 0.02]], 2.0, first=1.0)
    assert spikes.times.tolist() == pytest.approx([1.0, 1.25, 1.98])
    assert spikes.units.tolist() == [0, 1, 3]


def test_delta_is_the_difference_of_samples():
    values = np.array([1, 2, 0, 2, 2.9])[None, :, None]  # of snnTorch's documentation
    spikes = encode.delta(values, 1e-3, threshold=1.0)
    dense = bs.bin_spikes(spikes, 1e-3).dense()[0]
    assert (dense[:, 0] - dense[:, 1]).tolist() == [0, 1, -1, 1, 0]
    alone = encode.delta(values, 1e-3, threshold=1.0, off=False)
    assert alone.n_units == 1 and bs.bin_spikes(alone, 1e-3).dense()[0, :, 0].tolist() == [
        0, 1, 0, 1, 0,
    ]  # fmt: skip
    spikes = encode.delta(MOVING, 2e-3, threshold=0.06)
    change = np.diff(MOVING, axis=1, prepend=MOVING[:, :1])
    dense = bs.bin_spikes(spikes, 2e-3).dense()
    assert np.array_equal(dense[..., :5], change >= 0.06)
    assert np.array_equal(dense[..., 5:], change <= -0.06)


@pytest.mark.parametrize("spacing", [0.3, 0.1, 0.013])
def test_level_crossings_round_trip_within_a_level(spacing):
    spikes = encode.level_crossing(MOVING, 0.01, spacing=spacing)
    found = encode.decode_level_crossing(spikes, 0.01, spacing=spacing, start=MOVING[:, 0])
    assert found.shape == MOVING.shape
    assert np.abs(found - MOVING).max() < spacing * (1 + 1e-6)
    assert spikes.times.size > 20
    grid = np.arange(120) * 0.01
    for b, c in ((0, 0), (3, 2)):  # each spike is where the line between samples crosses a level
        for unit in (c, c + 5):
            times = unit_times(spikes, b, unit)
            level = (np.interp(times, grid, MOVING[b, :, c]) - MOVING[b, 0, c]) / spacing
            np.testing.assert_allclose(level, np.round(level), atol=1e-6)


def test_levels_have_hysteresis_and_several_are_crossed_at_once():
    values = np.array([0.0, 0.31, 0.29, 0.31, 0.05, -0.1])[None, :, None]
    spikes = encode.level_crossing(values, 1.0, spacing=0.1)
    ups, downs = unit_times(spikes, 0, 0), unit_times(spikes, 0, 1)
    assert ups == pytest.approx(np.array([0.1, 0.2, 0.3]) / 0.31)
    assert downs == pytest.approx([3 + 0.11 / 0.26, 3 + 0.21 / 0.26, 4 + 0.05 / 0.15, 5.0])
    exact = np.arange(8)[None, :, None] * 0.1  # on levels, which rounding must not lose
    assert encode.level_crossing(exact, 1e-3, spacing=0.1).times.size == 7


def test_populations_have_gaussian_tuning_curves():
    curves = {"n": 9, "low": -2.0, "high": 2.0, "width": 0.7}
    spikes = encode.population([[0.4]] * 2000, 1.0, max_rate=30.0, min_rate=1.0, seed=1, **curves)
    rates = np.bincount(spikes.units, minlength=9) / 2000
    expected = 1 + 29 * np.exp(-((0.4 - np.linspace(-2, 2, 9)) ** 2) / (2 * 0.7**2))
    assert rates == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("low", [0.0, 2.0])
def test_populations_round_trip(low):
    curves = {"n": 12, "low": 0.0, "high": 1.0, "max_rate": 400.0, "min_rate": low}
    spikes = encode.population(STATIC, 2.0, kind="regular", **curves)
    found = encode.decode_population(spikes, **curves)
    assert np.abs(found - STATIC).max() < 2e-3
    spikes = encode.population(STATIC, 2.0, seed=1, **curves)
    error = encode.decode_population(spikes, **curves) - STATIC
    centres = np.linspace(0, 1, 12)
    sd = centres[1]
    bumps = np.exp(-((0.5 - centres) ** 2) / (2 * sd**2))
    slopes = (400 - low) * bumps * (centres - 0.5) / sd**2
    bound = (2.0 * np.sum(slopes**2 / (low + (400 - low) * bumps))) ** -0.5  # Cramer and Rao
    assert np.std(error) == pytest.approx(bound, rel=0.3)
    moving = encode.population(MOVING[:3, ::30], dt=0.25, kind="regular", **curves)
    found = encode.decode_population(moving, dt=0.25, **curves)
    assert found.shape == (3, 4, 5) and np.abs(found - MOVING[:3, ::30]).max() < 0.02
    silent = bs.SpikeTrains([], [], [0, 0], 12, 1.0)
    assert np.isnan(encode.decode_population(silent, **curves)).all()


def test_trials_that_end_earlier_are_decoded_by_their_own_end():
    long = encode.rate(STATIC[:1], 1.0, kind="regular")
    short = encode.rate(STATIC[1:2], 0.4, kind="regular")
    both = bs.SpikeTrains.from_events(
        np.concatenate([long.times, short.times]),
        np.concatenate([long.units, short.units]),
        np.repeat([0, 1], [long.times.size, short.times.size]),
        n_trials=2,
        n_units=11,
        duration=1.0,
        ends=[1.0, 0.4],
    )
    found = encode.decode_rate(both)
    assert np.array_equal(found[:1], encode.decode_rate(long))
    assert np.array_equal(found[1:], encode.decode_rate(short))
    found = encode.decode_rate(both, dt=0.1)
    assert np.isnan(found[1, 4:]).all() and np.isfinite(found[1, :4]).all()
    assert np.array_equal(found[1, :4], encode.decode_rate(short, dt=0.1)[0])
    curves = {"n": 11, "low": 0.0, "high": 1.0}
    found = encode.decode_population(both, dt=0.2, **curves)
    expected = encode.decode_population(short, dt=0.2, **curves)
    assert np.isnan(found[1, 2:]).all() and np.array_equal(found[1, :2], expected[0])


LENGTHS = (120, 35, 80, 1)
RAGGED = [x[:n] for x, n in zip(MOVING, LENGTHS, strict=True)]


@pytest.mark.parametrize(
    "code",
    [
        lambda x: encode.rate(x, dt=2e-3, kind="regular", max_rate=300.0),
        lambda x: encode.population(x, dt=2e-3, n=6, low=0, high=1, kind="regular"),
        lambda x: encode.delta(x, 2e-3, threshold=0.04),
        lambda x: encode.level_crossing(x, 2e-3, spacing=0.07),
    ],
    ids=["rate", "population", "delta", "level_crossing"],
)
@pytest.mark.parametrize("form", [list, tuple, lambda x: np.array(x, dtype=object)])
def test_trials_of_different_lengths_are_encoded_as_each_alone(code, form):
    spikes = code(form(RAGGED))
    np.testing.assert_allclose(spikes.durations, np.array(LENGTHS) * 2e-3, rtol=1e-12)
    assert spikes.times.size > 20
    for trial, values in zip(spikes.to_lists(), RAGGED, strict=True):
        for found, expected in zip(trial, code(values[None]).to_lists()[0], strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_poisson_spikes_of_trials_of_different_lengths_have_their_rates():
    ones = [np.full((n, 40), 0.5) for n in (500, 1500)]
    spikes = encode.rate(ones, dt=1e-3, max_rate=100.0, labels=[1, 0], seed=1)
    assert spikes.labels.tolist() == [1, 0] and spikes.ends.tolist() == [0.5, 1.5]
    counts = np.diff(spikes.offsets)
    assert np.abs(counts - [1000, 3000]).max() < 4 * np.sqrt(3000)


def test_what_comes_out_drives_a_network():
    net = bs.Network(1e-3)
    x = net.input(22)
    net.connect(x, net.readout(2), weights=np.ones((22, 2)))
    spikes = encode.population(STATIC, 0.1, n=2, low=0.0, high=1.0, seed=1, labels=[0, 1] * 3)
    assert bs.run(net, spikes).states["readout.U"].max() > 0
    assert spikes.labels.tolist() == [0, 1] * 3


CURVES = {"n": 4, "low": 0.0, "high": 1.0}


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: encode.rate(STATIC * 255, 1.0, seed=1), "values / 255"),
        (lambda: encode.rate(STATIC, seed=1), "need a duration"),
        (lambda: encode.rate(MOVING, 1.0, seed=1), "need dt"),
        (lambda: encode.rate(STATIC, 1.0, dt=0.1, seed=1), "no dt"),
        (lambda: encode.rate(RAGGED, 1.0, seed=1), "need dt"),
        (lambda: encode.delta([RAGGED[0], RAGGED[1][:, :2]], 1e-3), "as many channels"),
        (lambda: encode.delta([RAGGED[0], RAGGED[1][:0]], 1e-3), "at least one sample"),
        (lambda: encode.delta([RAGGED[0], RAGGED[1][:, 0]], 1e-3), "each must be"),
        (lambda: encode.delta([RAGGED[0], "abc"], 1e-3), "values of trial 1"),
        (lambda: encode.rate(STATIC, 1.0), "seed"),
        (lambda: encode.rate(STATIC[0], 1.0, seed=1), r"values\[None\]"),
        (lambda: encode.rate(np.zeros((0, 3)), 1.0, seed=1), "shape"),
        (lambda: encode.rate(STATIC, 1.0, kind="bernoulli", seed=1), "regular"),
        (lambda: encode.rate(STATIC, 1.0, max_rate=5.0, min_rate=9.0, seed=1), "above min_rate"),
        (lambda: encode.rate(np.full((2, 2), np.nan), 1.0, seed=1), "nan"),
        (lambda: encode.latency(STATIC * 2, 1.0), "earliest spike"),
        (lambda: encode.latency(-STATIC, 1.0, scale="log", tau=0.1), "never charges"),
        (lambda: encode.latency(STATIC, 1.0, scale="log"), "needs tau"),
        (lambda: encode.latency(STATIC, 1.0, tau=0.1), "tau is for"),
        (lambda: encode.latency(STATIC, 1.0, first=2.0), "within the trial"),
        (lambda: encode.latency(MOVING, 1.0), r"must be \(trial, channel\)"),
        (lambda: encode.delta(STATIC, 1e-3), r"must be \(trial, time, channel\), or a list"),
        (lambda: encode.delta(MOVING, 1e-3, threshold=0.0), "threshold"),
        (lambda: encode.level_crossing(MOVING, 1e-3, spacing=-1.0), "spacing"),
        (lambda: encode.level_crossing(MOVING, 1e-3, spacing=1e-300), "no memory"),
        (lambda: encode.rate(STATIC, 1e300, kind="regular"), "no memory"),
        (lambda: encode.population(STATIC * 3, 1.0, seed=1, **CURVES), "from low to high"),
        (lambda: encode.population(STATIC, 1.0, n=1, low=0, high=1, seed=1), "n"),
        (lambda: encode.population(STATIC, 1.0, n=4, low=1.0, high=0.0, seed=1), "high"),
        (
            lambda: encode.decode_population(bs.data.poisson(9.0, 6, 1.0, seed=1), **CURVES),
            "not a multiple of n = 4",
        ),
        (lambda: encode.decode_rate(STATIC), "SpikeTrains"),
        (
            lambda: encode.decode_level_crossing(
                bs.data.poisson(9.0, 3, 1.0, seed=1), 1e-3, spacing=0.1
            ),
            "as many OFF as ON",
        ),
        (
            lambda: encode.decode_level_crossing(
                bs.data.poisson(9.0, 4, 1.0, seed=1), 1e-3, spacing=0.1, start=[1, 2, 3]
            ),
            "start has shape",
        ),
    ],
)
def test_careless_users_read_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.filterwarnings("error::biosnn.UnitWarning")
def test_a_step_in_milliseconds_warns():
    with pytest.raises(bs.UnitWarning, match="dt"):
        encode.delta(MOVING, 1.0 * 2)
