"""What a History and an Evaluation say: scores by their names, and how they show themselves."""

import json

import numpy as np
import pytest

import biosnn as bs

NONE = np.full(3, np.nan)
CURVES = [
    np.array([2.0, 1.0, 1.5]),
    np.array([0.2, 0.5, 0.4]),
    np.zeros(3),
    np.array([2.5, 1.5, 1.25]),
    np.array([0.1, 0.3, 0.35]),
    np.full(3, 1e-3),
    np.full(3, 2.0),
]


def test_the_accuracy_is_the_score_of_a_classification():
    history = bs.History(*CURVES)
    assert history.score_name == "accuracy"
    assert history.accuracy is history.score
    assert history.validation_accuracy is history.validation_score
    assert bs.Evaluation(0.5, 0.9, None, {}).accuracy == 0.9


@pytest.mark.parametrize("name", ["accuracy", "validation_accuracy"])
def test_an_error_is_no_accuracy(name):
    history = bs.History(*CURVES, score_name="negative squared error")
    with pytest.raises(AttributeError, match="no loss classifies; the negative squared error is"):
        getattr(history, name)
    assert not hasattr(history, name)


def test_an_evaluation_of_an_error_has_no_accuracy():
    found = bs.Evaluation(0.5, -0.1, None, {}, "negative distance")
    with pytest.raises(AttributeError, match=r"the negative distance is in \.score"):
        _ = found.accuracy


def test_the_best_epoch_is_that_of_the_validation_if_there_is_one():
    assert bs.History(*CURVES).best_epoch == 2
    assert bs.History(*CURVES[:3], NONE, NONE, *CURVES[5:]).best_epoch == 1
    assert bs.History(NONE, NONE, CURVES[0], NONE, NONE, *CURVES[5:]).best_epoch == 1
    assert bs.History(*[np.empty(0)] * 7).best_epoch == -1


def test_a_history_is_json():
    found = json.loads(json.dumps(bs.History(*CURVES[:3], NONE, NONE, *CURVES[5:]).as_dict()))
    assert found["score"] == [0.2, 0.5, 0.4] and found["validation_loss"] == [None] * 3
    assert list(found) == [
        "loss",
        "score",
        "regularizer",
        "validation_loss",
        "validation_score",
        "learning_rate",
        "seconds",
    ]


def test_a_history_shows_its_first_and_best_epoch():
    lines = repr(bs.History(*CURVES, interrupted=True)).splitlines()
    assert lines[0] == "History of 3 epochs in 6 s, interrupted"
    assert lines[1].split() == [
        "epoch",
        "loss",
        "accuracy",
        *("validation", "loss"),
        *("validation", "accuracy"),
    ]
    assert [line.split() for line in lines[3:]] == [
        ["1", "2", "0.2", "2.5", "0.1"],
        ["3", "(best)", "1.5", "0.4", "1.25", "0.35"],
    ]


def test_a_history_of_errors_names_them():
    text = repr(bs.History(*CURVES, score_name="negative squared error"))
    assert "negative squared error" in text and "accuracy" not in text


def test_html_has_the_numbers_of_the_text():
    history = bs.History(*CURVES)
    assert "<td" in history._repr_html_() and ">0.35</td>" in history._repr_html_()
    found = bs.Evaluation(0.25, 0.9, np.zeros(10**5, int), {"E": 5.0})
    page = found._repr_html_()
    assert ">0.25</td>" in page and ">5</td>" in page and len(page) < 2000


def test_an_evaluation_shows_no_array():
    text = repr(bs.Evaluation(0.25, 0.9, np.zeros(10**5, int), {"E": 5.0, "I": 12.0}))
    assert text.splitlines()[:3] == ["Evaluation", "  loss      0.25", "  accuracy  0.9"]
    assert len(text.splitlines()) == 8


def test_several_losses_share_the_accuracy_of_those_that_classify():
    """One classifies and one does not: the score is the accuracy of the first."""
    net = bs.Network(2e-3)
    x = net.input(4)
    net.connect(x, net.readout(2, name="class"), weights=np.eye(4, 2))
    net.connect(x, net.readout(1, name="trace"), weights=np.ones((4, 1)))
    counts = np.zeros((2, 20, 4))
    counts[0, :, 0] = counts[1, :, 1] = 1
    spikes, target = (
        bs.SpikeTrains.from_dense(counts, 2e-3, labels=[0, 1]),
        {"trace": np.zeros((2, 20, 1))},
    )
    loss = {"class": bs.MeanOverTimeCrossEntropy(), "trace": bs.MeanSquaredError()}
    both = bs.evaluate(net, spikes, target, loss=loss)
    assert both.score_name == "accuracy" and both.accuracy == both.score == 1.0
    error = bs.evaluate(net, spikes, target, loss={"trace": bs.MeanSquaredError()})
    assert error.score_name == "negative squared error"
    assert error.score == pytest.approx(-error.loss)
