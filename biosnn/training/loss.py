"""Losses on the readout: value, derivative and prediction side by side.

Every loss has `value_and_gradient(readout, target, mask, total)`: readout (trial, step, unit) is the readouts' U, and the
gradient has its shape. Values are means over a batch, so sums over its parts if each is given the batch's
`total_weight(shape, mask)`, which the mean divides by. `predict(readout, mask)` gives the class of each trial, and
`score(readout, target, mask)` one number per trial whose mean is the accuracy (or the negative error).

In place of a readout a loss may look at a spiking population (`train(…, readout="E")`): then `readout` is its spikes S, 0 or 1. Losses
that are made for spike times are in spike_loss.py.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from ..support.checks import as_array, instance, keep, real, reals, shown


def _softmax(logits):
    """(log softmax, softmax) over the last axis, in float64."""
    shifted = logits - logits.max(axis=-1, keepdims=True).astype(np.float64)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=-1, keepdims=True)
    return shifted - np.log(total), exponentials / total


def _softmax_cross_entropy(log_softmax, softmax, labels):
    """-log softmax(logits)[label] over the last axis, and its derivative with respect to the logits (in the place of `softmax`)."""
    at = (*np.indices(labels.shape, sparse=True), labels)
    softmax[at] -= 1
    return -log_softmax[at], softmax


@dataclass(frozen=True)
class _CrossEntropy:
    """Cross-entropy of logits that a reduction of the readout over time gives."""

    classifies = True
    takes_mask = False

    def check(self, target, n_trials, steps, n_units):
        """ValueError unless the target is one class 0 .. n_units - 1 per trial."""
        what = f"{type(self).__name__} needs one integer label per trial; got "
        if target is None:
            raise ValueError(f"{what}no labels for {n_trials} trials.")
        target = as_array(target, "the target", "whole numbers")
        if target.shape != (n_trials,) or target.dtype.kind not in "iu":
            raise ValueError(f"{what}{target.dtype} of shape {target.shape} for {n_trials} trials.")
        if n_trials and (np.min(target) < 0 or np.max(target) >= n_units):
            raise ValueError(
                f"labels run from {np.min(target)} to {np.max(target)}, but the readout has {n_units} units: "
                f"classes must lie in 0 .. {n_units - 1}."
            )

    def predict(self, readout, mask=None):
        return self.reduce(seen(readout))[0].argmax(axis=-1)

    def score(self, readout, target, mask=None):
        self.check(target, *seen(readout).shape)
        return (self.predict(readout, mask) == np.asarray(target)).astype(float)

    def total_weight(self, shape, mask=None):
        return float(shape[0])

    def of_logits(self, logits, labels):
        """(trial,) values, and their derivatives by the logits (trial, unit)."""
        return _softmax_cross_entropy(*_softmax(logits), labels)

    def assess(self, readout, target, mask=None, total=None):
        """(value, gradient, score of each trial), from one reduction over time."""
        total, labels = (
            self.total_weight(readout.shape, mask) if total is None else total,
            np.asarray(target),
        )
        logits, where = self.reduce(readout)
        value, gradient = self.of_logits(logits, labels)
        return (
            value.sum() / total,
            self.spread(readout, gradient / total, where),
            (logits.argmax(axis=-1) == labels).astype(float),
        )

    def value_and_gradient(self, readout, target, mask=None, total=None):
        readout = seen(readout)
        self.check(target, *readout.shape)
        return self.assess(readout, target, mask, total)[:2]


@dataclass(frozen=True)
class MaxOverTimeCrossEntropy(_CrossEntropy):
    """L = mean_b -log softmax(max_n U[b, n, :])[label_b]. The gradient flows to the step of each maximum."""

    def reduce(self, readout):
        where = (
            np.arange(len(readout))[:, None],
            readout.argmax(axis=1),
            np.arange(readout.shape[2]),
        )  # several times faster than max
        return readout[where], where

    def spread(self, readout, gradient, where):
        result = np.zeros_like(readout)
        result[where] = gradient
        return result


@dataclass(frozen=True)
class SumOverTimeCrossEntropy(_CrossEntropy):
    """L = mean_b -log softmax(sum_n U[b, n, :])[label_b]."""

    def reduce(self, readout):
        return readout.sum(axis=1, dtype=np.float64), None

    def spread(self, readout, gradient, where):
        return np.broadcast_to(gradient[:, None], readout.shape).astype(readout.dtype)


@dataclass(frozen=True)
class MeanOverTimeCrossEntropy(_CrossEntropy):
    """L = mean_b -log softmax(mean_n U[b, n, :])[label_b]."""

    def reduce(self, readout):
        return readout.mean(axis=1, dtype=np.float64), None

    def spread(self, readout, gradient, where):
        return np.broadcast_to(gradient[:, None] / readout.shape[1], readout.shape).astype(
            readout.dtype
        )


@dataclass(frozen=True)
class LastStepCrossEntropy(_CrossEntropy):
    """L = mean_b -log softmax(U[b, T - 1, :])[label_b]."""

    def reduce(self, readout):
        return readout[:, -1], None

    def spread(self, readout, gradient, where):
        result = np.zeros_like(readout)
        result[:, -1] = gradient
        return result


@dataclass(frozen=True)
class EveryStepCrossEntropy(_CrossEntropy):
    """L = mean over trials and steps of -log softmax(U[b, n, :])[label_b].

    With a mask (trial, step) of weights, only the steps that it selects count: a weighted mean. The prediction is the
    class of the largest log-probability, summed over steps with the same weights.
    """

    takes_mask = True

    def total_weight(self, shape, mask=None):
        return _mask_sum(mask, shape[:2])

    def assess(self, readout, target, mask=None, total=None):
        total, weight = (
            self.total_weight(readout.shape, mask) if total is None else total,
            _full(mask, readout.shape[:2]),
        )
        labels, (log_softmax, softmax) = np.asarray(target), _softmax(readout)
        right = self._most_likely(log_softmax, weight) == labels
        value, gradient = _softmax_cross_entropy(
            log_softmax, softmax, np.broadcast_to(labels[:, None], readout.shape[:2])
        )
        return (
            (value * weight).sum() / total,
            (gradient * (weight / total)[..., None]).astype(readout.dtype),
            right.astype(float),
        )

    def _most_likely(self, log_softmax, weight):
        return (weight[..., None] * log_softmax).sum(axis=1).argmax(axis=-1)

    def predict(self, readout, mask=None):
        readout = seen(readout)
        return self._most_likely(_softmax(readout)[0], _full(mask, readout.shape[:2]))


@dataclass(frozen=True)
class FocalLoss(_CrossEntropy):
    """L = mean_b -(1 - p_b)^gamma log p_b, p_b = softmax(logits)[label_b] (Lin et al. 2017, eq. 4): trials that are right count less.

    gamma   >= 0; 0 is the cross-entropy
    over    the cross-entropy that says how logits come from the readout: that of the maximum, sum, mean or last step
    """

    gamma: float = 2.0
    over: object = MaxOverTimeCrossEntropy()

    def __post_init__(self):
        keep(self, gamma=real(self.gamma, "FocalLoss: gamma", 0))
        if (
            isinstance(self.over, type)
            or not hasattr(self.over, "spread")
            or getattr(self.over, "needs_spikes", False)
        ):
            raise ValueError(
                f"FocalLoss: over is {shown(self.over)}; it must be a cross-entropy of one vector of logits for each trial, "
                "such as MaxOverTimeCrossEntropy()."
            )

    def reduce(self, readout):
        return self.over.reduce(readout)

    def spread(self, readout, gradient, where):
        return self.over.spread(readout, gradient, where)

    def of_logits(self, logits, labels):
        entropy, gradient = _softmax_cross_entropy(
            *_softmax(logits), labels
        )  # -log p, softmax - one
        rest = -np.expm1(-entropy)  # 1 - p
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.where(
                rest > 0, self.gamma * rest ** (self.gamma - 1) * np.exp(-entropy) * entropy, 0
            )
        return rest**self.gamma * entropy, (rest**self.gamma + change)[:, None] * gradient


@dataclass(frozen=True)
class MeanSquaredError:
    """L = mean over trials, steps and units of (U - target)^2, for regression and cognitive tasks.

    target: (trial, step, unit). With a mask of weights (trial, step) or (trial, step, unit), a weighted mean.
    """

    classifies = False

    def check(self, target, n_trials, steps, n_units):
        """ValueError unless the target is a finite trace for every trial, step and unit."""
        shape = None if target is None else as_array(target, "the target", "real numbers").shape
        if shape != (n_trials, steps, n_units):
            raise ValueError(
                f"MeanSquaredError needs a target of shape (trial, step, unit) = {(n_trials, steps, n_units)}; "
                f"got {'none' if target is None else shape}."
            )
        try:
            reals(target, "the target", flags=True)
        except ValueError as error:
            raise ValueError(f"{error} To leave steps out, give a mask with zeros there.") from None

    def predict(self, readout, mask=None):
        return seen(readout)

    def score(self, readout, target, mask=None):
        readout, target = together(readout, target)
        weight = _full(mask, readout.shape)
        error = weight * (readout - target) ** 2
        return -error.sum(axis=(1, 2)) / np.maximum(weight.sum(axis=(1, 2)), 1e-300)

    def total_weight(self, shape, mask=None):
        return _mask_sum(mask, shape)

    def value_and_gradient(self, readout, target, mask=None, total=None):
        readout, target = together(readout, target)
        weight = _full(mask, readout.shape) / (
            self.total_weight(readout.shape, mask) if total is None else total
        )
        error = readout.astype(np.float64) - target
        return (weight * error**2).sum(), (2 * weight * error).astype(readout.dtype)


@dataclass(frozen=True, eq=False, repr=False)
class PatternRegression:
    """L = mean over trials, steps and units of (U - pattern[label])^2: every class has a trace that the readout is to follow.

    patterns   label -> array (step, unit), or (unit,) for a constant one. With a mask of weights a weighted mean, as MeanSquaredError.
    The prediction is the label of the nearest pattern.
    """

    patterns: dict

    classifies = True

    def __post_init__(self):
        instance(
            self.patterns, "PatternRegression: patterns", dict, "a dict of integer label -> pattern"
        )
        labels = as_array(list(self.patterns), "PatternRegression: labels", "whole numbers")
        if not labels.size or labels.dtype.kind not in "iu" or labels.ndim > 1:
            raise ValueError(
                f"PatternRegression: labels are {shown(list(self.patterns))}; give a dict of integer label -> pattern."
            )
        labels.sort()
        arrays = [
            np.atleast_2d(reals(self.patterns[label], f"PatternRegression: the pattern of {label}"))
            for label in labels
        ]
        if len({a.shape for a in arrays}) > 1 or arrays[0].ndim != 2:
            raise ValueError(
                f"PatternRegression: patterns have shapes {[a.shape for a in arrays]}; they must be finite arrays of one "
                "shape, (step, unit) or (unit,)."
            )
        vars(self).update(labels=labels, stacked=np.stack(arrays))

    def __repr__(self):
        digest = hashlib.sha256(self.stacked.tobytes()).hexdigest()[:16]
        return f"PatternRegression(labels {self.labels.tolist()}, shape {self.stacked.shape[1:]}, {digest})"

    def check(self, target, n_trials, steps, n_units):
        """ValueError unless the target is a label of a pattern for every trial, and patterns fit the readout."""
        given = np.empty(0) if target is None else as_array(target, "the target", "whole numbers")
        if target is None or given.shape != (n_trials,) or not np.all(np.isin(given, self.labels)):
            raise ValueError(
                f"PatternRegression needs one label of {self.labels.tolist()} per trial, here {n_trials}; got "
                + (
                    "no labels."
                    if target is None
                    else f"{np.unique(given)[:10].tolist()} in shape {given.shape}."
                )
            )
        if self.stacked.shape[1] not in (1, steps) or self.stacked.shape[2] != n_units:
            raise ValueError(
                f"PatternRegression: patterns have shape {self.stacked.shape[1:]}; they must be (step, unit) = "
                f"{(steps, n_units)}, or ({n_units},) for constant ones."
            )

    def _wanted(self, target, readout):
        return np.broadcast_to(self.stacked[np.searchsorted(self.labels, target)], readout.shape)

    def _distances(self, readout, mask=None):
        """(trial, label): the weighted squared distance from every pattern."""
        readout = seen(readout)
        weight = _full(mask, readout.shape)
        return np.stack(
            [(weight * (readout - pattern) ** 2).sum(axis=(1, 2)) for pattern in self.stacked],
            axis=1,
        )

    def predict(self, readout, mask=None):
        return self.labels[self._distances(readout, mask).argmin(axis=1)]

    def score(self, readout, target, mask=None):
        return (self.predict(readout, mask) == np.asarray(target)).astype(float)

    def total_weight(self, shape, mask=None):
        return _mask_sum(mask, shape)

    def value_and_gradient(self, readout, target, mask=None, total=None):
        return MeanSquaredError().value_and_gradient(
            readout, self._wanted(target, readout), mask, total
        )


def seen(readout, what="readout"):
    """What a loss looks at as floats (trial, step, unit). An array that is such stays: its values are not looked at, there may be many."""
    if type(readout) is np.ndarray and readout.ndim == 3 and readout.dtype.kind == "f":
        return readout
    return reals(readout, f"{what} (trial, step, unit)", shape=(None, None, None), flags=True)


def together(readout, target):
    """Two arrays (trial, step, unit) of one shape."""
    readout, target = seen(readout), seen(target, "target")
    if readout.shape != target.shape:
        raise ValueError(
            f"readout has shape {readout.shape} and target {target.shape}; both must be (trial, step, unit)."
        )
    return readout, target


def _full(mask, shape):
    """The mask (ones without one) broadcast over units."""
    if mask is None:
        return np.ones(shape)
    mask = reals(mask, "mask", flags=True)
    if mask.shape not in (shape[: mask.ndim], shape[:2]):
        raise ValueError(
            f"mask has shape {mask.shape}; it must be (trial, step) or (trial, step, unit), here {shape}."
        )
    return np.broadcast_to(mask.reshape(mask.shape + (1,) * (len(shape) - mask.ndim)), shape)


def _mask_sum(mask, shape):
    """Sum of the weights of all trials, steps and units; ValueError if none counts."""
    weight = _full(mask, shape)
    if weight.size and weight.min() < 0 or not weight.sum() > 0:
        raise ValueError(
            "a mask holds weights >= 0 with at least one above 0; otherwise no step counts towards the loss."
        )
    return float(weight.sum())
