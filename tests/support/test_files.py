"""What files hold is checked before anything is used."""

import os
import zipfile
from dataclasses import replace

import h5py
import numpy as np
import pytest

import biosnn as bs
from biosnn.data import load_shd, load_speakers, spike_file
from biosnn.support import array_file, file_format, hdf5
from tests.fuzz import subjects


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Kind -> a file of it."""
    folder = tmp_path_factory.mktemp("made")
    kinds = (
        "weights",
        "stateful training",
        "state of a run",
        "state of a simulation",
        "spikes",
        "digits",
    )
    for kind in kinds:
        subjects.KINDS[kind].make(folder / kind)
    return {kind: folder / kind for kind in kinds}


def changed(made, kind, tmp_path, change):
    """A copy of a file of arrays with other content and a right digest: change(arrays, head)."""
    arrays, head = file_format.read(made[kind])
    change(arrays, head)
    array_file.write(tmp_path / "changed.npz", arrays, head, "no")
    return tmp_path / "changed.npz"


def put(name, value, at=0):
    def change(arrays, head):
        arrays[name].reshape(-1)[at] = value

    return change


def cut(name):
    def change(arrays, head):
        arrays[name] = arrays[name][:-1]

    return change


def say(name, value):
    def change(arrays, head):
        head[name] = value

    return change


WRONG = [
    ("state of a simulation", put("spikes_units", -1), r"'spikes_units'\[0\] is -1; .* >= 0"),
    ("state of a simulation", put("spikes_units", 40, -1), "is 40; that source has .* units"),
    ("state of a simulation", put("spikes_pointers", 10**6, 1), "must rise from 0"),
    ("state of a simulation", cut("spikes_units"), "spikes_pointers must rise from 0 to"),
    ("state of a simulation", cut("inputs_units"), "inputs_pointers must rise from 0 to"),
    ("state of a simulation", cut("released"), "'released' has shape"),
    ("state of a simulation", put("states", np.nan, 3), r"'states'\[0, 3\] is nan"),
    ("state of a simulation", put("clock", 99), "'clock'.* is 99"),
    ("state of a simulation", cut("resource"), "'resource' has shape"),
    ("state of a simulation", put("resource", 1.5), r"'resource'\[0, 0\] is 1.5; .* <= 1"),
    ("state of a simulation", put("resource", 1e6, -1), "'resource'.* is 1000000.0; .* <= 100"),
    ("state of a simulation", cut("plastic/pre_trace"), "'plastic/pre_trace' has shape"),
    ("state of a simulation", put("plastic/pre_seen", 101), "'plastic/pre_seen'.* <= 100"),
    ("state of a simulation", put("plastic/post_seen", 10**9), "'plastic/post_seen'.* <= 100"),
    ("state of a simulation", put("weight/I->E", 3.5), "above w_max"),
    ("state of a simulation", cut("weight/I->E"), "'weight/I->E' has shape"),
    ("state of a simulation", say("step", -5), "the step is -5"),
    ("state of a simulation", say("step", 10**18), "the step is 10"),
    ("state of a simulation", cut("ou"), "'ou' has shape"),
    ("state of a simulation", put("ou_sources", 7), "Ornstein-Uhlenbeck"),
    ("state of a simulation", lambda a, h: a.pop("key"), "lacks the array 'key'"),
    ("state of a run", cut("inputs_units"), "inputs_pointers must rise from 0 to"),
    ("state of a run", put("states", np.nan), r"'states'\[0, 0\]"),
    ("state of a run", cut("states"), "of 2 trials, and there are 3"),
    ("state of a run", cut("held"), "'held' has shape"),
    ("state of a run", put("clock", 10**6), "'clock'"),
    ("state of a run", say("step", -5), "-5"),
    (
        "state of a run",
        put("spikes_units", 12),
        r"spikes_units\[0\] is 12; that source has 12 units",
    ),
    ("state of a run", put("inputs_pointers", 10**6, 1), "must rise from 0"),
    ("state of a run", lambda a, h: a.update(x=a["states"]), "'x'"),
    ("stateful training", cut("optimizer/mean"), "'optimizer/mean' has shape"),
    ("stateful training", cut("state/clock"), "'state/clock'"),
    ("stateful training", put("optimizer/square", -1.0), r"'optimizer/square'\[0\] is -1"),
    ("stateful training", say("epoch", 1e20), "the epoch"),
    ("stateful training", say("epoch", 10**20), "the epoch"),
    ("stateful training", say("batch", 5), "the batch is 5; .* from 0 to 4"),
    ("stateful training", say("epoch", 2), "must be"),
    ("stateful training", put("best", np.inf), "'best'"),
    ("stateful training", put("weight/h->h", -1.0), "projection 'h->h': weight .* violates Dale"),
    ("stateful training", put("parameter/h/mem", -50.0), "'parameter/h/mem'"),
    ("stateful training", say("recipe", 3), "recipe is 3"),
    ("stateful training", cut("state/spikes_units"), "spikes_pointers"),
    ("weights", put("weight/h->readout", np.nan), "'weight/h->readout'.* is nan"),
    ("weights", cut("parameter/h/mem"), "'parameter/h/mem' has shape"),
    ("weights", lambda a, h: a.update({"x": a["parameter/h/mem"]}), "has the array 'x'"),
    (
        "weights",
        lambda a, h: a.update({"weight/h->h": a["weight/h->h"].astype(float)}),
        "has the type float64; it must be float32",
    ),
]


@pytest.mark.parametrize("kind, change, words", WRONG)
def test_what_cannot_be_is_refused_in_words(made, tmp_path, kind, change, words):
    path = changed(made, kind, tmp_path, change)
    with pytest.raises(ValueError, match=words):
        subjects.KINDS[kind].load(path)


@pytest.mark.parametrize(
    "kind", ["state of a run", "state of a simulation", "stateful training", "weights"]
)
def test_what_can_be_is_read(made, tmp_path, kind):
    assert subjects.KINDS[kind].load(made[kind]) == subjects.KINDS[kind].load(
        changed(made, kind, tmp_path, lambda arrays, head: None)
    )


def test_states_in_memory_are_checked_like_those_of_files(made):
    state = bs.load_state(made["state of a simulation"])
    net, options = subjects.circuit()
    units = state.arrays["spikes_units"].copy()
    units[0] = -1
    for wrong, words in (
        (replace(state, arrays=state.arrays | {"spikes_units": units}), "'spikes_units'"),
        (replace(state, step=-5), "-5"),
        (
            replace(state, arrays=state.arrays | {"states": state.arrays["states"].tolist()}),
            "'states' has the type float64",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            bs.simulate(net, 0.01, state=wrong, **options)


def test_a_spike_cannot_be_on_its_way_twice(made, tmp_path):
    """The list of a step has room for one spike of each neuron; inputs may have several."""

    def twice(arrays, head):
        units, pointers = arrays["spikes_units"], arrays["spikes_pointers"]
        arrays["spikes_units"] = np.insert(units, 0, units[0])
        pointers[pointers > 0] += 1

    with pytest.raises(ValueError, match="is there twice"):
        subjects.load_simulation(changed(made, "state of a simulation", tmp_path, twice))


def test_weights_are_checked_before_any_is_assigned(made, tmp_path):
    net, _ = subjects.trained()
    before = {name: np.full_like(weights, 0.5) for name, weights in net.weights.items()}
    for name, weights in before.items():
        net.set_weights(name, weights)
    for change in (
        put("weight/h->readout", np.nan),
        cut("parameter/h/mem"),
        put("parameter/h/mem", np.inf),
    ):
        with pytest.raises(ValueError):
            bs.load_weights(net, changed(made, "weights", tmp_path, change))
        assert all(np.array_equal(net.weights[name], weights) for name, weights in before.items())


def test_a_refused_checkpoint_changes_nothing(made, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "last.npz").write_bytes(
        changed(made, "stateful training", tmp_path, cut("state/spikes_units")).read_bytes()
    )
    net, data = subjects.trained()
    before = {name: weights.copy() for name, weights in net.weights.items()}
    with pytest.raises(ValueError, match="spikes_pointers"):
        subjects.fit(net, data, 2, folder, "resume", True)
    assert all(np.array_equal(net.weights[name], weights) for name, weights in before.items())


# --------------------------------------------------------------------------------------- containers


def test_changed_numbers_do_not_have_the_digest(made, tmp_path):
    arrays, _ = file_format.read(made["weights"])
    with np.load(made["weights"]) as file:
        head = file["meta"]
    arrays["weight/h->h"][0, 0] += 1
    np.savez(tmp_path / "w.npz", **arrays, meta=head)
    with pytest.raises(OSError, match="w.npz is not a usable file of biosnn.*digest"):
        bs.load_weights(subjects.trained()[0], tmp_path / "w.npz")


@pytest.mark.parametrize("wrong", [{}, [], ["weights"], None, 3])
@pytest.mark.parametrize("name", ["kind", "format", "fingerprint"])
def test_heads_that_say_something_else(made, tmp_path, name, wrong):
    with pytest.raises(OSError, match="not a usable file of biosnn"):
        bs.load_weights(subjects.trained()[0], changed(made, "weights", tmp_path, say(name, wrong)))


def test_archives_that_claim_more_than_they_are(tmp_path):
    path = tmp_path / "w.npz"
    np.savez_compressed(path, meta=np.zeros(50_000_000, np.uint8))
    assert path.stat().st_size < 100_000
    with pytest.raises(OSError, match="members are larger than the file"):
        bs.load_weights(subjects.trained()[0], path)
    described = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }"
    header = (b"\x93NUMPY\x01\x00v\x00" + described).ljust(127) + b"\n"
    for wrong in (
        header,
        header.replace(b"<f8", b"|O "),
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f",
        b"",
        header[:20],
    ):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("meta.npy", wrong)
        with pytest.raises(OSError, match="not a usable file of biosnn"):
            bs.load_state(path)


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe"):
        for read in (
            bs.load_state,
            bs.read_spikes,
            load_shd,
            load_speakers,
            lambda path: bs.load_weights(subjects.trained()[0], path),
        ):
            with pytest.raises(OSError, match=path.name):
                read(path)
    for wrong in (3, None, b"x", ""):
        with pytest.raises(ValueError, match="path"):
            bs.load_state(wrong)


@pytest.mark.parametrize("n", [1 << 36, 1 << 22])
def test_digits_that_claim_more_than_the_file_holds(tmp_path, n):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, kind in (("times", np.float16), ("units", np.uint16)):
            file.create_dataset(f"spikes/{name}", (n,), h5py.vlen_dtype(kind), chunks=(1024,))
        for name in ("labels", "extra/speaker"):
            file.create_dataset(name, (n,), np.int64, chunks=(1024,))
    for read in (load_shd, load_speakers):
        with pytest.raises(OSError, match=f"a.h5 .*claims {n} entries"):
            read(tmp_path / "a.h5")


def test_entries_that_are_all_at_one_place(tmp_path):
    """A megabyte of references, each to the same 40 kB: 2.4 GB."""
    n = 60_000
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["labels"] = np.zeros(n, int)
        places = []
        for name, kind in (("times", np.float16), ("units", np.uint16)):
            stored = file.create_dataset(f"spikes/{name}", (n,), h5py.vlen_dtype(kind))
            stored[0] = np.zeros(20_000, kind)
            places.append(stored.id.get_offset())
    data = bytearray((tmp_path / "a.h5").read_bytes())
    for first in places:
        data[first : first + 16 * n] = data[first : first + 16] * n
    (tmp_path / "a.h5").write_bytes(data)
    with pytest.raises(OSError, match="larger than a file of"):
        load_shd(tmp_path / "a.h5")


def test_a_library_that_crashes_or_hangs_is_an_error(made, monkeypatch, tmp_path):
    for program, words in (
        ("import os; os.abort()", "the HDF5 library ended with code"),
        ("while True: pass", "ended with code|not read within"),
    ):
        (tmp_path / "child.py").write_text(
            "import runpy, sys\nsys.modules['h5py'] = type(sys)('h5py')\nm = "
            f"runpy.run_path({hdf5.hdf5_child.__file__!r})\nm['_limit'](1000)\n{program}\n"
        )
        monkeypatch.setattr(hdf5.hdf5_child, "__file__", str(tmp_path / "child.py"))
        with pytest.raises(OSError, match=words):
            load_shd(made["digits"])
        monkeypatch.undo()
    assert len(load_shd(made["digits"])) == subjects.TRIALS


# ------------------------------------------------------------------------------------------- spikes


def test_a_file_of_spikes_that_lost_or_changed_something(made, tmp_path):
    whole, path = made["spikes"].read_bytes(), tmp_path / "a.spikes"
    trains, line = bs.read_spikes(made["spikes"]), whole.index(b"\n") + 1
    rng, record = np.random.default_rng(0), spike_file._RECORD.itemsize
    for _ in range(200):  # every bit counts
        data = bytearray(whole)
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(data)
        with pytest.raises(OSError, match="a.spikes is not a file of spikes"):
            bs.read_spikes(path)
    for n in rng.integers(line + record, len(whole), 50):  # cut off: a run that was killed then
        path.write_bytes(whole[:n])
        found = bs.read_spikes(path)
        assert all(
            np.array_equal(
                found[name].times,
                trains[name].times[trains[name].times < found[name].duration - 1e-9],
            )
            for name in trains
        )
    path.write_bytes(whole + bytes(1000))  # what a loss of power may leave
    assert subjects.of_trains(bs.read_spikes(path)) == subjects.of_trains(trains)
    for wrong in (b"", whole[:line], whole[:10], b"x" * 100):
        path.write_bytes(wrong)
        with pytest.raises(OSError, match="is not a file of spikes"):
            bs.read_spikes(path)


def test_two_simulations_do_not_write_to_one_file(tmp_path):
    net, _ = subjects.circuit()
    first = spike_file.SpikeFile(tmp_path / "a.spikes", net, ["E"], 0.0)
    with pytest.raises(ValueError, match="another simulation writes its spikes to .*a.spikes"):
        subjects.simulated(0.02, out=tmp_path / "a.spikes")
    first.close()
    subjects.simulated(0.02, out=tmp_path / "a.spikes")
    assert bs.read_spikes(tmp_path / "a.spikes")["E"].duration == pytest.approx(0.02)


def test_where_spikes_cannot_be_written():
    with pytest.raises(OSError, match="/proc/none"):
        subjects.simulated(0.02, out="/proc/none/a.spikes")


# --------------------------------------------------------------------------- folders of checkpoints
