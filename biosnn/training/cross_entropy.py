"""Losses that classify: cross-entropy of the maximum, sum, mean, last or every step of a readout.

Values are means over a batch. A part of a batch gives its share of that mean if `total`, the
`total_weight` of the whole batch, is given. In place of a readout U a loss may look at the spikes S
of a population, 0 or 1: `train(…, readout="E")`. Losses that need spikes are in spike_loss.py,
those with traces as targets in squared_error.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import as_array, keep, real, shown
from .masks import as_readout, counted, full_mask, mask_sum


def _log_softmax(logits):
    """(log softmax, softmax) over the last axis, in double precision."""
    shifted = logits - logits.max(axis=-1, keepdims=True).astype(np.float64)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=-1, keepdims=True)
    return shifted - np.log(total), exponentials / total


def _softmax_cross_entropy(log_softmax, softmax, labels):
    """-log softmax(logits)[label]; its derivative with respect to them overwrites `softmax`."""
    at = (*np.indices(labels.shape, sparse=True), labels)
    softmax[at] -= 1
    return -log_softmax[at], softmax


@dataclass(frozen=True)
class CrossEntropy:
    """Base of the losses that classify: subclasses reduce the readout over time to logits.

    A mask (trial, step) says which steps belong to each trial, where trials end at different times.
    """

    classifies = True
    takes_mask = False
    takes_ends = True
    score_name = "accuracy"

    def check(self, target: Any, n_trials: int, steps: int, n_units: int) -> None:
        """Raise ValueError unless the target is one class 0 … n_units - 1 per trial."""
        what = f"{type(self).__name__} needs one integer label per trial; got "
        if target is None:
            raise ValueError(f"{what}no labels for {n_trials} trials.")
        target = as_array(target, "the target", "whole numbers")
        if target.shape != (n_trials,) or target.dtype.kind not in "iu":
            raise ValueError(f"{what}{target.dtype} of shape {target.shape} for {n_trials} trials.")
        if n_trials and (np.min(target) < 0 or np.max(target) >= n_units):
            raise ValueError(
                f"labels run from {np.min(target)} to {np.max(target)}, but the readout has "
                f"{n_units} units: classes must lie in 0 .. {n_units - 1}."
            )

    def reduce(self, readout: NDArray[Any], mask: Any = None) -> tuple[NDArray[Any], Any]:
        """Return logits (trial, unit), and what `spread` needs to know of the readout."""
        raise NotImplementedError(f"{type(self).__name__} has no reduce()")

    def spread(self, readout: NDArray[Any], gradient: NDArray[Any], where: Any) -> NDArray[Any]:
        """Return the derivative with respect to the readout: the adjoint of `reduce`."""
        raise NotImplementedError(f"{type(self).__name__} has no spread()")

    def of_logits(self, logits: NDArray[Any], labels: NDArray[Any]) -> tuple[Any, Any]:
        """Return the value of each trial, and its derivative with respect to the logits."""
        log_softmax, softmax = _log_softmax(logits)
        return _softmax_cross_entropy(log_softmax, softmax, labels)

    def total_weight(self, shape: tuple[int, ...], mask: Any = None) -> float:
        """Return the number of trials, which the mean divides by."""
        return float(shape[0])

    def assess(
        self, readout: NDArray[Any], target: Any, mask: Any = None, total: float | None = None
    ) -> tuple[float, NDArray[Any], NDArray[Any]]:
        """Return value, gradient and the score of each trial, from one reduction over time."""
        total = self.total_weight(readout.shape, mask) if total is None else total
        labels = np.asarray(target)
        logits, where = _reduced(self, readout, mask)
        value, gradient = self.of_logits(logits, labels)
        right = (logits.argmax(axis=-1) == labels).astype(float)
        return value.sum() / total, self.spread(readout, gradient / total, where), right

    def value_and_gradient(
        self, readout: Any, target: Any, mask: Any = None, total: float | None = None
    ) -> tuple[float, NDArray[Any]]:
        """Return the mean loss and its derivative with respect to the readout."""
        readout = as_readout(readout)
        self.check(target, *readout.shape)
        return self.assess(readout, target, mask, total)[:2]

    def predict(self, readout: Any, mask: Any = None) -> NDArray[Any]:
        """Return the class of each trial."""
        return _reduced(self, as_readout(readout), mask)[0].argmax(axis=-1)

    def score(self, readout: Any, target: Any, mask: Any = None) -> NDArray[Any]:
        """Return 1 for each trial whose prediction is right, and 0 for the others."""
        self.check(target, *as_readout(readout).shape)
        return (self.predict(readout, mask) == np.asarray(target)).astype(float)


def _reduced(loss, readout, mask):
    """What `loss.reduce` returns; losses of others need not know of masks."""
    return loss.reduce(readout) if mask is None else loss.reduce(readout, mask)


def _spread_evenly(readout, gradient, mask):
    """A derivative (trial, unit) for every step that counts, and 0 for the others."""
    everywhere = np.broadcast_to(gradient[:, None], readout.shape)
    if mask is not None:
        everywhere = np.where(mask[..., None], everywhere, 0)
    return everywhere.astype(readout.dtype)


@dataclass(frozen=True)
class MaxOverTimeCrossEntropy(CrossEntropy):
    """Cross-entropy of the maximum of the readout over time.

    Notes
    -----
    L = mean_b -log softmax(max_n U[b, n, :])[label_b]. The gradient flows to the step of each
    maximum.

    Examples
    --------
    >>> readout = np.zeros((1, 3, 2))
    >>> readout[0, 1, 0] = 2.0
    >>> loss = MaxOverTimeCrossEntropy()
    >>> value, gradient = loss.value_and_gradient(readout, [0])
    >>> round(float(value), 3), gradient[0, :, 0].round(3).tolist()
    (0.127, [0.0, -0.119, 0.0])
    """

    def reduce(self, readout: NDArray[Any], mask: Any = None) -> tuple[NDArray[Any], Any]:
        """Return the maxima, and where they are."""
        trials, units = np.arange(len(readout))[:, None], np.arange(readout.shape[2])
        seen = readout
        if mask is not None:
            seen = np.where(counted(mask, readout)[..., None], readout, readout.dtype.type(-np.inf))
        where = (trials, seen.argmax(axis=1), units)  # several times faster than max
        return readout[where], where

    def spread(self, readout: NDArray[Any], gradient: NDArray[Any], where: Any) -> NDArray[Any]:
        """Turn the derivative with respect to the logits into that with respect to the readout."""
        result = np.zeros_like(readout)
        result[where] = gradient
        return result


@dataclass(frozen=True)
class SumOverTimeCrossEntropy(CrossEntropy):
    """Cross-entropy of the sum of the readout over time.

    Notes
    -----
    L = mean_b -log softmax(sum_n U[b, n, :])[label_b].

    Examples
    --------
    >>> SumOverTimeCrossEntropy().predict([[[0.0, 0.3], [0.1, 0.0]]])
    array([1])
    """

    def reduce(self, readout: NDArray[Any], mask: Any = None) -> tuple[NDArray[Any], Any]:
        """Return the sums, and which steps they are over."""
        if mask is None:
            return readout.sum(axis=1, dtype=np.float64), None
        steps = counted(mask, readout)
        return readout.sum(axis=1, dtype=np.float64, where=steps[..., None]), steps

    def spread(self, readout: NDArray[Any], gradient: NDArray[Any], where: Any) -> NDArray[Any]:
        """Turn the derivative with respect to the logits into that with respect to the readout."""
        return _spread_evenly(readout, gradient, where)


@dataclass(frozen=True)
class MeanOverTimeCrossEntropy(CrossEntropy):
    """Cross-entropy of the mean of the readout over time.

    Notes
    -----
    L = mean_b -log softmax(mean_n U[b, n, :])[label_b].

    Examples
    --------
    >>> MeanOverTimeCrossEntropy().predict([[[0.0, 0.3], [0.1, 0.0]]])
    array([1])
    """

    def reduce(self, readout: NDArray[Any], mask: Any = None) -> tuple[NDArray[Any], Any]:
        """Return the means, and which steps they are over."""
        if mask is None:
            return readout.mean(axis=1, dtype=np.float64), None
        steps = counted(mask, readout)
        return readout.mean(axis=1, dtype=np.float64, where=steps[..., None]), steps

    def spread(self, readout: NDArray[Any], gradient: NDArray[Any], where: Any) -> NDArray[Any]:
        """Turn the derivative with respect to the logits into that with respect to the readout."""
        n_steps = readout.shape[1] if where is None else where.sum(axis=1)[:, None]
        return _spread_evenly(readout, gradient / n_steps, where)


@dataclass(frozen=True)
class LastStepCrossEntropy(CrossEntropy):
    """Cross-entropy of the readout at the last step.

    Notes
    -----
    L = mean_b -log softmax(U[b, T_b - 1, :])[label_b], with T_b steps in trial b.

    Examples
    --------
    >>> LastStepCrossEntropy().predict([[[0.0, 0.3], [0.1, 0.0]]])
    array([0])
    """

    def reduce(self, readout: NDArray[Any], mask: Any = None) -> tuple[NDArray[Any], Any]:
        """Return the last step of each trial, and which it is."""
        if mask is None:
            return readout[:, -1], -1
        last = -1 - counted(mask, readout)[:, ::-1].argmax(axis=1)
        return readout[np.arange(len(readout)), last], last

    def spread(self, readout: NDArray[Any], gradient: NDArray[Any], where: Any) -> NDArray[Any]:
        """Turn the derivative with respect to the logits into that with respect to the readout."""
        result = np.zeros_like(readout)
        result[np.arange(len(readout)), where] = gradient
        return result


@dataclass(frozen=True)
class EveryStepCrossEntropy(CrossEntropy):
    """Cross-entropy of the readout at every step, or at those that a mask selects.

    Notes
    -----
    L = mean over trials and steps of -log softmax(U[b, n, :])[label_b]; with a mask (trial, step)
    of weights, the weighted mean. The prediction is the class of the largest log-probability,
    summed over steps with the same weights.

    Examples
    --------
    >>> readout, mask = np.zeros((1, 2, 2)), [[0.0, 1.0]]
    >>> readout[0, 0, 0], readout[0, 1, 1] = 5.0, 1.0
    >>> loss = EveryStepCrossEntropy()
    >>> loss.predict(readout), loss.predict(readout, mask)
    (array([0]), array([1]))
    """

    takes_mask = True

    def total_weight(self, shape: tuple[int, ...], mask: Any = None) -> float:
        """Return the sum of the weights of trials and steps, which the mean divides by."""
        return mask_sum(mask, shape[:2])

    def assess(
        self, readout: NDArray[Any], target: Any, mask: Any = None, total: float | None = None
    ) -> tuple[float, NDArray[Any], NDArray[Any]]:
        """Return value, gradient and the score of each trial."""
        total = self.total_weight(readout.shape, mask) if total is None else total
        weight = full_mask(mask, readout.shape[:2])
        labels = np.asarray(target)
        log_softmax, softmax = _log_softmax(readout)
        right = self._most_likely(log_softmax, weight) == labels
        at_every_step = np.broadcast_to(labels[:, None], readout.shape[:2])
        value, gradient = _softmax_cross_entropy(log_softmax, softmax, at_every_step)
        slope = (gradient * (weight / total)[..., None]).astype(readout.dtype)
        return (value * weight).sum() / total, slope, right.astype(float)

    def _most_likely(self, log_softmax, weight):
        """The class of the largest log-probability over all steps that count."""
        return (weight[..., None] * log_softmax).sum(axis=1).argmax(axis=-1)

    def predict(self, readout: Any, mask: Any = None) -> NDArray[Any]:
        """Return the class of each trial."""
        readout = as_readout(readout)
        return self._most_likely(_log_softmax(readout)[0], full_mask(mask, readout.shape[:2]))


@dataclass(frozen=True)
class FocalLoss(CrossEntropy):
    """Cross-entropy in which trials that are right already count less.

    Parameters
    ----------
    gamma
        How much less, >= 0; 0 is the cross-entropy itself.
    over
        The cross-entropy that reduces the readout to logits: of the maximum, sum, mean or last
        step.

    Notes
    -----
    L = mean_b -(1 - p_b)^gamma log p_b, with p_b = softmax(logits)[label_b].

    References
    ----------
    Lin et al. (2017), Focal loss for dense object detection, eq. 4.

    Examples
    --------
    >>> readout = np.zeros((1, 3, 2))
    >>> value, _ = FocalLoss(2.0).value_and_gradient(readout, [0])
    >>> round(float(value), 4)  # a quarter of log 2
    0.1733
    """

    gamma: float = 2.0
    over: Any = MaxOverTimeCrossEntropy()

    def __post_init__(self) -> None:
        keep(self, gamma=real(self.gamma, "FocalLoss: gamma", 0))
        reduces = hasattr(self.over, "spread") and type(self.over) is not EveryStepCrossEntropy
        if isinstance(self.over, type) or not reduces or getattr(self.over, "needs_spikes", False):
            raise ValueError(
                f"FocalLoss: over is {shown(self.over)}; it must be a cross-entropy of one vector "
                "of logits for each trial, such as MaxOverTimeCrossEntropy()."
            )

    def reduce(self, readout: NDArray[Any], mask: Any = None) -> tuple[NDArray[Any], Any]:
        """Return the logits of `over`."""
        return _reduced(self.over, readout, mask)

    def spread(self, readout: NDArray[Any], gradient: NDArray[Any], where: Any) -> NDArray[Any]:
        """Turn the derivative with respect to the logits into that with respect to the readout."""
        return self.over.spread(readout, gradient, where)

    def of_logits(self, logits: NDArray[Any], labels: NDArray[Any]) -> tuple[Any, Any]:
        """Return the value of each trial, and its derivative with respect to the logits."""
        # entropy = -log p; its gradient is softmax - onehot
        entropy, gradient = super().of_logits(logits, labels)
        rest = -np.expm1(-entropy)  # 1 - p
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = self.gamma * rest ** (self.gamma - 1) * np.exp(-entropy) * entropy
            change = np.where(rest > 0, slope, 0)
        return rest**self.gamma * entropy, (rest**self.gamma + change)[:, None] * gradient
