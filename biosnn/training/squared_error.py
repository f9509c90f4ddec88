"""Losses whose targets are traces: squared error of a readout, and of one trace for each class."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import as_array, instance, keep, reals, shown
from .masks import as_readout, full_mask, mask_sum, of_one_shape


@dataclass(frozen=True)
class MeanSquaredError:
    """Squared distance of the readout from a target trace, for regression and cognitive tasks.

    The target is (trial, step, unit). The score of a trial is the negative error.

    Notes
    -----
    L = mean over trials, steps and units of (U - target)^2; with a mask of weights (trial, step)
    or (trial, step, unit), the weighted mean.

    Examples
    --------
    >>> readout, target = np.ones((1, 2, 1)), [[[0], [1]]]
    >>> value, gradient = MeanSquaredError().value_and_gradient(readout, target)
    >>> float(value), gradient.ravel().tolist()
    (0.5, [1.0, 0.0])
    """

    classifies = False
    score_name = "negative squared error"

    def check(self, target: Any, n_trials: int, steps: int, n_units: int) -> None:
        """Raise ValueError unless the target is a finite trace for every trial, step and unit."""
        shape = None if target is None else as_array(target, "the target", "real numbers").shape
        if shape != (n_trials, steps, n_units):
            raise ValueError(
                "MeanSquaredError needs a target of shape (trial, step, unit) = "
                f"{(n_trials, steps, n_units)}; got {'none' if target is None else shape}."
            )
        try:
            reals(target, "the target", flags=True)
        except ValueError as error:
            raise ValueError(f"{error} To leave steps out, give a mask with zeros there.") from None

    def total_weight(self, shape: tuple[int, ...], mask: Any = None) -> float:
        """Return the sum of the weights of trials, steps and units, which the mean divides by."""
        return mask_sum(mask, shape)

    def value_and_gradient(
        self, readout: Any, target: Any, mask: Any = None, total: float | None = None
    ) -> tuple[float, NDArray[Any]]:
        """Return the mean loss and its derivative with respect to the readout."""
        readout, target = of_one_shape(readout, target)
        total = self.total_weight(readout.shape, mask) if total is None else total
        weight = full_mask(mask, readout.shape) / total
        error = readout.astype(np.float64) - target
        return (weight * error**2).sum(), (2 * weight * error).astype(readout.dtype)

    def predict(self, readout: Any, mask: Any = None) -> NDArray[Any]:
        """Return the readout itself."""
        return as_readout(readout)

    def score(self, readout: Any, target: Any, mask: Any = None) -> NDArray[Any]:
        """Return the negative mean squared error of each trial."""
        readout, target = of_one_shape(readout, target)
        weight = full_mask(mask, readout.shape)
        error = weight * (readout - target) ** 2
        return -error.sum(axis=(1, 2)) / np.maximum(weight.sum(axis=(1, 2)), 1e-300)


@dataclass(frozen=True, eq=False, repr=False)
class PatternRegression:
    """Squared distance of the readout from the trace of its class; the nearest trace is predicted.

    Parameters
    ----------
    patterns
        Label -> array (step, unit), or (unit,) for a trace that is constant.

    Notes
    -----
    L = mean over trials, steps and units of (U - pattern[label])^2; with a mask, the weighted mean
    as in `MeanSquaredError`.

    Examples
    --------
    >>> loss = PatternRegression({0: [1, 0], 1: [0, 1]})
    >>> loss.predict([[[0.9, 0.2], [0.8, 0.1]]])
    array([0])
    """

    patterns: dict
    labels: NDArray[Any] = field(init=False)
    stacked: NDArray[Any] = field(init=False)  # (label, step or 1, unit)

    classifies = True
    score_name = "accuracy"

    def __post_init__(self) -> None:
        what = "PatternRegression"
        instance(self.patterns, f"{what}: patterns", dict, "a dict of integer label -> pattern")
        labels = as_array(list(self.patterns), f"{what}: labels", "whole numbers")
        if not labels.size or labels.dtype.kind not in "iu" or labels.ndim > 1:
            raise ValueError(
                f"{what}: labels are {shown(list(self.patterns))}; "
                "give a dict of integer label -> pattern."
            )
        labels.sort()
        arrays = [
            np.atleast_2d(reals(self.patterns[label], f"{what}: the pattern of {label}"))
            for label in labels
        ]
        if len({a.shape for a in arrays}) > 1 or arrays[0].ndim != 2:
            raise ValueError(
                f"{what}: patterns have shapes {[a.shape for a in arrays]}; they must be finite "
                "arrays of one shape, (step, unit) or (unit,)."
            )
        keep(self, labels=labels, stacked=np.stack(arrays))

    def __repr__(self) -> str:
        digest = hashlib.sha256(self.stacked.tobytes()).hexdigest()[:16]
        shape = self.stacked.shape[1:]
        return f"PatternRegression(labels {self.labels.tolist()}, shape {shape}, {digest})"

    def check(self, target: Any, n_trials: int, steps: int, n_units: int) -> None:
        """Raise ValueError unless each trial has the label of a pattern, and patterns fit."""
        given = np.empty(0) if target is None else as_array(target, "the target", "whole numbers")
        if target is None or given.shape != (n_trials,) or not np.all(np.isin(given, self.labels)):
            got = f"{np.unique(given)[:10].tolist()} in shape {given.shape}."
            raise ValueError(
                f"PatternRegression needs one label of {self.labels.tolist()} per trial, here "
                f"{n_trials}; got {'no labels.' if target is None else got}"
            )
        if self.stacked.shape[1] not in (1, steps) or self.stacked.shape[2] != n_units:
            raise ValueError(
                f"PatternRegression: patterns have shape {self.stacked.shape[1:]}; they must be "
                f"(step, unit) = {(steps, n_units)}, or ({n_units},) for constant ones."
            )

    def total_weight(self, shape: tuple[int, ...], mask: Any = None) -> float:
        """Return the sum of the weights of trials, steps and units, which the mean divides by."""
        return mask_sum(mask, shape)

    def value_and_gradient(
        self, readout: Any, target: Any, mask: Any = None, total: float | None = None
    ) -> tuple[float, NDArray[Any]]:
        """Return the mean loss and its derivative with respect to the readout."""
        pattern = self.stacked[np.searchsorted(self.labels, target)]
        trace = np.broadcast_to(pattern, as_readout(readout).shape)
        return MeanSquaredError().value_and_gradient(readout, trace, mask, total)

    def predict(self, readout: Any, mask: Any = None) -> NDArray[Any]:
        """Return the label of the pattern that is nearest to each trial."""
        return self.labels[self._distances(readout, mask).argmin(axis=1)]

    def score(self, readout: Any, target: Any, mask: Any = None) -> NDArray[Any]:
        """Return 1 for each trial whose prediction is right, and 0 for the others."""
        return (self.predict(readout, mask) == np.asarray(target)).astype(float)

    def _distances(self, readout, mask):
        """(trial, label): the weighted squared distance from every pattern."""
        readout = as_readout(readout)
        weight = full_mask(mask, readout.shape)
        by_label = [
            (weight * (readout - pattern) ** 2).sum(axis=(1, 2)) for pattern in self.stacked
        ]
        return np.stack(by_label, axis=1)
