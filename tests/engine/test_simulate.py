"""The engine of one large network against `run`, against itself on other numbers of threads, and continued."""

import numpy as np
import pytest

import biosnn as bs


def dense(delay=1.5e-3, dtype=np.float64):
    net, rng = bs.Network(5e-4, dtype), np.random.default_rng(1)
    x = net.input(50)
    e, _ = bs.dalian_layer(net, x, 200, 90, neuron=bs.ei_lif(refractory=2e-3), delay=delay)
    net.connect(e, net.readout(3))
    for p in net.projections:
        net.set_weights(
            p.name, rng.random((net[p.pre].n, net[p.post].n)) * (0.6 if p.pre == "input" else 0.05)
        )
    return net


def sparse(delay=None, dtype=np.float32):
    """E and I with delta synapses, delays of their own or one."""
    net = bs.Network(1e-4, dtype)
    neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3)
    e, i = (
        net.population(300, neuron, "excitatory", name="E"),
        net.population(100, neuron, "inhibitory", name="I"),
    )
    for seed, (pre, post, w) in enumerate(
        ((e, e, 3e-4), (e, i, 3e-4), (i, e, 1.5e-3), (i, i, 1.5e-3))
    ):
        net.connect(
            pre,
            post,
            delay=bs.Uniform(2e-4, 4e-3) if delay is None else delay,
            weights=bs.Normal(w, w / 10, low=0),
            synapses=bs.FixedInDegree(pre.n // 10),
            seed=seed,
        )
    return net


BACKGROUND = [
    bs.PoissonInput("E", 12e3, 1e-4),
    bs.PoissonInput("I", np.full(100, 12e3), 1e-4),
    bs.OrnsteinUhlenbeck("E", 1e-3, 2e-3, 5e-3),
    bs.Current("I", ([0.0, 0.05], [0.0, 2e-3])),
]


def same(a, b):
    return all(
        np.array_equal(a.spikes[k].times, b.spikes[k].times)
        and np.array_equal(a.spikes[k].units, b.spikes[k].units)
        for k in a.spikes
    ) and all(np.array_equal(a.states[k], b.states[k]) for k in a.states)


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


@pytest.mark.parametrize("jump_delay", [0.0, 5e-4, 20e-3])
def test_jumps_and_bounds_are_those_of_run(jump_delay):
    """Per neuron, learned, delayed; on any number of threads, and continued in between."""
    net, rng, spikes = (
        bs.Network(5e-4, np.float64),
        np.random.default_rng(1),
        bs.data.poisson(30, 50, 0.15, seed=1),
    )
    x, neuron = (
        net.input(50),
        bs.ei_adaptive_lif(jump=rng.uniform(0.1, 0.5, 200), jump_delay=jump_delay, refractory=2e-3),
    )
    e = net.population(
        200, bs.bounded(neuron, -0.05, 1.01), "excitatory", name="E", learn={"jump": "neuron"}
    )
    i = net.population(90, bs.ampa_nmda_gaba(), "inhibitory", name="I")
    net.parameters["E", "jump"][:] = rng.normal(0, 0.3, 200)
    for pre, post, w in ((x, e, 1.5), (x, i, 0.9), (i, e, 0.15), (e, i, 0.05)):
        net.connect(pre, post, delay=1e-3, weights=rng.random((pre.n, post.n)) * w)
    names = ["E.U", "E.w_adapt", "I.I_nmda"]
    trace = bs.run(net, spikes, record=[*names, "E.U_star"])
    assert (
        np.mean(trace.states["E.U_star"] == -0.05) > 1e-3
        and np.mean(trace.states["E.U_star"] == 1.01) > 1e-3
    )
    record = {name: slice(None) for name in names}
    for threads in (1, 2, 3):
        one = bs.simulate(net, 0.15, spikes, record=record, threads=threads, progress=False)
        assert one.counts["E"] == trace.counts["E"].sum() > 400 and one.counts["I"] > 50
        for name in names:
            np.testing.assert_allclose(one.states[name], trace.states[name][0], atol=1e-13)
    begin, end = spikes.times < 0.1, spikes.times >= 0.1
    a = bs.simulate(
        net,
        0.1,
        bs.SpikeTrains.from_events(
            spikes.times[begin],
            spikes.units[begin],
            np.zeros(begin.sum(), int),
            n_trials=1,
            n_units=50,
            duration=0.1,
        ),
        record=record,
        threads=2,
        progress=False,
    )
    b = bs.simulate(
        net,
        0.05,
        bs.SpikeTrains.from_events(
            spikes.times[end] - 0.1,
            spikes.units[end],
            np.zeros(end.sum(), int),
            n_trials=1,
            n_units=50,
            duration=0.05,
        ),
        record=record,
        threads=1,
        state=a.state,
        progress=False,
    )
    for name in names:
        np.testing.assert_allclose(
            np.concatenate([a.states[name], b.states[name]]), one.states[name], atol=1e-13
        )


@pytest.mark.parametrize("delay", [None, 1.5e-3])
def test_same_bits_on_any_number_of_threads_and_when_continued(delay, tmp_path):
    net, options = (
        sparse(delay),
        {
            "background": BACKGROUND,
            "record": {"E.U": [0, 299], "I.U": slice(3)},
            "every": 7,
            "progress": False,
        },
    )
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
    for name in ("x", "clock", "held", "ring"):
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


def naive_delta(net, currents, steps):
    """Sparse delta network driven by constant currents, neuron by neuron and synapse by synapse, in float64."""
    a, theta, reset, k = np.exp(-net.dt / 20e-3), 20e-3, 10e-3, 20
    u = {p.name: np.zeros(p.n) for p in net.populations}
    last = {p.name: np.full(p.n, -(10**6)) for p in net.populations}
    arrivals, spikes = {}, {p.name: [] for p in net.populations}
    for n in range(steps):
        fired = {}
        for p in net.populations:
            free = n - last[p.name] >= k
            new = a * u[p.name] + (1 - a) * currents[p.name]
            u[p.name] = np.where(free, new, u[p.name])
            fired[p.name] = np.flatnonzero(free & (u[p.name] > theta))
            last[p.name][fired[p.name]] = n
            spikes[p.name] += [(n, i) for i in fired[p.name]]
        for projection in net.projections:
            j, i, w, d = net.indices(projection)
            sign = net[projection.post].neuron.receptors[projection.receptor].jump
            for s in np.flatnonzero(np.isin(j, fired[projection.pre])):
                arrivals.setdefault(n + round(d[s] / net.dt), []).append(
                    (projection.post, i[s], sign * w[s])
                )
        for post, i, w in arrivals.pop(n, []):
            if n - last[post][i] >= k:  # what reaches a clamped membrane is lost
                u[post][i] += w
        for p in net.populations:
            u[p.name][fired[p.name]] = reset
    return u, spikes


@pytest.mark.parametrize("delay", [None, 1.5e-3, 0.0])
def test_sparse_network_against_a_naive_loop(delay):
    net, rng = sparse(delay, np.float64), np.random.default_rng(0)
    currents = {p.name: rng.uniform(15e-3, 40e-3, p.n) for p in net.populations}
    u, spikes = naive_delta(net, currents, 1000)
    result = bs.simulate(
        net,
        0.1,
        background=[bs.Current(p, c) for p, c in currents.items()],
        record={"E.U": slice(None)},
        progress=False,
        threads=2,
    )
    for p in ("E", "I"):
        found = np.stack(
            [np.round(result.spikes[p].times / net.dt), result.spikes[p].units], axis=1
        )
        assert len(found) > 100 and np.array_equal(found, np.array(spikes[p]))
    np.testing.assert_allclose(result.states["E.U"][-1], u["E"], atol=1e-12)


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
    """Slices that are short of room for spikes, not of time, grow no further: their size ended beyond all numbers after some 500."""
    from biosnn.engine import simulate as simulation

    net = bs.Network(1e-4)
    net.population(
        1,
        bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3),
        "excitatory",
        name="E",
    )
    monkeypatch.setattr(simulation, "_ROOM", 1)
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


def drive_one(neuron, steps, dtype=np.float64, weights=(0.5, 0.3), initial=0.0):
    """One neuron on receptors exc and inh with given input spikes; states at the end of each step, spikes."""
    rng = np.random.default_rng(2)
    given = rng.random((steps, 2)) < [0.3, 0.1]
    net = bs.Network(1e-4, dtype)
    net.population(1, neuron, name="A", initial=initial)
    for k, (receptor, w) in enumerate(zip(("exc", "inh"), weights)):
        net.connect(net.input(1, name=f"x{k}"), "A", weights=[[w]], receptor=receptor)
    spikes = {f"x{k}": bs.from_dense(given[None, :, k : k + 1], 1e-4) for k in range(2)}
    names = [f"A.{state}" for state in neuron.states]
    result = bs.simulate(
        net, steps * 1e-4, spikes, record={name: [0] for name in names}, progress=False
    )
    return (
        given,
        {name[2:]: result.states[name][:, 0] for name in names},
        np.round(result.spikes["A"].times / 1e-4).astype(int),
    )


def test_conductances_against_a_naive_loop():
    given, states, spikes = drive_one(bs.conductance_lif(), 3000)
    u = ge = gi = 0.0
    last, expected, found = -1000, [], []
    for n in range(3000):
        total = 1 + ge + gi
        limit = (ge * 60e-3 - gi * 20e-3) / total
        free = n - last >= 50
        if free:
            u = limit + (u - limit) * np.exp(-1e-4 * total / 20e-3)
        ge, gi = (
            ge * np.exp(-1e-4 / 5e-3) + 0.5 * given[n, 0],
            gi * np.exp(-1e-4 / 10e-3) + 0.3 * given[n, 1],
        )
        if free and u > 10e-3:
            found.append(n)
            last, u = n, 0.0
        expected.append((u, ge, gi))
    assert len(found) > 20 and spikes.tolist() == found
    np.testing.assert_allclose(
        np.stack([states["U"], states["g_exc"], states["g_inh"]], axis=1),
        expected,
        rtol=1e-10,
        atol=1e-14,
    )


def test_alpha_conductances_against_a_naive_loop():
    given, states, spikes = drive_one(bs.alpha_conductance_lif(), 3000, weights=(0.12, 0.1))
    u = ge = he = gi = hi = 0.0
    last, expected, found = -1000, [], []
    a, b = np.exp(-1e-4 / 5e-3), np.exp(-1e-4 / 10e-3)
    for n in range(3000):
        total = 1 + ge + gi
        limit = (ge * 60e-3 - gi * 20e-3) / total
        free = n - last >= 50
        if free:
            u = limit + (u - limit) * np.exp(-1e-4 * total / 20e-3)
        ge, gi = a * ge + (1 - a) * he, b * gi + (1 - b) * hi
        he, hi = a * he + 0.12 * np.e * given[n, 0], b * hi + 0.1 * np.e * given[n, 1]
        if free and u > 10e-3:
            found.append(n)
            last, u = n, 0.0
        expected.append((u, ge, he, gi, hi))
    assert len(found) > 20 and spikes.tolist() == found
    names = ["U", "g_exc", "h_exc", "g_inh", "h_inh"]
    np.testing.assert_allclose(
        np.stack([states[name] for name in names], axis=1), expected, rtol=1e-10, atol=1e-14
    )


def test_the_peak_of_an_alpha_conductance_is_the_weight():
    net = bs.Network(1e-4, np.float64)
    a = net.population(1, bs.alpha_conductance_lif(threshold=1.0), name="A")
    net.connect(net.input(1), a, weights=[[0.7]], receptor="exc")
    spike = bs.SpikeTrains.from_events([0.0], [0], [0], n_trials=1, n_units=1, duration=0.02)
    g = bs.simulate(net, 0.02, spike, record={"A.g_exc": [0]}, progress=False).states["A.g_exc"][
        :, 0
    ]
    assert abs(int(g.argmax()) - 50) <= 1 and g.max() == pytest.approx(
        0.7 * (1 + 1e-4 / (2 * 5e-3)), rel=1e-3
    )


def test_adaptation_against_a_naive_loop():
    given, states, spikes = drive_one(
        bs.adaptive_lif(
            tau_mem=20e-3,
            tau_syn=5e-3,
            tau_adapt=0.1,
            jump=0.3,
            refractory=1e-3,
            integrator="exponential_euler",
        ),
        3000,
    )
    u = i = w = 0.0
    last, expected, found = -1000, [], []
    a, b, c = (np.exp(-1e-4 / tau) for tau in (20e-3, 5e-3, 0.1))
    for n in range(3000):
        free = n - last >= 10
        u, i, w = a * u + (1 - a) * (i - w) if free else u, b * i, c * w
        i += 0.5 * given[n, 0] - 0.3 * given[n, 1]
        if free and u > 1:
            found.append(n)
            last, u, w = n, 0.0, w + 0.3
        expected.append((u, i, w))
    assert len(found) > 20 and spikes.tolist() == found
    np.testing.assert_allclose(
        np.stack([states["U"], states["I"], states["w_adapt"]], axis=1),
        expected,
        rtol=1e-9,
        atol=1e-12,
    )


def test_adex_against_a_naive_loop():
    given, states, spikes = drive_one(bs.adex(refractory=0.5e-3), 3000, weights=(4e-3, 1e-3))
    u = e = i = w = 0.0
    tau, last, expected, found = 281e-3 / 30, -1000, [], []
    for n in range(3000):
        free = n - last >= 5
        slope = (-u + 2e-3 * np.exp((u - 20.2e-3) / 2e-3) + e - i - w) / tau
        w += 1e-4 / 144e-3 * (4 / 30 * u - w)
        u += 1e-4 * slope if free else 0.0
        e, i = e - 1e-4 / 5e-3 * e + 4e-3 * given[n, 0], i - 1e-4 / 10e-3 * i + 1e-3 * given[n, 1]
        if free and u > 90.6e-3:
            found.append(n)
            last, u, w = n, 0.0, w + 80.5e-3 / 30
        expected.append((u, e, i, w))
    assert len(found) > 10 and spikes.tolist() == found
    np.testing.assert_allclose(
        np.stack([states[name] for name in ("U", "I_exc", "I_inh", "w_adapt")], axis=1),
        expected,
        rtol=1e-9,
        atol=1e-13,
    )


def test_izhikevich_against_a_naive_loop():
    given, states, spikes = drive_one(bs.izhikevich(), 5000, weights=(1.2, 0.3), initial=-65.0)
    v, e, i, u = -65.0, 0.0, 0.0, 0.0
    expected, found = [], []
    for n in range(5000):
        dv, du = 0.04 * v**2 + 5 * v + 140 - u + e - i, 0.02 * (0.2 * v - u)
        v, u = v + 0.1 * dv, u + 0.1 * du
        e, i = e - 1e-4 / 5e-3 * e + 1.2 * given[n, 0], i - 1e-4 / 10e-3 * i + 0.3 * given[n, 1]
        if v > 30:
            found.append(n)
            v, u = -65.0, u + 8
        expected.append((v, e, i, u))
    assert len(found) > 10 and spikes.tolist() == found
    np.testing.assert_allclose(
        np.stack([states[name] for name in ("U", "I_exc", "I_inh", "w_adapt")], axis=1),
        expected,
        rtol=1e-9,
        atol=1e-10,
    )


@pytest.mark.parametrize(
    "make, current, initial", [(bs.adex, 0.025, 0.0), (bs.izhikevich, 10.0, -65.0)]
)
def test_upstrokes_in_single_precision(make, current, initial):
    """Regular firing: the rounding of float32 moves a spike by a step or two in half a second, and loses none."""
    found = []
    for dtype in (np.float32, np.float64):
        net = bs.Network(1e-4, dtype)
        net.population(3, make(), name="A", initial=initial)
        run = bs.simulate(
            net,
            0.5,
            background=[bs.Current("A", current * np.array([1.0, 1.2, 1.5]))],
            record={"A.U": slice(None)},
            progress=False,
        )
        assert run.states["A.U"].dtype == dtype
        spikes = run.spikes["A"]
        found.append(([spikes.times[spikes.units == k] for k in range(3)], run.states["A.U"][:50]))
    (single, early), (double, exact) = found
    np.testing.assert_allclose(early, exact, rtol=1e-4)
    for ours, theirs in zip(single, double):
        assert ours.size == theirs.size > 5 and np.abs(ours - theirs).max() < 2.5e-4


@pytest.mark.parametrize(
    "make, words",
    [
        (
            lambda: bs.alpha_conductance_lif(reversal_exc=np.inf),
            "alpha_conductance_lif: reversal_exc is inf",
        ),
        (lambda: bs.alpha_conductance_lif(tau_inh=0.0), "time constant inh is 0"),
        (lambda: bs.adex(slope=0.0), "slope is 0.0 and must be positive"),
        (lambda: bs.adex(onset=0.1), "onset 0.1 must lie below peak"),
        (lambda: bs.adex(b=np.nan), "adex: b is nan"),
        (lambda: bs.adex(reset="subtract"), "reset to a value"),
        (lambda: bs.adex(reset=0.1), "above the reset"),
        (lambda: bs.adex(tau_adapt=-1.0), "time constant adapt"),
        (lambda: bs.izhikevich(a=0.0), "a is 0.0; it must be positive"),
        (lambda: bs.izhikevich(d="8 mV"), "izhikevich: d is '8 mV'"),
        (lambda: bs.izhikevich(c=31.0), "above the reset"),
        (lambda: bs.theory.psp_integrals(bs.adex(), 1e-4, "exc"), "not linear"),
    ],
)
def test_neuron_messages(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("make", [bs.alpha_conductance_lif, bs.adex, bs.izhikevich])
def test_trials_or_theory_refuse_what_is_not_linear(make):
    net = bs.Network(1e-4)
    x, a = net.input(2), net.population(3, make(), "excitatory", name="A")
    for receptor in ("exc", "inh"):
        net.connect(x, a, weights=np.full((2, 3), 0.1), receptor=receptor, name=receptor)
    if make is not bs.alpha_conductance_lif:
        with pytest.raises(
            ValueError, match=f"'A': batches of trials and training do not take {make.__name__}"
        ):
            bs.run(net, bs.data.poisson(5, 2, 0.1, seed=0))
    with pytest.raises(ValueError, match=make.__name__):
        bs.regime(net, [bs.PoissonInput("A", 1e3, 1e-3, "exc")], rates={"input": 5.0})
    with pytest.raises(ValueError, match=make.__name__):
        bs.fluctuation_driven(
            net,
            background=[bs.PoissonInput("A", 1e3, 1e-3, "exc")],
            assumed_rates={"input": 5.0},
            mu_u=1e-3,
            sigma_u=1e-3,
        )


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
