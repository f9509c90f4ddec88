"""Training: what is learned, the same bits on any number of threads, chunks, messages."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine.chunks import chunk_bounds
from biosnn.engine.packed import pack
from biosnn.training.batch_gradient import GradientPass
from biosnn.training.dataset import Given, load
from biosnn.training.objective import make_objective
from biosnn.training.parameters import Parameters
from biosnn.training.presentation import Presentation
from tests.initializer.networks import CONDUCTANCES
from tests.training.common import fit, network, same, task


def test_it_learns_and_keeps_dales_law():
    data = task()
    net = network(data)
    history = fit(net, data, epochs=80, optimizer=bs.Adam(2e-2), regularizers=[])
    assert history.loss[-1] < 0.8 * history.loss[0] and history.accuracy[-1] > 0.6  # chance: 0.33
    assert bs.audit(net).violations == 0
    assert history.validation_loss.shape == (80,) and np.all(history.seconds > 0)


def test_trials_of_a_batch_go_side_by_side_with_others_of_their_length():
    """The order of a batch changes only that of sums; those whose input ends last come first."""
    ends, counts = (
        10 + 7 * (7 * np.arange(12) % 12),
        (np.random.default_rng(0).random((12, 100, 10)) < 0.2),
    )
    for b, n in enumerate(ends):
        counts[b, n:], counts[b, n - 1] = 0, 1
    data = bs.SpikeTrains.from_dense(counts, 2e-3, labels=np.arange(12) % 3)
    net = network(data)
    objective = make_objective(net, bs.MaxOverTimeCrossEntropy(), None)
    gradient_of = GradientPass(
        Parameters(net), objective, Presentation(batch_size=12, seed=0, threads=1)
    )
    loaded = load(net, objective.terms, Given(data))
    ordered = loaded.by_length(np.arange(12))
    assert np.array_equal(ordered, np.argsort(-ends))
    one, other = (
        gradient_of(loaded, rows)
        for rows in (np.arange(12), ordered[[5, 0, *range(6, 12), *range(1, 5)]])
    )
    assert one.loss == pytest.approx(other.loss, rel=1e-6)
    a, b = one.gradient, other.gradient
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6 * np.abs(a).max())


def test_threads_do_not_change_bits():
    data = task()
    nets = [network(data) for _ in range(2)]
    for net, threads in zip(nets, (1, 2)):
        fit(net, data, threads=threads, augment=[bs.ChannelShift(1), bs.Drop(0.1)])
    assert same(*nets)


def test_early_stopping_returns_to_the_best_epoch():
    data = task()
    net = network(data)
    history = fit(net, data, epochs=60, optimizer=bs.SGD(30.0), early_stopping=3)
    assert history.loss.size == history.best_epoch + 4
    reference = network(data)
    fit(reference, data, epochs=60, optimizer=bs.SGD(30.0), early_stopping=3)
    assert same(net, reference)


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
    """Loss, regularizer and gradient of a batch in chunks are those of the batch as a whole."""
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
@pytest.mark.parametrize("n_trials, steps, largest", [(100, 100, 24), (400, 350, 12), (3, 10, 6)])
def test_chunks_of_trials(n_trials, steps, largest):
    """Every trial once, whole tiles, and enough work in each: about 10^6 states and steps."""
    net = bs.Network(2e-3)
    e, _ = bs.dalian_layer(net, net.input(10), 128, 32)
    net.connect(e, net.readout(10))
    for p in net.projections:
        net.set_weights(p.name, np.zeros((net[p.pre].n, net[p.post].n)))
    bounds = chunk_bounds(n_trials, pack(net), steps)
    assert (
        bounds[0] == 0
        and bounds[-1] == n_trials
        and np.all(np.diff(bounds) > 0)
        and np.diff(bounds).max() <= largest
    )
    assert np.all(np.diff(bounds)[:-1] % 6 == 0) and np.diff(bounds).max() == min(largest, n_trials)


def test_a_masked_loss_is_the_mean_over_all_batches():
    """Trials with few steps that count weigh as little in small batches as in one.

    Where no step of a batch counts, its loss is 0.
    """
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
