"""NIR beside frameworks that go step by step: the same spikes, a step apart for each layer.

They let a spike act on the membrane in its own step; biosnn lets it act in the next one.
"""

import numpy as np
import pytest

import biosnn as bs

pytest.importorskip("nir")
torch = pytest.importorskip("torch")
STEPS, UNITS = 300, 8


def counts(rate, dt):
    """(steps, units) spikes of an input, at most one a step."""
    trains = bs.data.poisson(rate, UNITS, STEPS * dt, 1, seed=1)
    return trains.to_dense(dt, merge=True)[0]


def assert_later(mine, theirs, steps):
    """That mine, (steps, units), are theirs some steps later."""
    assert theirs.sum() > 100
    np.testing.assert_array_equal(mine[steps:], theirs[:-steps])


def test_a_network_of_snntorch_fires_as_it_does_there():
    snn = pytest.importorskip("snntorch")
    export = pytest.importorskip("snntorch.export_nir").export_to_nir
    dt = 1e-4  # of its exporter
    torch.manual_seed(0)
    layers = []
    for size, low, high in ((UNITS, 0.0, 0.2), (6, -0.1, 0.3)):
        linear = torch.nn.Linear(UNITS, size, bias=False)
        torch.nn.init.uniform_(linear.weight, low, high)
        decays = {
            name: torch.full((size,), value) for name, value in (("alpha", 0.9), ("beta", 0.95))
        }
        threshold = torch.ones(size)
        options = dict(reset_mechanism="zero", reset_delay=False, init_hidden=True)
        layers += [linear, snn.Synaptic(**decays, threshold=threshold, **options)]
    theirs = torch.nn.Sequential(*layers)
    net = bs.interop.from_nir(export(theirs, torch.zeros(UNITS)), dt, integrator="euler")
    given = counts(300.0, dt)
    trace = bs.run(net, bs.SpikeTrains.from_dense(given[None], dt))
    pytest.importorskip("snntorch.utils").reset(theirs)
    with torch.no_grad():
        fired = [theirs(torch.tensor(row, dtype=torch.float32)).numpy() for row in given]
    last = net.spiking[-1].name
    assert_later(trace.spikes[last].to_dense(dt)[0], np.array(fired), 2)


def test_norse_fires_as_the_network():
    norse = pytest.importorskip("norse.torch")
    dt, rng = 1e-3, np.random.default_rng(0)
    net = bs.Network(dt)
    layers = [net.input(UNITS)]
    for name in ("a", "b"):
        cells = net.population(UNITS, bs.lif(integrator="euler"), name=name)
        net.connect(layers[-1], cells, weights=rng.normal(0.6, 0.5, (UNITS, UNITS)))
        layers.append(cells)
    given = counts(60.0, dt)
    trace = bs.run(net, bs.SpikeTrains.from_dense(given[None], dt))
    theirs, state, fired = norse.from_nir(bs.interop.to_nir(net), dt=dt), None, []
    with torch.no_grad():
        for row in given:
            out, state = theirs(torch.tensor(row, dtype=torch.float32), state)
            fired.append(out.numpy())
    assert_later(trace.spikes["b"].to_dense(dt)[0], np.array(fired), 2)
