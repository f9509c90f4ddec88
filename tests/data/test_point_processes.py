"""Point processes beside Poisson: rates, variability and correlations against theory."""

import numpy as np
import pytest
from scipy.stats import kstest

import biosnn as bs
from biosnn import data


def counts(spikes, window):
    return bs.bin_spikes(spikes, window, merge=False).dense().astype(float)


def intervals(spikes):
    """Of all units of trial 0, pooled."""
    times = [np.sort(spikes.times[spikes.units == u]) for u in range(spikes.n_units)]
    return np.concatenate([np.diff(each) for each in times])


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0])
def test_gamma_intervals(shape):
    spikes = data.gamma_process(20.0, 40, 50.0, shape=shape, seed=1)
    found = intervals(spikes)
    assert kstest(found, "gamma", (shape, 0, 1 / (20 * shape))).pvalue > 1e-3
    assert found.std() / found.mean() == pytest.approx(shape**-0.5, rel=0.03)


@pytest.mark.parametrize("rate, dead", [(20.0, 10e-3), (100.0, 5e-3), (50.0, 0.0)])
def test_refractory_intervals(rate, dead):
    spikes = data.refractory_poisson(rate, 40, 40.0, dead_time=dead, seed=1)
    found = intervals(spikes)
    assert found.min() >= dead * (1 - 1e-9)
    assert kstest(found - dead, "expon", (0, 1 / rate - dead)).pvalue > 1e-3
    assert found.std() / found.mean() == pytest.approx(1 - rate * dead, rel=0.03)


@pytest.mark.parametrize(
    "make",
    [
        lambda **o: data.gamma_process(40.0, 200, 0.2, 200, shape=8.0, **o),
        lambda **o: data.gamma_process(40.0, 200, 0.2, 200, shape=0.5, **o),
        lambda **o: data.refractory_poisson(40.0, 200, 0.2, 200, dead_time=15e-3, **o),
    ],
    ids=["regular", "bursty", "refractory"],
)
def test_renewal_processes_are_in_equilibrium_from_the_start(make):
    profile = counts(make(seed=2), 2e-3).mean(axis=(0, 2)) / 2e-3
    error = np.sqrt(40 / 2e-3 / 200 / 200)
    assert np.all(np.abs(profile - 40) < 5 * error)


def test_rates_differ_by_unit_and_may_be_0():
    for make, option in (
        (data.gamma_process, {"shape": 3.0}),
        (data.refractory_poisson, {"dead_time": 3e-3}),
    ):
        spikes = make([0.0, 10.0, 100.0], 3, 20.0, 5, seed=1, labels=range(5), **option)
        rates = np.bincount(spikes.units, minlength=3) / 100
        assert rates[0] == 0 and rates[1:] == pytest.approx([10, 100], rel=0.1)
        assert spikes.labels.tolist() == [0, 1, 2, 3, 4]
        assert make(0.0, 2, 1.0, seed=1, **option).times.size == 0


def sine(t):
    return 30 + 25 * np.sin(2 * np.pi * 2 * t)


@pytest.mark.parametrize("how", ["function", "array", "by unit"])
def test_rates_that_change(how):
    grid = sine((np.arange(1000) + 0.5) * 1e-3)
    given, options = {
        "function": (sine, {"max_rate": 55.0}),
        "array": (grid, {"dt": 1e-3}),
        "by unit": (grid[:, None] * np.ones(100), {}),
    }[how]
    spikes = data.inhomogeneous_poisson(given, 100, 1.0, 50, seed=1, **options)
    found = counts(spikes, 0.05).sum(axis=(0, 2))
    expected = grid.reshape(20, 50).mean(axis=1) * 0.05 * 5000
    assert np.sum((found - expected) ** 2 / expected) < 45  # 20 degrees of freedom, p = 1e-3
    fano = counts(spikes, 0.25).var(axis=(0, 2)) / counts(spikes, 0.25).mean(axis=(0, 2))
    assert fano == pytest.approx(1, abs=0.1)


def test_rates_by_trial_and_unit():
    rates = np.zeros((2, 4, 3))
    rates[0, 1, 2], rates[1, 3, 0] = 4000.0, 2000.0
    spikes = data.inhomogeneous_poisson(rates, 3, 0.4, 2, dt=0.1, seed=1)
    found = counts(spikes, 0.1)
    assert found[0, 1, 2] == pytest.approx(400, abs=80) and found[1, 3, 0] == pytest.approx(
        200, abs=60
    )
    rest = found.sum() - found[0, 1, 2] - found[1, 3, 0]
    assert rest <= 2  # a spike just before a step counts as its


@pytest.mark.parametrize("kind", ["MIP", "SIP"])
@pytest.mark.parametrize("c", [0.0, 0.1, 0.6, 1.0])
def test_pairwise_correlations(kind, c):
    spikes = data.correlated_poisson(20.0, 20, 400.0, correlation=c, kind=kind, seed=1)
    found = counts(spikes, 0.1)[0]
    assert found.mean() / 0.1 == pytest.approx(20, rel=0.05)
    assert found.var(axis=0).mean() / found.mean() == pytest.approx(1, abs=0.08)
    pairs = np.corrcoef(found.T)[np.triu_indices(20, 1)]
    assert pairs.mean() == pytest.approx(c, abs=0.03)


def test_higher_correlations_differ_between_sip_and_mip():
    """How many of 20 units share a spike: all in SIP, some in MIP (Kuhn et al. 2003)."""
    shared = {}
    for kind in ("MIP", "SIP"):
        spikes = data.correlated_poisson(5.0, 20, 200.0, correlation=0.3, kind=kind, seed=1)
        _, sizes = np.unique(spikes.times, return_counts=True)
        shared[kind] = sizes[sizes > 1]
    assert np.all(shared["SIP"] == 20)
    assert shared["MIP"].mean() == pytest.approx(6, rel=0.1) and shared["MIP"].max() < 20


def test_jitter_moves_shared_spikes():
    spikes = data.correlated_poisson(20.0, 2, 200.0, correlation=1.0, jitter=5e-3, seed=1)
    a, b = (np.sort(spikes.times[spikes.units == u]) for u in (0, 1))
    assert a.size == b.size and not np.intersect1d(a, b).size
    wide = counts(spikes, 0.5)[0]
    assert np.corrcoef(wide.T)[0, 1] > 0.95


def test_counts_of_two_states():
    """Mean and variance of a switched Poisson process."""
    a, b, r = 4.0, 10.0, np.array([2.0, 60.0])
    spikes = data.markov_modulated_poisson(r, 40, 2.0, 400, transitions=[[0, a], [b, 0]], seed=1)
    tau = 1 / (a + b)
    mean = (r[0] * b + r[1] * a) * tau
    v = (r[0] - r[1]) ** 2 * a * b * tau**2
    for window in (0.05, 0.5, 2.0):
        found = counts(spikes, window)
        assert found.mean() / window == pytest.approx(mean, rel=0.03)
        expected = mean * window + 2 * v * tau**2 * (window / tau - 1 + np.exp(-window / tau))
        assert found.var() == pytest.approx(expected, rel=0.06)
    first = counts(spikes, 0.1).mean(axis=(0, 2)) / 0.1  # stationary from the start
    assert first == pytest.approx(mean, rel=0.06)


def test_common_states_and_three_states():
    transitions = np.array([[9.0, 2.0, 2.0], [1.0, 0.0, 4.0], [5.0, 5.0, 0.0]])
    spikes = data.markov_modulated_poisson(
        [0.0, 10.0, 80.0], 30, 3.0, 100, transitions=transitions, common=True, seed=1
    )
    np.fill_diagonal(transitions, 0)
    q = transitions - np.diag(transitions.sum(axis=1))
    share = np.linalg.solve(np.vstack([q.T[:2], np.ones(3)]), [0, 0, 1])
    found = counts(spikes, 0.1)
    assert found.mean() / 0.1 == pytest.approx(share @ [0, 10, 80], rel=0.06)
    pairs = np.corrcoef(found.reshape(-1, 30).T)[np.triu_indices(30, 1)]
    assert pairs.mean() > 0.5
    alone = data.markov_modulated_poisson(
        [0.0, 10.0, 80.0], 30, 3.0, 100, transitions=transitions, seed=1
    )
    apart = np.corrcoef(counts(alone, 0.1).reshape(-1, 30).T)[np.triu_indices(30, 1)]
    assert abs(apart.mean()) < 0.02


ALL = [
    lambda **o: data.gamma_process(20.0, 3, 1.0, 2, shape=2.0, **o),
    lambda **o: data.refractory_poisson(20.0, 3, 1.0, 2, dead_time=2e-3, **o),
    lambda **o: data.inhomogeneous_poisson(sine, 3, 1.0, 2, max_rate=55.0, **o),
    lambda **o: data.inhomogeneous_poisson([20.0, 30.0], 3, 1.0, 2, **o),
    lambda **o: data.correlated_poisson(20.0, 3, 1.0, 2, correlation=0.3, **o),
    lambda **o: data.markov_modulated_poisson([1, 50], 3, 1.0, 2, transitions=np.ones((2, 2)), **o),
]


@pytest.mark.parametrize("make", ALL)
def test_a_seed_gives_the_same_trains(make):
    one, two, other = make(seed=3), make(seed=np.random.default_rng(5)), make(seed=4)
    assert np.array_equal(one.times, make(seed=3).times)
    assert two.times.size and not np.array_equal(one.times, other.times)
    assert len(one) == 2 and one.n_units == 3 and one.times.max() < 1.0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: data.gamma_process(20.0, 3, 1.0, shape=0.0, seed=1), "shape"),
        (lambda: data.refractory_poisson(300.0, 3, 1.0, dead_time=5e-3, seed=1), "below 200 Hz"),
        (lambda: data.refractory_poisson(20.0, 3, 1.0, dead_time=-1e-3, seed=1), "dead_time"),
        (lambda: data.inhomogeneous_poisson(sine, 3, 1.0, seed=1), "give max_rate"),
        (lambda: data.inhomogeneous_poisson(sine, 3, 1.0, max_rate=40.0, seed=1), "above max_rate"),
        (lambda: data.inhomogeneous_poisson(sine, 3, 1.0, dt=1e-3, seed=1), "dt is for"),
        (lambda: data.inhomogeneous_poisson([1, 2], 3, 1.0, dt=0.1, seed=1), "cover 0.2 s"),
        (lambda: data.inhomogeneous_poisson(np.ones((5, 2)), 3, 1.0, seed=1), r"shape \(5, 2\)"),
        (lambda: data.inhomogeneous_poisson(20.0, 3, 1.0, seed=1), "data.poisson"),
        (lambda: data.inhomogeneous_poisson([-1.0], 3, 1.0, seed=1), "-1"),
        (lambda: data.correlated_poisson(20.0, 3, 1.0, correlation=-0.1, seed=1), "share"),
        (lambda: data.correlated_poisson(20.0, 3, 1.0, correlation=1e-12, seed=1), "of the source"),
        (lambda: data.correlated_poisson(20.0, 3, 1.0, correlation=0.1, kind="sip", seed=1), "SIP"),
        (
            lambda: data.markov_modulated_poisson([1.0], 3, 1.0, transitions=[[0]], seed=1),
            "two or more",
        ),
        (
            lambda: data.markov_modulated_poisson(
                [1, 2], 3, 1.0, transitions=[[1, 0], [1, 0]], seed=1
            ),
            "each state must be left",
        ),
    ],
)
def test_careless_users_read_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
