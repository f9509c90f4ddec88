"""What a run records: states by name, and of which of their neurons."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import as_array, refuse, several, shown, texts, whole, wholes

#: Names of states, such as ["E.U"], or a dict of name -> neurons (indices, a slice, None for all).
Record = Iterable[str] | Mapping[str, Any]


def chosen_states(record: Record, what: str = "record") -> dict[str, Any]:
    """Return state name -> neurons (None: all) of what a user asks to record.

    Parameters
    ----------
    record
        Names such as "E.U", or a dict of name -> indices, slice, mask or None for all neurons.
    what
        The name of the argument, for messages.

    Raises
    ------
    ValueError
        If it is neither, or one of the names is not a text.

    Examples
    --------
    >>> chosen_states(["E.U"])
    {'E.U': None}
    """
    if isinstance(record, Mapping):
        texts(tuple(record), f"the names in {what}", "'E.U'")
        return dict(record)
    if isinstance(record, str) or not hasattr(record, "__iter__"):
        refuse(
            what,
            record,
            "names of states, such as ['E.U'], or a dict of names and neurons, such as "
            "{'E.U': [0, 1, 2], 'E.I_exc': slice(5), 'I.U': None}",
        )
    return dict.fromkeys(texts(several(record, what, "'E.U'"), what, "'E.U'"))


def chosen_neurons(chosen: Any, n: int, state: str) -> NDArray[np.int64]:
    """Return the indices of the neurons whose state is recorded.

    Parameters
    ----------
    chosen
        None for all, a slice, an index, a list of indices, or a mask of length `n`.
    n
        Neurons of the population.
    state
        The name of the state, for messages.

    Raises
    ------
    ValueError
        If an index is not in 0 .. n - 1.

    Examples
    --------
    >>> chosen_neurons(slice(0, 10, 4), 10, "E.U"), chosen_neurons([-1], 10, "E.U")
    (array([0, 4, 8]), array([9]))
    """
    if chosen is None:
        return np.arange(n)
    if isinstance(chosen, slice):
        return _of_slice(chosen, n, state)
    array = as_array(chosen, f"record of {state!r}", f"neurons 0 .. {n - 1}; for all give None")
    if array.dtype == bool and array.shape == (n,):
        return np.flatnonzero(array)
    whole_numbers = array.dtype.kind in "iu" or not array.size
    if array.ndim > 1 or not whole_numbers or np.any((array < -n) | (array >= n)):
        raise ValueError(
            f"record of {state!r} is {shown(chosen)}; it must be the neurons to record, of 0 .. "
            f"{n - 1}: a list, a slice, or None for all."
        )
    return np.atleast_1d(wholes(array, f"record of {state!r}")) % n


def _of_slice(chosen, n, state):
    """The indices of a slice, whose ends may be any kind of whole number."""
    what = f"record of {state!r}"
    start, stop, step = (
        None if end is None else whole(end, f"{what}: the slice")
        for end in (chosen.start, chosen.stop, chosen.step)
    )
    if step == 0:
        refuse(what, chosen, "a slice with a step")
    return np.arange(n)[start:stop:step]
