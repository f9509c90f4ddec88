"""Names for Brian2, which must be identifiers of Python and differ."""

from __future__ import annotations

import keyword
import re
from collections.abc import Sequence
from typing import Any

from ..network.network import Network

#: Names that a Brian2 object or a variable of a script must not take.
_TAKEN = {
    "np",
    "Path",
    "sys",
    "data",
    "dt",
    "second",
    "i",
    "j",
    "w",
    "monitors",
    "readouts",
    "network",
    "defaultclock",
    "prefs",
    "collect",
    "Network",
    "NeuronGroup",
    "SpikeGeneratorGroup",
    "SpikeMonitor",
    "StateMonitor",
    "Synapses",
    "TimedArray",
}


def identifiers(network: Network, arrivals: Sequence = ()) -> dict[tuple[str, Any], str]:
    """Return names for Brian2, by kind and name; all of them differ.

    Parameters
    ----------
    network
        The network: ("population", "E") -> "E", ("projection", "E->I") -> "syn_E__I".
    arrivals
        Those of a Realization, by their place: ("arrivals", 0) -> "background_E",
        ("onto", 0) -> "syn_background_E".
    """
    names: dict[tuple[str, Any], str] = {}
    taken = set(_TAKEN)
    for kind, name, wish in _wishes(network, arrivals):
        names[kind, name] = _free(wish, taken)
        taken.add(names[kind, name])
    return names


def _wishes(network, arrivals):
    """Triples (kind, name, what it should be called)."""
    things = [("population", p.name, p.name) for p in network.populations]
    things += [("projection", p.name, f"syn_{p.name}") for p in network.projections]
    things += [
        ("jumps", p.name, f"jumps_{p.name}")
        for p in network.spiking
        if p.neuron.spike_jumps and p.neuron.jump_delay_steps(network.dt)
    ]
    things += [("windows", p.name, f"windows_{p.name}") for p in network.pooling]
    for k, each in enumerate(arrivals):
        things.append(("arrivals", k, f"background_{each.population}"))
        things.append(("onto", k, f"syn_background_{each.population}"))
    return things


def _free(wish, taken):
    """An identifier like the wish that is not taken yet."""
    text = re.sub(r"\W", "_", wish, flags=re.ASCII)
    text = text if re.match(r"[A-Za-z]", text) else f"p_{text}"
    base = text + "_" * (keyword.iskeyword(text) or text in _TAKEN)
    text, count = base, 2
    while text in taken:
        text, count = f"{base}_{count}", count + 1
    return text
