"""Tables of neurons that users write: numbers are kept, parts of another kind refused."""

from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs

LIF = bs.lif()


@pytest.mark.parametrize(
    "part, given, words",
    [
        ("model", 3, "one of model is 3; it must be a text"),
        ("states", ["U"], r"lif: states is \['U'\]; it must be a dict"),
        ("states", {}, "lif: states is {}; it must be a dict with the membrane"),
        ("states", {"U": ["mem"], "I": "syn"}, r"a value of states is \['mem'\]"),
        ("gains", {"UI": 1.0}, "lif: a key of gains is 'UI'; it must be a pair of states"),
        ("gains", {("U", "I"): np.nan}, r"lif: gains\[\('U', 'I'\)\] is nan; .*finite"),
        ("reversal", {"I": "high"}, r"lif: reversal\['I'\] is 'high'"),
        ("receptors", {"syn": "I"}, "lif: receptor 'syn' is 'I'; it must be a bs.Receptor"),
        ("receptors", {"syn": bs.Receptor(2, 1.0, 0)}, "lif: state of 'syn' is 2"),
        ("receptors", {"syn": bs.Receptor("I", 1.0, [1])}, "a sign -1, 0 or 1"),
        ("nonlinear_drive", "exponential", "lif: nonlinear_drive is 'exponential'"),
        ("low", None, "lif: low is None; it must be a number"),
    ],
)
def test_parts_of_another_kind_are_refused(part, given, words):
    with pytest.raises(ValueError, match=words):
        replace(LIF, **{part: given})


def test_numbers_become_floats():
    neuron = replace(LIF, gains={("U", "I"): np.float32(0.5)}, low=np.int8(-1))
    assert neuron.gains == {("U", "I"): 0.5} and type(neuron.gains["U", "I"]) is float
    assert neuron.low == -1.0 and type(neuron.low) is float
