"""What differs between two networks, in words."""

from typing import Any, NamedTuple

from ..support import fingerprint
from ..support.checks import shown
from .network import Network

_OF_TRAINING = ("frozen", "gradient_to_source")


class Difference(NamedTuple):
    """A value that two networks do not share.

    Parameters
    ----------
    what
        Whose value, and which.
    first, second
        In one network and in the other, as it is shown; or None, where that does not help.
    """

    what: str
    first: str | None = None
    second: str | None = None

    def format(self, here: str, there: str) -> str:
        """Return it in words, with names for the places of the two networks."""
        if self.first is None:
            return f"{self.what} is not the same"
        return f"{self.what} is {self.first} {here}, {self.second} {there}"


def difference(first: Network, second: Network, *, every: bool = False) -> Difference | None:
    """Return the first difference between the descriptions of two networks, or None.

    Weights and learned parameters may differ.

    Parameters
    ----------
    first, second
        The networks.
    every
        Whether what does not count for the fingerprint counts, too: what training leaves as it is.

    Examples
    --------
    >>> a, b = Network(dt=1e-3), Network(dt=1e-4)
    >>> difference(a, b).format("in a", "in b")
    'dt is 0.001 in a, 0.0001 in b'
    """
    for name in ("dt", "dtype"):
        if getattr(first, name) != getattr(second, name):
            return Difference(name, str(getattr(first, name)), str(getattr(second, name)))
    return (
        _names("populations", list(first), list(second))
        or _of_populations(first, second)
        or _names("projections", *([p.name for p in net.projections] for net in (first, second)))
        or _of_projections(first, second, every)
    )


def _names(what, first, second):
    """Which names one network has, and the other does not; or another order."""
    if first == second:
        return None
    return Difference(
        f"the list of {what}", *(", ".join(each) or "empty" for each in (first, second))
    )


def _of_populations(first, second):
    """The first difference between populations of equal names."""
    for name in first:
        a, b = (fingerprint.plain(network[name])[1] for network in (first, second))
        for key in (key for key in a if a[key] != b[key]):
            values = (getattr(network[name], key) for network in (first, second))
            return _of_values(f"population {name!r}: {key}", *values)
    return None


def _of_projections(first, second, every):
    """The first difference between projections of equal names."""
    for p in first.projections:
        a, b = (_projection(network, p.name, every) for network in (first, second))
        for key in (key for key in a if a[key] != b[key]):
            return _of_values(f"projection {p.name!r}: {key}", a[key], b[key])
    return None


def _projection(network: Network, name: str, every: bool) -> dict[str, Any]:
    """What a projection is, with what its rule has built."""
    projection, synapses = network.projection(name), network.synapses.get(name)
    names = ("pre", "post", "receptor", "delay", "plasticity", *(_OF_TRAINING if every else ()))
    found = {key: fingerprint.plain(getattr(projection, key)) for key in names}
    rows = None if synapses is None else (synapses.digest, synapses.weight_shape)
    size = None if synapses is None else synapses.size
    more: dict[str, Any] = {"number of synapses": size, "list of synapses": rows}
    if every:
        more["in-degree"] = network.in_degree(projection)
    return found | more


def _of_values(what, first, second):
    """A difference with its values, where these are short."""
    if all(value is None or isinstance(value, (int, float, str)) for value in (first, second)):
        return Difference(what, shown(first), shown(second))
    return Difference(what)
