"""Constraints that weights obey after each optimizer step, besides their signs (network/dale.py).

Where they are applied, and Dale's law with them: update.py.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..support.checks import keep, real, several, texts
from .protocols import Constraint, checked_part


@dataclass(frozen=True)
class WeightConstraint:
    """Bounds on weights, and on the norm of the weights onto each neuron.

    Parameters
    ----------
    low, high
        Weights outside of low … high are set to the nearer bound.
    norm
        Largest Euclidean norm of the weights of a projection onto one neuron, > 0; longer vectors
        are scaled down to it. For shared weights it is the norm of the kernels of a filter, or of
        the one tied weight.
    projections
        Names of the projections that it is for; None: all.

    Notes
    -----
    low <= w <= high, then sqrt(sum_j w_ji^2) <= norm for each target neuron i. The sign of Dale's
    law holds anyway.

    Examples
    --------
    >>> weights = np.array([[3.0, 0.1], [4.0, 0.2]])
    >>> WeightConstraint(norm=1.0).apply(weights, None)
    >>> weights
    array([[0.6, 0.1],
           [0.8, 0.2]])
    """

    low: float = -np.inf
    high: float = np.inf
    _: KW_ONLY
    norm: float = np.inf
    projections: str | tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        what = "WeightConstraint"
        why = "infinity stands for no bound"
        keep(
            self,
            low=real(self.low, f"{what}: low", infinite=True),
            high=real(self.high, f"{what}: high", infinite=True),
            norm=real(self.norm, f"{what}: norm", above=0, infinite=True, why=why),
        )
        if not self.low <= self.high:
            raise ValueError(
                f"{what}: low {self.low!r} and high {self.high!r} must be ascending numbers."
            )
        if self.norm < np.inf and (self.low > 0 or self.high < 0):
            raise ValueError(
                f"{what}: scaling weights down to the norm {self.norm!r} takes them out of "
                f"low .. high = {self.low!r} .. {self.high!r}, which must contain 0."
            )
        if self.projections is not None:
            keep(self, projections=texts(self.projections, f"{what}: projections", "'E->E'"))

    def applies_to(self, projection: str) -> bool:
        """Return whether it is for the projection."""
        return self.projections is None or projection in self.projections

    def apply(self, weights: NDArray[Any], synapses: Any) -> None:
        """Change the weights of a projection in place.

        Parameters
        ----------
        weights
            (pre, post), or those of a sparse projection as the network stores them.
        synapses
            Its `Synapses`, or None if it is dense.
        """
        if self.low > -np.inf or self.high < np.inf:
            np.clip(weights, self.low, self.high, out=weights)
        if self.norm == np.inf:
            return
        squares = np.square(weights, dtype=float)
        if synapses is None:
            weights *= self._scale(squares.sum(axis=0))
        elif synapses.shares_weights:
            axes = tuple(range(1, weights.ndim))
            weights *= self._scale(squares.sum(axis=axes, keepdims=True))
        elif weights.ndim:
            of_synapses = synapses.weight_of_each(squares)
            scale = self._scale(np.bincount(synapses.target, of_synapses, synapses.n_post))
            weights *= synapses.in_order_of_weights(scale[synapses.target])
        else:  # one number for all synapses
            most = np.bincount(synapses.target, minlength=synapses.n_post).max(initial=0)
            weights *= self._scale(squares * most)

    def _scale(self, squares):
        """What weights with these sums of squares are multiplied by."""
        return np.minimum(1.0, self.norm / np.sqrt(np.maximum(squares, 1e-300)))


def checked_constraints(constraints: Any, network: Network) -> tuple[Any, ...]:
    """Return constraints as a tuple.

    Raises
    ------
    ValueError
        If one lacks a method of the protocol `Constraint`, names a projection that the network does
        not have, or contradicts Dale's law.
    """
    known = [p.name for p in network.projections]
    constraints = several(constraints, "constraints", "WeightConstraint(high=1.0)")
    for constraint in constraints:
        checked_part("one of constraints", constraint, Constraint, "WeightConstraint(norm=1.0)")
        named = getattr(constraint, "projections", None) or ()
        if set(named) - set(known):
            raise ValueError(
                f"{type(constraint).__name__} for {', '.join(named)}: the network has only "
                f"{', '.join(known)}."
            )
        if isinstance(constraint, WeightConstraint) and constraint.high < 0:
            _refuse_negative(constraint, network)
    return constraints


def _refuse_negative(constraint, network):
    """ValueError if weights that Dale's law keeps non-negative were to be below 0."""
    positive = [
        p.name for p in network.projections if p.non_negative and constraint.applies_to(p.name)
    ]
    if positive:
        raise ValueError(
            f"WeightConstraint: high is {constraint.high:g}, but the weights of "
            f"{', '.join(map(repr, positive))} are >= 0 by Dale's law."
        )
