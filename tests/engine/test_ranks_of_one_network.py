"""One network on the processes of a communicator: the bits of one process, for any number."""

import sys
import threading
from contextlib import contextmanager

import numpy as np
import pytest

import biosnn as bs
from biosnn.data.spike_file import SpikeFile
from biosnn.engine import wire_tables
from biosnn.engine.stream_setting import large_network
from biosnn.support.fingerprint import digest_of
from biosnn.support.ranks import Ranks
from tests.engine.pieces import cut
from tests.random_cases import STREAM, random_case
from tests.support.communicators import mpiexec, on_ranks, run_page, run_under_mpi

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


@pytest.mark.parametrize("size", [2, 3])
def test_messages_longer_than_those_before(size):
    """Single precision, and one shared weight: nearly all spike at once, seldom."""
    net = bs.Network(1e-4)
    cells = net.population(1200, bs.lif_delta(tau_mem=20e-3), "excitatory", name="E")
    rule = bs.FixedInDegree(20)
    net.connect(cells, cells, delay=1.5e-3, weights=0.02, synapses=rule, seed=1)
    options = {"background": [bs.Current("E", 1.2)], "threads": 1, "progress": False}
    expected = bs.simulate(net, 0.3, **options)
    assert expected.binned["E"].max() > 500
    for done in on_ranks(size, lambda each: bs.simulate(net, 0.3, communicator=each, **options)):
        assert_same(expected, done)


def test_means_over_groups_need_all_neurons():
    case = random_case(301, STREAM, times=60)
    p = case.network.spiking[0]
    groups = bs.Means({"low": slice(p.n // 3), "high": slice(p.n // 3, p.n)})
    record = {f"{p.name}.U": groups}
    expected = simulate(case, record=record)
    for done in on_processes(3, case, record=record):
        assert_same(expected, done)
        assert done.groups == expected.groups


def test_learned_weights(in_parts):
    """Of the parts of all processes; and the description stays as it was."""
    net = bs.Network(1e-3)
    x = net.input(20, sign="inhibitory", name="x")
    post = net.population(200, bs.ei_lif(), name="A")
    rule = bs.InhibitorySTDP(0.02, 5.0, w_max=1.0)
    options = {"synapses": bs.Bernoulli(0.3), "seed": 2, "plasticity": rule, "receptor": "inh"}
    net.connect(x, post, weights=0.1, delay=2e-3, name="P", **options)
    spikes = bs.data.poisson(30.0, 20, 0.3, seed=1)
    given = {"background": [bs.Current("A", 1.5)], "threads": 1, "progress": False}
    expected = bs.simulate(net, 0.3, spikes, **given)
    assert np.ptp(expected.weights["P"]) > 0
    in_parts(4)
    for done in on_ranks(3, lambda each: bs.simulate(net, 0.3, spikes, communicator=each, **given)):
        assert_same(expected, done)
        np.testing.assert_array_equal(done.weights["P"], expected.weights["P"])


def test_each_process_has_the_synapses_of_its_own_parts():
    net = circuit(2000)
    whole, *own = (
        sum(each.nbytes for each in large_network(net, 1, None, ranks).wires.alive)
        for ranks in (Ranks(), *(of_two(rank) for rank in range(2)))
    )
    assert max(own) < 0.55 * whole and sum(own) == pytest.approx(whole, rel=0.01)


def circuit(n, seed=1):
    """A sparse network with weights of synapses, and its seed."""
    net = bs.Network(1e-3)
    e = net.population(n, bs.ei_lif(), "excitatory", name="E")
    rule = bs.FixedInDegree(100)
    net.connect(e, e, delay=2e-3, weights=bs.Uniform(0, 1e-3), synapses=rule, seed=seed)
    return net


def of_two(rank):
    """One of two processes, which packs its parts and asks nobody."""
    ranks = Ranks()
    ranks.rank, ranks.size, ranks.exchange = rank, 2, lambda value: [value]
    return ranks


# -------------------------------------------------------------------------------------- the others


def test_the_first_process_writes_the_file(tmp_path):
    case = random_case(302, STREAM)
    expected = simulate(case)

    def work(communicator):
        out = tmp_path / "spikes" if communicator.rank == 0 else None
        return simulate(case, out=out, communicator=communicator)

    for done in on_ranks(3, work):
        assert_same(expected, done)
    filed = bs.read_spikes(tmp_path / "spikes")
    assert sum(each.times.size for each in filed.values()) > 0


def test_a_full_disk_ends_all_and_loses_nothing(tmp_path, monkeypatch):
    case, append = random_case(302, STREAM), SpikeFile.append

    def full(file, first, last, spikes):
        """After a while it takes no more."""
        if first < 40:
            return append(file, first, last, spikes)
        file.problem = "it takes no more spikes"
        return False

    monkeypatch.setattr(SpikeFile, "append", full)
    with pytest.warns(UserWarning, match="takes no more spikes"):
        found = on_processes(3, case, out=tmp_path / "spikes", duration=600.0, spikes=None)
    assert all(each.interrupted and each.duration < 600 for each in found)
    monkeypatch.undo()
    for done in found:
        assert_same(simulate(case, duration=found[0].duration, spikes=None), done)


@pytest.mark.parametrize(
    "change, named",
    [
        (lambda rank: {"network": circuit(60, seed=rank)}, "network and synapses"),
        (lambda rank: {"seed": rank}, "seed"),
        (lambda rank: {"duration": 0.1 + rank}, "duration"),
        (lambda rank: {"initial": {"E.U": 0.1 * rank}}, "initial"),
        (lambda rank: {"background": [bs.Current("E", 1.0 + rank)]}, "background"),
        (lambda rank: {"record": {"E.U": [rank]}}, "record"),
        (lambda rank: {"rate_bin": 1e-3 * (1 + rank)}, "rate_bin"),
        (lambda rank: {"record": ["E.U"], "every": 1 + rank}, "every"),
        (
            lambda rank: {"perturbations": [bs.perturb.Silence("E", neurons=[rank], start=0.01)]},
            "perturbations",
        ),
    ],
)
def test_what_differs_between_processes_is_named(change, named):
    def work(communicator):
        given = {"network": circuit(60), "duration": 0.1, "seed": 0, "progress": False}
        return bs.simulate(**given | change(communicator.rank // 2), communicator=communicator)

    found = on_ranks(3, work)
    message = str(found[0])
    assert f"{named} (" in message and "on rank 2). Each of them must make the same call" in message
    assert [(type(each), str(each)) for each in found] == [(ValueError, message)] * 3


def test_a_state_that_is_not_finite_ends_all(in_parts):
    """On the process that has the neuron."""
    in_parts(3)
    net = bs.Network(1e-3)
    net.population(600, bs.lif(threshold=3e38), name="E")
    rate = np.zeros(600)
    rate[580] = 1e5
    given = {"background": [bs.PoissonInput("E", rate, 3e38)], "progress": False}
    found = on_ranks(3, lambda each: bs.simulate(net, 0.1, communicator=each, **given))
    assert len({str(each) for each in found}) == 1 and "neuron 580" in str(found[0])
    assert all(isinstance(each, ValueError) for each in found)


def test_ctrl_c_on_one_process_ends_all_at_the_same_step(monkeypatch):
    looks = []

    def pressed():
        """Ctrl-C comes to one process after a while."""
        looks.append(threading.current_thread().name)
        return looks.count("rank 1") > 3 and looks[-1] == "rank 1"

    @contextmanager
    def interrupt():
        yield pressed

    case = random_case(303, STREAM)
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["biosnn.engine.simulate"], "graceful_interrupt", interrupt)
        found = on_processes(3, case, duration=600.0, spikes=None)
    assert all(each.interrupted and 0 < each.duration < 600 for each in found)
    assert_same(found[0], found[1])
    assert_same(found[0], found[2])
    assert_same(simulate(case, duration=found[0].duration, spikes=None), found[0])


def test_trials_are_refused():
    found = on_ranks(2, lambda each: bs.simulate(circuit(60), 0.1, trials=2, communicator=each))
    assert all("leave out trials or communicator" in str(each) for each in found)


def test_no_communicator():
    with pytest.raises(TypeError, match=r"communicator is True; .*biosnn\[mpi\]"):
        bs.simulate(circuit(60), 0.1, communicator=True)


# ------------------------------------------------------------------------------------------ mpiexec

SCRIPT = """
import hashlib
from mpi4py import MPI
import biosnn as bs
from tests.engine.test_ranks_of_one_network import bits_of, simulate
from tests.random_cases import STREAM, random_case

done = simulate(random_case(305, STREAM, times=40), 2, communicator=MPI.COMM_WORLD)
print("bits " + bits_of(done) + "\\n", end="", flush=True)
"""


def bits_of(done):
    """A digest of spikes, states and where a simulation stands."""
    spikes = (each for k in sorted(done.spikes) for each in (done.spikes[k].times,))
    state = (done.state.arrays[k] for k in sorted(done.state.arrays))
    return digest_of([*spikes, *done.states.values(), *state])


@pytest.mark.parametrize("n", [2, 3])
def test_processes_of_mpiexec_have_the_bits_of_one(n, tmp_path):
    pytest.importorskip("mpi4py")
    if mpiexec() is None:
        pytest.skip("no mpiexec beside Python")
    expected = bits_of(simulate(random_case(305, STREAM, times=40)))
    done = run_under_mpi(n, SCRIPT, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["bits", expected] * n


@pytest.mark.slow
def test_the_script_of_the_page(tmp_path):
    printed = run_page("simulate_mpi.py", tmp_path)
    assert printed.endswith(" Hz\n") and float(printed.split()[0]) > 1
