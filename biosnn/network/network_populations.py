"""What adds populations to a network: inputs, spiking neurons, readouts, pooling units."""

import numpy as np
from numpy.typing import ArrayLike

from ..support.units import PerNeuron, Seconds
from . import network_checks
from .convolution import MaxPool
from .escape import EscapeNoise
from .network_view import NetworkView
from .neuron import Neuron
from .neuron_models import leaky_readout, pooling_unit
from .population import Population
from .positions import Positions
from .surrogate import SuperSpike, Surrogate

_SUPERSPIKE = SuperSpike()


class NetworkPopulations(NetworkView):
    """Base of `Network`: the methods that add populations."""

    def input(
        self,
        n: int,
        *,
        name: str = "input",
        sign: str = "unsigned",
        positions: Positions | None = None,
    ) -> Population:
        """Add a source of external spikes.

        Parameters
        ----------
        n
            Number of units.
        name
            Name of the input.
        sign
            "excitatory", "inhibitory" or "unsigned". Unsigned inputs excite where the receptors
            have signs (`ei_lif`).
        positions
            Where the units are (`bs.space`), for rules, weights and delays by distance.

        Returns
        -------
        The population.
        """
        return self.add(
            Population(
                name=name,
                n=n,
                kind="input",
                sign=sign,
                neuron=None,
                surrogate=None,
                initial=0.0,
                learn={},
                positions=positions,
            )
        )

    def population(
        self,
        n: int,
        neuron: Neuron,
        sign: str = "unsigned",
        *,
        name: str | None = None,
        surrogate: Surrogate = _SUPERSPIKE,
        initial: PerNeuron = 0.0,
        learn: dict[str, str] | None = None,
        noise: EscapeNoise | None = None,
        bias: ArrayLike | None = None,
        positions: Positions | None = None,
    ) -> Population:
        """Add spiking neurons.

        Parameters
        ----------
        n
            Number of neurons.
        neuron
            Their model, such as ei_lif().
        sign
            "excitatory", "inhibitory" or "unsigned": of all weights that leave the population.
        name
            Name of the population; default "population_0", "population_1" and so on.
        surrogate
            What replaces the derivative of a spike.
        initial
            U at the start of a trial, a number or an array (n,).
        learn
            What training may change: a time constant of the neuron, "threshold", or "jump" for what
            its own spikes add (adaptation) -> "population" (one parameter) or "neuron" (one each),
            for instance {"mem": "neuron", "threshold": "population"}.
        noise
            Escape noise, such as SigmoidEscape(20): spikes at random.
        bias
            Initial value of a constant current that training changes, a number or an array (n,).
            It is a term on the right-hand side of tau_mem dU/dt = -U + …. None: no such current
            (fixed currents are given to `run` and `simulate`).
        positions
            Where the neurons are: bs.space.grid((20, 10), (2e-3, 1e-3)) and others, for rules,
            weights and delays by distance.

        Returns
        -------
        The population.

        Raises
        ------
        ValueError
            If a value is not possible, or dt does not resolve a time constant.
        """
        if name is None:
            name = f"population_{len(self.spiking)}"
        population = Population(
            name=name,
            n=n,
            kind="spiking",
            sign=sign,
            neuron=neuron,
            surrogate=surrogate,
            initial=initial,
            learn=network_checks.checked_learn(learn),
            noise=noise,
            bias=bias is not None,
            positions=positions,
        )
        return self.add(population, bias)

    def readout(
        self,
        n: int,
        *,
        tau_mem: Seconds = 0.1,
        tau_syn: Seconds = 10e-3,
        name: str = "readout",
        initial: PerNeuron = 0.0,
        integrator: str = "exact",
        learn: dict[str, str] | None = None,
        bias: ArrayLike | None = None,
    ) -> Population:
        """Add leaky integrators without threshold; losses look at their U.

        Parameters
        ----------
        n
            Number of units.
        tau_mem, tau_syn, integrator
            Of their table (`leaky_readout`).
        name
            Name of the readout.
        initial, learn, bias
            As for `population`.

        Returns
        -------
        The population.
        """
        population = Population(
            name=name,
            n=n,
            kind="readout",
            sign="unsigned",
            neuron=leaky_readout(tau_mem=tau_mem, tau_syn=tau_syn, integrator=integrator),
            surrogate=None,
            initial=initial,
            learn=network_checks.checked_learn(learn),
            bias=bias is not None,
        )
        return self.add(population, bias)

    def pool(
        self, source: Population | str, pooling: MaxPool, *, name: str | None = None
    ) -> Population:
        """Add units that pool the spikes of neighbours in another population.

        Parameters
        ----------
        source
            A spiking population (or one that pools) or its name.
        pooling
            MaxPool(shape, size, stride), with the shape of the feature maps of `source`.
        name
            Name of the units; default the name of the source and "pooled".

        Returns
        -------
        The population. Projections leave from its units as from neurons, with delays of their own,
        and have the sign of the source (Dale's law). The units have no states, no weights and
        nothing to learn, and receive nothing but those spikes.

        Notes
        -----
        S_g[n] = max over the neurons i of window g of S_i[n], in the same step: a unit spikes when
        a neuron of its window does.

        dL/dS_g goes to the neuron of the window with the largest S_i. Where these are equal, as
        spikes mostly are, it goes to the one with the largest U* - theta, and among those to the
        first. The smooth twin of a spike grows with U* - theta, so this is the limit of the
        gradient of the twin, whose spikes differ.
        """
        source = self.own(source, "source")
        network_checks.check_pooling(source, pooling)
        return self.add(
            Population(
                name=f"{source.name} pooled" if name is None else name,
                n=int(np.prod(pooling.output_shape)),
                kind="pooling",
                sign=source.sign,
                neuron=pooling_unit(self.dt),
                surrogate=source.surrogate,
                initial=0.0,
                learn={},
                source=source.name,
                pooling=pooling,
            )
        )

    def add(self, population: Population, bias: ArrayLike | None = None) -> Population:
        """Add a population that is described already, for instance one of another network.

        Parameters
        ----------
        population
            Its description.
        bias
            Where its bias starts, if it has one.

        Returns
        -------
        The population with plain numbers, as the network has it.
        """
        name = population.name
        network_checks.check_population_name(name)
        if name in self._populations:
            raise ValueError(f"there is a population {name!r} already; give this one another name.")
        population = network_checks.checked_population(population, self.dt, self.dtype)
        if bias is not None:
            network_checks.check_bias(population, bias, self.dtype)
        self._populations[name] = population
        for tau, shared in population.learn.items():
            shape = () if shared == "population" else (population.n,)
            self.parameters[name, tau] = np.zeros(shape)
        if bias is not None:
            each = np.broadcast_to(np.asarray(bias, float), population.n)
            self.parameters[name, "bias"] = np.array(each)
        return population
