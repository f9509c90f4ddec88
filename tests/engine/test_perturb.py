"""Perturbations: holds against the naive reference, synapses against networks built otherwise."""

import numpy as np
import pytest

import biosnn as bs
import tests.kernels.circuit as small
from biosnn.engine.perturbed import perturbed
from biosnn.engine.stream_recording import StreamRecording
from biosnn.engine.stream_run import StreamRun
from biosnn.engine.stream_setting import Setting
from biosnn.network.perturb import Clamp, Lesion, LesionSynapses, Scale, Silence, Stimulate
from tests import naive
from tests.engine.circuit import BACKGROUND, dense, same, sparse
from tests.engine.pieces import DELAYS, DT, IDS, TABLES, cut

NAMES = ("A.U_star", "A.U", "B.U", "out.U")
HELD = [
    Silence("A", neurons=[0, 3], start=5 * DT, stop=12 * DT),
    Clamp("A", [0.5, 2.0], neurons=[1, 0], start=12 * DT, stop=20 * DT),
    Clamp("B", -0.3, neurons=slice(2), start=20 * DT),
    Stimulate("B", 1.5, neurons=[3], start=3 * DT, stop=9 * DT),
]
CURRENTS = {
    "A": np.random.default_rng(0).normal(0.6, 0.3, (3, 30, 5)),
    "B": np.full((3, 30, 4), 0.5),
}


def by_hand(net):
    """Values at which U is held (NaN: free), and the currents with the stimulus, for HELD."""
    held = {"A": np.full((30, 5), np.nan), "B": np.full((30, 4), np.nan)}
    reset = net["A"].neuron.reset
    held["A"][5:12, [0, 3]] = 0.0 if reset == "subtract" else reset
    held["A"][12:20, 1], held["A"][12:20, 0] = 0.5, 2.0
    held["B"][20:, :2] = -0.3
    currents = {name: values.copy() for name, values in CURRENTS.items()}
    currents["B"][:, 3:9, 3] += 1.5
    return held, currents


@pytest.mark.parametrize("table, options", TABLES, ids=IDS)
def test_what_is_held_and_stimulated_is_as_in_the_naive_reference(table, options):
    net = small.circuit(table, delays=DELAYS, **options)
    trains = small.spikes()
    trace = bs.run(net, trains, record=NAMES, currents=CURRENTS, perturbations=HELD)
    held, currents = by_hand(net)
    free = bs.run(net, trains, currents=CURRENTS)
    assert all(not np.array_equal(trace.counts[name], free.counts[name]) for name in "AB")
    for b in range(3):
        inputs = {"input": bs.bin_spikes(trains, DT).dense()[b]}
        mine = {name: values[b] for name, values in currents.items()}
        expected = naive.run(net, inputs, mine, held=held)
        for name in ("A", "B"):
            spikes = bs.bin_spikes(trace.spikes[name][b], DT).dense()[0]
            assert np.array_equal(spikes, expected["spikes"][name])
            free = np.isnan(held[name])
            assert spikes[free].sum() > 3 and not spikes[~free].any()
        for name, values in trace.states.items():
            p, _, state = name.partition(".")
            wanted = expected["u_star"][p] if state == "U_star" else expected["states"][p, state]
            np.testing.assert_allclose(values[b], wanted, atol=1e-12)


@pytest.mark.parametrize("refractory", [0.0, 1e-3, 4e-3])
@pytest.mark.parametrize("threads", [1, 3])
def test_simulate_does_what_run_does(refractory, threads):
    net = small.circuit("ei_adaptive_lif", delays=DELAYS, refractory=refractory)
    trains = small.spikes()[0]
    names = ["A.U", "A.w_adapt", "B.U", "B.I_exc", "out.U"]
    silent_input = [*HELD, Silence("input", neurons=[2, 4], start=8 * DT, stop=25 * DT)]
    trace = bs.run(net, trains, record=names, perturbations=silent_input)
    done = bs.simulate(
        net, 0.03, trains, record=names, perturbations=silent_input, threads=threads, progress=False
    )
    for name in names:
        np.testing.assert_allclose(done.states[name], trace.states[name][0], atol=1e-13)
    for p in ("A", "B"):
        assert np.array_equal(done.spikes[p].units, trace.spikes[p].units)
        assert np.array_equal(done.spikes[p].times, trace.spikes[p].times)
    assert done.counts["A"] > 10
    given = bs.bin_spikes(trains, DT).dense()[0]
    given[8:25, [2, 4]] = 0
    assert done.counts["input"] == given.sum() < bs.bin_spikes(trains, DT).dense().sum()
    again = bs.run(
        net, bs.SpikeTrains.from_dense(given[None], DT), record=names, perturbations=HELD
    )
    assert all(np.array_equal(again.states[name], trace.states[name]) for name in names)


def test_cutting_a_run_changes_no_bit_of_what_is_not_held():
    net = small.circuit(delays=DELAYS)
    alone = net.population(2, bs.ei_lif(), "excitatory", name="alone")
    plain = bs.run(net, small.spikes(), record=NAMES, currents=CURRENTS, moments=["A.U"])
    edges = [Clamp(alone, 0.1, start=t * DT, stop=(t + 1) * DT) for t in (0, 4, 5, 17)]
    trace = bs.run(
        net,
        small.spikes(),
        record=NAMES,
        currents=CURRENTS,
        moments=["A.U"],
        perturbations=edges,
    )
    for name in NAMES:
        assert np.array_equal(trace.states[name], plain.states[name])
    for name in "AB":
        assert np.array_equal(trace.counts[name], plain.counts[name])
        assert np.array_equal(trace.spikes[name].times, plain.spikes[name].times)
        assert np.array_equal(trace.spikes[name].units, plain.spikes[name].units)
    np.testing.assert_allclose(trace.mean["A.U"], plain.mean["A.U"], rtol=1e-12)
    np.testing.assert_allclose(trace.variance["A.U"], plain.variance["A.U"], rtol=1e-12)
    np.testing.assert_allclose(trace.mean["A.U"], plain.states["A.U"].mean(axis=1), rtol=1e-12)


def test_no_neurons_change_no_bit_and_the_network_stays():
    net = sparse()
    fingerprint, weights = net.fingerprint(), {n: np.array(w) for n, w in net.weights.items()}
    plain = bs.simulate(net, 0.05, background=BACKGROUND, record=["E.U"], progress=False)
    nothing = [Silence("E", neurons=[]), Clamp("I", 0.0, fraction=0.0), Lesion("E", fraction=0)]
    nothing += [Scale("E->I", 1.0), LesionSynapses("E->E", fraction=0.0), Stimulate("E", 0.0)]
    done = bs.simulate(
        net, 0.05, background=BACKGROUND, record=["E.U"], perturbations=nothing, progress=False
    )
    assert same(plain, done) and plain.counts["E"] > 100
    assert net.fingerprint() == fingerprint and done.network is net
    assert all(np.array_equal(net.weights[name], w) for name, w in weights.items())


def test_delta_synapses_that_arrive_at_a_held_neuron_are_lost():
    """Delta synapses add to U itself; with and without a refractory period."""
    net = sparse()
    hold = [Clamp("E", 5e-3, neurons=slice(50), start=0.02, stop=0.04)]
    options = {"background": BACKGROUND, "record": ["E.U"], "progress": False}
    done = bs.simulate(net, 0.06, perturbations=hold, **options)
    steps = np.round(done.state_times / net.dt).astype(int)
    inside = (steps >= 200) & (steps < 400)
    assert np.all(done.states["E.U"][inside][:, :50] == np.float32(5e-3))
    assert np.all(done.states["E.U"][~inside][:, :50].std(axis=0) > 1e-4)
    first = bs.simulate(net, 0.04, perturbations=[Clamp("E", 5e-3, neurons=slice(50), start=0.02)],
                        **options)  # fmt: skip
    second = bs.simulate(net, 0.02, state=first.state, **options)
    both = np.concatenate([first.states["E.U"], second.states["E.U"]])
    assert np.array_equal(both, done.states["E.U"])
    trace = bs.run(net, duration=0.06, background=BACKGROUND, record=["E.U"], perturbations=hold)
    assert np.array_equal(trace.states["E.U"][0], done.states["E.U"])
    assert np.array_equal(trace.spikes["E"].units, done.spikes["E"].units)


@pytest.mark.parametrize("table, options", TABLES[:2], ids=IDS[:2])
def test_a_window_over_two_runs_is_one_window(table, options):
    net = small.circuit(table, delays=DELAYS, **options)
    trains = small.spikes()
    one = bs.run(
        net, trains, record=NAMES, perturbations=[Silence("A", start=8 * DT, stop=19 * DT)]
    )
    first = bs.run(
        net, cut(trains, 0, 13), record=NAMES, perturbations=[Silence("A", start=8 * DT)]
    )
    second = bs.run(
        net,
        cut(trains, 13, 30),
        record=NAMES,
        state=first.state,
        perturbations=[Silence("A", stop=6 * DT)],
    )
    for name in NAMES:
        both = np.concatenate([first.states[name], second.states[name]], axis=1)
        assert np.array_equal(both, one.states[name])
    third = bs.run(net, trains, state=second.state)  # and on without any
    assert third.start == pytest.approx(30 * DT)


def test_a_lesion_is_the_network_without_these_neurons():
    net, spikes = dense(), bs.data.poisson(30, 50, 0.1, seed=1)
    gone = np.arange(0, 200, 3)
    trace = bs.run(net, spikes, perturbations=[Lesion("E", neurons=gone)], record=["I.U"])
    there = np.setdiff1d(np.arange(200), gone)
    other = bs.Network(net.dt, net.dtype)
    for p in net.populations:
        if p.kind == "input":
            other.input(p.n, name=p.name)
        elif p.kind == "readout":
            other.readout(p.n, name=p.name)
        else:
            n = there.size if p.name == "E" else p.n
            other.population(n, p.neuron, p.sign, name=p.name)
    for p in net.projections:
        w = net.weights[p.name]
        w = w[there] if p.pre == "E" else w
        w = w[:, there] if p.post == "E" else w
        other.connect(p.pre, p.post, weights=w, delay=p.delay, receptor=p.receptor, name=p.name)
    expected = bs.run(other, spikes, record=["I.U"])
    halves = [Lesion("E", neurons=gone[:40]), Lesion("E", neurons=gone[20:])]
    twice = bs.run(net, spikes, perturbations=halves)
    assert np.array_equal(twice.counts["E"], trace.counts["E"])
    assert not trace.counts["E"][:, gone].any()
    assert np.array_equal(trace.counts["E"][:, there], expected.counts["E"])
    assert trace.counts["I"].sum() > 100
    np.testing.assert_allclose(trace.states["I.U"], expected.states["I.U"], atol=1e-12)


def test_a_lesion_of_inputs_is_data_without_them():
    net, spikes = dense(), bs.data.poisson(30, 50, 0.1, 4, seed=1)
    trace = bs.run(net, spikes, perturbations=[Lesion("input", neurons=[3, 4, 49])])
    counts = bs.bin_spikes(spikes, net.dt).dense()
    counts[..., [3, 4, 49]] = 0
    expected = bs.run(net, bs.SpikeTrains.from_dense(counts, net.dt))
    assert np.array_equal(trace.counts["E"], expected.counts["E"])


def test_gradients_through_a_clamp_are_those_of_the_naive_reference():
    net, trains = small.circuit(delays=DELAYS), small.spikes()[0]
    rng = np.random.default_rng(2)
    grad = rng.normal(size=(1, 30, 3))
    clamp = [Clamp("A", 0.4, neurons=[1, 2])]
    trace = bs.run(net, trains, tape=True, perturbations=clamp)
    found = bs.gradient(trace, states={"out.U": grad})
    held = {"A": np.full((30, 5), np.nan)}
    held["A"][:, [1, 2]] = 0.4
    inputs = {"input": bs.bin_spikes(trains, DT).dense()[0]}
    result = naive.run(net, inputs, held=held)
    expected = naive.gradient(net, inputs, result, {("out", "U"): grad[0]})
    for name, weights in expected["weights"].items():
        np.testing.assert_allclose(found.weights[name], weights, atol=1e-10, err_msg=name)
    with pytest.raises(ValueError, match="gradients do not flow from one part"):
        bs.run(net, trains, tape=True, perturbations=[Silence("A", start=5 * DT)])


@pytest.mark.parametrize("neuron", [bs.adex(), bs.izhikevich()], ids=["adex", "izhikevich"])
def test_adaptation_goes_on_while_a_nonlinear_neuron_is_held(neuron):
    net = bs.Network(1e-4, np.float64)
    net.population(3, neuron, "excitatory", name="E")
    strong = 0.5 if neuron.model == "adex" else 20.0
    current = [bs.Current("E", strong)]
    record = ["E.U", *(f"E.{s}" for s in neuron.states if s not in ("U", "I_exc", "I_inh"))]
    hold = [Silence("E", neurons=[1], start=0.1, stop=0.2)]
    options = {"background": current, "record": record, "progress": False}
    free = bs.simulate(net, 0.3, **options)
    done = bs.simulate(net, 0.3, perturbations=hold, **options)
    inside = (done.state_times >= 0.1 - 1e-9) & (done.state_times < 0.2 - 1e-9)
    assert np.all(done.states["E.U"][inside][:, 1] == neuron.reset)
    for name in record:
        assert np.array_equal(done.states[name][:, [0, 2]], free.states[name][:, [0, 2]])
    w = done.states[record[1]][inside][:, 1]
    assert w[0] != w[-1] and np.all(np.isfinite(w))


@pytest.mark.parametrize("refractory", [0.0, 4e-3])
def test_a_run_that_is_interrupted_lets_go(refractory):
    net = bs.Network(DT)
    net.population(3, bs.ei_lif(refractory=refractory), "excitatory", name="E")
    change = perturbed(net, [Silence("E", neurons=[0])])
    background = [bs.Current("E", 3.0)]
    run = StreamRun(Setting(change, background=background, steps=10_000))
    recording = StreamRecording(run, (), 1, None, 5e-3, 10_000)
    run.go(recording, 10_000, lambda *_: None, lambda: True)
    assert 0 < run.done < 10_000
    on = bs.simulate(net, 0.05, background=background, state=run.state(), progress=False)
    times = [on.spikes["E"].times[on.spikes["E"].units == i] for i in range(3)]
    alone = bs.simulate(net, 0.05, background=background, progress=False)
    first = alone.spikes["E"].times[alone.spikes["E"].units == 0]
    assert np.abs(times[0][:3] - first[:3]).max() <= 1.5 * DT  # it starts from its reset
    assert times[1].size > 3


@pytest.mark.parametrize("neurons", [None, [0, 2]])
def test_many_stimuli_add_up(neurons):
    net = bs.Network(DT, np.float64)
    net.population(3, bs.ei_lif(), "excitatory", name="E")
    pulses = [
        Stimulate("E", 0.2 + 0.05 * k, neurons=neurons, start=k * DT, stop=(k + 8) * DT)
        for k in range(30)
    ]
    current = np.zeros((40, 3))
    for k in range(30):
        current[k : k + 8, slice(None) if neurons is None else neurons] += 0.2 + 0.05 * k
    expected = bs.run(net, duration=0.04, currents={"E": current}, record=["E.U"])
    trace = bs.run(net, duration=0.04, perturbations=pulses, record=["E.U"])
    first = bs.simulate(net, 0.015, record=["E.U"], progress=False, perturbations=pulses[:8])
    done = bs.simulate(net, 0.04, record=["E.U"], progress=False, perturbations=pulses)
    np.testing.assert_allclose(trace.states["E.U"], expected.states["E.U"], atol=1e-13)
    np.testing.assert_allclose(done.states["E.U"], expected.states["E.U"][0], atol=1e-13)
    assert expected.counts["E"][0, 0] >= 2
    later = [Stimulate("E", 2.0, start=2 * DT, stop=5 * DT)]  # times count from the start of a run
    second = bs.simulate(
        net, 0.01, state=first.state, record=["E.U"], progress=False, perturbations=later
    )
    ours = bs.run(net, duration=0.015, perturbations=pulses[:8])
    theirs = bs.run(net, duration=0.01, state=ours.state, record=["E.U"], perturbations=later)
    np.testing.assert_allclose(second.states["E.U"], theirs.states["E.U"][0], atol=1e-13)


@pytest.mark.parametrize("threads", [1, 2])
def test_escape_noise_and_pools(threads):
    """Random spikes of others keep their random numbers; a silent window pools nothing."""
    net = bs.Network(DT)
    noise = bs.SigmoidEscape(0.3)
    a = net.population(8, bs.lif(), "excitatory", name="A", noise=noise)
    p = net.pool(a, bs.MaxPool((1, 8), 2), name="P")
    out = net.readout(2, name="out")
    net.connect(p, out, weights=np.ones((4, 2)))
    drive = {"A": np.full((5, 60, 8), 0.9)}
    hold = [Silence("A", neurons=[2, 3, 5], start=20 * DT, stop=40 * DT)]
    plain = bs.run(net, duration=0.06, currents=drive, seed=3, threads=1)
    trace = bs.run(net, duration=0.06, currents=drive, seed=3, threads=threads, perturbations=hold)

    def spikes(of, name):
        return bs.bin_spikes(of.spikes[name], DT).dense()

    others = [0, 1, 4, 6, 7]
    assert np.array_equal(spikes(trace, "A")[..., others], spikes(plain, "A")[..., others])
    assert not spikes(trace, "A")[:, 20:40, [2, 3, 5]].any()
    assert spikes(plain, "A")[:, 20:40, [2, 3, 5]].sum() > 5
    assert not spikes(trace, "P")[:, 20:40, 1].any() and spikes(trace, "P")[:, 20:40, 2].any()
    with pytest.raises(ValueError, match="'P' is a population of kind 'pooling'"):
        bs.run(net, duration=0.06, perturbations=[Silence("P")])
