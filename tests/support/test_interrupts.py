"""Ctrl-C: within a second, always, with what is documented; a second one at once; ignored where the
process ignores it.
"""

import os
import signal
import threading
import time

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import chunks
from biosnn.support import progress
from biosnn.support.threads import on_threads

if "PYTEST_XDIST_WORKER" in os.environ:  # whom a Ctrl-C that goes astray would end
    pytest.skip(
        "runs in a process of its own, from test_interrupts_apart.py", allow_module_level=True
    )

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No test takes the Ctrl-C of the one before for its first."""
    monkeypatch.setattr(progress, "_last", [-1e9])


class Press:
    """Ctrl-C after some seconds of a block; `waited`: how long the block went on then."""

    def __init__(self, after):
        self.after = after

    @property
    def soon(self):
        return 0 <= self.waited < 1

    def __enter__(self):
        def press():
            self.at = time.perf_counter()
            signal.raise_signal(signal.SIGINT)

        self.timer = threading.Timer(self.after, press)
        self.timer.start()
        return self

    def __exit__(self, *_):
        self.timer.cancel()  # where the block ended before
        self.waited = time.perf_counter() - getattr(self, "at", np.inf)
        self.timer.join()


def network(n=150):
    net = bs.Network(1e-3)
    x, h = net.input(20), net.population(n, bs.ei_lif(), "excitatory", name="h")
    net.connect(x, h, delay=0, weights=RNG.exponential(0.5, (20, n)), receptor="exc")
    net.connect(h, h, delay=1e-3, weights=RNG.exponential(0.02, (n, n)))
    net.connect(h, net.readout(2), delay=0, weights=RNG.exponential(0.2, (n, 2)))
    return net


@pytest.fixture(scope="module")
def warm():
    """A network whose kernels are compiled, with data for longer than any test."""
    net = network()
    bs.train(net, data(4, 0.05), epochs=1, progress=False)
    return net


def data(trials, seconds):
    return bs.data.poisson(20, 20, seconds, trials, seed=1, labels=np.arange(trials) % 2)


# ------------------------------------------------------------------------------------------- passes


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "trials, seconds", [(6000, 1.0), (1, 3000.0)], ids=["many trials", "one long trial"]
)
def test_run_ends_within_a_second(warm, trials, seconds, threads):
    given = data(trials, seconds)
    with pytest.raises(KeyboardInterrupt), Press(0.5) as pressed:
        bs.run(warm, given, threads=threads)
    assert pressed.soon


def test_gradient_ends_within_a_second(warm):
    trace = bs.run(warm, data(60, 2.0), tape=True)
    slope = {"readout.U": np.ones_like(trace.states["readout.U"])}
    with pytest.raises(KeyboardInterrupt), Press(0.1) as pressed:
        for _ in range(100):
            bs.gradient(trace, states=slope)
    assert pressed.soon


def test_evaluate_ends_within_a_second(warm):
    given = data(3000, 1.0)
    with pytest.raises(KeyboardInterrupt), Press(0.7) as pressed:
        for _ in range(100):
            bs.evaluate(warm, given, batch=3000)
    assert pressed.soon


def test_an_interrupted_pass_leaves_no_trace(warm):
    given = data(12, 0.2)
    before = bs.run(warm, given).states["readout.U"].copy()
    with pytest.raises(KeyboardInterrupt), Press(0.3):
        bs.run(warm, data(6000, 1.0))
    assert np.array_equal(bs.run(warm, given).states["readout.U"], before)


# ----------------------------------------------------------------------------------------- training


@pytest.mark.slow
def test_training_ends_within_a_second_and_goes_on_with_the_same_bits(tmp_path, monkeypatch):
    """Pressed within a batch, which alone takes longer: the batch is thrown away."""
    chunked_gradient, pressed = chunks.chunked_gradient, Press(0.1)

    def begin(*arguments):
        pressed.__enter__()
        return chunked_gradient(*arguments)

    whole, parts = network(60), network(60)
    (
        parts.set_weights("input->h", whole.weights["input->h"]),
        parts.set_weights("h->h", whole.weights["h->h"]),
    )
    parts.set_weights("h->readout", whole.weights["h->readout"])
    start, given = whole.weights["input->h"].copy(), data(3000, 1.0)
    options = dict(epochs=1, batch=1500, seed=1, progress=False)
    with monkeypatch.context() as patch:
        patch.setattr(chunks, "chunked_gradient", begin)
        history = bs.train(parts, given, out=tmp_path, **options)
    pressed.__exit__()
    assert history.interrupted and pressed.soon and history.loss.size == 0
    assert np.array_equal(parts.weights["input->h"], start)
    history = bs.train(parts, given, out=tmp_path, start="resume", **options)
    expected = bs.train(whole, given, **options)
    assert not history.interrupted and np.array_equal(history.loss, expected.loss)
    for name in whole.weights:
        assert np.array_equal(whole.weights[name], parts.weights[name])


@pytest.mark.parametrize("stateful", [False, True])
@pytest.mark.parametrize("when", [1, 3, 4])
def test_ctrl_c_at_any_pass_and_then_the_same_bits(tmp_path, monkeypatch, when, stateful):
    """While a batch is computed, or a validation at the end of an epoch."""
    calls = []
    given, checked = data(12, 0.1), data(4, 0.1)
    options = dict(
        epochs=2,
        batch=4,
        validation=checked,
        seed=1,
        stateful=stateful,
        progress=False,
        augment=[bs.Drop(0.2)],
        dropout=0.1,
    )
    nets = [network(20), network(20)]
    for name in nets[0].weights:
        nets[1].set_weights(name, nets[0].weights[name])
    expected = bs.train(nets[0], given, **options)
    chunked_gradient, forward = chunks.chunked_gradient, chunks.forward

    def pressing(work):
        def act(*arguments, **named):
            calls.append(work)
            result = work(*arguments, **named)
            if len(calls) == when:
                signal.raise_signal(signal.SIGINT)
            return result

        return act

    monkeypatch.setattr(chunks, "chunked_gradient", pressing(chunked_gradient))
    monkeypatch.setattr(chunks, "forward", pressing(forward))
    stopped = bs.train(nets[1], given, out=tmp_path, **options)
    assert (
        stopped.interrupted and stopped.loss.size == 0 and len(calls) == when
    )  # the fourth pass is the validation
    assert (tmp_path / "last.npz").exists() and not (tmp_path / "best.npz").exists()
    history = bs.train(nets[1], given, out=tmp_path, start="resume", **options)
    for name in ("loss", "score", "validation_loss", "learning_rate"):
        assert np.array_equal(getattr(history, name), getattr(expected, name))
    for name in nets[0].weights:
        assert np.array_equal(nets[0].weights[name], nets[1].weights[name])


def test_a_loop_over_trainings_can_be_left(warm, monkeypatch):
    """By what the history says, or by pressing again, in whichever training."""
    given, done, options = data(60, 0.3), [], dict(epochs=10**5, progress=False)
    with Press(0.7):
        for _ in range(100):
            done.append(bs.train(warm, given, **options))
            if done[-1].interrupted:
                break
    assert done[-1].interrupted
    monkeypatch.setattr(progress, "_last", [-1e9])
    ended = 0
    with pytest.raises(KeyboardInterrupt), Press(0.7), Press(2.0):
        for _ in range(100):
            ended += bs.train(warm, given, **options).interrupted
    assert ended == 1


# -------------------------------------------------------------------------------------- one network


def test_simulate_returns_what_there_is():
    net = bs.Network(1e-4)
    e = net.population(1200, bs.lif(), "excitatory", name="E")
    net.connect(e, e, delay=1e-3, weights=0.01, synapses=bs.FixedInDegree(20), seed=1)
    bs.simulate(net, 1e-3, threads=2, progress=False)
    with Press(0.5) as pressed:
        done = bs.simulate(net, 1e5, background=[bs.Current("E", 1.5)], threads=2, progress=False)
    assert done.interrupted and 0 < done.duration < 1e4 and pressed.soon
    assert done.counts["E"] > 0


def test_initialization_ends_within_a_second():
    net, given = bs.Network(1e-3), data(60, 20.0)
    h = bs.layer(net, net.input(20), 100, name="h", recurrent=True)
    net.connect(h, net.readout(2))
    with pytest.raises(KeyboardInterrupt), Press(0.5) as pressed:
        for _ in range(100):
            bs.fluctuation_driven(net, given, sigma_u=1.0, seed=1, progress=False)
    assert pressed.soon


# ------------------------------------------------------------------------------------------ signals


def test_a_second_press_interrupts_at_once():
    with pytest.raises(KeyboardInterrupt), progress.graceful_interrupt() as interrupted:
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_press_soon_after_another_block_ended_interrupts(monkeypatch):
    for soon in (True, False):
        with progress.graceful_interrupt() as first:
            signal.raise_signal(signal.SIGINT)
        assert first()
        if soon:
            with pytest.raises(KeyboardInterrupt), progress.graceful_interrupt():
                signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr(progress, "_last", [time.monotonic() - 3.5])
        with progress.graceful_interrupt() as later:
            signal.raise_signal(signal.SIGINT)
        assert later()
        monkeypatch.setattr(progress, "_last", [-1e9])


def test_a_block_within_another_tells_it():
    with progress.graceful_interrupt() as outer:
        with progress.graceful_interrupt() as inner:
            signal.raise_signal(signal.SIGINT)
        assert inner() and outer()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_block_goes_on_after_one_within_it_has_ended():
    with progress.graceful_interrupt() as outer:
        with progress.graceful_interrupt() as inner:
            pass
        signal.raise_signal(signal.SIGINT)
        assert outer() and not inner()
    assert not progress._open


def test_work_that_may_be_thrown_away_is_interrupted_at_once(monkeypatch):
    with progress.graceful_interrupt() as interrupted:
        with pytest.raises(KeyboardInterrupt), progress.at_once():
            signal.raise_signal(signal.SIGINT)
        assert interrupted()
        with pytest.raises(KeyboardInterrupt), progress.at_once():  # pressed before it began
            raise AssertionError
    monkeypatch.setattr(progress, "_last", [-1e9])
    with progress.graceful_interrupt() as interrupted:
        threading.Thread(
            target=lambda: progress.at_once().__enter__()
        ).start()  # of another thread: not ours
        signal.raise_signal(signal.SIGINT)
        assert interrupted()


def test_what_is_ignored_stays_ignored(warm):
    """As nohup starts it: Ctrl-C goes to those in front."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with progress.graceful_interrupt() as interrupted:
            signal.raise_signal(signal.SIGINT)
            assert not interrupted() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        with Press(0.05):
            history = bs.train(warm, data(300, 0.2), epochs=1, progress=False)
            time.sleep(0.1)
        assert not history.interrupted and history.loss.size == 1
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


# ------------------------------------------------------------------------------------------ threads


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_jobs(threads):
    assert on_threads(lambda a, b: a * b, [(k, 2) for k in range(40)], threads) == [
        2 * k for k in range(40)
    ]
    assert on_threads(lambda: 1, [], threads) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_error_ends_the_work(threads):
    done, stop = [], np.zeros(1, np.int64)

    def work(k):
        if k == 3:
            raise ZeroDivisionError("three")
        done.append(k)
        time.sleep(0.01)

    with pytest.raises(ZeroDivisionError, match="three"):
        on_threads(work, [(k,) for k in range(1000)], threads, stop)
    time.sleep(0.05)
    assert len(done) < 10 and stop[0] == 1


def test_queued_jobs_are_forgotten():
    done = []

    def work(k):
        done.append(k)
        time.sleep(0.05)

    with pytest.raises(KeyboardInterrupt), Press(0.3) as pressed:
        on_threads(work, [(k,) for k in range(2000)], 2)
    assert pressed.waited < 0.5
    n = len(done)
    time.sleep(0.2)
    assert len(done) == n < 30


def test_work_that_others_know_of_comes_to_its_end():
    with progress.graceful_interrupt() as interrupted, progress.at_once():
        progress.no_longer_at_once()
        signal.raise_signal(signal.SIGINT)
        assert interrupted()
