"""One step of the optimizer, and what weights obey after it: Dale's law, constraints, frozen ones.

The order: the gradient is clipped, the optimizer changes all parameters, its steps of projections
with learning rates of their own are scaled, weights are projected onto Dale's law (negative ones
become 0), constraints are applied, frozen projections get their weights back, and learned time
constants are kept above the time step.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.finite import NotFinite
from ..network import dale
from ..network.network import Network
from ..support.checks import instance, real, shown
from .constraint import checked_constraints
from .optim import clip_norm
from .parameters import Parameters
from .protocols import Optimizer, Schedule, checked_part


@dataclass(frozen=True, eq=False)
class UpdateRule:
    """How parameters change.

    Parameters
    ----------
    clip
        Largest norm of a gradient; None: any.
    factors
        Projection -> its learning rate, as a multiple of that of the optimizer.
    """

    optimizer: Any
    schedule: Any
    constraints: tuple[Any, ...] = ()
    clip: float | None = None
    factors: dict[str, float] = field(default_factory=dict)

    def rate(self, progress: float, losses: NDArray[np.float64]) -> float:
        """Return the learning rate at a share of the training, after epochs with these losses."""
        factor = self.schedule.factor(progress, losses)
        return self.optimizer.learning_rate * real(factor, f"factor of {shown(self.schedule)}")


def make_update_rule(
    network: Network,
    optimizer: Any,
    schedule: Any,
    constraints: Any,
    clip: Any,
    learning_rates: Any = None,
) -> UpdateRule:
    """Return the options of `train` that say how parameters change, checked."""
    checked_part("optimizer", optimizer, Optimizer, "Adam(5e-3)")
    checked_part("schedule", schedule, Schedule, "Cosine(0.02)")
    if clip is not None:
        clip = real(clip, "clip", above=0, why="the largest norm of a gradient")
    factors = _rate_factors(network, optimizer, learning_rates)
    return UpdateRule(optimizer, schedule, checked_constraints(constraints, network), clip, factors)


def _rate_factors(network, optimizer, rates):
    """Learning rates of projections, as multiples of that of the optimizer."""
    if rates is None:
        return {}
    instance(rates, "learning_rates", Mapping, "a dict of projection -> learning rate")
    known = [p.name for p in network.projections]
    if unknown := [str(name) for name in rates if name not in known]:
        raise ValueError(
            f"learning_rates for {', '.join(unknown)}: the network has the projections "
            f"{', '.join(known)}."
        )
    if frozen := [name for name in rates if network.projection(name).frozen]:
        raise ValueError(f"learning_rates for {', '.join(frozen)}, which is frozen.")
    if rates and not optimizer.learning_rate > 0:
        raise ValueError(
            "the learning rate of the optimizer is 0, so that no projection can have another: "
            "steps of the optimizer are scaled. Freeze the others instead."
        )
    return {
        name: real(rate, f"learning_rates: {name}", 0) / optimizer.learning_rate
        for name, rate in rates.items()
    }


def update(
    parameters: Parameters,
    gradient: NDArray[Any],
    rule: UpdateRule,
    state: dict[str, NDArray[Any]],
    rate: float,
) -> None:
    """Change the parameters, and the state of the optimizer, by one step.

    Raises
    ------
    NotFinite
        If a parameter would not be finite; the parameters are then as they were before.
    """
    before = parameters.vector.copy()
    clip_norm(gradient, rule.clip)
    rule.optimizer.step(parameters.vector, gradient, state, rate)
    _check_finite(parameters, before, f"{rule.optimizer!r}", f" at the learning rate {rate:g}")
    _scale_steps(parameters, before, rule.factors)
    dale.project(parameters.vector, parameters.packed.non_negative)
    if rule.constraints:
        _constrain(parameters, rule.constraints)
        _check_finite(parameters, before, ", ".join(map(repr, rule.constraints)))
    parameters.restore_frozen()
    parameters.update_learned()


def _scale_steps(parameters, before, factors):
    """Scale the optimizer's step of some projections: w <- w_before + f (w - w_before)."""
    for name, factor in factors.items():
        new, old = (parameters.packed.weight_matrix(name, v) for v in (parameters.vector, before))
        new[...] = old + new.dtype.type(factor) * (new - old)


def _check_finite(parameters, before, who, when=""):
    """Go back to the previous parameters, with an error, where one is not finite."""
    if not np.all(np.isfinite(parameters.vector)):
        parameters.vector[:] = before
        raise NotFinite(f"what {who} makes of the weights{when} is not finite.")


def _constrain(parameters, constraints):
    """Apply constraints; Dale's law has the last word, for those of a user may not know it."""
    packed, synapses = parameters.packed, parameters.network.synapses
    for constraint in constraints:
        for name in packed.wires.places:
            if constraint.applies_to(name):
                constraint.apply(packed.weight_matrix(name), synapses.get(name))
    dale.project(parameters.vector, packed.non_negative)
