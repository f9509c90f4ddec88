"""A warning when a population neither fires nor learns, so that training cannot change it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..support.warn import warn


class SilenceWatch:
    """What populations do over an epoch: whether they fire, and get a gradient. Warns once.

    Parameters
    ----------
    network
        The network whose spiking populations are watched, except those without synapses that learn.
    losses
        Losses of the training; what they look at is part of the advice.
    """

    def __init__(self, network: Network, losses: list[Any]) -> None:
        self._network = network
        self._losses = losses
        self._done = False
        self._learning = {
            population.name: [
                p.name for p in network.projections if p.post == population.name and not p.frozen
            ]
            for population in network.spiking
        }
        self.begin()

    def begin(self) -> None:
        """Begin another epoch."""
        self._alive = {name for name, afferents in self._learning.items() if not afferents}
        self._batches = 0

    def see(self, packed: Any, fired: NDArray[np.bool_], gradient: NDArray[Any]) -> None:
        """Look at a batch.

        Parameters
        ----------
        fired
            (spiking neuron,) whether any trial had a spike.
        gradient
            Gradient of the loss and of the bounds on counts with respect to all weights.
        """
        self._batches += 1
        for name, afferents in self._learning.items():
            if name not in self._alive and (
                np.any(fired[packed.neurons(name)])
                or any(np.any(packed.weight_matrix(p, gradient)) for p in afferents)
            ):
                self._alive.add(name)

    def warn(self, epoch: int) -> None:
        """Warn, at the end of an epoch, of populations that did neither."""
        silent = [name for name in self._learning if name not in self._alive]
        if self._done or not silent or not self._batches:  # resumed at the end of an epoch
            return
        self._done = True
        names, one = " and ".join(map(repr, silent)), len(silent) == 1
        it = "it" if one else "them"
        reasons = "; ".join(self._reasons(silent))
        warn(
            f"population{'' if one else 's'} {names} did not fire in any trial of epoch {epoch}, "
            f"and the gradient of the weights onto {it} is zero{': ' if reasons else ''}{reasons}. "
            f"So {'it' if one else 'they'} will stay silent. What helps: initial weights with which"
            f" {'it fires' if one else 'they fire'}, fluctuation_driven(net, data, sigma_u=1.0); "
            "a bound that pulls silent neurons up, "
            "regularizers=[lower_bound(100, 1e-3, per='neuron')] in train or prime; "
            "for losses of the maximum, a readout that begins below 0, "
            "net.readout(…, initial=-0.1), whose maximum lies at the end of the trial."
        )

    def _reasons(self, silent):
        """Why no gradient comes back to these populations."""
        if any("MaxOverTime" in repr(loss) for loss in self._losses):
            yield (
                "the loss looks at the maximum of the readout over time, which without spikes lies "
                "at the first step, where no spike can have had an effect"
            )
        if any(np.isfinite(self._network[name].surrogate.support) for name in silent):
            yield (
                "no membrane came near enough to threshold for its surrogate, which is zero "
                "further away"
            )
