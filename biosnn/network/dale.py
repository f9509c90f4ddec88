"""Dale's law: the sign of a synapse belongs to the neuron that it comes from.

Weights out of an excitatory or inhibitory population, and all weights onto a receptor with a sign, are stored
non-negative; the sign lives in the receptor. After every optimizer step they are projected back to >= 0.
"""

from dataclasses import dataclass

import numpy as np

from ..support import checks
from ..support.tables import Table, printed


def check_weights(name, weights, non_negative):
    """ValueError if the weights of projection `name` are not finite, or negative where Dale's law forbids it.

    weights: an array (pre, post), an array with one per synapse, or one number for all synapses.
    """
    weights = np.asarray(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        total = weights.sum()
    if not np.isfinite(total) and not np.all(np.isfinite(weights)):
        at = np.argwhere(~np.isfinite(weights))[0]
        raise ValueError(
            f"projection {name!r}: weight {_index(at)}is {weights[tuple(at)]}; weights must be finite."
        )
    if non_negative and weights.size and weights.min() < 0:
        at = np.argwhere(weights < 0)[0]
        raise ValueError(
            f"projection {name!r}: weight {_index(at)}is {weights[tuple(at)]:g}, which violates Dale's law: weights of "
            "excitatory and inhibitory synapses are stored non-negative, the sign is the receptor's. Give "
            "absolute values, or make the population unsigned."
        )


def _index(at):
    return f"[{', '.join(map(str, at))}] " if at.size else ""


def project(weight, non_negative):
    """Set negative elements of the flat `weight` to 0 where `non_negative` (slices); in place."""
    for part in non_negative:
        np.maximum(weight[part], 0, out=weight[part])


@dataclass(frozen=True)
class Audit:
    """Signs of the presynaptic neurons of a network.

    signs        population -> (n,) +1 all outgoing synapses excite, -1 all inhibit, 0 there are none, 2 both kinds
    violations   number of synapses whose sign contradicts their population or receptor
    """

    signs: dict
    violations: int

    def __str__(self):
        rows = [
            (
                name,
                *(f"{n}" if (n := int(np.sum(sign == value))) else "" for value in (1, -1, 2, 0)),
            )
            for name, sign in self.signs.items()
        ]
        return printed(
            Table(
                f"Dale's law: {self.violations} violation{'s' * (self.violations != 1)}",
                ("neurons", "excitatory", "inhibitory", "mixed", "without synapses"),
                rows,
            )
        ).rstrip()


def audit(network):
    """Signs of all presynaptic neurons of `network`, from the weights as they are now. Readouts do not count as neurons.

    A readout is a linear decoder outside of the circuit: its weights may have either sign.
    """
    checks.network(network)
    signs, violations = {}, 0
    expected = {"excitatory": +1, "inhibitory": -1}
    for population in network.sources:
        positive = negative = np.zeros(population.n, bool)
        for projection in network.projections:
            if projection.pre != population.name or network[projection.post].kind == "readout":
                continue
            receptor = network[projection.post].neuron.receptors[projection.receptor]
            effect = _weights(network, projection.name) * (receptor.sign or np.sign(receptor.jump))
            above, below = (
                _per_row(network, projection.name, effect * sign > 0) for sign in (1, -1)
            )
            positive, negative = positive | (above > 0), negative | (below > 0)
            wrong = -expected.get(population.sign, receptor.sign)
            violations += int(sum({1: above, -1: below}.get(wrong, np.zeros(1, int))))
        signs[population.name] = np.where(
            positive & negative, 2, positive.astype(int) - negative.astype(int)
        )
    return Audit(signs, violations)


def _weights(network, name):
    """Weights of all synapses of a projection, or the number that all of them have."""
    if name not in network.weights:
        raise ValueError(
            f"projection {name!r} has no weights yet: set them, or initialize the network, before it is audited."
        )
    weights = network.weights[name]
    return (
        network.synapses[name].weight_of_each(weights)
        if name in network.synapses and np.ndim(weights)
        else weights
    )


def _per_row(network, name, where):
    """(pre,) how many synapses of each presynaptic neuron are marked. where: one mark per synapse, or one for all."""
    if name not in network.synapses:
        return where.sum(axis=1)
    first = network.synapses[name].first
    if np.ndim(where) == 0:
        return np.diff(first) * int(where)
    return np.diff(np.concatenate([[0], np.cumsum(where, dtype=np.int64)])[first])
