"""Statistics of trials that end at different times, against naive loops over trials."""

import numpy as np
import pytest

import biosnn as bs

ENDS = np.array([0.5, 1.0, 0.73, 0.08, 0.25])
RATES = np.linspace(5, 60, 6)


@pytest.fixture(scope="module")
def spikes():
    rng = np.random.default_rng(7)
    times = [[rng.uniform(0, end, rng.poisson(rate * end)) for rate in RATES] for end in ENDS]
    return bs.SpikeTrains.from_lists(times, ends=ENDS)


def counts(spikes, width):
    """(unit, window) counts of the whole windows of each trial."""
    columns = []
    for trial, end in zip(spikes.to_lists(), ENDS, strict=True):
        edges = np.arange(int(end / width + 1e-9) + 1) * width
        columns.append([np.histogram(unit, edges)[0] for unit in trial])
    return np.concatenate(columns, axis=1)


def test_rates_are_spikes_per_second_of_all_trials(spikes):
    wanted = [sum(trial[u].size for trial in spikes.to_lists()) / ENDS.sum() for u in range(6)]
    np.testing.assert_allclose(bs.stats.firing_rates(spikes), wanted)


@pytest.mark.parametrize("width", [0.25, 0.07, 1.0])
def test_a_bin_of_the_rate_has_the_trials_that_reach_it(spikes, width):
    centres, rates = bs.stats.rate_over_time(spikes, width)
    edges = np.append(np.arange(centres.size) * width, 1.0)
    for k in range(centres.size):
        seconds = np.clip(ENDS - edges[k], 0, edges[k + 1] - edges[k]).sum()
        inside = (spikes.times >= edges[k]) & (spikes.times < edges[k + 1])
        assert rates[k] == pytest.approx(inside.sum() / (6 * seconds), rel=1e-9)


@pytest.mark.parametrize("width", [0.05, 0.25, 0.1])
def test_counts_are_of_the_whole_windows_of_each_trial(spikes, width):
    c = counts(spikes, width)
    np.testing.assert_allclose(
        bs.stats.fano_factor(spikes, width), c.var(axis=1, ddof=1) / c.mean(axis=1), rtol=1e-9
    )
    chi = np.sqrt(c.mean(axis=0).var() / c.var(axis=1).mean())
    assert bs.stats.synchrony(spikes, width) == pytest.approx(chi, rel=1e-9)
    i, j = np.triu_indices(6, 1)
    found = np.sort(bs.stats.correlations(spikes, width))
    np.testing.assert_allclose(found, np.sort(np.corrcoef(c)[i, j]), atol=1e-9)


def test_a_window_longer_than_every_second_trial_is_refused():
    short = bs.SpikeTrains.from_lists([[[0.1]], [[0.2]]], ends=[0.15, 0.5])
    with pytest.raises(ValueError, match="a variance needs at least two"):
        bs.stats.fano_factor(short, 0.3)


def test_intervals_stay_within_trials_and_know_how_long_these_are():
    rng, ends = np.random.default_rng(3), np.repeat([0.3, 1.0, 3.0], 300)
    times = [[rng.uniform(0, end, rng.poisson(8 * end))] for end in ends]
    spikes = bs.SpikeTrains.from_lists(times, ends=ends)
    intervals = np.concatenate([np.diff(np.sort(unit)) for (unit,) in times])
    np.testing.assert_allclose(bs.stats.interspike_intervals(spikes)[0], intervals, atol=1e-12)
    assert bs.stats.isi_cv(spikes)[0] == pytest.approx(intervals.std() / intervals.mean())
    cv, error = bs.stats.pooled_cv(spikes)
    assert abs(cv - 1) < 3 * error < 0.15
    same = bs.SpikeTrains.from_lists(times, duration=3.0)  # the durations matter
    assert abs(bs.stats.pooled_cv(same)[0] - 1) > 3 * error


def test_a_correlogram_leaves_out_what_is_near_an_end(spikes):
    reach, width, wanted, n = 0.05, 0.01, np.zeros(10), 0
    pairs = [0, 5, 3], [1, 5, 2]
    for trial, end in zip(spikes.to_lists(), ENDS, strict=True):
        for i, j in zip(*pairs, strict=True):
            for s in trial[i][(trial[i] >= reach) & (trial[i] <= end - reach)]:
                lags = trial[j] - s
                wanted += np.histogram(lags, np.arange(-5, 6) * width)[0]
                n += 1
    _, rates = bs.stats.cross_correlogram(spikes, spikes, pairs, reach=reach, bin_width=width)
    np.testing.assert_allclose(rates, wanted / (n * width), rtol=1e-9)
    with pytest.raises(ValueError, match="trial 0 ends at 0.5 s and at 1 s"):
        longer = bs.SpikeTrains.from_lists(spikes.to_lists(), duration=1.0)
        bs.stats.cross_correlogram(spikes, longer, pairs, reach=reach, bin_width=width)


def test_the_balance_is_of_the_steps_of_each_trial():
    e, i = np.random.default_rng(0).uniform(1, 2, (2, 3, 9, 4))
    e[0, 5:], i[2, 2:] = 100, 0
    found = bs.stats.ei_balance(e, i, own_steps=[5, 9, 2])
    alone = [np.concatenate([x[b, :n] for b, n in enumerate([5, 9, 2])])[None] for x in (e, i)]
    wanted = bs.stats.ei_balance(*alone)
    for name in ("ratio", "correlation", "net_over_excitatory"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name))
    with pytest.raises(ValueError, match="own_steps"):
        bs.stats.ei_balance(e, i, own_steps=[5, 10, 2])
