"""`run` with one trial and `simulate` give the same bits, whatever a network has; a state of one is
a state of the other.
"""

import itertools

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import wire_tables
from tests.engine.pieces import cut
from tests.random_cases import BOTH, random_case

LARGE = range(200, 212)  # of several granules a population, so that threads share each of them
pytestmark = pytest.mark.filterwarnings("ignore:threads is")


def beginning(case):
    """Where a case starts."""
    return {"initial": case.initial, "seed": case.seed}


def run(case, **options):
    """All of a case, or what `spikes` and `duration` say, by `run`."""
    given = {"spikes": case.spikes, "duration": case.duration} | beginning(case) | options
    if given["spikes"] is not None:
        given["duration"] = None
    return bs.run(case.network, background=case.background, record=case.record, **given)


def simulate(case, threads=1, **options):
    """The same by `simulate`."""
    given = {"spikes": case.spikes, "duration": case.duration} | beginning(case) | options
    return bs.simulate(
        case.network,
        background=case.background,
        record=case.record,
        threads=threads,
        progress=False,
        **given,
    )


def assert_same_spikes(trace, simulation, trial=0):
    """Spikes of one trial and of a simulation are identical."""
    for p in trace.network.firing:
        one, other = trace.spikes[p.name][trial], simulation.spikes[p.name]
        np.testing.assert_array_equal(one.times, other.times, err_msg=p.name)
        np.testing.assert_array_equal(one.units, other.units, err_msg=p.name)


def assert_same_bits(trace, simulation, trial=0):
    """Spikes, and all states at all steps, are identical."""
    assert_same_spikes(trace, simulation, trial)
    assert set(trace.states) == set(simulation.states)
    for name, values in simulation.states.items():
        np.testing.assert_array_equal(trace.states[name][trial], values, err_msg=name)


def assert_same_state(one, other):
    """Two states have the same arrays."""
    assert one.step == other.step and set(one.arrays) == set(other.arrays)
    for name, values in one.arrays.items():
        np.testing.assert_array_equal(values, other.arrays[name], err_msg=name)


@pytest.fixture
def in_parts(monkeypatch):
    """n -> from now on every network is cut into n parts."""

    def cut_into(n_parts):
        monkeypatch.setattr(wire_tables, "number_of_parts", lambda *_: n_parts)

    return cut_into


@pytest.mark.parametrize("seed", range(100))
def test_one_trial_has_the_bits_of_one_long_run(seed, in_parts):
    case = random_case(seed, BOTH)
    trace = run(case)
    assert sum(each.times.size for each in trace.spikes.values()) > 0
    for threads, n_parts in ((1, 1), (3, 3 + seed % 3)):
        in_parts(n_parts)
        simulation = simulate(case, threads)
        assert_same_bits(trace, simulation)
        assert_same_state(trace.state, simulation.state)


@pytest.mark.parametrize("seed", LARGE)
def test_populations_that_threads_share(seed, in_parts):
    case = random_case(seed, BOTH, times=40)
    trace = run(case)
    for threads, n_parts in ((1, 2), (2, 3), (3, 4), (16, 16)):
        in_parts(n_parts)
        assert_same_bits(trace, simulate(case, threads))


@pytest.mark.parametrize("delay", [2e-3, bs.Uniform(1e-3, 4e-3)], ids=["one delay", "own delays"])
def test_parts_with_more_targets_than_16_bits_count(in_parts, delay):
    net = bs.Network(dt=1e-3)
    a, b = (net.population(40_000, bs.lif(), "excitatory", name=name) for name in "AB")
    for post in (a, b):
        rule = {"synapses": bs.FixedTotal(4000), "weights": bs.Uniform(0.5, 1.0), "delay": delay}
        net.connect(a, post, seed=1, **rule)
    found = []
    for n_parts in (1, 4):
        in_parts(n_parts)
        drive = [bs.Current("A", np.linspace(0.0, 20.0, a.n))]
        done = bs.simulate(net, 0.02, background=drive, record=["B.I"], seed=1, progress=False)
        found.append(done.states["B.I"])
    assert found[0][-1, -1000:].any() and found[0][-1, :1000].any()
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("seed", range(100, 125))
def test_single_precision(seed):
    case = random_case(seed, BOTH, dtype=np.float32)
    assert_same_spikes(run(case), simulate(case, 3))


def test_random_networks_have_every_feature_and_fire():
    cases = [random_case(seed, BOTH) for seed in range(100)]
    assert set().union(*(case.features for case in cases)) == BOTH
    rates = [rate for case in cases[:20] for rate in simulate(case).mean_rates.values()]
    assert np.mean(np.array(rates) > 0) > 0.9


@pytest.mark.parametrize("seed", range(130, 160))
@pytest.mark.parametrize("first", ["run", "simulate"])
def test_states_are_interchangeable(seed, first, in_parts):
    """Pieces by `run` and `simulate` in turn, some shorter than the longest delay, are one run."""
    in_parts(1 + seed % 3)
    case = random_case(seed, BOTH)
    whole, bounds = run(case), [0, 7, 60, 61, 110, case.steps]
    order = ["run", 1, "run", 3, "run"] if first == "run" else [1, "run", 3, "run", 1]
    given = beginning(case)
    for how, (begin, end) in zip(order, itertools.pairwise(bounds)):
        given["duration"] = (end - begin) * case.network.dt
        given["spikes"] = case.spikes and cut(case.spikes, begin, end, case.network.dt)
        done = run(case, **given) if how == "run" else simulate(case, how, **given)
        for name in case.record:
            values = done.states[name][0] if how == "run" else done.states[name]
            there = whole.states[name][0, begin:end]
            np.testing.assert_array_equal(values, there, err_msg=f"{name} by {how} from {begin}")
        given = {"initial": None, "seed": None, "state": done.state}
    assert_same_state(done.state, whole.state)


@pytest.mark.parametrize("delay", [1e-3, [1e-3, 2e-3]], ids=["one delay", "two"])
@pytest.mark.parametrize("n", [59_990, 70_000], ids=["one part", "several"])
def test_targets_far_within_a_part(n, delay):
    """Targets have 16 bits: the last neuron of the largest part gets its spike, no other does.

    On one thread, which has as few parts as targets allow.
    """
    net = bs.Network(dt=1e-3)
    neuron = bs.lif(tau_mem=10e-3, tau_syn=5e-3, threshold=1.0)
    a = net.population(n, neuron, "excitatory", name="A")
    pairs = bs.Pairs([0, 0], [40_000, n - 1])
    net.connect(a, a, synapses=pairs, weights=[5.0, 7.0], delay=delay)
    start = np.zeros(n)
    start[0] = 2.0
    given = {"initial": {"A.U": start}, "threads": 1, "progress": False}
    done = bs.simulate(net, 0.005, record=["A.I"], **given)
    reached = np.flatnonzero(done.states["A.I"].any(axis=0))
    assert reached.tolist() == [40_000, n - 1]
    peak = done.states["A.I"].max(axis=0)[reached]
    np.testing.assert_allclose(peak, [5.0, 7.0], rtol=1e-6)
