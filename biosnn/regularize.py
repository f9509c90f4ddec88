"""Regularizers: terms added to the loss that keep spike counts in bounds, or weights small."""
from dataclasses import dataclass

import numpy as np

from .units import listed


@dataclass(frozen=True)
class _Regularizer:
    def _check(self):
        if not (np.isfinite(self.strength) and self.strength >= 0):
            raise ValueError(f"{type(self).__name__}: strength is {self.strength!r}; it must be a number >= 0.")


@dataclass(frozen=True)
class SpikeCount(_Regularizer):
    """A bound on the spikes per trial of spiking populations; summed over the populations that it is for.

    per="population"   strength * mean_b  h(mean_i count[b, i])
    per="neuron"       strength * mean_b mean_i  h(count[b, i])

    with h(c) = max(0, c - threshold)^power for an upper bound and max(0, threshold - c)^power for a lower one; power 2
    (L2) or 1 (L1). populations: names, or None for all. threshold: spikes per trial and neuron.
    """
    strength: float
    threshold: float
    bound: str
    power: int = 2
    per: str = "population"
    populations: tuple | None = None

    def __post_init__(self):
        self._check()
        if not (np.isfinite(self.threshold) and self.threshold >= 0):
            raise ValueError(f"{self.bound} bound: threshold is {self.threshold!r}; it must be a number of spikes >= 0.")
        for name, allowed in (("bound", ("upper", "lower")), ("power", (1, 2)), ("per", ("population", "neuron"))):
            if getattr(self, name) not in allowed:
                raise ValueError(f"spike-count regularizer: {name} is {getattr(self, name)!r}; it must be one of {allowed}.")

    def value_and_gradient(self, counts):
        """Of one population's counts (trial, neuron): the term, and its derivative by each count."""
        n_trials, n = counts.shape
        c = counts.astype(np.float64)
        c = c.mean(axis=1, keepdims=True) if self.per == "population" else c
        sign = 1.0 if self.bound == "upper" else -1.0
        excess = np.maximum(0, sign * (c - self.threshold))
        slope = 2 * excess if self.power == 2 else (excess > 0).astype(float)
        value = self.strength * (excess ** self.power).mean()
        return value, np.broadcast_to(sign * self.strength * slope / (n_trials * n), counts.shape)

    def applies_to(self, population):
        return self.populations is None or population in self.populations


def upper_bound(strength, threshold, power=2, per="population", populations=None):
    """SpikeCount that is zero while counts stay below `threshold` spikes per trial."""
    return SpikeCount(strength, threshold, "upper", power, per, _names(populations))


def lower_bound(strength, threshold, power=2, per="population", populations=None):
    """SpikeCount that is zero while counts stay above `threshold` spikes per trial."""
    return SpikeCount(strength, threshold, "lower", power, per, _names(populations))


@dataclass(frozen=True)
class WeightPenalty(_Regularizer):
    """strength * sum |w|^power over the projections that it is for: L1 (power 1) or L2 (power 2)."""
    strength: float
    power: int = 2
    projections: tuple | None = None

    def __post_init__(self):
        object.__setattr__(self, "projections", _names(self.projections))
        self._check()
        if self.power not in (1, 2):
            raise ValueError(f"WeightPenalty: power is {self.power!r}; it must be 1 (L1) or 2 (L2).")

    def value_and_gradient(self, weight):
        """Of a weight array: the term and its derivative."""
        value = self.strength * float(np.sum(np.abs(weight.astype(np.float64)) ** self.power))
        gradient = np.sign(weight) if self.power == 1 else 2 * weight
        return value, (self.strength * gradient).astype(weight.dtype)

    def applies_to(self, projection):
        return self.projections is None or projection in self.projections


def _names(names):
    return names if names is None else ((names,) if isinstance(names, str) else tuple(names))


def checked_regularizers(regularizers, network):
    """They as a tuple; ValueError for what is none, or names what the network has not."""
    regularizers = listed(regularizers, "regularizers", "upper_bound(0.1, 4)")
    for term in regularizers:
        known = [p.name for p in network.spiking] if isinstance(term, SpikeCount) else [p.name for p in network.projections]
        named = term.populations if isinstance(term, SpikeCount) else getattr(term, "projections", None)
        if not isinstance(term, (SpikeCount, WeightPenalty)):
            raise ValueError(f"{term!r} is not a regularizer; use upper_bound, lower_bound or WeightPenalty.")
        if set(named or ()) - set(known):
            raise ValueError(f"regularizer for {', '.join(named)}: the network has only {', '.join(known)}.")
    return regularizers
