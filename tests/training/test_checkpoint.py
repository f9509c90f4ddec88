"""Checkpoints: exact resumption after a kill and after Ctrl-C, other recipes, damaged files."""

import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import biosnn as bs
from biosnn.support import file_format
from tests.training.common import fit, network, same, task

ROOT = Path(__file__).parents[2]


def test_resumed_training_has_the_same_bits(tmp_path):
    data = task()
    whole, parts = network(data), network(data)
    recipe = dict(schedule=bs.schedules.Constant(), augment=[bs.TimeShift(5e-3)])
    expected = fit(whole, data, epochs=4, out=tmp_path / "a", **recipe)
    fit(parts, data, epochs=2, out=tmp_path / "b", **recipe)
    parts = network(data)
    history = fit(parts, data, epochs=4, out=tmp_path / "b", start="resume", **recipe)
    assert same(whole, parts) and np.array_equal(history.loss, expected.loss)


def test_checkpoints_are_networks(tmp_path):
    """Both files are opened without the code that built the network; a resumed one goes on."""
    data, constant = task(), bs.schedules.Constant()
    options = dict(schedule=constant, optimizer=bs.Adam(0.05), out=tmp_path / "a")
    net, others = network(data), [network(data) for _ in range(2)]
    history = fit(net, data, epochs=4, **options)
    found = bs.load(tmp_path / "a" / "last.npz")
    assert same(found, net) and found.fingerprint() == net.fingerprint()
    fit(others[0], data, epochs=int(history.best_epoch) + 1, **options | {"out": None})
    assert same(bs.load(tmp_path / "a" / "best.npz"), others[0])
    fit(found, data, epochs=6, start="resume", **options)
    fit(others[1], data, epochs=6, **options | {"out": None})
    assert same(found, others[1]) and not same(found, net)


def test_checkpoints_from_before_an_option_existed(tmp_path):
    """What a recipe does not name was not used: the same bits, or words that name the option."""
    data, whole, parts = task(), *(network(task()) for _ in range(2))
    fit(whole, data, epochs=2, schedule=bs.schedules.Constant())
    fit(parts, data, epochs=1, schedule=bs.schedules.Constant(), out=tmp_path)
    stored, meta = file_format.read(tmp_path / "last.npz")
    assert meta["recipe"].pop("constraints") == "()"
    file_format.write(tmp_path / "last.npz", stored, meta)
    with pytest.raises(ValueError, match="constraints None there, .*WeightConstraint.* here"):
        fit(
            network(data),
            data,
            out=tmp_path,
            start="resume",
            constraints=[bs.WeightConstraint(norm=1.0)],
        )
    fit(parts, data, epochs=2, schedule=bs.schedules.Constant(), out=tmp_path, start="resume")
    assert same(whole, parts)
    bs.save(parts, tmp_path / "last.npz")
    with pytest.raises(ValueError, match="holds a network"):
        fit(parts, data, out=tmp_path, start="resume")


def script(out, start):
    return textwrap.dedent(f"""
        import sys
        sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
        import tests.training.common as t
        data = t.task()
        net = t.network(data)
        print("ready", flush=True)
        options = dict(schedule=t.bs.schedules.Constant(), start={start!r})
        h = t.fit(net, data, epochs=60, out={str(out)!r}, **options)
        print("interrupted", h.interrupted, h.loss.size, flush=True)
        t.bs.save(net, {str(out / "final.npz")!r})
    """)


def start(out, how="new"):
    process = subprocess.Popen(
        [sys.executable, "-c", script(out, how)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def wait_for(path):
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} was never written")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a training that nobody ends leaves."""
    folder = tmp_path_factory.mktemp("whole")
    assert start(folder).wait() == 0
    return file_format.read(folder / "final.npz")[0]


@pytest.mark.slow
def test_killed_in_the_middle_and_resumed_has_the_same_bits(tmp_path, whole):
    killed = start(tmp_path / "killed")
    wait_for(tmp_path / "killed" / "last.npz")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / "final.npz").exists()
    assert start(tmp_path / "killed", "resume").wait() == 0
    found = file_format.read(tmp_path / "killed" / "final.npz")[0]
    assert found.keys() == whole.keys()
    assert all(np.array_equal(found[name], whole[name]) for name in whole)


@pytest.mark.slow
def test_ctrl_c_leaves_a_checkpoint_that_resumes_exactly(tmp_path, whole):
    stopped = start(tmp_path / "stopped")
    wait_for(tmp_path / "stopped" / "last.npz")
    stopped.send_signal(signal.SIGINT)
    assert "interrupted True" in stopped.communicate()[0]
    assert start(tmp_path / "stopped", "resume").wait() == 0
    found = file_format.read(tmp_path / "stopped" / "final.npz")[0]
    assert all(np.array_equal(found[name], whole[name]) for name in whole)


def test_a_folder_with_a_checkpoint_is_not_overwritten(tmp_path):
    data = task()
    fit(network(data), data, epochs=1, out=tmp_path)
    with pytest.raises(ValueError, match="start='resume'"):
        fit(network(data), data, epochs=1, out=tmp_path)
    with pytest.raises(ValueError, match="seed 5 there, 6 here"):
        fit(network(data), data, epochs=2, out=tmp_path, start="resume", seed=6)


def test_checkpoints_of_other_networks_and_damaged_ones(tmp_path):
    data = task()
    net = network(data)
    bs.save(net, tmp_path / "w.npz")
    other = bs.Network(2e-3)
    other.connect(other.input(3), other.population(2, bs.lif(), name="h"), weights=np.ones((3, 2)))
    with pytest.raises(ValueError, match="another network"):
        bs.load_weights(other, tmp_path / "w.npz")
    text = (tmp_path / "w.npz").read_bytes()
    for damaged in (text[: len(text) // 2], b"", b"not a checkpoint"):
        (tmp_path / "bad.npz").write_bytes(damaged)
        with pytest.raises(OSError, match="not a usable file of biosnn"):
            bs.load_weights(net, tmp_path / "bad.npz")
    with pytest.raises(OSError, match="there is no file"):
        bs.load_weights(net, tmp_path / "absent.npz")
    np.savez(tmp_path / "pickle.npz", meta=np.array([{"format": 1}], object))
    with pytest.raises(OSError, match="not a usable file of biosnn"):
        bs.load_weights(net, tmp_path / "pickle.npz")
    assert not list(tmp_path.glob("*.partial"))


def adapting(learn):
    net, neuron = bs.Network(2e-3), bs.ei_adaptive_lif(jump=0.2, jump_delay=4e-3)
    x, out = net.input(10), net.readout(3, tau_mem=0.06)
    e, i = (
        net.population(20, neuron, "excitatory", name="E", learn=learn),
        net.population(5, neuron, "inhibitory", name="I", learn=learn),
    )
    for pre, post in [(x, e), (x, i), (e, e), (e, i), (i, e), (i, i), (e, out)]:
        net.connect(pre, post)
    bs.fluctuation_driven(net, assumed_rates=20.0, closed_loop=False, seed=2)
    return net


def test_adaptation_is_learned_and_resumed(tmp_path):
    """Time constant and jump of every neuron change, resumed with the same bits.

    Another network gets them from a checkpoint.
    """
    data, learn = task(), {"adapt": "neuron", "jump": "neuron", "mem": "population"}
    whole, parts, loaded = (adapting(learn) for _ in range(3))
    fit(
        whole,
        data,
        epochs=4,
        optimizer=bs.Adam(0.02),
        schedule=bs.schedules.Constant(),
        out=tmp_path / "a",
    )
    jumps, taus = whole.spike_jumps("E")["w_adapt"], whole.time_constants("E")
    assert (
        np.ptp(jumps) > 0.005
        and np.ptp(taus["adapt"]) > 5e-4
        and np.all(jumps > 0)
        and abs(taus["mem"] - 0.02) > 1e-5
    )
    for epochs in (2, 4):
        fit(
            parts,
            data,
            epochs=epochs,
            optimizer=bs.Adam(0.02),
            schedule=bs.schedules.Constant(),
            out=tmp_path / "b",
            start="resume",
            threads=1,
        )
    assert same(whole, parts)
    bs.load_weights(loaded, tmp_path / "a" / "last.npz")
    for net in (parts, loaded):
        assert all(np.array_equal(net.parameters[key], p) for key, p in whole.parameters.items())
    assert np.array_equal(loaded.spike_jumps("E")["w_adapt"], jumps)
    with pytest.raises(ValueError, match="another network"):
        bs.load_weights(adapting({"jump": "population"}), tmp_path / "a" / "last.npz")


def test_validation_may_begin_when_a_training_is_resumed(tmp_path):
    """Epochs without validation have no say in which is the best."""
    data, net = task(), network(task())
    fit(net, data, epochs=2, validation=None, out=tmp_path)
    history = fit(
        net, data, epochs=6, validation=data[:20], out=tmp_path, start="resume", early_stopping=10
    )
    assert history.loss.size == 6 and np.isnan(history.validation_loss[:2]).all()
    assert history.best_epoch == 2 + history.validation_loss[2:].argmin()


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(schedule=bs.schedules.Step((0.1,), 1e-3)), "schedule Cosine.* there, Step.* here"),
        (dict(differentiate_reset=True), "differentiate_reset None there"),
        (dict(batch=20), "batch 40 there, 20 here"),
        (dict(seed=6), "seed 5 there"),
    ],
)
def test_another_recipe_is_refused_and_changes_nothing(change, words, tmp_path):
    data = task()
    fit(network(data), data, epochs=1, out=tmp_path)
    other = network(data)
    before = {name: weights + 1 for name, weights in other.weights.items()}
    for name, weights in before.items():
        other.set_weights(name, weights)
    with pytest.raises(ValueError, match=words):
        fit(other, data, epochs=2, out=tmp_path, start="resume", **change)
    assert all(np.array_equal(other.weights[name], weights) for name, weights in before.items())


def test_other_data_of_equal_size_are_refused(tmp_path):
    data = task()
    fit(network(data), data, epochs=1, out=tmp_path)
    other = bs.SpikeTrains(
        data.times * 0.99, data.units, data.offsets, data.n_units, data.duration, data.labels
    )
    with pytest.raises(ValueError, match="another training: data "):
        fit(network(data), other, epochs=2, out=tmp_path, start="resume")
