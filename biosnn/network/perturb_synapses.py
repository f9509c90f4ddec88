"""What is done to synapses for a whole run: LesionSynapses, Scale, Rewire."""

from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import choice, instance, keep, real
from ..support.chosen import chosen, share, share_size
from ..support.seeds import stream, whole_seed
from ..support.show import plural
from .connectivity import first_of_rows
from .perturb_neurons import Perturbation, keep_share
from .plasticity import InhibitorySTDP
from .projection import Projection
from .rewiring import in_rows, rewired


@dataclass(frozen=True, eq=False, repr=False)
class OfSynapses(Perturbation):
    """A perturbation of synapses of a projection."""

    projection: str | Projection

    def __post_init__(self) -> None:
        name = type(self).__name__
        allowed = "a projection, or its name, such as 'E->I'"
        instance(self.projection, f"{name}: projection", (str, Projection), allowed)

    def of(self, network: Any) -> Projection:
        """Return the projection that is perturbed.

        Parameters
        ----------
        network
            The Network.

        Raises
        ------
        ValueError
            If it has no such projection, or its weights are learned during a simulation.

        See Also
        --------
        biosnn.run : takes perturbations.
        """
        projection = network.projection(self.projection)
        what = f"{type(self).__name__}({projection.name!r})"
        if isinstance(projection.plasticity, InhibitorySTDP):
            raise ValueError(
                f"{what}: InhibitorySTDP changes these weights during a simulation, and would undo "
                "it. Perturb another projection, or one without plasticity."
            )
        if projection.name not in network.weights:
            raise ValueError(f"{what}: the projection has no weights yet; set them before.")
        return projection

    def onto(self, network: Any) -> None:
        """Change the weights or synapses of a network.

        Parameters
        ----------
        network
            A copy of a Network.

        See Also
        --------
        biosnn.perturb.apply : makes the copy.
        """
        raise NotImplementedError(f"{type(self).__name__} has no onto()")


@dataclass(frozen=True, eq=False, repr=False)
class _OfPairs(OfSynapses):
    """A perturbation of the weights of synapses between chosen neurons."""

    _: KW_ONLY
    pre: Any = None
    post: Any = None
    fraction: float = 1.0
    seed: int | np.random.Generator = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        keep_share(self)

    def _places(self, network):
        """The projection and the synapses that change: indices, in their order."""
        projection, found = self._between(network)
        rng = stream(whole_seed(self.seed), projection.name, "share")
        return projection, share(found, self.fraction, rng)

    def _between(self, network):
        """The projection and its synapses between the chosen neurons."""
        projection = self.of(network)
        what = f"{type(self).__name__}({projection.name!r})"
        marks = [
            _marks(getattr(self, end), network[getattr(projection, end)].n, f"{what}: {end}")
            for end in ("pre", "post")
        ]
        return projection, _between(network, projection.name, *marks)

    def _multiply(self, network, factor):
        """Multiply the weights of these synapses."""
        projection, places = self._places(network)
        weights, synapses = network.weights[projection.name], network.synapses.get(projection.name)
        whole = places.size == _size(network, projection)
        if whole:
            weights = weights * network.dtype.type(factor)
        else:
            _check_own_weights(synapses, f"{type(self).__name__}({projection.name!r})")
            shape = network.weight_shape(projection)
            weights = np.array(np.broadcast_to(weights, shape))
            if synapses is not None and synapses.weight_index is not None:
                places = synapses.weight_index[places]
            weights.reshape(-1)[places] *= network.dtype.type(factor)
        network.set_weights(projection.name, weights, copy=False)

    def text(self, network: Any) -> str:
        """Say in a line what it does to a network (see `Perturbation`)."""
        projection, found = self._between(network)
        size, n = _size(network, projection), share_size(found.size, self.fraction)
        return f"{n:,} of {plural(size, 'synapse')} of {projection.name}"


def _size(network, projection):
    """Number of synapses of a projection."""
    if projection.name in network.synapses:
        return network.synapses[projection.name].size
    return network[projection.pre].n * network[projection.post].n


def _marks(given, n, what):
    """(n,) whether a neuron is chosen, or None where all are."""
    if given is None:
        return None
    marks = np.zeros(n, bool)
    marks[chosen(given, n, what)] = True
    return marks


def _between(network, name, pre, post):
    """Indices of the synapses from marked neurons to marked neurons."""
    projection = network.projection(name)
    if pre is None and post is None:
        return np.arange(_size(network, projection))
    if name in network.synapses:
        synapses = network.synapses[name]
        found = (
            np.ones(synapses.size, bool) if pre is None else np.repeat(pre, np.diff(synapses.first))
        )
        return np.flatnonzero(found if post is None else found & post[synapses.target])
    pre = np.ones(network[projection.pre].n, bool) if pre is None else pre
    post = np.ones(network[projection.post].n, bool) if post is None else post
    return np.flatnonzero(pre[:, None] & post)


def _check_own_weights(synapses, what):
    """ValueError where synapses share weights, so that one of them cannot change alone."""
    if synapses is not None and synapses.shares_weights:
        raise ValueError(
            f"{what}: synapses of this projection share their weights (convolution), so some of "
            "them cannot change alone. Leave pre, post and fraction out, or use Lesion."
        )


def cut_off(network: Any, population: str, neurons: NDArray[np.int64]) -> None:
    """Set the weights of all synapses from some neurons to 0, where they have weights of their own.

    Parameters
    ----------
    network
        A copy of a Network.
    population, neurons
        The presynaptic neurons.
    """
    for projection in network.projections:
        known = projection.pre == population and projection.name in network.weights
        if known and can_be_0(network, projection):
            LesionSynapses(projection.name, pre=neurons).onto(network)


def can_be_0(network: Any, projection: Projection) -> bool:
    """Return whether single synapses can have the weight 0: they do not learn, nor share weights.

    Parameters
    ----------
    network
        A Network.
    projection
        One of its projections.
    """
    synapses = network.synapses.get(projection.name)
    shared = synapses is not None and synapses.shares_weights
    return not shared and not isinstance(projection.plasticity, InhibitorySTDP)


@dataclass(frozen=True, eq=False, repr=False)
class LesionSynapses(_OfPairs):
    """Synapses that are gone: their weights are 0.

    Parameters
    ----------
    projection
        A projection, or its name.
    pre, post
        Presynaptic and postsynaptic neurons between which synapses are cut: indices, a slice, a
        mask, or None for all.
    fraction
        The share of these synapses that is drawn at random, from 0 to 1.
    seed
        A whole number >= 0 or a numpy Generator. With one seed a larger fraction has the synapses
        of a smaller one.

    Raises
    ------
    ValueError
        If a number is not possible.

    Notes
    -----
    A run that goes on from a state may find spikes on their way. In `simulate` they arrive with the
    weights of before, with which they were sent; `run` and `evaluate` give them those of this run.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(10, bs.ei_lif(), "excitatory", name="E")
    >>> projection = net.connect(cells, cells, weights=np.ones((10, 10)))
    >>> cut = bs.perturb.LesionSynapses("E->E", fraction=0.3, seed=1)
    >>> float(bs.perturb.apply(net, [cut]).weights["E->E"].sum())
    70.0
    """

    def onto(self, network: Any) -> None:
        """Change the weights or synapses of a network (see `OfSynapses`)."""
        self._multiply(network, 0.0)


@dataclass(frozen=True, eq=False, repr=False)
class Scale(_OfPairs):
    """Synapses whose weights are multiplied.

    Parameters
    ----------
    projection
        A projection, or its name.
    factor
        What weights are multiplied by; not negative, since a synapse keeps its sign.
    pre, post, fraction, seed
        As for `LesionSynapses`.

    Raises
    ------
    ValueError
        If a number is not possible.

    Notes
    -----
    Spikes that are on their way from an earlier run: see `LesionSynapses`.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> projection = net.connect(cells, cells, weights=np.ones((2, 2)))
    >>> weaker = bs.perturb.Scale("E->E", 0.5, post=[1])
    >>> bs.perturb.apply(net, [weaker]).weights["E->E"]
    array([[1. , 0.5],
           [1. , 0.5]], dtype=float32)
    """

    factor: float

    def __post_init__(self) -> None:
        super().__post_init__()
        keep(self, factor=real(self.factor, "Scale: factor", 0, why="a synapse keeps its sign"))

    def onto(self, network: Any) -> None:
        """Change the weights or synapses of a network (see `OfSynapses`)."""
        self._multiply(network, self.factor)

    def text(self, network: Any) -> str:
        """Say in a line what it does to a network (see `Perturbation`)."""
        return f"{super().text(network)}, times {self.factor:g}"


#: What of a graph may stay as it is.
_KEPT = ("in-degree", "out-degree", "both")


@dataclass(frozen=True, eq=False, repr=False)
class Rewire(OfSynapses):
    """Synapses of a sparse projection that connect other neurons.

    Parameters
    ----------
    projection
        A sparse projection, or its name.
    fraction
        The share of its synapses, drawn at random, from 0 to 1.
    preserve
        "in-degree": these synapses keep their targets and have new sources; "out-degree": they keep
        their sources and have new targets; "both": they exchange their targets.
    seed
        A whole number >= 0 or a numpy Generator.

    Raises
    ------
    ValueError
        If a number is not possible.

    Notes
    -----
    A synapse keeps its weight and its delay. New pairs are uniform among those without a synapse;
    where the projection has several synapses of a pair, or of a neuron with itself, new ones may be
    such.

    References
    ----------
    Maslov & Sneppen (2002), Science 296:910-913: graphs with given degrees.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(50, bs.ei_lif(), "excitatory", name="E")
    >>> _ = net.connect(cells, cells, synapses=bs.FixedInDegree(5), weights=0.1, seed=1)
    >>> other = bs.perturb.apply(net, [bs.perturb.Rewire("E->E", fraction=0.5, seed=2)])
    >>> np.bincount(other.synapses["E->E"].target).tolist() == [5] * 50
    True
    """

    _: KW_ONLY
    fraction: float = 1.0
    preserve: str = "in-degree"
    seed: int | np.random.Generator = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        keep_share(self)
        keep(self, preserve=choice(self.preserve, "Rewire: preserve", _KEPT))

    def _synapses(self, network):
        """The projection and its synapses, which can be rewired."""
        projection = self.of(network)
        what = f"Rewire({projection.name!r})"
        synapses = network.synapses.get(projection.name)
        if synapses is None:
            raise ValueError(
                f"{what}: the projection is dense: all pairs are joined, so there are no others. "
                "Connect with synapses=…."
            )
        _check_own_weights(synapses, what)
        return projection, synapses

    def onto(self, network: Any) -> None:
        """Change the weights or synapses of a network (see `OfSynapses`)."""
        projection, old = self._synapses(network)
        rng = stream(whole_seed(self.seed), projection.name, "rewire")
        same = projection.pre == projection.post
        moved = share(np.arange(old.size), self.fraction, rng)
        pre, post = rewired(old, moved, self.preserve, same, rng, f"Rewire({projection.name!r})")
        order = in_rows(pre, post)
        target = post[order].astype(old.target.dtype)
        index = order if old.weight_index is None else old.weight_index[order]
        delay = old.delay[order] if old.several_delays else old.delay
        network.synapses[projection.name] = replace(
            old.in_memory(),
            first=first_of_rows(pre, old.n_pre),
            target=target,
            delay=delay,
            weight_index=index,
            weight_shape=(old.size,),
        )

    def text(self, network: Any) -> str:
        """Say in a line what it does to a network (see `Perturbation`)."""
        projection, synapses = self._synapses(network)
        n = share_size(synapses.size, self.fraction)
        kept = "in-degrees and out-degrees" if self.preserve == "both" else f"{self.preserve}s"
        return f"{n:,} of {plural(synapses.size, 'synapse')} of {projection.name}, {kept} kept"
