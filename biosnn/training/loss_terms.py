"""What training minimizes beside regularizers: losses on readouts, or on the spikes of populations, and their sum."""

from dataclasses import dataclass

import numpy as np

from ..engine.layouts import dense_spikes
from ..kernels import arrays
from ..support.checks import as_array, real, reals, shown
from .loss import _CrossEntropy


@dataclass(frozen=True)
class Head:
    """A loss, the readout or spiking population that it looks at, and its weight in the sum."""

    name: str
    loss: object
    weight: float
    spikes: bool

    def seen(self, packed, recording, columns):
        """What the loss looks at, (trial, step, unit)."""
        return (
            dense_spikes(packed, recording, self.name)
            if self.spikes
            else recording.states[..., columns[f"{self.name}.U"]]
        )

    def assess(self, seen, target, mask, total=None):
        """(value, gradient by what was seen, score of each trial, NaN where a mask leaves nothing of it)."""
        value, slope, score = self._assess(seen, target, mask, total)
        if mask is not None:  # a trial of which nothing counts is neither right nor wrong
            score = np.where(np.any(np.reshape(mask, (len(mask), -1)), axis=1), score, np.nan)
        return value, slope, score

    def _assess(self, seen, target, mask, total):
        kind = type(self.loss)
        if (getattr(kind, "value_and_gradient", None), getattr(kind, "score", None)) == (
            _CrossEntropy.value_and_gradient,
            _CrossEntropy.score,
        ):
            return self.loss.assess(
                seen, target, mask, total
            )  # not where a class of a user's has its own
        return *self.loss.value_and_gradient(seen, target, mask, total), self.loss.score(
            seen, target, mask
        )


def make_heads(network, loss, readout):
    """Heads of a training: none where `loss` is None, one, or one for each entry of a dict name -> loss or (loss, weight)."""
    if loss is None:
        return ()
    if not isinstance(loss, dict):
        return (_head(network, _only_readout(network) if readout is None else readout, loss),)
    if readout is not None:
        raise ValueError(
            f"readout is {shown(readout)}, but loss is a dict of readouts already; leave readout out."
        )
    for name, each in loss.items():
        if isinstance(each, tuple) and len(each) != 2:
            raise ValueError(
                f"the loss of {shown(name)} is {shown(each)}; it must be a loss, or a pair (loss, weight)."
            )
    return tuple(
        _head(network, name, *(each if isinstance(each, tuple) else (each,)))
        for name, each in loss.items()
    )


def _only_readout(network):
    names = [p.name for p in network.readouts]
    if len(names) != 1:
        raise _unknown(network, None)
    return names[0]


def _unknown(network, name):
    names = [p.name for p in network.readouts]
    return ValueError(
        f"readout is {shown(name)}; the network has "
        + (", ".join(map(repr, names)) or "none")
        + ". The loss needs one: net.readout(n_classes), or a spiking population."
    )


def _head(network, name, loss, weight=1.0):
    kinds = {p.name: p.kind for p in network.readouts + network.firing}
    if not isinstance(name, str) or name not in kinds:
        raise _unknown(network, name)
    missing = [
        method
        for method in ("value_and_gradient", "check", "total_weight", "predict", "score")
        if not hasattr(loss, method)
    ]
    if missing or isinstance(loss, type):
        raise ValueError(
            f"loss is {shown(loss)}; it must be a description such as MaxOverTimeCrossEntropy(), or a dict of them by readout."
            + (f" One of your own needs {', '.join(missing)}." if 0 < len(missing) < 5 else "")
        )
    spikes = kinds[name] != "readout"
    if getattr(loss, "needs_spikes", False) and not spikes:
        raise ValueError(
            f"{type(loss).__name__} looks at spikes, and {name!r} is a readout: give readout=… the name of a spiking "
            "population."
        )
    weight = real(weight, f"the weight of the loss of {name!r}", 0)
    return Head(
        name, loss.for_step(network.dt) if hasattr(loss, "for_step") else loss, weight, spikes
    )


def make_targets(heads, network, labels, targets, mask, n_trials, steps):
    """((target, mask), …) of all trials for every head, checked. A dict gives one for each; else all share."""
    result = []
    for head in heads:
        target = _of(targets, head, heads, "targets")
        target = labels if target is None else getattr(head.loss, "as_target", _as_target)(target)
        head.loss.check(target, n_trials, steps, network[head.name].n)
        weights = _of(mask, head, heads, "mask")
        weights = None if weights is None else reals(weights, "mask", flags=True)
        if weights is not None and weights.shape[:2] != (n_trials, steps):
            raise ValueError(
                f"mask has shape {weights.shape}; it must begin with (trial, step) = {(n_trials, steps)}."
            )
        if weights is not None and not getattr(head.loss, "takes_mask", True):
            raise ValueError(
                f"{type(head.loss).__name__} takes no mask: it looks at whole trials. Losses with masks are EveryStepCrossEntropy, "
                "MeanSquaredError and PatternRegression; with several losses, give a dict of masks by readout."
            )
        head.loss.total_weight(
            (n_trials, steps, network[head.name].n), weights
        )  # ValueError if no step of any trial counts
        result.append((target, weights))
    return tuple(result)


def _as_target(target):
    return as_array(target, "targets")


def _of(given, head, heads, what):
    if not isinstance(given, dict):
        return given
    if unknown := set(given) - {h.name for h in heads}:
        raise ValueError(
            f"{what} for {', '.join(map(str, unknown))}: losses look at {', '.join(h.name for h in heads)}."
        )
    return given.get(head.name)


def select(given, rows):
    """Targets and masks of some trials."""
    return tuple((target[rows], None if mask is None else mask[rows]) for target, mask in given)


def total_weights(heads, network, given, n_trials, steps):
    """What the means over a batch divide by; 1 where no step of it counts, so that its loss is 0."""
    return [
        1.0
        if mask is not None and not np.any(mask)
        else head.loss.total_weight((n_trials, steps, network[head.name].n), mask)
        for head, (_, mask) in zip(heads, given)
    ]


def value_and_gradient(heads, packed, recording, columns, given, totals=None):
    """(value, score of each trial, gradient by states {name: …}, by spikes {name: …}) of some recorded trials."""
    value, scores, by_state, by_spike = 0.0, [], {}, {}
    for k, (head, (target, mask)) in enumerate(zip(heads, given)):
        seen = head.seen(packed, recording, columns)
        part, slope, score = head.assess(seen, target, mask, None if totals is None else totals[k])
        value += head.weight * part
        (by_spike if head.spikes else by_state)[head.name] = (
            slope if head.weight == 1 else slope * seen.dtype.type(head.weight)
        )
        scores.append(score)
    return value, joint_score(heads, scores), by_state, by_spike


def joint_score(heads, scores):
    """One score of several heads for each trial: the mean of those that classify, or else the weighted sum; NaN without heads."""
    if not heads:
        return np.nan
    classify = [score for head, score in zip(heads, scores) if head.loss.classifies]
    return (
        np.mean(classify, axis=0)
        if classify
        else sum(head.weight * score for head, score in zip(heads, scores))
    )


def mean_of_finite(scores):
    """The mean score of the trials that have one."""
    scores = scores[np.isfinite(scores)]
    return float(scores.mean()) if scores.size else np.nan


def loss_gradient(packed, layout, by_state, by_spike, by_count, steps, window):
    """arrays.LossGradient from derivatives by name. layout: columns of the states."""
    n_trials, dtype = len(by_count), packed.network.dtype
    states = np.empty((n_trials, steps if layout.width else 0, layout.width), dtype)
    spikes = np.zeros((n_trials, steps if by_spike else 0, packed.n_spiking), dtype)
    for name, slope in by_state.items():
        states[..., layout.columns[f"{name}.U"]] = slope
    for name, slope in by_spike.items():
        spikes[..., packed.neurons(name)] = slope
    return arrays.LossGradient(layout.blocks, states, spikes, by_count, window)
