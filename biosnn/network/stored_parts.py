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
from . import surrogate
from .connectivity import BlockDiagonal, FanOut, OneToOne
from .convolution import Convolution
from .escape import ExponentialEscape, SigmoidEscape
from .neuron import Neuron, NonlinearDrive, Receptor
from .plasticity import InhibitorySTDP, TsodyksMarkram
from .random_connectivity import Bernoulli, FixedInDegree, FixedOutDegree, FixedTotal

Classes: TypeAlias = dict[str, type[Any]]

SURROGATES: Classes = {kind.__name__: kind for kind in surrogate.Surrogate.__subclasses__()}
NOISES: Classes = {kind.__name__: kind for kind in (SigmoidEscape, ExponentialEscape)}
PLASTICITIES: Classes = {kind.__name__: kind for kind in (TsodyksMarkram, InhibitorySTDP)}
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


def _threshold_or_text(value: Any, name: str) -> Any:
    """A number or "subtract"."""
    return value if value == "subtract" else number(value, name)


#: What the record of a neuron table holds.
NEURON = record(
    model=text,
    states=each(record(name=text, time_constant=text)),
    gains=each(record(to=text, by=text, gain=number)),
    receptors=each(record(name=text, state=text, jump=number, sign=checks.whole)),
    time_constants=each(record(name=text, seconds=maybe(number))),
    threshold=number,
    reset=_threshold_or_text,
    refractory=number,
    integrator=text,
    reversal=each(record(state=text, potential=number)),
    spike_jumps=each(record(state=text, jump=maybe(number))),
    nonlinear_drive=of(_DRIVES),
    jump_delay=number,
    low=number,
    high=number,
)

#: Kind of a value per neuron -> (list of the record, name of an entry, its value).
_PER_NEURON = {
    "time_constant": ("time_constants", "name", "seconds"),
    "spike_jump": ("spike_jumps", "state", "jump"),
}


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
    values = {"time_constant": neuron.time_constants, "spike_jump": neuron.spike_jumps}
    return {
        place(kind, population, json_parts.text(name, f"a {kind} of {population!r}")): value
        for kind, by_name in values.items()
        for name, value in by_name.items()
        if np.ndim(value)
    }


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

    names = ("threshold", "reset", "refractory", "integrator", "jump_delay", "low", "high")
    values = {name: json_parts.plain(getattr(neuron, name)) for name in names}
    drive = described(neuron.nonlinear_drive, _DRIVES, f"{what}: nonlinear_drive")
    return {
        "model": str(neuron.model),
        "states": [{"name": s, "time_constant": tau} for s, tau in neuron.states.items()],
        "gains": [{"to": a, "by": b, "gain": g} for (a, b), g in neuron.gains.items()],
        "receptors": [
            {"name": name, "state": r.state, "jump": float(r.jump), "sign": int(r.sign)}
            for name, r in neuron.receptors.items()
        ],
        "time_constants": [
            {"name": name, "seconds": one(tau)} for name, tau in neuron.time_constants.items()
        ],
        "reversal": [{"state": s, "potential": v} for s, v in neuron.reversal.items()],
        "spike_jumps": [{"state": s, "jump": one(v)} for s, v in neuron.spike_jumps.items()],
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
    return {
        place(kind, population, each[name]): schema.Rule(np.float64, (n,))
        for kind, (many, name, value) in _PER_NEURON.items()
        for each in entry[many]
        if each[value] is None
    }


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

    def values(kind: str) -> dict[str, Any]:
        many, name, value = _PER_NEURON[kind]
        own = pairs_of(entry[many], lambda each: (each[name], each[value]))
        return {
            key: arrays[place(kind, population, key)] if one is None else one
            for key, one in own.items()
        }

    return Neuron(
        **entry
        | {
            "states": pairs_of(entry["states"], lambda s: (s["name"], s["time_constant"])),
            "gains": pairs_of(entry["gains"], lambda g: ((g["to"], g["by"]), g["gain"])),
            "receptors": pairs_of(
                entry["receptors"],
                lambda r: (r["name"], Receptor(r["state"], r["jump"], r["sign"])),
            ),
            "reversal": pairs_of(entry["reversal"], lambda r: (r["state"], r["potential"])),
            "time_constants": values("time_constant"),
            "spike_jumps": values("spike_jump"),
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
