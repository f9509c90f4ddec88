"""Brian2 says the same: spikes identical, states to rounding. Skipped where Brian2 is not installed."""
import json
import subprocess
import sys

import numpy as np
import pytest

import biosnn as bs
from biosnn import brian

b2 = pytest.importorskip("brian2")


@pytest.fixture(autouse=True)
def interpreted():
    """Brian2 without a compiler: small networks build faster so."""
    before = b2.prefs.codegen.target
    b2.prefs.codegen.target = "numpy"
    yield
    b2.prefs.codegen.target = before


def one(neuron, dt=1e-3, seed=0):
    rng, net = np.random.default_rng(seed), bs.Network(dt)
    x, a = net.input(20), net.population(3, neuron, name="A")
    net.connect(x, a, receptor="exc", weights=rng.exponential(0.35, (20, 3)))
    net.connect(a, a, receptor="inh", delay=2e-3, weights=rng.exponential(0.3, (3, 3)))
    net.connect(a, net.readout(2), delay=3e-3, weights=rng.normal(size=(3, 2)))
    return net


def agree(report, tolerance=1e-12):
    assert report.identical and report.divergence is None, str(report)
    assert all(ours == theirs and ours > 0 for ours, theirs in report.spike_counts.values())
    for name, (difference, scale) in report.states.items():
        assert difference <= tolerance * scale, (name, difference, scale)


@pytest.mark.parametrize("refractory", [0.0, 1e-3, 2e-3, 5e-3])
@pytest.mark.parametrize("reset", [0.0, "subtract"])
@pytest.mark.parametrize("integrator", ["exact", "exponential_euler"])
@pytest.mark.parametrize("table", [bs.lif, bs.ei_lif])
def test_every_table(table, integrator, reset, refractory):
    net = one(table(reset=reset, refractory=refractory, integrator=integrator))
    agree(brian.compare(net, bs.data.poisson(20, 20, 0.5, seed=1), currents={"A": np.full((500, 3), 0.3)}, progress=False))


def test_time_constants_per_neuron_and_learned():
    net = one(bs.ei_lif(tau_mem=np.array([0.01, 0.02, 0.03]), tau_exc=np.array([5e-3, 7e-3, 9e-3]), tau_inh=12e-3))
    agree(brian.compare(net, bs.data.poisson(20, 20, 0.5, seed=1), progress=False))
    net = bs.Network(1e-3)
    a = net.population(3, bs.lif(), name="A", learn={"mem": "neuron"})
    net.connect(net.input(20), a, receptor="exc", weights=np.random.default_rng(0).exponential(0.35, (20, 3)))
    net.tau_parameters["A", "mem"][:] = [-0.3, 0.1, 0.4]
    agree(brian.compare(net, bs.data.poisson(20, 20, 0.5, seed=1), progress=False))


def circuit():
    net = bs.Network(2e-3)
    e, i = bs.dalian_layer(net, net.input(100), 32, 8, neuron=bs.ei_lif(20e-3, 10e-3, 15e-3, refractory=4e-3), delay=4e-3)
    net.connect(e, net.readout(3))
    bs.fluctuation_driven(net, rates=10.0, closed_loop=False, seed=3)
    return net


def test_dalian_circuit_over_trials():
    report = brian.compare(circuit(), bs.data.poisson(10, 100, 0.4, 2, seed=2), progress=False)
    agree(report)
    assert report.n_trials == 2 and report.statistics["E"]["rate"][2] == 0 == report.statistics["I"]["cv"][2]
    assert "All spikes are identical" in str(report) and json.dumps(report.as_dict())
    assert len(report.figure("E").axes) == 3


def test_a_difference_is_found(monkeypatch):
    """If Brian2 is given another weight, the report names the first step where the spikes part."""
    net, spikes = circuit(), bs.data.poisson(10, 100, 0.4, seed=2)
    original = brian.to_brian2

    def other(network, *arguments):
        changed = original(network, *arguments)
        changed.projections["input->E"].w = np.asarray(changed.projections["input->E"].w) * 1.01
        return changed
    monkeypatch.setattr(brian, "to_brian2", other)
    report = brian.compare(net, spikes, progress=False)
    assert not report.identical and 0 < report.divergence.step < 200 and abs(report.divergence.margin) < 0.5
    assert "Spikes differ from" in str(report)


def test_script_runs_alone(tmp_path):
    net, spikes = circuit(), bs.data.poisson(10, 100, 0.2, seed=2)
    path = brian.script(net, spikes, tmp_path / "network.py")
    text = path.read_text().replace("import numpy as np\n", "import numpy as np\nimport brian2\nbrian2.prefs.codegen.target = 'numpy'\n", 1)
    path.write_text(text)
    printed = subprocess.run([sys.executable, path], check=True, capture_output=True, text=True).stdout
    counts = {name: int(c.sum()) for name, c in bs.run(brian._double(net), spikes).counts.items()}
    assert all(f"{name}: {n} spikes" in printed for name, n in counts.items()) and counts["E"] > 0
    assert "unless refractory" in text and "biosnn" not in text.split('"""')[2]


def test_messages():
    with pytest.raises(ValueError, match="one trial at a time; got 2 trials"):
        brian.to_brian2(circuit(), bs.data.poisson(10, 100, 0.2, 2, seed=2))
    net = one(bs.ei_lif(tau_mem=np.array([0.01, 0.02, 0.03]), tau_exc=np.array([0.01, 7e-3, 9e-3])))
    with pytest.raises(ValueError, match=r"tau_inh and tau_mem of neuron 1 are \(nearly\) equal"):
        brian.to_brian2(net, bs.data.poisson(10, 20, 0.2, seed=2))
    report = brian.compare(one(bs.lif()), bs.data.poisson(20, 20, 0.2, seed=1), record=["A.I"], progress=False)
    with pytest.raises(ValueError, match="holds no A.U"):
        report.figure()
