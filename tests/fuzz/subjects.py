"""What the campaigns on files write and read: a file of every kind that biosnn reads, and a digest
of what comes out of it.

    KINDS[kind].make(path)    writes the file
    KINDS[kind].load(path)    reads it, goes on from it for a few steps, and returns a digest of all
                              that follows from it
"""

import contextlib
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from unittest import mock

import h5py
import numpy as np

import biosnn as bs
from biosnn.data import load_shd, load_speakers
from biosnn.experiments import point_file
from biosnn.experiments.point import point_of
from biosnn.experiments.worker import Outcome
from tests import whole_networks

DT = 1e-3
TRIALS, SHD_UNITS = 20, 700


class Kind(NamedTuple):
    """make, load: as above; container: of mutations.impossible."""

    make: Callable
    load: Callable
    container: str


def digest(*arrays):
    state = hashlib.blake2b(digest_size=8)
    for array in arrays:
        state.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return state.hexdigest()


def of_trains(trains):
    """Digest of spike trains by name."""
    return digest(
        *(
            getattr(trains[name], part)
            for name in sorted(trains)
            for part in ("times", "units", "duration")
        )
    )


# ----------------------------------------------------------------------------------------- training


def trained(learn=("mem",)):
    """(network with learned time constants, data)."""
    rng, net = np.random.default_rng(2), bs.Network(2e-3)
    x, h = (
        net.input(10),
        net.population(
            12, bs.ei_lif(), "excitatory", name="h", learn=dict.fromkeys(learn, "neuron")
        ),
    )
    out = net.readout(3, tau_mem=0.06)
    for pre, post, scale, delay in ((x, h, 2.0, 4e-3), (h, h, 0.3, 6e-3), (h, out, 0.3, 0.0)):
        net.connect(pre, post, delay=delay, weights=np.abs(rng.normal(0, scale, (pre.n, post.n))))
    return net, bs.data.poisson(40.0, 10, 0.06, TRIALS, seed=1, labels=np.arange(TRIALS) % 3)


def fit(net, data, epochs, folder, start, stateful):
    options = dict(
        batch=5,
        validation=None if stateful else 0.2,
        seed=5,
        progress=False,
        threads=1,
        optimizer=bs.Adam(1e-2),
    )
    return bs.train(net, data, epochs=epochs, out=folder, start=start, stateful=stateful, **options)


def make_training(path, stateful=False):
    """A training that stands after an epoch; or, where trials go on from each other, in the middle
    of the second one.
    """
    folder, (net, data) = path.parent / f"{path.name}.folder", trained()
    calls = []

    @contextlib.contextmanager
    def interrupt():
        yield lambda: calls.append(1) or len(calls) > 7

    with (
        mock.patch("biosnn.training.train.graceful_interrupt", interrupt)
        if stateful
        else contextlib.nullcontext()
    ):
        fit(net, data, 2 if stateful else 1, folder, "overwrite", stateful)
    (folder / "last.npz").replace(path)


def load_training(path, stateful=False):
    """Resumed to the end of the second epoch."""
    folder, (net, data) = path.parent / f"{path.name}.folder", trained()
    folder.mkdir(exist_ok=True)
    (folder / "last.npz").write_bytes(path.read_bytes())
    history = fit(net, data, 2, folder, "resume", stateful)
    return digest(*net.weights.values(), *net.parameters.values(), history.loss)


def load_weights(path):
    net, _ = trained()
    bs.load_weights(net, path)
    return digest(*net.weights.values(), *net.parameters.values())


# ----------------------------------------------------------------------------------------- networks


def wholes():
    """Two networks: one for `simulate`, one with noise and what is learned."""
    return whole_networks.plastic(), whole_networks.layered()


def load_network(path):
    """A digest of all that a network is, and of what it does."""
    net = bs.load(path)
    parts = [*net.weights.values(), *net.parameters.values()]
    for name, synapses in net.synapses.items():
        parts += [synapses.first, synapses.target, synapses.delay, *net.indices(name)]
    words = [repr(net), net.fingerprint(), *map(repr, net.projections)]
    words += [str((p.frozen, p.gradient_to_source, net.in_degree(p))) for p in net.projections]
    parts.append(np.frombuffer("".join(words).encode(), np.uint8))
    trains = whole_networks.spikes()
    if any(p.plasticity for p in net.projections):
        return digest(*parts) + of_trains(bs.simulate(net, 0.05, trains, threads=1).spikes)
    return digest(*parts, bs.run(net, trains, threads=1, seed=1).counts["h"])


# ------------------------------------------------------------------------------------------- states


def batch():
    """(network, trials) for `run`."""
    net, data = trained()
    return net, data[:3]


def make_run(path):
    net, data = batch()
    bs.save_state(bs.run(net, data, threads=1).state, path)


def load_run(path):
    net, data = batch()
    trace = bs.run(net, data, record=["h.U"], state=bs.load_state(path), threads=1)
    return digest(trace.states["h.U"], trace.states["readout.U"], trace.counts["h"], trace.start)


def circuit():
    """(network with plasticity of both kinds and delays of its own, options of `simulate`)."""
    net = bs.Network(DT)
    x = net.input(5)
    e, i = (
        net.population(n, bs.ei_lif(threshold=0.5, refractory=3e-3), sign, name=name)
        for n, sign, name in ((40, "excitatory", "E"), (10, "inhibitory", "I"))
    )
    net.connect(x, e, delay=2e-3, weights=np.full((5, 40), 1.0))
    net.connect(
        e,
        i,
        delay=lambda rng, size: rng.integers(0, 7, size) * DT,
        weights=0.5,
        synapses=bs.Bernoulli(0.5),
        seed=1,
    )
    net.connect(
        e,
        e,
        delay=3e-3,
        weights=0.3,
        synapses=bs.Bernoulli(0.3),
        seed=2,
        plasticity=bs.TsodyksMarkram(0.5, 0.2, 0.1),
    )
    net.connect(
        i,
        e,
        delay=5e-3,
        weights=0.2,
        synapses=bs.Bernoulli(0.5),
        seed=3,
        plasticity=bs.InhibitorySTDP(0.01, 5.0, w_max=3.0),
    )
    background = [bs.PoissonInput("E", 800.0, 0.3), bs.OrnsteinUhlenbeck("I", 0.2, 0.2, 10e-3)]
    return net, dict(background=background, threads=1, progress=False)


def simulated(duration, **options):
    net, given = circuit()
    return bs.simulate(
        net, duration, bs.data.poisson(50.0, 5, duration, 1, seed=4), **given, **options
    )


def make_simulation(path):
    bs.save_state(simulated(0.1).state, path)


def load_simulation(path):
    result = simulated(0.03, state=bs.load_state(path))
    return of_trains(result.spikes) + digest(
        result.start, *(result.state.arrays[name] for name in ("states", "held", "weight/I->E"))
    )


def make_spikes(path):
    """A file of many short slices."""
    with mock.patch("biosnn.engine.stream_run._SLICE", 0.0):
        simulated(0.1, out=path)


# ------------------------------------------------------------------------------------------- digits


def make_digits(path, **storage):
    """A file in the layout of SHD. storage: options of h5py's create_dataset."""
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        counts = rng.integers(0, 60, TRIALS)
        for name, kind, draw in (
            ("times", np.float16, lambda n: np.sort(rng.random(n))),
            ("units", np.uint16, lambda n: rng.integers(0, SHD_UNITS, n)),
        ):
            stored = file.create_dataset(
                f"spikes/{name}", (TRIALS,), h5py.vlen_dtype(kind), **storage
            )
            for b, n in enumerate(counts):
                stored[b] = draw(n).astype(kind)
        file.create_dataset("labels", data=rng.integers(0, 20, TRIALS), **storage)
        file.create_dataset(
            "extra/speaker", data=rng.integers(0, 12, TRIALS).astype(np.uint16), **storage
        )


def load_digits(path):
    trains = load_shd(path)
    return of_trains({"": trains}) + digest(trains.offsets, trains.labels)


# ------------------------------------------------------------------------------------------- events


def make_events(path):
    rng = np.random.default_rng(0)
    events = np.zeros(200, [("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "?")])
    events["t"], events["x"], events["y"] = (
        np.sort(rng.integers(0, 50_000, 200)),
        rng.integers(0, 16, 200),
        rng.integers(0, 8, 200),
    )
    events["p"] = rng.random(200) < 0.5
    with open(path, "wb") as file:
        np.save(file, events)


def load_events(path):
    return of_trains({"": bs.data.from_event_arrays([np.load(path)], (16, 8, 2), labels=[0])})


# ------------------------------------------------------------------------------------------ sweeps


def results(x, seed):
    rng = np.random.default_rng(seed)
    trains = bs.data.poisson(50.0, 3, 0.1, 2, seed=seed, labels=[0, 1])
    net = bs.Network(DT)
    net.population(2, bs.lif(), name="E")
    run = bs.run(net, duration=0.01, record=["E.U"], threads=1)
    return {"number": x, "word": "one", "array": rng.random((3, 4)), "trains": trains, "run": run}


def make_point(path):
    with TemporaryDirectory() as folder:
        options = {"out": folder, "executor": 1, "progress": False}
        bs.sweep(results, {"x": [1.5]}, version="1", **options)
        (file,) = Path(folder, "points").iterdir()
        shutil.copy(file, path)


def load_point(path):
    """A point as a sweep has it, with all of its results."""
    with TemporaryDirectory() as folder:
        point = point_of(Outcome(point_file.read(path)[0], None), Path(folder))
        Path(folder, "points").mkdir()
        place = point_file.path_of(folder, point.key)
        shutil.copy(path, place)
        found = [point[name] for name in point.names]
    words = f"{bs.experiments.Sweep('results', (point,), 1, 1, False)} {point}"
    arrays = [each for each in found if isinstance(each, np.ndarray)]
    trains = [each for each in found if isinstance(each, bs.SpikeTrains)]
    runs = [each for each in found if isinstance(each, bs.data.Recording)]
    arrays += [array for run in runs for array in run.states.values()]
    return digest(np.array([words.encode()]), *arrays, *(train.times for train in trains))


KINDS = {
    "point of a sweep": Kind(make_point, load_point, "npz"),
    "weights": Kind(lambda path: bs.save(trained()[0], path), load_weights, "npz"),
    "network": Kind(lambda path: bs.save(wholes()[0], path), load_network, "npz"),
    "layered network": Kind(lambda path: bs.save(wholes()[1], path), load_network, "npz"),
    "training": Kind(make_training, load_training, "npz"),
    "stateful training": Kind(
        lambda path: make_training(path, True), lambda path: load_training(path, True), "npz"
    ),
    "state of a run": Kind(make_run, load_run, "npz"),
    "state of a simulation": Kind(make_simulation, load_simulation, "npz"),
    "spikes": Kind(make_spikes, lambda path: of_trains(bs.read_spikes(path)), "spikes"),
    "digits": Kind(make_digits, load_digits, "digits"),
    "digits in chunks": Kind(
        lambda path: make_digits(path, chunks=(4,), compression="gzip"), load_digits, "digits"
    ),
    "speakers": Kind(make_digits, lambda path: digest(load_speakers(path)), "speakers"),
    "event arrays": Kind(make_events, load_events, "events"),
}
