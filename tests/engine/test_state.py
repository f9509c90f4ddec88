"""States: two runs are one long run, also through a file, and what does not fit."""

import numpy as np
import pytest

import biosnn as bs
import tests.kernels.circuit as dense
import tests.network.test_projections as sparse
from tests.engine.pieces import (
    DELAYS,
    DT,
    IDS,
    RULES,
    TABLES,
    cut,
    pieces,
)


def assert_one_long_run(
    net, trains, currents=None, bounds=(0, 5, 7, 19, 30), names=("A.U_star", "A.U", "B.U", "out.U")
):
    whole, start = bs.run(net, trains, record=names, currents=currents), 0
    assert all(whole.counts[name].sum() > 3 for name in "AB")
    for trace in pieces(net, trains, bounds, currents, names):
        assert trace.start == pytest.approx(start * DT)
        for name, values in trace.states.items():
            assert np.array_equal(values, whole.states[name][:, start : start + trace.n_steps]), (
                name,
                start,
            )
        start += trace.n_steps
    assert all(
        np.array_equal(whole.state.arrays[name], value)
        for name, value in trace.state.arrays.items()
    )
    assert whole.state.step == trace.state.step == start


@pytest.mark.parametrize("table, options", TABLES, ids=IDS)
def test_two_runs_are_one_long_run(table, options):
    net = dense.circuit(table, delays=DELAYS, **options)
    assert_one_long_run(
        net,
        dense.spikes(),
        {"A": np.random.default_rng(0).normal(0.3, 0.3, (3, 30, 5)), "B": np.full((3, 30, 4), 0.2)},
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name, n_post, delay", RULES)
def test_two_runs_on_sparse_projections(name, n_post, delay, dtype):
    assert_one_long_run(
        sparse.circuit(sparse.rule_of(name, n_post), n_post, delay=delay, dtype=dtype),
        sparse.spikes(rate=200.0),
    )


def test_a_single_precision_network_without_anything_special():
    """The first run takes the kernel without extras, the others the whole one."""
    net = bs.Network(DT)
    rng, x = np.random.default_rng(0), net.input(8)
    a, b = (
        net.population(20, bs.ei_lif(threshold=0.5, refractory=3e-3), sign, name=name)
        for sign, name in (("excitatory", "A"), ("inhibitory", "B"))
    )
    for k, (pre, post) in enumerate(
        [(x, a), (x, b), (a, a), (a, b), (b, a), (b, b), (a, net.readout(3, name="out"))]
    ):
        net.connect(
            pre,
            post,
            delay=DELAYS[k % 4] * DT,
            weights=rng.exponential(4.0 if pre is x else 1.0, (pre.n, post.n)),
        )
    trains = sparse.spikes(n_trials=70, rate=60.0)
    assert_one_long_run(net, trains)
    one, two = (list(pieces(net, trains, (0, 7, 30), threads=threads))[-1] for threads in (1, 2))
    assert np.array_equal(one.states["out.U"], two.states["out.U"])


def test_two_runs_with_escape_noise():
    net = bs.Network(DT)
    x, a, b = (
        net.input(8),
        *(
            net.population(10, bs.lif(threshold=0.5), name=name, noise=bs.SigmoidEscape(10.0))
            for name in "AB"
        ),
    )
    rng = np.random.default_rng(0)
    for pre, post in ((x, a), (a, b), (b, net.readout(2, name="out"))):
        net.connect(pre, post, delay=2 * DT, weights=rng.normal(0, 1, (pre.n, post.n)))
    trains = sparse.spikes()
    assert_one_long_run(net, trains)
    first = bs.run(net, cut(trains, 0, 15), seed=3)
    whole = bs.run(net, trains, seed=3).states["out.U"][:, 15:]
    rest, *branches = (
        bs.run(net, cut(trains, 15, 30), seed=seed, state=first.state).states["out.U"]
        for seed in (None, 3, 0, 1, 1)
    )
    assert np.array_equal(rest, whole)  # without a seed: the random numbers of the first run
    assert np.array_equal(branches[-1], branches[-2])
    assert not any(
        np.array_equal(a, b) for k, a in enumerate(branches[:-1]) for b in [whole, *branches[:k]]
    )


def test_without_inputs_the_trials_are_those_of_the_state():
    net = bs.Network(DT)
    net.population(4, bs.lif(), name="A", initial=0.5)
    drive = np.random.default_rng(0).normal(1.0, 0.3, (3, 20, 4))
    first = bs.run(net, None, record=["A.U"], currents={"A": drive}, duration=0.02)
    rest = bs.run(net, None, record=["A.U"], currents={"A": 1.5}, duration=0.02, state=first.state)
    whole = bs.run(
        net,
        None,
        record=["A.U"],
        currents={"A": np.concatenate([drive, np.full_like(drive, 1.5)], axis=1)},
        duration=0.04,
    )
    assert (
        np.array_equal(rest.states["A.U"], whole.states["A.U"][:, 20:])
        and rest.counts["A"].sum() > 0
    )


def test_a_state_in_a_file_and_what_does_not_fit(tmp_path):
    net, trains = dense.circuit(delays=DELAYS), dense.spikes()
    first = bs.run(net, cut(trains, 0, 15))
    bs.save_state(first.state, tmp_path / "state.npz")
    a, b = (
        bs.run(net, cut(trains, 15, 30), state=state).states["out.U"]
        for state in (first.state, bs.load_state(tmp_path / "state.npz"))
    )
    assert np.array_equal(a, b)
    with pytest.raises(ValueError, match="state is of 3 trials, and there are 2"):
        bs.run(net, trains[:2], state=first.state)
    with pytest.raises(ValueError, match="another network"):
        bs.run(dense.circuit(delays=(0, 1)), trains, state=first.state)
    with pytest.raises(ValueError, match="state is Trace; it must be the state of an earlier run"):
        bs.run(net, trains, state=first)
    with pytest.raises(ValueError, match="3 trials of a run, and simulate runs one: give trials=3"):
        bs.simulate(net, 0.01, state=first.state, progress=False)
    with pytest.raises(ValueError, match="state is of 1 trial, and there are 3"):
        bs.run(net, trains, state=bs.simulate(net, 0.01, progress=False).state)


def test_trials_are_as_many_as_those_of_the_state():
    """Without inputs, currents (1, step, neuron) go to every trial of the state."""
    net = bs.Network(1e-3)
    net.population(2, bs.lif(), name="A")
    first = bs.run(
        net, None, record=["A.U"], currents={"A": np.arange(4.0).reshape(4, 1, 1)}, duration=0.02
    )
    rest = bs.run(
        net,
        None,
        record=["A.U"],
        currents={"A": np.full((1, 20, 2), 0.5)},
        duration=0.02,
        state=first.state,
    )
    assert (
        rest.states["A.U"].shape == (4, 20, 2)
        and rest.states["A.U"][1, 0, 0] > rest.states["A.U"][0, 0, 0]
    )


def test_what_run_and_gradient_refuse():
    net = bs.Network(1e-3)
    x, a = net.input(2), net.population(2, bs.lif(), name="A")
    net.connect(x, a, weights=np.ones((2, 2)))
    spikes = bs.data.poisson(20.0, 2, 0.1, 3, seed=1)
    with pytest.raises(ValueError, match="leave duration out"):
        bs.run(net, spikes, duration=0.2)
    with pytest.raises(ValueError, match="have no trials"):
        bs.run(net, spikes[:0])
    trace = bs.run(net, spikes, tape=True)
    with pytest.raises(ValueError, match="there is no population 'Z'"):
        bs.gradient(trace, spikes={"Z": np.ones((3, 100, 2))})
    with pytest.raises(ValueError, match="'input' is an input or a readout; .* are for A"):
        bs.gradient(trace, counts={"input": np.ones((3, 2))})
    for wrong in (trace, bs.simulate(net, 0.1, spikes[0], progress=False)):
        with pytest.raises(ValueError, match="must be the state of a run or simulation"):
            bs.save_state(wrong, "nowhere.npz")


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(record=["A.V"]), "there is no state 'A.V'"),
        (dict(record="A.U"), "record is .* must be names of states, .* or a dict"),
        (dict(background=None), "background is None"),
        (
            dict(background=bs.PoissonInput("A", 10.0, 0.1)),
            "background is PoissonInput.* must be a list",
        ),
        (dict(state="x"), "state is str; it must be the state of an earlier run or simulation"),
    ],
)
def test_what_simulate_refuses(options, words):
    net = bs.Network(1e-3)
    net.population(2, bs.lif(), name="A")
    with pytest.raises(ValueError, match=words):
        bs.simulate(net, 0.1, progress=False, **options)


@pytest.mark.parametrize("name, n_post, delay", RULES)
def test_what_is_on_its_way_has_the_weights_of_the_run_in_which_it_arrives(name, n_post, delay):
    """Also through synapses with delays of their own; states of `run` and `simulate` serve both."""
    net = sparse.circuit(sparse.rule_of(name, n_post), n_post, delay=delay, bias=0.1)
    trains, names = sparse.spikes(duration=0.05)[:1], [f"{p.name}.U" for p in net.readouts]
    first = bs.run(net, cut(trains, 0, 20))
    done = bs.simulate(net, 0.02, cut(trains, 0, 20), progress=False)
    for p in net.projections:
        net.set_weights(p, 0.5 * net.weights[p.name])
    rest = cut(trains, 20, 50)
    expected = bs.run(net, rest, record=names, state=first.state)
    without = bs.run(net, rest, record=names)
    for state in (first.state, done.state):
        other = bs.simulate(net, 0.03, rest, record=names, state=state, progress=False)
        again = bs.run(net, rest, record=names, state=state)
        for key in names:
            assert np.array_equal(expected.states[key], again.states[key])
            assert np.array_equal(expected.states[key][0], other.states[key])
            assert not np.array_equal(expected.states[key], without.states[key])
