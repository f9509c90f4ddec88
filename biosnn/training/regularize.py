"""Regularizers: terms added to the loss that keep spike counts in bounds, or weights small."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..support.checks import choice, keep, real, several, shown, texts, whole
from .protocols import Regularizer, checked_part

Names = str | tuple[str, ...] | None


@dataclass(frozen=True)
class SpikeCount:
    """A bound on spikes per trial; `upper_bound` and `lower_bound` make one.

    Parameters
    ----------
    strength
        Factor of the term, >= 0.
    threshold
        Spikes per trial and neuron.
    bound
        "upper" or "lower".
    power
        2 (L2) or 1 (L1).
    per
        "population": the mean count of the population is bounded; "neuron": that of each neuron.
    populations
        Names of the spiking populations that it is for, whose terms are summed; None: all.

    Notes
    -----
    per="population": strength * mean_b h(mean_i count[b, i]);
    per="neuron": strength * mean_b mean_i h(count[b, i]);
    with h(c) = max(0, c - threshold)^power for an upper bound and max(0, threshold - c)^power for
    a lower one.

    Examples
    --------
    >>> term, counts = SpikeCount(1.0, 2, "upper"), np.array([[3.0, 3.0]])
    >>> value, slope = term.value_and_gradient(counts)
    >>> float(value), slope.tolist()
    (1.0, [[1.0, 1.0]])
    """

    strength: float
    threshold: float
    bound: str
    _: KW_ONLY
    power: int = 2
    per: str = "population"
    populations: Names = None

    looks_at: ClassVar[Literal["counts", "weights"]] = "counts"

    def __post_init__(self) -> None:
        what = f"{choice(self.bound, 'bound', ('upper', 'lower'))} bound"
        _keep_strength(self, what)
        keep(
            self,
            threshold=real(self.threshold, f"{what}: threshold", 0, why="a number of spikes"),
            per=choice(self.per, f"{what}: per", ("population", "neuron")),
            populations=_names(self.populations, f"{what}: populations", "'E'"),
        )

    def applies_to(self, name: str) -> bool:
        """Return whether it is for the population `name`."""
        return self.populations is None or name in self.populations

    def value_and_gradient(self, values: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        """Return the term of one population's counts (trial, neuron), and its derivative."""
        n_trials, n = values.shape
        c = values.astype(np.float64)
        c = c.mean(axis=1, keepdims=True) if self.per == "population" else c
        sign = 1.0 if self.bound == "upper" else -1.0
        excess = np.maximum(0, sign * (c - self.threshold))
        slope = 2 * excess if self.power == 2 else (excess > 0).astype(float)
        value = self.strength * (excess**self.power).mean()
        return value, np.broadcast_to(sign * self.strength * slope / (n_trials * n), values.shape)


def upper_bound(
    strength: float,
    threshold: float,
    *,
    power: int = 2,
    per: str = "population",
    populations: Names = None,
) -> SpikeCount:
    """Return a regularizer that is zero while counts stay below a number of spikes per trial.

    Parameters
    ----------
    strength, threshold, power, per, populations
        As for `SpikeCount`: factor of the term, spikes per trial and neuron, 1 or 2, "population"
        or "neuron", and names or None for all.

    Returns
    -------
    A regularizer for `train` and `prime`.

    Examples
    --------
    >>> counts = np.array([[2.0, 7.0]])
    >>> upper_bound(0.1, threshold=4).value_and_gradient(counts)[0].item()
    0.025
    """
    return SpikeCount(strength, threshold, "upper", power=power, per=per, populations=populations)


def lower_bound(
    strength: float,
    threshold: float,
    *,
    power: int = 2,
    per: str = "population",
    populations: Names = None,
) -> SpikeCount:
    """Return a regularizer that is zero while counts stay above a number of spikes per trial.

    Parameters
    ----------
    strength, threshold, power, per, populations
        As for `SpikeCount`: factor of the term, spikes per trial and neuron, 1 or 2, "population"
        or "neuron", and names or None for all.

    Returns
    -------
    A regularizer for `train` and `prime`.

    Examples
    --------
    >>> term, counts = (
    ...     lower_bound(0.1, threshold=4, per="neuron"),
    ...     np.array([[2.0, 7.0]]),
    ... )
    >>> term.value_and_gradient(counts)[0].item()
    0.2
    """
    return SpikeCount(strength, threshold, "lower", power=power, per=per, populations=populations)


@dataclass(frozen=True)
class WeightPenalty:
    """A penalty on the size of weights.

    Parameters
    ----------
    strength
        Factor of the term, >= 0.
    power
        2 (L2) or 1 (L1).
    projections
        Names of the projections that it is for; None: all. Frozen ones never count.

    Notes
    -----
    strength * sum |w|^power.

    Examples
    --------
    >>> WeightPenalty(0.5).value_and_gradient(np.array([1.0, -2.0]))
    (2.5, array([ 1., -2.]))
    """

    strength: float
    _: KW_ONLY
    power: int = 2
    projections: Names = None

    looks_at: ClassVar[Literal["counts", "weights"]] = "weights"

    def __post_init__(self) -> None:
        _keep_strength(self, "WeightPenalty")
        keep(self, projections=_names(self.projections, "WeightPenalty: projections", "'E->E'"))

    def applies_to(self, name: str) -> bool:
        """Return whether it is for the projection `name`."""
        return self.projections is None or name in self.projections

    def value_and_gradient(self, values: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        """Return the term of the weights of a projection, and its derivative."""
        value = self.strength * float(np.sum(np.abs(values.astype(np.float64)) ** self.power))
        gradient = np.sign(values) if self.power == 1 else 2 * values
        return value, (self.strength * gradient).astype(values.dtype)


def _keep_strength(term, what):
    """Put the checked strength and power into a regularizer."""
    keep(
        term,
        strength=real(term.strength, f"{what}: strength", 0),
        power=whole(term.power, f"{what}: power", 1, 2, why="1 is L1, 2 is L2"),
    )


def _names(names, what, example):
    """Names as a tuple, or None."""
    return None if names is None else texts(names, what, example)


def checked_regularizers(regularizers: Any, network: Network) -> tuple[Any, ...]:
    """Return regularizers as a tuple.

    Raises
    ------
    ValueError
        If one lacks a method of the protocol `Regularizer`, looks at neither counts nor weights, or
        names a population or projection that the network does not have.
    """
    regularizers = several(regularizers, "regularizers", "upper_bound(0.1, 4)")
    for term in regularizers:
        example = "upper_bound(0.1, 4) or WeightPenalty(1e-3)"
        checked_part("one of regularizers", term, Regularizer, example)
        of_counts = (
            choice(term.looks_at, f"{shown(term)}: looks_at", ("counts", "weights")) == "counts"
        )
        known = [p.name for p in (network.spiking if of_counts else network.projections)]
        named = getattr(term, "populations" if of_counts else "projections", None) or ()
        if set(named) - set(known):
            raise ValueError(
                f"regularizer for {', '.join(named)}: the network has only {', '.join(known)}."
            )
    return regularizers
