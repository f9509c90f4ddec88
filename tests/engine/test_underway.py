"""Synapses with delays of their own, which one large network reaches step by step.

Batches of trials put the same synapses into a ring when a spike is emitted. Both add in one order,
so all bits are the same.
"""

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import wire_tables
from biosnn.kernels.underway import FULL, SHORT
from tests.engine.pieces import cut

DT = 1e-3
pytestmark = pytest.mark.filterwarnings("ignore:threads is")
LONG = bs.Uniform(DT, 0.3)  # 300 delays, more than a neuron has synapses


def network(rule, delay, weights, n=40, refractory=0.0):
    """Inputs onto neurons, which excite each other; every synapse has its delay."""
    net = bs.Network(DT)
    x = net.input(3, name="x")
    e = net.population(n, bs.lif(refractory=refractory), "excitatory", name="E")
    for k, pre in enumerate((x, e)):
        net.connect(pre, e, synapses=rule, delay=delay, weights=weights, seed=k)
    return net


def assert_same(net, duration=0.4, rate=200.0, **options):
    """`simulate` gives the bits of `run`; returns what it gives."""
    spikes = bs.data.poisson(rate, 3, duration, seed=2)
    trace = bs.run(net, spikes, record=["E.U"], **options)
    done = bs.simulate(net, duration, spikes, record=["E.U"], progress=False, **options)
    np.testing.assert_array_equal(trace.states["E.U"][0], done.states["E.U"])
    np.testing.assert_array_equal(trace.spikes["E"].units, done.spikes["E"].units)
    return done


@pytest.mark.parametrize("weights", [1e-5, bs.Uniform(0, 2e-5)], ids=["one", "own"])
@pytest.mark.parametrize("n", [1, 7])
def test_more_synapses_of_one_delay_than_a_block_holds(weights, n):
    many = 4 * FULL + 9
    net = bs.Network(DT)
    x = net.input(1, name="x")
    e = net.population(n, bs.lif(), "excitatory", name="E")
    rule = bs.FixedTotal(many)
    net.connect(x, e, synapses=rule, delay=bs.Uniform(DT, 2 * DT), weights=weights, seed=1)
    steps = np.bincount(net.synapses["x->E"].delay, minlength=3)
    assert steps[1:].max() > FULL and steps.sum() == many
    spikes = bs.SpikeTrains([0.5 * DT, 3.5 * DT], [0, 0], [0, 2], 1, 8 * DT)
    trace = bs.run(net, spikes, record=["E.I"])
    done = bs.simulate(net, 8 * DT, spikes, record=["E.I"], progress=False)
    found = done.states["E.I"]
    np.testing.assert_array_equal(trace.states["E.I"][0], found)
    if weights == 1e-5:
        first, second, third = found[1:4].sum(axis=1)
        brought = second - first * third / second  # the second delay, less what has decayed
        assert brought / first == pytest.approx(steps[2] / steps[1], rel=1e-3)


@pytest.mark.parametrize("weights", [0.4, bs.Uniform(0, 0.8)], ids=["one", "own"])
def test_few_synapses_of_many_delays(weights):
    done = assert_same(network(bs.FixedInDegree(3), LONG, weights))
    assert done.counts["E"] > 200


@pytest.mark.parametrize("refractory", [0.0, 4e-3])
def test_all_fire_as_often_as_they_can(refractory):
    """The list of spikes that are underway has room for that."""
    net = network(bs.FixedInDegree(20), LONG, bs.Uniform(0, 50.0), refractory=refractory)
    done = assert_same(net, rate=900.0)
    counts = np.bincount(done.spikes["E"].units, minlength=40)
    most = 400 / max(1, round(refractory / DT))
    assert counts.min() > 0.5 * most and counts.max() <= most


@pytest.mark.parametrize("threads", [1, 3])
def test_what_is_underway_goes_on_from_a_state(threads):
    net = network(bs.FixedInDegree(10), bs.Uniform(DT, 60 * DT), bs.Uniform(0, 0.5), n=4000)
    spikes = bs.data.poisson(300.0, 3, 0.15, seed=2)
    whole = bs.simulate(net, 0.15, spikes, threads=threads, progress=False)
    assert whole.counts["E"] > 1000
    state, found = None, []
    for begin, end in ((0, 1), (1, 2), (2, 40), (40, 41), (41, 110), (110, 150)):
        own = cut(spikes, begin, end)
        done = bs.simulate(
            net, (end - begin) * DT, own, state=state, threads=threads, progress=False
        )
        state = done.state
        found.append(done.spikes["E"].units)
    np.testing.assert_array_equal(np.concatenate(found), whole.spikes["E"].units)


def test_units_that_pool_may_fire_more_often_than_neurons():
    """Neurons of a long refractory period that take turns, and a unit that fires with each."""
    net = bs.Network(DT)
    x = net.input(5, name="x")
    e = net.population(5, bs.lif(refractory=5e-3), name="E")
    net.connect(x, e, weights=1e4 * np.eye(5, dtype=np.float32), delay=DT)
    net.pool(e, bs.MaxPool((1, 5), 5), name="P")
    n = 500
    spikes = bs.SpikeTrains((np.arange(n) + 0.5) * DT, np.arange(n) % 5, [0, n], 5, n * DT)
    trace = bs.run(net, spikes)
    assert trace.counts["P"][0].sum() > 0.9 * n
    done = bs.simulate(net, n * DT, spikes, progress=False)
    np.testing.assert_array_equal(trace.spikes["P"][0].times, done.spikes["P"].times)


@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_short_and_long_blocks_of_all_kinds(monkeypatch, dtype, parts):
    """Blocks that are copied and added as one, and those between them that are added alone.

    Shared weights, weights of their own, and releases of short-term plasticity alternate; most
    delays are near the mean, where blocks are long.
    """
    alone = []

    def number_of_parts(layout, *_):
        return parts

    def packed(*given):
        found = pack_parts(*given)
        for bundle, first, words in zip(found[0].bundles, found[0].first, found[1]):
            alone.append(int(bundle["alone"]))
            end = first[-1] + found[0].starts[-1, bundle["row_first"] + bundle["n_pre"]]
            assert words.size >= end + SHORT  # whole lines are copied
        return found

    pack_parts = wire_tables.pack_parts
    monkeypatch.setattr(wire_tables, "number_of_parts", number_of_parts)
    monkeypatch.setattr(wire_tables, "pack_parts", packed)
    net = bs.Network(DT, dtype)
    x = net.input(60, name="x")
    e = net.population(600, bs.lif(), "excitatory", name="E")
    delay = bs.Normal(10 * DT, 2.5 * DT, low=DT, high=20 * DT)
    for k, weights in enumerate((bs.Uniform(0, 0.4), 0.2, bs.Uniform(0, 0.2))):
        plastic = bs.TsodyksMarkram(0.5, 0.1, 0.02) if k == 2 else None
        given = {"delay": delay, "weights": weights, "plasticity": plastic, "seed": k}
        for pre, n in ((x, (10, 100)[k % 2]), (e, 5)):
            name = f"{pre.name}{k}"
            net.connect(pre, e, synapses=bs.FixedInDegree(min(n, pre.n)), name=name, **given)
    spikes = bs.data.poisson(60.0, 60, 0.3, seed=2)
    trace = bs.run(net, spikes, record=["E.U"])
    assert trace.counts["E"].sum() > 300
    for threads in (1, 2):
        done = bs.simulate(net, 0.3, spikes, record=["E.U"], threads=threads, progress=False)
        np.testing.assert_array_equal(trace.states["E.U"][0], done.states["E.U"])
    assert set(alone) == {0, 1}
