"""Training over the processes of a communicator: the bits of one process, whatever their number."""

import hashlib
import sys
import threading
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import chunks
from biosnn.support import progress
from tests.support.communicators import mpiexec, on_ranks, run_page, run_under_mpi
from tests.training.common import fit, network, same, task

CURVES = ("loss", "score", "regularizer", "validation_loss", "validation_score", "learning_rate")


@pytest.fixture(autouse=True)
def own_hook(monkeypatch):
    """What prints errors is put back afterwards."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


def alike(a, b):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name), equal_nan=True) for name in CURVES
    )


def trained(data, options, make=network):
    """(network, history) for each process of a communicator."""

    def work(communicator):
        net = make(data)
        return net, fit(net, data, communicator=communicator, **options)

    return work


NOISY = dict(dropout=0.1, augment=[bs.TimeShift(5e-3)], clip=0.5, validation=0.4)


@pytest.mark.parametrize("size, threads", [(2, 1), (3, 2), (7, 1)])
def test_the_bits_of_one_process(size, threads):
    """Seven processes have two or three chunks each, or none."""
    data = task()
    make = partial(network, learn={"mem": "population"})
    net = make(data)
    expected = fit(net, data, epochs=2, **NOISY)
    found = on_ranks(size, trained(data, dict(epochs=2, threads=threads, **NOISY), make))
    for other, history in found:
        assert same(net, other) and alike(history, expected)
        assert all(np.array_equal(net.parameters[k], other.parameters[k]) for k in net.parameters)
        assert np.array_equal(history.seconds, found[0][1].seconds)


def test_more_processes_than_chunks():
    data, net = task(), network(task())
    expected = fit(net, data, epochs=1, batch=2)
    for other, history in on_ranks(5, trained(data, dict(epochs=1, batch=2))):
        assert same(net, other) and alike(history, expected)


def test_every_process_has_neighbouring_chunks():
    bounds = np.array([0, 8, 16, 24, 32, 34, 36])
    for size in (1, 2, 3, 4, 9):
        ranks = [type("R", (), {"rank": k, "size": size}) for k in range(size)]
        own = [list(chunks.own_chunks(bounds, each)) for each in ranks]
        assert [c for each in own for c in each] == list(range(6))
        trials = [sum(bounds[c + 1] - bounds[c] for c in each) for each in own]
        assert max(trials) <= 36 / size + 8


def test_pieces_of_long_recordings_go_on():
    data = task()
    options = dict(stateful=True, validation=None, batch=20, epochs=2)
    net = network(data)
    expected = fit(net, data, **options)
    for other, history in on_ranks(3, trained(data, options)):
        assert same(net, other) and alike(history, expected)


@pytest.mark.parametrize("stateful", [False, True])
def test_resumed_by_another_number_of_processes(tmp_path, stateful):
    """The first process alone has the folder."""
    data = task()
    options = dict(schedule=bs.schedules.Constant(), stateful=stateful, batch=20, validation=None)
    whole = network(data)
    expected = fit(whole, data, epochs=3, **options)

    def part(epochs):
        def work(communicator):
            net = network(data)
            out = tmp_path if communicator.rank == 0 else None
            more = dict(epochs=epochs, out=out, start="resume", communicator=communicator)
            return net, fit(net, data, **options, **more)

        return work

    on_ranks(3, part(1))
    on_ranks(2, part(2))
    assert same(bs.load(tmp_path / "last.npz"), on_ranks(1, part(2))[0][0])
    for net, history in on_ranks(4, part(3)):
        assert same(net, whole) and alike(history, expected)


def test_what_is_sent_of_the_gradient():
    """To the next process and back: sums travel, not chunks, however many there are."""
    data, sent = task(), []

    def work(communicator):
        send = communicator.Send
        communicator.Send = lambda array, dest: (sent.append(array.nbytes), send(array, dest))
        net = network(data)
        fit(net, data, epochs=1, batch=180, validation=None, communicator=communicator)
        return net

    net, _ = on_ranks(2, work)
    assert sent.count(sum(w.nbytes for w in net.weights.values())) == 2
    assert len(sent) == 4  # and what neurons learn


# --------------------------------------------------------------------------- one process goes wrong


@pytest.mark.parametrize(
    "change, named",
    [
        (lambda rank: {"data": task(rank // 2)}, "data"),
        (lambda rank: {"seed": rank // 2}, "seed"),
        (lambda rank: {"epochs": 1 + rank // 2}, "epochs"),
        (lambda rank: {"optimizer": bs.Adam(1e-3 * (1 + rank // 2))}, "optimizer"),
        (lambda rank: {"net": network(task(), sigma_u=1 + rank // 2)}, "weights"),
    ],
)
def test_what_differs_between_processes_is_named(change, named):
    def work(communicator):
        options = {"data": task(), "epochs": 1} | change(communicator.rank)
        data = options.pop("data")
        net = options.pop("net", None) or network(task())
        return fit(net, data, communicator=communicator, **options)

    found = on_ranks(3, work)
    message = str(found[0])
    assert f"{named} (" in message and "on rank 2). Each of them must make the same call" in message
    assert [(type(each), str(each)) for each in found] == [(ValueError, message)] * 3


def test_an_optimizer_that_draws_without_a_seed():
    class Noisy(bs.SGD):
        def step(self, parameters, gradient, state, rate):
            super().step(parameters, gradient, state, rate)
            parameters += 1e-6 * np.random.default_rng().random()

        def __repr__(self):
            return "Noisy()"

    found = on_ranks(2, trained(task(), dict(epochs=1, optimizer=Noisy(0.1))))
    assert all("the weights after epoch 0 (" in str(each) for each in found)
    assert all("needs a seed" in str(each) for each in found)


def test_a_state_that_is_not_finite_ends_all():
    """On the process that has the trial; all hold the last finite weights."""
    spikes = np.zeros((40, 20, 1))
    spikes[:, 19], spikes[33, :10] = 1, 1  # it ends first: the last process has it
    data, nets = bs.SpikeTrains.from_dense(spikes, 1e-3, labels=np.arange(40) % 2), {}

    def work(communicator):
        net = nets[communicator.rank] = bs.Network(1e-3)
        net.connect(net.input(1), net.readout(2), weights=[[3e38, 3e38]])
        fit(net, data, validation=None, regularizers=[], batch=40, communicator=communicator)

    found = on_ranks(3, work)
    assert [type(each) for each in found] == [ValueError] * 3
    assert len({str(each) for each in found}) == 1 and "in trial 33; " in str(found[0])
    assert all(np.all(net.weights["input->readout"] == np.float32(3e38)) for net in nets.values())


def test_the_callback_is_called_once_and_ends_all():
    seen = []

    def work(communicator):
        def ended(epoch):
            seen.append(communicator.rank)
            return len(seen) == 2

        callback = ended if communicator.rank == 0 else None
        return fit(network(task()), task(), epochs=9, callback=callback, communicator=communicator)

    assert [history.loss.size for history in on_ranks(3, work)] == [2, 2, 2] and seen == [0, 0]


def test_an_error_of_the_callback_ends_all():
    def broken(epoch):
        raise LookupError("my own")

    found = on_ranks(3, trained(task(), dict(epochs=2, callback=broken)))
    assert [(type(each), str(each)) for each in found] == [(LookupError, "my own")] * 3


@pytest.mark.parametrize("thrown", [False, True])
def test_ctrl_c_on_one_process_ends_all_after_the_same_batch(tmp_path, monkeypatch, thrown):
    """Within a batch, which is thrown away, or between two; and then the same bits."""
    data, options = task(), dict(epochs=2, schedule=bs.schedules.Constant())
    expected = fit(whole := network(data), data, **options)
    pressed = {}

    @contextmanager
    def interrupt():
        yield lambda: pressed.get(threading.current_thread().name, False)

    def gradient(*arguments):
        count[threading.current_thread().name] = count.get(threading.current_thread().name, 0) + 1
        if threading.current_thread().name == "rank 1" and count["rank 1"] == 3:
            pressed["rank 1"] = True
            if thrown:
                raise progress.ThrownAway
        return chunked(*arguments)

    count, chunked = {}, chunks.chunked_gradient
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["biosnn.training.train"], "graceful_interrupt", interrupt)
        patch.setattr(chunks, "chunked_gradient", gradient)
        found = on_ranks(3, trained(data, options | {"out": tmp_path}))
    assert all(history.interrupted and history.loss.size == 0 for _, history in found)
    assert all(same(net, found[0][0]) for net, _ in found)
    history = fit(found[0][0], data, out=tmp_path, start="resume", **options)
    assert same(found[0][0], whole) and alike(history, expected)


def test_no_communicator():
    with pytest.raises(TypeError, match=r"communicator is True; .*biosnn\[mpi\]"):
        fit(network(task()), task(), communicator=True)


# ------------------------------------------------------------------------------------------ mpiexec


SCRIPT = """
import hashlib, sys
from mpi4py import MPI
import biosnn as bs
from biosnn.engine import chunks
from tests.training.common import fit, network, task

chunks._LEAST_WORK = 0
rank = MPI.COMM_WORLD.rank
data = task(rank if sys.argv[1] == "careless" else 0)
net = network(task())
options = dict(schedule=bs.schedules.Constant(), threads=1, progress=True)
history = fit(net, data, epochs=2, communicator=MPI.COMM_WORLD, **options)
weights = b"".join(each.tobytes() for each in net.weights.values())
words = hashlib.sha256(weights + history.loss.tobytes() + history.validation_loss.tobytes())
print("bits " + words.hexdigest() + "\\n", end="", flush=True)
"""


@pytest.fixture
def under_mpi(tmp_path):
    pytest.importorskip("mpi4py")
    if mpiexec() is None:
        pytest.skip("no mpiexec beside Python")
    return lambda n, *arguments: run_under_mpi(n, SCRIPT, tmp_path, *arguments)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_processes_of_mpiexec_have_the_bits_of_one(under_mpi, n):
    net = network(task())
    history = fit(net, task(), epochs=2, schedule=bs.schedules.Constant())
    weights = b"".join(each.tobytes() for each in net.weights.values())
    words = hashlib.sha256(weights + history.loss.tobytes() + history.validation_loss.tobytes())
    done = under_mpi(n, "careful")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["bits", words.hexdigest()] * n
    assert done.stderr.count("training 100 %") == 1


@pytest.mark.slow
def test_the_script_of_the_page(tmp_path):
    printed = run_page("train_mpi.py", tmp_path)
    assert printed.endswith("%\n") and int(printed[:-2]) > 60
    assert (tmp_path / "run" / "last.npz").exists()


def test_careless_processes_of_mpiexec_are_told_once(under_mpi):
    done = under_mpi(2, "careless")
    assert done.returncode != 0 and not done.stdout
    assert done.stderr.count("ValueError: the processes of the communicator differ in") == 1
