"""One step of the optimizer, and what weights obey after it: Dale's law, constraints, frozen ones.

The order: the gradient is clipped, the optimizer changes all parameters, weights are projected onto
Dale's law (negative ones become 0), constraints are applied, frozen projections get their weights
back, and learned time constants are kept above the time step.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.finite import NotFinite
from ..network import dale
from ..network.network import Network
from ..support.checks import real, shown
from .constraint import checked_constraints
from .optim import clip_norm
from .parameters import Parameters
from .protocols import Optimizer, Schedule, checked_part


@dataclass(frozen=True, eq=False)
class UpdateRule:
    """Optimizer, schedule, constraints, and the largest norm of a gradient (None: any)."""

    optimizer: Any
    schedule: Any
    constraints: tuple[Any, ...] = ()
    clip: float | None = None

    def rate(self, progress: float, losses: NDArray[np.float64]) -> float:
        """Return the learning rate at a share of the training, after epochs with these losses."""
        factor = self.schedule.factor(progress, losses)
        return self.optimizer.learning_rate * real(factor, f"factor of {shown(self.schedule)}")


def make_update_rule(
    network: Network, optimizer: Any, schedule: Any, constraints: Any, clip: Any
) -> UpdateRule:
    """Return the options of `train` that say how parameters change, checked."""
    checked_part("optimizer", optimizer, Optimizer, "Adam(5e-3)")
    checked_part("schedule", schedule, Schedule, "Cosine(0.02)")
    if clip is not None:
        clip = real(clip, "clip", above=0, why="the largest norm of a gradient")
    return UpdateRule(optimizer, schedule, checked_constraints(constraints, network), clip)


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
    dale.project(parameters.vector, parameters.packed.non_negative)
    if rule.constraints:
        _constrain(parameters, rule.constraints)
        _check_finite(parameters, before, ", ".join(map(repr, rule.constraints)))
    parameters.restore_frozen()
    parameters.update_learned()


def _check_finite(parameters, before, who, when=""):
    """Go back to the previous parameters, with an error, where one is not finite."""
    if not np.all(np.isfinite(parameters.vector)):
        parameters.vector[:] = before
        raise NotFinite(f"what {who} makes of the weights{when} is not finite.")


def _constrain(parameters, constraints):
    """Apply constraints; Dale's law has the last word, for those of a user may not know it."""
    packed, synapses = parameters.packed, parameters.network.synapses
    for constraint in constraints:
        for name in packed.places:
            if constraint.applies_to(name):
                constraint.apply(packed.weight_matrix(name), synapses.get(name))
    dale.project(parameters.vector, packed.non_negative)
