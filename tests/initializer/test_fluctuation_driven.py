"""The initializer's equations, measured: weights have the moments that its report predicts."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.initializer.targets import Wishes
from biosnn.initializer.trials import TrialStart
from biosnn.network.neuron import free_membrane
from tests.initializer.networks import CONDUCTANCES, RATE, dalian, shadow_moments


@pytest.fixture(scope="module")
def stationary():
    """600 s of Poisson input from 400 + 128 + 32 neurons at the assumed rate."""
    dt = dalian(128, 32).dt
    # at most one spike a step at the assumed rate: the continuous rate whose merged bins have it
    continuous = -np.log(1 - RATE * dt) / dt
    return {
        name: bs.data.poisson(continuous, size, 6.3, 100, seed=k)
        for k, (name, size) in enumerate({"input": 400, "E": 128, "I": 32}.items())
    }


@pytest.mark.statistical
@pytest.mark.parametrize("mu", [0.0, 0.2])
@pytest.mark.parametrize("sigma", [1 / 3, 1 / 2, 1.0])
def test_stationary_poisson_afferents(sigma, mu, stationary):
    """600 s of input: the error of a mean over time is below the tolerance.

    It is about sigma sqrt(25 ms / 600 s). The mean over 160 neurons with random weights is not the
    target's: theory with the weights as drawn says what it is.
    """
    net = dalian(128, 32)
    report = bs.fluctuation_driven(
        net, mu_u=mu, sigma_u=sigma, assumed_rates=RATE, seed=1, closed_loop=False
    )
    for row in report.populations:
        mean, deviation = shadow_moments(net, row.name, stationary)
        assert np.sqrt((deviation**2).mean()) == pytest.approx(row.predicted.sigma, rel=0.02)
        assert mean.mean() == pytest.approx(row.predicted.mu, abs=0.02)
        assert mean.std() == pytest.approx(row.predicted.spread, rel=0.05)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "neuron",
    [bs.ampa_nmda_gaba(tau_nmda=40e-3), bs.bounded(bs.ei_adaptive_lif(jump=0.5), -0.1, 1.01)],
    ids=["ampa_nmda_gaba", "ei_adaptive_lif"],
)
def test_membranes_of_other_tables(neuron):
    """PSPs of two currents; of an adapting and bounded neuron.

    The moments are those of the membrane that synapses make.
    """
    net = bs.Network(2e-3)
    bs.dalian_layer(net, net.input(200), 64, 16, neuron=neuron)
    report = bs.fluctuation_driven(
        net, mu_u=0.1, sigma_u=0.5, assumed_rates=RATE, seed=1, closed_loop=False
    )
    continuous = -np.log(1 - RATE * net.dt) / net.dt
    sources = {
        name: bs.data.poisson(continuous, n, 3.3, 60, seed=k)
        for k, (name, n) in enumerate({"input": 200, "E": 64, "I": 16}.items())
    }
    for row in report.populations:
        mean, deviation = shadow_moments(net, row.name, sources)
        assert np.sqrt((deviation**2).mean()) == pytest.approx(row.predicted.sigma, rel=0.03)
        assert mean.mean() == pytest.approx(row.predicted.mu, abs=0.03)


@pytest.mark.statistical
@pytest.mark.parametrize("mu", [0.0, 0.2])
def test_weight_draws_have_the_target_on_average(mu):
    """Over 14 400 neurons of 6 draws.

    The spread over neurons is about 0.7, so the sampling error about 0.01.
    """
    rows = []
    for seed in range(6):
        rows += bs.fluctuation_driven(
            dalian(1600, 800),
            mu_u=mu,
            sigma_u=1.0,
            assumed_rates=RATE,
            seed=seed,
            closed_loop=False,
        ).populations
    for name in ("E", "I"):
        assert np.mean([row.predicted.mu for row in rows if row.name == name]) == pytest.approx(
            mu, abs=0.02
        )
        assert np.mean([row.predicted.sigma for row in rows if row.name == name]) == pytest.approx(
            1.0, rel=0.02
        )


def test_balance_by_neuron_removes_the_spread():
    net = dalian(400, 100)
    report = bs.fluctuation_driven(
        net, mu_u=0.1, sigma_u=0.5, assumed_rates=RATE, seed=1, closed_loop=False, balance="neuron"
    )
    for row in report.populations:
        assert row.predicted.spread < 1e-3 and row.predicted.mu == pytest.approx(0.1, abs=1e-3)
        assert row.predicted.sigma == pytest.approx(0.5, rel=1e-3)


@pytest.mark.statistical
def test_normal_weights_of_a_deep_network():
    net = bs.Network(2e-3)
    x = net.input(300)
    a = bs.layer(net, x, 400, name="a", recurrent=True)
    b = bs.layer(net, [a, x], 400, name="b")
    net.connect(b, net.readout(3))
    report = bs.fluctuation_driven(
        net, mu_u=0.1, sigma_u=0.6, alpha=0.8, assumed_rates=RATE, seed=3, closed_loop=False
    )
    for row in report.populations:
        assert row.predicted.mu == pytest.approx(
            0.1, abs=0.05
        ) and row.predicted.sigma == pytest.approx(0.6, rel=0.02)
    variance = {
        name: np.mean(net.weights[name].astype(float) ** 2) * net.weights[name].shape[0]
        for name in ("input->a", "a->a")
    }
    assert variance["input->a"] / sum(variance.values()) == pytest.approx(0.8, abs=0.02)


@pytest.mark.statistical
@pytest.mark.parametrize("n_inputs, sigma", [(200, 0.15), (60, 0.3)])
def test_conductances_with_stationary_poisson_afferents(n_inputs, sigma):
    """Theory of the weights as they are; targets at which a neuron is driven by many small inputs.

    Theory of the weights as they are; targets at which a neuron is driven by many small inputs.
    """
    net, n = dalian(64, 16, n_inputs, CONDUCTANCES), {"input": n_inputs, "E": 64, "I": 16}
    report = bs.fluctuation_driven(
        net, mu_u=0.2, sigma_u=sigma, assumed_rates=RATE, seed=1, closed_loop=False
    )
    assert bs.audit(net).violations == 0
    continuous = -np.log(1 - RATE * net.dt) / net.dt
    sources = {
        name: bs.data.poisson(continuous, size, 1.3, 50, seed=k)
        for k, (name, size) in enumerate(n.items())
    }
    for row in report.populations:
        mean, deviation = shadow_moments(net, row.name, sources)
        assert mean.mean() == pytest.approx(
            row.predicted.mu, abs=0.02
        ) and row.predicted.mu == pytest.approx(0.2, abs=0.1)
        assert np.sqrt((deviation**2).mean()) == pytest.approx(row.predicted.sigma, rel=0.03)
        assert row.predicted.sigma == pytest.approx(sigma, rel=0.1) and mean.std() == pytest.approx(
            row.predicted.spread, rel=0.05
        )


@pytest.mark.statistical
def test_rates_of_conductance_populations_are_consistent():
    net = dalian(64, 16, 60, CONDUCTANCES)
    start = TrialStart(
        net,
        Wishes(mu_u=0.2, sigma_u=0.4, alpha=0.9),
        family=bs.families.Exponential(),
        shares=None,
        balance="population",
        merge=True,
        rng=np.random.default_rng(0),
    )
    start.assume_rates(None, {"input": RATE})
    for name, equations in start.equations.items():
        rate = equations.target_rate()
        assert rate > 1 and start.rates[name] == pytest.approx(rate, rel=0.03)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "given",
    [
        dict(spikes=bs.data.poisson(12.0, 400, 0.4, 3, seed=4)),
        dict(background=[bs.Current("readout", 1.0)], assumed_rates=5.0),
    ],
)
def test_an_input_and_a_readout_alone(given):
    net = bs.Network(2e-3)
    net.connect(net.input(400), net.readout(40))
    report = bs.fluctuation_driven(net, seed=1, progress=False, **given)
    assert report.populations == [] and net.weights["input->readout"].std() == pytest.approx(
        400**-0.5, rel=0.02
    )


def test_projections_without_synapses_are_left_out():
    nets = dalian(20, 10, 60), dalian(20, 10, 60)
    nets[1].connect("I", "E", synapses=bs.Bernoulli(0.0), seed=1, name="none")
    reports = [
        bs.fluctuation_driven(
            net, assumed_rates=RATE, closed_loop=False, family=bs.families.Constant(), seed=1
        )
        for net in nets
    ]
    assert nets[1].weights["none"].size == 0 and reports[0].populations == reports[1].populations
    np.testing.assert_array_equal(nets[0].weights["I->E"], nets[1].weights["I->E"])


@pytest.mark.statistical
def test_sparse_conductances():
    net, sources = bs.Network(2e-3), {"input": 200, "E": 64, "I": 16}
    e, i = (
        net.population(sources[name], CONDUCTANCES, sign, name=name)
        for name, sign in (("E", "excitatory"), ("I", "inhibitory"))
    )
    for k, pre in enumerate((net.input(200), e, i)):
        for post in (e, i):
            net.connect(
                pre, post, synapses=bs.FixedInDegree(net[pre.name].n // 2, multiple=False), seed=k
            )
    report = bs.fluctuation_driven(
        net,
        mu_u=0.2,
        sigma_u=0.2,
        assumed_rates=RATE,
        family=bs.families.Constant(),
        closed_loop=False,
    )
    for row in report.populations:
        assert row.predicted.mu == pytest.approx(
            0.2, abs=0.01
        ) and row.predicted.sigma == pytest.approx(0.2, rel=0.01)
    continuous = -np.log(1 - RATE * net.dt) / net.dt
    shadow = bs.Network(net.dt)
    for name, n in sources.items():
        shadow.input(n, name=name, sign=net[name].sign)
    shadow.population(64, free_membrane(CONDUCTANCES), name="shadow")
    for p in net.projections[::2]:
        shadow.connect(
            p.pre,
            "shadow",
            delay=0.0,
            weights=net.weights[p.name],
            receptor=p.receptor,
            synapses=net.synapses[p.name],
        )
    trains = {
        name: bs.data.poisson(continuous, n, 1.3, 50, seed=k)
        for k, (name, n) in enumerate(sources.items())
    }
    u = (
        bs.run(shadow, trains, record=["shadow.U"])
        .states["shadow.U"][:, 150:]
        .reshape(-1, 64)
        .astype(float)
    )
    assert u.mean() == pytest.approx(report.populations[0].predicted.mu, abs=0.02)
    assert np.sqrt(u.var(axis=0).mean()) == pytest.approx(
        report.populations[0].predicted.sigma, rel=0.03
    )


@pytest.mark.statistical
def test_several_synapses_of_a_pair_spike_together():
    """80 and 40 synapses from 100 and 40 sources, drawn with replacement.

    The variance is 1.8 and 2 times that of different sources.
    """
    net = bs.Network(1e-3)
    x, y = net.input(100, name="x", sign="excitatory"), net.input(40, name="y", sign="inhibitory")
    e = net.population(200, bs.ei_lif(threshold=1e3), "excitatory", name="E")
    net.connect(x, e, synapses=bs.FixedInDegree(80), seed=1)
    net.connect(y, e, synapses=bs.FixedInDegree(40), seed=2)
    for name in ("x->E", "y->E"):
        synapses = net.synapses[name]
        numbers, weights = np.zeros((2, synapses.n_pre, 200))
        w = np.random.default_rng(3).random(synapses.size)
        np.add.at(numbers, (synapses.sources, synapses.target), 1)
        np.add.at(weights, (synapses.sources, synapses.target), w)
        assert net.multiplicity(name) > 1.7 and net.multiplicity(name) == pytest.approx(
            (numbers**2).sum() / numbers.sum()
        )
        np.testing.assert_allclose(net.afferent_squares(name, w), (weights**2).sum(axis=0))
    spikes = {
        "x": bs.data.poisson(20, 100, 4.0, 8, seed=1),
        "y": bs.data.poisson(20, 40, 4.0, 8, seed=2),
    }
    report = bs.fluctuation_driven(net, spikes, mu_u=0.0, sigma_u=1.0, closed_loop=False, seed=0)
    u = bs.run(net, spikes, record=["E.U"]).states["E.U"][:, 300:]
    deviation = np.sqrt(u.var(axis=1).mean())
    assert deviation == pytest.approx(1, rel=0.06) and report.populations[
        0
    ].predicted.sigma == pytest.approx(deviation, rel=0.05)
