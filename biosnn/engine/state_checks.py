"""A `State` that a user gives to `run` or `simulate`, checked against network and background."""

from typing import Any

import numpy as np

from ..support import schema
from ..support.show import plural
from . import standing
from .background_tables import PackedBackground
from .plasticity import learning_rules
from .state import State


def checked_state(
    state: State, packed: Any, background: PackedBackground, initial: Any, n_trials: int
) -> standing.Earlier:
    """Return the earlier run that a State holds.

    Parameters
    ----------
    state
        What the user gave.
    packed
        The network, with `layout`, `wires` and `tables`.
    background
        Of the run that goes on.
    initial
        Initial states that the user gave, of which there must be none.
    n_trials
        Trials of the run.

    Raises
    ------
    ValueError
        If it is of another network, background or number of trials, or cannot be.
    """
    layout, wires = packed.layout, packed.wires
    step = standing.check_fingerprint(state, layout.network)
    if initial is not None:
        raise ValueError(
            "give initial or state, not both: the state says where every neuron stands."
        )
    arrays = state.arrays
    given = len(arrays.get("states", ()))
    if given != n_trials:
        raise ValueError(
            f"this state is of {plural(given, 'trial')}, and there "
            f"{'is one' if n_trials == 1 else f'are {n_trials}'}: trial k goes on from trial k."
        )
    sources = background.ou_sources
    values: Any = arrays.get("ou")
    places: Any = arrays.get("ou_sources")
    if np.shape(values)[1:] != (background.n_ou,) or not np.array_equal(places, sources):
        raise ValueError(
            "this state was reached with another background: Ornstein-Uhlenbeck sources differ."
        )
    known = rules_of(packed, background, step, n_trials) | {
        "ou_sources": schema.Rule(np.int64, sources.shape),
        "key": standing.KEY,
    }
    schema.check(arrays, known | learning_rules(layout.network, step), "state")
    standing.check_events(arrays, layout, "state: ")
    return standing.from_arrays(arrays, step, layout, wires, packed.tables)


def rules_of(
    packed: Any, background: PackedBackground, step: int, n_trials: int
) -> dict[str, schema.Rule]:
    """Return the schema of what `standing.as_arrays` makes, for a network.

    Parameters
    ----------
    packed
        The network, with `layout`, `wires` and `tables`.
    background
        Of its run.
    step
        Steps that were simulated.
    n_trials
        Number of trials.
    """
    tables, limits = packed.tables, np.zeros(packed.layout.n_neurons, np.int64)
    for cell in tables.cells:
        place, first = cell["clamped"], cell["neuron_first"]
        at = place["at"] + place["step"] * np.arange(cell["n"])
        if cell["n_states"]:
            limits[first : first + cell["n"]] = tables.numbers[at] + 1
    return standing.own_rules(packed.layout, packed.wires, limits, background.n_ou, step, n_trials)
