"""Optimizers and schedules against slow references."""

import numpy as np
import pytest

import biosnn as bs


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
        (bs.AdamW(0.01, weight_decay=0.1), lambda w, g: naive_adam(w, g, 0.01, decay=0.1)),
        (bs.SMORMS3(0.01), lambda w, g: naive_smorms3(w, g, 0.01)),
        (bs.SGD(0.01, momentum=0.9), lambda w, g: naive_momentum(w, g, 0.01)),
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
    """A gradient whose square is infinite in single precision: no zero step hides it."""
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
