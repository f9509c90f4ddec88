"""A population: neurons of one kind, inputs, readouts or units that pool spikes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..support.show import About, Shows
from ..support.units import PerNeuron
from . import neuron_text
from .convolution import MaxPool
from .escape import EscapeNoise
from .neuron import Neuron
from .positions import Positions
from .surrogate import Surrogate

SIGNS = ("excitatory", "inhibitory", "unsigned")


@dataclass(frozen=True, eq=False, repr=False)
class Population(Shows):
    """n neurons of one kind. `Network.input`, `population`, `readout` and `pool` make them.

    Parameters
    ----------
    name
        Its name in the network.
    n
        Number of neurons.
    kind
        "input", "spiking", "pooling" or "readout".
    sign
        "excitatory", "inhibitory" or "unsigned": of all weights that leave it (Dale's law).
    neuron
        Its table; None for inputs.
    surrogate
        What replaces the derivative of a spike; None for inputs and readouts.
    initial
        U at the start of a trial, one number or a read-only array (n,).
    learn
        What training may change: name of a time constant, "threshold", or "jump" (the strength of
        adaptation) -> "population" (one parameter) or "neuron" (one each).
    noise
        SigmoidEscape, ExponentialEscape, or None: spikes wherever U exceeds the threshold.
    bias
        Whether it has constant currents that training may change.
    source, pooling
        Of units that pool spikes: the name of the population whose spikes they are, and how.
    positions
        Where the neurons are (`bs.space`), or None.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> net.population(80, bs.ei_lif(), "excitatory", name="E")
    Population E
      neurons    80, excitatory
      model      ei_lif: U (mem 20 ms), I_exc (exc 10 ms), I_inh (inh 20 ms)
      surrogate  SuperSpike(steepness=20.0)
    """

    name: str
    n: int
    kind: str
    sign: str
    neuron: Neuron | None
    surrogate: Surrogate | None
    initial: PerNeuron
    learn: dict[str, str]
    noise: EscapeNoise | None = None
    bias: bool = False
    source: str | None = None
    pooling: MaxPool | None = None
    positions: Positions | None = None

    @property
    def states(self) -> list[str]:
        """Names of what can be recorded, the membrane first."""
        if self.neuron is None or self.kind == "pooling":
            return []
        return list(self.neuron.states)

    def known_states(self, *more: str) -> str:
        """Return the full names of its states, or why there are none, for messages.

        Parameters
        ----------
        *more
            Names that count as states here.
        """
        if self.states:
            return ", ".join(f"{self.name}.{state}" for state in (*self.states, *more))
        return "none, it is an input" if self.kind == "input" else "none, its units pool spikes"

    def _about(self) -> About:
        """Describe it in a few lines."""
        rows: list[tuple[str, Any]] = [("neurons", f"{self.n:,}, {self.sign}")]
        if self.pooling is not None:
            rows.append(("spikes", f"of {self.source}, by {self.pooling}"))
        elif self.neuron is not None:
            rows.append(("model", f"{self.neuron.model}: {self.neuron.states_text()}"))
            if np.any(self.initial):
                rows.append(("initial U", neuron_text.value(self.initial)))
        if self.positions is not None:
            rows.append(("positions", self.positions.in_words()))
        if self.kind == "spiking":
            rows.append(("surrogate", repr(self.surrogate)))
        if self.noise is not None:
            rows.append(("noise", repr(self.noise)))
        learned = [f"{name} per {shared}" for name, shared in self.learn.items()]
        learned += ["bias per neuron"] if self.bias else []
        if learned:
            rows.append(("learned", ", ".join(learned)))
        kind = {"input": "Input", "pooling": "Pooling units", "readout": "Readout"}
        return About(f"{kind.get(self.kind, 'Population')} {self.name}", rows)
