"""Class weights, learning rates by projection, and callbacks of a training."""

import csv

import numpy as np
import pytest

import biosnn as bs

from .common import fit, network, same, task

LABELS = np.array([0, 0, 1, 2])


@pytest.fixture(scope="module")
def data():
    return task()


# ------------------------------------------------------------------------------------ class weights


@pytest.mark.parametrize(
    "kind",
    [
        bs.MaxOverTimeCrossEntropy,
        bs.MeanOverTimeCrossEntropy,
        bs.LastStepCrossEntropy,
        bs.EveryStepCrossEntropy,
        bs.FocalLoss,
        bs.TimeToFirstSpike,
    ],
)
def test_class_weights_multiply_the_loss_of_each_trial(kind):
    x = np.random.default_rng(1).random((4, 5, 3))
    weights = np.array([0.5, 2.0, 3.0])
    alone = [kind().value_and_gradient(x[k : k + 1], LABELS[k : k + 1]) for k in range(4)]
    value, gradient = kind(class_weights=weights).value_and_gradient(x, LABELS)
    each = weights[LABELS]
    assert value == pytest.approx(np.mean(each * [v for v, _ in alone]))
    expected = each[:, None, None] * np.concatenate([g for _, g in alone]) / 4
    np.testing.assert_allclose(gradient, expected, atol=1e-12)


def test_class_weights_of_one_are_no_class_weights(data):
    plain, weighted = network(data), network(data)
    fit(plain, data, 1)
    fit(weighted, data, 1, loss=bs.MaxOverTimeCrossEntropy(class_weights=[1, 1, 1]))
    assert same(plain, weighted)
    assert repr(bs.MaxOverTimeCrossEntropy()) == "MaxOverTimeCrossEntropy()"


def test_balanced_weights_give_each_class_the_same_sum():
    labels = np.array([0] * 7 + [1] * 2 + [2])
    weights = bs.balanced_class_weights(labels)
    sums = np.bincount(labels, weights[labels])
    np.testing.assert_allclose(sums, 10 / 3)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: bs.balanced_class_weights([0, 2]), "no trial has the label 1"),
        (lambda: bs.balanced_class_weights([]), "at least one"),
        (lambda: bs.balanced_class_weights([-1, 0]), "classes 0, 1"),
        (lambda: bs.LastStepCrossEntropy(class_weights=[1, -1]), "numbers >= 0"),
        (lambda: bs.LastStepCrossEntropy(class_weights=[0, 0]), "at least one must be > 0"),
        (lambda: bs.LastStepCrossEntropy(class_weights=2.0), "shape"),
        (
            lambda: bs.FocalLoss(over=bs.LastStepCrossEntropy(class_weights=[1, 2])),
            "give them to FocalLoss",
        ),
        (
            lambda: bs.LastStepCrossEntropy(class_weights=[1, 2]).score(np.ones((1, 2, 3)), [0]),
            "2 class_weights, but the readout has 3 units",
        ),
    ],
)
def test_class_weights_that_make_no_sense(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --------------------------------------------------------------------- learning rates by projection


def one_step(data, **options):
    """What one step of the optimizer changes, by projection."""
    net = network(data)
    before = {name: w.astype(float) for name, w in net.weights.items()}
    fit(net, data, 1, batch=200, validation=None, schedule=bs.schedules.Constant(), **options)
    return {name: net.weights[name] - before[name] for name in before}


@pytest.mark.parametrize("optimizer", [bs.Adam(1e-3), bs.SGD(0.1), bs.SMORMS3(1e-3)], ids=str)
def test_a_projection_learns_at_its_own_rate(data, optimizer):
    rate = optimizer.learning_rate
    plain = one_step(data, optimizer=optimizer)
    rates = {"E->readout": 0.25 * rate, "I->E": 0.0}
    scaled = one_step(data, optimizer=optimizer, learning_rates=rates)
    assert np.abs(plain["E->readout"]).max() > 0
    np.testing.assert_allclose(scaled["E->readout"], 0.25 * plain["E->readout"], atol=2e-7)
    np.testing.assert_array_equal(scaled["I->E"], 0)
    np.testing.assert_array_equal(scaled["input->E"], plain["input->E"])


def test_learning_rates_belong_to_the_recipe(data, tmp_path):
    net = network(data)
    fit(net, data, 1, out=tmp_path, learning_rates={"I->E": 1e-4})
    with pytest.raises(ValueError, match="learning_rates .*there"):
        fit(network(data), data, 2, out=tmp_path, start="resume")


@pytest.mark.parametrize(
    "rates, options, message",
    [
        ({"E->X": 1e-3}, {}, "learning_rates for E->X: the network has the projections"),
        ({"I->E": -1}, {}, "I->E"),
        ([1e-3], {}, "a dict of projection -> learning rate"),
        ({"I->E": 1e-3}, {"optimizer": bs.SGD(0.0)}, "steps of the optimizer are scaled"),
    ],
)
def test_learning_rates_that_make_no_sense(data, rates, options, message):
    with pytest.raises(ValueError, match=message):
        fit(network(data), data, 1, learning_rates=rates, **options)


# ---------------------------------------------------------------------------------------- callbacks


def test_a_callback_sees_every_epoch_and_changes_nothing(data, tmp_path):
    plain, watched, seen = network(data), network(data), []

    def log(epoch):
        seen.append((epoch.number, epoch.epochs, bs.evaluate(epoch.network, data).loss))
        with open(tmp_path / "log.csv", "a", newline="") as file:
            csv.writer(file).writerow([epoch.number, epoch.history.loss[-1]])

    fit(plain, data, 3)
    history = fit(watched, data, 3, callback=log)
    assert same(plain, watched)
    assert [each[:2] for each in seen] == [(1, 3), (2, 3), (3, 3)]
    assert seen[-1][2] == bs.evaluate(watched, data).loss and seen[0][2] != seen[1][2]
    rows = list(csv.reader(open(tmp_path / "log.csv")))
    assert [float(loss) for _, loss in rows] == history.loss.tolist()


def test_what_a_callback_does_to_the_network_is_undone(data):
    plain, watched = network(data), network(data)

    def destroy(epoch):
        epoch.network.weights["E->E"][:] = 0

    fit(plain, data, 2)
    fit(watched, data, 2, callback=destroy)
    assert same(plain, watched)


def test_a_callback_ends_a_training_which_goes_on_with_the_same_bits(data, tmp_path):
    whole, parts = network(data), network(data)
    fit(whole, data, 4)
    first = fit(parts, data, 4, out=tmp_path, callback=lambda epoch: epoch.number == 2)
    assert first.loss.size == 2 and not first.interrupted
    numbers = []
    parts = network(data)
    fit(
        parts,
        data,
        4,
        out=tmp_path,
        start="resume",
        callback=lambda epoch: numbers.append(epoch.number),
    )
    assert same(whole, parts) and numbers == [3, 4]


def test_an_answer_of_numpy_ends_a_training_too(data):
    answers = (lambda epoch: epoch.history.loss[-1] > 0, lambda epoch: epoch.history.loss[-1])
    found = [fit(network(data), data, 2, callback=each).loss.size for each in answers]
    assert found == [1, 2]


def test_an_error_of_a_callback_leaves_the_weights_and_the_checkpoint(data, tmp_path):
    net = network(data)

    def fail(epoch):
        raise RuntimeError("pruned")

    with pytest.raises(RuntimeError, match="pruned"):
        fit(net, data, 4, out=tmp_path, callback=fail)
    other = network(data)
    fit(other, data, 4, callback=lambda epoch: True)
    assert same(net, other) and (tmp_path / "last.npz").exists()
    with pytest.raises(ValueError, match="a function of one argument"):
        fit(net, data, 1, callback="log.csv")


def test_a_history_is_a_data_frame(data):
    pytest.importorskip("pandas")
    history = fit(network(data), data, 2)
    frame = history.to_frame()
    assert frame.index.tolist() == [1, 2] and frame.index.name == "epoch"
    np.testing.assert_array_equal(frame["accuracy"], history.accuracy)
    np.testing.assert_array_equal(frame["validation_loss"], history.validation_loss)


def test_an_epoch_shows_itself_in_a_few_lines(data):
    texts = []
    history = fit(network(data), data, 2, callback=lambda epoch: texts.append(str(epoch)))
    assert [text.splitlines()[0] for text in texts] == ["Epoch 1 of 2", "Epoch 2 of 2"]
    assert f"{history.loss[1]:.4g}" in texts[1] and len(texts[1].splitlines()) < 8
