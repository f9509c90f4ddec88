"""Checks of what users give to the theory.

Numbers may be NaN where theory computes with what is not known, so these checks are about types;
signs and units are checked by the functions that need them.
"""

from collections.abc import Mapping
from typing import Any

from ..network.neuron import Neuron
from ..support import checks
from ..support.checks import instance, refuse


def check_numbers(what: str, **values: Any) -> None:
    """Raise a ValueError unless each value is a real number, which may be NaN.

    Parameters
    ----------
    what
        Whose values they are, for the message.
    **values
        The values by their names.

    Examples
    --------
    >>> check_numbers("Moments", mu=0.4, sigma=float("nan"))
    """
    for name, value in values.items():
        if isinstance(value, float):  # the usual case, quickly
            continue
        array = checks.as_array(value, f"{what}: {name}")
        if array.ndim or array.dtype.kind not in "iuf":
            refuse(f"{what}: {name}", value, "a number")


def check_receptor(neuron: Any, receptor: Any) -> None:
    """Raise a ValueError unless `neuron` is a Neuron with that receptor.

    Examples
    --------
    >>> from biosnn import ei_lif
    >>> check_receptor(ei_lif(), "exc")
    """
    check_neuron(neuron)
    checks.choice(receptor, f"the receptor of {neuron.model}", neuron.receptors)


def check_neuron(neuron: Any) -> None:
    """Raise a ValueError unless `neuron` is a Neuron.

    Examples
    --------
    >>> from biosnn import lif
    >>> check_neuron(lif())
    """
    instance(neuron, "neuron", Neuron, "a neuron model, such as bs.lif()")


def checked_rates(rates: Any, name: str, needed: Any) -> dict[str, float]:
    """Return rates by name as numbers in hertz.

    Parameters
    ----------
    rates
        What was given.
    name
        Name of the argument, for messages.
    needed
        Names that must be there.

    Raises
    ------
    ValueError
        If it is no dict, one of the names is missing, or a rate is negative or no finite number.

    Examples
    --------
    >>> checked_rates({"E": 5}, "rates", ["E"])
    {'E': 5.0}
    """
    instance(rates, name, Mapping, "a dict from names to hertz")
    found = {key: checks.rate(rate, f"{name}[{key!r}]") for key, rate in rates.items()}
    if missing := [each for each in needed if each not in found]:
        raise ValueError(
            f"{name} has no {', '.join(missing)}, on which the moments depend; it has "
            f"{', '.join(map(str, found)) or 'nothing'}."
        )
    return found
