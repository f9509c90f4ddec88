"""Convolution, pooling windows, fan-out and blocks against scipy and plain numpy."""

import numpy as np
import pytest
from scipy.signal import correlate

import biosnn as bs

from .projections import DT

GEOMETRIES = [
    ((1, 30), 4, 7, 1, 0),
    ((3, 29), 2, 5, 3, 2),
    ((2, 12), 3, 3, 1, "same"),
    ((2, 9, 7), 3, (3, 2), (2, 1), (0, 1)),
    ((1, 8, 8), 2, 5, 2, 2),
    ((2, 5, 6), 2, 3, 1, "same"),
]


def convolved(rule, x, kernels):
    """scipy's correlation of maps (channels, …) with the kernels of each filter."""
    padded = np.pad(x, [(0, 0)] + [(p, p) for p in rule.padding])
    stride = tuple(slice(None, None, s) for s in rule.stride)
    return np.stack(
        [
            sum(correlate(padded[c], kernel[c], "valid", "direct") for c in range(len(x)))[stride]
            for kernel in kernels
        ]
    )


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_convolution_is_that_of_scipy_and_its_adjoint_the_transpose(geometry):
    shape, filters, kernel, stride, padding = geometry
    rule = bs.Convolution(shape, filters, kernel, stride=stride, padding=padding)
    rng = np.random.default_rng(0)
    n, m = int(np.prod(rule.shape)), int(np.prod(rule.output_shape))
    net = bs.Network(DT, np.float64)
    x, hidden, out = (
        net.input(n),
        net.population(n, bs.lif(tau_mem=5e-3, tau_syn=3e-3), name="h"),
        net.readout(m, tau_mem=20e-3, tau_syn=5e-3, name="out"),
    )
    net.connect(x, hidden, weights=np.full(n, 10.0), synapses=bs.OneToOne())
    kernels = rng.normal(size=(rule.filters, rule.shape[0], *rule.kernel))
    net.connect(hidden, out, weights=kernels, synapses=rule)
    active = np.flatnonzero(rng.random(n) < 0.5)
    trace = bs.run(
        net,
        bs.SpikeTrains(np.zeros(active.size), active, [0, active.size], n, 4 * DT),
        record=["out.I"],
        tape=True,
    )
    s = bs.bin_spikes(trace.spikes["h"], DT).dense()[0]
    step = int(np.flatnonzero(s.any(axis=1))[0])
    assert np.array_equal(np.flatnonzero(s[step]), active)
    np.testing.assert_allclose(
        trace.states["out.I"][0, step],
        convolved(rule, s[step].reshape(rule.shape), kernels).ravel(),
        atol=1e-12,
    )
    # the adjoint: <A x, y> = <x, A^T y> for all x, with A^T y from `pull`; and the same number as a
    # sum over the kernels
    y = rng.normal(size=m)
    j, i, w, _ = net.indices("h->out")
    matrix = np.zeros((n, m))
    np.add.at(matrix, (j, i), w)
    z = rng.normal(size=n)
    assert np.vdot(convolved(rule, z.reshape(rule.shape), kernels), y) == pytest.approx(
        z @ (matrix @ y), rel=1e-12
    )
    grad = np.zeros((1, 4, m))
    grad[0, step] = y
    slopes = bs.gradient(trace, states={"out.I": grad}).weights
    assert np.vdot(slopes["h->out"], kernels) == pytest.approx(
        np.vdot(s[step] @ matrix, y), rel=1e-12
    )
    derivative = hidden.surrogate.derivative(trace.tape[2].margin[0, step])
    pulled = (
        slopes["input->h"][active] / derivative[active]
    )  # spikes arrive in one step, with the same effect on every neuron
    effect = pulled[0] / (matrix @ y)[active[0]]
    np.testing.assert_allclose(pulled, effect * (matrix @ y)[active], rtol=1e-10)


def test_max_pool_is_a_logical_or():
    dense = np.random.default_rng(0).random((3, 40, 2 * 5 * 7)) < 0.05
    pooled, shape = bs.max_pool(bs.SpikeTrains.from_dense(dense, DT), (2, 5, 7), (2, 3))
    maps = np.pad(dense.reshape(3, 40, 2, 5, 7), [(0, 0)] * 3 + [(0, 1), (0, 2)]).reshape(
        3, 40, 2, 3, 2, 3, 3
    )
    assert shape == (2, 3, 3) and np.array_equal(
        bs.bin_spikes(pooled, DT).dense(), maps.any(axis=(4, 6)).reshape(3, 40, -1)
    )


def test_fan_out_and_blocks():
    net = bs.Network(DT)
    a, b = net.population(4, bs.lif(), name="A"), net.population(8, bs.lif(), name="B")
    net.connect(a, b, weights=1.0, synapses=bs.FanOut(), name="fan")
    net.connect(a, b, weights=1.0, synapses=bs.BlockDiagonal(2), name="blocks")
    assert np.array_equal(net.indices("fan")[0], np.repeat(np.arange(4), 2)) and np.array_equal(
        net.indices("fan")[1], np.arange(8)
    )
    table = np.zeros((4, 8))
    np.add.at(table, net.indices("blocks")[:2], 1)
    assert np.array_equal(table, np.kron(np.eye(2), np.ones((2, 4))))
