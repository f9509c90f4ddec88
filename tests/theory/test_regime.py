"""Mean-field theory and the regime report beside simulations; the initializer on sparse and conductance-based circuits."""

from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs
from biosnn.initializer.probes import Probes
from biosnn.theory.mean_field import Cell, Input, fixed_point

# Potjans & Diesmann (2014), table 5: probability of a connection, from column to row; neurons; external in-degrees
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
    """The paper's simulated rates (its table 6); theory of independent inputs lies within 20 % of each."""
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


NEURONS = {
    "delta": bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3),
    "short": bs.lif(tau_mem=20e-3, tau_syn=1e-3, threshold=20e-3, reset=10e-3, refractory=2e-3),
    "long": bs.ei_lif(
        tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, threshold=20e-3, reset=10e-3, refractory=2e-3
    ),
    "conductance": bs.conductance_lif(),
}
DRIVE = {
    "delta": (8000.0, 0.2e-3, 1200.0, 0.6e-3),
    "short": (8000.0, 4e-3, 1200.0, 12e-3),
    "long": (8000.0, 0.8e-3, 1200.0, 1.2e-3),
    "conductance": (5000.0, 0.02, 500.0, 0.15),
}


def free(neuron):
    return replace(neuron, threshold=np.inf)


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
        assert row.rate_measured == pytest.approx(row.rate_predicted, rel=0.08), name
        assert row.cv_measured == pytest.approx(
            row.cv_predicted, abs=0.08 if row.method != "density" else 0.15
        ), name
        assert membrane.mu_recorded == pytest.approx(membrane.mu_predicted, rel=0.02), name
        assert membrane.sigma_recorded == pytest.approx(membrane.sigma_predicted, rel=0.04), name


def test_adaptation_and_nmda_do_what_theory_says():
    """Adaptation lowers the rate to where it sustains itself; one spike drives two currents of the free membrane."""
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
    assert adapting.rate_measured == pytest.approx(adapting.rate_predicted, rel=0.08)
    assert (
        2 < adapting.rate_predicted < 0.85 * plain.rate_predicted
        and adapting.rate_measured < 0.85 * plain.rate_measured
    )
    assert nmda.mu_recorded == pytest.approx(nmda.mu_predicted, rel=0.02)
    assert nmda.sigma_recorded == pytest.approx(nmda.sigma_predicted, rel=0.04)


def circuit(neuron, learn=None, multiple=True):
    net = bs.Network(1e-4)
    e, i = (
        net.population(n, neuron, sign, name=name, learn=learn)
        for n, sign, name in ((1600, "excitatory", "E"), (400, "inhibitory", "I"))
    )
    for k, post in enumerate((e, i)):
        net.connect(
            e, post, delay=1.5e-3, synapses=bs.FixedInDegree(160, multiple=multiple), seed=k
        )
        net.connect(
            i, post, delay=1.5e-3, synapses=bs.FixedInDegree(40, multiple=multiple), seed=k + 2
        )
    return net


def measured(net, background):
    """Mean and standard deviation of the free membrane, and rates, in the circuit itself: its E cells have copies without threshold."""
    both = bs.Network(net.dt)
    for p in net.spiking:
        both.population(p.n, p.neuron, p.sign, name=p.name)
    both.population(400, free(net["E"].neuron), name="free")
    for p in net.projections:
        j, i, w, _ = net.indices(p)
        both.connect(p.pre, p.post, delay=p.delay, weights=np.array(w), synapses=bs.Pairs(j, i))
        if p.post == "E":
            both.connect(
                p.pre,
                "free",
                delay=p.delay,
                weights=np.array(w)[i < 400],
                synapses=bs.Pairs(j[i < 400], i[i < 400]),
            )
    background = background + [
        replace(b, population="free") for b in background if b.population == "E"
    ]
    warm = bs.simulate(both, 0.3, background=background, seed=1, progress=False)
    run = bs.simulate(
        both,
        2.0,
        background=background,
        state=warm.state,
        record={"free.U": slice(None)},
        every=10,
        progress=False,
    )
    u = run.states["free.U"].astype(float)
    return u.mean(), np.sqrt(u.var(axis=0).mean()), run.mean_rates


CASES = {
    "delta": ((10500.0, 0.1e-3), dict(mu_u=16e-3, sigma_u=4e-3)),
    "long": ((10500.0, 0.4e-3), dict(mu_u=16e-3, sigma_u=4e-3)),
    "conductance": ((3000.0, 0.02), dict(mu_u=5e-3, sigma_u=3.2e-3)),
    "rate": ((3000.0, 0.02), dict(target_rate=5.0, sigma_u=3.2e-3)),
}


def initialized(case, family, closed_loop=True, multiple=True):
    (rate, weight), targets = CASES[case]
    net = circuit(NEURONS.get(case, NEURONS["conductance"]), multiple=multiple)
    background = [bs.PoissonInput(name, rate, weight) for name in ("E", "I")]
    report = bs.fluctuation_driven(
        net,
        background=background,
        family=family,
        seed=1,
        closed_loop=closed_loop,
        progress=False,
        **targets,
    )
    assert report.converged and bs.audit(net).violations == 0
    return net, background, report.populations[0], report


@pytest.mark.parametrize("case", CASES)
def test_weights_give_independent_inputs_the_target_membrane(case):
    """Poisson trains at the rates that the report assumes, in place of the circuit's."""
    net, background, row, report = initialized(
        case, bs.families.Constant(), closed_loop=False, multiple=False
    )
    assert not report.closed_loop and np.isnan(row.sigma_measured)
    alone = bs.Network(net.dt)
    alone.population(500, free(net["E"].neuron), name="E")
    background = background[:1] + [
        bs.PoissonInput("E", degree * row.rate_assumed, float(net.weights[name]), receptor)
        for name, degree, receptor in (("E->E", 160, "exc"), ("I->E", 40, "inh"))
    ]
    warm = bs.simulate(alone, 0.3, background=background, seed=1, progress=False)
    run = bs.simulate(
        alone,
        3.0,
        background=background,
        state=warm.state,
        record={"E.U": slice(None)},
        every=20,
        progress=False,
    )
    u = run.states["E.U"].astype(float)
    assert u.mean() == pytest.approx(row.mu_target, rel=0.03)
    assert u.std() == pytest.approx(row.sigma_target, rel=0.04)


@pytest.mark.parametrize(
    "case, family",
    [(case, bs.families.Constant()) for case in CASES]
    + [("conductance", bs.families.LogNormal(0.5))],
)
def test_circuits_reach_their_targets(case, family):
    """Measured here, with other random numbers, and as the report says. Theory alone misses sigma_U by 20 % (delta: less, long: more)."""
    net, background, row, report = initialized(case, family)
    mu, sigma, rates = measured(net, background)
    assert sigma == pytest.approx(row.sigma_target, rel=0.05) == row.sigma_measured
    if "rate" in CASES[case][1]:
        assert rates["E"] == pytest.approx(5.0, rel=0.1)
    else:
        assert mu == pytest.approx(row.mu_target, rel=0.05) == row.mu_measured
    assert not report.notes and report.closed_loop and "measured" in str(report)
    assert row.rate_measured == pytest.approx(rates["E"], rel=0.12)
    if case == "delta":
        assert row.sigma_predicted > 1.15 * row.sigma_measured


def test_probes_are_copies_that_never_spike():
    """Of neurons that do not spike either: the same membranes, with dense, sparse and shared weights, biases, time constants and currents
    of each neuron."""
    net, tau = bs.Network(1e-3, np.float64), np.linspace(10e-3, 30e-3, 300)
    x = net.input(20, name="x", sign="excitatory")
    e = net.population(
        300, bs.adaptive_lif(tau_mem=tau, threshold=50.0), name="E", bias=np.linspace(0.2, 0.0, 300)
    )
    net.connect(x, e, weights=np.random.default_rng(0).exponential(0.1, (20, 300)), name="dense")
    net.connect(
        x,
        e,
        delay=2e-3,
        weights=bs.Exponential(0.1),
        synapses=bs.Bernoulli(0.3),
        seed=1,
        name="sparse",
    )
    net.connect(
        x,
        e,
        delay=bs.Uniform(0, 9e-3),
        weights=0.1,
        synapses=bs.FixedInDegree(4),
        seed=1,
        name="delays",
    )
    shared = net.connect(
        x, e, synapses=bs.Convolution((1, 20), filters=15, kernel=3, padding="same"), name="shared"
    )
    net.set_weights(shared, np.random.default_rng(1).exponential(0.2, net.weight_shape(shared)))
    background = [
        bs.Current("E", np.linspace(-0.1, 0.1, 300)),
        bs.Current("E", ([0.0, 0.1], [[0.1] * 300, [0.3] * 300])),
    ]
    probes = Probes(net, background, np.random.default_rng(0))
    probes.measure({"x": 20.0, "E": 0.0}, {}, 0.01, 0.01, 1)
    run = bs.simulate(
        probes.with_probes,
        0.3,
        bs.data.poisson(20.0, 20, 0.3, seed=2),
        background=probes.background,
        progress=False,
        record={"E.U": slice(None), "E (probe).U": slice(None)},
    )
    assert (
        run.counts["E"] == 0
        and np.ptp(run.states["E.U"][-1]) > 0.1
        and len(probes.units["E"]) == 250
    )
    np.testing.assert_allclose(
        run.states["E (probe).U"], run.states["E.U"][:, probes.units["E"]], rtol=1e-12
    )


def test_probes_share_the_adaptation_of_their_population():
    net = bs.Network(1e-3)
    net.population(
        200, bs.adaptive_lif(tau_mem=20e-3, tau_syn=5e-3, tau_adapt=100e-3, jump=0.2), name="E"
    )
    background = [bs.PoissonInput("E", 2000.0, 0.3)]
    rate = bs.simulate(net, 2.0, background=background, seed=1, progress=False).mean_rates["E"]
    free = Probes(net, background, np.random.default_rng(0)).measure({"E": rate}, {}, 0.3, 2.0, 1)[
        "E"
    ]
    assert rate > 5 and free.rate == pytest.approx(rate, rel=0.05)
    assert free.mu == pytest.approx(2000 * 0.3 * 5e-3 - 0.2 * 0.1 * rate, rel=0.02)


def test_a_second_stable_state_is_noted():
    """A background below threshold: the silent circuit is stable too."""
    net = circuit(NEURONS["delta"])
    background = [bs.PoissonInput(name, 8000.0, 0.1e-3) for name in ("E", "I")]
    report = bs.fluctuation_driven(
        net,
        background=background,
        family=bs.families.Constant(),
        mu_u=15e-3,
        sigma_u=4e-3,
        closed_loop=False,
    )
    assert "another stable state" in " ".join(str(report).split())


def test_infeasible_targets_say_what_would_be():
    net = circuit(NEURONS["delta"])
    background = [bs.PoissonInput(name, 11000.0, 0.1e-3) for name in ("E", "I")]
    for targets, words in (
        (dict(mu_u=14e-3, sigma_u=1e-3), "background alone"),
        (dict(mu_u=-0.2, sigma_u=2e-3), "fails"),
        (dict(mu_u=14e-3), "two of"),
        (dict(target_rate=900.0, sigma_u=3e-3), "refractory"),
    ):
        with pytest.raises(ValueError, match=words):
            bs.fluctuation_driven(net, background=background, **targets)
    with pytest.raises(ValueError, match="<= sigma_U <="):
        bs.fluctuation_driven(
            circuit(NEURONS["conductance"]),
            background=[bs.PoissonInput(n, 8000.0, 0.02) for n in "EI"],
            mu_u=4e-3,
            sigma_u=3e-3,
        )


def test_warnings_in_words():
    net = bs.Network(1e-4)
    for name in ("quiet", "fast"):
        net.population(10, NEURONS["delta"], name=name)
    report = bs.regime(net, [bs.Current("fast", 0.5), bs.PoissonInput("quiet", 100.0, 0.1e-3)])
    text = " ".join(report.warnings)
    assert (
        "quiet is silent" in text
        and "fast is saturated" in text
        and "fast is unbalanced" not in text
    )
    assert report["fast"].rate_predicted == pytest.approx(
        1 / (2e-3 + 20e-3 * np.log(0.49 / 0.48)), rel=1e-6
    )
    assert "threshold" in str(report)


def stabilized(inhibition=0.3):
    """A circuit whose inhibition tracks its excitation: the free membrane fluctuates less than with independent trains."""
    net, neuron = (
        bs.Network(1e-4),
        bs.ei_lif(tau_mem=20e-3, tau_exc=5e-3, tau_inh=10e-3, refractory=2e-3),
    )
    e, i = (
        net.population(800, neuron, "excitatory", name="E"),
        net.population(200, neuron, "inhibitory", name="I"),
    )
    for k, post in enumerate((e, i)):
        net.connect(e, post, delay=1e-3, weights=0.08, synapses=bs.FixedInDegree(80), seed=1 + k)
        net.connect(
            i, post, delay=1e-3, weights=inhibition, synapses=bs.FixedInDegree(20), seed=11 + k
        )
    return net, [bs.PoissonInput(name, 3000.0, 0.08) for name in "EI"]


def no_input(seconds, seed):
    """Spikes of a network without inputs."""


def after_warm_up(net, duration, background=(), spikes=no_input, **options):
    warm = bs.simulate(net, 0.3, spikes(0.3, 1), background=background, progress=False)
    return bs.simulate(
        net,
        duration,
        spikes(duration, 2),
        background=background,
        state=warm.state,
        progress=False,
        **options,
    )


@pytest.mark.parametrize(
    "options",
    [{}, dict(record_spikes=[]), dict(record_spikes=["E"])],
    ids=["recorded", "not recorded", "some"],
)
def test_what_is_called_measured_is_what_copies_that_never_spike_do(options):
    """Of its own spikes, or of those of a circuit that goes on. Theory at the measured rates is another thing."""
    net, background = stabilized()
    mu, sigma, rates = measured(net, background)
    row = bs.regime(net, background, after_warm_up(net, 2.0, background, **options))["E"]
    assert row.rate_measured == pytest.approx(rates["E"], rel=0.05)
    assert row.mu_measured == pytest.approx(mu, abs=0.01) and row.sigma_measured == pytest.approx(
        sigma, rel=0.03
    )
    assert (
        row.sigma_at_rates == pytest.approx(row.sigma_predicted, rel=0.05)
        and row.sigma_at_rates > 1.2 * row.sigma_measured
    )
    assert row.membrane == (row.mu_measured, row.sigma_measured)


def test_the_free_membrane_of_a_short_simulation_is_that_of_its_continuation():
    net, background = stabilized()
    long, short = (
        bs.regime(net, background, after_warm_up(net, seconds, background))["E"]
        for seconds in (2.0, 0.05)
    )
    assert short.sigma_measured == pytest.approx(
        long.sigma_measured, rel=0.03
    ) and short.mu_measured == pytest.approx(long.mu_measured, abs=0.01)


def test_the_free_membrane_with_background_that_changes_and_readouts():
    """Neurons that never spike have the membrane of their copies, at the time of the background at which the simulation began."""
    net = bs.Network(1e-3, np.float64)
    e = net.population(
        40, bs.lif(threshold=50.0), "excitatory", name="E", bias=np.linspace(0, 1, 40)
    )
    net.connect(e, net.readout(2))
    net.set_weights("E->readout", np.ones((40, 2)))
    background = [
        bs.Current("E", ([0.0, 0.7], [1.0, 3.0])),
        bs.OrnsteinUhlenbeck("E", 0.5, 0.4, 0.05),
        bs.PoissonInput("E", ([0.0, 0.5], [[500.0] * 40, [2000.0] * 40]), 0.1),
    ]
    warm = bs.simulate(net, 0.8, background=background, progress=False)
    run = bs.simulate(
        net,
        4.0,
        background=background,
        state=warm.state,
        record={"E.U": slice(None)},
        progress=False,
    )
    row = bs.regime(net, background, run)["E"]
    assert row.mu_measured == pytest.approx(row.mu_recorded, rel=0.01) == row.mu_at_rates
    assert row.sigma_measured == pytest.approx(row.sigma_recorded, rel=0.06)


def test_without_the_spikes_of_inputs_there_is_theory_at_the_measured_rates():
    net = small()
    bs.fluctuation_driven(net, assumed_rates=5.0, closed_loop=False, **SMALL)
    options = dict(
        background=SMALL["background"],
        spikes=lambda seconds, seed: bs.data.poisson(5.0, 30, seconds, seed=seed),
    )
    for record, unknown in ((None, "E"), (["x", "I"], "E, I"), (["x", "E", "I"], "")):
        report = bs.regime(
            net, SMALL["background"], after_warm_up(net, 1.5, record_spikes=record, **options)
        )
        text = " ".join(report.warnings)
        assert [name for name in "EI" if np.isnan(report[name].sigma_measured)] == [
            name for name in "EI" if name in unknown
        ], record
        assert ("was not measured" in text) == bool(unknown) and (
            not unknown
            or "record_spikes=[…, 'x']" in text
            or "with the spikes of all populations" in text
        )
        assert np.isfinite([report[name].sigma_at_rates for name in "EI"]).all()
    assert report["E"].sigma_measured == pytest.approx(report["E"].sigma_at_rates, rel=0.35)
    report = bs.regime(
        net, SMALL["background"], after_warm_up(net, 0.5, record_spikes=["x", "E", "I"], **options)
    )
    assert "that takes 1.1 s" in " ".join(report.warnings) and report["E"].membrane == (
        report["E"].mu_at_rates,
        report["E"].sigma_at_rates,
    )


def test_a_background_that_is_not_that_of_the_simulation_is_noticed():
    net, background = stabilized()
    run = after_warm_up(net, 1.2, background)
    assert "is `background` that of the simulation?" in " ".join(
        bs.regime(net, [bs.Current("E", -50.0), bs.Current("I", -50.0)], run).warnings
    )
    assert "is `background`" not in " ".join(bs.regime(net, background, run).warnings)


def test_too_few_spikes_are_no_reason_for_a_warning():
    """1000 unconnected neurons of 1.5 Hz: a second says nothing about their intervals, thirty agree with theory."""
    net, neuron = bs.Network(1e-3), bs.lif(tau_mem=20e-3, tau_syn=5e-3)
    net.population(1000, neuron, name="E")
    background = [bs.PoissonInput("E", 1500.0, 0.107)]
    reports = {
        seconds: bs.regime(net, background, after_warm_up(net, seconds, background))
        for seconds in (0.1, 1.0, 30.0)
    }
    for seconds, report in reports.items():
        assert not report.warnings, (seconds, report.warnings)
        assert 1.0 < report["E"].rate_measured < 2.2
    row = reports[30.0]["E"]
    assert row.cv_measured == pytest.approx(0.9, abs=0.06) and row.cv_error < 0.01
    assert (
        "few" in str(reports[0.1]).split("few:")[0]
        and "few" not in str(reports[30.0]).split("few:")[0]
    )
    assert (
        abs(reports[1.0]["E"].cv_measured - row.cv_measured) < 3 * reports[1.0]["E"].cv_error
        and "few" in str(reports[1.0]).split("few:")[0]
    )
    net = bs.Network(1e-3)
    net.population(
        3, neuron, name="E"
    )  # no spike in 0.1 s of three neurons: not silent, as far as one can tell
    run = after_warm_up(net, 0.1, background)
    assert run.counts["E"] == 0 and not bs.regime(net, background, run).warnings


def test_few_spikes_in_short_windows_do_not_hide_what_is_plain():
    """A clock is regular after a quarter of a second, and so is a population that spikes together synchronous."""
    net = bs.Network(1e-3)
    net.population(50, bs.lif(), name="E")
    report = bs.regime(
        net, [bs.PoissonInput("E", 2000.0, 0.05)], after_warm_up(net, 0.25, [bs.Current("E", 2.0)])
    )
    text = " ".join(report.warnings)
    assert (
        report["E"].cv_measured < 0.05
        and "E is synchronous: chi = 1.00" in text
        and "more regular" in text
    )
    quiet = bs.Network(1e-3)
    quiet.population(1000, bs.lif(), name="E")
    background = [bs.PoissonInput("E", 1500.0, 0.08)]
    text = " ".join(bs.regime(quiet, background, after_warm_up(quiet, 0.2)).warnings)
    assert (
        "E is silent: it fires at 0 Hz" in text
        and "background" in text
        or "E fires at 0 Hz where theory has" in text
    )


def test_ordinary_circuits_are_balanced():
    """The four states of Brunel's model A, driven by excitation from outside; CUBA and COBA (test_models). Without enough inhibition they are not."""

    def brunel(g, eta):
        net, neuron = bs.Network(1e-4), NEURONS["delta"]
        e, i = (
            net.population(1000, neuron, "excitatory", name="E"),
            net.population(250, neuron, "inhibitory", name="I"),
        )
        for k, post in enumerate((e, i)):
            net.connect(
                e, post, delay=1.5e-3, weights=0.1e-3, synapses=bs.FixedInDegree(1000), seed=k
            )
            net.connect(
                i,
                post,
                delay=1.5e-3,
                weights=g * 0.1e-3,
                synapses=bs.FixedInDegree(250),
                seed=k + 2,
            )
        return bs.regime(net, [bs.PoissonInput(name, eta * 10e3, 0.1e-3) for name in "EI"])

    for g, eta in ((3.0, 2.0), (6.0, 4.0), (5.0, 2.0), (4.5, 0.9)):
        report = brunel(g, eta)
        assert (
            "unbalanced" not in " ".join(report.warnings) and 0.5 < report["E"].cancelled < 0.95
        ), (g, eta)
    assert "saturated" in " ".join(brunel(3.0, 2.0).warnings)
    assert brunel(0.5, 1.5)["E"].cancelled < 0.2 and "saturated" in " ".join(
        brunel(0.5, 1.5).warnings
    )


def test_a_circuit_that_its_mean_drives_is_unbalanced():
    net, _ = stabilized(inhibition=0.01)
    net.set_weights("E->E", 0.001)
    currents = [bs.Current(name, 4.0) for name in "EI"]
    report = bs.regime(net, currents, after_warm_up(net, 1.2, currents))
    text = " ".join(report.warnings)
    assert (
        "E is unbalanced: excitation prevails. Inhibition cancels " in text
        and "above the threshold 1: its mean makes it fire" in text
    )
    assert 0 < report["E"].cancelled < 0.3 and report["E"].mu_measured > 3
    strong, _ = stabilized()
    assert "unbalanced" not in " ".join(
        bs.regime(strong, currents, after_warm_up(strong, 1.2, currents)).warnings
    )
    alone = bs.Network(1e-3)
    alone.population(10, bs.lif(), name="E")
    assert (
        np.isnan(bs.regime(alone, [bs.Current("E", 4.0)])["E"].cancelled)
        and not bs.regime(alone, [bs.Current("E", 4.0)]).warnings
    )


def test_the_table_fits_into_eighty_columns():
    from rich.console import Console

    net, neuron = bs.Network(1e-4), NEURONS["conductance"]
    e, i = (
        net.population(80, neuron, "excitatory", name="excitatory cells of layer four"),
        net.population(20, neuron, "inhibitory", name="I"),
    )
    for post in (e, i):
        net.connect(e, post, weights=0.1, synapses=bs.FixedInDegree(8), seed=1)
        net.connect(i, post, weights=1.1, synapses=bs.FixedInDegree(2), seed=2)
    background = [bs.PoissonInput(p, 5000.0, 0.02) for p in (e, i)]
    console = Console(width=80, record=True, file=open("/dev/null", "w"))
    console.print(bs.regime(net, background, after_warm_up(net, 1.2, background)))
    text = console.export_text()
    assert "…" not in text and "measured" in text and "theory*: at the measured rates" in text


@pytest.mark.parametrize(
    "arguments, words",
    [
        (dict(network="net"), "network is 'net'; it must be a Network"),
        (dict(simulation=1), "simulation is 1; it must be what simulate returns"),
        (dict(width=None), "width is None; it must be a finite number in seconds"),
        (dict(width=1e-5), "width is 1e-05; .* >= 0.0001"),
        (dict(rates="5 Hz"), "rates is '5 Hz'; it must be a finite number in hertz"),
        (dict(rates={"x": None}), "the rate of 'x' is None"),
        (dict(rates={"x": np.ones(3)}), "the rate of 'x' is an array of shape"),
        (dict(background={"E": 1.0}), "background is {'E': 1.0}; it must be a list"),
    ],
)
def test_arguments_of_regime(arguments, words):
    net = bs.Network(1e-4)
    net.connect(
        net.input(3, name="x"), net.population(2, bs.lif(), name="E"), weights=np.ones((3, 2))
    )
    with pytest.raises(ValueError, match=words):
        bs.regime(**{"network": net, "rates": 5.0} | arguments)


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
        biased.rate_predicted
        == driven.rate_predicted
        == pytest.approx(1 / (20e-3 * np.log(3)), rel=1e-6)
    )
    assert biased.mu_at_rates == pytest.approx(
        1.5
    ) == biased.mu_measured and biased.rate_measured == pytest.approx(
        biased.rate_predicted, rel=0.05
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
    for name in ("tau", "rate_predicted", "mu_predicted", "sigma_predicted"):
        assert getattr(rows[1], name) == pytest.approx(getattr(rows[0], name), rel=1e-6), name
    assert rows[1].tau == pytest.approx(5e-3) and rows[1].mu_at_rates == pytest.approx(
        0.8 - 0.005 * rows[1].rate_measured, rel=1e-6
    )
    assert rows[1].mu_measured == pytest.approx(rows[1].mu_at_rates, rel=0.02)
    assert rows[1].rate_predicted == pytest.approx(rows[1].rate_measured, rel=0.1)


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
    assert row.mu_predicted == pytest.approx(100 * 10 * 5e-3 * 0.5 * share, rel=1e-3)
    assert row.mu_recorded == pytest.approx(
        row.mu_predicted, rel=0.04
    ) and row.mu_at_rates == pytest.approx(row.mu_recorded, rel=0.04)
    assert row.sigma_recorded == pytest.approx(row.sigma_predicted, rel=0.1)
    assert row.mu_measured == pytest.approx(
        row.mu_recorded, rel=0.01
    ) and row.sigma_measured == pytest.approx(row.sigma_recorded, rel=0.05)
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
    assert row.mu_predicted == pytest.approx(
        15.0, rel=0.03
    ) and row.sigma_predicted == pytest.approx(3.0, rel=0.05)


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
    assert w > 0.05 and after["E"].mu_at_rates == pytest.approx(
        1.5 - 50 * run.mean_rates["I"] * 5e-3 * w, rel=1e-5
    )
    assert after["E"].mu_measured == pytest.approx(after["E"].mu_at_rates, abs=0.03)
    assert before["E"].mu_predicted == pytest.approx(1.5) and after[
        "E"
    ].rate_predicted == pytest.approx(run.mean_rates["E"], rel=0.15)
    for report, words in (
        (after, "at the end of the simulation"),
        (before, "that the network has now"),
    ):
        assert any(
            "I->E change while the circuit runs" in w and words in w for w in report.warnings
        )


def test_what_is_no_part_of_the_theory_is_noted():
    net = bs.Network(1e-3)
    net.population(5, bs.bounded(bs.lif(), low=-0.2), name="E", noise=bs.SigmoidEscape(20))
    net.population(5, bs.lif(), name="plain")
    text = " ".join(bs.regime(net, [bs.Current("E", 1.2), bs.Current("plain", 1.2)]).warnings)
    assert (
        "E has escape noise, SigmoidEscape" in text
        and "membrane of E is held between -0.2 and inf" in text
        and "plain" not in text
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
        assert bs.regime(net, background, simulation)["E"].mu_predicted == pytest.approx(mu)
    half = bs.simulate(net, 0.3, background=background, progress=False)
    assert bs.regime(net, background, half)["E"].mu_at_rates == pytest.approx(
        1.0 + 1e-3 * 1000 * 2 / 3
    )


def test_background_names_or_is_a_population():
    """As for `simulate`, whose errors these are."""
    net = circuit(NEURONS["delta"])
    named, objects = (
        [bs.PoissonInput(p, 10500.0, 0.1e-3) for p in both] for both in (("E", "I"), net.spiking)
    )
    weights = []
    for background in (named, objects):
        for closed_loop in (False, True):
            report = bs.fluctuation_driven(
                net,
                background=background,
                family=bs.families.Constant(),
                mu_u=16e-3,
                sigma_u=4e-3,
                seed=1,
                closed_loop=closed_loop,
                progress=False,
            )
            weights.append((float(net.weights["E->E"]), report.populations[0].mu_predicted))
    assert weights[:2] == weights[2:]
    assert (
        bs.regime(net, objects)["E"] == bs.regime(net, named)["E"]
        and bs.regime(net, named)["E"].rate_predicted > 5
    )
    for call in (
        lambda b: bs.regime(net, b),
        lambda b: bs.fluctuation_driven(net, background=b, mu_u=16e-3, sigma_u=4e-3),
    ):
        with pytest.raises(ValueError, match="there is no population 'Z'; there are E, I"):
            call([*named, bs.Current("Z", 1.0)])
        with pytest.raises(ValueError, match=r"background\[2\] is 'E'; it must be a PoissonInput"):
            call([*named, "E"])


def test_regime_says_what_it_needs():
    net = bs.Network(1e-3)
    with pytest.raises(ValueError, match="no spiking populations"):
        bs.regime(net)
    net.connect(net.input(3), net.population(2, bs.lif(), name="E"), weights=np.ones((3, 2)))
    with pytest.raises(ValueError, match="rates has imput; the network has only the inputs input"):
        bs.regime(net, rates={"input": 1.0, "imput": 1.0})


def small():
    """A circuit with an input, a readout and a projection without synapses."""
    net = bs.Network(1e-4)
    e, i = (
        net.population(n, NEURONS["delta"], sign, name=name)
        for n, sign, name in ((400, "excitatory", "E"), (100, "inhibitory", "I"))
    )
    for post in (e, i):
        net.connect(e, post, delay=1.5e-3, synapses=bs.FixedInDegree(80), seed=1)
        net.connect(i, post, delay=1.5e-3, synapses=bs.FixedInDegree(20), seed=2)
    net.connect(net.input(30, name="x", sign="excitatory"), e, synapses=bs.Bernoulli(0.5), seed=3)
    net.connect(
        i,
        e,
        synapses=bs.Bernoulli(0.0),
        weights=bs.Exponential(1.0),
        seed=4,
        name="none",
    )
    net.connect(e, net.readout(30))
    return net


SMALL = dict(
    background=[bs.PoissonInput(name, 10500.0, 0.1e-3) for name in "EI"],
    mu_u=16e-3,
    sigma_u=4e-3,
    seed=1,
    progress=False,
)


@pytest.mark.parametrize("closed_loop", [False, True])
@pytest.mark.parametrize("family", [bs.families.Constant(), bs.families.Exponential()])
def test_all_weights_are_set_also_of_readouts_and_without_synapses(closed_loop, family):
    net, same = small(), small()
    report = bs.fluctuation_driven(
        net, assumed_rates=5.0, family=family, closed_loop=closed_loop, **SMALL
    )
    bs.fluctuation_driven(
        same, assumed_rates={"x": 5.0}, family=family, closed_loop=closed_loop, **SMALL
    )
    assert set(net.weights) == {p.name for p in net.projections} and report.input_rates == {
        "x": 5.0
    }
    assert (
        net.weights["E->readout"].std() == pytest.approx(400**-0.5, rel=0.05)
        and np.size(net.weights["none"]) <= 1
    )
    for name in net.weights:
        np.testing.assert_array_equal(net.weights[name], same.weights[name])
    assert bs.regime(net, SMALL["background"], rates={"x": 5.0})["E"].mu_predicted == pytest.approx(
        report.populations[0].mu_predicted, rel=0.1
    )
    if not closed_loop:
        assert [axis.get_title().partition("\n")[0] for axis in bs.plot.weights(net).axes] == [
            p.name for p in net.projections
        ][:-1]
    else:
        assert report.converged and report.populations[0].sigma_measured == pytest.approx(
            4e-3, rel=0.03
        )


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(assumed_rates={"y": 5.0}), r"has y; the network has only the inputs x"),
        (dict(assumed_rates={"x": 5.0, "E": 3.0}), "of inputs alone.* has E;"),
        (dict(), "inputs x are not known"),
        (dict(assumed_rates=2e4), "one spike per step"),
        (dict(assumed_rates=5.0, shares={"E->Z": 1.0}), "shares has E->Z;"),
        (dict(assumed_rates=5.0, mu_u={"E": 16e-3}), "mu_u has no entry for 'I'; it has E"),
        (
            dict(assumed_rates=5.0, family={"E->E": bs.families.Exponential()}),
            "family has no entry for 'I->E'; it has E->E",
        ),
        (dict(assumed_rates=5.0, sigma_u=None, xi=0), "xi is 0; it must be positive"),
    ],
)
def test_messages_with_a_background(options, words):
    with pytest.raises(ValueError, match=words):
        bs.fluctuation_driven(small(), **SMALL | {"closed_loop": False} | options)


def test_the_closed_loop_in_a_background_has_learned_time_constants():
    """Those of 20 ms that became 10 ms, as if they had been 10 ms from the start."""
    rows, plain = [], replace(NEURONS["delta"], time_constants={"mem": 10e-3})
    for neuron, learn in ((plain, {}), (NEURONS["delta"], {"mem": "population"})):
        net = circuit(neuron, learn)
        net.parameters |= {key: np.array(np.log(0.25 / 0.75)) for key in net.parameters}
        background = [bs.PoissonInput(name, 21000.0, 0.1e-3) for name in "EI"]
        rows.append(
            bs.fluctuation_driven(
                net,
                background=background,
                family=bs.families.Constant(),
                mu_u=16e-3,
                sigma_u=4e-3,
                seed=1,
                progress=False,
            ).populations[0]
        )
    assert rows[1].sigma_measured == pytest.approx(rows[0].sigma_measured, rel=0.01) and rows[
        0
    ].sigma_measured == pytest.approx(4e-3, rel=0.04)
    assert rows[1].rate_measured == pytest.approx(rows[0].rate_measured, rel=0.05)


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
        and with_none["E"].rate_predicted > 1
    )


def test_several_synapses_of_a_pair_count_with_the_square_of_their_sum():
    """60 synapses from 60 sources, drawn with replacement; the sources spike at every event of their background."""
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
        row.sigma_at_rates, rel=0.03
    ) and row.sigma_at_rates > 1.3 * np.sqrt(60 * 10 * 0.01)


SUBTRACTING = dict(tau_syn=10e-3, threshold=1.0, reset="subtract")


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
    """Resets that subtract, which begin far below threshold; no noise; synapses much longer than the membrane."""
    net = bs.Network(2e-4)
    net.population(1000, neuron, name="E")
    warm = bs.simulate(net, 1.0, background=[source], seed=1, progress=False)
    run = bs.simulate(net, 2.0, background=[source], seed=1, state=warm.state, progress=False)
    report = bs.regime(net, [source], run)
    assert report.converged and report["E"].rate_predicted == pytest.approx(
        report["E"].rate_measured, rel=0.06
    )


@pytest.mark.parametrize("mu, sigma", [(1.5, 0.0335), (1.2, 0.2)])
def test_rate_of_a_current_that_hardly_changes(mu, sigma):
    """The mean over currents of the rate of a clock; the step is a tenth of the membrane's time constant."""
    current = mu + sigma * np.random.default_rng(0).standard_normal(200_000)
    above = current[current > 1]
    expected = np.sum(1 / (20e-3 * np.log(above / (above - 1)))) / current.size
    assert bs.theory.stationary_rate(mu, sigma, 20e-3, 5.0, 2e-3) == pytest.approx(
        expected, rel=0.06
    )
