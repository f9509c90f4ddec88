"""What the losses that classify share: from logits to values, probabilities and scores."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import as_array, keep, reals, refuse, shown, wholes
from .masks import as_readout


def log_softmax(logits: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (log softmax, softmax) over the last axis, in double precision."""
    shifted = logits - logits.max(axis=-1, keepdims=True).astype(np.float64)
    exponentials = np.exp(shifted)
    total = exponentials.sum(axis=-1, keepdims=True)
    return shifted - np.log(total), exponentials / total


def softmax_cross_entropy(
    logarithms: NDArray[Any], softmax: NDArray[Any], labels: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return -log softmax(logits)[label]; its derivative for the logits overwrites `softmax`.

    Examples
    --------
    >>> value, slope = softmax_cross_entropy(
    ...     *log_softmax(np.zeros((1, 2))), np.array([0])
    ... )
    >>> value.round(3), slope
    (array([0.693]), array([[-0.5,  0.5]]))
    """
    at = (*np.indices(labels.shape, sparse=True), labels)
    softmax[at] -= 1
    return -logarithms[at], softmax


def balanced_class_weights(labels: Any) -> NDArray[np.float64]:
    """Return class weights with which every class counts as much as any other.

    Parameters
    ----------
    labels
        (trials,) class of each training trial, 0 … classes - 1; every class must occur.

    Returns
    -------
    (classes,) trials / (classes · trials of that class), for the `class_weights` of a loss. Their
    mean over the trials is 1.

    Raises
    ------
    ValueError
        If labels are not whole numbers from 0 on, or a class between them has no trial.

    Examples
    --------
    >>> import biosnn as bs
    >>> bs.balanced_class_weights([0, 0, 0, 1])
    array([0.66666667, 2.        ])
    """
    labels = wholes(labels, "labels")
    if labels.ndim != 1 or not labels.size or labels.min() < 0:
        raise ValueError(
            f"labels have shape {labels.shape}; they must be (trials,) classes 0, 1, …, at least "
            "one."
        )
    counts = np.bincount(labels)
    if absent := np.flatnonzero(counts == 0).tolist():
        raise ValueError(
            f"no trial has the label {', '.join(map(str, absent))}, so its weight would be "
            "infinite: give the weights as a list, or renumber the classes."
        )
    return labels.size / (counts.size * counts)


@dataclass(frozen=True, repr=False)
class CrossEntropy:
    """Base of the losses that classify: subclasses reduce the readout over time to logits.

    A mask (trial, step) says which steps belong to each trial, where trials end at different times.
    """

    _: KW_ONLY
    class_weights: Any = None

    classifies = True
    takes_mask = False
    takes_ends = True
    score_name = "accuracy"

    def __post_init__(self) -> None:
        if self.class_weights is None:
            return
        name = f"{type(self).__name__}: class_weights"
        if isinstance(self.class_weights, (str, Mapping)):
            such = "such as bs.balanced_class_weights(train.labels)"
            refuse(name, self.class_weights, f"a list of numbers, one for each class, {such}")
        weights = reals(self.class_weights, name, 0, shape=(None,))
        if not weights.sum() > 0:
            raise ValueError(f"{name} are {shown(self.class_weights)}; at least one must be > 0.")
        keep(self, class_weights=tuple(weights.tolist()))

    def __repr__(self) -> str:
        """The numbers that are not left out; a checkpoint compares them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.class_weights is None:
            del values["class_weights"]
        inner = ", ".join(f"{name}={value!r}" for name, value in values.items())
        return f"{type(self).__name__}({inner})"

    def weight_of_each(self, labels: NDArray[Any]) -> Any:
        """Return the weight of every trial, from that of its class."""
        return 1.0 if self.class_weights is None else np.array(self.class_weights)[labels]

    def check(self, target: Any, n_trials: int, steps: int, n_units: int) -> None:
        """Raise ValueError unless the target is one class 0 … n_units - 1 per trial."""
        what = f"{type(self).__name__} needs one integer label per trial; got "
        if target is None:
            raise ValueError(f"{what}no labels for {n_trials} trials. bs.predict needs no labels.")
        target = as_array(target, "the target", "whole numbers")
        if target.shape != (n_trials,) or target.dtype.kind not in "iu":
            raise ValueError(f"{what}{target.dtype} of shape {target.shape} for {n_trials} trials.")
        if n_trials and (np.min(target) < 0 or np.max(target) >= n_units):
            raise ValueError(
                f"labels run from {np.min(target)} to {np.max(target)}, but the readout has "
                f"{n_units} units: classes must lie in 0 .. {n_units - 1}."
            )
        if self.class_weights is not None and len(self.class_weights) != n_units:
            raise ValueError(
                f"{type(self).__name__}: there are {len(self.class_weights)} class_weights, but "
                f"the readout has {n_units} units; give one for each class."
            )

    def reduce(self, readout: NDArray[Any], mask: Any = None) -> tuple[NDArray[Any], Any]:
        """Return logits (trial, unit), and what `spread` needs to know of the readout."""
        raise NotImplementedError(f"{type(self).__name__} has no reduce()")

    def spread(self, readout: NDArray[Any], gradient: NDArray[Any], where: Any) -> NDArray[Any]:
        """Return the derivative with respect to the readout: the adjoint of `reduce`."""
        raise NotImplementedError(f"{type(self).__name__} has no spread()")

    def of_logits(self, logits: NDArray[Any], labels: NDArray[Any]) -> tuple[Any, Any]:
        """Return the value of each trial, and its derivative with respect to the logits."""
        logarithms, softmax = log_softmax(logits)
        return softmax_cross_entropy(logarithms, softmax, labels)

    def total_weight(self, shape: tuple[int, ...], mask: Any = None) -> float:
        """Return the number of trials, which the mean divides by."""
        return float(shape[0])

    def assess(
        self, readout: NDArray[Any], target: Any, mask: Any = None, total: float | None = None
    ) -> tuple[float, NDArray[Any], NDArray[Any]]:
        """Return value, gradient and the score of each trial, from one reduction over time."""
        total = self.total_weight(readout.shape, mask) if total is None else total
        labels = np.asarray(target)
        logits, where = reduced(self, readout, mask)
        value, gradient = self.of_logits(logits, labels)
        right = (logits.argmax(axis=-1) == labels).astype(float)
        if self.class_weights is not None:
            weight = self.weight_of_each(labels)
            value, gradient = weight * value, weight[:, None] * gradient
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
        return reduced(self, as_readout(readout), mask)[0].argmax(axis=-1)

    def probabilities(self, readout: Any, mask: Any = None) -> NDArray[np.float64]:
        """Return the probability of each class, (trial, class): the softmax of the logits."""
        return log_softmax(reduced(self, as_readout(readout), mask)[0])[1]

    def score(self, readout: Any, target: Any, mask: Any = None) -> NDArray[Any]:
        """Return 1 for each trial whose prediction is right, and 0 for the others."""
        self.check(target, *as_readout(readout).shape)
        return (self.predict(readout, mask) == np.asarray(target)).astype(float)


def reduced(loss: Any, readout: NDArray[Any], mask: Any) -> tuple[NDArray[Any], Any]:
    """Return what `loss.reduce` returns; one of a user need not know of masks."""
    return loss.reduce(readout) if mask is None else loss.reduce(readout, mask)
