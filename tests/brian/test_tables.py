"""Single neurons of every table in Brian2: spikes identical, states to rounding."""

import copy
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import biosnn as bs
from biosnn import brian

from .brian_cases import agree, circuit, one, printed_by

b2 = pytest.importorskip("brian2")


@pytest.fixture(autouse=True)
def interpreted():
    """Brian2 without a compiler: small networks build faster so."""
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


EVERY_TABLE = [bs.lif, bs.ei_lif, bs.adaptive_lif, bs.ei_adaptive_lif, bs.ampa_nmda_gaba]
PERIODS = [0.0, 1e-3, 2e-3, 5e-3]
WAYS = [(way, reset) for way in ("exact", "exponential_euler") for reset in (0.0, "subtract")]


@pytest.mark.parametrize(
    "table, integrator, reset, refractory",
    [
        (table, *WAYS[(t + k) % len(WAYS)], period)  # a Latin square: every table meets every
        for t, table in enumerate(EVERY_TABLE)  # period and every way, and these each other
        for k, period in enumerate(PERIODS)
    ],
)
def test_every_table(table, integrator, reset, refractory):
    net = one(table(reset=reset, refractory=refractory, integrator=integrator))
    agree(
        brian.compare(
            net,
            bs.data.poisson(20, 20, 0.5, seed=1),
            currents={"A": np.full((500, 3), 0.3)},
            progress=False,
        )
    )


def conducting(table, integrator, refractory):
    net, rng = bs.Network(0.5e-3), np.random.default_rng(0)
    neuron = replace(table(refractory=refractory), integrator=integrator)
    x, a = net.input(20), net.population(3, neuron, name="A")
    net.connect(x, a, receptor="exc", weights=rng.exponential(0.15, (20, 3)))
    net.connect(
        x, a, receptor="inh", weights=rng.exponential(0.1, (20, 3)), name="inhibition", delay=1e-3
    )
    return net


@pytest.mark.parametrize("refractory", [0.0, 2e-3])
@pytest.mark.parametrize(
    "table, integrator",
    [
        (bs.conductance_lif, "exponential_euler"),
        (bs.conductance_lif, "euler"),
        (bs.conductance_lif, "exact"),
        (bs.alpha_conductance_lif, "exponential_euler"),
        (bs.alpha_conductance_lif, "euler"),
    ],
)
def test_conductances(table, integrator, refractory):
    """U takes exponential Euler steps, and the integrator is that of the other states."""
    net = conducting(table, integrator, refractory)
    agree(brian.compare(net, bs.data.poisson(20, 20, 0.5, seed=1), progress=False))


def test_conductances_whose_steps_brian2_does_not_take_are_refused():
    spikes = bs.data.poisson(20, 20, 0.1, seed=1)
    with pytest.raises(ValueError, match="no method of Brian2 takes the steps of alpha_cond"):
        brian.compare(conducting(bs.alpha_conductance_lif, "exact", 0.0), spikes, progress=False)
    short = partial(bs.conductance_lif, tau_exc=0.5e-3)
    with pytest.raises(ValueError, match="with integrator 'euler', because"):
        brian.compare(conducting(short, "euler", 0.0), spikes, progress=False)


@pytest.mark.parametrize("jump", [0.2, np.array([0.1, 0.2, 0.4])], ids=["one", "each"])
@pytest.mark.parametrize("delay", [0.0, 2e-3, 9e-3])
def test_jumps_of_adaptation(jump, delay, tmp_path):
    """Delayed, one for all or one for each, learned; as objects and as a script."""
    net, (spikes, current) = (
        bs.Network(1e-3),
        (bs.data.poisson(20, 20, 0.5, seed=1), {"A": np.full((500, 3), 0.5)}),
    )
    a = net.population(
        3,
        bs.adaptive_lif(jump=jump, refractory=2e-3, jump_delay=delay),
        name="A",
        learn={"jump": "population"},
    )
    net.connect(
        net.input(20),
        a,
        receptor="exc",
        weights=np.random.default_rng(0).exponential(0.35, (20, 3)),
    )
    net.parameters["A", "jump"][...] = 0.5
    report = brian.compare(net, spikes, currents=current, progress=False)
    agree(report)
    net.parameters["A", "jump"][...] = 0.6
    assert not brian.compare(
        net, spikes, currents=current, progress=False, against=other_jumps(net, 0.5)
    ).identical
    net.parameters["A", "jump"][...] = 0.5
    path = brian.script(net, spikes, tmp_path / "adapts", currents=current)
    assert f"A: {report.spike_counts['A'][0]} spikes" in printed_by(path)


def other_jumps(net, p):
    other = copy.copy(net)
    other.parameters = {("A", "jump"): np.array(p)}
    return other


@pytest.mark.parametrize("refractory", [0.0, 3e-3])
@pytest.mark.parametrize("low, high", [(-0.2, np.inf), (-np.inf, 1.01), (-0.1, 1.05)])
def test_bounds_of_the_membrane(low, high, refractory):
    for table in (bs.lif, bs.ei_adaptive_lif):
        net = one(bs.bounded(table(refractory=refractory), low, high))
        currents = {"A": np.random.default_rng(0).normal(0.0, 6.0, (500, 3))}
        agree(
            brian.compare(
                net, bs.data.poisson(20, 20, 0.5, seed=1), currents=currents, progress=False
            )
        )
        star = bs.run(
            net,
            bs.data.poisson(20, 20, 0.5, seed=1),
            record=["A.U_star"],
            currents={"A": currents["A"][None]},
        ).states["A.U_star"]
        for value in (low, high):
            assert (np.mean(star == np.float32(value)) > 0.01) == np.isfinite(value)


@pytest.mark.parametrize("refractory", [0.0, 2e-3])
@pytest.mark.parametrize(
    "make, weights, initial", [(bs.adex, (8e-3, 2e-3), 0.0), (bs.izhikevich, (2.0, 0.5), -65.0)]
)
def test_neurons_that_are_not_linear(make, weights, initial, refractory):
    net, rng = bs.Network(1e-4), np.random.default_rng(0)
    x, a = net.input(20), net.population(3, make(refractory=refractory), name="A", initial=initial)
    net.connect(x, a, receptor="exc", weights=rng.exponential(weights[0], (20, 3)))
    net.connect(
        x,
        a,
        receptor="inh",
        weights=rng.exponential(weights[1], (20, 3)),
        name="inhibition",
        delay=1e-3,
    )
    agree(
        brian.compare(
            net,
            bs.data.poisson(50, 20, 0.3, seed=1),
            currents={"A": np.full((3000, 3), weights[0])},
            progress=False,
        ),
        1e-10,
    )


def test_a_spike_that_differs_is_explained_for_a_neuron_that_is_not_linear():
    """Weights a little smaller in Brian2: at the first spike that differs, U before the reset lies
    on either side of the peak.
    """
    net = bs.Network(1e-4)
    net.connect(
        net.input(5),
        net.population(2, bs.adex(tau_mem=[9e-3, 10e-3]), name="A"),
        receptor="exc",
        weights=np.full((5, 2), 8e-3),
    )
    changed = copy.copy(net)
    changed.weights = {name: w * 0.99 for name, w in net.weights.items()}
    d = brian.compare(
        net, bs.data.poisson(80, 5, 0.3, seed=1), progress=False, against=changed
    ).divergence
    assert d.only_in == "biosnn" and d.theirs < 90.6e-3 < d.ours


def test_forward_euler():
    net = one(bs.ei_lif(refractory=2e-3, integrator="euler"))
    agree(
        brian.compare(
            net,
            bs.data.poisson(20, 20, 0.5, seed=1),
            currents={"A": np.full((500, 3), 0.3)},
            progress=False,
        )
    )


def test_time_constants_per_neuron_and_learned():
    with pytest.raises(ValueError, match="no weights yet"):
        net = bs.Network(1e-3)
        net.connect(net.population(1, bs.lif(), name="A"), "A")
        brian.to_brian2(net, duration=0.1)
    with pytest.raises(ValueError, match="spikes must be None, and duration=…"):
        brian.to_brian2(net)
    with pytest.raises(ValueError, match="there is no state 'A.V'; A has A.U, A.I, A.U_star"):
        brian.to_brian2(one(bs.lif()), bs.data.poisson(20, 20, 0.2, seed=1), record=["A.V"])
    with pytest.raises(
        ValueError,
        match=r"currents for 'A' have shape \(7, 3\); they must broadcast to "
        r"\(step, neuron\) = \(200, 3\)",
    ):
        brian.to_brian2(
            one(bs.lif()), bs.data.poisson(20, 20, 0.2, seed=1), currents={"A": np.ones((7, 3))}
        )
    with pytest.raises(ValueError, match="tau_mem and tau_syn are \\(nearly\\) equal"):
        brian.to_brian2(
            one(bs.lif(tau_mem=10e-3, tau_syn=10.000001e-3)), bs.data.poisson(20, 20, 0.2, seed=1)
        )
    with pytest.raises(ValueError, match="target is 'cuda'"):
        brian.compare(circuit(), bs.data.poisson(10, 100, 0.2, seed=2), target="cuda")
    net = one(
        bs.ei_lif(
            tau_mem=np.array([0.01, 0.02, 0.03]),
            tau_exc=np.array([5e-3, 7e-3, 9e-3]),
            tau_inh=12e-3,
        )
    )
    agree(brian.compare(net, bs.data.poisson(20, 20, 0.5, seed=1), progress=False))
    net = bs.Network(1e-3)
    a = net.population(3, bs.lif(), name="A", learn={"mem": "neuron"})
    net.connect(
        net.input(20),
        a,
        receptor="exc",
        weights=np.random.default_rng(0).exponential(0.35, (20, 3)),
    )
    net.parameters["A", "mem"][:] = [-0.3, 0.1, 0.4]
    agree(brian.compare(net, bs.data.poisson(20, 20, 0.5, seed=1), progress=False))
