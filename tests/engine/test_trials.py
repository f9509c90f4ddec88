"""`simulate(trials=…)`: trial k is that of `run` on any threads; states, Ctrl-C, refusals."""

import contextlib
import itertools
from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import stream_trials
from tests.engine.circuit import same
from tests.engine.test_same_numbers import assert_same_bits
from tests.random_cases import BOTH, random_case

DT = 1e-3
N = 5


def several(seed, trials=N):
    """A case of several trials, which also differ in a current and in where they start."""
    case, rng = random_case(seed, BOTH, trials=trials), np.random.default_rng(seed)
    for p in case.network.spiking:
        size = 0.1 * (10.0 if p.neuron.model == "izhikevich" else 1.0)
        size = 2e-3 if p.neuron.model in ("adex", "exponential") else size
        case.background.append(bs.Current(p.name, rng.normal(0, size, (trials, p.n))))
    first = case.network.spiking[0]
    low = first.initial if np.ndim(first.initial) == 0 else 0.0
    case.initial[f"{first.name}.U"] = low + rng.uniform(0, size, (trials, first.n))
    return case


def options_of(case):
    """What `run` and `simulate` both take."""
    return {
        "background": case.background,
        "initial": case.initial,
        "seed": case.seed,
        "record": case.record,
    }


def simulate(net, duration, *given, **options):
    """Without a bar."""
    return bs.simulate(net, duration, *given, progress=False, **options)


@pytest.mark.parametrize("seed", range(300, 330))
def test_trial_k_is_that_of_run(seed):
    case = several(seed)
    net, given = case.network, options_of(case)
    trace = bs.run(net, case.spikes, duration=None if case.spikes else case.duration, **given)
    trials = simulate(net, case.duration, case.spikes, trials=N, threads=1 + seed % 2, **given)
    assert [each.trial for each in trials] == list(range(N))
    for k, trial in enumerate(trials):
        assert_same_bits(trace, trial, k)
    values = [trial.states[case.record[0]] for trial in trials]
    assert not any(np.array_equal(values[0], other) for other in values[1:])


@pytest.mark.parametrize("seed", range(330, 336))
def test_many_trials_of_run_are_those_that_are_run_alone(seed):
    """More than go side by side."""
    case = several(seed, 37)
    net, given = case.network, options_of(case)
    trace = bs.run(net, case.spikes, duration=None if case.spikes else case.duration, **given)
    trials = simulate(net, case.duration, case.spikes, trials=37, **given)
    for k in range(37):
        assert_same_bits(trace, trials[k], k)


# ----------------------------------------------------------------------------------------- circuits


def noisy(n=30, rule=None):
    """A circuit with noise, and how long, in what and from where it is simulated."""
    net = bs.Network(DT, np.float64)
    e = net.population(n, bs.ei_lif(refractory=2 * DT), "excitatory", name="E")
    i = net.population(n, bs.ei_lif(), "inhibitory", name="I")
    some = bs.Bernoulli(0.3)
    net.connect(e, i, synapses=some, weights=0.3, delay=2 * DT, seed=0)
    net.connect(i, e, synapses=some, weights=0.3, delay=DT, plasticity=rule, seed=1)
    net.connect(e, e, synapses=some, weights=0.1, delay=bs.Uniform(0, 9e-3), seed=2)
    return net, {
        "background": [
            bs.PoissonInput("E", 800.0, 0.3),
            bs.OrnsteinUhlenbeck("I", 0.9, 0.3, 5e-3),
        ],
        "record": ["E.U", "I.U"],
    }


def test_the_first_trial_is_the_only_one_and_threads_do_not_count():
    net, given = noisy()
    one = simulate(net, 0.1, seed=3, **given)
    found = [simulate(net, 0.1, seed=3, trials=4, threads=threads, **given) for threads in (1, 2)]
    assert same(one, found[0][0]) and one.counts["E"] > 20
    for first, second in zip(*found):
        assert same(first, second)
    assert len({trial.counts["E"] for trial in found[0]}) > 1
    assert simulate(net, 0.1, seed=3, trials=1, **given)[0].counts == one.counts


def test_a_large_network_gives_all_threads_to_each_trial(monkeypatch):
    net, given = noisy(100)
    over = simulate(net, 0.05, trials=3, threads=2, **given)
    monkeypatch.setattr("biosnn.engine.simulate._MANY_NEURONS", 0)
    within = simulate(net, 0.05, trials=3, threads=2, **given)
    assert all(same(one, other) for one, other in zip(over, within))


def test_spikes_of_one_trial_are_for_all():
    net, given = noisy()
    x = net.input(5, name="x", sign="excitatory")
    net.connect(x, "E", weights=np.full((5, 30), 0.2), delay=DT)
    spikes = bs.data.poisson(40.0, 5, 0.1, 3, seed=0)
    shared = simulate(net, 0.1, spikes[1], trials=3, **given)
    own = simulate(net, 0.1, spikes, trials=3, **given)
    assert same(shared[1], own[1]) and not same(shared[0], own[0])
    assert shared[2].counts["x"] == shared[0].counts["x"] == own[1].counts["x"]


# ------------------------------------------------------------------------------------------- states


def test_all_trials_go_on_from_one_state():
    net, given = noisy()
    whole = simulate(net, 0.15, seed=1, **given)
    state = simulate(net, 0.1, seed=1, **given).state
    trials = simulate(net, 0.05, state=state, trials=3, **given)
    for name, values in trials[0].states.items():  # the first is one long run
        np.testing.assert_array_equal(values, whole.states[name][100:])
    starts = np.array([trial.states["E.U"][0] for trial in trials])
    ends = np.array([trial.states["E.U"][-1] for trial in trials])
    assert np.abs(np.diff(starts, axis=0)).max() < 1.5 and np.all(starts[0] != ends[0])
    assert not np.array_equal(ends[0], ends[1]) and not np.array_equal(ends[1], ends[2])


@pytest.mark.parametrize("how", ["list", "run", "alone"])
def test_each_trial_goes_on_from_its_own_state(how):
    net, given = noisy()
    whole = simulate(net, 0.15, seed=1, trials=3, **given)
    before = simulate(net, 0.1, seed=1, trials=3, **given)
    state = [trial.state for trial in before]
    if how == "run":  # it says how many trials there are by where they start
        start = {"E.U": np.zeros((3, 30))}
        state = bs.run(net, duration=0.1, seed=1, initial=start, **given).state
    if how == "alone":
        after = [simulate(net, 0.05, state=each, **given) for each in state]
    else:
        after = simulate(net, 0.05, state=state, trials=3, **given)
    for one, other in zip(whole, after):
        for name, values in other.states.items():
            np.testing.assert_array_equal(values, one.states[name][100:])
        assert other.start == pytest.approx(0.1)


def test_a_seed_makes_branches_of_a_state():
    net, given = noisy()
    state = simulate(net, 0.1, **given).state
    one, again, other = (
        simulate(net, 0.05, state=state, seed=seed, trials=2, **given) for seed in (5, 5, 6)
    )
    assert same(one[1], again[1]) and not same(one[1], other[1]) and not same(one[0], one[1])


@pytest.mark.parametrize("from_states", [False, True])
def test_weights_of_each_trial_learn(from_states):
    net, given = noisy(rule=bs.InhibitorySTDP(0.05, 5.0))
    before, states = net.weights["I->E"], [None] * 3
    if from_states:
        states = [each.state for each in simulate(net, 0.1, trials=3, **given)]
        given["state"] = states
    trials = simulate(net, 0.1, trials=3, seed=2, **given)
    learned = [trial.weights["I->E"] for trial in trials]
    assert not np.array_equal(learned[0], learned[1])
    first = simulate(net, 0.1, **(given | {"state": states[0]}), seed=2)
    np.testing.assert_array_equal(first.weights["I->E"], learned[0])
    np.testing.assert_array_equal(net.weights["I->E"], before)


# -------------------------------------------------------------------------------- Ctrl-C, refusals


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_returns_the_trials_that_are_finished(monkeypatch, threads):
    net, given = noisy()
    whole = simulate(net, 0.3, trials=12, **given)
    looks = itertools.count()

    @contextlib.contextmanager
    def interrupt():
        """Ctrl-C is pressed after 30 looks; a trial takes at least five."""
        yield lambda: next(looks) > 30

    monkeypatch.setattr(stream_trials, "graceful_interrupt", interrupt)
    with pytest.warns(UserWarning, match="of 12 trials were finished before Ctrl-C"):
        trials = simulate(net, 0.3, trials=12, threads=threads, **given)
    assert 0 < len(trials) < 7
    for each in trials:
        assert same(each, whole[each.trial]) and not each.interrupted and each.duration == 0.3


@pytest.mark.parametrize("threads", [1, 2])
def test_a_state_beyond_all_numbers_names_its_trial(threads):
    net = bs.Network(DT, np.float64)
    net.population(2, replace(bs.lif(integrator="euler"), threshold=np.inf), name="A")
    steep = bs.Current("A", [[0.0], [0.0], [1e308], [0.0]])
    with pytest.raises(ValueError, match=r"trial 2: .*A"):
        simulate(net, 5.0, background=[steep, steep, steep], trials=4, threads=threads)


def test_what_trials_do_not_take(tmp_path):
    net, given = noisy()
    state = simulate(net, 0.01, **given).state
    for options, words in (
        ({"trials": 0}, "trials is 0"),
        ({"trials": 2.5}, "trials is 2.5"),
        ({"trials": True}, "trials is True"),
        ({"trials": 2, "out": tmp_path / "spikes"}, "leave out or trials out"),
        ({"trials": 3, "state": [state] * 2}, "list of 2, and there are 3 trials"),
        ({"trials": 3, "state": []}, "list of 0"),
        ({"trials": 2, "state": [state, simulate(net, 0.02, **given).state]}, "same step"),
        ({"trials": 2, "state": [state, "warm"]}, "state is str"),
        ({"trials": 2, "initial": {"E.U": np.zeros((3, 30))}}, r"\(2, 30\)"),
        ({"trials": 2, "background": [bs.Current("E", np.ones((3, 1)))]}, "for 3 trials"),
        ({"trials": 2, "spikes": bs.data.poisson(1.0, 2, 0.1, seed=0)}, "has no inputs"),
    ):
        with pytest.raises(ValueError, match=words):
            simulate(net, 0.01, **(given | options))


def test_spikes_of_other_trials():
    net = bs.Network(DT)
    net.connect(net.input(2), net.population(2, bs.lif(), name="A"), weights=np.ones((2, 2)))
    spikes = bs.data.poisson(10.0, 2, 0.1, 3, seed=0)
    with pytest.raises(ValueError, match=r"one trial; spikes have 3.*trials=3"):
        simulate(net, 0.1, spikes)
    with pytest.raises(ValueError, match="runs 2 trials; spikes have 3"):
        simulate(net, 0.1, spikes, trials=2)
