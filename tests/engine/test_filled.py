"""Sparse projections that run as dense ones: the same numbers within rounding, and zeros that stay
zeros.
"""

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import wire_order
from biosnn.engine.packed import pack


def circuit():
    net = bs.Network(1e-3)
    x = net.input(8)
    a = net.population(10, bs.ei_lif(), "excitatory", name="A")
    b = net.population(6, bs.ei_lif(), "inhibitory", name="B")
    rng = np.random.default_rng(0)
    for k, (pre, post, rule) in enumerate(
        [
            (x, a, bs.Bernoulli(0.5)),
            (x, b, bs.FixedInDegree(5, multiple=False)),
            (a, a, bs.Bernoulli(0.4)),
            (a, b, None),
            (b, a, bs.Pairs(rng.integers(0, 6, 40), rng.integers(0, 10, 40))),
            (b, b, bs.Bernoulli(0.5)),
        ]
    ):
        net.connect(
            pre,
            post,
            delay=k % 3 * 1e-3,
            weights=bs.Exponential(2.0 if pre is x else 0.3),
            synapses=rule,
            seed=1,
        )
    net.connect(a, net.readout(2), weights=rng.normal(0, 1, (10, 2)))
    return net


@pytest.mark.parametrize("surrogate", [bs.SuperSpike(20.0)])
def test_filled_up_and_by_synapse(monkeypatch, surrogate):
    spikes, results = bs.data.poisson(100.0, 8, 0.06, 5, seed=1, labels=np.arange(5) % 2), []
    for share in (0.0, 2.0):
        monkeypatch.setattr(wire_order, "_FILLED", share)
        net = circuit()
        assert (pack(net).wires.filled is None) == (share == 2.0)
        trace = bs.run(net, spikes, tape=True)
        assert all(count.sum() > 20 for count in trace.counts.values())
        weights = bs.gradient(
            trace, states={"readout.U": np.ones_like(trace.states["readout.U"])}
        ).weights
        bs.train(net, spikes, epochs=2, batch=2, optimizer=bs.AdamW(1e-3), seed=1, progress=False)
        results.append([trace.states["readout.U"], *weights.values(), *net.weights.values()])
    for one, other in zip(*results, strict=True):
        assert one.shape == other.shape and np.abs(one).sum() > 0
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * np.abs(one).max())


def test_large_projections_stay_sparse(monkeypatch):
    net = circuit()
    monkeypatch.setattr(
        wire_order, "_FILLED_BYTES", 50 * 4
    )  # the pairs of x->B are 48, those of B->B 36, of the others more
    packed = pack(net)
    wires = packed.wires
    assert wires.filled.size == packed.weight.size + 48 + 36
    assert np.sum(wires.wires["dense"] == 0) == 3
    monkeypatch.setattr(wire_order, "_FILLED_BYTES", 0)
    assert pack(net).wires.filled is None
