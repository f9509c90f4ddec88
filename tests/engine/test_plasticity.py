"""Plastic synapses against slow, obvious loops over spikes and synapses."""

import numpy as np
import pytest

import biosnn as bs

DT = 1e-3


def driven(delay, plasticity, sparse=True, sign="unsigned", dtype=np.float64, w=0.3, n_post=70):
    """30 input units onto neurons that fire by a constant current; U and currents do not matter to
    the inputs.
    """
    net = bs.Network(DT, dtype)
    x = net.input(30, sign=sign)
    post = net.population(n_post, bs.lif(tau_mem=10e-3, tau_syn=5e-3), name="A")
    rng = np.random.default_rng(3)
    drawn = bs.Uniform(1e-3, 9e-3) if delay is None else delay
    weights = bs.Uniform(0, w) if sparse else rng.random((30, n_post)) * w
    options = {"synapses": bs.Bernoulli(0.4), "seed": 5} if sparse else {}
    net.connect(
        x,
        post,
        delay=drawn,
        weights=weights,
        receptor="inh" if sign == "inhibitory" else "exc",
        name="P",
        plasticity=plasticity,
        **options,
    )
    return (
        net,
        bs.data.poisson(25, 30, 0.6, seed=2),
        [bs.Current("A", np.linspace(1.1, 3.0, n_post))],
    )


def steps_of(spikes):
    """(steps, units), one spike of a unit in a step."""
    return np.nonzero(bs.bin_spikes(spikes, DT).dense()[0])


@pytest.mark.parametrize("rule", [bs.TsodyksMarkram(0.5, 0.8), bs.TsodyksMarkram(0.1, 0.13, 0.53)])
@pytest.mark.parametrize("delay, sparse", [(2e-3, True), (2e-3, False), (0.0, True), (None, True)])
def test_short_term_plasticity_against_a_naive_loop(rule, delay, sparse):
    net, spikes, background = driven(delay, rule, sparse)
    run = bs.simulate(
        net,
        0.6,
        spikes,
        background=background,
        record={"A.I": slice(None)},
        progress=False,
        threads=2,
    )
    arrivals = np.zeros((700, 70))
    last = {}
    u = np.zeros(30)
    x = np.ones(30)
    j, i, w, d = net.indices("P")
    for n, unit in zip(*steps_of(spikes)):
        gone = (n - last.get(unit, n)) * DT
        u[unit] *= np.exp(-gone / rule.tau_facil) if rule.tau_facil else 0
        x[unit] = 1 - (1 - x[unit]) * np.exp(-gone / rule.tau_rec)
        last[unit] = n
        u[unit] += rule.utilization * (1 - u[unit])
        release = u[unit] * x[unit]
        x[unit] -= release
        for s in np.flatnonzero(j == unit):
            arrivals[n + round(d[s] / DT), i[s]] += w[s] * release
    current, expected = np.zeros(70), []
    for n in range(600):
        current = current * np.exp(-DT / 5e-3) + arrivals[n]
        expected.append(current)
    np.testing.assert_allclose(run.states["A.I"], expected, atol=1e-12)
    assert np.max(expected) > 0.1


def naive_learning(net, rule, delay, inputs, outputs, steps):
    j, i, w, _ = net.indices("P")
    w = w.astype(float).copy()
    pre = np.zeros(30)
    post = np.zeros(70)
    decay = np.exp(-DT / rule.tau)
    for n in range(steps):
        pre, post = pre * decay, post * decay
        for unit in inputs[1][inputs[0] == n - delay]:
            pre[unit] += 1
            w[j == unit] = np.clip(
                w[j == unit] + rule.eta * (post[i[j == unit]] - rule.alpha), 0, rule.w_max
            )
        for unit in outputs[1][outputs[0] == n]:
            post[unit] += 1
            w[i == unit] = np.clip(w[i == unit] + rule.eta * pre[j[i == unit]], 0, rule.w_max)
    return w


@pytest.mark.parametrize("delay", [0, 3])
def test_inhibitory_plasticity_against_a_naive_loop(delay):
    rule = bs.InhibitorySTDP(0.02, 120.0, 20e-3, w_max=0.4)
    net, spikes, background = driven(delay * DT, rule, sign="inhibitory")
    before = net.weights["P"].copy()
    run = bs.simulate(net, 0.6, spikes, background=background, progress=False, threads=2)
    expected = naive_learning(net, rule, delay, steps_of(spikes), steps_of(run.spikes["A"]), 600)
    assert run.counts["A"] > 500 and np.array_equal(net.weights["P"], before)
    np.testing.assert_allclose(run.weights["P"], expected, atol=1e-12)
    assert (
        (expected == 0.4).sum() > 5
        and (expected == 0).sum() > 5
        and np.abs(expected - before).max() > 0.1
    )


@pytest.mark.parametrize(
    "rule, sign, delay",
    [
        (bs.InhibitorySTDP(0.02, 10.0, w_max=0.5), "inhibitory", 3e-3),
        (bs.TsodyksMarkram(0.2, 0.1, 0.5), "unsigned", 3e-3),
        (bs.TsodyksMarkram(0.2, 0.1, 0.5), "unsigned", None),
    ],
)
def test_same_bits_on_any_number_of_threads_and_when_continued(rule, sign, delay, tmp_path):
    net, spikes, background = driven(delay, rule, sign=sign, dtype=np.float32, n_post=200)
    options = {"background": background, "record": {"A.U": slice(None)}, "progress": False}
    one = bs.simulate(net, 0.6, spikes, threads=1, **options)
    for threads in (2, 3):
        other = bs.simulate(net, 0.6, spikes, threads=threads, **options)
        assert np.array_equal(one.states["A.U"], other.states["A.U"]) and np.array_equal(
            one.weights["P"], other.weights["P"]
        )
    cut = 0.299
    first = bs.SpikeTrains(
        spikes.times[spikes.times < cut],
        spikes.units[spikes.times < cut],
        [0, (spikes.times < cut).sum()],
        30,
        cut,
    )
    late = spikes.times >= cut
    second = bs.SpikeTrains(
        spikes.times[late] - cut + 1e-6, spikes.units[late], [0, late.sum()], 30, 0.6 - cut
    )
    a = bs.simulate(net, cut, first, threads=2, **options)
    bs.save_state(a.state, tmp_path / "state.npz")
    b = bs.simulate(
        net, 0.6 - cut, second, threads=1, state=bs.load_state(tmp_path / "state.npz"), **options
    )
    assert np.array_equal(one.states["A.U"], np.concatenate([a.states["A.U"], b.states["A.U"]]))
    assert one.counts["A"] > 500
    for key, value in one.state.arrays.items():
        if key.startswith(("weight/", "plastic/")):
            assert np.array_equal(value, b.state.arrays[key]), key
    assert np.array_equal(one.weights["P"], net.weights["P"]) != (sign == "inhibitory")


def test_steady_states():
    depressing = bs.TsodyksMarkram(0.5, 0.8)
    # Tsodyks et al. (1998)
    np.testing.assert_allclose(
        depressing.steady_state([10.0, 20.0])[2], [0.1051, 0.0571], atol=5e-5
    )
    for rule in (depressing, bs.TsodyksMarkram(0.03, 0.13, 0.53)):
        u, x = 0.0, 1.0
        for _ in range(500):
            u = u * (np.exp(-0.05 / rule.tau_facil) if rule.tau_facil else 0)
            u, x = u + rule.utilization * (1 - u), 1 - (1 - x) * np.exp(-0.05 / rule.tau_rec)
            release = u * x
            x -= release
        assert rule.steady_state(20.0)[2] == pytest.approx(release, rel=1e-10)


STDP = bs.InhibitorySTDP(0.1, 5.0, w_max=0.2)


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: bs.TsodyksMarkram(0.0), "utilization"),
        (lambda: bs.TsodyksMarkram(0.5, -1), "tau_rec"),
        (lambda: bs.TsodyksMarkram(0.5, 0.8, -1), "tau_facil"),
        (lambda: bs.InhibitorySTDP(0, 5.0), "eta"),
        (lambda: bs.InhibitorySTDP(0.1, 0.0), "target_rate"),
        (lambda: bs.InhibitorySTDP(0.1, 5.0, tau=0), "tau"),
        (lambda: bs.InhibitorySTDP(0.1, 5.0, w_max=0), "w_max"),
        (lambda: driven(0.0, "depression"), "must be TsodyksMarkram"),
        (lambda: driven(0.0, STDP), "inhibitory populations"),
        (lambda: driven(0.0, STDP, sign="inhibitory"), "above w_max"),
        (lambda: driven(0.0, STDP, False, "inhibitory"), "sparse"),
        (lambda: driven(None, STDP, sign="inhibitory"), "one delay"),
        (
            lambda: bs.run(*driven(0.0, bs.InhibitorySTDP(0.1, 5.0), sign="inhibitory")[:2]),
            "inhibitory plasticity: P. Their weights would differ from trial to trial",
        ),
    ],
)
def test_messages(act, words):
    with pytest.raises(ValueError, match=words):
        act()


def test_plasticity_is_part_of_what_a_state_belongs_to():
    prints = {
        driven(0.0, rule)[0].fingerprint()
        for rule in (None, bs.TsodyksMarkram(), bs.TsodyksMarkram(0.4))
    }
    assert len(prints) == 3


@pytest.mark.parametrize(
    "rule, sign, delay",
    [
        (bs.TsodyksMarkram(0.1, 0.13, 0.53), "unsigned", None),
        (bs.InhibitorySTDP(0.02, 40.0, w_max=0.4), "inhibitory", 3e-3),
    ],
)
def test_the_same_in_brian2(rule, sign, delay):
    pytest.importorskip("brian2")
    net, spikes, background = driven(delay, rule, sign=sign)
    currents = {"A": background[0].values}
    report = bs.brian.compare(net, spikes, currents=currents, progress=False)
    assert report.identical and report.worst_state < 1e-12 and report.spike_counts["A"][0] > 500
    theirs = bs.brian.to_brian2(net, spikes, currents=currents)
    theirs.run()
    weights = bs.simulate(net, 0.6, spikes, background=background, progress=False).weights["P"]
    np.testing.assert_allclose(weights, theirs.projections["P"].w, atol=1e-10)
