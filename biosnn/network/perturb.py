"""Perturbations of a network: silence, clamp, stimulate, lesion, rewire, scale.

`run`, `simulate`, `evaluate` and `predict` take a list of them, and the network stays as it is:

    run(net, spikes, perturbations=[perturb.Silence("I", fraction=0.2, start=0.1, stop=0.2)])

    Silence, Clamp, Stimulate       neurons, for a while            perturb_neurons.py
    Lesion                          neurons, for a whole run
    LesionSynapses, Scale, Rewire   synapses, for a whole run       perturb_synapses.py

Times are seconds from the start of a run, or of each trial. Synapses change for a whole run; to
change them for a while, let runs go on from each other:

    before = simulate(net, 0.5)
    weaker = simulate(net, 0.2, state=before.state, perturbations=[perturb.Scale("E->E", 0.5)])
    after = simulate(net, 0.5, state=weaker.state)
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..support import checks
from ..support.checks import refuse, several
from .perturb_neurons import Clamp, Lesion, Perturbation, Silence, Stimulate
from .perturb_synapses import LesionSynapses, OfSynapses, Rewire, Scale, can_be_0, cut_off

__all__ = [
    "Clamp",
    "Lesion",
    "LesionSynapses",
    "Rewire",
    "Scale",
    "Silence",
    "Stimulate",
    "apply",
]


def checked(perturbations: Any) -> tuple[Perturbation, ...]:
    """Return a list of perturbations as a tuple.

    Raises
    ------
    ValueError
        If it is no list, or something else is in it.

    Examples
    --------
    >>> checked([Silence("E")])
    (Silence('E'),)
    """
    example = "bs.perturb.Silence('E', start=0.1, stop=0.2)"
    given = several(perturbations, "perturbations", example)
    for k, each in enumerate(given):
        if not isinstance(each, Perturbation):
            refuse(f"perturbations[{k}]", each, f"one of biosnn.perturb, such as {example}")
    return given


def apply(network: Any, perturbations: Sequence[Perturbation]) -> Any:
    """Return a copy of a network with lesions, rewired and scaled synapses.

    Parameters
    ----------
    network
        The Network, which stays as it is.
    perturbations
        A list of `Lesion`, `LesionSynapses`, `Scale` and `Rewire`, which follow each other.

    Returns
    -------
    The copy, with weights of its own. Neurons of a `Lesion` still spike in it if they are driven,
    but without effect.

    Raises
    ------
    ValueError
        If a perturbation does not fit the network, or is only for a while; if neurons of a Lesion
        have synapses whose weights cannot be 0, because they learn or are shared, or are pooled.

    See Also
    --------
    biosnn.audit : signs of the neurons of what is left.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(3, bs.ei_lif(), "excitatory", name="E")
    >>> projection = net.connect(cells, cells, weights=np.ones((3, 3)))
    >>> apply(net, [Lesion("E", neurons=[0])]).weights["E->E"].sum(axis=1)
    array([0., 3., 3.], dtype=float32)
    """
    checks.network(network)
    for each in checked(perturbations):
        if isinstance(each, (Silence, Clamp, Stimulate)):
            raise ValueError(
                f"{type(each).__name__} acts for a while, so it is for run, simulate, evaluate and "
                "predict; a network itself can have Lesion, LesionSynapses, Scale and Rewire."
            )
        if isinstance(each, Lesion):
            _check_can_be_cut_off(network, each)
    other = _copy(derived(network, perturbations))
    other.weights = {name: np.array(weights)[()] for name, weights in other.weights.items()}
    other.parameters = {name: np.array(p) for name, p in other.parameters.items()}
    return other


def _check_can_be_cut_off(network, lesion):
    """ValueError if neurons of a lesion have an effect that weights of 0 do not take away."""
    population, neurons = lesion.of(network)
    kept = [
        p.name for p in network.projections if p.pre == population.name and not can_be_0(network, p)
    ]
    kept += [p.name for p in network.populations if p.source == population.name]
    if neurons.size and kept:
        raise ValueError(
            f"Lesion({population.name!r}): what its neurons do to {', '.join(kept)} does not end "
            "with weights of 0, because weights learn, are shared, or spikes are pooled. Give the "
            "lesion to run, simulate or evaluate as perturbations=[…]: there the neurons do not "
            "spike."
        )


def derived(network: Any, perturbations: Sequence[Perturbation]) -> Any:
    """Return a network with other weights and synapses, which shares all else with `network`.

    Parameters
    ----------
    network
        The Network, which stays as it is.
    perturbations
        All kinds; those for a while change nothing here.
    """
    static = [each for each in perturbations if isinstance(each, (Lesion, OfSynapses))]
    if not static:
        return network
    other = _copy(network)
    for each in static:
        if isinstance(each, Lesion):
            population, neurons = each.of(network)
            cut_off(other, population.name, neurons)
        else:
            each.onto(other)
    return other


def _copy(network):
    """A network that shares its arrays, but has its own lists of them."""
    other = copy.copy(network)
    other.weights, other.synapses = network.weights, dict(network.synapses)
    return other


def shown(network: Any, perturbations: Sequence[Perturbation]) -> list[tuple[str, str]]:
    """Return rows (label, text) that say what perturbations do to a network.

    Parameters
    ----------
    network
        The network that was perturbed.
    perturbations
        Any number.

    Examples
    --------
    >>> shown(None, ())
    []
    """
    labels = ["perturbed", *[""] * len(perturbations)]
    texts = [f"{type(each).__name__}: {each.text(network)}" for each in perturbations]
    return list(zip(labels, texts, strict=False))
