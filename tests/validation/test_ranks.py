"""The plan for many nodes: its arithmetic, played processes, costs that are found, tables."""

import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import bundle_records
from validation import ranks, ranks_model, ranks_prediction, ranks_runs
from validation.internals import OneRank, parts_of
from validation.played_ranks import PlayedRanks
from validation.ranks_costs import fitted, sizes_of
from validation.ranks_figure import figure
from validation.ranks_model import (
    COSTS,
    Bytes,
    Circuit,
    Costs,
    Network,
    Shared,
    amounts,
    beyond_cache,
    blocks,
    computing,
    filled,
    memory,
    message_bytes,
    passing,
    slots,
    total,
)

CIRCUIT = Circuit(
    name="a",
    neurons=8000,
    populations=2,
    synapses=4e6,
    projections=3,
    spikes=80_000.0,
    events=4e7,
    bundles=2,
    steps=10_000.0,
    shortest=4,
    longest=10,
    record=6,
    arriving=8,
)
ONES = Costs(**dict.fromkeys(COSTS, 1.0))


def test_amounts_of_a_process_by_hand():
    shared = Shared(ranks=2, threads=2, parts=8)  # four parts each, two for each thread
    found = amounts(CIRCUIT, shared)
    assert (shared.own, shared.busiest) == (4, 2)
    assert found == pytest.approx(
        {
            "neuron": 8000 * 10_000 / 4,
            "event": 1e7,
            "far": 0.0,  # what arrives at a part has 8 kB
            "step": 10_000 * 2 * 2,
            "round": 2 * 10_000 * (1 - math.exp(-8.0)),
            # 500 synapses, 63 of them in a part, of 7 delays
            "lookup": 160_000 * 7 * (1 - math.exp(-500 / 8 / 7)),
            "list": 10_000 * 2 * 8 * 2,
            "filled": 2 * 160_000 * (1 - math.exp(-0.5)),
            "spike": 80_000.0,
            "count": 10_000 * 8 * 2,
            "meeting": 2000.0,
        }
    )


def test_one_process_tells_nobody():
    found = amounts(CIRCUIT, Shared(1, 1, 4))
    assert [found[name] for name in ("spike", "count", "meeting")] == [0, 0, 0]
    assert found["event"] == CIRCUIT.events
    assert message_bytes(CIRCUIT, Shared(1, 1, 4)) == 0


def test_what_caches_have_no_room_for():
    assert beyond_cache(CIRCUIT, Shared(1, 1, 1)) == pytest.approx(1 - 2**15 / (8 * 8000))
    assert beyond_cache(CIRCUIT, Shared(1, 1, 2)) == 0
    plain = CIRCUIT.__class__(**(vars(CIRCUIT) | {"arriving": 0, "neurons": 16_384}))
    assert beyond_cache(plain, Shared(1, 1, 1)) == 0.5
    assert beyond_cache(plain, Shared(1, 1, 2)) == 0


def test_delays_that_the_synapses_of_a_spike_have():
    assert blocks(CIRCUIT, 1) == pytest.approx(7, rel=1e-9)  # 500 synapses, 4 to 10 steps
    assert blocks(CIRCUIT, 500) == pytest.approx(7 * (1 - math.exp(-1 / 7)))
    assert blocks(CIRCUIT.__class__(**(vars(CIRCUIT) | {"arriving": 0})), 500) == 1


def test_places_that_have_a_spike_against_a_count():
    spikes = np.random.default_rng(0).integers(50, size=(4000, 20))
    counted = np.mean([np.unique(row).size for row in spikes])
    assert filled(50.0, 20.0) == pytest.approx(counted, rel=0.02)


def test_messages_and_their_time_by_hand():
    few = Shared(4, 1, 4)
    spikes = 80_000 / 2000 / 4
    longest = spikes + math.sqrt(2 * spikes * math.log(4))
    assert 2 * (1 + 5 * 2 + longest) < 256 and message_bytes(CIRCUIT, few) == 4 * 256
    many = Shared(4, 16, 64)
    assert message_bytes(CIRCUIT, many) == pytest.approx(4 * 2 * (1 + 5 * 16 * 2 + longest))
    found = passing(CIRCUIT, few, Network("slow", latency=1e-5, bandwidth=1e9))
    assert found == pytest.approx({"latency": 2000 * 2 * 1e-5, "bandwidth": 2000 * 4096 / 1e9})
    assert passing(CIRCUIT, Shared(1, 1, 1), Network("slow", 1e-5, 1e9))["latency"] == 0


def test_memory_by_hand():
    sizes = Bytes(fixed=1e8, neuron=30, part=8000, wire=300)
    found = memory(CIRCUIT, Shared(2, 2, 8), sizes)
    assert slots(CIRCUIT, 2) == 512  # 480 steps, 10 of the longest delay, 4 of the shortest, and 2
    assert slots(CIRCUIT, 4) == 512  # 262 steps
    assert slots(CIRCUIT, 8) == 256
    assert found == pytest.approx(
        {
            "fixed": 1e8,
            "own synapses": 6 * 2e6 + 4 * 8000 * 4 * 8,
            "kept synapses": 0.0,
            "where runs start": 4 * 8002 * 4,
            "own arrivals": 8 * 4000,
            "recent spikes": 512 * (4 * 8000 + 4 * 16 * 8),
            "all states": 30 * 8000 + 8000 * 8,
            "tables of parts": 300 * 3 * 8,
            "messages": 2 * 1024,
        }
    )
    assert total(found) == pytest.approx(sum(found.values()))
    assert ranks_model._MOST_KEPT == bundle_records._KEPT_BYTES
    alone = memory(CIRCUIT, Shared(1, 2, 8), sizes)
    assert alone["kept synapses"] == 4e6 * 7  # target, delay, weight
    large = CIRCUIT.grown("large", 100, synapses_each=500)
    assert memory(large, Shared(1, 2, 8), sizes)["kept synapses"] == 0  # drawn again


def test_a_larger_circuit_of_the_same_kind():
    grown = CIRCUIT.grown("b", 10, synapses_each=1000)
    assert (grown.neurons, grown.synapses, grown.spikes) == (80_000, 8e7, 800_000)
    assert grown.events == pytest.approx(8e8) and grown.arriving == 8


def test_costs_are_found_again():
    rng = np.random.default_rng(1)
    costs = Costs(**{name: float(value) for name, value in zip(COSTS, rng.uniform(1, 9, 20))})
    rows = []
    for _ in range(30):
        done = {name: float(value) for name, value in zip(COSTS, rng.exponential(size=20))}
        rows.append({"amounts": done, "core_s": sum(done[k] * getattr(costs, k) for k in COSTS)})
    assert vars(fitted(rows)) == pytest.approx(vars(costs), rel=1e-6)


# --------------------------------------------------------------------------------- played processes


def played(size=3, rate=0.02):
    """Others of which all have two parts, with populations of 400 and 100 neurons."""
    others = PlayedRanks(size, {"E": rate, "I": rate})
    edges = np.linspace(0, 1, 2 * size + 1)
    bounds = np.array([(400 * edges).astype(int), (100 * edges).astype(int)])
    others.know(["E", "I"], bounds, 2 * np.arange(size + 1))
    return others, bounds


def test_played_processes_send_spikes_of_their_own_neurons():
    others, bounds = played()
    own = np.zeros(400, np.int32)
    own[:9] = [9, 0, 0, 0, 0, 0, 0, 0, 0]  # two steps, two parts, two populations, no spikes
    found, told = np.empty((3, 400), np.int32), 0
    others.Allgather(own, found.ravel())
    assert np.array_equal(found[0], own)
    for rank in (1, 2):
        at, message = 1, found[rank, : found[rank, 0]]
        for _ in range(2):
            for part in (2 * rank, 2 * rank + 1):
                for p in range(2):
                    count = message[at]
                    units = message[at + 1 : at + 1 + count]
                    assert np.all(np.diff(units) > 0)
                    assert np.all((units >= bounds[p, part]) & (units < bounds[p, part + 1]))
                    at, told = at + 1 + count, told + count
        assert at == message.size
    assert others.spikes == told > 0 and others.meetings == 1 and others.seconds > 0


def test_a_message_that_is_too_long_is_sent_once_more():
    others, _ = played(rate=0.5)
    own = np.zeros(8, np.int32)
    own[0] = 5
    found = np.empty(24, np.int32)
    others.Allgather(own, found)
    assert others.meetings == 0 and found.reshape(3, 8)[1, 0] > 8
    others.Allgather(
        np.zeros(600, np.int32) + np.int32(5) * (np.arange(600) == 0), np.empty(1800, np.int32)
    )
    assert others.meetings == 1


def test_seconds_between_exchanges_are_counted():
    others, _ = played()
    timed = ranks_runs.Timed(others)
    own = np.zeros(400, np.int32)
    own[0] = 5
    busy = ranks_runs.Busy(100_000)
    blocks, spent = round(0.01 / busy.seconds()), 0.0
    for _ in range(3):
        timed.Dup().Allgather(own, np.empty(1200, np.int32))
        begin = time.thread_time()
        busy.go(blocks)
        spent += time.thread_time() - begin
    timed.Allgather(own, np.empty(1200, np.int32))
    assert 0.003 < spent <= timed.counted["core_s"] < spent + 0.01 and others.meetings == 4


def noisy(n=3000):
    """Neurons that fire by themselves, with synapses onto each other of no weight."""
    net = bs.Network(dt=1e-3)
    cells = net.population(n, bs.ei_lif(), "excitatory", name="E")
    net.connect(cells, cells, delay=4e-3, weights=0.0, synapses=bs.FixedInDegree(20), seed=1)
    return net, [bs.OrnsteinUhlenbeck("E", mean=1.2, sd=0.3, tau=5e-3)]


def test_a_process_beside_played_ones_does_what_it_does_among_others():
    net, noise = noisy()
    whole = bs.simulate(net, 0.05, background=noise, seed=1, progress=False).spikes["E"]
    others = PlayedRanks(3, {"E": 0.0})
    one = OneRank(net, noise, None, others)
    others.know(one.names, one.bounds, one.first)
    seconds, spikes = one.run(50)
    own = np.count_nonzero(whole.units < one.bounds[0, one.first[1]])
    assert spikes == {"E": own} and own > 0 and seconds > 0
    assert others.meetings >= 50 // (one.numbers["shortest"] + 1)


def test_bytes_of_the_model_are_those_of_arrays():
    net, noise = noisy()
    rows = []
    for size in (1, 64):
        others = PlayedRanks(size, {}) if size > 1 else None
        one = OneRank(net, noise, None, others)
        rows.append({"ranks": size, "parts": 1, "kind": "fires", "bytes": one.bytes()})
        numbers = one.numbers | {"name": "a", "spikes": 0.0, "events": 0.0, "steps": 1e3}
        circuit = Circuit(**numbers)
        assert one.bounds.shape[1] - 1 == parts_of(3000, 3000 * circuit.arriving, size, 1)
        sizes = {"neuron": 0.0, "part": 0.0, "wire": 0.0}
        found = memory(circuit, Shared(size, 1, size), Bytes(fixed=0.0, **sizes))
        for name in ("own synapses", "where runs start", "recent spikes"):
            assert found[name] == pytest.approx(one.bytes()[name], rel=0.03, abs=4000), name
    sizes = Bytes(fixed=0.0, **sizes_of(rows, circuit))
    found = memory(circuit, Shared(64, 1, 64), sizes)
    assert found["all states"] == pytest.approx(rows[1]["bytes"]["all states"])
    assert found["tables of parts"] == pytest.approx(rows[1]["bytes"]["tables of parts"])


# ------------------------------------------------------------------------------- tables and figure


def measured():
    """A file as `measure` writes it."""
    check = {"core_s": 0.3, "wall_s": 0.5, "most_s": 0.6, "meeting_s": 1e-5, "bytes": [2e8, 2.1e8]}
    return {
        "circuit": vars(CIRCUIT),
        "costs": dict.fromkeys(COSTS, 1e-9),
        "bytes": {"fixed": 1e8, "neuron": 30.0, "part": 8000.0, "wire": 300.0},
        "runs": [{"ranks": 1, "parts": 1, "kind": "fires", "core_s": 1.0, "fitted_s": 1.1}],
        "scale": 1.0,
        "processors": 2,
        "slower": 1.5,
        "check": [check | {"processes": n} for n in (1, 2, 4)],
    }


def test_processes_take_turns_where_there_are_too_few_processors():
    row = measured()
    costs = Costs(**row["costs"])
    alone = total(computing(CIRCUIT, Shared(1, 1, 1), costs))
    assert total(ranks.predicted(row, 1, 0.0)) == pytest.approx(alone)
    work = total(computing(CIRCUIT, Shared(4, 1, 4), costs))
    found = ranks.predicted(row, 4, 1e-5)
    assert total(found) == pytest.approx(1.5 * 2 * work + 2000 * 1e-5)


def test_a_file_of_measurements_gives_tables_and_a_figure(tmp_path, capsys):
    path, picture = tmp_path / "ranks.json", tmp_path / "ranks.png"
    path.write_text(json.dumps([measured()]))
    ranks.main(["--from", str(path), "--figure", str(picture), "--cores", "4"])
    printed = capsys.readouterr().out
    assert "4 (in turns)" in printed and "within 10%" in printed and "2 × 2" in printed
    assert picture.stat().st_size > 10_000


def test_plans_of_nodes():
    row = measured()
    full = ranks_prediction.full_circuit(CIRCUIT)
    assert full.neurons == 77_169 and full.synapses / 77_169 == pytest.approx(3877, rel=0.01)
    for network in ranks_prediction.NETWORKS:
        found = ranks_prediction.plans(row, full, network, 2, 32)
        assert [p.nodes for p in found] == [2**k for k in range(11)]
        assert found[0].seconds["latency"] == 0 < found[1].seconds["latency"]
        shrinking = [p.kind("neurons and events") for p in found]
        assert shrinking[1] == pytest.approx(shrinking[0] / 2) and shrinking[-1] < shrinking[0] / 4
        parts = [sum(p.kind(name) for name in ranks_prediction.KINDS) for p in found]
        assert parts == pytest.approx([p.factor for p in found])
    drawn = figure(row, 32)
    assert [axis.get_xlabel() for axis in drawn.axes] == ["nodes of 32 cores"] * 4


@pytest.mark.parametrize("cores, expected", [(1, [1]), (2, [1, 2]), (32, [1, 2, 32])])
def test_ways_to_share_a_node(cores, expected):
    assert sorted(set(ranks_prediction.choices(cores).values())) == expected


def test_a_meeting_is_measured_among_processes_of_mpiexec():
    pytest.importorskip("mpi4py")
    if not Path(sys.executable).with_name("mpiexec").exists():
        pytest.skip("no mpiexec beside Python")
    found = ranks_runs.under_mpi(2, ("--child", "meetings", 256, 1e-5, 100_000))
    assert 0 <= found["meeting_s"] < found["median_s"] < 0.1
    with pytest.raises(RuntimeError, match="invalid literal"):
        ranks_runs.under_mpi(1, ("--child", "meetings", "many", 1e-5, 1))
