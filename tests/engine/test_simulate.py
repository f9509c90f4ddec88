"""simulate: the spikes of run, on any number of threads, continued, interrupted, in files."""

import numpy as np
import pytest

import biosnn as bs
from tests.engine.circuit import (
    BACKGROUND,
    dense,
    same,
    sparse,
)


@pytest.mark.parametrize("delay", [0.0, 5e-4, 1.5e-3])
def test_spikes_and_states_are_those_of_run(delay):
    net, spikes = dense(delay), bs.data.poisson(30, 50, 0.15, seed=1)
    names = ["E.U", "I.I_inh", "readout.U"]
    trace = bs.run(net, spikes, record=names)
    for threads in (1, 2, 3):
        one = bs.simulate(
            net,
            0.15,
            spikes,
            record={name: slice(None) for name in names},
            threads=threads,
            progress=False,
        )
        assert one.counts["E"] == trace.counts["E"].sum() > 1000
        for name in names:
            np.testing.assert_allclose(one.states[name], trace.states[name][0], atol=1e-14)
        for p in ("E", "I"):
            np.testing.assert_allclose(one.spikes[p].times, trace.spikes[p].times)
            assert np.array_equal(one.spikes[p].units, trace.spikes[p].units)


@pytest.mark.parametrize(
    "table, weight", [(bs.conductance_lif, 0.1), (bs.alpha_conductance_lif, 0.05)]
)
def test_conductances_are_those_of_run(table, weight):
    """Recurrent, with delays, a refractory period and a current that changes."""
    net, rng = bs.Network(5e-4, np.float64), np.random.default_rng(1)
    e, i = bs.dalian_layer(net, net.input(50), 40, 20, neuron=table(refractory=2e-3), delay=1e-3)
    net.connect(e, net.readout(3))
    for p in net.projections:
        net.set_weights(
            p.name,
            rng.random((net[p.pre].n, net[p.post].n)) * weight * (1 if p.pre == "input" else 0.3),
        )
    spikes, current = bs.data.poisson(30, 50, 0.15, seed=1), rng.normal(2e-3, 2e-3, (300, 40))
    names = ["E.U", "E.g_exc", "I.g_inh", "readout.U"]
    trace = bs.run(net, spikes, record=names, currents={"E": current[None]})
    one = bs.simulate(
        net,
        0.15,
        spikes,
        record={name: slice(None) for name in names},
        progress=False,
        background=[bs.Current("E", (np.arange(300) * 5e-4, current))],
    )
    assert (
        one.counts["E"] == trace.counts["E"].sum() > 200
        and one.counts["I"] == trace.counts["I"].sum() > 100
    )
    for name in names:
        np.testing.assert_allclose(one.states[name], trace.states[name][0], atol=1e-12)


def adapting(jump_delay):
    """Jumps of every neuron, learned, and bounds; two populations."""
    net, rng = bs.Network(5e-4, np.float64), np.random.default_rng(1)
    x = net.input(50)
    neuron = bs.ei_adaptive_lif(
        jump=rng.uniform(0.1, 0.5, 200), jump_delay=jump_delay, refractory=2e-3
    )
    e = net.population(
        200, bs.bounded(neuron, -0.05, 1.01), "excitatory", name="E", learn={"jump": "neuron"}
    )
    i = net.population(90, bs.ampa_nmda_gaba(), "inhibitory", name="I")
    net.parameters["E", "jump"][:] = rng.normal(0, 0.3, 200)
    for pre, post, w in ((x, e, 1.5), (x, i, 0.9), (i, e, 0.15), (e, i, 0.05)):
        net.connect(pre, post, delay=1e-3, weights=rng.random((pre.n, post.n)) * w)
    return net


def between(spikes, begin, end):
    """The part of one trial from `begin` to `end` (s), as a trial of its own."""
    kept = (spikes.times >= begin) & (spikes.times < end)
    return bs.SpikeTrains.from_events(
        spikes.times[kept] - begin,
        spikes.units[kept],
        np.zeros(kept.sum(), int),
        n_trials=1,
        n_units=spikes.n_units,
        duration=end - begin,
    )


@pytest.mark.parametrize("jump_delay", [0.0, 5e-4, 20e-3])
def test_jumps_and_bounds_are_those_of_run(jump_delay):
    """Per neuron, learned, delayed; on any number of threads, and continued in between."""
    net, spikes = adapting(jump_delay), bs.data.poisson(30, 50, 0.15, seed=1)
    names = ["E.U", "E.w_adapt", "I.I_nmda"]
    trace = bs.run(net, spikes, record=[*names, "E.U_star"])
    assert (
        np.mean(trace.states["E.U_star"] == -0.05) > 1e-3
        and np.mean(trace.states["E.U_star"] == 1.01) > 1e-3
    )
    options = {"record": {name: slice(None) for name in names}, "progress": False}
    for threads in (1, 2, 3):
        one = bs.simulate(net, 0.15, spikes, threads=threads, **options)
        assert one.counts["E"] == trace.counts["E"].sum() > 400 and one.counts["I"] > 50
        for name in names:
            np.testing.assert_allclose(one.states[name], trace.states[name][0], atol=1e-13)
    a = bs.simulate(net, 0.1, between(spikes, 0.0, 0.1), threads=2, **options)
    rest = between(spikes, 0.1, 0.15)
    b = bs.simulate(net, 0.05, rest, threads=1, state=a.state, **options)
    for name in names:
        np.testing.assert_allclose(
            np.concatenate([a.states[name], b.states[name]]), one.states[name], atol=1e-13
        )


@pytest.mark.parametrize("delay", [None, 1.5e-3])
def test_same_bits_on_any_number_of_threads_and_when_continued(delay, tmp_path):
    net = sparse(delay)
    options = {
        "background": BACKGROUND,
        "record": {"E.U": [0, 299], "I.U": slice(3)},
        "every": 7,
        "progress": False,
    }
    one = bs.simulate(net, 0.2, threads=1, **options)
    assert one.counts["E"] > 300 and one.counts["I"] > 100
    for threads in (2, 3):
        assert same(one, bs.simulate(net, 0.2, threads=threads, **options))
    a = bs.simulate(net, 0.1003, threads=2, **options)
    bs.save_state(a.state, tmp_path / "state.npz")
    b = bs.simulate(net, 0.0997, threads=1, state=bs.load_state(tmp_path / "state.npz"), **options)
    assert b.start == pytest.approx(0.1003)
    for p in ("E", "I"):
        assert np.array_equal(
            one.spikes[p].units, np.concatenate([a.spikes[p].units, b.spikes[p].units])
        )
        np.testing.assert_allclose(
            one.spikes[p].times,
            np.concatenate([a.spikes[p].times, b.spikes[p].times + b.start]),
            atol=1e-9,
        )
        assert np.array_equal(
            one.states[f"{p}.U"], np.concatenate([a.states[f"{p}.U"], b.states[f"{p}.U"]])
        )
    for name in ("states", "clock", "held", "spikes_units", "spikes_pointers"):
        assert np.array_equal(one.state.arrays[name], b.state.arrays[name])
    assert not same(one, bs.simulate(net, 0.2, **options | {"seed": 1}))
    with pytest.raises(ValueError, match="another network"):
        bs.simulate(dense(), 0.1, state=a.state, progress=False)


def crowded(delay, plasticity=None):
    """150 inputs onto readouts, densely and sparsely."""
    net = bs.Network(1e-3, np.float64)
    x, h = net.input(150), net.population(70, bs.lif(), "excitatory", name="H", bias=100.0)
    net.connect(h, h, delay=3e-3, weights=1e-3, synapses=bs.FixedInDegree(5), seed=0)
    net.connect(
        x,
        net.readout(2, name="dense"),
        delay=2e-3,
        weights=np.random.default_rng(0).random((150, 2)),
    )
    net.connect(
        x,
        net.readout(70, name="sparse"),
        delay=delay,
        weights=bs.Uniform(0.1, 1.0),
        synapses=bs.FixedOutDegree(20),
        seed=1,
        plasticity=plasticity,
    )
    return net


@pytest.mark.parametrize("plasticity", [None, bs.TsodyksMarkram(0.3, 0.1)])
@pytest.mark.parametrize("delay", [2e-3, bs.Uniform(1e-3, 4e-3)])
def test_inputs_with_many_spikes_in_a_step(delay, plasticity):
    """merge=False: an input may have more spikes in a step than units."""
    rng, n = np.random.default_rng(2), 3000
    spikes = bs.SpikeTrains(
        np.sort(rng.choice([2.5e-3, 3.5e-3, 7.5e-3], n)),
        rng.choice([0, 3, 149], n),
        [0, n],
        150,
        12e-3,
    )
    net, names = crowded(delay, plasticity), ["dense.I", "sparse.I"]
    options = {"merge": False, "record": {name: slice(None) for name in names}, "progress": False}
    one = bs.simulate(net, 12e-3, spikes, threads=1, **options)
    trace = (
        bs.run(crowded(delay), spikes, record=names, merge=False)
        if plasticity is None and delay == 2e-3
        else None
    )
    for name in names if trace else []:
        assert trace.states[name].max() > 50
        np.testing.assert_allclose(one.states[name], trace.states[name][0], rtol=1e-12)
    for threads in (2, 3):
        assert same(one, bs.simulate(net, 12e-3, spikes, threads=threads, **options))
    first = bs.simulate(net, 4e-3, spikes, threads=2, **options)
    late = spikes.times > 4e-3
    rest = bs.SpikeTrains(spikes.times[late] - 4e-3, spikes.units[late], [0, late.sum()], 150, 8e-3)
    second = bs.simulate(net, 8e-3, rest, threads=3, state=first.state, **options)
    for name in names:
        assert np.array_equal(
            one.states[name], np.concatenate([first.states[name], second.states[name]])
        )


def test_resources_used_twice_in_a_step():
    """Three spikes of one synapse at once release U, U (1 - U) and U (1 - U)^2."""
    net = bs.Network(1e-3, np.float64)
    net.connect(
        net.input(1),
        net.readout(1),
        delay=1e-3,
        weights=2.0,
        synapses=bs.Pairs([0], [0]),
        plasticity=bs.TsodyksMarkram(0.3, 0.1),
    )
    spikes = bs.SpikeTrains(np.full(3, 1.5e-3), np.zeros(3, int), [0, 3], 1, 5e-3)
    done = bs.simulate(net, 5e-3, spikes, merge=False, record={"readout.I": [0]}, progress=False)
    assert done.states["readout.I"].max() == pytest.approx(2 * (1 - 0.7**3), rel=1e-12)


def test_counts_rates_and_file(tmp_path):
    net = sparse(1.5e-3)
    memory = bs.simulate(net, 0.1, background=BACKGROUND, progress=False, rate_bin=10e-3)
    filed = bs.simulate(
        net,
        0.1,
        background=BACKGROUND,
        progress=False,
        out=tmp_path / "run.spikes",
        record_spikes=["E"],
    )
    assert (
        memory.binned["E"].size == 10
        and memory.binned["E"].sum() == memory.spikes["E"].times.size == memory.counts["E"]
    )
    assert memory.rates["E"].mean() == pytest.approx(memory.mean_rates["E"])
    assert list(filed.spikes) == ["E"] and np.array_equal(
        filed.spikes["E"].units, memory.spikes["E"].units
    )
    np.testing.assert_allclose(
        bs.read_spikes(tmp_path / "run.spikes")["E"].times, memory.spikes["E"].times
    )
    with pytest.raises(OSError, match="not a file of spikes"):
        (tmp_path / "x.spikes").write_bytes(b"no")
        bs.read_spikes(tmp_path / "x.spikes")


def test_an_interruption_returns_what_was_simulated(monkeypatch):
    import contextlib

    from biosnn.engine import simulate as simulation

    @contextlib.contextmanager
    def interrupt():
        calls = []
        yield lambda: calls.append(1) or len(calls) > 2

    monkeypatch.setattr(simulation, "graceful_interrupt", interrupt)
    net = sparse(1.5e-3)
    part = bs.simulate(net, 100.0, background=BACKGROUND, progress=False)
    assert part.interrupted and 0 < part.duration < 50
    monkeypatch.undo()
    whole = bs.simulate(net, part.duration, background=BACKGROUND, progress=False)
    assert same(part, whole) and not whole.interrupted


def test_a_run_of_many_slices(monkeypatch):
    """Slices that are short of room for spikes, not of time, grow no further: their size ended
    beyond all numbers after some 500.
    """
    from biosnn.engine import stream_run

    net = bs.Network(1e-4)
    net.population(
        1,
        bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3),
        "excitatory",
        name="E",
    )
    monkeypatch.setattr(stream_run, "_ROOM", 1)
    done = bs.simulate(net, 2.0, background=[bs.Current("E", 0.03)], progress=False)
    # from 10 to 20 mV towards 30 mV: 20 ms ln 2 after the 2 ms of refractoriness
    assert done.mean_rates["E"] == pytest.approx(1 / (20e-3 * np.log(2) + 2e-3), rel=0.02)


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda net: bs.simulate(net, 0), "duration"),
        (lambda net: bs.simulate(net, 0.1, record={"E.X": [0]}), "E.U"),
        (lambda net: bs.simulate(net, 0.1, every=0), "every"),
        (lambda net: bs.simulate(net, 0.1, threads=0), "threads"),
        (lambda net: bs.simulate(net, 0.1, background=[3]), r"background\[0\]"),
        (
            lambda net: bs.simulate(net, 0.1, background=[bs.PoissonInput("E", 1e3, -1.0)]),
            "non-negative",
        ),
        (
            lambda net: bs.simulate(net, 0.1, background=[bs.PoissonInput("E", -1e3, 1.0)]),
            "rates run from -1000",
        ),
        (
            lambda net: bs.simulate(net, 0.1, background=[bs.Current("E", np.ones(7))]),
            "one per neuron",
        ),
    ],
)
def test_messages(act, words):
    with pytest.raises(ValueError, match=words):
        act(sparse(1.5e-3))


def test_weights_that_users_wrote_themselves_are_checked():
    net = dense()
    net.weights["E->E"] = np.full((1, 200), 0.01)
    with pytest.raises(
        ValueError,
        match=r"weights have shape \(1, 200\); they must be \(pre, post\) = \(200, 200\)",
    ):
        bs.simulate(net, 0.01, bs.data.poisson(30, 50, 0.01, seed=1), progress=False)


def test_initial_states_that_are_no_numbers():
    with pytest.raises(
        ValueError, match="initial 'E.U' has the value nan; it must hold finite numbers"
    ):
        bs.simulate(sparse(), 0.01, initial={"E.U": np.nan}, progress=False)


def test_a_file_that_a_later_run_has_taken(tmp_path):
    options = {"background": BACKGROUND, "out": tmp_path / "run.spikes", "progress": False}
    first = bs.simulate(sparse(), 0.1, **options)
    second = bs.simulate(sparse(), 0.1, **options | {"seed": 1})
    assert second.spikes["E"].times.size == second.counts["E"] > 0
    with pytest.raises(OSError, match="a later run has written there"):
        first.spikes


def test_many_futures_of_one_state(tmp_path):
    """Without a seed a run goes on; with one it branches off, for every seed in another way."""
    net = bs.Network(1e-3)
    net.population(50, bs.lif(), "excitatory", name="E", initial=0.2)
    options = {
        "background": [
            bs.PoissonInput("E", 100.0, 0.2, "exc"),
            bs.OrnsteinUhlenbeck("E", 0.3, 0.3, 5e-3),
        ],
        "progress": False,
        "record": {"E.U": slice(None)},
    }
    whole, first = (bs.simulate(net, duration, seed=1, **options) for duration in (0.1, 0.05))
    bs.save_state(first.state, tmp_path / "state.npz")
    for state in (first.state, bs.load_state(tmp_path / "state.npz")):
        same, *branches = (
            bs.simulate(net, 0.05, state=state, seed=seed, **options) for seed in (None, 0, 1, 2, 2)
        )
        assert np.array_equal(same.states["E.U"], whole.states["E.U"][50:])
        assert np.array_equal(branches[-1].states["E.U"], branches[-2].states["E.U"])
        futures = [run.states["E.U"] for run in (same, *branches[:-1])]
        for k, a in enumerate(futures):
            for b in futures[:k]:  # they share where they begin, and drift apart
                assert not np.array_equal(a, b) and abs(
                    np.corrcoef(a[-1], b[-1])[0, 1]
                ) < 5 / np.sqrt(50)
    rest = bs.simulate(
        net, 0.02, state=branches[0].state, **options
    )  # a branch goes on as what it is
    long = bs.simulate(net, 0.07, state=first.state, seed=0, **options)
    assert np.array_equal(rest.states["E.U"], long.states["E.U"][50:])
    with pytest.raises(ValueError, match="give initial or state, not both"):
        bs.simulate(net, 0.05, state=first.state, initial={"E.U": 0.0}, **options)
    for seed in (-1, "a", 0.5):
        with pytest.raises(ValueError, match="seed is .*whole number >= 0, or a numpy Generator"):
            bs.simulate(net, 0.05, state=first.state, seed=seed, **options)
