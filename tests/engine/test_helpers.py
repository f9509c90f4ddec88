"""Threads that run one large network with the first one: whatever ends a run sends them home."""

import threading

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine.stream_recording import StreamRecording
from biosnn.engine.stream_run import StreamRun

pytestmark = pytest.mark.filterwarnings("ignore:threads is")
DT = 1e-3


def simulate(threads=3, duration=0.2):
    net = bs.Network(DT)
    e = net.population(4000, bs.lif(), "excitatory", name="E")
    net.connect(e, e, synapses=bs.FixedInDegree(10), weights=0.2, delay=DT, seed=1)
    drive = [bs.Current("E", np.linspace(0.0, 3.0, e.n))]
    return bs.simulate(net, duration, background=drive, seed=1, threads=threads, progress=False)


def test_they_run_every_slice():
    """Slices are short at first, and then longer; neurons of all threads fire in each."""
    alone, together = simulate(1), simulate(3)
    assert alone.counts["E"] > 10_000
    np.testing.assert_array_equal(alone.spikes["E"].units, together.spikes["E"].units)
    np.testing.assert_array_equal(alone.spikes["E"].times, together.spikes["E"].times)


@pytest.mark.parametrize("broken", [1, 2])
def test_one_that_cannot_begin_ends_the_run(monkeypatch, broken):
    before, own = threading.active_count(), StreamRun._arguments

    def arguments(self, recorder, control, t):
        if t == broken:
            raise MemoryError("planted")
        return own(self, recorder, control, t)

    monkeypatch.setattr(StreamRun, "_arguments", arguments)
    with pytest.raises(MemoryError, match="planted"):
        simulate()
    assert threading.active_count() == before
    monkeypatch.undo()
    assert simulate().counts["E"] > 10_000


def test_they_go_home_where_something_fails_between_two_slices(monkeypatch):
    before = threading.active_count()

    def keep(self, first, last):
        if first > 10:
            raise OSError("planted")

    monkeypatch.setattr(StreamRecording, "keep", keep)
    with pytest.raises(OSError, match="planted"):
        simulate()
    assert threading.active_count() == before
