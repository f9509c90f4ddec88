"""Graphs of NIR from other programs: what biosnn runs, and what it refuses."""

import numpy as np
import pytest

import biosnn as bs

from . import naive_nir
from .test_nir import DT, INPUTS, STEPS, dense, dense_input, spikes

nir = pytest.importorskip("nir")
N = 5
RNG = np.random.default_rng(8)
W = RNG.normal(0.3, 0.5, (N, INPUTS))


def ones(value=1.0, n=N):
    return np.full(n, float(value))


def lif(**changed):
    given = dict(tau=ones(20e-3), r=ones(8.0), v_leak=ones(0), v_threshold=ones(), v_reset=ones(0))
    return nir.LIF(**given | changed)


def cuba(**changed):
    """As snnTorch and SpikingJelly write it: every factor is undone by dt / tau."""
    given = dict(tau_syn=ones(5e-3), tau_mem=ones(10e-3), r=ones(10e-3 / DT), w_in=ones(5.0))
    return nir.CubaLIF(**given | dict(v_leak=ones(0), v_threshold=ones()) | changed)


def li(tau=5e-3, r=5.0, v_leak=0.0):
    return nir.LI(tau=ones(tau), r=ones(r), v_leak=ones(v_leak))


def chain(*nodes):
    """A graph of nodes one after the other."""
    return nir.NIRGraph.from_list(nir.Input(np.array([INPUTS])), *nodes)


def graph(nodes, edges):
    nodes = {"x": nir.Input(np.array([INPUTS])), **nodes, "out": nir.Output(np.array([N]))}
    return nir.NIRGraph(nodes, edges)


def recurrent(node, **more):
    nodes = {"w": nir.Linear(W), "cell": node, "rec": nir.Linear(0.2 * np.eye(N, k=1)), **more}
    return graph(
        nodes, [("x", "w"), ("w", "cell"), ("cell", "rec"), ("rec", "cell"), ("cell", "out")]
    )


PUSH = np.linspace(0.0, 0.05, N)
GRAPHS = {
    "spikes onto the membrane": lambda: chain(nir.Linear(W), lif()),
    "an Affine": lambda: chain(nir.Affine(W, PUSH), lif()),
    "CubaLIF": lambda: chain(nir.Linear(W), cuba(v_reset=ones(-0.5))),
    "CubaLIF that rests elsewhere": lambda: chain(nir.Linear(W), cuba(v_leak=ones(0.3))),
    "values of each neuron": lambda: chain(
        nir.Linear(W), lif(tau=np.linspace(0.01, 0.03, N), r=np.linspace(4, 9, N))
    ),
    "a current before the threshold": lambda: chain(nir.Linear(W), li(), lif(r=ones(1.5))),
    "two currents in a row": lambda: chain(nir.Linear(W), li(), li(8e-3, 1.0), lif(r=ones(2))),
    "a Scale": lambda: chain(nir.Linear(W), nir.Scale(np.linspace(0.5, 1.5, N)), lif()),
    "delays of sources": lambda: chain(
        nir.Delay(np.arange(INPUTS) * DT), nir.Linear(W), lif()
    ),
    "delays of targets": lambda: chain(nir.Linear(W), nir.Delay(np.arange(N) * DT), lif()),
    "two matrices": lambda: chain(nir.Linear(W), nir.Linear(np.eye(N)[::-1]), lif()),
    "two layers": lambda: chain(nir.Linear(W), cuba(), nir.Affine(np.eye(N) * 0.8, PUSH), lif()),
    "an Affine before a current": lambda: chain(nir.Affine(W, PUSH), cuba()),
    "an Affine before a leaky integrator": lambda: chain(
        nir.Affine(W, PUSH), li(), nir.Scale(ones(0.5)), lif()
    ),
    "a current that rests elsewhere": lambda: chain(nir.Linear(W), li(v_leak=0.02), lif()),
    "recurrence": lambda: recurrent(cuba()),
}  # fmt: skip


def start_at_rest(naive):
    """Membranes at v_leak, and currents at what their constant inputs keep up."""
    naive.old = {name: np.zeros_like(v) for name, v in naive.v.items()}
    for name, v in naive.v.items():
        node, given = naive.graph.nodes[name], naive.arriving(name, "currents")
        if name in naive.i:
            naive.i[name] += node.w_in * given
        v += node.v_leak + node.r * given * (naive.kind[name] == "LI")


@pytest.mark.parametrize("what", GRAPHS)
def test_a_network_of_a_graph_fires_as_its_naive_run(what):
    made = GRAPHS[what]()
    net = bs.interop.from_nir(made, DT, integrator="euler", dtype=np.float64)
    naive = naive_nir.Naive(made, DT)
    start_at_rest(naive)
    given = dense_input()
    name = next(k for k, node in made.nodes.items() if type(node).__name__ == "Input")
    fired = [naive.step({name: row})[0] for row in given]
    trace = bs.run(net, spikes()[:1])
    for cell in net.spiking:
        assert trace.counts[cell.name].sum() > 10
        theirs = np.array([step[cell.name] for step in fired])
        np.testing.assert_array_equal(theirs, dense(trace.spikes[cell.name]))


def test_a_readout_has_the_potential_of_its_node():
    made = chain(nir.Linear(W), nir.CubaLI(ones(5e-3), ones(30e-3), ones(2.0), ones(0), ones(5.0)))
    net = bs.interop.from_nir(made, DT, integrator="euler", dtype=np.float64)
    (readout,) = net.readouts
    _, potentials = naive_nir.run(made, {"input": dense_input()}, DT)
    found = bs.run(net, spikes()[:1]).states[f"{readout.name}.U"][0]
    np.testing.assert_allclose(found, potentials[readout.name], rtol=0, atol=1e-12)


def test_opposed_currents_make_the_neurons_of_ei_lif():
    nodes = {
        "we": nir.Linear(np.abs(W)),
        "wi": nir.Linear(-0.3 * np.abs(W)),
        "fast": li(),
        "slow": li(9e-3, 9.0),
        "cell": lif(r=ones(3.0)),
    }
    edges = [("x", "we"), ("we", "fast"), ("fast", "cell"), ("x", "wi"), ("wi", "slow")]
    made = graph(nodes, [*edges, ("slow", "cell"), ("cell", "out")])
    net = bs.interop.from_nir(made, DT, integrator="euler", dtype=np.float64)
    assert net["cell"].neuron.model == "ei_lif"
    assert net["cell"].neuron.time_constants == {"mem": 20e-3, "exc": 5e-3, "inh": 9e-3}
    assert min(w.min() for w in net.weights.values()) >= 0
    fired, _ = naive_nir.run(made, {"x": dense_input()}, DT)
    trace = bs.run(net, spikes()[:1])
    assert trace.counts["cell"].sum() > 10
    np.testing.assert_array_equal(fired["cell"], dense(trace.spikes["cell"]))


def test_a_graph_within_a_graph_is_unfolded():
    inner = nir.NIRGraph(
        {
            "in": nir.Input(np.array([N])),
            "cell": cuba(),
            "rec": nir.Linear(0.2 * np.eye(N, k=1)),
            "end": nir.Output(np.array([N])),
        },
        [("in", "cell"), ("cell", "rec"), ("rec", "cell"), ("cell", "end")],
    )
    made = graph({"w": nir.Linear(W), "rnn": inner}, [("x", "w"), ("w", "rnn"), ("rnn", "out")])
    net, flat = (bs.interop.from_nir(each, DT) for each in (made, recurrent(cuba())))
    mine, theirs = (bs.run(each, spikes()) for each in (net, flat))
    assert theirs.counts["cell"].sum() > 10
    np.testing.assert_array_equal(mine.counts["rnn_cell"], theirs.counts["cell"])


REFUSED = {
    "a IF: biosnn does not have neurons without a leak": lambda: chain(
        nir.Linear(W), nir.IF(ones(), ones())
    ),
    "through a matrix or a delay": lambda: chain(nir.Linear(W), li(), nir.Linear(np.eye(N)), lif()),
    "neither spikes nor that of an integrator": lambda: chain(nir.Linear(W)),
    "biosnn has inputs with one axis": lambda: nir.NIRGraph(
        {
            "x": nir.Input(np.array([1, N])),
            "cell": lif(),
            "out": nir.Output(np.array([N])),
        },
        [("x", "cell"), ("cell", "out")],
        type_check=False,
    ),
}  # fmt: skip


def test_a_threshold_and_a_reset_of_each_neuron_come_and_go():
    thresholds, resets = np.linspace(1, 2, N), np.linspace(-0.5, 0, N)
    net = bs.interop.from_nir(chain(nir.Linear(W), lif(v_threshold=thresholds, v_reset=resets)), DT)
    (cells,) = net.spiking
    np.testing.assert_array_equal(cells.neuron.threshold, thresholds)
    np.testing.assert_array_equal(cells.neuron.reset, resets)
    written = bs.interop.to_nir(net)
    (node,) = [each for each in written.nodes.values() if isinstance(each, nir.LIF)]
    np.testing.assert_array_equal(node.v_threshold, thresholds)
    np.testing.assert_array_equal(node.v_reset, resets)


@pytest.mark.parametrize("words", REFUSED)
def test_what_biosnn_cannot_run_is_refused(words):
    with pytest.raises(ValueError, match=words):
        bs.interop.from_nir(REFUSED[words](), DT)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: bs.interop.from_nir(GRAPHS["CubaLIF"]()), "give dt"),
        (lambda: bs.interop.from_nir(GRAPHS["CubaLIF"](), -1.0), "dt is -1"),
        (lambda: bs.interop.from_nir(GRAPHS["CubaLIF"](), 0.02), "below the time step"),
        (lambda: bs.interop.from_nir(GRAPHS["CubaLIF"](), DT, integrator="rk4"), "one of 'exact'"),
        (lambda: bs.interop.from_nir("net.nir", DT), "such as nir.read"),
        (lambda: bs.interop.to_nir(GRAPHS["CubaLIF"]()), "a Network"),
    ],
)
def test_careless_calls_are_answered(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_test_knows_its_steps():
    assert dense_input().shape == (STEPS, INPUTS) and dense_input().sum() > 50
