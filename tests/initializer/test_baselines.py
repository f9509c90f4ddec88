"""Baseline initializers: the distributions that they promise, fan-in, zeros, Dale's law."""

import numpy as np
import pytest
from scipy import stats

import biosnn as bs


def network(n_in=100, n=80):
    net = bs.Network(2e-3)
    x = net.input(n_in)
    h = bs.layer(net, x, n, name="h", recurrent=True)
    net.connect(h, net.readout(50))
    return net


def standardized(weights, scale):
    return weights.ravel().astype(float) / scale


@pytest.mark.statistical
def test_kaiming_is_uniform_within_the_root_of_the_fan_in():
    net = network()
    bs.kaiming(net, seed=1)
    for name, n in (("input->h", 100), ("h->h", 80), ("h->readout", 80)):
        w = standardized(net.weights[name], n**-0.5)
        assert (
            np.abs(w).max() <= 1 + 1e-6 and stats.kstest(w, stats.uniform(-1, 2).cdf).pvalue > 0.01
        ), name


@pytest.mark.statistical
def test_xavier_counts_both_ends():
    net = network()
    bs.xavier(net, seed=1)
    for name, n in (("input->h", 180), ("h->h", 160), ("h->readout", 130)):
        w = standardized(net.weights[name], np.sqrt(6 / n))
        assert (
            np.abs(w).max() <= 1 + 1e-6 and stats.kstest(w, stats.uniform(-1, 2).cdf).pvalue > 0.01
        ), name


@pytest.mark.statistical
@pytest.mark.parametrize("distribution", [stats.norm(0.2, 1.5), stats.gamma(2.0), stats.t(5)])
def test_any_distribution_is_scaled_by_the_root_of_the_fan_in(distribution):
    net = network()
    bs.random_weights(net, distribution, seed=2)
    assert (
        stats.kstest(standardized(net.weights["input->h"], 100**-0.5), distribution.cdf).pvalue
        > 0.01
    )
    bs.random_weights(net, distribution, seed=2, scale=False)
    assert stats.kstest(standardized(net.weights["input->h"], 1.0), distribution.cdf).pvalue > 0.01


@pytest.mark.statistical
def test_every_neuron_has_its_share_of_zeros_and_the_fan_in_counts_the_rest():
    net = network()
    bs.random_weights(net, stats.norm(), seed=3, sparse=0.75)
    w = net.weights["input->h"]
    assert np.all((w == 0).sum(axis=0) == 75) and len(np.unique((w == 0).sum(axis=1))) > 5
    assert stats.kstest(standardized(w[w != 0], 25**-0.5), stats.norm().cdf).pvalue > 0.01


def test_same_seed_same_weights():
    one, two, other = network(), network(), network()
    for net, seed in ((one, 4), (two, np.random.default_rng(4)), (other, 5)):
        bs.kaiming(net, seed=seed, sparse=0.5)
    for name in one.weights:
        assert np.array_equal(one.weights[name], two.weights[name]) and not np.array_equal(
            one.weights[name], other.weights[name]
        )


@pytest.mark.statistical
@pytest.mark.parametrize(
    "initialize",
    [bs.kaiming, bs.xavier, lambda net, seed: bs.random_weights(net, stats.norm(), seed=seed)],
)
def test_dale_signs_are_kept_and_the_size_of_the_weights_too(initialize):
    net, unsigned = bs.Network(2e-3), network(100, 100)
    e, _ = bs.dalian_layer(net, net.input(100), 100, 20)
    net.connect(e, net.readout(10))
    initialize(net, seed=6)
    initialize(unsigned, seed=6)
    assert bs.audit(net).violations == 0
    assert (
        net.weights["E->E"].min() >= 0
        and net.weights["E->readout"].min() < 0 < net.weights["E->readout"].max()
    )
    assert np.sqrt(np.mean(net.weights["E->E"] ** 2)) == pytest.approx(
        np.sqrt(np.mean(unsigned.weights["h->h"] ** 2)), rel=0.03
    )


@pytest.mark.statistical
def test_synapses_of_a_sparse_projection_count_as_fan_in():
    net = bs.Network(1e-3)
    x, h = net.input(400), net.population(300, bs.lif(), name="h")
    net.connect(x, h, synapses=bs.FixedInDegree(50), seed=0)
    bs.random_weights(net, stats.norm(), seed=7)
    w = net.weights["input->h"]
    assert (
        w.shape == (15000,)
        and stats.kstest(standardized(w, 50**-0.5), stats.norm().cdf).pvalue > 0.01
    )
    bs.random_weights(net, stats.norm(), seed=7, sparse=0.5)
    w = net.weights["input->h"]
    assert (w == 0).sum() == 7500 and w.std() == pytest.approx(np.sqrt(0.5 / 25), rel=0.03)


@pytest.mark.statistical
def test_kernels_of_a_convolution_count_as_fan_in():
    net = bs.Network(1e-3)
    a, shape = bs.convolutional_layer(net, net.input(8 * 50), (8, 50), 200, 5, name="a")
    bs.random_weights(net, stats.norm(), seed=7)
    w = net.weights["input->a"]
    assert (
        w.shape == (200, 8, 5)
        and stats.kstest(standardized(w, 40**-0.5), stats.norm().cdf).pvalue > 0.01
    )
    bs.kaiming(net, seed=1, sparse=0.5)
    w = net.weights["input->a"]
    assert (w == 0).sum() == 4000 and np.abs(w).max() == pytest.approx(20**-0.5, rel=1e-2)


@pytest.mark.parametrize("wrong", [dict(sparse=1.0), dict(sparse=-0.1), dict(sparse=np.nan)])
def test_a_share_of_zeros_is_less_than_all(wrong):
    with pytest.raises(ValueError, match="share of weights that start at 0"):
        bs.kaiming(network(), **wrong)


def test_distributions_of_the_library_and_of_scipy_give_the_same_weights():
    nets = [network() for _ in range(3)]
    normal = bs.Normal(0.1, 2.0)
    for net, given in zip(nets, (stats.norm(0.1, 2.0), normal, normal.draw), strict=True):
        bs.random_weights(net, given, seed=4)
    for name, weights in nets[0].weights.items():
        np.testing.assert_allclose(nets[1].weights[name], weights, rtol=1e-6)
        assert np.array_equal(nets[1].weights[name], nets[2].weights[name])


def test_what_is_no_distribution_is_refused():
    with pytest.raises(ValueError, match="distribution is 'normal'; it must be a distribution"):
        bs.random_weights(network(), "normal")
    with pytest.raises(ValueError, match=r"are the family Exponential\(\), whose mean is for"):
        bs.random_weights(network(), bs.families.Exponential())
    with pytest.raises(ValueError, match="input->h.*not finite"):
        bs.random_weights(network(), stats.norm(np.inf))
