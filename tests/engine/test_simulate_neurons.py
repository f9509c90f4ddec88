"""Neuron models in simulate, each against a naive loop over its equations."""

import numpy as np
import pytest

import biosnn as bs
from tests.engine.circuit import (
    sparse,
)


def naive_delta(net, currents, steps):
    """Sparse delta network driven by constant currents, neuron by neuron and synapse by synapse, in
    float64.
    """
    a = np.exp(-net.dt / 20e-3)
    theta = 20e-3
    reset = 10e-3
    k = 20
    u = {p.name: np.zeros(p.n) for p in net.populations}
    last = {p.name: np.full(p.n, -(10**6)) for p in net.populations}
    arrivals, spikes = {}, {p.name: [] for p in net.populations}
    for n in range(steps):
        fired = {}
        for p in net.populations:
            free = n - last[p.name] >= k
            new = a * u[p.name] + (1 - a) * currents[p.name]
            u[p.name] = np.where(free, new, u[p.name])
            fired[p.name] = np.flatnonzero(free & (u[p.name] > theta))
            last[p.name][fired[p.name]] = n
            spikes[p.name] += [(n, i) for i in fired[p.name]]
        for projection in net.projections:
            j, i, w, d = net.indices(projection)
            sign = net[projection.post].neuron.receptors[projection.receptor].jump
            for s in np.flatnonzero(np.isin(j, fired[projection.pre])):
                arrivals.setdefault(n + round(d[s] / net.dt), []).append(
                    (projection.post, i[s], sign * w[s])
                )
        for post, i, w in arrivals.pop(n, []):
            if n - last[post][i] >= k:  # what reaches a clamped membrane is lost
                u[post][i] += w
        for p in net.populations:
            u[p.name][fired[p.name]] = reset
    return u, spikes


@pytest.mark.parametrize("delay", [None, 1.5e-3, 0.0])
def test_sparse_network_against_a_naive_loop(delay):
    net, rng = sparse(delay, np.float64), np.random.default_rng(0)
    currents = {p.name: rng.uniform(15e-3, 40e-3, p.n) for p in net.populations}
    u, spikes = naive_delta(net, currents, 1000)
    result = bs.simulate(
        net,
        0.1,
        background=[bs.Current(p, c) for p, c in currents.items()],
        record={"E.U": slice(None)},
        progress=False,
        threads=2,
    )
    for p in ("E", "I"):
        found = np.stack(
            [np.round(result.spikes[p].times / net.dt), result.spikes[p].units], axis=1
        )
        assert len(found) > 100 and np.array_equal(found, np.array(spikes[p]))
    np.testing.assert_allclose(result.states["E.U"][-1], u["E"], atol=1e-12)


def drive_one(neuron, steps, dtype=np.float64, weights=(0.5, 0.3), initial=0.0):
    """One neuron on receptors exc and inh with given input spikes; states at the end of each step,
    spikes.
    """
    rng = np.random.default_rng(2)
    given = rng.random((steps, 2)) < [0.3, 0.1]
    net = bs.Network(1e-4, dtype)
    net.population(1, neuron, name="A", initial=initial)
    for k, (receptor, w) in enumerate(zip(("exc", "inh"), weights)):
        net.connect(net.input(1, name=f"x{k}"), "A", weights=[[w]], receptor=receptor)
    spikes = {f"x{k}": bs.SpikeTrains.from_dense(given[None, :, k : k + 1], 1e-4) for k in range(2)}
    names = [f"A.{state}" for state in neuron.states]
    result = bs.simulate(
        net, steps * 1e-4, spikes, record={name: [0] for name in names}, progress=False
    )
    return (
        given,
        {name[2:]: result.states[name][:, 0] for name in names},
        np.round(result.spikes["A"].times / 1e-4).astype(int),
    )


def test_conductances_against_a_naive_loop():
    given, states, spikes = drive_one(bs.conductance_lif(), 3000)
    u = ge = gi = 0.0
    last = -1000
    expected = []
    found = []
    for n in range(3000):
        total = 1 + ge + gi
        limit = (ge * 60e-3 - gi * 20e-3) / total
        free = n - last >= 50
        if free:
            u = limit + (u - limit) * np.exp(-1e-4 * total / 20e-3)
        ge = ge * np.exp(-1e-4 / 5e-3) + 0.5 * given[n, 0]
        gi = gi * np.exp(-1e-4 / 10e-3) + 0.3 * given[n, 1]
        if free and u > 10e-3:
            found.append(n)
            last, u = n, 0.0
        expected.append((u, ge, gi))
    assert len(found) > 20 and spikes.tolist() == found
    np.testing.assert_allclose(
        np.stack([states["U"], states["g_exc"], states["g_inh"]], axis=1),
        expected,
        rtol=1e-10,
        atol=1e-14,
    )


def test_alpha_conductances_against_a_naive_loop():
    given, states, spikes = drive_one(bs.alpha_conductance_lif(), 3000, weights=(0.12, 0.1))
    u = ge = he = gi = hi = 0.0
    last = -1000
    expected = []
    found = []
    a, b = np.exp(-1e-4 / 5e-3), np.exp(-1e-4 / 10e-3)
    for n in range(3000):
        total = 1 + ge + gi
        limit = (ge * 60e-3 - gi * 20e-3) / total
        free = n - last >= 50
        if free:
            u = limit + (u - limit) * np.exp(-1e-4 * total / 20e-3)
        ge, gi = a * ge + (1 - a) * he, b * gi + (1 - b) * hi
        he, hi = a * he + 0.12 * np.e * given[n, 0], b * hi + 0.1 * np.e * given[n, 1]
        if free and u > 10e-3:
            found.append(n)
            last, u = n, 0.0
        expected.append((u, ge, he, gi, hi))
    assert len(found) > 20 and spikes.tolist() == found
    names = ["U", "g_exc", "h_exc", "g_inh", "h_inh"]
    np.testing.assert_allclose(
        np.stack([states[name] for name in names], axis=1), expected, rtol=1e-10, atol=1e-14
    )


def test_the_peak_of_an_alpha_conductance_is_the_weight():
    net = bs.Network(1e-4, np.float64)
    a = net.population(1, bs.alpha_conductance_lif(threshold=1.0), name="A")
    net.connect(net.input(1), a, weights=[[0.7]], receptor="exc")
    spike = bs.SpikeTrains.from_events([0.0], [0], [0], n_trials=1, n_units=1, duration=0.02)
    g = bs.simulate(net, 0.02, spike, record={"A.g_exc": [0]}, progress=False).states["A.g_exc"][
        :, 0
    ]
    assert abs(int(g.argmax()) - 50) <= 1 and g.max() == pytest.approx(
        0.7 * (1 + 1e-4 / (2 * 5e-3)), rel=1e-3
    )


def test_adaptation_against_a_naive_loop():
    given, states, spikes = drive_one(
        bs.adaptive_lif(
            tau_mem=20e-3,
            tau_syn=5e-3,
            tau_adapt=0.1,
            jump=0.3,
            refractory=1e-3,
            integrator="exponential_euler",
        ),
        3000,
    )
    u = i = w = 0.0
    last = -1000
    expected = []
    found = []
    a, b, c = (np.exp(-1e-4 / tau) for tau in (20e-3, 5e-3, 0.1))
    for n in range(3000):
        free = n - last >= 10
        u = a * u + (1 - a) * (i - w) if free else u
        i = b * i
        w = c * w
        i += 0.5 * given[n, 0] - 0.3 * given[n, 1]
        if free and u > 1:
            found.append(n)
            last = n
            u = 0.0
            w = w + 0.3
        expected.append((u, i, w))
    assert len(found) > 20 and spikes.tolist() == found
    np.testing.assert_allclose(
        np.stack([states["U"], states["I"], states["w_adapt"]], axis=1),
        expected,
        rtol=1e-9,
        atol=1e-12,
    )


def test_adex_against_a_naive_loop():
    given, states, spikes = drive_one(bs.adex(refractory=0.5e-3), 3000, weights=(4e-3, 1e-3))
    u = e = i = w = 0.0
    tau = 281e-3 / 30
    last = -1000
    expected = []
    found = []
    for n in range(3000):
        free = n - last >= 5
        slope = (-u + 2e-3 * np.exp((u - 20.2e-3) / 2e-3) + e - i - w) / tau
        w += 1e-4 / 144e-3 * (4 / 30 * u - w)
        u += 1e-4 * slope if free else 0.0
        e, i = e - 1e-4 / 5e-3 * e + 4e-3 * given[n, 0], i - 1e-4 / 10e-3 * i + 1e-3 * given[n, 1]
        if free and u > 90.6e-3:
            found.append(n)
            last = n
            u = 0.0
            w = w + 80.5e-3 / 30
        expected.append((u, e, i, w))
    assert len(found) > 10 and spikes.tolist() == found
    np.testing.assert_allclose(
        np.stack([states[name] for name in ("U", "I_exc", "I_inh", "w_adapt")], axis=1),
        expected,
        rtol=1e-9,
        atol=1e-13,
    )


def test_izhikevich_against_a_naive_loop():
    given, states, spikes = drive_one(bs.izhikevich(), 5000, weights=(1.2, 0.3), initial=-65.0)
    v = -65.0
    e = 0.0
    i = 0.0
    u = 0.0
    expected, found = [], []
    for n in range(5000):
        dv, du = 0.04 * v**2 + 5 * v + 140 - u + e - i, 0.02 * (0.2 * v - u)
        v, u = v + 0.1 * dv, u + 0.1 * du
        e, i = e - 1e-4 / 5e-3 * e + 1.2 * given[n, 0], i - 1e-4 / 10e-3 * i + 0.3 * given[n, 1]
        if v > 30:
            found.append(n)
            v, u = -65.0, u + 8
        expected.append((v, e, i, u))
    assert len(found) > 10 and spikes.tolist() == found
    np.testing.assert_allclose(
        np.stack([states[name] for name in ("U", "I_exc", "I_inh", "w_adapt")], axis=1),
        expected,
        rtol=1e-9,
        atol=1e-10,
    )


@pytest.mark.parametrize(
    "make, current, initial", [(bs.adex, 0.025, 0.0), (bs.izhikevich, 10.0, -65.0)]
)
def test_upstrokes_in_single_precision(make, current, initial):
    """Regular firing: the rounding of float32 moves a spike by a step or two in half a second, and
    loses none.
    """
    found = []
    for dtype in (np.float32, np.float64):
        net = bs.Network(1e-4, dtype)
        net.population(3, make(), name="A", initial=initial)
        run = bs.simulate(
            net,
            0.5,
            background=[bs.Current("A", current * np.array([1.0, 1.2, 1.5]))],
            record={"A.U": slice(None)},
            progress=False,
        )
        assert run.states["A.U"].dtype == dtype
        spikes = run.spikes["A"]
        found.append(([spikes.times[spikes.units == k] for k in range(3)], run.states["A.U"][:50]))
    (single, early), (double, exact) = found
    np.testing.assert_allclose(early, exact, rtol=1e-4)
    for ours, theirs in zip(single, double):
        assert ours.size == theirs.size > 5 and np.abs(ours - theirs).max() < 2.5e-4


@pytest.mark.parametrize(
    "make, words",
    [
        (
            lambda: bs.alpha_conductance_lif(reversal_exc=np.inf),
            "alpha_conductance_lif: reversal_exc is inf",
        ),
        (lambda: bs.alpha_conductance_lif(tau_inh=0.0), "time constant inh is 0"),
        (lambda: bs.adex(slope=0.0), "slope is 0.0 and must be positive"),
        (lambda: bs.adex(onset=0.1), "onset 0.1 must lie below peak"),
        (lambda: bs.adex(b=np.nan), "adex: b is nan"),
        (lambda: bs.adex(reset="subtract"), "reset to a value"),
        (lambda: bs.adex(reset=0.1), "above the reset"),
        (lambda: bs.adex(tau_adapt=-1.0), "time constant adapt"),
        (lambda: bs.izhikevich(a=0.0), "a is 0.0; it must be positive"),
        (lambda: bs.izhikevich(d="8 mV"), "izhikevich: d is '8 mV'"),
        (lambda: bs.izhikevich(c=31.0), "above the reset"),
        (lambda: bs.theory.psp_integrals(bs.adex(), 1e-4, "exc"), "not linear"),
    ],
)
def test_neuron_messages(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("make", [bs.exponential_lif, bs.adex, bs.izhikevich])
def test_theory_refuses_what_is_not_linear(make):
    net = bs.Network(1e-4)
    x, a = net.input(2), net.population(3, make(), "excitatory", name="A")
    for receptor in ("exc", "inh"):
        net.connect(x, a, weights=np.full((2, 3), 0.1), receptor=receptor, name=receptor)
    with pytest.raises(ValueError, match=make.__name__):
        bs.regime(net, [bs.PoissonInput("A", 1e3, 1e-3, "exc")], rates={"input": 5.0})
    with pytest.raises(ValueError, match=make.__name__):
        bs.fluctuation_driven(
            net,
            background=[bs.PoissonInput("A", 1e3, 1e-3, "exc")],
            assumed_rates={"input": 5.0},
            mu_u=1e-3,
            sigma_u=1e-3,
        )
