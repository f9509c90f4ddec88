"""Free membranes of a circuit while it runs: probes that receive its spikes and never fire."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..analysis import stats
from ..data.poisson import poisson
from ..engine.simulate import simulate
from ..network.network import Network
from ..support.seeds import stream
from ..theory.free_membranes import Probed, check_whole
from ..theory.moments import Moments


class Probes:
    """A network with probes, which shares its synapses and takes its weights in each measurement.

    Parameters
    ----------
    network
        The circuit.
    background
        Its background, with the names of populations.
    rng
        Chooses the neurons that have a probe, and the seed of the simulations.
    """

    def __init__(self, network: Network, background: Sequence, rng: np.random.Generator):
        self.network = network
        self.seed = int(rng.integers(2**63))
        self.host = copy.copy(network)
        self.host._populations = {p.name: p for p in network.inputs + network.spiking}
        projections = [p for p in network.projections if network[p.post].kind == "spiking"]
        self.host._projections = {p.name: p for p in projections}
        self.host.synapses = dict(network.synapses)
        self.host.weights = {}
        self.host.parameters = dict(network.parameters)
        self.probed = Probed(network, self.host, rng)
        for population in network.spiking:
            self.probed.add(population, background)
        for projection in projections:
            self.probed.connect(projection)
        self.background = [*background, *self.probed.background]

    def measure(
        self,
        rates: Mapping[str, float],
        initial: Mapping[str, Any],
        warm_up: float,
        seconds: float,
        threads: int | None = None,
    ) -> dict[str, Moments]:
        """Simulate the circuit with the weights that it has now.

        The random numbers are the same in every measurement.

        Parameters
        ----------
        rates
            Name to Hz: of inputs, which get Poisson trains, and of populations, whose adaptation
            the probes share.
        initial
            As for `simulate`.
        warm_up, seconds
            Durations of what is discarded and of what is measured.
        threads
            As for `simulate`.

        Returns
        -------
        Population to Moments: the free membrane of its probes, and rate and CV of its neurons.
        """
        for name in self.probed.kept:
            self.host.set_weights(name, self.network.weights[name], copy=False)
        self.probed.set_weights(self.network.weights)
        options: dict[str, Any] = {
            "background": self.background + self.probed.adaptation(rates),
            "threads": threads,
            "progress": False,
            "record_spikes": [p.name for p in self.network.spiking],
        }
        spikes = self._poisson(rates, warm_up, "warm-up")
        warm = simulate(self.host, warm_up, spikes, seed=self.seed, initial=initial, **options)
        options |= self.probed.record()
        spikes = self._poisson(rates, seconds, "measurement")
        run = simulate(self.host, seconds, spikes, state=warm.state, **options)
        check_whole(warm, run)
        return {
            name: found.but(rate=run.mean_rates[name], cv=stats.pooled_cv(run.spikes[name])[0])
            for name, found in self.probed.moments(run).items()
        }

    def _poisson(self, rates, seconds, part):
        """Poisson trains of all inputs, or None where there are no inputs."""
        return {
            p.name: poisson(rates[p.name], p.n, seconds, seed=stream(self.seed, p.name, part))
            for p in self.network.inputs
        } or None
