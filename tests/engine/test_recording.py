"""Recording: the same names and neurons in run, gradient and simulate, and what is refused."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine.recording import chosen_neurons, chosen_states

CHOICES = [None, 2, [4, 0], [3, 4, 1, 1], slice(1, None, 2), np.arange(5) > 2, [-1], []]


def circuit(learn=None):
    net, rng = bs.Network(1e-3, np.float64), np.random.default_rng(3)
    a = net.population(5, bs.lif(), name="A", learn=learn)
    net.connect(net.input(4), a, weights=rng.normal(1.0, 0.5, (4, 5)))
    net.connect(a, net.readout(2), weights=rng.normal(0.0, 1.0, (5, 2)))
    return net


def trains(n_trials=3):
    return bs.data.poisson(200.0, 4, 0.03, n_trials, seed=2)


@pytest.mark.parametrize("learn", [None, {"mem": "neuron"}], ids=["fixed", "learned"])
@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_run_keeps_the_neurons_that_are_chosen(choice, learn):
    net, units = circuit(learn), chosen_neurons(choice, 5, "A.U")
    whole = bs.run(net, trains(), record=["A.U", "A.U_star"], moments=["A.I"], tape=True)
    some = bs.run(
        net,
        trains(),
        record={"A.U": choice, "A.U_star": choice},
        moments={"A.I": choice},
        tape=True,
    )
    for name in ("A.U", "A.U_star"):
        assert np.array_equal(some.states[name], whole.states[name][..., units])
    assert np.array_equal(some.mean["A.I"], whole.mean["A.I"][..., units])
    assert np.array_equal(some.variance["A.I"], whole.variance["A.I"][..., units])
    assert np.array_equal(some.states["readout.U"], whole.states["readout.U"])
    grad = {"readout.U": np.ones((3, 30, 2))}
    all_of_them = bs.gradient(whole, states=grad, record=["A.U"])
    chosen = bs.gradient(some, states=grad, record={"A.U": choice})
    assert np.array_equal(chosen.states["A.U"], all_of_them.states["A.U"][..., units])
    for name, values in all_of_them.weights.items():
        assert np.array_equal(chosen.weights[name], values) and np.any(values)
    for name, values in all_of_them.parameters.items():
        assert np.array_equal(chosen.parameters[name], values)


@pytest.mark.parametrize("choice", CHOICES, ids=str)
def test_simulate_keeps_the_same_as_run(choice):
    net, units = circuit(), chosen_neurons(choice, 5, "A.U")
    whole = bs.run(net, trains(1), record=["A.U"]).states["A.U"][0]
    done = bs.simulate(net, 0.03, trains(1), record={"A.U": choice}, progress=False)
    np.testing.assert_allclose(done.states["A.U"], whole[:, units], rtol=1e-12, atol=1e-15)
    named = bs.simulate(net, 0.03, trains(1), record=["A.U"], progress=False)
    assert np.array_equal(named.states["A.U"][:, units], done.states["A.U"])
    assert done.states["A.U"].shape == (30, units.size)


@pytest.mark.parametrize(
    "record, words",
    [
        ("A.U", "record is 'A.U'; it must be names of states"),
        (3, "record is 3; it must be names of states"),
        (None, "record is None; it must be names of states"),
        ([3], "one of record is 3; it must be a text"),
        ({3: None}, "one of the names in record is 3; it must be a text"),
        ({"A.U": 5}, "record of 'A.U' is 5; it must be neurons of 0 .. 4"),
        ({"A.U": [0.5]}, "record of 'A.U'"),
        ({"A.U": slice(0, 3, 0)}, "it must be a slice with a step"),
        (["A.V"], "there is no state 'A.V'"),
    ],
)
def test_what_cannot_be_recorded(record, words):
    for act in (
        lambda: bs.run(circuit(), trains(), record=record),
        lambda: bs.simulate(circuit(), 0.03, trains(1), record=record, progress=False),
    ):
        with pytest.raises(ValueError) as caught:
            act()
        assert words in str(caught.value)


def test_names_stand_for_all_neurons():
    assert chosen_states(["A.U", "A.I", "A.U"]) == {"A.U": None, "A.I": None}
    assert chosen_states({"A.U": [1]}) == {"A.U": [1]}


def test_objects_show_themselves():
    net = circuit({"mem": "population"})
    trace = bs.run(net, trains(), record=["A.U"], tape=True, moments=["A.I"])
    gradients = bs.gradient(trace, states={"readout.U": np.ones((3, 30, 2))}, record=["A.U"])
    done = bs.simulate(net, 0.03, trains(1), record={"A.U": [0]}, progress=False)
    for thing, words in (
        (trace, ["Trace", "trials", "30 ms in 30 steps", "A.U (3, 30, 5)", "rate (Hz)"]),
        (gradients, ["Gradients", "input->A", "weights", "(4, 5)", "A.mem", "Euclidean norm"]),
        (done, ["Simulation", "30 ms", "A.U (30, 1)", "rate (Hz)"]),
        (trace.state, ["State", "3 trials", "30"]),
        (done.state, ["State", "1 trial", net.fingerprint()]),
    ):
        text, page = repr(thing), thing._repr_html_()
        assert all(word in text for word in words), text
        assert len(text) < 1500 and "array" not in text
        assert page.startswith("<div") and words[0] in page
