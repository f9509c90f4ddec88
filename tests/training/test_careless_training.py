"""Training by careless users: what they are told, and what went wrong without a word before."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.data.augmentation import augmented_events

QUIET = dict(progress=False, threads=1)


def small_net(weights=1.0, seed=0):
    net = bs.Network(2e-3)
    e, _ = bs.dalian_layer(net, net.input(10), 8, 4)
    net.connect(e, net.readout(2))
    bs.kaiming(net, seed=seed)
    for p in net.projections:
        net.set_weights(p.name, weights * net.weights[p.name])
    return net


def small_data(n=40, seed=1):
    return bs.data.poisson(80, 10, 0.2, n, seed=seed, labels=np.arange(n) % 2)


def test_predictions_that_are_traces_are_those_of_every_batch():
    net, data = small_net(3.0), small_data()
    expected = bs.run(net, data, record=["readout.U"]).states["readout.U"]
    for batch in (10, 40):
        found = bs.evaluate(
            net, data, np.zeros((40, 100, 2)), loss=bs.MeanSquaredError(), batch=batch, threads=1
        )
        np.testing.assert_array_equal(found.predictions, expected)


@pytest.mark.parametrize("sparse", [False, True])
def test_resuming_takes_all_weights_of_the_checkpoint(tmp_path, sparse):
    """Frozen ones too, and those of a sparse projection that has one number here."""

    def make(seed):
        net = bs.Network(2e-3)
        h = net.population(8, bs.lif(), name="h")
        net.connect(
            net.input(10),
            h,
            frozen=not sparse,
            **(dict(synapses=bs.Bernoulli(0.5), seed=1) if sparse else {}),
        )
        net.connect(h, net.readout(2))
        bs.kaiming(net, seed=seed)
        return net

    data, whole, first, second = small_data(), make(0), make(0), make(5)
    if sparse:
        second.set_weights("input->h", 0.1)
    bs.train(whole, data, epochs=3, batch=10, **QUIET)
    bs.train(first, data, epochs=2, batch=10, out=tmp_path, **QUIET)
    bs.train(second, data, epochs=3, batch=10, out=tmp_path, start="resume", **QUIET)
    for name in whole.weights:
        np.testing.assert_array_equal(second.weights[name], whole.weights[name])


def test_trials_without_a_step_that_counts_are_not_scored():
    mask, data = np.zeros((40, 100)), small_data()
    mask[:20] = 1
    loss, net = bs.EveryStepCrossEntropy(), small_net(3.0)
    half = bs.evaluate(net, data[:20], mask=mask[:20], loss=loss)
    for batch in (40, 7):
        whole = bs.evaluate(net, data, mask=mask, loss=loss, batch=batch)
        assert (whole.accuracy, whole.loss) == (half.accuracy, pytest.approx(half.loss))
        history = bs.train(
            small_net(3.0),
            data,
            mask=mask,
            loss=loss,
            epochs=1,
            batch=batch,
            optimizer=bs.SGD(0.0),
            **QUIET,
        )
        assert history.accuracy[0] == half.accuracy


def test_a_plateau_begins_with_the_first_validation():
    assert (
        bs.schedules.OnPlateau(2).factor(0, [np.nan] * 4 + [1.0]) == 1
        and bs.schedules.OnPlateau(2).factor(0, [np.nan] * 4 + [1.0, 2.0, 2.0]) == 0.5
    )


@pytest.mark.parametrize("share", ["neuron", "population"])
@pytest.mark.parametrize("tau", [3e-3, [3e-3] * 4 + [5e-3] * 4])
def test_learned_time_constants_stay_above_the_time_step(share, tau):
    net = bs.Network(2e-3)
    h = net.population(
        8,
        bs.lif(tau_mem=tau, tau_syn=3e-3, integrator="euler"),
        name="h",
        learn={"mem": share, "syn": share},
    )
    net.connect(net.input(10), h, weights=np.full((10, 8), 0.5))
    net.connect(h, net.readout(2), weights=np.random.default_rng(0).normal(size=(8, 2)))
    bs.train(
        net,
        small_data(),
        epochs=6,
        batch=10,
        loss=bs.MeanOverTimeCrossEntropy(),
        optimizer=bs.Adam(1.0),
        **QUIET,
    )
    taus = net.time_constants("h")
    lowest = min(taus["mem"].min(), taus["syn"].min())
    assert 2e-3 <= lowest < 2.1e-3 and bs.time_rescale(net, 2e-3).dt == 2e-3


def test_weights_that_are_no_numbers_leave_the_last_that_were():
    """Adam without its epsilon divides 0 by 0 where a gradient is 0."""
    net, data = small_net(), bs.data.poisson(0.0, 10, 0.2, 20, seed=1, labels=np.arange(20) % 2)
    before = {name: weights.copy() for name, weights in net.weights.items()}
    with pytest.raises(
        ValueError,
        match=r"epoch 0, batch 0: what Adam\(.*weights at the learning rate 0.001 is not finite",
    ):
        bs.train(net, data, epochs=1, batch=10, optimizer=bs.Adam(1e-3, epsilon=0.0), **QUIET)
    for name, weights in before.items():
        np.testing.assert_array_equal(net.weights[name], weights)


class OwnLoss:
    """A user's, without a repr."""

    classifies = False

    def check(self, target, n_trials, steps, n_units):
        pass

    def total_weight(self, shape, mask=None):
        return float(shape[0])

    def predict(self, readout, mask=None):
        return readout

    def score(self, readout, target, mask=None):
        return -np.square(readout).mean(axis=(1, 2))

    def value_and_gradient(self, readout, target, mask=None, total=None):
        return np.square(readout).sum() / (total or len(readout)), 2 * readout / (
            total or len(readout)
        )


def test_a_loss_without_repr_can_be_resumed(tmp_path):
    for epochs in (1, 2):
        history = bs.train(
            small_net(),
            small_data(),
            epochs=epochs,
            batch=20,
            loss=OwnLoss(),
            out=tmp_path,
            start="resume",
            **QUIET,
        )
    assert history.loss.size == 2


def test_whole_trials_of_two_inputs_move_alike():
    a, b = small_data(seed=1), small_data(seed=1)
    moved = [
        augmented_events(train, [bs.Drop(0.3), bs.TimeShift(50e-3)], [3, 4])
        for train in (a, b[np.arange(40)])
    ]
    np.testing.assert_array_equal(moved[0].shift, moved[1].shift)
    other = augmented_events(
        bs.data.poisson(20, 5, 0.2, 40, seed=7), [bs.Drop(0.3), bs.TimeShift(50e-3)], [3, 4]
    )
    np.testing.assert_array_equal(moved[0].shift, other.shift)
    assert np.std(other.shift) > 10e-3 and bs.augment(
        a[:0], [bs.Drop(0.5)], seed=0
    ).offsets.tolist() == [0]


def two_inputs():
    net = bs.Network(2e-3)
    for name in "ab":
        net.connect(
            net.input(10, name=name),
            "readout" if name == "b" else net.readout(2),
            weights=np.zeros((10, 2)),
        )
    return net


def bare():
    net = bs.Network(1e-3)
    net.connect(
        net.population(3, bs.lif(), name="A", bias=2.0), net.readout(2), weights=np.ones((3, 2))
    )
    return net


@pytest.mark.parametrize(
    "act, words",
    [
        (
            lambda d, _: bs.prime(
                small_net(),
                d,
                epochs=1,
                regularizers=[bs.lower_bound(1, 1)],
                validation=0.2,
                **QUIET,
            ),
            "nothing to validate",
        ),
        (
            lambda d, _: bs.train(small_net(), d, epochs=1, progress=np.array([None, "E"])),
            "progress is an array",
        ),
        (
            lambda d, _: bs.train(small_net(), d, epochs=1, start=np.ones(2), **QUIET),
            "start is an array .*; it must be one of 'new', 'resume', 'overwrite'",
        ),
        (
            lambda d, _: bs.train(small_net(), d, epochs=1, optimizer=None, **QUIET),
            "optimizer is None; it must be a description",
        ),
        (
            lambda d, _: bs.train(small_net(), d, epochs=1, schedule=None, **QUIET),
            "schedule is None; it must be a description",
        ),
        (lambda d, _: bs.train(bare(), {}, epochs=1, **QUIET), "the network has no inputs"),
        (
            lambda d, _: bs.train(small_net(), {"input": np.zeros((4, 10))}, epochs=1, **QUIET),
            "'input' gets an array of shape .4, 10. and type float64; it must be SpikeTrains",
        ),
        (
            lambda d, _: bs.train(two_inputs(), {"a": d, "b": d[::-1]}, epochs=1, **QUIET),
            "'a' and 'b' have different labels",
        ),
        (
            lambda d, _: bs.train(small_net(), d, mask=np.ones((40, 100)), epochs=1, **QUIET),
            "MaxOverTimeCrossEntropy takes no mask",
        ),
        (
            lambda d, _: bs.train(small_net(), d, epochs=1, loss=None, **QUIET),
            "nothing to minimize",
        ),
        (
            lambda d, _: bs.prime(small_net(), d, epochs=1, regularizers=(), loss=bs.FocalLoss()),
            "prime takes no loss",
        ),
        (
            lambda d, _: bs.train(
                small_net(), d, epochs=1, loss=bs.MaxOverTimeCrossEntropy, **QUIET
            ),
            "must be a description",
        ),
        (
            lambda d, _: bs.train(
                small_net(), d, epochs=1, loss={"readout": (bs.MeanSquaredError(), 1, 2)}, **QUIET
            ),
            r"a pair \(loss, weight\)",
        ),
        (
            lambda d, _: bs.train(small_net(), d, epochs=1, optimizer=bs.Adam, **QUIET),
            "optimizer is .* description",
        ),
        (
            lambda d, _: bs.train(small_net(), d, epochs=1, schedule=bs.schedules.Cosine, **QUIET),
            "schedule is .* description",
        ),
        (lambda d, _: bs.train(small_net(), d, epochs=1, clip="1", **QUIET), "clip is '1'"),
        (
            lambda d, path: bs.train(small_net(), d, epochs=1, out=path / "file", **QUIET),
            "cannot be a folder for checkpoints",
        ),
        (
            lambda d, _: bs.FocalLoss(2.0, bs.TimeToFirstSpike()),
            "must be a cross-entropy of one vector of logits",
        ),
        (lambda d, _: bs.Adam(None), "learning_rate is None"),
        (lambda d, _: bs.schedules.Step((0.5,), decay=-10), "decay is -10"),
        (lambda d, _: bs.schedules.Cosine(-5.0), "final is -5"),
        (lambda d, _: bs.schedules.Cosine(np.nan), "final is nan"),
        (lambda d, _: bs.schedules.OnPlateau(0), "patience is 0"),
        (lambda d, _: bs.run(bare(), duration=np.nan), "duration is nan"),
        (lambda d, _: bs.run(bare(), duration=-1.0), "duration is -1"),
        (
            lambda d, _: bs.gradient(
                bs.run(small_net(), d, tape=True), counts={"E": np.zeros((3, 8))}
            ),
            r"shape \(3, 8\); .* = \(40, 8\)",
        ),
        (
            lambda d, _: bs.gradient(
                bs.run(small_net(), d, tape=True), counts={"E": np.full((40, 8), np.nan)}
            ),
            "the gradient of 'E' has the value nan",
        ),
        (lambda d, _: small_net().set_weights("E->readout", 1j * np.ones((8, 2))), "complex"),
    ],
)
def test_what_careless_users_are_told(tmp_path, act, words):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=words):
        act(small_data(), tmp_path)


def test_a_layer_that_is_refused_leaves_nothing_behind():
    net = bs.Network(2e-3)
    x = net.input(3)
    for act in (
        lambda: bs.layer(net, "inptu", 4, name="h"),
        lambda: bs.dalian_layer(net, x, 4, 0),
        lambda: bs.dalian_layer(net, "inptu", 4, 2),
    ):
        with pytest.raises(ValueError, match="no population 'inptu'|n_inh is 0"):
            act()
    assert [p.name for p in net.populations] == ["input"] and bs.schedules.Step(at=0.5).at == (0.5,)


def test_audit_of_a_network_without_weights():
    net = bs.Network(2e-3)
    bs.dalian_layer(net, net.input(3), 4, 2)
    with pytest.raises(ValueError, match="'input->E' has no weights yet"):
        bs.audit(net)
