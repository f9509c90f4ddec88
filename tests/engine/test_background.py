"""Random numbers of the engine: known answers, distributions, independence."""

import numpy as np
import pytest
from scipy import stats

import biosnn as bs
from biosnn.kernels import random as kernels


def test_philox_gives_the_published_numbers():
    words = np.empty(64, np.uint32)  # Random123 1.09, kat_vectors, philox4x32-10, counter and key 0
    kernels.random_words(np.uint64(0), 0, 0, 0, words)
    assert [hex(w) for w in words[::16]] == ["0x6627e8d5", "0xe169c58d", "0xbc57ac4c", "0x9b00dbd8"]


def collect(source, n=500, steps=400, jump_state="U"):
    """What a source adds in every step to neurons that forget (tau much below the recorded steps is
    not allowed: undo the leak).
    """
    net = bs.Network(1e-3, np.float64)
    net.population(n, bs.lif_delta(tau_mem=1.0, threshold=1e12), name="A")
    u = bs.simulate(
        net, steps * 1e-3, background=[source], record={"A.U": slice(None)}, progress=False, seed=3
    ).states["A.U"]
    return u - np.exp(-1e-3) * np.concatenate([np.zeros((1, n)), u[:-1]])


@pytest.mark.statistical
@pytest.mark.parametrize("rate", [50.0, 2000.0, 20000.0])
@pytest.mark.parametrize("own", [False, True])
def test_poisson_counts(rate, own):
    counts = collect(bs.PoissonInput("A", np.full(500, rate) if own else rate, 1.0))
    whole, mean = np.round(counts), rate * 1e-3
    np.testing.assert_allclose(counts, whole, atol=1e-6)
    assert whole.mean() == pytest.approx(mean, abs=4.5 * np.sqrt(mean / whole.size))
    assert whole.var() == pytest.approx(mean, rel=0.03)
    k = np.arange(int(mean + 4 * np.sqrt(mean)) + 1)
    observed = np.array([(whole == v).sum() for v in k] + [(whole > k[-1]).sum()])
    expected = whole.size * np.append(stats.poisson.pmf(k, mean), stats.poisson.sf(k[-1], mean))
    use = expected > 10
    assert ((observed - expected)[use] ** 2 / expected[use]).sum() < stats.chi2.isf(1e-4, use.sum())
    z = (whole - mean) / np.sqrt(mean)
    for correlation in (
        (z[1:] * z[:-1]).mean(),
        (z[:, 1:] * z[:, :-1]).mean(),
        (z[:, 16:] * z[:, :-16]).mean(),
    ):
        assert abs(correlation) < 4.5 / np.sqrt(z.size)


def test_rates_change_in_pieces():
    counts = collect(bs.PoissonInput("A", ([0.0, 0.1, 0.3], [1000.0, 0.0, 5000.0]), 1.0))
    assert counts[100:300].max() < 1e-9
    assert counts[:100].mean() == pytest.approx(1, rel=0.03) and counts[
        300:
    ].mean() == pytest.approx(5, rel=0.03)


def test_currents_in_pieces_reach_the_membrane():
    drive = 1 - np.exp(-1e-3)
    per_neuron = np.linspace(1, 2, 500)
    added = collect(bs.Current("A", ([0.0, 0.2], np.stack([per_neuron, 3 * per_neuron]))))
    np.testing.assert_allclose(
        added[:200], np.broadcast_to(drive * per_neuron, (200, 500)), rtol=1e-9
    )
    np.testing.assert_allclose(
        added[200:], np.broadcast_to(3 * drive * per_neuron, (200, 500)), rtol=1e-9
    )


@pytest.mark.statistical
def test_ornstein_uhlenbeck_is_stationary_normal_and_correlated_in_time():
    x = collect(bs.OrnsteinUhlenbeck("A", 2.0, 0.5, 10e-3)) / (1 - np.exp(-1e-3))
    assert x.mean() == pytest.approx(2, abs=0.02) and x.std() == pytest.approx(0.5, rel=0.03)
    z = (x - 2) / 0.5
    assert z[0].std() == pytest.approx(1, abs=0.15)  # stationary from the start
    for lag in (1, 10, 20):
        assert (z[lag:] * z[:-lag]).mean() == pytest.approx(np.exp(-lag / 10), abs=0.04)
    innovation = (z[1:] - np.exp(-0.1) * z[:-1]) / np.sqrt(1 - np.exp(-0.2))
    assert stats.kstest(innovation.ravel()[:50000], "norm").pvalue > 1e-3
    assert abs((innovation[:, 32:] * innovation[:, :-32]).mean()) < 4.5 / np.sqrt(innovation.size)


@pytest.mark.parametrize(
    "source, line",
    [
        (
            bs.PoissonInput("E", np.full(50, 9.0), 0.1),
            "PoissonInput(population='E', rate=<array (50,)>, weight=0.1, receptor=None)",
        ),
        (
            bs.Current("E", ([0.0, 0.5], np.zeros((2, 50)))),
            "Current(population='E', values=<2 pieces, values (2, 50)>)",
        ),
        (
            bs.OrnsteinUhlenbeck(bs.Network(1e-3).population(50, bs.lif(), name="P"), 1, 0.2, 0.01),
            "OrnsteinUhlenbeck(population='P', mean=1.0, sd=0.2, tau=0.01)",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_source_shows_itself_in_one_line(source, line):
    assert repr(source) == line
