"""The start of a network that is trained with a background: it counts in the moments."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.network.neuron import free_membrane
from tests.initializer.networks import CONDUCTANCES

QUIET = dict(seed=1, progress=False)


@pytest.fixture(scope="module")
def data():
    return bs.data.poisson(30.0, 60, 0.2, 100, seed=3)


def feed_forward(neuron, free=False):
    """Inputs onto 40 neurons, with or without a threshold."""
    net = bs.Network(1e-3)
    neuron = free_membrane(neuron) if free else neuron
    e = net.population(40, neuron, "excitatory", name="E")
    source = net.input(60, name="x", sign="excitatory")
    net.connect(source, e, name="exc")
    net.connect(net.input(60, name="y", sign="inhibitory"), e, name="inh")
    return net


def noise(n=100):
    return [
        bs.PoissonInput("E", 200.0, 0.1),
        bs.OrnsteinUhlenbeck("E", mean=np.linspace(0, 0.1, 40), sd=0.3, tau=5e-3),
        bs.Current("E", ([0.0, 0.1], np.linspace(-0.1, 0.3, 2 * n).reshape(n, 2, 1))),
    ]


@pytest.mark.parametrize(
    "neuron, mu, sigma", [(bs.ei_lif(), 0.2, 0.6), (CONDUCTANCES, 0.3, 0.3)], ids=["lif", "cond"]
)
@pytest.mark.parametrize("balance", ["population", "neuron"])
def test_the_free_membrane_with_its_background_has_the_targets(neuron, mu, sigma, balance, data):
    """Measured here in the same network without a threshold, with other noise."""
    if neuron is CONDUCTANCES and balance == "neuron":
        pytest.skip("refused: conductances do not add up")
    net, free = feed_forward(neuron), feed_forward(neuron, free=True)
    spikes = {"x": data, "y": bs.data.poisson(30.0, 60, 0.2, 100, seed=4)}
    targets = dict(mu_u=mu, sigma_u=sigma, alpha=1.0, balance=balance)
    report = bs.fluctuation_driven(net, spikes, background=noise(), **targets, **QUIET)
    for name, weights in net.weights.items():
        free.set_weights(name, weights)
    trace = bs.run(free, spikes, background=noise(), moments=["E.U"], seed=99)
    mean, variance = trace.mean["E.U"], trace.variance["E.U"]
    total = variance.mean(axis=0) + mean.var(axis=0)
    assert mean.mean() == pytest.approx(mu, abs=0.05 * sigma)
    assert np.sqrt(total.mean()) == pytest.approx(sigma, rel=0.05)
    assert report["E"].measured.mu == pytest.approx(mean.mean(), abs=0.03 * sigma)
    assert report["E"].measured.sigma == pytest.approx(np.sqrt(total.mean()), rel=0.03)
    if balance == "neuron":
        assert mean.mean(axis=0).std() < 0.05 * sigma
    without = bs.run(free, spikes, moments=["E.U"])
    assert abs(without.mean["E.U"].mean() - mu) > 0.1 * sigma  # the background counted


def test_theory_without_a_closed_loop_counts_it_too(data):
    net = feed_forward(bs.ei_lif())
    spikes = {"x": data, "y": bs.data.poisson(30.0, 60, 0.2, 100, seed=4)}
    options = dict(mu_u=0.2, sigma_u=0.6, alpha=1.0, closed_loop=False, **QUIET)
    predicted = bs.fluctuation_driven(net, spikes, background=noise(), **options)["E"].predicted
    assert predicted.mu == pytest.approx(0.2, abs=0.06)
    assert predicted.sigma == pytest.approx(0.6, rel=0.06)


@pytest.mark.parametrize(
    "background, words",
    [
        ([bs.OrnsteinUhlenbeck("E", 0.0, 3.0, 20e-3)], "the background alone has that standard"),
        ([bs.Current("E", 0.1)], "what the network must add: the background alone has mean"),
        ([bs.Current("E", np.ones((7, 1)))], "values are given for 7 trials, and there are 100"),
        ([bs.Current("Z", 1.0)], "Z"),
        (bs.Current("E", 1.0), "must be a list"),
        ([None], r"background\[0\] is None"),
    ],
)
def test_messages(background, words, data):
    net = feed_forward(bs.ei_lif())
    options = dict(mu_u=-30.0 if "what the network" in words else 0.0, **QUIET)
    with pytest.raises(ValueError, match=words):
        bs.fluctuation_driven(net, {"x": data, "y": data}, background=background, **options)
