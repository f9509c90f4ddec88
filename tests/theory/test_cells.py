"""What of a network counts in the theory, and how."""

import numpy as np
import pytest

import biosnn as bs
from tests.theory.circuits import free, small


def test_a_bias_counts_as_a_constant_current():
    nets = bs.Network(1e-3), bs.Network(1e-3)
    nets[0].population(20, bs.lif(), name="E", bias=np.linspace(1.4, 1.6, 20))
    nets[1].population(20, bs.lif(), name="E")
    run = bs.simulate(nets[0], 1.0, progress=False)
    biased, driven = (
        bs.regime(nets[0], simulation=run)["E"],
        bs.regime(nets[1], [bs.Current("E", 1.5)])["E"],
    )
    assert (
        biased.predicted.rate
        == driven.predicted.rate
        == pytest.approx(1 / (20e-3 * np.log(3)), rel=1e-6)
    )
    assert biased.at_rates.mu == pytest.approx(
        1.5
    ) == biased.measured.mu and biased.measured.rate == pytest.approx(
        biased.predicted.rate, rel=0.05
    )


def test_learned_time_constants_and_jumps_count():
    """As if the neurons had them from the start."""
    plain, learned = bs.Network(1e-3), bs.Network(1e-3)
    plain.population(
        200, bs.adaptive_lif(tau_mem=5e-3, tau_syn=4e-3, tau_adapt=100e-3, jump=0.05), name="E"
    )
    learned.population(
        200,
        bs.adaptive_lif(tau_mem=20e-3, tau_syn=10e-3, tau_adapt=100e-3, jump=0.1),
        name="E",
        learn={"mem": "neuron", "syn": "population", "jump": "neuron"},
    )
    learned.parameters["E", "mem"][:] = np.log(0.125 / 0.875)
    learned.parameters["E", "syn"] = np.array(np.log(0.2 / 0.8))
    learned.parameters["E", "jump"][:] = np.log(0.5)
    background = [bs.PoissonInput("E", 1000.0, 0.2)]
    run = bs.simulate(learned, 4.0, background=background, progress=False)
    rows = bs.regime(plain, background)["E"], bs.regime(learned, background, run)["E"]
    theory = [row.predicted for row in rows]
    for name in ("tau", "rate", "mu", "sigma"):
        assert getattr(theory[1], name) == pytest.approx(getattr(theory[0], name), rel=1e-6), name
    assert theory[1].tau == pytest.approx(5e-3) and rows[1].at_rates.mu == pytest.approx(
        0.8 - 0.005 * rows[1].measured.rate, rel=1e-6
    )
    assert rows[1].measured.mu == pytest.approx(rows[1].at_rates.mu, rel=0.02)
    assert rows[1].predicted.rate == pytest.approx(rows[1].measured.rate, rel=0.1)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "plasticity, share",
    [
        (bs.TsodyksMarkram(0.5, 0.8), 0.5 / (1 + 0.5 * 10 * 0.8)),
        (bs.TsodyksMarkram(0.1, 0.1, 1.0), 0.3548),
    ],
)
def test_short_term_plasticity_acts_with_its_efficacy(plasticity, share):
    net = bs.Network(1e-3)
    x, free_lif = (
        net.input(1000, name="x", sign="excitatory"),
        free(bs.lif(tau_mem=20e-3, tau_syn=5e-3)),
    )
    net.population(200, free_lif, name="E")
    net.connect(x, "E", weights=0.5, synapses=bs.FixedInDegree(100), seed=1, plasticity=plasticity)
    warm = bs.simulate(net, 2.0, bs.data.poisson(10.0, 1000, 2.0, seed=1), progress=False)
    run = bs.simulate(
        net,
        9.0,
        bs.data.poisson(10.0, 1000, 9.0, seed=2),
        state=warm.state,
        record={"E.U": slice(None)},
        every=5,
        record_spikes=["x", "E"],
        progress=False,
    )
    row = bs.regime(net, simulation=run, rates={"x": 10.0})["E"]
    assert row.predicted.mu == pytest.approx(100 * 10 * 5e-3 * 0.5 * share, rel=1e-3)
    assert row.recorded.mu == pytest.approx(
        row.predicted.mu, rel=0.04
    ) and row.at_rates.mu == pytest.approx(row.recorded.mu, rel=0.04)
    assert row.recorded.sigma == pytest.approx(row.predicted.sigma, rel=0.1)
    assert row.measured.mu == pytest.approx(
        row.recorded.mu, rel=0.01
    ) and row.measured.sigma == pytest.approx(row.recorded.sigma, rel=0.05)
    # the initializer asks for weights that have this efficacy
    net = bs.Network(1e-3)
    x, e = (
        net.input(1000, name="x", sign="excitatory"),
        net.population(200, bs.lif(tau_mem=20e-3, tau_syn=5e-3, threshold=20.0), name="E"),
    )
    net.connect(x, e, synapses=bs.FixedInDegree(100), seed=1, plasticity=plasticity)
    net.connect(
        net.input(250, name="y", sign="inhibitory"), e, synapses=bs.FixedInDegree(25), seed=2
    )
    report = bs.fluctuation_driven(
        net,
        background=[bs.Current(e, 12.0)],
        mu_u=15.0,
        sigma_u=3.0,
        assumed_rates=10.0,
        family=bs.families.Constant(),
        closed_loop=False,
    )
    row, w, v = report.populations[0], float(net.weights["x->E"]), float(net.weights["y->E"])
    assert 12.0 + 10 * 5e-3 * (100 * share * w - 25 * v) == pytest.approx(15.0, rel=0.03)
    assert row.predicted.mu == pytest.approx(
        15.0, rel=0.03
    ) and row.predicted.sigma == pytest.approx(3.0, rel=0.05)


@pytest.mark.statistical
def test_inhibitory_plasticity_counts_with_the_weights_at_the_end():
    net, neuron = bs.Network(1e-3), bs.lif(tau_mem=20e-3, tau_syn=5e-3, refractory=2e-3)
    e, i = (
        net.population(200, neuron, "excitatory", name="E"),
        net.population(50, neuron, "inhibitory", name="I"),
    )
    net.connect(
        i,
        e,
        weights=0.0,
        synapses=bs.Bernoulli(1.0),
        seed=1,
        plasticity=bs.InhibitorySTDP(2e-3, 5.0),
    )
    background = [bs.PoissonInput(e, 3000.0, 0.1), bs.PoissonInput(i, 1500.0, 0.15)]
    warm = bs.simulate(net, 10.0, background=background, progress=False)
    run = bs.simulate(net, 3.0, background=background, state=warm.state, progress=False)
    after, before = bs.regime(net, background, run), bs.regime(net, background)
    w = run.weights["I->E"].mean(dtype=float)
    assert w > 0.05 and after["E"].at_rates.mu == pytest.approx(
        1.5 - 50 * run.mean_rates["I"] * 5e-3 * w, rel=1e-5
    )
    assert after["E"].measured.mu == pytest.approx(after["E"].at_rates.mu, abs=0.03)
    assert before["E"].predicted.mu == pytest.approx(1.5) and after[
        "E"
    ].predicted.rate == pytest.approx(run.mean_rates["E"], rel=0.15)
    for report, words in (
        (after, "at the end of the simulation"),
        (before, "that the network has now"),
    ):
        assert any(
            "I->E change while the circuit runs" in w and words in w for w in report.warnings
        )


def test_what_changes_with_time_counts_with_its_mean_over_the_simulation():
    net = bs.Network(1e-3)
    net.population(20, bs.lif(threshold=5.0), name="E")
    background = [
        bs.Current("E", ([0.0, 0.9], [[1.0] * 20, [3.0] * 20])),
        bs.PoissonInput("E", ([0.0, 0.2, 0.4], [1000.0, 0.0, 500.0]), 0.1),
    ]
    run = bs.simulate(net, 1.0, background=background, progress=False)
    later = bs.simulate(net, 0.5, background=background, state=run.state, progress=False)
    expected = {run: 1.2 + 500.0 * 1e-3, later: 3.0 + 500.0 * 1e-3, None: 3.0 + 500.0 * 1e-3}
    for simulation, mu in expected.items():
        assert bs.regime(net, background, simulation)["E"].predicted.mu == pytest.approx(mu)
    half = bs.simulate(net, 0.3, background=background, progress=False)
    assert bs.regime(net, background, half)["E"].at_rates.mu == pytest.approx(
        1.0 + 1e-3 * 1000 * 2 / 3
    )


@pytest.mark.statistical
def test_several_synapses_of_a_pair_count_with_the_square_of_their_sum():
    """60 synapses from 60 sources.

    Drawn with replacement; the sources spike at every event of their background.
    """
    net = bs.Network(1e-4)
    s, e = (
        net.population(n, bs.lif_delta(tau_mem=tau, threshold=theta), "excitatory", name=name)
        for n, tau, theta, name in ((60, 1e-3, 0.5, "S"), (400, 20e-3, 1e6, "E"))
    )
    net.connect(s, e, delay=1e-3, weights=1.0, synapses=bs.FixedInDegree(60), seed=1)
    background = [bs.PoissonInput("S", 10.0, 1.0)]
    run = bs.simulate(
        net,
        20.0,
        background=background,
        record={"E.U": slice(None)},
        every=20,
        seed=3,
        progress=False,
    )
    u = run.states["E.U"][100:].astype(float)
    row = bs.regime(net, background, run)["E"]
    assert np.sqrt(u.var(axis=0).mean()) == pytest.approx(
        row.at_rates.sigma, rel=0.03
    ) and row.at_rates.sigma > 1.3 * np.sqrt(60 * 10 * 0.01)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_weights_drawn_for_no_synapses():
    net = small()
    for p in net.projections:
        if p.name != "none":
            net.set_weights(p, np.full(net.weight_shape(p), 0.1e-3))
    background = [bs.PoissonInput(name, 10500.0, 0.1e-3) for name in "EI"]
    with_none = bs.regime(net, background, rates={"x": 5.0})
    assert net.weights["none"].size == 0 and len(bs.plot.weights(net).axes) == 6
    net._projections.pop("none")
    assert (
        bs.regime(net, background, rates={"x": 5.0})["E"] == with_none["E"]
        and with_none["E"].predicted.rate > 1
    )
