"""Mean-field theory beside simulations and published rates."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.theory import Cell, Input, fixed_point
from tests.theory.circuits import NEURONS, free

# Potjans & Diesmann (2014), table 5: neurons, external in-degrees, and the probability of a
# connection from column to row
NAMES = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]


N = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]


EXTERNAL = [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]


P = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0, 0.0076, 0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0, 0.0042, 0],
    [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0, 0.1057, 0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
]


def test_theory_of_the_cortical_microcircuit():
    """Within 20 % of the paper's simulated rates (its table 6)."""
    w, neuron, cells = (
        87.81e-12 * 10e-3 / 250e-12,
        bs.lif(tau_mem=10e-3, tau_syn=0.5e-3, threshold=15e-3, reset=0.0, refractory=2e-3),
        [],
    )
    for i, name in enumerate(NAMES):
        inputs = [Input("exc", EXTERNAL[i], w, 1.01 * w**2, None, 8.0)]
        for j, pre in enumerate(NAMES):
            total = np.log(1 - P[i][j]) / np.log(1 - 1 / (N[i] * N[j]))
            weight = w * (2 if (i, j) == (0, 2) else 1) * (4 if j % 2 else 1)
            inputs.append(
                Input("inh" if j % 2 else "exc", total / N[i], weight, 1.01 * weight**2, pre)
            )
        cells.append(Cell(name, neuron, tuple(inputs)))
    point = fixed_point(cells, dt=1e-4)
    assert point.converged and set(point.method.values()) == {"colour-corrected"}
    for name, rate in zip(NAMES, (0.86, 2.8, 4.5, 5.9, 7.6, 8.6, 1.1, 7.8)):
        assert point.rates[name] == pytest.approx(rate, rel=0.2), name


DRIVE = {
    "delta": (8000.0, 0.2e-3, 1200.0, 0.6e-3),
    "short": (8000.0, 4e-3, 1200.0, 12e-3),
    "long": (8000.0, 0.8e-3, 1200.0, 1.2e-3),
    "conductance": (5000.0, 0.02, 500.0, 0.15),
}


@pytest.mark.statistical
def test_unconnected_neurons_do_what_theory_says():
    """Rate, ISI CV and free membrane under Poisson input, for every kind of synapse."""
    net, background = bs.Network(1e-4), []
    for name, neuron in NEURONS.items():
        for kind, model in (("", neuron), ("_free", free(neuron))):
            net.population(300, model, name=name + kind)
            exc, w, inh, v = DRIVE[name]
            background += [
                bs.PoissonInput(name + kind, exc, w, "exc"),
                bs.PoissonInput(name + kind, inh, v, "inh"),
            ]
    warm = bs.simulate(net, 0.2, background=background, seed=2, progress=False)
    record = {f"{name}_free.U": slice(None) for name in NEURONS}
    run = bs.simulate(
        net, 4.0, background=background, state=warm.state, record=record, every=20, progress=False
    )
    report = bs.regime(net, background, run)
    for name in NEURONS:
        row, membrane = report[name], report[f"{name}_free"]
        assert row.method == ("density" if name in ("long", "conductance") else "colour-corrected")
        assert row.measured.rate == pytest.approx(row.predicted.rate, rel=0.08), name
        assert row.measured.cv == pytest.approx(
            row.predicted.cv, abs=0.08 if row.method != "density" else 0.15
        ), name
        assert membrane.recorded.mu == pytest.approx(membrane.predicted.mu, rel=0.02), name
        assert membrane.recorded.sigma == pytest.approx(membrane.predicted.sigma, rel=0.04), name


@pytest.mark.statistical
def test_adaptation_and_nmda_do_what_theory_says():
    """Adaptation lowers the rate to where it sustains itself.

    With NMDA one spike drives two currents of the free membrane.
    """
    net, background, drive = bs.Network(2e-4), [], DRIVE["long"]
    models = {
        "adapting": bs.ei_adaptive_lif(
            tau_mem=20e-3,
            tau_exc=5e-3,
            tau_inh=10e-3,
            tau_adapt=100e-3,
            jump=1e-3,
            threshold=20e-3,
            reset=10e-3,
            refractory=2e-3,
        ),
        "plain": NEURONS["long"],
        "nmda": free(
            bs.ampa_nmda_gaba(
                tau_mem=20e-3,
                tau_ampa=5e-3,
                tau_nmda=60e-3,
                tau_gaba=10e-3,
                threshold=20e-3,
                reset=10e-3,
            )
        ),
    }
    for name, model in models.items():
        net.population(200, model, name=name)
        background += [
            bs.PoissonInput(name, drive[0], drive[1], "exc"),
            bs.PoissonInput(name, drive[2], drive[3], "inh"),
        ]
    warm = bs.simulate(net, 0.5, background=background, seed=2, progress=False)
    run = bs.simulate(
        net,
        4.0,
        background=background,
        state=warm.state,
        record={"nmda.U": slice(None)},
        every=10,
        progress=False,
    )
    report = bs.regime(net, background, run)
    adapting, plain, nmda = (report[name] for name in models)
    assert adapting.measured.rate == pytest.approx(adapting.predicted.rate, rel=0.08)
    assert (
        2 < adapting.predicted.rate < 0.85 * plain.predicted.rate
        and adapting.measured.rate < 0.85 * plain.measured.rate
    )
    assert nmda.recorded.mu == pytest.approx(nmda.predicted.mu, rel=0.02)
    assert nmda.recorded.sigma == pytest.approx(nmda.predicted.sigma, rel=0.04)


SUBTRACTING = dict(tau_syn=10e-3, threshold=1.0, reset="subtract")


@pytest.mark.statistical
@pytest.mark.parametrize(
    "neuron, source",
    [
        (bs.lif(**SUBTRACTING), bs.OrnsteinUhlenbeck("E", 2.0, 0.3, 10e-3)),
        (bs.lif(**SUBTRACTING), bs.OrnsteinUhlenbeck("E", 1.2, 0.1, 10e-3)),
        (bs.lif(**SUBTRACTING), bs.Current("E", 1.5)),
        (
            bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset="subtract"),
            bs.PoissonInput("E", 10e3, 0.25e-3),
        ),
        (bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset="subtract"), bs.Current("E", 50e-3)),
        (
            bs.lif(tau_mem=10e-3, tau_syn=0.1, threshold=1.0),
            bs.PoissonInput("E", 1000.0, 12e-3, "exc"),
        ),
        (
            bs.lif(tau_mem=10e-3, tau_syn=0.25, threshold=1.0),
            bs.PoissonInput("E", 1000.0, 4.8e-3, "exc"),
        ),
        (bs.lif(), bs.OrnsteinUhlenbeck("E", 1.5, 0.3, 0.3)),
        (bs.lif(), bs.OrnsteinUhlenbeck("E", 0.8, 0.3, 0.3)),
    ],
)
def test_rates_of_unconnected_neurons(neuron, source):
    """Resets that subtract.

    Which begin far below threshold; no noise; synapses much longer than the membrane.
    """
    net = bs.Network(2e-4)
    net.population(1000, neuron, name="E")
    warm = bs.simulate(net, 1.0, background=[source], seed=1, progress=False)
    run = bs.simulate(net, 2.0, background=[source], seed=1, state=warm.state, progress=False)
    report = bs.regime(net, [source], run)
    assert report.converged and report["E"].predicted.rate == pytest.approx(
        report["E"].measured.rate, rel=0.06
    )


@pytest.mark.parametrize("mu, sigma", [(1.5, 0.0335), (1.2, 0.2)])
def test_rate_of_a_current_that_hardly_changes(mu, sigma):
    """The mean over currents of the rate of a clock; steps of a tenth of tau_mem."""
    current = mu + sigma * np.random.default_rng(0).standard_normal(200_000)
    above = current[current > 1]
    expected = np.sum(1 / (20e-3 * np.log(above / (above - 1)))) / current.size
    assert bs.theory.stationary_rate(mu, sigma, 20e-3, 5.0, 2e-3) == pytest.approx(
        expected, rel=0.06
    )
