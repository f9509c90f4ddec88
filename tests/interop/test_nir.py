"""NIR: graphs do what the network does, and come back from a file with the same spikes."""

import numpy as np
import pytest

import biosnn as bs

from . import naive_nir

nir = pytest.importorskip("nir")
DT, STEPS, INPUTS = 1e-3, 300, 6
EULER = {"integrator": "euler"}
MODELS = {
    "lif": lambda **o: bs.lif(tau_mem=15e-3, tau_syn=6e-3, reset=-0.2, **o),
    "lif of many time constants": lambda **o: bs.lif(
        tau_mem=np.linspace(10e-3, 30e-3, 7), tau_syn=np.linspace(4e-3, 9e-3, 7), **o
    ),
    "ei_lif": lambda **o: bs.ei_lif(**o),
    "ei_lif of many time constants": lambda **o: bs.ei_lif(
        tau_exc=np.linspace(3e-3, 9e-3, 7), tau_inh=np.linspace(9e-3, 4e-3, 7), **o
    ),
    "lif_delta": lambda **o: bs.lif_delta(**o),
    "ampa_nmda_gaba": lambda **o: bs.ampa_nmda_gaba(**o),
}


def network(model, dtype=np.float64, integrator="euler", bias=None):
    """Input, an excitatory and an inhibitory population of a model, and a readout."""
    rng, net = np.random.default_rng(3), bs.Network(DT, dtype)
    x = net.input(INPUTS, name="x")
    make = MODELS[model]
    E = net.population(7, make(integrator=integrator), "excitatory", name="E", bias=bias)
    I = net.population(7, make(integrator=integrator), "inhibitory", name="I")
    out = net.readout(2, tau_mem=50e-3, integrator=integrator)
    size = 0.4 if model == "lif_delta" else 1.0
    for pre, post, delay in ((x, E, 0), (x, I, 1), (E, I, 2), (I, E, 3), (E, E, 1), (I, I, 0)):
        weights = size * rng.exponential(1.0 if pre is x else 0.3, (pre.n, post.n))
        net.connect(pre, post, weights=weights, delay=delay * DT)
    net.connect(E, out, weights=rng.normal(0, 0.3, (7, 2)), delay=DT)
    return net


def spikes(n_trials=3):
    return bs.data.poisson(60.0, INPUTS, STEPS * DT, n_trials, seed=5)


def dense(trains, trial=0):
    """(steps, units) of a trial."""
    found = np.zeros((STEPS, trains.n_units))
    own = slice(*trains.offsets[trial : trial + 2])
    steps = np.rint(trains.times[own] / DT).astype(int)
    found[steps, trains.units[own]] = 1
    return found


def dense_input():
    binned = np.floor(spikes().times[: spikes().offsets[1]] / DT).astype(int)
    found = np.zeros((STEPS, INPUTS))
    found[binned, spikes().units[: spikes().offsets[1]]] = 1
    return found


def same_spikes(net, other):
    """That two networks fire alike, and how their readouts differ."""
    mine, theirs = (bs.run(each, spikes(), merge=True) for each in (net, other))
    for name in ("E", "I"):
        assert mine.counts[name].sum() > 40
        np.testing.assert_array_equal(mine.spikes[name].times, theirs.spikes[name].times)
        np.testing.assert_array_equal(mine.spikes[name].units, theirs.spikes[name].units)
    scale = np.abs(mine.states["readout.U"]).max()
    return np.abs(mine.states["readout.U"] - theirs.states["readout.U"]).max() / scale


@pytest.mark.parametrize("model", MODELS)
def test_a_naive_run_of_the_graph_fires_as_the_network(model):
    net = network(model, bias=np.linspace(0.0, 0.6, 7))
    graph = bs.interop.to_nir(net)
    fired, potentials = naive_nir.run(graph, {"x": dense_input()}, DT)
    trace = bs.run(net, spikes()[:1])
    for name in ("E", "I"):
        assert trace.counts[name].sum() > 20
        np.testing.assert_array_equal(fired[name], dense(trace.spikes[name]))
    readout = trace.states["readout.U"][0]
    np.testing.assert_allclose(potentials["readout"], readout, rtol=0, atol=1e-11)


@pytest.mark.parametrize("integrator", ["exact", "euler"])
@pytest.mark.parametrize("model", MODELS)
def test_a_network_comes_back_from_a_file_with_the_same_spikes(tmp_path, model, integrator):
    net = network(model, integrator=integrator, bias=np.linspace(0.0, 0.6, 7))
    nir.write(tmp_path / "net.nir", bs.interop.to_nir(net))
    again = bs.interop.from_nir(nir.read(tmp_path / "net.nir"))
    assert same_spikes(net, again) < 1e-12
    assert (again.dt, again.dtype) == (DT, np.float64)
    assert {p.name: p.sign for p in again.populations} == {p.name: p.sign for p in net.populations}
    assert {p.name for p in again.projections} == {p.name for p in net.projections}
    assert {p.name: p.delay for p in again.projections} == {
        p.name: p.delay for p in net.projections
    }
    assert again["E"].neuron.integrator == integrator


@pytest.mark.parametrize("model", MODELS)
def test_impulses_make_graphs_that_do_not_depend_on_the_time_step(model):
    net = network(model)
    steps, impulses = (bs.interop.to_nir(net, spike=spike) for spike in ("step", "impulse"))
    node = steps.nodes["readout"]
    np.testing.assert_allclose(node.w_in * DT / node.tau_syn, 1.0)
    node = impulses.nodes["readout"]
    np.testing.assert_array_equal(node.w_in, node.tau_syn)
    assert same_spikes(net, bs.interop.from_nir(impulses)) < 1e-12
    del impulses.metadata["spike"]
    assert same_spikes(net, bs.interop.from_nir(impulses, spike="impulse")) < 1e-12
    fired, _ = naive_nir.run(steps, {"x": dense_input()}, DT)
    spiking = ("x", "E", "I")  # whose spikes are 1 / dt during a step
    impulses.edges = [(f"{a} delta" if a in spiking else a, b) for a, b in impulses.edges]
    for name, n in (("x", INPUTS), ("E", 7), ("I", 7)):
        impulses.nodes[f"{name} delta"] = nir.Scale(np.full(n, 1 / DT))
        impulses.edges.append((name, f"{name} delta"))
    again, _ = naive_nir.run(impulses, {"x": dense_input()}, DT)
    for name in ("E", "I"):
        np.testing.assert_array_equal(fired[name], again[name])


@pytest.mark.parametrize("model", ["lif", "ei_lif"])
def test_the_usual_models_come_back_as_they_were(model):
    net = network(model, np.float32)
    again = bs.interop.from_nir(bs.interop.to_nir(net))
    assert again["E"].neuron.model == model
    assert repr(again["E"].neuron) == repr(net["E"].neuron)
    for name, weights in net.weights.items():
        np.testing.assert_array_equal(again.weights[name], weights)
        assert again.projection(name).receptor == net.projection(name).receptor
    assert bs.audit(again).violations == bs.audit(net).violations


def test_sparse_projections_become_matrices():
    net = network("ei_lif")
    pairs = bs.Pairs([0, 0, 3], [1, 1, 2])
    net.connect("E", "I", synapses=pairs, weights=[0.5, 0.25, 0.1], name="few", delay=2e-3)
    net.connect("E", "I", synapses=bs.OneToOne(), weights=0.2, name="one")
    graph = bs.interop.to_nir(net)
    matrix = np.zeros((7, 7))
    matrix[1, 0], matrix[2, 3] = 0.75, 0.1
    np.testing.assert_array_equal(graph.nodes["few"].weight, matrix)
    np.testing.assert_array_equal(graph.nodes["one"].weight, 0.2 * np.eye(7))
    assert same_spikes(net, bs.interop.from_nir(graph)) < 1e-12


# ------------------------------------------------------------------------------- what it cannot say

SAYS = {
    "adaptation": lambda net: net.population(3, bs.adaptive_lif(), name="p"),
    "a refractory period": lambda net: net.population(3, bs.lif(refractory=3e-3), name="p"),
    "a reset by subtraction": lambda net: net.population(3, bs.lif(reset="subtract"), name="p"),
    "conductances": lambda net: net.population(3, bs.conductance_lif(), name="p"),
    "a nonlinear drive": lambda net: net.population(3, bs.izhikevich(), name="p"),
    "bounds": lambda net: net.population(3, bs.bounded(bs.lif(), low=-1.0), name="p"),
    "escape noise": lambda net: net.population(3, bs.lif(), name="p", noise=bs.SigmoidEscape(20.0)),
    "an initial potential": lambda net: net.population(3, bs.lif(), name="p", initial=0.5),
    "receive no projection": lambda net: net.population(3, bs.lif(), name="p"),
    "projects to nothing": lambda net: net.input(3, name="p"),
    "plasticity": lambda net: net.connect(
        "E",
        "I",
        synapses=bs.OneToOne(),
        weights=0.1,
        name="p",
        plasticity=bs.TsodyksMarkram(0.5, 0.1, 0.1),
    ),
    "a delay for every synapse": lambda net: net.connect(
        "E",
        "I",
        synapses=bs.Pairs([0, 1], [0, 1]),
        weights=0.1,
        delay=np.array([1e-3, 2e-3]),
        name="p",
    ),
}


@pytest.mark.parametrize("what", SAYS)
def test_what_nir_cannot_say_is_refused_with_its_name(what):
    net = network("ei_lif")
    SAYS[what](net)
    with pytest.raises(ValueError, match=f"NIR cannot say this network.*'p': .*{what}"):
        bs.interop.to_nir(net)


def test_a_network_without_inputs_or_weights_is_refused():
    net = bs.Network(DT)
    E = net.population(2, bs.lif(), "excitatory", name="E")
    net.connect(E, E, weights=np.ones((2, 2)))
    with pytest.raises(ValueError, match="without inputs"):
        bs.interop.to_nir(net)
    net.connect(net.input(2), E)
    with pytest.raises(ValueError, match="input->E"):
        bs.interop.to_nir(net)
