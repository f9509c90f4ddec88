"""Losses against plain formulas and central differences."""

import numpy as np
import pytest

import biosnn as bs

RNG = np.random.default_rng(0)
LABELS = np.array([2, 0, 1, 2])


def numeric(loss, x, target, mask=None):
    """Central differences of the value by every element."""
    result = np.zeros(x.shape)
    for k in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[k] += 1e-6
        down[k] -= 1e-6
        result[k] = (
            loss.value_and_gradient(up, target, mask)[0]
            - loss.value_and_gradient(down, target, mask)[0]
        ) / 2e-6
    return result


@pytest.mark.parametrize(
    "loss",
    [
        bs.FocalLoss(0),
        bs.FocalLoss(2, bs.SumOverTimeCrossEntropy()),
        bs.FocalLoss(0.5, bs.MeanOverTimeCrossEntropy()),
        bs.PatternRegression({0: [0, 1, 2], 1: [1, 1, 1], 2: [0, -1, 0]}),
        bs.TimeToFirstSpike(4.0),
    ],
    ids=str,
)
def test_gradients_by_central_differences(loss):
    x = RNG.random((4, 6, 3))
    np.testing.assert_allclose(
        loss.value_and_gradient(x, LABELS)[1], numeric(loss, x, LABELS), atol=1e-7
    )


def test_focal_loss():
    x = RNG.normal(size=(4, 6, 3))
    p = np.exp(x[:, -1]) / np.exp(x[:, -1]).sum(axis=1, keepdims=True)
    p = p[np.arange(4), LABELS]
    value, _ = bs.FocalLoss(3.0, bs.LastStepCrossEntropy()).value_and_gradient(x, LABELS)
    assert value == pytest.approx(np.mean(-((1 - p) ** 3) * np.log(p)))
    plain, slope = bs.LastStepCrossEntropy().value_and_gradient(x, LABELS)
    focal, other = bs.FocalLoss(0, bs.LastStepCrossEntropy()).value_and_gradient(x, LABELS)
    assert focal == pytest.approx(plain)
    np.testing.assert_allclose(other, slope, atol=1e-12)
    x[:, -1], x[np.arange(4), -1, LABELS] = (
        0,
        1e4,
    )  # p = 1 exactly: neither value nor gradient is NaN
    for gamma in (0.5, 1, 2):
        value, slope = bs.FocalLoss(gamma, bs.LastStepCrossEntropy()).value_and_gradient(x, LABELS)
        assert value == 0 and np.all(slope == 0)


def test_time_to_first_spike_counts_steps():
    spikes = np.zeros((1, 10, 4))
    spikes[0, [3, 7], 0] = spikes[0, [2], 1] = spikes[0, [9], 2] = 1
    loss = bs.TimeToFirstSpike(10.0)
    assert loss.latency(spikes).tolist() == [[3, 2, 9, 10]]
    logits = -np.array([3, 2, 9, 10.0])
    value, slope = loss.value_and_gradient(spikes, np.array([0]))
    assert value == pytest.approx(np.log(np.exp(logits).sum()) - logits[0])
    assert loss.predict(spikes).tolist() == [1]
    # what one more spike, or one less, does to the latency, in units of the gradient by the latency
    p = np.exp(logits) / np.exp(logits).sum()
    by_latency = -(p - [1, 0, 0, 0])
    for unit in range(4):
        for m in range(10):
            flipped = spikes.copy()
            flipped[0, m, unit] = 1 - flipped[0, m, unit]
            change = (loss.latency(flipped) - loss.latency(spikes))[0, unit] / (
                1 if flipped[0, m, unit] else -1
            )
            assert slope[0, m, unit] == pytest.approx(change * by_latency[unit])


def test_van_rossum_distance():
    dt, tau = 1e-3, 5e-3
    spikes, target = (
        (RNG.random((3, 400, 2)) < 0.02).astype(float),
        (RNG.random((3, 400, 2)) < 0.02).astype(float),
    )
    loss = bs.VanRossumDistance(tau, dt)
    expected = []
    for b in range(3):
        for i in range(2):
            v, total = 0.0, 0.0
            for n in range(400):
                v = np.exp(-dt / tau) * v + spikes[b, n, i] - target[b, n, i]
                total += v * v * dt / tau
            expected.append(total)
    value, _ = loss.value_and_gradient(spikes, target)
    assert value == pytest.approx(np.mean(expected))
    assert loss.value_and_gradient(target, target)[0] == 0
    one = np.zeros((1, 4000, 1))
    one[0, 5] = 1  # one spike against none: 1/2 in continuous time (van Rossum 2001)
    fine = bs.VanRossumDistance(tau, 1e-5)
    assert fine.value_and_gradient(one, np.zeros_like(one))[0] == pytest.approx(0.5, rel=3e-3)
    x = RNG.random((2, 8, 2))
    given = (RNG.random((2, 8, 2)) < 0.3).astype(float)
    np.testing.assert_allclose(
        loss.value_and_gradient(x, given)[1], numeric(loss, x, given), atol=1e-8
    )


def test_pattern_regression():
    patterns = {3: RNG.normal(size=(6, 2)), 7: RNG.normal(size=(6, 2))}
    loss, x, labels = (
        bs.PatternRegression(patterns),
        RNG.normal(size=(4, 6, 2)),
        np.array([7, 3, 3, 7]),
    )
    wanted = np.stack([patterns[label] for label in labels])
    mask = RNG.random((4, 6))
    value, slope = loss.value_and_gradient(x, labels, mask)
    assert value == pytest.approx(np.sum(mask[..., None] * (x - wanted) ** 2) / (2 * mask.sum()))
    np.testing.assert_allclose(slope, numeric(loss, x, labels, mask), atol=1e-8)
    assert loss.predict(wanted).tolist() == labels.tolist() and loss.score(
        wanted, labels
    ).tolist() == [1, 1, 1, 1]
    assert repr(loss) != repr(bs.PatternRegression({3: patterns[7], 7: patterns[3]}))


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: bs.FocalLoss(-1), "gamma is -1"),
        (lambda: bs.FocalLoss(1, bs.EveryStepCrossEntropy()), "over is"),
        (lambda: bs.TimeToFirstSpike(0), "sharpness is 0"),
        (lambda: bs.VanRossumDistance(-1), "tau is -1"),
        (
            lambda: bs.VanRossumDistance(1e-2).value_and_gradient(
                np.zeros((1, 3, 2)), np.zeros((1, 3, 2))
            ),
            "dt is missing",
        ),
        (lambda: bs.PatternRegression({"a": [1]}), "integer label"),
        (lambda: bs.PatternRegression({0: [1], 1: [1, 2]}), "one shape"),
        (
            lambda: bs.PatternRegression({0: [1, 2]}).check(np.array([0, 1]), 2, 5, 2),
            r"one label of \[0\]",
        ),
        (lambda: bs.PatternRegression({0: [1, 2]}).check(np.array([0, 0]), 2, 5, 3), r"\(5, 3\)"),
    ],
)
def test_messages(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_prediction_of_every_step_cross_entropy_looks_at_the_steps_of_its_mask():
    readout, loss = np.zeros((2, 5, 2)), bs.EveryStepCrossEntropy()
    readout[:, :4, 0], readout[:, 4, 1] = 3.0, 1.0  # class 0 for four steps, then class 1
    mask = np.zeros((2, 5))
    mask[0, 4], mask[1, :] = 1, 1
    assert loss.predict(readout).tolist() == [0, 0] and loss.predict(readout, mask).tolist() == [
        1,
        0,
    ]
    assert loss.score(readout, np.array([1, 1]), mask).tolist() == [1, 0]
