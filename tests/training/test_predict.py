"""`predict`, evaluations by class, and losses without targets, against plain numpy."""

from dataclasses import dataclass

import numpy as np
import pytest

import biosnn as bs

from .common import network, task


@pytest.fixture(scope="module")
def trained():
    data = task()
    net = network(data)
    bs.train(net, data, epochs=2, batch=40, progress=False)
    return net, data


def unlabelled(data):
    return bs.SpikeTrains(data.times, data.units, data.offsets, data.n_units, data.duration)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


LOGITS = {
    bs.MaxOverTimeCrossEntropy(): lambda u: u.max(axis=1),
    bs.SumOverTimeCrossEntropy(): lambda u: u.sum(axis=1),
    bs.MeanOverTimeCrossEntropy(): lambda u: u.mean(axis=1),
    bs.LastStepCrossEntropy(): lambda u: u[:, -1],
    bs.EveryStepCrossEntropy(): lambda u: np.log(softmax(u)).mean(axis=1),
    bs.FocalLoss(2.0, bs.LastStepCrossEntropy()): lambda u: u[:, -1],
}


@pytest.mark.parametrize("loss", LOGITS, ids=lambda loss: type(loss).__name__)
def test_predictions_probabilities_and_traces_are_those_of_a_run(trained, loss):
    net, data = trained
    found = bs.predict(net, unlabelled(data), loss=loss, traces=True, batch=70)
    readout = bs.run(net, data).states["readout.U"].astype(np.float64)
    np.testing.assert_array_equal(found.traces["readout"], readout)
    logits = LOGITS[loss](readout)
    np.testing.assert_allclose(found.probabilities, softmax(logits), rtol=1e-5)
    np.testing.assert_array_equal(found.predictions, logits.argmax(axis=1))
    evaluation = bs.evaluate(net, data, loss=loss)
    np.testing.assert_array_equal(found.predictions, evaluation.predictions)
    assert found.rates == pytest.approx(evaluation.rates)


def test_a_mask_selects_the_steps_of_a_prediction(trained):
    net, data = trained
    mask = np.zeros((len(data), 30))
    mask[:, 25:] = 1
    found = bs.predict(net, data, mask, loss=bs.EveryStepCrossEntropy(), batch=70)
    late = np.log(softmax(bs.run(net, data).states["readout.U"][:, 25:])).mean(axis=1)
    np.testing.assert_allclose(found.probabilities, softmax(late), rtol=1e-5)
    nothing = bs.EveryStepCrossEntropy().probabilities(np.ones((1, 2, 4)), np.zeros((1, 2)))
    np.testing.assert_array_equal(nothing, np.full((1, 4), 0.25))


def test_several_losses_predict_by_readout_and_traces_are_of_all_readouts(trained):
    data = trained[1]
    net = network(data)
    net.connect("E", net.readout(2, name="other"), weights=np.ones((20, 2)))
    loss = {"readout": bs.MaxOverTimeCrossEntropy(), "E": (bs.VanRossumDistance(), 0.5)}
    found = bs.predict(net, data, loss=loss, traces=True)
    assert set(found.predictions) == {"readout", "E"} and set(found.traces) == {"readout", "other"}
    assert found.probabilities["E"] is None and found.probabilities["readout"].shape == (180, 3)
    assert "readouts" in repr(found)


def test_a_confusion_matrix_counts_trials(trained):
    net, data = trained
    found = bs.evaluate(net, data)
    expected = np.zeros((3, 3), int)
    for label, prediction in zip(data.labels, found.predictions):
        expected[label, prediction] += 1
    np.testing.assert_array_equal(found.confusion(), expected)
    by_class = [np.mean(found.predictions[data.labels == k] == k) for k in range(3)]
    np.testing.assert_allclose(found.class_accuracy(), by_class)
    assert np.trace(found.confusion()) / len(data) == pytest.approx(found.accuracy)


def test_a_class_without_trials_has_no_accuracy():
    found = bs.Evaluation(0.1, 0.5, np.array([0, 2]), {}, labels=np.array([0, 0]))
    np.testing.assert_array_equal(found.confusion(), [[1, 0, 1], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(found.class_accuracy(), [0.5, np.nan, np.nan])


def test_confusion_says_what_is_missing(trained):
    net, data = trained
    with pytest.raises(ValueError, match="there is one loss: leave it out"):
        bs.evaluate(net, data).confusion("readout")
    target = np.zeros((len(data), 30, 3))
    found = bs.evaluate(net, data, target, loss=bs.MeanSquaredError())
    with pytest.raises(ValueError, match="no loss classifies"):
        found.confusion()
    loss = {"readout": bs.MaxOverTimeCrossEntropy()}
    found = bs.evaluate(net, data, loss=loss)
    np.testing.assert_array_equal(found.confusion("readout"), bs.evaluate(net, data).confusion())
    with pytest.raises(ValueError, match="losses that classify look at 'readout'"):
        found.confusion()


@dataclass(frozen=True)
class Smallness:
    """The mean square of the readout, which needs no target."""

    classifies = False

    def check(self, target, n_trials, steps, n_units):
        assert target is None

    def total_weight(self, shape, mask=None):
        return float(np.prod(shape))

    def value_and_gradient(self, readout, target, mask=None, total=None):
        total = total or readout.size
        return float(np.sum(readout.astype(float) ** 2) / total), 2 * readout / total

    def predict(self, readout, mask=None):
        return readout.mean(axis=(1, 2))

    def score(self, readout, target, mask=None):
        return -np.mean(readout**2, axis=(1, 2))


def test_a_loss_that_needs_no_target_gets_none(trained):
    net, data = trained
    data = unlabelled(data)
    found = bs.evaluate(net, data, loss=Smallness(), batch=70)
    readout = bs.run(net, data).states["readout.U"].astype(float)
    assert found.loss == pytest.approx(np.mean(readout**2), rel=1e-5)
    other = network(data)
    history = bs.train(other, data, epochs=4, loss=Smallness(), batch=60, progress=False)
    assert history.loss[-1] < 0.8 * history.loss[0]


def test_evaluate_without_labels_says_what_to_use(trained):
    net, data = trained
    with pytest.raises(ValueError, match=r"bs.predict needs no labels"):
        bs.evaluate(net, unlabelled(data))
