"""What networks and their parts say of themselves."""

import pytest

import biosnn as bs
from biosnn.support import show

DT = 1e-3


@pytest.fixture(autouse=True)
def wide_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture
def net():
    net = bs.Network(DT)
    x = net.input(5)
    e = net.population(
        4, bs.adaptive_lif(), name="E", learn={"mem": "neuron", "jump": "population"}, bias=0.1
    )
    out = net.readout(2)
    net.connect(x, e, weights=bs.Exponential(0.2), seed=1, frozen=True)
    net.connect(e, e, synapses=bs.OneToOne(), weights=0.25, delay=bs.Uniform(1e-3, 9e-3), seed=1)
    net.connect(e, out, delay=2e-3, gradient_to_source=False)
    return net


def test_a_network_shows_its_parts(net):
    lines = repr(net).splitlines()
    assert lines[0] == "Network of 4 neurons"
    assert lines[1].split() == ["time", "step", "1", "ms,", "float32"]
    assert lines[2].split() == ["parameters", "21", "weights;", "9", "of", "mem,", "jump,", "bias"]
    assert lines[3].startswith("  memory") and "bytes of weights and synapses" in lines[3]
    rows = [line.split() for line in lines]
    assert ["E", "4", "unsigned", "adaptive_lif"] in rows
    assert ["readout", "2", "unsigned", "readout"] in rows
    assert ["input->E", "syn", "0", "ms", "20", "mean"] in [row[:-1] for row in rows]
    assert ["E->E", "syn", "one", "per", "synapse", "4", "0.25"] in rows
    assert ["E->readout", "syn", "2", "ms", "8", "not", "set"] in rows
    assert max(map(len, lines)) <= show.WIDTH


def test_an_empty_network_is_a_line_or_two():
    assert repr(bs.Network(0.5e-3)) == "Network of 0 neurons\n  time step  0.5 ms, float32"


def test_notebooks_show_the_same(net):
    html = net._repr_html_()
    assert html.count("<caption>") == 2 and "<td" in html and "input-&gt;E" in html
    for thing in (net["E"], net.projections[0], net.synapses["E->E"], net["E"].neuron):
        assert repr(thing).splitlines()[0] in thing._repr_html_().replace("&gt;", ">")


def test_a_population_says_what_it_learns(net):
    assert repr(net["E"]).splitlines()[:2] == ["Population E", "  neurons    4, unsigned"]
    assert "learned    mem per neuron, jump per population, bias per neuron" in repr(net["E"])
    assert repr(net["input"]) == "Input input\n  neurons  5, unsigned"
    assert repr(net["readout"]).startswith("Readout readout\n")


def test_pooling_units_name_their_source():
    net = bs.Network(DT)
    maps = net.population(8, bs.lif(), name="maps", noise=bs.SigmoidEscape(10))
    pooled = repr(net.pool(maps, bs.MaxPool((2, 4), 2)))
    assert pooled.splitlines()[0] == "Pooling units maps pooled" and "of maps, by MaxPool" in pooled
    assert "noise      SigmoidEscape(steepness=10.0)" in repr(maps)


def test_a_projection_says_where_it_goes_and_what_training_leaves(net):
    dense, own, last = net.projections
    assert repr(dense).splitlines() == [
        "Projection input->E",
        "  onto      syn of E, weights of either sign",
        "  pairs     all",
        "  delay     0 ms",
        "  training  weights frozen",
    ]
    assert "pairs  OneToOne(tied=False)" in repr(own) and "one per synapse" in repr(own)
    assert "training  no gradient to its source" in repr(last)


def test_synapses_say_how_many_they_are(net):
    text = repr(net.synapses["E->E"])
    assert text.startswith("Synapses: 4 from 4 to 4 neurons\n") and "one for each synapse" in text
    small = bs.Network(DT)
    a = small.population(4, bs.lif(), name="A")
    small.connect(a, a, synapses=bs.OneToOne(tied=True), weights=0.1, delay=2e-3)
    assert "weights  shared, of shape ()" in repr(small.synapses["A->A"])
    assert "delay    2 steps\n" in repr(small.synapses["A->A"])


@pytest.mark.parametrize(
    "neuron, words",
    [
        (bs.lif(refractory=2e-3), "refractory  2 ms"),
        (bs.lif(reset="subtract"), "threshold   1, reset by subtraction"),
        (bs.leaky_readout(), "threshold   none"),
        (bs.lif(tau_mem=[10e-3, 20e-3]), "U (mem 10 ms to 20 ms)"),
        (bs.bounded(bs.lif(), low=-1), "U within    -1 to inf"),
        (bs.conductance_lif(), "reversal    g_exc 0.06, g_inh -0.02"),
        (bs.alpha_conductance_lif(), "exc: h_exc += 2.718 w"),
        (bs.lif(), "inh: I -= w"),
        (bs.adaptive_lif(jump=[0.1, 0.3]), "after a spike  w_adapt += 0.1 to 0.3"),
        (bs.izhikevich(), "NonlinearDrive(square=0.04"),
    ],
)
def test_a_neuron_shows_its_table(neuron, words):
    text = repr(neuron)
    assert text.startswith(f"Neuron {neuron.model}\n") and words in text


def test_an_audit_is_a_table():
    net = bs.Network(DT)
    e = net.population(3, bs.ei_lif(), "excitatory", name="E")
    net.connect(e, e, weights=[[1, 0, 0], [0, 0, 0], [1, 1, 1]])
    audit = bs.audit(net)
    lines = repr(audit).splitlines()
    assert isinstance(audit, bs.Audit) and lines[0] == "Dale's law: 0 violations"
    assert lines[-1].split() == ["E", "2", "1"] and str(audit) == repr(audit)
    assert "Dale&#x27;s law: 0 violations" in audit._repr_html_()
