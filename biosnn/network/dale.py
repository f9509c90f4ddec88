"""Dale's law: the sign of a synapse belongs to the neuron that it comes from.

Weights out of an excitatory or inhibitory population, and all weights onto a receptor with a sign,
are stored non-negative; the sign lives in the receptor. After every optimizer step `project` sets
what has become negative to 0.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks
from ..support.show import About, Shows, plural
from ..support.tables import Table
from . import perturb

_EXPECTED = {"excitatory": +1, "inhibitory": -1}
_KINDS = (("excitatory", 1), ("inhibitory", -1), ("mixed", 2), ("without synapses", 0))


def check_weights(name: str, weights: ArrayLike, non_negative: bool) -> None:
    """Raise a ValueError if weights are not finite, or negative where Dale's law forbids it.

    Parameters
    ----------
    name
        Name of the projection, for messages.
    weights
        An array (pre, post), an array with one per synapse, or one number for all synapses.
    non_negative
        Whether the receptor has a sign.

    Examples
    --------
    >>> check_weights("E->E", np.array([0.1, 0.0]), non_negative=True)
    """
    weights = np.asarray(weights)
    with np.errstate(over="ignore", invalid="ignore"):
        total = weights.sum()
    if not np.isfinite(total) and not np.all(np.isfinite(weights)):
        at = np.argwhere(~np.isfinite(weights))[0]
        raise ValueError(
            f"projection {name!r}: weight {_index(at)}is {weights[tuple(at)]}; weights must be "
            "finite."
        )
    if non_negative and weights.size and weights.min() < 0:
        at = np.argwhere(weights < 0)[0]
        raise ValueError(
            f"projection {name!r}: weight {_index(at)}is {weights[tuple(at)]:g}, which violates "
            "Dale's law: weights of excitatory and inhibitory synapses are stored non-negative; "
            "the sign is the receptor's. Give absolute values, or make the population unsigned."
        )


def _index(at):
    """The index of a weight in words; nothing for one number."""
    return f"[{', '.join(map(str, at))}] " if at.size else ""


def project(weight: NDArray[Any], non_negative: Iterable[slice]) -> None:
    """Set negative weights to 0 where Dale's law requires it, in place.

    Parameters
    ----------
    weight
        All weights of a network, flat.
    non_negative
        Which of them are stored non-negative.

    Examples
    --------
    >>> weight = np.array([-1.0, 1.0, -1.0])
    >>> project(weight, [slice(0, 2)])
    >>> weight
    array([ 0.,  1., -1.])
    """
    for part in non_negative:
        np.maximum(weight[part], 0, out=weight[part])


@dataclass(frozen=True, repr=False)
class Audit(Shows):
    """Signs of the presynaptic neurons of a network. `audit` makes it.

    Parameters
    ----------
    signs
        Population -> (n,) +1: all outgoing synapses excite, -1: all inhibit, 0: there are none,
        2: both kinds.
    violations
        Number of synapses whose sign contradicts their population or receptor.
    perturbations
        (kind, what it does) of what was done to the network before its signs were taken.

    Examples
    --------
    >>> Audit({"E": np.array([1, 1, 0])}, violations=0)
    Dale's law: 0 violations
    neurons  excitatory  inhibitory  mixed  without synapses
    ────────────────────────────────────────────────────────
    E                 2                                    1
    """

    signs: dict[str, NDArray[np.int64]]
    violations: int
    perturbations: tuple[tuple[str, str], ...] = ()

    def _about(self) -> About:
        """Count the neurons of each kind."""
        rows = []
        for name, sign in self.signs.items():
            counts = [int(np.sum(sign == value)) for _, value in _KINDS]
            rows.append((name, *(f"{n}" if n else "" for n in counts)))
        table = Table("", ("neurons", *(kind for kind, _ in _KINDS)), rows)
        return About(
            f"Dale's law: {plural(self.violations, 'violation')}", self.perturbations, table
        )


def audit(network: Any, *, perturbations: Sequence[Any] = ()) -> Audit:
    """Return the signs of all presynaptic neurons, from the weights as they are now.

    Parameters
    ----------
    network
        The Network, whose projections all have weights. Readouts do not count as neurons: a
        readout is a linear decoder outside of the circuit, whose weights may have either sign.
    perturbations
        A list of what is done to it, as for `run` (`biosnn.perturb`): the audit is of what lesions,
        scaled and rewired synapses leave, and lists all that it is given.

    Returns
    -------
    Signs of the neurons, how many synapses violate Dale's law, and the perturbations.

    Raises
    ------
    ValueError
        If a projection has no weights yet.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> exc = net.population(3, bs.ei_lif(), "excitatory", name="E")
    >>> projection = net.connect(exc, exc, weights=bs.Exponential(0.1), seed=1)
    >>> bs.audit(net).signs["E"]
    array([1, 1, 1])
    >>> bs.audit(net, perturbations=[bs.perturb.Lesion("E", neurons=[0])])
    Dale's law: 0 violations
      Lesion  1 of 3 neurons of E
    <BLANKLINE>
    neurons  excitatory  inhibitory  mixed  without synapses
    ────────────────────────────────────────────────────────
    E                 2                                    1
    """
    checks.network(network)
    said = [(type(each).__name__, each.text(network)) for each in perturb.checked(perturbations)]
    network = perturb.derived(network, perturbations)
    signs, violations = {}, 0
    for population in network.sources:
        signs[population.name], wrong = _signs_of(network, population)
        violations += wrong
    return Audit(signs=signs, violations=violations, perturbations=tuple(said))


def _signs_of(network, population):
    """(n,) signs of the neurons of a population, and the number of its violations."""
    positive = np.zeros(population.n, bool)
    negative = np.zeros(population.n, bool)
    violations = 0
    for projection in network.projections:
        if projection.pre != population.name or network[projection.post].kind == "readout":
            continue
        receptor = network[projection.post].neuron.receptors[projection.receptor]
        effect = _weights(network, projection.name) * (receptor.sign or np.sign(receptor.jump))
        above = _per_row(network, projection.name, effect > 0)
        below = _per_row(network, projection.name, effect < 0)
        positive |= above > 0
        negative |= below > 0
        expected = _EXPECTED.get(population.sign, receptor.sign)
        if expected:
            violations += int(np.sum(below if expected > 0 else above))
    return np.where(positive & negative, 2, positive.astype(int) - negative.astype(int)), violations


def _weights(network, name):
    """Weights of all synapses of a projection, or the number that all of them have."""
    if name not in network.weights:
        raise ValueError(
            f"projection {name!r} has no weights yet: set them, or initialize the network, before "
            "it is audited."
        )
    weights = network.weights[name]
    if name in network.synapses and np.ndim(weights):
        return network.synapses[name].weight_of_each(weights)
    return weights


def _per_row(network, name, where):
    """(pre,) marked synapses of each presynaptic neuron; `where`: a mark each, or one for all."""
    if name not in network.synapses:
        return where.sum(axis=1)
    first = network.synapses[name].first
    if np.ndim(where) == 0:
        return np.diff(first) * int(where)
    return np.diff(np.concatenate([[0], np.cumsum(where, dtype=np.int64)])[first])
