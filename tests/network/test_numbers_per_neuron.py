"""What is one number or one per neuron: tables, parameters, files, and what reads them."""

import json
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

import biosnn as bs
from biosnn.network import neuron_checks
from biosnn.network.network_difference import difference
from biosnn.network.neuron import free_membrane, of_neurons, typical
from tests import whole_networks as whole

FORMAT_5 = Path(__file__).parent / "network_of_format_5.npz"
THREE = np.array([0.8, 1.0, 1.3])
NUMBERS = {
    "threshold": THREE,
    "reset": -THREE,
    "refractory": 1e-3 * np.arange(3.0),
    "low": -2 * THREE,
    "high": 2 * THREE,
}


def table():
    """A table in which all numbers differ from neuron to neuron."""
    taus = {"mem": 20e-3 * THREE, "exc": 5e-3 * THREE, "inh": 10e-3}
    reversal = {"g_exc": 6.0 * THREE, "g_inh": -2.0}
    neuron = bs.conductance_lif(threshold=1.0, reversal_exc=6.0, reversal_inh=-2.0)
    return replace(neuron, **NUMBERS, time_constants=taus, reversal=reversal)


@pytest.mark.parametrize("given", [THREE, list(THREE), THREE.astype(np.float32)])
def test_arrays_are_kept_as_copies_that_nobody_can_change(given):
    mine = np.array(given)
    neuron = bs.lif(threshold=mine, tau_mem=mine)
    for kept in (neuron.threshold, neuron.time_constants["mem"]):
        assert kept.dtype == np.float64 and not kept.flags.writeable
        np.testing.assert_array_equal(kept, mine.astype(float))
        assert not np.shares_memory(kept, mine)
    with pytest.raises(ValueError, match="read-only"):
        neuron.threshold[0] = 3.0


def test_one_number_is_a_float():
    neuron = bs.lif(threshold=np.float32(0.5), reset=np.array(0), refractory=np.int8(0))
    assert (neuron.threshold, neuron.reset, neuron.refractory) == (0.5, 0.0, 0.0)
    assert all(type(getattr(neuron, name)) is float for name in neuron_checks.NUMBERS)


def test_what_follows_from_a_table():
    neuron = table()
    assert neuron.spiking and neuron.bounded and not neuron.subtracts
    assert bs.lif(reset="subtract").subtracts and not bs.lif().bounded
    np.testing.assert_array_equal(neuron.refractory_steps(0.5e-3), [0, 2, 4])
    assert set(neuron.per_neuron) == {(name,) for name in NUMBERS} | {
        ("time_constants", "mem"),
        ("time_constants", "exc"),
        ("reversal", "g_exc"),
    }
    free = free_membrane(neuron)
    assert not free.spiking and not free.bounded and np.ndim(free.reversal["g_exc"]) == 1
    words = " ".join(repr(neuron).split())
    assert "threshold 0.8 to 1.3, reset to -1.3 to -0.8" in words
    assert "refractory 0 ms to 2 ms" in words and "g_exc 4.8 to 7.8" in words
    assert "U within -2.6 to -1.6 and 1.6 to 2.6" in words


def test_some_of_the_neurons_and_the_typical_one():
    some = of_neurons(table(), [0, 2])
    np.testing.assert_array_equal(some.threshold, [0.8, 1.3])
    np.testing.assert_allclose(some.reversal["g_exc"], [4.8, 7.8], rtol=1e-14)
    assert some.reversal["g_inh"] == -2.0 and some.time_constants["inh"] == 10e-3
    mean = typical(table())
    assert mean.threshold == pytest.approx(THREE.mean()) and mean.refractory == 1e-3
    assert mean.reversal["g_exc"] == pytest.approx(6 * THREE.mean())
    assert np.ndim(mean.time_constants["mem"]) == 1
    one = bs.lif(tau_mem=20e-3 * THREE)
    assert typical(one) is one


@pytest.mark.parametrize(
    "change, words",
    [
        ({"threshold": [1.0, -3.0, 1.0]}, "threshold -3.0 of neuron 1 must be .* value -1.0"),
        ({"reset": [0.0, 0.5, 1.4]}, "threshold 1.3 of neuron 2 must be .* above the reset"),
        ({"threshold": [1.0, 2.0]}, "different numbers of neurons: threshold of 2, reset of 3"),
        ({"threshold": [1.0, np.inf, 1.0]}, "threshold has the value inf at 1; .* finite"),
        ({"reset": [0.0, np.nan, 0.0]}, "reset has the value nan at 1"),
        ({"low": [-2.0, 0.0, -2.0]}, "U of neuron 1 is to be held between 0.0 and 2.0"),
        ({"high": [2.0, 2.0, 1.2]}, "U of neuron 2 is to be held .* threshold 1.3"),
        ({"refractory": [0.0, -1e-3, 0.0]}, "refractory has the value -0.001 at 1"),
        ({"reversal": {"g_exc": [[6.0]]}}, r"reversal\['g_exc'\] is an array of shape \(1, 1\)"),
        ({"jump_delay": [1e-3] * 3}, "jump_delay is .* one number for all neurons"),
    ],
)
def test_impossible_numbers_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(table(), **change)


def test_times_of_neurons_warn():
    with pytest.warns(bs.UnitWarning, match="refractory is 5 s"):
        bs.lif(refractory=[5.0, 2e-3])
    net = bs.Network(1e-3)
    with pytest.warns(bs.RoundingWarning, match="1 of 2 values of population 'A': refractory"):
        net.population(2, bs.lif(refractory=[2.5e-3, 2e-3]), name="A")


@pytest.mark.parametrize("name", list(NUMBERS))
def test_there_is_one_for_each_neuron(name):
    net = bs.Network(0.5e-3)
    neuron = replace(typical(table()), time_constants={"mem": 20e-3, "exc": 5e-3, "inh": 10e-3})
    wrong = replace(neuron, **{name: NUMBERS[name]})
    with pytest.raises(ValueError, match=f"'A': 3 values of {name} for 4 neurons"):
        net.population(4, wrong, name="A")
    with pytest.raises(ValueError, match="3 values of reversal of 'g_exc' for 4"):
        net.population(4, replace(neuron, reversal={"g_exc": 6 * THREE}), name="A")
    assert net.population(3, wrong, name="A").n == 3


def test_u_at_the_start():
    net = bs.Network(1e-3)
    a = net.population(3, bs.lif(), name="A", initial=0.5 * THREE)
    np.testing.assert_array_equal(a.initial, 0.5 * THREE)
    assert not a.initial.flags.writeable and "0.4 to 0.65" in repr(a)
    with pytest.raises(ValueError, match=r"initial has shape \(2,\); it must be one number or"):
        net.population(3, bs.lif(), initial=[0.1, 0.2])
    with pytest.raises(ValueError, match="initial has the value 1e\\+39; float32"):
        net.population(2, bs.lif(), initial=[0.1, 1e39])


# ------------------------------------------------------------------ thresholds that are learned


def test_learned_thresholds():
    net = bs.Network(1e-3)
    net.population(3, bs.lif(threshold=THREE), name="A", learn={"threshold": "neuron"})
    net.population(3, bs.lif(), name="B", learn={"threshold": "population"})
    net.population(2, bs.lif(threshold=0.7), name="C")
    out = net.readout(2)
    assert net.parameters["A", "threshold"].shape == (3,)
    assert net.parameters["B", "threshold"].shape == ()
    np.testing.assert_array_equal(net.thresholds("A"), THREE)
    net.parameters["A", "threshold"] += [0.1, 0.2, 0.3]
    net.parameters["B", "threshold"][...] = 0.5
    np.testing.assert_allclose(net.thresholds("A"), THREE + [0.1, 0.2, 0.3])
    assert net.thresholds("B") == 1.5 and np.ndim(net.thresholds("B")) == 0
    assert net.thresholds("C") == 0.7 and net.thresholds(out) == np.inf
    with pytest.raises(ValueError, match="is an input: it has no threshold"):
        net.thresholds(net.input(2))
    with pytest.raises(ValueError, match=r"what can be learned \(mem, syn\)"):
        net.readout(2, name="more", learn={"threshold": "neuron"})


def test_theory_takes_what_was_learned():
    from biosnn.theory.moments import as_learned

    net = whole.per_neuron()
    np.testing.assert_array_equal(as_learned(net)["E"].neuron.threshold, net.thresholds("E"))
    assert as_learned(net)["A"].neuron.threshold == 0.75


def test_other_steps_keep_the_numbers():
    finer = bs.time_rescale(whole.per_neuron(), 0.5e-3)
    np.testing.assert_array_equal(finer.thresholds("E"), whole.per_neuron().thresholds("E"))
    np.testing.assert_array_equal(finer["E"].neuron.refractory_steps(0.5e-3), 2 * np.arange(6))


# ------------------------------------------------------------------------------------------- files


def assert_same_tables(a, b):
    """Neuron tables and starts are equal, to the last bit and type."""
    assert a.fingerprint() == b.fingerprint() and difference(a, b, every=True) is None
    for p, q in zip(a.spiking, b.spiking, strict=True):
        assert np.array_equal(p.initial, q.initial) and type(p.initial) is type(q.initial)
        assert list(p.neuron.per_neuron) == list(q.neuron.per_neuron)
        for field in fields(bs.Neuron):
            np.testing.assert_equal(getattr(p.neuron, field.name), getattr(q.neuron, field.name))
    for key, p in a.parameters.items():
        assert np.array_equal(p, b.parameters[key])


def test_a_network_in_a_file(tmp_path):
    net = whole.per_neuron()
    bs.save(net, tmp_path / "net.npz")
    again = bs.load(tmp_path / "net.npz")
    assert_same_tables(net, again)
    assert again["E"].neuron.threshold.flags.writeable is False
    bs.load_weights(net, tmp_path / "net.npz")


def test_a_file_of_format_5_is_read_for_years(tmp_path):
    """It was written once, of `whole_networks.per_neuron`, and stays as it is."""
    assert_same_tables(bs.load(FORMAT_5), whole.per_neuron())
    bs.save(bs.load(FORMAT_5), tmp_path / "net.npz")
    with np.load(FORMAT_5) as before, np.load(tmp_path / "net.npz") as after:
        heads = [json.loads(file["meta"].tobytes())["network"] for file in (before, after)]
        assert heads[0] == heads[1] and set(before.files) == set(after.files)
        for name in set(before.files) - {"meta"}:
            assert np.array_equal(before[name], after[name])


def test_a_learned_threshold_of_a_file_lies_above_the_reset(tmp_path):
    net = whole.per_neuron()
    net.parameters["E", "threshold"][2] = -15e-3
    with pytest.raises(ValueError, match="of neuron 2 must be a number above the reset value"):
        bs.save(net, tmp_path / "net.npz")
    net.parameters["E", "threshold"][2] = 15e-3
    with pytest.raises(ValueError, match="U of neuron 2 is to be held"):
        bs.save(net, tmp_path / "net.npz")


def test_networks_differ_by_the_number_of_one_neuron():
    a, b = whole.per_neuron(), whole.per_neuron()
    changed = np.array(b["E"].neuron.threshold)
    changed[3] *= 1 + 1e-12
    b._populations["E"] = replace(b["E"], neuron=replace(b["E"].neuron, threshold=changed))
    assert a.fingerprint() != b.fingerprint()
    assert difference(a, b).what == "population 'E': neuron"
