"""Constraints that weights obey after every optimizer step, beside their signs (dale.py)."""

from dataclasses import dataclass

import numpy as np

from ..support.checks import keep, real, several, shown, texts


@dataclass(frozen=True)
class WeightConstraint:
    """low <= w <= high, and for every target neuron sqrt(sum w^2) over the weights of a projection onto it <= norm.

    Weights outside of the bounds are set to them; then those onto a neuron whose norm is too large are scaled down together. Shared
    weights: the norm is that of the kernels of a filter, or of the one tied weight. projections: names, or None for all. The sign
    of Dale's law holds anyway.
    """

    low: float = -np.inf
    high: float = np.inf
    norm: float = np.inf
    projections: tuple | None = None

    def __post_init__(self):
        keep(
            self,
            **{
                name: real(getattr(self, name), f"WeightConstraint: {name}", infinite=True)
                for name in ("low", "high")
            },
            norm=real(
                self.norm,
                "WeightConstraint: norm",
                above=0,
                infinite=True,
                why="infinity stands for no bound",
            ),
        )
        if not self.low <= self.high:
            raise ValueError(
                f"WeightConstraint: low {self.low!r} and high {self.high!r} must be ascending numbers."
            )
        if self.norm < np.inf and (self.low > 0 or self.high < 0):
            raise ValueError(
                f"WeightConstraint: scaling weights down to the norm {self.norm!r} takes them out of low .. high = "
                f"{self.low!r} .. {self.high!r}, which must contain 0."
            )
        if self.projections is not None:
            keep(
                self, projections=texts(self.projections, "WeightConstraint: projections", "'E->E'")
            )

    def applies_to(self, projection):
        return self.projections is None or projection in self.projections

    def apply(self, weights, synapses):
        """Change the weights of a projection in place. synapses: its Synapses, or None if it is dense."""
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
            scale = self._scale(
                np.bincount(synapses.target, synapses.weight_of_each(squares), synapses.n_post)
            )
            weights *= synapses.in_order_of_weights(scale[synapses.target])
        else:
            weights *= self._scale(
                squares * np.bincount(synapses.target, minlength=synapses.n_post).max(initial=0)
            )

    def _scale(self, squares):
        return np.minimum(1.0, self.norm / np.sqrt(np.maximum(squares, 1e-300)))


def checked_constraints(constraints, network):
    """They as a tuple; ValueError if one is of another kind or names a projection that `network` does not have."""
    known, constraints = (
        [p.name for p in network.projections],
        several(constraints, "constraints", "WeightConstraint(high=1.0)"),
    )
    for constraint in constraints:
        if not isinstance(constraint, WeightConstraint):
            raise ValueError(
                f"{shown(constraint)} is not a constraint; use WeightConstraint(low=…, high=…, norm=…)."
            )
        if set(constraint.projections or ()) - set(known):
            raise ValueError(
                f"WeightConstraint for {', '.join(constraint.projections)}: the network has only {', '.join(known)}."
            )
        positive = [
            p.name for p in network.projections if p.non_negative and constraint.applies_to(p.name)
        ]
        if constraint.high < 0 and positive:
            raise ValueError(
                f"WeightConstraint: high is {constraint.high:g}, but the weights of {', '.join(map(repr, positive))} are "
                ">= 0 by Dale's law."
            )
    return constraints
