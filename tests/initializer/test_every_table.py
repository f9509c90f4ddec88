"""The fluctuation-driven start and the regime of every table: they work, or say why not."""

import numpy as np
import pytest

import biosnn as bs

SPREAD = np.tile([0.9, 1.0, 1.1, 1.2], 20)
DATA = bs.data.poisson(10.0, 100, 0.3, 4, seed=1)
WORKS = {
    "delta": bs.lif_delta(),
    "delta, refractory": bs.lif_delta(refractory=2e-3),
    "numbers of each neuron": bs.bounded(
        bs.ei_lif(threshold=SPREAD, reset=SPREAD - 1.2, refractory=np.round(2 * SPREAD) * 1e-3),
        high=2 * SPREAD,
    ),
}
REFUSED = {
    "adex": (bs.adex(), "adex is not linear in U: its postsynaptic potentials do not add up"),
    "izhikevich": (bs.izhikevich(), "izhikevich is not linear in U"),
    "exponential": (bs.exponential_lif(refractory=0.0), "exponential_lif is not linear in U"),
}


def circuit(neuron):
    """E of this neuron with all inputs, and I."""
    net = bs.Network(1e-3)
    x = net.input(100, sign="excitatory")
    e = net.population(80, neuron, "excitatory", name="E")
    i = net.population(20, bs.ei_lif(), "inhibitory", name="I")
    for pre in (x, e, i):
        for post in (e, i):
            net.connect(pre, post, delay=1e-3)
    return net


@pytest.mark.parametrize("name", WORKS)
def test_it_works(name):
    net = circuit(WORKS[name])
    bs.fluctuation_driven(net, DATA, assumed_rates=10.0, closed_loop=False, seed=1, progress=False)
    counts = bs.run(net, DATA).counts
    assert all(0.2 < counts[p].mean() / 0.3 < 200 for p in ("E", "I"))


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_reason(name):
    neuron, words = REFUSED[name]
    with pytest.raises(ValueError, match=words):
        bs.fluctuation_driven(circuit(neuron), DATA, closed_loop=False, progress=False)


def test_regimes():
    """Theory beside what was measured, or that there is none."""
    spikes = bs.data.poisson(10.0, 100, 0.5, 1, seed=1)
    for name, neuron in WORKS.items():
        net = circuit(neuron)
        for p in net.projections:
            size = {"input": 0.2, "E": 0.01, "I": 0.2}[p.pre]
            net.set_weights(p.name, np.full((net[p.pre].n, net[p.post].n), size))
        simulation = bs.simulate(net, 0.5, spikes, progress=False)
        found = bs.regime(net, [], simulation=simulation)
        rate = simulation.spikes["E"].times.size / 80 / 0.5
        assert found["E"].measured.rate == pytest.approx(rate) and rate > 1, name
        assert np.isfinite(found["E"].predicted.rate)
    for neuron, _ in REFUSED.values():
        net = circuit(neuron)
        for p in net.projections:
            net.set_weights(p.name, np.full((net[p.pre].n, net[p.post].n), 1e-3))
        with pytest.raises(ValueError, match=f"there is no theory for {neuron.model}"):
            bs.regime(net, [], rates={"input": 10.0})


def test_rates_that_run_away():
    net = circuit(bs.lif_delta())
    for p in net.projections:
        net.set_weights(p.name, np.full((net[p.pre].n, net[p.post].n), 0.1))
    with pytest.raises(ValueError, match="rates of E, I grow without bound in theory"):
        bs.regime(net, [], rates={"input": 10.0})
