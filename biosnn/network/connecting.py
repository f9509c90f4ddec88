"""What `Network.connect` makes of rules, distributions and seeds: synapses, delays and weights."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..support import timegrid
from ..support.checks import shown
from ..support.memory import check_room
from ..support.seeds import stream
from . import network_checks, spatial
from .checked_rows import checked_rows
from .distributions import bounds_of
from .drawing import (
    compact_delays,
    draw_all,
    draw_delays,
    drawn_delays,
    drawn_weights,
    is_random,
)
from .drawn_synapses import DrawnSynapses
from .profiles import Profile
from .projection import Projection
from .random_connectivity import RandomRule
from .synapses import Synapses

_FEW = 1 << 16  # synapses that are drawn at once, with all that there is to check


def dense(network: Any, projection: Projection, weights: Any, seed: int | None) -> Any:
    """Return the weights of a dense projection, drawn if they are random, or None.

    Parameters
    ----------
    network
        The Network.
    projection
        The projection.
    weights, seed
        As for `connect`.

    Raises
    ------
    ValueError
        If it has a delay for every synapse, or there is no seed for what is random.
    """
    name, pre, post = projection.name, network[projection.pre], network[projection.post]
    if projection.delay is None:
        raise ValueError(
            f"projection {name!r}: a delay for every synapse needs a sparse projection; give "
            "synapses=…, which for all pairs is bs.Bernoulli(1.0)."
        )
    network_checks.check_seed(name, seed, is_random(weights))
    if isinstance(weights, Profile):
        check_room(f"projection {name!r}", pre.n * post.n, 8, "weights")
        return spatial.weights_by_distance(weights, pre, post, None, network.dtype)
    if not is_random(weights):
        return weights
    check_room(f"projection {name!r}", pre.n * post.n, network.dtype.itemsize, "weights")
    key = _key(seed, name, "weights")
    drawn = drawn_weights(weights, pre.n * post.n, key, network.dtype)
    return draw_all(drawn, network.dtype).reshape(pre.n, post.n)


def sparse(
    network: Any, projection: Projection, delay: Any, weights: Any, seed: int | None
) -> tuple[Synapses, Any]:
    """Return the synapses of a projection and their weights, or what draws them, or None.

    Parameters
    ----------
    network
        The Network.
    projection
        The projection.
    delay
        Seconds on the grid, one or one for every synapse, or what they are drawn from.
    weights, seed
        As for `connect`.

    Raises
    ------
    ValueError
        If something given is not possible.
    """
    name, rule = projection.name, projection.synapses
    network_checks.check_rule(name, rule)
    weights = getattr(rule, "weights", None) if weights is None else weights
    random = getattr(rule, "random", True) or is_random(weights) or is_random(delay)
    network_checks.check_seed(name, seed, random)
    pre, post = network[projection.pre], network[projection.post]
    rng = None if seed is None else stream(seed, name, "targets")
    if _can_wait(rule, delay):
        draws = rule.draws(pre.n, post.n, pre is post, rng)
        if draws.size > _FEW:
            synapses: Synapses = _drawn_later(network, projection, draws, delay, seed)
            return synapses, _weights(network, projection, synapses, weights, seed)
        rows = draws.rows()
    else:
        built = spatial.build_rows(rule, pre, post, rng)
        rows = checked_rows(built, pre.n, post.n, f"projection {name!r}: {shown(rule)}")
    index, shape = (None, None) if rows.shared is None else rows.shared
    synapses = Synapses(
        first=rows.first,
        target=rows.target,
        delay=0,
        n_post=post.n,
        weight_index=index,
        weight_shape=shape,
    )
    if synapses.shares_weights and projection.plasticity is not None:
        raise ValueError(
            f"projection {name!r}: synapses of {shown(rule)} share weights, which cannot be "
            "plastic."
        )
    steps = _steps(network, projection, synapses, delay, seed)
    for array in (rows.first, rows.target, steps, index):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    synapses = replace(synapses, delay=steps)
    return synapses, _weights(network, projection, synapses, weights, seed)


def _can_wait(rule, delay):
    """Whether synapses can be drawn later, without a fault that `connect` should have found."""
    if getattr(type(rule), "build", None) is not RandomRule.build:  # or that of a user's subclass
        return False
    if is_random(delay):
        low, _ = bounds_of(delay) or (-np.inf, np.inf)
        return low >= 0
    return not np.ndim(delay) and not isinstance(delay, Profile)


def _drawn_later(network, projection, draws, delay, seed):
    """Synapses that are drawn where they are needed."""
    name, pre, post = projection.name, network[projection.pre], network[projection.post]
    recipe = [projection.synapses, pre.n, post.n, pre is post, str(seed), name, delay, network.dt]
    if is_random(delay):
        key = _key(seed, name, "delays")
        steps = drawn_delays(delay, draws.size, key, network.dt, name)
        steps.part(0, 1)  # such as delays that are far too long are found here
    else:
        steps = timegrid.nearest_steps(delay, network.dt)
    return DrawnSynapses(draws, steps, post.n, recipe)


def _weights(network, projection, synapses, weights, seed):
    """Weights of a sparse projection, or what draws them, or None."""
    pre, post = network[projection.pre], network[projection.post]
    if isinstance(weights, Profile):
        return spatial.weights_by_distance(weights, pre, post, synapses, network.dtype)
    if not is_random(weights):
        return weights
    shape = synapses.weight_shape if synapses.shares_weights else (synapses.size,)
    key = _key(seed, projection.name, "weights")
    drawn = drawn_weights(weights, int(np.prod(shape)), key, network.dtype)
    bounds = bounds_of(weights)
    if isinstance(synapses, DrawnSynapses) and bounds:
        if bounds[0] >= 0 or not projection.non_negative:
            drawn.part(0, 1)  # such as weights that are no finite numbers are found here
            return drawn
    return draw_all(drawn, network.dtype).reshape(shape)


def _steps(network, projection, synapses, delay, seed):
    """Delays in steps: one number, or one for each synapse in their order."""
    name, dt = projection.name, network.dt
    if isinstance(delay, Profile):
        pre, post = network[projection.pre], network[projection.post]
        return spatial.delays_by_distance(delay, pre, post, synapses, dt, name)
    if is_random(delay):
        return draw_delays(drawn_delays(delay, synapses.size, _key(seed, name, "delays"), dt, name))
    steps: Any = timegrid.nearest_steps(delay, dt)
    if projection.delay is not None:
        return steps
    network_checks.check_size(name, "delays", steps, synapses.size)
    if synapses.weight_index is not None and not synapses.shares_weights:
        steps = steps[synapses.weight_index]
    return compact_delays(steps)


def _key(seed: Any, *names: str) -> int:
    """Return a whole number that the random numbers of one part of a projection depend on."""
    return int(stream(seed, *names).integers(2**63))
