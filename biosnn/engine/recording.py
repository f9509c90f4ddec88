"""What a run records: states by name, of which of their neurons, one by one or as means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support.checks import keep, refuse, several, texts
from ..support.chosen import chosen

#: Names of states, such as ["E.U"], or a dict of name -> neurons (indices, a slice, None for all,
#: "mean" or Means for means over neurons).
Record = Iterable[str] | Mapping[str, Any]


@dataclass(frozen=True)
class Means:
    """Means of a state over groups of neurons: one column for each group, and no other storage.

    Parameters
    ----------
    groups
        Label -> neurons of a group: indices, a slice, a mask, or None for all. Groups may overlap,
        and a group of one neuron is that neuron.

    Raises
    ------
    ValueError
        If there are no groups, or a label is not a text.

    See Also
    --------
    simulate, run : `record={"E.U": bs.Means({...})}`; "mean" is short for the mean of all neurons.

    Notes
    -----
    In every recorded step the column of a group G is sum_{i in G} x_i / |G|, summed in float64 and
    kept as a number of the network's type. `simulate` averages a bounded number of steps at a time.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(10, bs.ei_lif(), "excitatory", name="E")
    >>> halves = bs.Means({"left": slice(0, 5), "right": slice(5, 10)})
    >>> done = bs.simulate(net, 0.02, record={"E.U": halves}, progress=False)
    >>> done.states["E.U"].shape, done.groups["E.U"]
    ((20, 2), ('left', 'right'))
    """

    groups: Mapping[str, Any]

    def __post_init__(self) -> None:
        example = "a dict such as {'left': slice(0, 40), 'right': slice(40, 80)}"
        if not isinstance(self.groups, Mapping) or not self.groups:
            refuse("Means: groups", self.groups, example)
        texts(tuple(self.groups), "the labels in Means", "'left'")
        keep(self, groups=dict(self.groups))

    def _members(self, n: int, state: str) -> list[NDArray[np.int64]]:
        """The neurons of each group, of a population of n."""
        members = []
        for label, neurons in self.groups.items():
            if isinstance(neurons, (Means, str)):
                refuse(f"group {label!r} of {state!r}", neurons, "neurons: a list or a slice")
            members.append(chosen_neurons(neurons, n, state))
            if not members[-1].size:
                raise ValueError(
                    f"group {label!r} of {state!r} has no neurons, so there is no mean of it."
                )
        return members


def group_sizes(neurons: Any, n: int, state: str) -> NDArray[np.int64] | None:
    """Return the number of neurons of each group whose mean is recorded, None where there is none.

    Examples
    --------
    >>> group_sizes(Means({"left": [0, 1], "right": [5]}), 10, "E.U")
    array([2, 1])
    """
    if not isinstance(neurons, Means):
        return None
    return np.array([members.size for members in neurons._members(n, state)])


def group_means(values: NDArray, sizes: NDArray[np.int64] | None) -> NDArray:
    """Return the means of neighbouring columns (…, group) of values (…, neuron).

    Where `sizes` is None the values stay as they are.

    Examples
    --------
    >>> group_means(np.array([[1.0, 2.0, 5.0]]), np.array([2, 1]))
    array([[1.5, 5. ]])
    """
    if sizes is None:
        return values
    ends = np.cumsum(sizes)
    result = np.empty((*values.shape[:-1], sizes.size), values.dtype)
    for g, (size, last) in enumerate(zip(sizes, ends, strict=True)):
        # sums in float64: einsum takes half the time of `mean`
        total = np.einsum("...i->...", values[..., last - size : last], dtype=np.float64)
        result[..., g] = total / size
    return result


def group_labels(record: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return state name -> labels of its groups, of the states that are recorded as means."""
    return {name: tuple(each.groups) for name, each in record.items() if isinstance(each, Means)}


def chosen_states(record: Record, what: str = "record", *, means: bool = False) -> dict[str, Any]:
    """Return state name -> neurons (None: all) of what a user asks to record.

    Parameters
    ----------
    record
        Names such as "E.U", or a dict of name -> indices, slice, mask or None for all neurons, or
        "mean" or `Means`.
    what
        The name of the argument, for messages.
    means
        Whether means over neurons can be asked for.

    Raises
    ------
    ValueError
        If it is neither, or one of the names is not a text.

    Examples
    --------
    >>> chosen_states(["E.U"])
    {'E.U': None}
    >>> chosen_states({"E.U": "mean"}, means=True)
    {'E.U': Means(groups={'mean': None})}
    """
    if isinstance(record, Mapping):
        texts(tuple(record), f"the names in {what}", "'E.U'")
        found = {
            name: Means({"mean": None}) if _is_mean(each) else each for name, each in record.items()
        }
        if not means and (averaged := group_labels(found)):
            name = next(iter(averaged))
            refuse(
                f"{what} of {name!r}",
                record[name],
                "neurons",
                "there are no means over neurons here",
            )
        return found
    if isinstance(record, str) or not hasattr(record, "__iter__"):
        refuse(
            what,
            record,
            "names of states, such as ['E.U'], or a dict of names and neurons, such as "
            "{'E.U': [0, 1, 2], 'E.I_exc': slice(5), 'I.U': None, 'I.I_exc': 'mean'}",
        )
    return dict.fromkeys(texts(several(record, what, "'E.U'"), what, "'E.U'"))


def _is_mean(neurons):
    """Whether it is the word for the mean over all neurons."""
    return isinstance(neurons, str) and neurons == "mean"


def chosen_neurons(neurons: Any, n: int, state: str) -> NDArray[np.int64]:
    """Return the indices of the neurons whose state is recorded.

    Parameters
    ----------
    neurons
        None for all, a slice, an index, a list of indices, or a mask of length `n`; of `Means` the
        neurons of all groups in turn.
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
    if isinstance(neurons, Means):
        return np.concatenate(neurons._members(n, state))
    also = "; or 'mean' or Means for means over them"
    return chosen(neurons, n, f"record of {state!r}", also)
