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

from ..support.checks import keep, real, shown
from .classification import CrossEntropy, log_softmax, reduced, softmax_cross_entropy
from .masks import as_readout, counted, full_mask, mask_sum


def _spread_evenly(readout, gradient, mask):
    """A derivative (trial, unit) for every step that counts, and 0 for the others."""
    everywhere = np.broadcast_to(gradient[:, None], readout.shape)
    if mask is not None:
        everywhere = np.where(mask[..., None], everywhere, 0)
    return everywhere.astype(readout.dtype)


@dataclass(frozen=True, repr=False)
class MaxOverTimeCrossEntropy(CrossEntropy):
    """Cross-entropy of the maximum of the readout over time.

    Parameters
    ----------
    class_weights
        (classes,) weight w >= 0 of the trials of each class. None: all count the same.

    Notes
    -----
    L = mean_b -w_b log softmax(max_n U[b, n, :])[label_b]. The gradient flows to the step of each
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


@dataclass(frozen=True, repr=False)
class SumOverTimeCrossEntropy(CrossEntropy):
    """Cross-entropy of the sum of the readout over time.

    Parameters
    ----------
    class_weights
        (classes,) weight w >= 0 of the trials of each class. None: all count the same.

    Notes
    -----
    L = mean_b -w_b log softmax(sum_n U[b, n, :])[label_b].

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


@dataclass(frozen=True, repr=False)
class MeanOverTimeCrossEntropy(CrossEntropy):
    """Cross-entropy of the mean of the readout over time.

    Parameters
    ----------
    class_weights
        (classes,) weight w >= 0 of the trials of each class. None: all count the same.

    Notes
    -----
    L = mean_b -w_b log softmax(mean_n U[b, n, :])[label_b].

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


@dataclass(frozen=True, repr=False)
class LastStepCrossEntropy(CrossEntropy):
    """Cross-entropy of the readout at the last step.

    Parameters
    ----------
    class_weights
        (classes,) weight w >= 0 of the trials of each class. None: all count the same.

    Notes
    -----
    L = mean_b -w_b log softmax(U[b, T_b - 1, :])[label_b], with T_b steps in trial b.

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


@dataclass(frozen=True, repr=False)
class EveryStepCrossEntropy(CrossEntropy):
    """Cross-entropy of the readout at every step, or at those that a mask selects.

    Parameters
    ----------
    class_weights
        (classes,) weight w >= 0 of the trials of each class. None: all count the same.

    Notes
    -----
    L = mean over trials and steps of -w_b log softmax(U[b, n, :])[label_b]; with a mask
    (trial, step) of weights, the weighted mean. The prediction is the class of the largest
    log-probability, summed over steps with the same weights.

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
        logarithms, softmax = log_softmax(readout)
        right = self._most_likely(logarithms, weight) == labels
        at_every_step = np.broadcast_to(labels[:, None], readout.shape[:2])
        value, gradient = softmax_cross_entropy(logarithms, softmax, at_every_step)
        if self.class_weights is not None:
            weight = self.weight_of_each(at_every_step) * weight
        slope = (gradient * (weight / total)[..., None]).astype(readout.dtype)
        return (value * weight).sum() / total, slope, right.astype(float)

    def _most_likely(self, logarithms, weight):
        """The class of the largest log-probability over all steps that count."""
        return (weight[..., None] * logarithms).sum(axis=1).argmax(axis=-1)

    def probabilities(self, readout: Any, mask: Any = None) -> NDArray[np.float64]:
        """Return the probability of each class, (trial, class).

        It is proportional to the geometric mean of the probabilities at the steps, with the same
        weights as in the loss. A trial without such a step has equal probabilities.
        """
        readout = as_readout(readout)
        weight = full_mask(mask, readout.shape[:2])
        share = weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)
        return log_softmax((share[..., None] * log_softmax(readout)[0]).sum(axis=1))[1]

    def predict(self, readout: Any, mask: Any = None) -> NDArray[Any]:
        """Return the class of each trial."""
        readout = as_readout(readout)
        return self._most_likely(log_softmax(readout)[0], full_mask(mask, readout.shape[:2]))


@dataclass(frozen=True, repr=False)
class FocalLoss(CrossEntropy):
    """Cross-entropy in which trials that are right already count less.

    Parameters
    ----------
    gamma
        How much less, >= 0; 0 is the cross-entropy itself.
    over
        The cross-entropy that reduces the readout to logits: of the maximum, sum, mean or last
        step.
    class_weights
        (classes,) weight w >= 0 of the trials of each class. None: all count the same.

    Notes
    -----
    L = mean_b -w_b (1 - p_b)^gamma log p_b, with p_b = softmax(logits)[label_b].

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
        super().__post_init__()
        keep(self, gamma=real(self.gamma, "FocalLoss: gamma", 0))
        reduces = hasattr(self.over, "spread") and type(self.over) is not EveryStepCrossEntropy
        if isinstance(self.over, type) or not reduces or getattr(self.over, "needs_spikes", False):
            raise ValueError(
                f"FocalLoss: over is {shown(self.over)}; it must be a cross-entropy of one vector "
                "of logits for each trial, such as MaxOverTimeCrossEntropy()."
            )
        if self.over.class_weights is not None:
            raise ValueError(
                "FocalLoss: over has class_weights, which would be ignored; give them to FocalLoss "
                "itself."
            )

    def reduce(self, readout: NDArray[Any], mask: Any = None) -> tuple[NDArray[Any], Any]:
        """Return the logits of `over`."""
        return reduced(self.over, readout, mask)

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
