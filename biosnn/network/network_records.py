"""A network as records of JSON and arrays: what a file of it holds, and what that must be.

What a record is says stored_parts.py; networks are built of records in network_building.py.
"""

from math import prod
from typing import Any

import numpy as np

from ..support import checks, json_parts, schema
from ..support.json_parts import count, each, maybe, number, record, text
from . import stored_parts
from .convolution import MaxPool
from .network import Network
from .population import SIGNS, Population
from .projection import Projection
from .stored_parts import PLASTICITIES, RULES, place
from .synapses import target_type

#: Kinds of arrays that the file of a network holds; the names of others begin otherwise.
ARRAYS = (
    "delay",
    "first",
    "initial",
    "parameter",
    "positions",
    "target",
    "weight",
    "weight_index",
    *stored_parts.ARRAYS,
)
_MOST_WEIGHTS = 1 << 40  # elements of an array of weights: so many fit into no memory
_POOLS = {"MaxPool": MaxPool}
_SPACE = maybe(record(extent=maybe(each(number)), periodic=checks.flag))


def _choice(*allowed: str) -> json_parts.Checker:
    """One of a few texts."""
    return lambda value, name: checks.choice(value, name, allowed)


def _rule(value: Any, name: str) -> Any:
    """A rule of biosnn, or the words and the in-degree of another one."""
    if isinstance(value, dict) and "class" not in value:
        return record(words=text, in_degree=number)(value, name)
    return stored_parts.built(value, RULES, name)


_NEURONS = dict(
    name=text,
    n=count,
    sign=_choice(*SIGNS),
    positions=_SPACE,
    neuron=stored_parts.NEURON,
    surrogate=stored_parts.of(stored_parts.SURROGATES),
    initial=maybe(number),
    learn=each(record(name=text, shared=_choice("population", "neuron"))),
    noise=stored_parts.of(stored_parts.NOISES),
    bias=checks.flag,
)
#: Kind of a population -> its record.
_POPULATIONS = {
    "input": record(kind=text, name=text, n=count, sign=_choice(*SIGNS), positions=_SPACE),
    "spiking": record(kind=text, **_NEURONS),
    "readout": record(kind=text, **_NEURONS),
    "pooling": record(kind=text, name=text, source=text, pooling=stored_parts.of(_POOLS)),
}


def _population(value: Any, name: str) -> Any:
    """A population of any kind."""
    kind = value.get("kind") if isinstance(value, dict) else None
    return _POPULATIONS[checks.choice(kind, f"{name}: kind", _POPULATIONS)](value, name)


#: The record of a network.
NETWORK = record(
    dt=number,
    dtype=_choice("float32", "float64"),
    populations=each(_population),
    projections=each(
        record(
            name=text,
            pre=text,
            post=text,
            receptor=text,
            delay=maybe(number),
            rule=_rule,
            weight_shape=maybe(each(count)),
            weights=maybe(each(count)),
            plasticity=stored_parts.of(PLASTICITIES),
            frozen=checks.flag,
            gradient_to_source=checks.flag,
        )
    ),
)


# ------------------------------------------------------------------------------- of a network


def records(network: Network) -> dict[str, Any]:
    """Return the record of a network.

    Parameters
    ----------
    network
        The network.

    Raises
    ------
    ValueError
        If a part of it is of a class of the user that computes something else than those of biosnn.
    """
    return {
        "dt": network.dt,
        "dtype": network.dtype.name,
        "populations": [_of_population(each) for each in network.populations],
        "projections": [_of_projection(network, each) for each in network.projections],
    }


def arrays_of(network: Network) -> dict[str, Any]:
    """Return the arrays of a network: synapses, weights, parameters, and values per neuron.

    Parameters
    ----------
    network
        The network.
    """
    found: dict[str, Any] = {}
    for population in network.populations:
        if population.neuron is not None and population.kind != "pooling":
            found |= stored_parts.neuron_arrays(population.neuron, population.name)
        if np.ndim(population.initial):
            found[place("initial", population.name)] = population.initial
        if population.positions is not None:
            coordinates = np.asarray(population.positions.coordinates)
            found[place("positions", population.name)] = coordinates
    for (population_name, name), p in network.parameters.items():
        found[place("parameter", population_name, name)] = np.asarray(p, np.float64)
    for name, synapses in network.synapses.items():
        found[place("first", name)] = synapses.first
        found[place("target", name)] = synapses.target
        if network.projection(name).delay is None:
            found[place("delay", name)] = synapses.delay
        if synapses.weight_index is not None:
            found[place("weight_index", name)] = synapses.weight_index
    for name, weights in network.weights.items():
        found[place("weight", name)] = np.asarray(weights, network.dtype)
    return found


def _of_population(population: Population) -> dict[str, Any]:
    """The record of a population."""
    what = f"population {population.name!r}"
    own: dict[str, Any] = {"kind": population.kind, "name": population.name}
    if population.kind == "pooling":
        pooling = stored_parts.described(population.pooling, _POOLS, f"{what}: pooling")
        return own | {"source": population.source, "pooling": pooling}
    own |= {"n": population.n, "sign": str(population.sign), "positions": None}
    if (positions := population.positions) is not None:
        extent = json_parts.plain(positions.extent)
        own["positions"] = {"extent": extent, "periodic": positions.periodic}
    if population.neuron is None:
        return own
    surrogates, noises = stored_parts.SURROGATES, stored_parts.NOISES
    return own | {
        "neuron": stored_parts.describe_neuron(population.neuron, what),
        "surrogate": stored_parts.described(population.surrogate, surrogates, f"{what}: surrogate"),
        "initial": None if np.ndim(population.initial) else population.initial,
        "learn": [
            {"name": name, "shared": str(shared)} for name, shared in population.learn.items()
        ],
        "noise": stored_parts.described(population.noise, noises, f"{what}: noise"),
        "bias": population.bias,
    }


def _of_projection(network: Network, projection: Projection) -> dict[str, Any]:
    """The record of a projection."""
    what = f"projection {projection.name!r}"
    rule, synapses = projection.synapses, network.synapses.get(projection.name)
    if rule is None or type(rule) in RULES.values():
        words = stored_parts.described(rule, RULES, what)
    else:  # what it has built is in the arrays
        words = {"words": _words(rule), "in_degree": float(network.in_degree(projection))}
    shape = None if synapses is None else json_parts.plain(synapses.weight_shape)
    weights = network.weights.get(projection.name)
    plasticity = stored_parts.described(projection.plasticity, PLASTICITIES, f"{what}: plasticity")
    return {
        "name": projection.name,
        "pre": projection.pre,
        "post": projection.post,
        "receptor": projection.receptor,
        "delay": projection.delay,
        "rule": words,
        "weight_shape": shape,
        "weights": None if weights is None else list(np.shape(weights)),
        "plasticity": plasticity,
        "frozen": projection.frozen,
        "gradient_to_source": projection.gradient_to_source,
    }


def _words(rule: Any) -> str:
    """The first line of what a rule prints."""
    line = repr(rule).partition("\n")[0]
    return line if checks.is_text(line) else type(rule).__name__


# ------------------------------------------------------------------------------- of a file


def of_format_4(record: Any) -> Any:
    """Return a record of a file of format 4, whose neurons have no magnesium block, as today's.

    Parameters
    ----------
    record
        As JSON holds it; what is no record stays as it is, for `NETWORK` to refuse.

    Examples
    --------
    >>> of_format_4({"populations": [{"neuron": {"model": "lif"}}]})
    {'populations': [{'neuron': {'magnesium': [], 'model': 'lif'}}]}
    """
    if not isinstance(record, dict) or not isinstance(record.get("populations"), list):
        return record
    populations = [_of_format_4(each) for each in record["populations"]]
    return record | {"populations": populations}


def _of_format_4(population):
    """The record of a population, likewise."""
    neuron = population.get("neuron") if isinstance(population, dict) else None
    if not isinstance(neuron, dict):
        return population
    return population | {"neuron": {"magnesium": []} | neuron}


def rules(entry: dict[str, Any], arrays: dict[str, Any]) -> dict[str, schema.Rule]:
    """Return the schema of the arrays that belong to a record: names, types and shapes.

    Parameters
    ----------
    entry
        Of the network, checked by `NETWORK`.
    arrays
        Of the file: they say how many synapses there are.
    """
    sizes = {each["name"]: _size(each) for each in entry["populations"]}
    known: dict[str, schema.Rule] = {}
    for population in entry["populations"]:
        if "neuron" in population:
            known |= _rules_of_neurons(population)
        if population.get("positions") is not None:
            rule = schema.Rule(np.float64, (population["n"], None))
            known[place("positions", population["name"])] = rule
    for projection in entry["projections"]:
        for end in ("pre", "post"):
            if projection[end] not in sizes:
                raise ValueError(
                    f"projection {projection['name']!r}: {end} is {projection[end]!r}; there are "
                    f"{', '.join(sizes) or 'no populations'}."
                )
        n_pre, n_post = sizes[projection["pre"]], sizes[projection["post"]]
        known |= _rules_of_synapses(projection, n_pre, n_post, arrays)
        known |= _rules_of_weights(projection, n_pre, n_post, arrays, np.dtype(entry["dtype"]))
    return known


def _size(entry):
    """Number of neurons of a population."""
    return entry["n"] if "n" in entry else prod(entry["pooling"].output_shape)


def _rules_of_neurons(entry):
    """The schema of values per neuron and of learned parameters."""
    name, n = entry["name"], entry["n"]
    known = stored_parts.neuron_rules(entry["neuron"], name, n)
    if entry["initial"] is None:
        known[place("initial", name)] = schema.Rule(np.float64, (n,))
    for learned in entry["learn"]:
        shape = () if learned["shared"] == "population" else (n,)
        known[place("parameter", name, learned["name"])] = schema.Rule(np.float64, shape)
    if entry["bias"]:
        known[place("parameter", name, "bias")] = schema.Rule(np.float64, (n,))
    return known


def _rules_of_synapses(entry, n_pre, n_post, arrays):
    """The schema of the rows of a sparse projection, whose values `checked_rows` looks at."""
    name = entry["name"]
    if entry["rule"] is None:
        return {}
    size = np.size(arrays.get(place("target", name), ()))
    known = {
        place("first", name): schema.Rule(np.int64, (n_pre + 1,)),
        place("target", name): schema.Rule(target_type(n_post), (size,)),
    }
    if entry["delay"] is None:
        given = np.asarray(arrays.get(place("delay", name), 0)).dtype
        kind = np.uint16 if given == np.uint16 else np.uint8
        known[place("delay", name)] = schema.Rule(kind, (size,))
    if entry["weight_shape"] is not None:
        if (most := prod(entry["weight_shape"])) > _MOST_WEIGHTS:
            raise ValueError(f"projection {name!r}: no memory holds {most} weights.")
        known[place("weight_index", name)] = schema.Rule(np.int64, (size,))
    return known


def _rules_of_weights(entry, n_pre, n_post, arrays, dtype):
    """The schema of weights, where they are set."""
    if entry["weights"] is None:
        return {}
    name, shape = entry["name"], tuple(entry["weights"])
    size = np.size(arrays.get(place("target", name), ()))
    if entry["rule"] is None:
        possible = [(n_pre, n_post)]
    elif entry["weight_shape"] in (None, [size]):
        possible = [(size,), ()]
    else:
        possible = [tuple(entry["weight_shape"])]
    if shape not in possible:
        raise ValueError(
            f"projection {name!r}: weights have shape {shape}; they can have "
            f"{' or '.join(map(str, possible))}."
        )
    return {place("weight", name): schema.Rule(dtype, shape)}
