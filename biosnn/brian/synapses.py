"""Synapses in Brian2's words: what a spike does, weights and delays, and plasticity.

A presynaptic spike acts when it arrives, which gives the same u and x as when it is sent.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..network.network import Network
from ..network.plasticity import InhibitorySTDP, ShortTerm
from ..network.projection import Projection


class SynapseText(NamedTuple):
    """What Brian2's Synapses are made of. `values` in seconds have names that begin with tau."""

    model: str
    on_pre: str
    on_post: str
    values: dict[str, float]


def synapse_text(network: Network, projection: Projection) -> SynapseText:
    """Return the text of a projection."""
    rule, deliver = projection.plasticity, _deliver(network, projection)
    if isinstance(rule, ShortTerm):
        return _short_term(rule, deliver)
    if isinstance(rule, InhibitorySTDP):
        return _inhibitory(rule, deliver)
    return SynapseText(model="w : 1", on_pre=deliver, on_post="", values={})


def initial_values(projection: Projection) -> dict[str, float]:
    """Return the variables of synapses that do not start at 0."""
    return {"resources": 1.0} if isinstance(projection.plasticity, ShortTerm) else {}


def synapses_of(
    network: Network, projection: Projection
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Any]:
    """Return (presynaptic, postsynaptic, weight, delay in steps) of every synapse.

    They are in the order of creation. The delay is one number if all synapses share it. ValueError
    if the projection has no weights yet.
    """
    if projection.name not in network.weights:
        raise ValueError(
            f"projection {projection.name!r} has no weights yet: give them to connect or "
            "set_weights, or call fluctuation_driven(net, …)."
        )
    j, i, weights, _ = network.indices(projection)
    return j, i, np.array(weights, np.float64), network.delay_steps(projection)


def _deliver(network, projection):
    """What a spike of weight w does at a synapse without plasticity."""
    receptor = network[projection.post].neuron.receptors[projection.receptor]
    size = "w" if abs(receptor.jump) == 1 else f"{abs(float(receptor.jump))!r}*w"
    return f"{receptor.state}_post {'+' if receptor.jump > 0 else '-'}= {size}"


def _short_term(rule, deliver):
    """Depression, and facilitation if there is a time constant of it."""
    model = "w : 1\ndresources/dt = (1 - resources)/tau_rec : 1 (event-driven)"
    values = {"utilization": float(rule.utilization), "tau_rec": float(rule.tau_rec)}
    first = "released = utilization*resources"
    if rule.tau_facil:
        model += "\ndshare/dt = -share/tau_facil : 1 (event-driven)"
        values["tau_facil"] = float(rule.tau_facil)
        first = "share += utilization*(1 - share); released = share*resources"
    return SynapseText(
        model=model,
        on_pre=f"{first}; resources -= released; {deliver}*released",
        on_post="",
        values=values,
    )


def _inhibitory(rule, deliver):
    """Plasticity of inhibitory synapses by spike timing."""
    model = (
        "w : 1\n"
        "dtraceIn/dt = -traceIn/tau_stdp : 1 (event-driven)\n"
        "dtraceOut/dt = -traceOut/tau_stdp : 1 (event-driven)"
    )
    values = {
        "tau_stdp": float(rule.tau),
        "eta": float(rule.eta),
        "alpha": float(rule.alpha),
        "w_max": float(min(rule.w_max, 1e300)),
    }
    return SynapseText(
        model=model,
        on_pre=f"traceIn += 1; w = clip(w + eta*(traceOut - alpha), 0, w_max); {deliver}",
        on_post="traceOut += 1; w = clip(w + eta*traceIn, 0, w_max)",
        values=values,
    )
