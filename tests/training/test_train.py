"""Training: exact resume, threads, checkpoints, messages; optimizers and schedules against slow references."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import chunks as passes
from biosnn.engine.trial_tables import pack
from biosnn.network import weight_file as checkpoint
from biosnn.training.train import _Data, _Session

ROOT = Path(__file__).parents[2]


def task(seed=0):
    return bs.data.randman(
        n_classes=3, n_units=10, samples_per_class=60, duration=0.06, active=0.04, seed=seed
    )


#: In units of the distance from rest to threshold.
CONDUCTANCES = bs.conductance_lif(
    tau_mem=20e-3,
    tau_exc=10e-3,
    tau_inh=20e-3,
    reversal_exc=6.0,
    reversal_inh=-2.0,
    threshold=1.0,
    refractory=4e-3,
)


def network(data, learn=None, neuron=None, sigma_u=1.0):
    net = bs.Network(2e-3)
    e, i = bs.dalian_layer(net, net.input(10), 20, 5, neuron=neuron)
    net.connect(e, net.readout(3, tau_mem=0.06, learn=learn))
    bs.fluctuation_driven(net, data, sigma_u=sigma_u, seed=2, closed_loop=False, progress=False)
    return net


def fit(net, data, epochs=3, **options):
    options = (
        dict(
            batch=40,
            seed=5,
            validation=0.1,
            progress=False,
            schedule=bs.schedules.Cosine(0.1),
            regularizers=[bs.upper_bound(0.1, 2)],
        )
        | options
    )
    return bs.train(net, data, epochs=epochs, **options)


def same(a, b):
    return all(np.array_equal(a.weights[name], b.weights[name]) for name in a.weights)


def test_it_learns_and_keeps_dales_law():
    data = task()
    net = network(data)
    history = fit(net, data, epochs=80, optimizer=bs.Adam(2e-2), regularizers=[])
    assert history.loss[-1] < 0.8 * history.loss[0] and history.accuracy[-1] > 0.6  # chance: 0.33
    assert bs.audit(net).violations == 0
    assert history.validation_loss.shape == (80,) and np.all(history.seconds > 0)


def test_trials_of_a_batch_go_side_by_side_with_others_of_their_length():
    """The order of a batch changes nothing but the order of sums; those whose input ends last come first."""
    ends, counts = (
        10 + 7 * (7 * np.arange(12) % 12),
        (np.random.default_rng(0).random((12, 100, 10)) < 0.2),
    )
    for b, n in enumerate(ends):
        counts[b, n:], counts[b, n - 1] = 0, 1
    data = bs.events.from_dense(counts, 2e-3, labels=np.arange(12) % 3)
    net = network(data)
    session = _Session(net, bs.MaxOverTimeCrossEntropy(), None, None, (), None, 0, 1, False)
    loaded = _Data(session, data, None, None)
    ordered = loaded.by_length(np.arange(12))
    assert np.array_equal(ordered, np.argsort(-ends))
    (value, *_, a), (other, *_, b) = (
        session.gradient(loaded, rows)
        for rows in (np.arange(12), ordered[[5, 0, *range(6, 12), *range(1, 5)]])
    )
    assert value == pytest.approx(other, rel=1e-6)
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6 * np.abs(a).max())


def test_threads_do_not_change_bits():
    data = task()
    nets = [network(data) for _ in range(2)]
    for net, threads in zip(nets, (1, 2)):
        fit(net, data, threads=threads, augment=[bs.ChannelShift(1), bs.Drop(0.1)])
    assert same(*nets)


def test_resumed_training_has_the_same_bits(tmp_path):
    data = task()
    whole, parts = network(data), network(data)
    recipe = dict(schedule=bs.schedules.Constant(), augment=[bs.TimeShift(5e-3)])
    expected = fit(whole, data, epochs=4, out=tmp_path / "a", **recipe)
    fit(parts, data, epochs=2, out=tmp_path / "b", **recipe)
    parts = network(data)
    history = fit(parts, data, epochs=4, out=tmp_path / "b", start="resume", **recipe)
    assert same(whole, parts) and np.array_equal(history.loss, expected.loss)


def test_checkpoints_from_before_an_option_existed(tmp_path):
    """What a recipe does not name was not used: the same bits, or words that name the option."""
    data, whole, parts = task(), *(network(task()) for _ in range(2))
    fit(whole, data, epochs=2, schedule=bs.schedules.Constant())
    fit(parts, data, epochs=1, schedule=bs.schedules.Constant(), out=tmp_path)
    stored, meta = checkpoint.read(tmp_path / "last.npz")
    assert meta["recipe"].pop("constraints") == "()"
    checkpoint.write(tmp_path / "last.npz", stored, meta)
    with pytest.raises(ValueError, match="constraints None there, .*WeightConstraint.* here"):
        fit(
            network(data),
            data,
            out=tmp_path,
            start="resume",
            constraints=[bs.WeightConstraint(norm=1.0)],
        )
    fit(parts, data, epochs=2, schedule=bs.schedules.Constant(), out=tmp_path, start="resume")
    assert same(whole, parts)
    bs.save_weights(parts, tmp_path / "last.npz")
    with pytest.raises(ValueError, match="holds weights alone"):
        fit(parts, data, out=tmp_path, start="resume")


def script(out, start):
    return textwrap.dedent(f"""
        import sys
        sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
        import tests.training.test_train as t
        data = t.task()
        net = t.network(data)
        print("ready", flush=True)
        h = t.fit(net, data, epochs=60, schedule=t.bs.schedules.Constant(), out={str(out)!r}, start={start!r})
        print("interrupted", h.interrupted, h.loss.size, flush=True)
        t.bs.save_weights(net, {str(out / "final.npz")!r})
    """)


def start(out, how="new"):
    process = subprocess.Popen(
        [sys.executable, "-c", script(out, how)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def wait_for(path):
    import time

    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} was never written")


def test_killed_in_the_middle_and_resumed_has_the_same_bits(tmp_path):
    assert start(tmp_path / "whole").wait() == 0
    killed = start(tmp_path / "killed")
    wait_for(tmp_path / "killed" / "last.npz")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / "final.npz").exists()
    assert start(tmp_path / "killed", "resume").wait() == 0
    (a, _), (b, _) = (
        checkpoint.read(tmp_path / name / "final.npz") for name in ("whole", "killed")
    )
    assert a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_ctrl_c_leaves_a_checkpoint_that_resumes_exactly(tmp_path):
    assert start(tmp_path / "whole").wait() == 0
    stopped = start(tmp_path / "stopped")
    wait_for(tmp_path / "stopped" / "last.npz")
    stopped.send_signal(signal.SIGINT)
    assert "interrupted True" in stopped.communicate()[0]
    assert start(tmp_path / "stopped", "resume").wait() == 0
    (a, _), (b, _) = (
        checkpoint.read(tmp_path / name / "final.npz") for name in ("whole", "stopped")
    )
    assert all(np.array_equal(a[k], b[k]) for k in a)


def test_early_stopping_returns_to_the_best_epoch():
    data = task()
    net = network(data)
    history = fit(net, data, epochs=60, optimizer=bs.SGD(30.0), early_stopping=3)
    assert history.loss.size == history.best_epoch + 4
    reference = network(data)
    fit(reference, data, epochs=60, optimizer=bs.SGD(30.0), early_stopping=3)
    assert same(net, reference)


def test_a_folder_with_a_checkpoint_is_not_overwritten(tmp_path):
    data = task()
    fit(network(data), data, epochs=1, out=tmp_path)
    with pytest.raises(ValueError, match="start='resume'"):
        fit(network(data), data, epochs=1, out=tmp_path)
    with pytest.raises(ValueError, match="seed 5 there, 6 here"):
        fit(network(data), data, epochs=2, out=tmp_path, start="resume", seed=6)


def test_checkpoints_of_other_networks_and_damaged_ones(tmp_path):
    data = task()
    net = network(data)
    bs.save_weights(net, tmp_path / "w.npz")
    other = bs.Network(2e-3)
    other.connect(other.input(3), other.population(2, bs.lif(), name="h"), weights=np.ones((3, 2)))
    with pytest.raises(ValueError, match="another network"):
        bs.load_weights(other, tmp_path / "w.npz")
    text = (tmp_path / "w.npz").read_bytes()
    for damaged in (text[: len(text) // 2], b"", b"not a checkpoint"):
        (tmp_path / "bad.npz").write_bytes(damaged)
        with pytest.raises(OSError, match="not a usable checkpoint"):
            bs.load_weights(net, tmp_path / "bad.npz")
    with pytest.raises(OSError, match="no checkpoint"):
        bs.load_weights(net, tmp_path / "absent.npz")
    np.savez(tmp_path / "pickle.npz", meta=np.array([{"format": 1}], object))
    with pytest.raises(OSError, match="not a usable checkpoint"):
        bs.load_weights(net, tmp_path / "pickle.npz")
    assert not list(tmp_path.glob("*.partial"))


def test_not_finite_names_the_projection_and_keeps_the_weights(tmp_path):
    data = task()
    net = network(data)
    before = {name: w.copy() for name, w in net.weights.items()}

    class Broken(type(bs.MaxOverTimeCrossEntropy())):
        def value_and_gradient(self, readout, target, mask=None, total=None):
            return 1.0, np.full_like(readout, np.nan)

    with pytest.raises(
        ValueError,
        match=r"epoch 0, batch 0: the gradient of projection .*'E->readout'.* not finite",
    ):
        fit(net, data, loss=Broken(), regularizers=[])
    assert all(np.array_equal(before[name], net.weights[name]) for name in before)


@pytest.mark.parametrize("neuron, sigma_u", [(None, 1.0), (CONDUCTANCES, 0.5)])
def test_chunks_add_up_to_the_batch(neuron, sigma_u):
    """Loss, regularizer and gradient of a batch that goes chunk by chunk are those of the batch as a whole."""
    data, loss = task(), bs.EveryStepCrossEntropy()
    net, steps = network(data, None, neuron, sigma_u), bs.bin_spikes(data, 2e-3).n_steps
    mask = np.random.default_rng(0).random((len(data), steps))
    trace = bs.run(net, data, tape=True)
    value, slope = loss.value_and_gradient(trace.states["readout.U"], data.labels, mask)
    terms, counts = 0.0, {}
    for name, count in trace.counts.items():
        term, counts[name] = bs.upper_bound(0.3, 0.1).value_and_gradient(count)
        terms += term
    expected = bs.gradient(trace, states={"readout.U": slope}, counts=counts).weights
    before = {name: w.copy() for name, w in net.weights.items()}
    history = fit(
        net,
        data,
        mask=mask,
        loss=loss,
        epochs=1,
        batch=len(data),
        optimizer=bs.SGD(1e-2),
        validation=None,
        schedule=bs.schedules.Constant(),
        regularizers=[bs.upper_bound(0.3, 0.1)],
    )
    assert history.loss[0] == pytest.approx(value, rel=1e-6) and history.regularizer[
        0
    ] == pytest.approx(terms, rel=1e-6)
    for name, gradient in expected.items():
        w = before[name] - np.float32(1e-2) * gradient
        w = np.maximum(w, 0) if net.projection(name).non_negative else w
        np.testing.assert_allclose(net.weights[name], w, atol=2e-6 * np.abs(w).max())


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(epochs=0), "epochs is 0"),
        (dict(batch=0), "batch is 0"),
        (dict(validation=1.5), "validation is 1.5; it must be a finite number > 0 and < 1"),
        (dict(targets=np.full(180, 7)), "0 .. 2"),
        (dict(targets=np.zeros(3, int)), "one integer label per trial"),
        (dict(readout="nobody"), "readout is 'nobody'"),
        (dict(regularizers=[bs.upper_bound(1, 1, populations="Z")]), "only E, I"),
        (dict(start="resume"), "needs the folder"),
        (dict(loss=bs.MeanSquaredError()), "target of shape"),
        (dict(mask=np.ones((2, 2))), "mask has shape"),
        (dict(optimizer="adam"), "optimizer is 'adam'; it must be a description such as Adam"),
        (dict(schedule="cosine"), "schedule is 'cosine'"),
        (dict(loss="ce"), "loss is 'ce'"),
        (dict(seed=None), "seed is None; it must be a whole"),
        (dict(seed=-1), "seed is -1"),
        (dict(regularizers=bs.upper_bound(0.1, 2)), "must be a list"),
        (dict(augment=bs.Drop(0.1)), r"augment is Drop.*must be a list"),
        (
            dict(constraints=bs.WeightConstraint(high=1.0)),
            "constraints is WeightConstraint.*must be a list",
        ),
    ],
)
def test_messages(options, words):
    data = task()
    with pytest.raises(ValueError, match=words):
        fit(network(data), data, **options)


def test_time_constants_are_learned():
    data = task()
    net = network(data, learn={"mem": "neuron", "syn": "population"})
    fit(net, data, optimizer=bs.Adam(0.05))
    taus = net.time_constants("readout")
    assert np.ptp(taus["mem"]) > 1e-3 and abs(taus["syn"] - 0.01) > 1e-4 and taus["mem"].min() > 0


def adapting(learn):
    net, neuron = bs.Network(2e-3), bs.ei_adaptive_lif(jump=0.2, jump_delay=4e-3)
    x, out = net.input(10), net.readout(3, tau_mem=0.06)
    e, i = (
        net.population(20, neuron, "excitatory", name="E", learn=learn),
        net.population(5, neuron, "inhibitory", name="I", learn=learn),
    )
    for pre, post in [(x, e), (x, i), (e, e), (e, i), (i, e), (i, i), (e, out)]:
        net.connect(pre, post)
    bs.fluctuation_driven(net, assumed_rates=20.0, closed_loop=False, seed=2)
    return net


def test_adaptation_is_learned_and_resumed(tmp_path):
    """Time constant and jump of every neuron change, resumed with the same bits; another network gets them from a checkpoint."""
    data, learn = task(), {"adapt": "neuron", "jump": "neuron", "mem": "population"}
    whole, parts, loaded = (adapting(learn) for _ in range(3))
    fit(
        whole,
        data,
        epochs=4,
        optimizer=bs.Adam(0.02),
        schedule=bs.schedules.Constant(),
        out=tmp_path / "a",
    )
    jumps, taus = whole.spike_jumps("E")["w_adapt"], whole.time_constants("E")
    assert (
        np.ptp(jumps) > 0.005
        and np.ptp(taus["adapt"]) > 5e-4
        and np.all(jumps > 0)
        and abs(taus["mem"] - 0.02) > 1e-5
    )
    for epochs in (2, 4):
        fit(
            parts,
            data,
            epochs=epochs,
            optimizer=bs.Adam(0.02),
            schedule=bs.schedules.Constant(),
            out=tmp_path / "b",
            start="resume",
            threads=1,
        )
    assert same(whole, parts)
    bs.load_weights(loaded, tmp_path / "a" / "last.npz")
    for net in (parts, loaded):
        assert all(np.array_equal(net.parameters[key], p) for key, p in whole.parameters.items())
    assert np.array_equal(loaded.spike_jumps("E")["w_adapt"], jumps)
    with pytest.raises(ValueError, match="another network"):
        bs.load_weights(adapting({"jump": "population"}), tmp_path / "a" / "last.npz")


def naive_adam(w, gradients, rate, b1=0.9, b2=0.999, eps=1e-8, decay=0.0):
    m = v = np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        w = w - rate * (m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps) + decay * w)
    return w


def naive_smorms3(w, gradients, rate, eps=1e-16):
    mem, g1, g2 = np.ones_like(w), np.zeros_like(w), np.zeros_like(w)
    for g in gradients:
        r = 1 / (mem + 1)
        g1, g2 = (1 - r) * g1 + r * g, (1 - r) * g2 + r * g * g
        x = g1 * g1 / (g2 + eps)
        w = w - g * np.minimum(rate, x) / (np.sqrt(g2) + eps)
        mem = 1 + mem * (1 - x)
    return w


def naive_momentum(w, gradients, rate, momentum=0.9):
    v = np.zeros_like(w)
    for g in gradients:
        v = momentum * v + g
        w = w - rate * v
    return w


@pytest.mark.parametrize(
    "optimizer, reference",
    [
        (bs.Adam(0.01), lambda w, g: naive_adam(w, g, 0.01)),
        (bs.AdamW(0.01, 0.1), lambda w, g: naive_adam(w, g, 0.01, decay=0.1)),
        (bs.SMORMS3(0.01), lambda w, g: naive_smorms3(w, g, 0.01)),
        (bs.SGD(0.01, 0.9), lambda w, g: naive_momentum(w, g, 0.01)),
    ],
)
def test_optimizers(optimizer, reference):
    rng = np.random.default_rng(0)
    w, gradients = rng.normal(size=20), rng.normal(size=(15, 20))
    got, state = w.copy(), optimizer.start(20, np.float64)
    for g in gradients:
        optimizer.step(got, g, state, optimizer.learning_rate)
    np.testing.assert_allclose(got, reference(w, gradients), rtol=1e-10)


@pytest.mark.parametrize("optimizer", [bs.Adam(), bs.SMORMS3(), bs.SGD(momentum=0.9)])
def test_what_is_no_number_shows_in_the_parameters_at_once(optimizer):
    """A gradient whose square is infinite in single precision: a zero step would hide a state that is broken already."""
    w, state = np.ones(3, np.float32), optimizer.start(3, np.dtype(np.float32))
    optimizer.step(w, np.array([np.nan, 1, 0], np.float32), state, 1e-2)
    assert (
        w.dtype == np.float32 and np.isnan(w[0]) and np.all(np.isfinite(w[1:])) and w[1] < 1 == w[2]
    )
    if isinstance(optimizer, bs.SMORMS3):
        w, state = np.ones(1, np.float32), optimizer.start(1, np.dtype(np.float32))
        optimizer.step(w, np.array([1e25], np.float32), state, 1e-2)
        assert np.isnan(w[0])


def test_schedules():
    assert bs.schedules.Constant().factor(0.7, []) == 1
    assert bs.schedules.Cosine(0.1).factor(0, []) == 1 and bs.schedules.Cosine(0.1).factor(
        1, []
    ) == pytest.approx(0.1)
    assert bs.schedules.Cosine().factor(0.5, []) == pytest.approx(0.5)
    assert [
        bs.schedules.Step((0.5, 0.75), 0.1).factor(p, []) for p in (0.4, 0.5, 0.8)
    ] == pytest.approx([1, 0.1, 0.01])
    assert (
        bs.schedules.OnPlateau(2, 0.5).factor(0, [3, 2, 2, 2]) == 0.5
        and bs.schedules.OnPlateau(2, 0.5).factor(0, [3, 2, 2]) == 1
    )


def test_learns_a_trace_with_a_mask():
    data = bs.data.poisson(50, 10, 0.06, 40, seed=1)
    net = network(task())
    target, mask = np.zeros((40, 30, 3)), np.ones((40, 30))
    target[:, 15:], target[:, :5], mask[:, :5] = 0.5, 99.0, 0.0  # the masked steps ask for nonsense
    history = bs.train(
        net,
        data,
        target,
        mask,
        epochs=60,
        loss=bs.MeanSquaredError(),
        optimizer=bs.Adam(5e-3),
        batch=20,
        seed=0,
        progress=False,
    )
    assert history.loss[-1] < 0.5 * history.loss[0] < 5


@pytest.mark.real_chunks
@pytest.mark.parametrize("n_trials, steps, largest", [(100, 100, 24), (400, 350, 18), (3, 10, 6)])
def test_chunks_of_trials(n_trials, steps, largest):
    """Every trial once, whole tiles, and enough work in each: about 10^6 states and steps."""
    net = bs.Network(2e-3)
    e, _ = bs.dalian_layer(net, net.input(10), 128, 32)
    net.connect(e, net.readout(10))
    for p in net.projections:
        net.set_weights(p.name, np.zeros((net[p.pre].n, net[p.post].n)))
    bounds = passes._chunk_bounds(n_trials, pack(net), steps)
    assert (
        bounds[0] == 0
        and bounds[-1] == n_trials
        and np.all(np.diff(bounds) > 0)
        and np.diff(bounds).max() <= largest
    )
    assert np.all(np.diff(bounds)[:-1] % 6 == 0) and np.diff(bounds).max() == min(largest, n_trials)


def silent(surrogate=bs.SuperSpike(), initial=0.0, scale=0.01):
    net = bs.Network(2e-3)
    x, a, b = (
        net.input(10),
        *(net.population(8, bs.lif(), name=name, surrogate=surrogate) for name in "AB"),
    )
    rng = np.random.default_rng(0)
    for pre, post in ((x, a), (a, b), (b, net.readout(3, tau_mem=0.06, initial=initial))):
        net.connect(
            pre, post, weights=rng.normal(0, scale if post is not a else 4.0, (pre.n, post.n))
        )
    return net


@pytest.mark.filterwarnings("error:population")
def test_a_word_about_silent_populations():
    """A fires and B does not: the maximum of the readout lies at the first step, and no gradient comes back."""
    data, options = task(), dict(regularizers=[], validation=None)
    net = silent()
    with pytest.warns(
        UserWarning,
        match="^populations? 'B' did not fire in any trial of epoch 0, .* zero: the loss looks at the maximum",
    ) as seen:
        fit(net, data, **options)
    words = str(seen[0].message)
    assert seen[0].filename == __file__
    assert (
        len(seen) == 1
        and "fluctuation_driven" in words
        and "lower_bound" in words
        and "initial=-0.1" in words
        and "surrogate" not in words
    )
    with pytest.warns(
        UserWarning, match="'B' did not fire .* no membrane came near enough to threshold"
    ):
        fit(
            silent(bs.TruncatedSuperSpike(20, 0.2)),
            data,
            loss=bs.SumOverTimeCrossEntropy(),
            **options,
        )
    # what the words say helps: each gives B a gradient, and no warning
    for net, more in (
        (silent(initial=-0.1), {}),
        (silent(scale=2.0), {}),
        (network(data), {}),
        (silent(), dict(loss=bs.SumOverTimeCrossEntropy())),
        (silent(), dict(regularizers=[bs.lower_bound(100.0, 1e-3, per="neuron")])),
    ):
        before = net.weights["A->B" if "A->B" in net.weights else "E->E"].copy()
        fit(net, data, **(options | more))
        assert np.any(net.weights["A->B" if "A->B" in net.weights else "E->E"] != before)


def test_frozen_populations_are_silent_without_a_word(recwarn):
    net = bs.Network(2e-3)
    x, a = net.input(10), net.population(8, bs.lif(), name="A")
    net.connect(x, a, weights=np.zeros((10, 8)), frozen=True)
    net.connect(a, net.readout(3), weights=np.ones((8, 3)))
    fit(net, task(), regularizers=[], validation=None)
    assert not [w for w in recwarn if "did not fire" in str(w.message)]


def test_validation_may_begin_when_a_training_is_resumed(tmp_path):
    """Epochs without validation have no say in which is the best."""
    data, net = task(), network(task())
    fit(net, data, epochs=2, validation=None, out=tmp_path)
    history = fit(
        net, data, epochs=6, validation=data[:20], out=tmp_path, start="resume", early_stopping=10
    )
    assert history.loss.size == 6 and np.isnan(history.validation_loss[:2]).all()
    assert history.best_epoch == 2 + history.validation_loss[2:].argmin()


@pytest.mark.parametrize(
    "change, words",
    [
        (dict(schedule=bs.schedules.Step((0.1,), 1e-3)), "schedule Cosine.* there, Step.* here"),
        (dict(differentiate_reset=True), "differentiate_reset None there"),
        (dict(batch=20), "batch 40 there, 20 here"),
        (dict(seed=6), "seed 5 there"),
    ],
)
def test_another_recipe_is_refused_and_changes_nothing(change, words, tmp_path):
    data = task()
    fit(network(data), data, epochs=1, out=tmp_path)
    other = network(data)
    before = {name: weights + 1 for name, weights in other.weights.items()}
    for name, weights in before.items():
        other.set_weights(name, weights)
    with pytest.raises(ValueError, match=words):
        fit(other, data, epochs=2, out=tmp_path, start="resume", **change)
    assert all(np.array_equal(other.weights[name], weights) for name, weights in before.items())


def test_other_data_of_equal_size_are_refused(tmp_path):
    data = task()
    fit(network(data), data, epochs=1, out=tmp_path)
    other = bs.SpikeTrains(
        data.times * 0.99, data.units, data.offsets, data.n_units, data.duration, data.labels
    )
    with pytest.raises(ValueError, match="another training: data "):
        fit(network(data), other, epochs=2, out=tmp_path, start="resume")


def test_a_masked_loss_is_the_mean_over_all_batches():
    """Trials with few steps that count weigh as little in small batches as in one; where no step of a batch counts, its loss is 0."""
    rng, (n, steps) = np.random.default_rng(0), (12, 50)
    data = bs.data.poisson(20.0, 8, steps * 2e-3, n, seed=1)
    net = bs.Network(2e-3, np.float64)
    h = net.population(6, bs.lif(), name="H")
    net.connect(net.input(8), h, weights=rng.normal(0, 1, (8, 6)))
    net.connect(h, net.readout(2), weights=rng.normal(0, 1, (6, 2)))
    targets, mask = rng.normal(0, 1, (n, steps, 2)), np.zeros((n, steps))
    for k in range(1, n):
        mask[k, : 4 * k] = 1
    u = bs.run(net, data).states["readout.U"]
    wanted = (mask[..., None] * (u - targets) ** 2).sum() / (2 * mask.sum())
    for batch in (12, 5, 1):
        assert bs.evaluate(
            net, data, targets, mask, loss=bs.MeanSquaredError(), batch=batch
        ).loss == pytest.approx(wanted, rel=1e-12)
    bs.train(
        net, data, targets, mask, epochs=1, batch=1, loss=bs.MeanSquaredError(), progress=False
    )  # the batch of trial 0 teaches nothing
    with pytest.raises(ValueError, match="at least one above 0"):
        bs.evaluate(net, data, targets, 0 * mask, loss=bs.MeanSquaredError())


def test_evaluate_refuses_what_it_cannot_do():
    data = task()
    for options, words in (
        (dict(batch=0), "batch is 0"),
        (dict(batch=-1), "batch is -1"),
        (dict(loss=None), "nothing to evaluate"),
    ):
        with pytest.raises(ValueError, match=words):
            bs.evaluate(network(data), data, **options)


def test_numbers_of_numpy_are_numbers(tmp_path):
    data = task()
    net = bs.Network(np.float64(2e-3))
    h = bs.layer(
        net,
        net.input(np.int64(data.n_units)),
        np.int32(8),
        name="H",
        neuron=bs.lif(tau_mem=np.float64(20e-3)),
    )
    net.connect(h, net.readout(data.labels.max() + 1))
    bs.fluctuation_driven(net, data, sigma_u=1.0, seed=np.int64(1), progress=False)
    bs.train(
        net,
        data,
        epochs=np.int64(1),
        batch=np.int64(20),
        seed=np.int64(3),
        out=tmp_path,
        progress=False,
    )
    bs.train(net, data, epochs=2, batch=20, seed=3, out=tmp_path, start="resume", progress=False)


def test_a_penalty_for_one_projection_by_its_name():
    assert bs.WeightPenalty(1e-3, projections="H->H").projections == ("H->H",)
