"""A word to the user when a population neither fires nor learns: training then goes on for hours and nothing happens."""

import numpy as np

from ..support.warn import warn


class SilenceWatch:
    """Over an epoch: which populations have fired, and which have afferent weights that got a gradient. Warns once in a training."""

    def __init__(self, network, losses):
        self.network, self.losses, self.done = network, losses, False
        self.learning = {
            population.name: [
                p.name for p in network.projections if p.post == population.name and not p.frozen
            ]
            for population in network.spiking
        }
        self.begin()

    def begin(self):
        """Another epoch."""
        self.alive, self.batches = (
            {name for name, afferents in self.learning.items() if not afferents},
            0,
        )

    def see(self, packed, fired, gradient):
        """A batch. fired: (spiking neurons,) whether any trial had a spike; gradient: by all weights, of loss and bounds on counts."""
        self.batches += 1
        for name, afferents in self.learning.items():
            if name not in self.alive and (
                np.any(fired[packed.neurons(name)])
                or any(np.any(packed.weight_matrix(p, gradient)) for p in afferents)
            ):
                self.alive.add(name)

    def warn(self, epoch):
        """At the end of an epoch."""
        silent = [name for name in self.learning if name not in self.alive]
        if self.done or not silent or not self.batches:  # resumed at the end of an epoch
            return
        self.done = True
        names, one = " and ".join(map(repr, silent)), len(silent) == 1
        reasons = []
        if any("MaxOverTime" in repr(loss) for loss in self.losses):
            reasons.append(
                "the loss looks at the maximum of the readout over time, which without spikes lies at the first step, where no "
                "spike can have had an effect"
            )
        if any(np.isfinite(self.network[name].surrogate.support) for name in silent):
            reasons.append(
                "no membrane came near enough to threshold for its surrogate, which is zero further away"
            )
        warn(
            f"population{'' if one else 's'} {names} did not fire in any trial of epoch {epoch}, and the gradient by the weights onto "
            f"{'it' if one else 'them'} is zero"
            + (f": {'; '.join(reasons)}" if reasons else "")
            + f". So {'it' if one else 'they'} will stay "
            "silent. What helps: initial weights with which it fires, fluctuation_driven(net, data, sigma_u=1.0); a bound that pulls silent "
            "neurons up, regularizers=[lower_bound(100, 1e-3, per='neuron')] in train or prime; for losses of the maximum, a readout that "
            "begins below 0, net.readout(…, initial=-0.1), whose maximum lies at the end of the trial."
        )
