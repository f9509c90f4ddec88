"""Regularizers: terms added to the loss that keep spike counts in bounds, or weights small."""

from dataclasses import dataclass

import numpy as np

from ..support.checks import choice, keep, real, several, shown, texts, whole


@dataclass(frozen=True)
class _Regularizer:
    def _check(self, what):
        keep(
            self,
            strength=real(self.strength, f"{what}: strength", 0),
            power=whole(self.power, f"{what}: power", 1, 2, why="1 is L1, 2 is L2"),
        )


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
        what = f"{choice(self.bound, 'bound', ('upper', 'lower'))} bound"
        self._check(what)
        keep(
            self,
            threshold=real(self.threshold, f"{what}: threshold", 0, why="a number of spikes"),
            per=choice(self.per, f"{what}: per", ("population", "neuron")),
            populations=_names(self.populations, f"{what}: populations", "'E'"),
        )

    def value_and_gradient(self, counts):
        """Of one population's counts (trial, neuron): the term, and its derivative by each count."""
        n_trials, n = counts.shape
        c = counts.astype(np.float64)
        c = c.mean(axis=1, keepdims=True) if self.per == "population" else c
        sign = 1.0 if self.bound == "upper" else -1.0
        excess = np.maximum(0, sign * (c - self.threshold))
        slope = 2 * excess if self.power == 2 else (excess > 0).astype(float)
        value = self.strength * (excess**self.power).mean()
        return value, np.broadcast_to(sign * self.strength * slope / (n_trials * n), counts.shape)

    def applies_to(self, population):
        return self.populations is None or population in self.populations


def upper_bound(strength, threshold, power=2, per="population", populations=None):
    """SpikeCount that is zero while counts stay below `threshold` spikes per trial."""
    return SpikeCount(strength, threshold, "upper", power, per, populations)


def lower_bound(strength, threshold, power=2, per="population", populations=None):
    """SpikeCount that is zero while counts stay above `threshold` spikes per trial."""
    return SpikeCount(strength, threshold, "lower", power, per, populations)


@dataclass(frozen=True)
class WeightPenalty(_Regularizer):
    """strength * sum |w|^power over the projections that it is for: L1 (power 1) or L2 (power 2)."""

    strength: float
    power: int = 2
    projections: tuple | None = None

    def __post_init__(self):
        self._check("WeightPenalty")
        keep(self, projections=_names(self.projections, "WeightPenalty: projections", "'E->E'"))

    def value_and_gradient(self, weight):
        """Of a weight array: the term and its derivative."""
        value = self.strength * float(np.sum(np.abs(weight.astype(np.float64)) ** self.power))
        gradient = np.sign(weight) if self.power == 1 else 2 * weight
        return value, (self.strength * gradient).astype(weight.dtype)

    def applies_to(self, projection):
        return self.projections is None or projection in self.projections


def _names(names, what, example):
    return None if names is None else texts(names, what, example)


def checked_regularizers(regularizers, network):
    """They as a tuple; ValueError for what is none, or names what the network has not."""
    regularizers = several(regularizers, "regularizers", "upper_bound(0.1, 4)")
    for term in regularizers:
        if not isinstance(term, (SpikeCount, WeightPenalty)):
            raise ValueError(
                f"{shown(term)} is not a regularizer; use upper_bound, lower_bound or WeightPenalty."
            )
        known, named = (
            (network.spiking, term.populations)
            if isinstance(term, SpikeCount)
            else (network.projections, term.projections)
        )
        known = [p.name for p in known]
        if set(named or ()) - set(known):
            raise ValueError(
                f"regularizer for {', '.join(named)}: the network has only {', '.join(known)}."
            )
    return regularizers
