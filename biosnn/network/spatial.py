"""What a network does with positions: rules, weights and delays by distance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..support import plausible
from ..support.checks import network as checked_network
from ..support.checks import reals, shown
from ..support.warn import UnitWarning, warn
from .drawing import compact_delays, delay_steps
from .population import Population
from .positions import Positions, check_spaces, shortest
from .profiles import Conduction, Profile, norm
from .synapses import Rows, Synapses

_AT_ONCE = 1 << 18  # synapses whose distances are held together


def build_rows(rule: Any, pre: Population, post: Population, rng: Any) -> Rows:
    """Return what a rule builds between two populations.

    Parameters
    ----------
    rule
        Any rule. One by distance is given the positions.
    pre, post
        The populations.
    rng
        A numpy Generator, or None.
    """
    if not hasattr(rule, "build_between"):
        return rule.build(pre.n, post.n, pre is post, rng)
    return rule.build_between(*spaces(pre, post, shown(rule)), pre is post, rng)


def spaces(pre: Population, post: Population, what: str) -> tuple[Positions, Positions]:
    """Return the positions of two populations, between which there are distances.

    Parameters
    ----------
    pre, post
        The populations.
    what
        What needs them, for the message.

    Raises
    ------
    ValueError
        If one has no positions, or they are in different spaces.
    """
    for population in (pre, post):
        if population.positions is None:
            raise ValueError(
                f"{what} needs to know where the neurons are, and {population.name!r} has no "
                "positions: net.population(…, positions=bs.space.grid(…))."
            )
    assert pre.positions is not None and post.positions is not None
    check_spaces(pre.positions, post.positions, f"{what}, {pre.name!r} to {post.name!r}")
    return pre.positions, post.positions


def weights_by_distance(
    profile: Profile, pre: Population, post: Population, synapses: Synapses | None, dtype: DTypeLike
) -> NDArray[Any]:
    """Return weights that a profile gives.

    Parameters
    ----------
    profile
        Distance -> weight.
    pre, post
        The populations.
    synapses
        Those of a sparse projection; None of a dense one.
    dtype
        Type of the weights.

    Returns
    -------
    (synapses,) in the order of the weights, or (pre, post).
    """
    places = spaces(pre, post, shown(profile))
    if synapses is None:
        everybody = np.arange(post.n)
        rows = [_values(profile, places, np.full(post.n, j), everybody) for j in range(pre.n)]
        return reals(np.stack(rows), f"weights of {shown(profile)}", dtype=dtype)
    result = np.empty(synapses.size, dtype)
    for part, sources in _parts(synapses):
        values = _values(profile, places, sources, synapses.target[part])
        result[part] = reals(values, f"weights of {shown(profile)}", dtype=dtype)
    return result if synapses.shares_weights else synapses.in_order_of_weights(result)


def delays_by_distance(
    profile: Profile, pre: Population, post: Population, synapses: Synapses, dt: float, what: str
) -> NDArray[Any]:
    """Return delays in steps that a profile gives.

    Parameters
    ----------
    profile
        Distance -> seconds.
    pre, post
        The populations.
    synapses
        Those of the projection.
    dt
        The time step in seconds.
    what
        Whose delays, for messages.

    Returns
    -------
    (synapses,) steps, the nearest, as uint8 if they fit, else as uint16.
    """
    places = spaces(pre, post, shown(profile))
    steps = np.empty(synapses.size, np.uint16)
    least, longest = np.inf, 0.0
    for part, sources in _parts(synapses):
        delays = _values(profile, places, sources, synapses.target[part])
        steps[part] = delay_steps(delays, dt, f"{what}: {shown(profile)}")
        least, longest = min(least, float(delays.min())), max(longest, float(delays.max()))
    if longest > plausible.DELAY:
        hint = ", and positions and velocities in metres" if isinstance(profile, Conduction) else ""
        warn(
            f"{what}: the longest delay by distance is {longest:g} s. Delays are in seconds{hint}.",
            UnitWarning,
        )
    if isinstance(profile, Conduction) and 0 < longest - least < dt / 2:
        warn(
            f"{what}: {shown(profile)} makes delays that differ by {longest - least:.3g} s at "
            f"most, which is little beside a step of {dt:g} s: distance hardly changes them. "
            "Positions are in metres, and velocities in metres per second.",
            UnitWarning,
        )
    return compact_delays(steps)


def distances(network: Any, projection: Any) -> NDArray[np.float64]:
    """Return the distance between the two neurons of every synapse.

    Parameters
    ----------
    network
        A network.
    projection
        One of its projections, or the name, between populations that have positions.

    Returns
    -------
    (synapses,) distances, in the unit of the positions (metres). They are in the order of
    `Network.indices`: by presynaptic and then by postsynaptic neuron.

    Raises
    ------
    ValueError
        If a population has no positions.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> a = net.population(4, bs.lif(), name="A", positions=bs.space.ring(4, 1.0))
    >>> projection = net.connect(
    ...     a, a, synapses=bs.Pairs([0, 0, 3], [1, 2, 0]), weights=0.1
    ... )
    >>> bs.space.distances(net, "A->A")
    array([0.25, 0.5 , 0.25])
    """
    network = checked_network(network)
    projection = network.projection(projection)
    pre, post = network[projection.pre], network[projection.post]
    places = spaces(pre, post, f"projection {projection.name!r}: the distance of a synapse")
    j, i, _, _ = network.indices(projection)
    return norm(_away(places, j, i))


# ------------------------------------------------------------------------------------------- inside


def _parts(synapses):
    """Slices of synapses, each with the presynaptic neurons."""
    for start in range(0, synapses.size, _AT_ONCE):
        part = slice(start, min(start + _AT_ONCE, synapses.size))
        here = np.arange(part.start, part.stop)
        yield part, np.searchsorted(synapses.first, here, side="right") - 1


def _values(profile, places, j, i):
    """What a profile gives synapses from neurons j to neurons i."""
    extent = np.array(places[0].extent) if places[0].periodic else None
    return profile.between(_away(places, j, i), extent)


def _away(places, j, i):
    """(dimensions, synapses) differences of coordinates, the shortest way round."""
    pre, post = places
    extent = np.array(pre.extent) if pre.periodic else None
    return shortest((post.coordinates[i] - pre.coordinates[j]).T, extent)
