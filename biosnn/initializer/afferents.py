"""Projections onto a population as the equations and the theory see them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..network.network import Network
from ..theory.circuits import short_term
from ..theory.membrane import Cell, Input, efficacy
from ..theory.moments import psp_integrals
from .equations import Afferent


def afferent(
    network: Network,
    neuron: Any,
    projection: Any,
    rate: float,
    *,
    recurrent: bool,
    kappa: float,
    fano: float = 1.0,
    efficacious: bool = True,
) -> Afferent:
    """Describe a projection for the equations.

    Parameters
    ----------
    network, projection
        The network and one of its projections.
    neuron
        The neuron of its target.
    rate
        Hertz of its source.
    recurrent
        Whether its source can be reached from its target.
    kappa
        E[w^2] / E[w]^2 of its weights.
    fano
        Variance of the spike count per step over that of a Poisson process.
    efficacious
        Whether short-term plasticity counts with its mean efficacy.

    Returns
    -------
    The Afferent. With conductances both PSP integrals are the time constant of the conductance.
    """
    p = projection
    receptor = neuron.receptors[p.receptor]
    if neuron.reversal:
        tau = float(np.mean(neuron.time_constants[neuron.states[receptor.state]]))
        eps_bar, eps_hat = tau, tau
    else:
        eps_bar, eps_hat = (
            float(np.mean(e)) for e in psp_integrals(neuron, network.dt, p.receptor)
        )
    share = efficacy(short_term(p), rate) if efficacious else 1.0
    return Afferent(
        name=p.name,
        sign=receptor.sign,
        recurrent=recurrent,
        n=network.in_degree(p),
        rate=rate,
        eps_bar=share * eps_bar,
        eps_hat=share**2 * eps_hat,
        fano=fano,
        kappa=kappa,
        multiplicity=network.multiplicity(p),
    )


def filled(
    network: Network,
    cell: Cell,
    projections: Iterable,
    means: Mapping[str, float],
    families: Mapping[str, Any],
) -> Cell:
    """Return a cell with the synapses of the projections at the given mean weights.

    Parameters
    ----------
    network
        The network.
    cell
        The population with its background.
    projections
        Those onto it that have synapses.
    means, families
        Mean weight and family by projection.
    """
    synapses = [
        Input(
            receptor=p.receptor,
            n=network.in_degree(p),
            mean=means[p.name],
            square=(families[p.name].kappa - 1 + network.multiplicity(p)) * means[p.name] ** 2,
            pre=p.pre,
            plasticity=short_term(p),
        )
        for p in projections
    ]
    return replace(cell, inputs=cell.inputs + tuple(synapses))
