"""Runs that go on from where others ended, stateful training, and the gradient at every step."""

import sys

import numpy as np
import pytest

import biosnn as bs
import tests.kernels.test_gradients as dense
import tests.network.test_projections as sparse
from biosnn.engine import contributions
from biosnn.engine.trial_tables import pack
from tests import gradcheck

DT = 1e-3
TABLES = [
    ("ei_lif", dict(refractory=5e-3)),
    ("lif", dict(reset="subtract", surrogate=bs.TruncatedSuperSpike(3, 0.4))),
    ("conductance_lif", dict(refractory=3e-3)),
    ("alpha_conductance_lif", {}),
    ("ei_adaptive_lif", dict(jump_delay=5e-3)),
    ("ampa_nmda_gaba", dict(bounds=(-0.3, 1.0))),
]
IDS = [name for name, _ in TABLES]
DELAYS = (0, 1, 7, 2)  # the longest is longer than some of the pieces
RULES = [
    ("bernoulli", 6, lambda rng, size: rng.integers(0, 7, size) * DT),
    ("tied", 8, 5 * DT),
    ("line", 6, 2 * DT),
    ("fan out", 16, 0.0),
]


def cut(trains, first, last, dt=DT):
    """Steps first .. last - 1 as trials of their own."""
    return bs.from_dense(bs.bin_spikes(trains, dt).dense()[:, first:last], dt, labels=trains.labels)


def pieces(net, trains, bounds, currents=None, record=(), **options):
    """Traces of runs that go on from each other."""
    state = None
    for first, last in zip(bounds[:-1], bounds[1:]):
        part = {name: values[:, first:last] for name, values in (currents or {}).items()}
        trace = bs.run(
            net, cut(trains, first, last), record=record, currents=part, state=state, **options
        )
        state = trace.state
        yield trace


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
    with pytest.raises(ValueError, match="the state of a run; simulate goes on"):
        bs.simulate(net, 0.01, state=first.state, progress=False)
    with pytest.raises(ValueError, match="the state of a simulation; run goes on"):
        bs.run(net, trains, state=bs.simulate(net, 0.01, progress=False).state)


# ---------------------------------------------------------------------------------------- gradients


@pytest.mark.parametrize("table, options", TABLES, ids=IDS)
def test_smooth_twin_from_given_states(table, options):
    learn = {"mem": "neuron"} | ({"jump": "neuron"} if "adaptive" in table else {})
    net, trains = (
        dense.circuit(table, delays=DELAYS, learn=learn, **options),
        dense.spikes(duration=0.05, seed=4),
    )
    currents = {"A": np.random.default_rng(0).normal(0.3, 0.3, (3, 30, 5))}
    state = bs.run(net, cut(trains, 0, 20)).state
    loss, rest = dense.loss_of(), cut(trains, 20, 50)
    assert gradcheck.relative_error(net, rest, loss, currents, state=state) < 1e-6
    assert not np.allclose(
        gradcheck.twin(net, rest).states["out.U"],
        gradcheck.twin(net, rest, state=state).states["out.U"],
    )


@pytest.mark.parametrize("name, n_post, delay", RULES)
def test_smooth_twin_of_sparse_projections_from_given_states(name, n_post, delay):
    net, trains = (
        sparse.circuit(sparse.rule_of(name, n_post), n_post, delay=delay, bias=0.1),
        sparse.spikes(duration=0.05),
    )
    state = bs.run(net, cut(trains, 0, 20)).state
    assert gradcheck.relative_error(net, cut(trains, 20, 50), sparse.loss, state=state) < 1e-6


@pytest.mark.parametrize(
    "make",
    [
        lambda: dense.circuit(delays=DELAYS, refractory=3e-3),
        lambda: dense.circuit(
            "conductance_lif", delays=DELAYS, surrogate=bs.TruncatedSuperSpike(3, 0.4)
        ),
        lambda: dense.circuit("ei_adaptive_lif", delays=DELAYS, jump_delay=5e-3),
        lambda: sparse.circuit(bs.Convolution((2, 4), 2, 2), 6, delay=3 * DT),
    ],
)
@pytest.mark.parametrize("window", [15, 5])
def test_gradients_of_two_runs_are_the_truncated_one_of_a_long_run(make, window):
    """Where no gradient flows over the border, weights get theirs from both sides: also from spikes that cross it."""
    net = make()
    n = net.inputs[0].n
    trains = bs.data.poisson(150.0, n, 0.03, 3, seed=3, labels=np.arange(3))
    grad = np.random.default_rng(0).normal(size=(3, 30, 3))
    expected = bs.gradient(
        bs.run(net, trains, tape=True), states={"out.U": grad}, truncate=window * DT
    ).weights
    parts = [
        bs.gradient(
            trace, states={"out.U": grad[:, k * 15 : k * 15 + 15]}, truncate=window * DT
        ).weights
        for k, trace in enumerate(pieces(net, trains, (0, 15, 30), tape=True))
    ]
    for name, slope in expected.items():
        np.testing.assert_allclose(
            parts[0][name] + parts[1][name], slope, rtol=1e-10, atol=1e-12 * np.abs(slope).max()
        )
        assert (
            np.any(parts[1][name]) or window == 5 and name != "A->out"
        )  # short windows end before spikes reach the readout


def test_recorded_gradients_are_those_of_a_small_change():
    """dL/dU*[n], dL/dI[n], dL/dU[n] beside central differences of the smooth twin with something added at step n."""
    net, trains = dense.circuit(delays=(0, 1, 3), refractory=3e-3), dense.spikes()
    loss, rng, poke = (
        dense.loss_of(terms=[bs.upper_bound(0.3, 0.5)]),
        np.random.default_rng(1),
        net.input(1, name="poke"),
    )
    currents = {"A": np.full((3, 30, 5), 0.2)}
    for name, receptor in (("B", "exc"), ("B", "inh"), ("out", "syn")):
        net.connect(
            poke,
            name,
            delay=0.0,
            weights=np.full((1, net[name].n), 0.1),
            receptor=receptor,
            name=f"{name} {receptor}",
        )
    for step in (0, 7, 28):
        once = bs.SpikeTrains.from_events(
            np.full(3, (step + 0.5) * DT),
            np.zeros(3, int),
            np.arange(3),
            n_trials=3,
            n_units=1,
            duration=30 * DT,
        )
        both = {"input": trains, "poke": once}
        trace = gradcheck.twin(net, both, currents)
        _, states, counts, _ = loss(trace)
        got = bs.gradient(
            trace,
            states=states,
            counts=counts,
            differentiate_reset=True,
            record=["A.U_star", "B.I_exc", "B.I_inh", "out.I"],
        )
        assert list(got.states) == ["A.U_star", "B.I_exc", "B.I_inh", "out.I"]

        def slope_along(change):
            values = []
            for sign in (1, -1):
                undo = change(sign * 1e-5)
                values.append(loss(gradcheck.twin(net, both, currents))[0])
                undo()
            return (values[0] - values[1]) / 2e-5

        for name, state in (("B exc", "B.I_exc"), ("B inh", "B.I_inh"), ("out syn", "out.I")):
            before = net.weights[name]
            direction = rng.normal(size=before.shape)

            def weights(size, name=name, before=before, direction=direction):
                net.weights[name] = before + size * direction
                return lambda: net.weights.__setitem__(name, before)

            expected = (
                np.sum(got.states[state][:, step] * direction)
                * net[name.split()[0]].neuron.receptors[name.split()[1]].jump
            )
            assert (
                slope_along(weights) == pytest.approx(expected, rel=1e-6, abs=1e-9)
                and expected != 0
            )
        given, direction = currents["A"], np.zeros((3, 30, 5))
        direction[:, step] = rng.normal(size=(3, 5))

        def inject(size):
            currents["A"] = given + size * direction
            return lambda: currents.__setitem__("A", given)

        free = (
            trace.tape[2].margin[:, step, pack(net).neurons("A")] > -np.inf
        )  # a clamped neuron takes no current
        gain = pack(net).model.drive[pack(net).neurons("A")]
        expected = np.sum((gain * free * got.states["A.U_star"][:, step]) * direction[:, step])
        assert slope_along(inject) == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_recorded_gradients_obey_the_chain_rule_of_a_step():
    """dL/dU[n-1] = dL/dU[n-1] of the loss + M_UU dL/dU*[n] in a readout, and what comes from the reset in a spiking neuron."""
    net, trains = dense.circuit(delays=(0, 1, 3)), dense.spikes()
    trace = bs.run(net, trains, tape=True)
    grad = np.random.default_rng(0).normal(size=(3, 30, 3))
    got = bs.gradient(
        trace, states={"out.U": grad}, record=["out.U", "out.U_star", "A.U", "A.U_star"]
    ).states
    np.testing.assert_allclose(
        got["out.U"][:, :-1],
        np.exp(-DT / 20e-3) * got["out.U_star"][:, 1:] + grad[:, :-1],
        atol=1e-13,
    )
    np.testing.assert_allclose(
        got["A.U"][:, :-1], np.exp(-DT / 12e-3) * got["A.U_star"][:, 1:], atol=1e-13
    )
    assert (
        np.array_equal(got["out.U"][:, -1], grad[:, -1])
        and np.all(got["A.U"][:, -1] == 0)
        and np.any(got["A.U"][:, 0])
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: dense.circuit(delays=DELAYS, refractory=3e-3),
        lambda: dense.circuit("conductance_lif", delays=DELAYS),
        *(
            lambda name=name, n=n, delay=delay: sparse.circuit(
                sparse.rule_of(name, n), n, delay=delay, bias=0.2
            )
            for name, n, delay in RULES
        ),
    ],
)
def test_contributions_of_the_steps_add_up_to_the_gradient(make):
    """Also of a run that goes on from another; the norms are theirs."""
    net = make()
    trains = bs.data.poisson(150.0, net.inputs[0].n, 0.03, 3, seed=3)
    grad = np.random.default_rng(0).normal(size=(3, 15, 3))
    for trace in pieces(net, trains, (0, 15, 30), tape=True):
        names = [p.name for p in net.projections]
        got = bs.gradient(trace, states={"out.U": grad}, per_step=names, truncate=8e-3)
        packed, drive, recording = trace.tape
        for p in net.projections:
            state = f"{p.post}.{net[p.post].neuron.receptors[p.receptor].state}"
            adjoint = bs.gradient(
                trace, states={"out.U": grad}, record=state, truncate=8e-3
            ).states[state]
            each = list(contributions.by_step(packed, drive, recording, p, adjoint))
            np.testing.assert_allclose(sum(each), got.weights[p.name], rtol=1e-10, atol=1e-13)
            np.testing.assert_allclose(
                got.per_step[p.name], [np.linalg.norm(one) for one in each], rtol=1e-12
            )
            assert got.per_step[p.name].shape == (15,)
        assert got.per_step["A->out"].max() > 1e-3
    with pytest.raises(ValueError, match="no projection 'x->y'"):
        bs.gradient(trace, states={"out.U": grad}, per_step="x->y")
    with pytest.raises(ValueError, match="no state 'A.V'"):
        bs.gradient(trace, states={"out.U": grad}, record="A.V")


# ----------------------------------------------------------------------------------------- training


def network(dtype=np.float64):
    rng, net = np.random.default_rng(2), bs.Network(2e-3, dtype)
    x, h = net.input(10), net.population(20, bs.lif(), name="h")
    for pre, post, scale, delay in (
        (x, h, 2.0, 4e-3),
        (h, h, 0.3, 6e-3),
        (h, net.readout(3, tau_mem=0.06), 0.3, 0.0),
    ):
        net.connect(pre, post, delay=delay, weights=rng.normal(0, scale, (pre.n, post.n)))
    return net


def recordings(n=20, duration=0.24):
    """Long recordings cut into four pieces of 30 steps: (pieces as `train` takes them, whole), and targets."""
    whole = bs.data.poisson(40.0, 10, duration, n, seed=1)
    dense_spikes = bs.bin_spikes(whole, 2e-3).dense()
    target = np.sin(np.arange(120) / 9)[None, :, None] * np.array([1.0, 0.5, -1.0]) + np.zeros(
        (n, 1, 1)
    )
    parts = bs.from_dense(np.concatenate(np.split(dense_spikes, 4, axis=1)), 2e-3)
    return whole, target, parts, np.concatenate(np.split(target, 4, axis=1))


def fit(net, parts, target, epochs=1, **options):
    return bs.train(
        net,
        parts,
        target,
        epochs=epochs,
        **(
            dict(
                loss=bs.MeanSquaredError(),
                batch=20,
                optimizer=bs.SGD(1e-2),
                stateful=True,
                progress=False,
                seed=5,
            )
            | options
        ),
    )


def test_stateful_training_goes_on_from_the_batch_before():
    """Beside a loop over batches with run, gradient and the rule of gradient descent."""
    _, _, parts, target = recordings()
    net, other, state = network(), network(), None
    history = fit(net, parts, target, threads=2)
    values = []
    for k in range(4):
        rows = slice(20 * k, 20 * k + 20)
        trace = bs.run(other, parts[rows], tape=True, state=state)
        value, slope = bs.MeanSquaredError().value_and_gradient(
            trace.states["readout.U"], target[rows]
        )
        for name, gradient in bs.gradient(trace, states={"readout.U": slope}).weights.items():
            other.set_weights(name, other.weights[name] - 1e-2 * gradient)
        values.append(value)
        state = trace.state
    assert history.loss[0] == pytest.approx(np.mean(values), rel=1e-10)
    for name, w in other.weights.items():
        np.testing.assert_allclose(net.weights[name], w, rtol=1e-9, atol=1e-12)
    plain = network()
    fit(plain, parts, target, stateful=False)
    assert not np.allclose(plain.weights["h->readout"], net.weights["h->readout"], rtol=1e-3)


def test_stateful_evaluation_is_that_of_whole_recordings():
    whole, target, parts, cut_target = recordings()
    net, loss = network(), bs.MeanSquaredError()
    expected = bs.evaluate(net, whole, target, loss=loss)
    got = bs.evaluate(net, parts, cut_target, loss=loss, batch=20, stateful=True)
    assert got.loss == pytest.approx(expected.loss, rel=1e-12) and got.rates == pytest.approx(
        expected.rates
    )
    assert bs.evaluate(net, parts, cut_target, loss=loss, batch=20).loss != pytest.approx(
        expected.loss, rel=1e-3
    )
    history = fit(net, parts, cut_target, validation=parts, validation_targets=cut_target)
    assert history.validation_loss[0] == pytest.approx(
        bs.evaluate(net, whole, target, loss=loss).loss, rel=1e-12
    )


@pytest.mark.parametrize(
    "options",
    [{}, dict(augment=[bs.Drop(0.2), bs.TimeJitter(2e-3)]), dict(dropout=0.2)],
    ids=["plain", "augment", "dropout"],
)
def test_stateful_training_stopped_within_an_epoch_has_the_same_bits(
    options, tmp_path, monkeypatch
):
    """Ctrl-C after some batches: the checkpoint holds where the trials stand. And threads do not matter."""
    _, _, parts, target = recordings()
    whole, stopped = network(np.float32), network(np.float32)
    fit(whole, parts, target, 3, threads=2, **options)
    for most in (2, 3, 10**6):
        calls = iter(range(10**7))

        class Interrupt:
            def __enter__(self):
                return lambda: next(calls) >= most

            def __exit__(self, *_):
                return False

        monkeypatch.setattr(sys.modules["biosnn.training.train"], "graceful_interrupt", Interrupt)
        history = fit(stopped, parts, target, 3, threads=1, out=tmp_path, start="resume", **options)
        assert history.interrupted == (most < 10**6)
    for name in whole.weights:
        assert np.array_equal(whole.weights[name], stopped.weights[name])
    with pytest.raises(ValueError, match="stateful True there, None here"):
        fit(
            network(np.float32),
            parts,
            target,
            4,
            out=tmp_path,
            start="resume",
            stateful=False,
            **options,
        )


def test_what_stateful_training_refuses():
    _, _, parts, target = recordings()
    with pytest.raises(ValueError, match="80 trials are not a whole number of batches of 30"):
        fit(network(), parts, target, batch=30)
    with pytest.raises(ValueError, match="80 trials are not a whole number of batches of 30"):
        bs.evaluate(network(), parts, target, loss=bs.MeanSquaredError(), batch=30, stateful=True)
    with pytest.raises(ValueError, match="a share of trials at random"):
        fit(network(), parts, target, validation=0.25)


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
    with pytest.raises(ValueError, match="'input' is an input or a readout; .* are of A"):
        bs.gradient(trace, counts={"input": np.ones((3, 2))})
    for wrong in (trace, bs.simulate(net, 0.1, spikes[0], progress=False)):
        with pytest.raises(ValueError, match="must be the state of a run or simulation"):
            bs.save_state(wrong, "nowhere.npz")


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(record=["A.U"]), "record is .* must be a dict"),
        (dict(record="A.U"), "must be a dict"),
        (dict(background=None), "background is None"),
        (
            dict(background=bs.PoissonInput("A", 10.0, 0.1)),
            "background is PoissonInput.* must be a list",
        ),
        (dict(state="x"), "state is a str"),
    ],
)
def test_what_simulate_refuses(options, words):
    net = bs.Network(1e-3)
    net.population(2, bs.lif(), name="A")
    with pytest.raises(ValueError, match=words):
        bs.simulate(net, 0.1, progress=False, **options)
