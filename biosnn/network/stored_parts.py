"""Surrogates, noise, plasticity, rules and neuron tables as records of JSON, and back.

A record names a class of biosnn and its numbers. Arrays (one value per neuron) lie beside the
records, under names that `place` makes.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeAlias

import numpy as np

from ..support import checks, json_parts, schema
from ..support.json_parts import each, maybe, number, record, text
from . import neuron_checks, surrogate
from .connectivity import BlockDiagonal, FanOut, OneToOne
from .convolution import Convolution
from .escape import ExponentialEscape, SigmoidEscape
from .neuron import Neuron, NonlinearDrive, Receptor
from .plasticity import InhibitorySTDP, SaturatingGating, TsodyksMarkram
from .random_connectivity import Bernoulli, FixedInDegree, FixedOutDegree, FixedTotal

Classes: TypeAlias = dict[str, type[Any]]

SURROGATES: Classes = {kind.__name__: kind for kind in surrogate.Surrogate.__subclasses__()}
NOISES: Classes = {kind.__name__: kind for kind in (SigmoidEscape, ExponentialEscape)}
PLASTICITIES: Classes = {
    kind.__name__: kind for kind in (TsodyksMarkram, SaturatingGating, InhibitorySTDP)
}
RULES: Classes = {
    kind.__name__: kind
    for kind in (
        Bernoulli,
        BlockDiagonal,
        Convolution,
        FanOut,
        FixedInDegree,
        FixedOutDegree,
        FixedTotal,
        OneToOne,
    )
}
_DRIVES: Classes = {"NonlinearDrive": NonlinearDrive}
#: What kernels read of an object besides its fields.
_READ = ("_code", "support")


# ------------------------------------------------------------------------------- objects of a class


def described(part: Any, classes: Classes, what: str) -> dict[str, Any] | None:
    """Return a record of an object.

    Parameters
    ----------
    part
        An object of one of the classes, or of a class that derives from one and computes the same;
        or None.
    classes
        Name -> class.
    what
        Whose part, for messages.

    Raises
    ------
    ValueError
        If it is of a class of the user that computes something else.
    """
    if part is None:
        return None
    kind = next((each for each in type(part).__mro__ if each in classes.values()), None)
    if kind is None or not (type(part) is kind or _is_same(part, kind)):
        raise ValueError(
            f"{what} is {checks.shown(part)}, of a class of your own ({type(part).__name__}): "
            "files hold no code, so what it computes would be lost. Those of biosnn are "
            f"{', '.join(classes)}."
        )
    values = {each.name: json_parts.plain(getattr(part, each.name)) for each in fields(kind)}
    return {"class": kind.__name__} | values


def _is_same(part, kind):
    """Whether an object of a derived class is to kernels what one of `kind` is."""
    same = kind(**{each.name: getattr(part, each.name) for each in fields(kind)})
    return all(getattr(part, name, None) == getattr(same, name, None) for name in _READ)


def built(value: Any, classes: Classes, what: str) -> Any:
    """Return the object of a record that `described` made.

    Parameters
    ----------
    value
        As JSON holds it.
    classes
        Name -> class.
    what
        Whose part, for messages.
    """
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("class") not in list(classes):
        checks.refuse(what, value, f"a record with a class that is one of {', '.join(classes)}")
    kind = classes[value["class"]]
    names = [each.name for each in fields(kind)]
    json_parts.check_names(value, ["class", *names], what)
    return kind(**{name: json_parts.scalar(value[name], f"{what}: {name}") for name in names})


def of(classes: Classes) -> json_parts.Checker:
    """Return a checker (json_parts.py) of records that `described` made, which builds the object.

    Parameters
    ----------
    classes
        Name -> class.
    """
    return lambda value, name: built(value, classes, name)


# ------------------------------------------------------------------------------------ neuron tables


def _reset(value: Any, name: str) -> Any:
    """A number, "subtract" or null."""
    return value if value is None or value == "subtract" else number(value, name)


#: What the record of a neuron table holds.
NEURON = record(
    model=text,
    states=each(record(name=text, time_constant=text)),
    gains=each(record(to=text, by=text, gain=number)),
    receptors=each(record(name=text, state=text, jump=number, sign=checks.whole)),
    time_constants=each(record(name=text, seconds=maybe(number))),
    threshold=maybe(number),
    reset=_reset,
    refractory=maybe(number),
    integrator=text,
    reversal=each(record(state=text, potential=maybe(number))),
    magnesium=each(record(state=text, eta=number, gamma=number)),
    spike_jumps=each(record(state=text, jump=maybe(number))),
    nonlinear_drive=of(_DRIVES),
    jump_delay=number,
    low=maybe(number),
    high=maybe(number),
)

#: Part of a table with numbers by name -> (kind of its arrays, name of an entry of the record, its
#: value).
_BY_NAME = {
    "time_constants": ("time_constant", "name", "seconds"),
    "reversal": ("reversal", "state", "potential"),
    "spike_jumps": ("spike_jump", "state", "jump"),
}
#: Kinds of arrays that the file holds of a neuron table.
ARRAYS = (*neuron_checks.NUMBERS, *(kind for kind, _, _ in _BY_NAME.values()))


def place(kind: str, *names: str) -> str:
    """Return the name of an array in the file: its kind, then whose it is.

    Examples
    --------
    >>> place("time_constant", "E", "mem")
    'time_constant/E/mem'
    """
    return "/".join((kind, *names))


def neuron_arrays(neuron: Neuron, population: str) -> dict[str, Any]:
    """Return the values of a table that differ from neuron to neuron.

    Parameters
    ----------
    neuron
        The table.
    population
        Name of the population.
    """
    found = {}
    for (part, *keys), values in neuron.per_neuron.items():
        kind = _BY_NAME[part][0] if keys else part
        keys = [json_parts.text(key, f"a {kind} of {population!r}") for key in keys]
        found[place(kind, population, *keys)] = values
    return found


def describe_neuron(neuron: Neuron, what: str) -> dict[str, Any]:
    """Return the record of a neuron table, with null where there is a value per neuron.

    Parameters
    ----------
    neuron
        The table.
    what
        Whose it is, for messages.
    """

    def one(value: Any) -> Any:
        return None if np.ndim(value) else json_parts.plain(value)

    def by_name(part: str) -> list[dict[str, Any]]:
        _, name, value = _BY_NAME[part]
        return [{name: key, value: one(given)} for key, given in getattr(neuron, part).items()]

    names = (*neuron_checks.NUMBERS, "integrator", "jump_delay")
    values = {name: one(getattr(neuron, name)) for name in names}
    values |= {part: by_name(part) for part in _BY_NAME}
    drive = described(neuron.nonlinear_drive, _DRIVES, f"{what}: nonlinear_drive")
    return {
        "model": str(neuron.model),
        "states": [{"name": s, "time_constant": tau} for s, tau in neuron.states.items()],
        "gains": [{"to": a, "by": b, "gain": g} for (a, b), g in neuron.gains.items()],
        "receptors": [
            {"name": name, "state": r.state, "jump": float(r.jump), "sign": int(r.sign)}
            for name, r in neuron.receptors.items()
        ],
        "magnesium": [
            {"state": s, "eta": eta, "gamma": gamma} for s, (eta, gamma) in neuron.magnesium.items()
        ],
        "nonlinear_drive": drive,
    } | values


def neuron_rules(entry: dict[str, Any], population: str, n: int) -> dict[str, schema.Rule]:
    """Return the schema of the arrays that a record of a neuron table leaves to the file.

    Parameters
    ----------
    entry
        Checked by `NEURON`.
    population, n
        Its population, and how many neurons it has.
    """
    places = [place(kind, population) for kind in neuron_checks.NUMBERS if entry[kind] is None]
    places += [
        place(kind, population, each[name])
        for part, (kind, name, value) in _BY_NAME.items()
        for each in entry[part]
        if each[value] is None
    ]
    return {name: schema.Rule(np.float64, (n,)) for name in places}


def build_neuron(entry: dict[str, Any], population: str, arrays: dict[str, Any]) -> Neuron:
    """Return the table of a record.

    Parameters
    ----------
    entry
        Checked by `NEURON`.
    population
        Its population.
    arrays
        Those of the file, which obey `neuron_rules`.
    """

    def value(one: Any, kind: str, *key: str) -> Any:
        return arrays[place(kind, population, *key)] if one is None else one

    def by_name(part: str) -> dict[str, Any]:
        kind, name, given = _BY_NAME[part]
        own = pairs_of(entry[part], lambda each: (each[name], each[given]))
        return {key: value(one, kind, key) for key, one in own.items()}

    return Neuron(
        **entry
        | {name: value(entry[name], name) for name in neuron_checks.NUMBERS}
        | {part: by_name(part) for part in _BY_NAME}
        | {
            "states": pairs_of(entry["states"], lambda s: (s["name"], s["time_constant"])),
            "gains": pairs_of(entry["gains"], lambda g: ((g["to"], g["by"]), g["gain"])),
            "receptors": pairs_of(
                entry["receptors"],
                lambda r: (r["name"], Receptor(r["state"], r["jump"], r["sign"])),
            ),
            "magnesium": pairs_of(
                entry["magnesium"], lambda m: (m["state"], (m["eta"], m["gamma"]))
            ),
        }
    )


def pairs_of(entries: list[Any], pair: Callable[[Any], tuple[Any, Any]]) -> dict[Any, Any]:
    """Return a dict of what `pair` makes of entries, of which no key may come twice.

    Examples
    --------
    >>> pairs_of(
    ...     [{"name": "mem", "value": 3}], lambda each: (each["name"], each["value"])
    ... )
    {'mem': 3}
    """
    pairs = [pair(entry) for entry in entries]
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"{', '.join(str(key) for key, _ in pairs)}: one of these comes twice.")
    return found
