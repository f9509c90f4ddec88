"""What follows from a network: delays in steps, lists of synapses, sums over afferents."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import timegrid
from ..support.checks import reals
from .network_parts import NetworkParts
from .population import Population
from .projection import Projection
from .psp import psp


class NetworkView(NetworkParts):
    """Base of `Network`: what one can ask it. Nothing here changes a network.

    Every `projection` is one of the network or its name, every `population` likewise.
    """

    def delay_steps(self, projection: Projection | str) -> Any:
        """Return the delay in steps.

        Parameters
        ----------
        projection
            One of the network, or its name.

        Returns
        -------
        An int; where every synapse has its own delay, an array (synapses,).
        """
        projection = self.projection(projection)
        if projection.delay is None:
            return self.synapses[projection.name].delay
        return timegrid.nearest_steps(projection.delay, self.dt)

    def delay_range(self, projection: Projection | str) -> tuple[int, int]:
        """Return the shortest and the longest delay of a projection in steps.

        Parameters
        ----------
        projection
            One of the network, or its name.

        Examples
        --------
        >>> import biosnn as bs
        >>> net = bs.Network(dt=1e-3)
        >>> a = net.population(9, bs.lif(), name="A")
        >>> _ = net.connect(
        ...     a, a, synapses=bs.OneToOne(), delay=bs.Uniform(1e-3, 4e-3), seed=1
        ... )
        >>> net.delay_range("A->A")
        (1, 4)
        """
        projection = self.projection(projection)
        if projection.delay is None:
            return self.synapses[projection.name].delay_range
        steps = int(self.delay_steps(projection))
        return steps, steps

    def has_one_weight(self, projection: Projection | str) -> bool:
        """Return whether one number is the weight of all synapses of a projection.

        Parameters
        ----------
        projection
            One of the network with weights, or its name.

        Examples
        --------
        >>> import biosnn as bs
        >>> net = bs.Network(dt=1e-3)
        >>> a = net.population(9, bs.lif(), name="A")
        >>> _ = net.connect(a, a, synapses=bs.OneToOne(), weights=0.1)
        >>> net.has_one_weight("A->A")
        True
        """
        name = self.projection(projection).name
        return self.weights.undrawn(name) is None and not np.ndim(self.weights[name])

    def indices(
        self, projection: Projection | str
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return source, target, weight and delay of every synapse.

        Parameters
        ----------
        projection
            One of the network, or its name.

        Returns
        -------
        j, i
            (synapses,) presynaptic and postsynaptic neurons. They are ordered by j and then i,
            whatever the order of Pairs was.
        w
            (synapses,) weights; NaN where they are not set.
        d
            (synapses,) delays in seconds.

        Examples
        --------
        >>> import biosnn as bs
        >>> net = bs.Network(dt=1e-3)
        >>> a, b = net.input(2, name="A"), net.population(2, bs.lif(), name="B")
        >>> projection = net.connect(
        ...     a, b, synapses=bs.Pairs([1, 0], [0, 1]), weights=[0.3, 0.2]
        ... )
        >>> j, i, w, d = net.indices("A->B")
        >>> j, i, w
        (array([0, 1], dtype=int32), array([1, 0], dtype=int32), array([0.2, 0.3], dtype=float32))
        """
        projection = self.projection(projection)
        weights = self.weights.get(projection.name, np.nan)
        if projection.name in self.synapses:
            synapses = self.synapses[projection.name]
            j = synapses.sources
            i = synapses.target.astype(np.int32)
            weights = synapses.weight_of_each(weights)
        else:
            shape = (self[projection.pre].n, self[projection.post].n)
            j, i = np.indices(shape, np.int32).reshape(2, -1)
        w = np.broadcast_to(np.ravel(weights) if np.ndim(weights) else weights, j.shape)
        return j, i, w, np.broadcast_to(self.delay_steps(projection) * self.dt, j.shape)

    def weight_shape(self, projection: Projection | str) -> tuple[int, ...]:
        """Return the shape of the weights that an initializer gives a projection.

        Parameters
        ----------
        projection
            One of the network, or its name.

        Returns
        -------
        (pre, post) of a dense one, (synapses,) of a sparse one, or that of shared weights.
        """
        projection = self.projection(projection)
        if projection.name not in self.synapses:
            return self[projection.pre].n, self[projection.post].n
        synapses = self.synapses[projection.name]
        if synapses.shares_weights and synapses.weight_shape is not None:
            return synapses.weight_shape
        return (synapses.size,)

    def in_degree(self, projection: Projection | str) -> float:
        """Return the expected number of synapses of a target neuron.

        Parameters
        ----------
        projection
            One of the network, or its name.

        Returns
        -------
        The number; of a convolution that of a neuron away from the edges.
        """
        projection = self.projection(projection)
        if projection.name not in self.synapses:
            return self[projection.pre].n
        synapses = self.synapses[projection.name]
        return getattr(projection.synapses, "in_degree", synapses.size / synapses.n_post)

    def multiplicity(self, projection: Projection | str) -> float:
        """Return the mean square, over the mean, of the number of synapses per connected pair.

        Parameters
        ----------
        projection
            One of the network, or its name.

        Returns
        -------
        1 unless some pairs have several synapses (`Synapses.multiplicity`).
        """
        projection = self.projection(projection)
        if projection.name not in self.synapses:
            return 1.0
        return self.synapses[projection.name].multiplicity

    def afferent_sums(self, projection: Projection | str, values: ArrayLike) -> NDArray[Any]:
        """Return sums over the synapses of each target neuron.

        Parameters
        ----------
        projection
            One of the network, or its name.
        values
            An array like the weights of the projection.

        Returns
        -------
        (post,) sums.
        """
        projection = self.projection(projection)
        each = self._like_weights(projection, values, "values")
        if projection.name not in self.synapses:
            return each.sum(axis=0)
        synapses = self.synapses[projection.name]
        return np.bincount(synapses.target, synapses.weight_of_each(each), synapses.n_post)

    def afferent_squares(self, projection: Projection | str, weights: ArrayLike) -> NDArray[Any]:
        """Return sums over the sources of each target neuron of their squared weight.

        Parameters
        ----------
        projection
            One of the network, or its name.
        weights
            Weights of the projection. The weight of a pair with several synapses is their sum.

        Returns
        -------
        (post,) sums.
        """
        projection = self.projection(projection)
        each = self._like_weights(projection, weights, "weights")
        if projection.name not in self.synapses:
            return (each**2).sum(axis=0)
        return self.synapses[projection.name].squares(each)

    def _like_weights(self, projection: Projection, values: Any, what: str) -> NDArray[Any]:
        """Real numbers of the shape of the weights; of a sparse projection also one number."""
        given = getattr(values, "dtype", None)
        kind = given if given in (np.float32, np.float64) else np.float64
        values, shape = reals(values, what, dtype=kind), self.weight_shape(projection)
        if values.shape != shape and (values.ndim or projection.name not in self.synapses):
            raise ValueError(
                f"projection {projection.name!r}: {what} have shape {values.shape}; its weights "
                f"have {shape}."
            )
        return values

    # ---------------------------------------------------------------------- what training changes

    def bias(self, population: Population | str) -> NDArray[np.float64]:
        """Return the constant current of every neuron.

        Parameters
        ----------
        population
            One of the network, or its name.

        Returns
        -------
        (n,) currents; zeros where the population has no bias.
        """
        population = self.own(population)
        if not population.bias:
            return np.zeros(population.n)
        return self.parameters[population.name, "bias"]

    def time_constants(self, population: Population | str) -> dict[str, Any]:
        """Return the time constants of a population with what training has changed.

        Parameters
        ----------
        population
            One of the network, or its name.

        Returns
        -------
        Name -> seconds, one number or an array (n,).

        Notes
        -----
        tau = 2 tau_0 sigmoid(p), with the parameter p of `network.parameters`.
        """
        population = self.own(population)
        if population.neuron is None:
            raise ValueError(f"{population.name!r} is an input: it has no time constants.")
        taus = dict(population.neuron.time_constants)
        for name in set(population.learn) & set(taus):
            p = self.parameters[population.name, name]
            taus[name] = 2 * taus[name] / (1 + np.exp(-p))
        return taus

    def thresholds(self, population: Population | str) -> Any:
        """Return the threshold of a population with what training has changed.

        Parameters
        ----------
        population
            One of the network, or its name.

        Returns
        -------
        One number, infinite where there is none, or an array (n,).

        Raises
        ------
        ValueError
            If it is an input, or pools spikes.

        Notes
        -----
        theta = theta_0 + p, with the parameter p of `network.parameters`.
        """
        population = self.own(population)
        if population.neuron is None or population.kind == "pooling":
            why = "is an input" if population.neuron is None else "pools spikes"
            raise ValueError(f"{population.name!r} {why}: it has no threshold.")
        threshold = population.neuron.threshold
        if "threshold" in population.learn:
            threshold = threshold + self.parameters[population.name, "threshold"]
        return threshold

    def spike_jumps(self, population: Population | str) -> dict[str, Any]:
        """Return what a spike adds to the states of its own neuron, with what training has changed.

        Parameters
        ----------
        population
            One of the network, or its name.

        Returns
        -------
        State -> jump, one number or an array (n,).

        Notes
        -----
        jump = jump_0 exp(p), with the parameter p of `network.parameters`.
        """
        population = self.own(population)
        if population.neuron is None:
            return {}
        factor = 1.0
        if "jump" in population.learn:
            factor = np.exp(self.parameters[population.name, "jump"])
        return {state: jump * factor for state, jump in population.neuron.spike_jumps.items()}

    def psp(self, projection: Projection | str, n_steps: int) -> NDArray[np.float64]:
        """Return what a spike of weight 1 does to U of its targets, step by step.

        Parameters
        ----------
        projection
            One of the network, or its name.
        n_steps
            Number of steps.

        Returns
        -------
        (n_steps,) or (n_steps, n), with learned time constants as they are now.

        Raises
        ------
        ValueError
            If the targets are not linear in U.
        """
        projection = self.projection(projection)
        post = self[projection.post]
        if post.neuron is None:
            raise ValueError(f"{post.name!r} is an input: it has no potentials.")
        taus = self.time_constants(post)
        return psp(post.neuron, self.dt, projection.receptor, n_steps, taus)
