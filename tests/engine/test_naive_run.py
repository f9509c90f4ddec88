"""`run` against the naive reference: random networks with everything that it takes; and the
reference against networks built otherwise, and by hand.
"""

import copy
from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine.realization import realize
from tests import gradcheck, naive
from tests.random_cases import BOTH
from tests.random_networks import random_case

EVERYTHING = BOTH | {"currents"}
SEEDS = range(40)
DT = 1e-3


def dense_of(trains, dt):
    """(trial, step, neuron)."""
    return bs.bin_spikes(trains, dt).dense()


def background_of(case):
    """What the engine draws, as numbers for the reference, and where trials start."""
    given = [
        realize(
            case.network,
            case.steps,
            case.background,
            case.initial,
            case.seed,
            trial=trial,
            trials=2,
        )
        for trial in range(2)
    ]
    initial = {name: np.stack([each.initial[name] for each in given]) for name in case.initial}
    return {"initial": initial} | naive.handed_over(case.background, given)


def what_runs(case):
    """Arguments of `run` but the spikes."""
    return {
        "currents": case.currents,
        "background": case.background,
        "initial": case.initial,
        "seed": case.seed,
        "duration": None if case.spikes else case.duration,
    }


def two_trials(seed, features):
    """A case whose trials also differ in a background and in where they start."""
    case, rng = random_case(seed, features, trials=2), np.random.default_rng(seed)
    first = case.network.spiking[0]
    if first.neuron.model == "lif":
        case.background.append(bs.Current(first.name, rng.normal(0, 0.2, (2, first.n))))
    if f"{first.name}.U" in case.initial:
        rest = 0.0 if first.neuron.model != "izhikevich" else -65.0
        case.initial[f"{first.name}.U"] = np.full((2, 1), rest) + rng.uniform(0, 5e-3, (2, first.n))
    case.background.append(bs.Current(first.name, np.zeros((2, 1))))  # two trials without inputs
    return case


def assert_close(values, there, name):
    """They agree to 1e-10 of the largest."""
    largest = max(1.0, np.abs(there).max())
    np.testing.assert_allclose(values, there, rtol=0, atol=1e-10 * largest, err_msg=name)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks(seed):
    """Two trials. The spikes of escape noise are handed over, as the engine drew them."""
    case = two_trials(seed, EVERYTHING)
    net = case.network
    stars = [f"{p.name}.U_star" for p in net.spiking]
    found = bs.run(net, case.spikes, record=case.record + stars, **what_runs(case))
    spikes = {p.name: dense_of(found.spikes[p.name], net.dt) for p in net.firing}
    drawn = {p.name: spikes[p.name] for p in net.spiking if p.noise}
    expected = naive.run(
        net, case.spikes, case.currents, drawn=drawn, steps=case.steps, **background_of(case)
    )
    for name, values in spikes.items():
        np.testing.assert_array_equal(values, expected["spikes"][name], err_msg=name)
    for name, values in found.states.items():
        p, _, state = name.partition(".")
        there = expected["u_star"][p] if state == "U_star" else expected["states"][p, state]
        assert_close(values, there, name)


def test_random_networks_have_every_feature():
    features = [random_case(seed, EVERYTHING, trials=2).features for seed in SEEDS]
    assert set().union(*features) == EVERYTHING


@pytest.mark.parametrize("seed", range(24))
def test_smooth_twin(seed):
    """Without upstrokes, which the twin of a reset does not end."""
    case = two_trials(seed, EVERYTHING - {"escape", "adex", "exponential", "izhikevich"})
    found = gradcheck.twin(case.network, case.spikes, **what_runs(case))
    expected = naive.run(
        case.network,
        case.spikes,
        case.currents,
        smooth=True,
        steps=case.steps,
        **background_of(case),
    )
    for name in case.record:
        assert_close(found.states[name], expected["states"][tuple(name.split("."))], name)
    assert 0 < np.mean(expected["spikes"]["P0"]) < 1


@pytest.mark.parametrize("noise", [bs.SigmoidEscape(6.0), bs.ExponentialEscape(5.0, 200.0)])
def test_uniform_numbers_become_spikes_of_escape_noise(noise):
    net = bs.Network(DT, np.float64)
    neuron = bs.lif(threshold=0.9, refractory=3 * DT)
    p = net.population(7, neuron, name="A", noise=noise)
    uniform = np.random.default_rng(1).random((2, 200, 7))
    done = naive.run(net, currents={"A": np.full((2, 1, 7), 1.1)}, uniform={"A": uniform})
    spikes, clamped = done["spikes"]["A"], done["clamped"]["A"]
    probability = p.noise.probability(done["u_star"]["A"] - 0.9, DT)
    np.testing.assert_array_equal(spikes, (uniform < probability) & ~clamped)
    for after in (1, 2):  # two updates are clamped after each spike, and no others
        assert clamped[:, after:][spikes[:, :-after] > 0].all()
    assert clamped[:, 3:].mean() == pytest.approx(2 * spikes.mean(), rel=0.05)
    assert 30 < spikes.sum() < 1400
    again = naive.run(net, currents={"A": np.full((2, 1, 7), 1.1)}, drawn={"A": spikes})
    np.testing.assert_array_equal(again["u_star"]["A"], done["u_star"]["A"])


# ------------------------------------------------------------------------ one number per neuron

OWN = {
    "threshold": np.array([0.7, 1.0, 1.3, 0.9]),
    "reset": np.array([0.1, -0.3, 0.2, 0.0]),
    "refractory": np.array([0, 2, 5, 1]) * DT,
    "low": np.array([-0.5, -0.4, 0.0, -0.1]),
    "high": np.array([1.5, 1.1, 1.6, np.inf]),
}


def with_values(neuron, **values):
    """The same table with values that are not checked."""
    made = copy.copy(neuron)
    for name, value in values.items():
        object.__setattr__(made, name, value)
    return made


def driven(numbers, weights):
    """A population for each dict of numbers, (n,) or one for one neuron; one input drives all."""
    net = bs.Network(DT, np.float64)
    x, first = net.input(6), 0
    for own in numbers:
        n = np.size(own["threshold"])
        neuron = bs.adaptive_lif(jump=0.2)
        a = net.population(n, neuron, name=f"A{first}")
        for name, value in own.items():
            object.__setattr__(a.neuron, name, value)  # without the checks of a table
        net.connect(x, a, weights=weights[:, first : first + n])
        first += n
    return net


@pytest.mark.parametrize("subtract", [False, True])
def test_numbers_of_each_neuron_are_those_of_populations_of_one(subtract):
    weights = np.random.default_rng(2).normal(0.6, 0.8, (6, 4))
    spikes = bs.data.poisson(150.0, 6, 0.2, 2, seed=1)
    alone = [{name: float(values[i]) for name, values in OWN.items()} for i in range(4)]
    own = [OWN, *alone]
    if subtract:
        own = [numbers | {"reset": "subtract"} for numbers in own]
    together, apart = driven(own[:1], weights), driven(own[1:], weights)
    expected = naive.run(together, spikes)
    record = [f"A{i}.{state}" for state in ("U", "w_adapt") for i in range(4)]
    found = bs.run(apart, spikes, record=record)
    for state in ("U", "w_adapt"):
        values = np.concatenate([found.states[f"A{i}.{state}"] for i in range(4)], axis=2)
        np.testing.assert_allclose(values, expected["states"]["A0", state], rtol=0, atol=1e-10)
    counts = np.concatenate([found.counts[f"A{i}"] for i in range(4)], axis=1)
    np.testing.assert_array_equal(counts, expected["spikes"]["A0"].sum(axis=1))
    assert counts.min() > 0 and len(np.unique(counts)) > 3


# ------------------------------------------------------------------------ by hand


def test_magnesium_block():
    eta, gamma = 0.3, 2.0
    neuron = bs.conductance_lif(threshold=5.0, reversal_exc=3.0, reversal_inh=-2.0)
    blocked = with_values(neuron, magnesium={"g_exc": (eta, gamma)})
    net = bs.Network(DT, np.float64)
    net.population(1, blocked, name="A")
    start = {"A.U": 0.4, "A.g_exc": 0.8, "A.g_inh": 0.3}
    done = naive.run(net, currents={"A": np.full((50, 1), 0.7)}, initial=start)
    u, excitation, inhibition = 0.4, 0.8, 0.3
    for n in range(50):
        open_share = 1 / (1 + eta * np.exp(-gamma * u))
        total = 1 + open_share * excitation + inhibition
        limit = (3 * open_share * excitation - 2 * inhibition + 0.7) / total
        u = limit + (u - limit) * np.exp(-DT / 20e-3 * total)
        excitation, inhibition = excitation * np.exp(-0.2), inhibition * np.exp(-0.1)
        assert done["states"]["A", "U"][n, 0] == pytest.approx(u, rel=1e-12)
    free = naive.run(_alone(neuron), currents={"A": np.full((50, 1), 0.7)}, initial=start, steps=50)
    assert abs(free["states"]["A", "U"][5, 0] - done["states"]["A", "U"][5, 0]) > 0.02


def _alone(neuron):
    """One neuron, nothing else."""
    net = bs.Network(DT, np.float64)
    net.population(1, neuron, name="A")
    return net


def test_twin_with_depression_and_delta_synapses():
    """Two neurons: values of the twin use resources, and arrive before the reset."""
    net = bs.Network(DT, np.float64)
    surrogate = bs.Sigmoid(3.0)
    a = net.population(1, bs.lif_delta(reset=-0.2), name="A", surrogate=surrogate, initial=0.4)
    b = net.population(1, bs.lif_delta(), name="B", surrogate=surrogate)
    rule = bs.TsodyksMarkram(0.4, 50e-3, 30e-3)
    net.connect(a, b, weights=[[1.5]], delay=2 * DT, plasticity=rule)
    done = naive.run(net, currents={"A": np.full((40, 1), 0.9)}, smooth=True)
    leak, u, va, vb, facil, x = np.exp(-DT / 20e-3), [], 0.4, 0.0, 0.0, 1.0
    sent = [0.0, 0.0]
    for n in range(40):
        va = leak * va + (1 - leak) * 0.9
        vb = leak * vb
        sa, sb = (1 / (1 + np.exp(-3 * (v - 1))) for v in (va, vb))
        facil *= np.exp(-DT / 30e-3)
        x = 1 - (1 - x) * np.exp(-DT / 50e-3)
        sent.append((facil + 0.4 * (1 - facil)) * x * sa)
        facil += 0.4 * (1 - facil) * sa
        x -= sent[-1]
        vb += 1.5 * sent[n]
        va, vb = va + sa * (-0.2 - va), vb + sb * (0 - vb)
        u.append((va, vb))
    for k, name in enumerate("AB"):
        np.testing.assert_allclose(done["states"][name, "U"][:, 0], np.array(u)[:, k], atol=1e-13)


@pytest.mark.parametrize("table", ["adex", "izhikevich", "conductance_lif", "magnesium", "delta"])
def test_gradient_where_spikes_reach_nobody_is_that_of_differences(table):
    """Nonlinear steps, and synapses that move U itself, before a reset and while it is clamped."""
    neuron = {  # without jumps, since the surrogate of a spike would reach them
        "adex": replace(bs.adex(), spike_jumps={}),
        "izhikevich": replace(bs.izhikevich(), spike_jumps={}),
        "conductance_lif": bs.conductance_lif(threshold=9.0, reversal_exc=6.0, reversal_inh=-2.0),
        "delta": bs.bounded(bs.lif_delta(threshold=0.6, refractory=4e-4), low=-0.01),
    }
    neuron["magnesium"] = with_values(
        neuron["conductance_lif"], magnesium={"g_exc": (0.3, 2.0), "g_inh": (0.2, 1.0)}
    )
    size, dt = {"adex": 5e-3, "izhikevich": 1.0}.get(table, 0.3), 1e-4
    rng, net = np.random.default_rng(4), bs.Network(dt, np.float64)
    x = net.input(3)
    initial = -65.0 if table == "izhikevich" else 0.0
    a = net.population(2, neuron[table], name="A", initial=initial)
    net.connect(x, a, weights=size * rng.random((3, 2)), delay=dt, name="p")
    inputs = {"input": (rng.random((60, 3)) < 0.2).astype(float)}
    currents = {"A": size * rng.normal(0.0, 0.5, (60, 2))}
    weight = {("A", state): rng.normal(size=(60, 2)) for state in a.states}

    def loss():
        done = naive.run(net, inputs, currents)
        np.testing.assert_array_equal(done["spikes"]["A"], result["spikes"]["A"])
        return sum(np.sum(weight[key] * done["states"][key]) for key in weight)

    result = naive.run(net, inputs, currents)
    assert (result["spikes"]["A"].sum() > 3) == (table == "delta")
    got = naive.gradient(net, inputs, result, weight, currents=currents)
    for values, slopes in (
        (net.weights["p"], got["weights"]["p"]),
        (currents["A"], got["currents"]["A"]),
    ):
        direction = size * rng.normal(size=values.shape)
        kept, ends = values.copy(), []
        for sign in (1, -1):
            values[...] = kept + sign * 1e-6 * direction
            ends.append(loss())
        values[...] = kept
        expected = (ends[0] - ends[1]) / 2e-6
        assert np.sum(slopes * direction) == pytest.approx(expected, rel=1e-6)
