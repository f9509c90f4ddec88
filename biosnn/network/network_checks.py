"""What populations and projections must be, checked before a network takes them."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support import checks
from ..support.checks import real, reals, refuse, shown, whole
from .convolution import MaxPool
from .drawing import is_random
from .escape import EscapeNoise
from .families import refuse_family
from .network_view import NetworkView
from .neuron import Neuron
from .population import SIGNS, Population
from .positions import Positions
from .profiles import Profile
from .surrogate import check_surrogate

_MOST = 2**31 - 1  # neurons of a population: kernels count them in 32 bits
#: Times of a neuron table and the most steps that kernels count: 32 and 16 bits.
_MOST_STEPS = (("refractory", _MOST - 1), ("jump_delay", 65535))
_RECEPTOR_OF_SIGN = {"excitatory": "exc", "inhibitory": "inh"}
_SIGN = {"excitatory": +1, "inhibitory": -1}


def checked_dtype(dtype: Any) -> np.dtype[Any]:
    """Return float32 or float64 as a type of numpy; ValueError for anything else."""
    try:
        found = None if dtype is None else np.dtype(dtype)
    except (TypeError, ValueError):
        found = None
    if found is None or found not in (np.float32, np.float64):
        refuse("dtype", dtype, "np.float32 or np.float64", "the kernels exist for these")
    return found


# -------------------------------------------------------------------------------------- populations


def check_population_name(name: Any) -> None:
    """Raise a ValueError unless states, projections and files can be named after a population."""
    if not checks.is_text(name) or not name or any(mark in name for mark in (".", "->", "/")):
        raise ValueError(
            f"population name {shown(name)}: it must be a non-empty text of characters that files "
            "can hold, without '.', '->' and '/', which separate populations from states, from "
            "each other, and groups in files."
        )


def checked_population(population: Population, dt: float, dtype: Any) -> Population:
    """Return a population with plain numbers; ValueError for what is not possible.

    Parameters
    ----------
    population
        As it was described.
    dt
        The time step in seconds.
    dtype
        Type of the states.
    """
    name = population.name
    n = whole(population.n, f"population {name!r}: n, the number of neurons,", 1, _MOST)
    if not isinstance(population.sign, str) or population.sign not in SIGNS:
        raise ValueError(
            f"population {name!r}: sign {shown(population.sign)} is not one of {', '.join(SIGNS)}."
        )
    initial = _initial(population.initial, f"population {name!r}: initial", n, dtype)
    population = replace(population, n=n, initial=initial)
    _check_positions(population)
    if population.kind != "input":
        _check_parts(population)
        _check_numbers(population)
        _check_times(population, dt)
        _check_learn(population)
    return population


def _initial(given, what, n, dtype):
    """U at the start of a trial: a number, or a read-only array (n,)."""
    initial = reals(given, what) if checks.has_axes(given) else real(given, what)
    reals(initial, what, dtype=dtype)  # finite in single precision, too
    if np.shape(initial) not in ((), (n,)):
        raise ValueError(f"{what} has shape {np.shape(initial)}; it must be one number or ({n},).")
    if np.ndim(initial):
        initial = np.array(initial)
        initial.flags.writeable = False
    return initial


def check_bias(population: Population, bias: Any, dtype: Any) -> None:
    """Raise a ValueError unless a population can have this bias, a number or an array (n,)."""
    name, n = population.name, population.n
    bias = reals(bias, f"population {name!r}: bias", dtype=dtype)
    if bias.shape not in ((), (n,)):
        raise ValueError(
            f"population {name!r}: bias has shape {bias.shape}; it must be one finite number or "
            f"({n},)."
        )


def _check_positions(population):
    """There is a position for each neuron, if there are any."""
    name, positions = population.name, population.positions
    if positions is None:
        return
    if not isinstance(positions, Positions):
        refuse(
            f"population {name!r}: positions",
            positions,
            "positions of bs.space, such as bs.space.grid((20, 10), (2e-3, 1e-3)) or "
            "bs.space.Positions(coordinates)",
        )
    if positions.n != population.n:
        raise ValueError(
            f"population {name!r}: {positions.n} positions for {population.n} neurons."
        )


def _check_parts(population):
    """Neuron, surrogate and noise are what they should be."""
    name, neuron, noise = population.name, population.neuron, population.noise
    if not isinstance(neuron, Neuron):
        raise ValueError(
            f"population {name!r}: neuron is {shown(neuron)}; it must be a neuron model, such as "
            "lif(…) or ei_lif(…)."
        )
    if population.kind == "spiking":
        check_surrogate(population.surrogate, f"population {name!r}: surrogate")
    if noise is not None and not isinstance(noise, EscapeNoise):
        raise ValueError(
            f"population {name!r}: noise is {shown(noise)}; use SigmoidEscape(…) or "
            "ExponentialEscape(…)."
        )


def _check_numbers(population):
    """What differs from neuron to neuron is there for each of them."""
    words = {
        "time_constants": "time constant ",
        "reversal": "reversal of ",
        "spike_jumps": "jump of ",
    }
    for (part, *keys), values in population.neuron.per_neuron.items():
        if values.size != population.n:
            what = words[part] + repr(keys[0]) if keys else part
            raise ValueError(
                f"population {population.name!r}: {values.size} values of {what} for "
                f"{population.n} neurons."
            )


def _check_times(population, dt):
    """The time step resolves the time constants, and kernels can count the times."""
    name, neuron = population.name, population.neuron
    for tau, value in neuron.time_constants.items():
        if (least := np.min(value)) < dt:
            raise ValueError(
                f"population {name!r}: time constant {tau!r} is {least:g} s, below the time "
                f"step dt = {dt:g} s, which is too coarse to resolve it. Use a smaller dt."
            )
    for what, most in _MOST_STEPS:
        period = np.max(getattr(neuron, what))
        if period / dt >= most + 0.5:
            raise ValueError(
                f"population {name!r}: {what} is {period:g} s, {period / dt:.3g} steps of dt = "
                f"{dt:g} s; it can be {most} steps at most."
            )
    neuron.warn_if_rounded(dt, f"population {name!r}")


def _check_learn(population):
    """What is to be learned exists, for the population or for each neuron."""
    neuron = population.neuron
    known = [*neuron.time_constants]
    known += ["threshold"] if neuron.spiking else []
    known += ["jump"] if neuron.spike_jumps else []
    for tau, shared in population.learn.items():
        possible = isinstance(shared, str) and shared in ("population", "neuron")
        if tau not in known or not possible:
            raise ValueError(
                f"population {population.name!r}: learn has {tau!r}: {shared!r}; it maps names of "
                f"what can be learned ({', '.join(known)}) to 'population' or 'neuron'."
            )


def checked_learn(learn: Any) -> dict[str, str]:
    """Return what is to be learned as a dict of its own; ValueError for anything but a dict."""
    if not isinstance(learn, (dict, type(None))):
        refuse("learn", learn, 'a dict, such as {"mem": "neuron"}')
    return dict(learn or {})


def check_pooling(source: Population, pooling: Any) -> None:
    """Raise a ValueError unless the spikes of `source` can be pooled by `pooling`."""
    if source.kind == "input":
        raise ValueError(
            f"{source.name!r} is an input: pool its spike trains before they enter, spikes, shape "
            "= bs.max_pool(spikes, …)."
        )
    if source.kind == "readout":
        raise ValueError(
            f"{source.name!r} is a readout: it never spikes, so there is nothing to pool."
        )
    if not isinstance(pooling, MaxPool):
        raise ValueError(
            f"pooling is {shown(pooling)}; it must be MaxPool(shape, size), with the shape of the "
            f"feature maps of {source.name!r}."
        )
    if source.n != np.prod(pooling.shape):
        raise ValueError(
            f"{source.name!r} has {source.n} neurons; feature maps of shape {pooling.shape} have "
            f"{int(np.prod(pooling.shape))}."
        )


# -------------------------------------------------------------------------------------- projections


def check_ends(pre: Population, post: Population, plasticity: Any) -> None:
    """Raise a ValueError unless a projection can lead from `pre` to `post`."""
    if post.kind == "input":
        raise ValueError(
            f"{post.name!r} is an input: its spikes come from data, so nothing can project onto it."
        )
    if pre.kind == "readout":
        raise ValueError(
            f"{pre.name!r} is a readout: it never spikes, so it cannot project onto anything."
        )
    if post.kind == "pooling":
        raise ValueError(
            f"{post.name!r} pools the spikes of {post.source!r} and receives nothing else: project "
            "onto that."
        )
    if pre.kind == "pooling" and plasticity is not None:
        raise ValueError(
            f"{pre.name!r} pools spikes: plastic projections come from neurons. Connect "
            f"{pre.source!r} instead."
        )


def receptor_of(pre: Population, post: Population, receptor: Any) -> str:
    """Return the receptor that a projection goes to; ValueError where it would break Dale's law.

    Parameters
    ----------
    pre, post
        The two populations.
    receptor
        A name, or None for the one that the sign of `pre` chooses.
    """
    assert post.neuron is not None
    receptors = post.neuron.receptors
    if receptor is None:
        receptor = _RECEPTOR_OF_SIGN.get(pre.sign, "syn")
        if post.kind == "readout":
            receptor = "syn"
        if receptor not in receptors and receptor == "syn":
            receptor = "exc"
    if not isinstance(receptor, str) or receptor not in receptors:
        raise ValueError(
            f"population {post.name!r} ({post.neuron.model}) has no receptor {shown(receptor)}; it "
            f"has {', '.join(receptors)}."
        )
    pre_sign, sign = _SIGN.get(pre.sign, 0), receptors[receptor].sign
    if pre_sign and post.kind != "readout" and sign != pre_sign:
        reason = "takes weights of either sign" if sign == 0 else "has the other sign"
        raise ValueError(
            f"{pre.name!r} is {pre.sign}, but receptor {receptor!r} of {post.name!r} {reason}: "
            "that would break Dale's law."
        )
    return receptor


def check_rule(name: str, rule: Any) -> None:
    """Raise a ValueError unless the synapses of projection `name` are given by a rule."""
    if isinstance(rule, Profile):
        raise ValueError(
            f"projection {name!r}: synapses is {shown(rule)}, a function of distance; give a rule "
            "that draws with it: bs.space.Bernoulli(…) or bs.space.FixedInDegree(100, …)."
        )
    if isinstance(rule, type) or not hasattr(rule, "build"):
        raise ValueError(
            f"projection {name!r}: synapses is {shown(rule)}; it must be a rule such as "
            "Bernoulli(0.1) or FixedInDegree(100), Pairs(pre, post), or from_scipy(matrix)."
        )


def check_sources(name: str, weights: Any, delay: Any) -> None:
    """Raise a ValueError if weights or delays would be drawn from a class or a family.

    Parameters
    ----------
    name
        Of the projection.
    weights, delay
        As for `Network.connect`.
    """
    if isinstance(weights, type):
        raise ValueError(
            f"projection {name!r}: weights are the class {weights.__name__}; give a distribution, "
            "such as Exponential(0.2)."
        )
    refuse_family(weights, f"projection {name!r}: weights")
    refuse_family(delay, f"projection {name!r}: delays")


def check_seed(name: str, seed: Any, random: bool) -> None:
    """Raise a ValueError where a projection is drawn at random without a seed."""
    if random and seed is None:
        raise ValueError(
            f"projection {name!r} is drawn at random: give a seed, a whole number or a numpy "
            "Generator."
        )


def check_size(name: str, what: str, values: NDArray[Any], size: int) -> None:
    """Raise a ValueError unless there is one value for every synapse of projection `name`."""
    if values.shape != (size,):
        raise ValueError(
            f"projection {name!r}: {what} have shape {values.shape}; they must be one number or "
            f"({size},), one for every synapse."
        )


def checked_weights(name: str, weights: Any, dtype: Any, copy: bool) -> NDArray[Any]:
    """Return weights as an array of the network's type, of any shape.

    Those that have the type already are not looked at, since they may be many: dale.check_weights
    sees whether they are finite.

    Parameters
    ----------
    name
        Name of the projection, for messages.
    weights
        Numbers; distributions and tensors are refused, with what to do instead.
    dtype
        Type of the network.
    copy
        Whether an array of that type is copied.
    """
    what = f"projection {name!r}: weights"
    if is_random(weights):
        raise ValueError(
            f"{what} are {shown(weights)}; set_weights takes numbers. Give distributions to "
            "connect, with a seed."
        )
    if hasattr(weights, "detach"):
        raise ValueError(
            f"{what} are a tensor of PyTorch, whose layers have (post, pre): give "
            "bs.interop.from_torch(weights), which transposes, or weights.detach().numpy() where "
            "they are (pre, post) already."
        )
    if type(weights) is not np.ndarray or weights.dtype != dtype:
        return np.array(reals(weights, what, dtype=dtype), copy=copy or None)
    return np.array(weights, copy=copy or None)


def check_complete(network: NetworkView) -> None:
    """Raise a ValueError unless a network has something to simulate, and all its weights."""
    if not network.spiking + network.readouts:
        raise ValueError(
            "the network has no populations to simulate; add one with net.population(...) or "
            "net.readout(...)."
        )
    missing = [p.name for p in network.projections if p.name not in network.weights]
    if missing:
        raise ValueError(
            f"projections without weights: {', '.join(missing)}. Give them to connect or "
            "set_weights, or call fluctuation_driven(net, …)."
        )
