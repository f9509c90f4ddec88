"""One network on the processes of a communicator: the bits of one process, whatever their number."""

import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import wire_tables
from tests.engine.pieces import cut
from tests.random_cases import STREAM, random_case
from tests.support.communicators import mpiexec, on_ranks, run_under_mpi

pytestmark = pytest.mark.filterwarnings("ignore:threads is")


@pytest.fixture(autouse=True)
def own_hook(monkeypatch):
    """What prints errors is put back afterwards."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)


@pytest.fixture
def in_parts(monkeypatch):
    """n -> from now on every network is cut into n parts."""

    def cut_into(n_parts):
        monkeypatch.setattr(wire_tables, "number_of_parts", lambda *_: n_parts)

    return cut_into


def simulate(case, threads=1, **options):
    """All of a case, or what options say."""
    given = {"spikes": case.spikes, "duration": case.duration, "initial": case.initial}
    given |= {"seed": case.seed, "record": case.record, "threads": threads} | options
    return bs.simulate(case.network, background=case.background, progress=False, **given)


def on_processes(size, case, **options):
    """What each of several processes returns."""
    return on_ranks(size, lambda communicator: simulate(case, communicator=communicator, **options))


def assert_same(one, other):
    """Two simulations have the same bits: spikes, counts, recorded states, where they stand."""
    if isinstance(other, BaseException):
        raise other
    assert one.counts == other.counts and one.duration == other.duration
    assert all(np.array_equal(one.binned[k], other.binned[k]) for k in one.binned)
    for name, spikes in one.spikes.items():
        np.testing.assert_array_equal(spikes.times, other.spikes[name].times, err_msg=name)
        np.testing.assert_array_equal(spikes.units, other.spikes[name].units, err_msg=name)
    for name, values in one.states.items():
        np.testing.assert_array_equal(values, other.states[name], err_msg=name)
    assert one.state.step == other.state.step and set(one.state.arrays) == set(other.state.arrays)
    for name, values in one.state.arrays.items():
        np.testing.assert_array_equal(values, other.state.arrays[name], err_msg=name)


# ------------------------------------------------------------------------------------------- bits


@pytest.mark.parametrize("seed", range(300, 330))
def test_the_bits_of_one_process(seed, in_parts):
    """Plasticity, pools, noise, readouts; processes without a neuron, too."""
    case = random_case(seed, STREAM, times=1 + 20 * (seed % 3))
    in_parts(1)
    expected = simulate(case)
    for size, n_parts, threads in ((2, 2 + seed % 3, 1), (3, 6, 2)):
        in_parts(n_parts)
        for done in on_processes(size, case, threads=threads):
            assert_same(expected, done)


def test_the_cases_have_every_feature_and_fire():
    cases = [random_case(seed, STREAM, times=1 + 20 * (seed % 3)) for seed in range(300, 330)]
    assert set().union(*(case.features for case in cases)) == STREAM
    assert all(sum(simulate(case).counts.values()) > 0 for case in cases[:10])


@pytest.mark.parametrize("seed", range(330, 338))
def test_any_number_of_processes_goes_on(seed, in_parts):
    """Pieces by one, two and three processes are one run."""
    in_parts(3)
    case = random_case(seed, STREAM, times=20)
    whole, given, dt = simulate(case), {}, case.network.dt
    bounds = [0, 7, 60, 61, case.steps]
    for size, begin, end in zip((2, 1, 3, 2), bounds, bounds[1:]):
        given["duration"] = (end - begin) * dt
        given["spikes"] = case.spikes and cut(case.spikes, begin, end, dt)
        *others, done = on_processes(size, case, **given)
        for name in case.record:
            np.testing.assert_array_equal(done.states[name], whole.states[name][begin:end])
        given = {"initial": None, "seed": None, "state": done.state}
    for name, values in whole.state.arrays.items():
        np.testing.assert_array_equal(values, done.state.arrays[name], err_msg=name)
