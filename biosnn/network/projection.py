"""A projection: all synapses from one population onto a receptor of another."""

from dataclasses import dataclass
from typing import Any

from ..support.show import About, Shows, milliseconds


@dataclass(frozen=True, repr=False)
class Projection(Shows):
    """All synapses from a population onto a receptor of another. `Network.connect` makes them.

    Parameters
    ----------
    name
        Its name in the network.
    pre, post
        Names of the two populations.
    receptor
        Name of the receptor of the postsynaptic population.
    delay
        Seconds, a multiple of the time step; None where every synapse has a delay of its own, which
        is in `network.synapses`.
    non_negative
        Whether weights are stored non-negative, since the receptor has a sign.
    synapses
        The rule that says which pairs are connected; None: all of them.
    plasticity
        TsodyksMarkram, SaturatingGating, InhibitorySTDP or None.
    frozen
        Whether training leaves its weights as they are.
    gradient_to_source
        Whether gradients flow through it to its source.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> exc = net.population(80, bs.ei_lif(), "excitatory", name="E")
    >>> net.connect(exc, exc, synapses=bs.Bernoulli(0.1), delay=1e-3, seed=1)
    Projection E->E
      onto   exc of E, weights >= 0
      pairs  Bernoulli(p=0.1, self_connections=True)
      delay  1 ms
    """

    name: str
    pre: str
    post: str
    receptor: str
    delay: float | None
    non_negative: bool
    synapses: Any = None
    plasticity: Any = None
    frozen: bool = False
    gradient_to_source: bool = True

    def delay_text(self) -> str:
        """Return the delay in words."""
        return "one per synapse" if self.delay is None else milliseconds(self.delay)

    def _about(self) -> About:
        """Describe it in a few lines."""
        weights = "weights >= 0" if self.non_negative else "weights of either sign"
        pairs = "all" if self.synapses is None else repr(self.synapses).splitlines()[0]
        rows = [
            ("onto", f"{self.receptor} of {self.post}, {weights}"),
            ("pairs", pairs),
            ("delay", self.delay_text()),
        ]
        if self.plasticity is not None:
            rows.append(("plasticity", repr(self.plasticity)))
        training = ["weights frozen"] if self.frozen else []
        training += [] if self.gradient_to_source else ["no gradient to its source"]
        if training:
            rows.append(("training", ", ".join(training)))
        return About(f"Projection {self.name}", rows)
