"""What trials of a data set get beside spikes: background, initial states, currents."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engine.background import trials_of
from ..engine.conditions import Conditions
from ..engine.layouts import checked_arrays, current_layout
from ..engine.packed import Packed
from ..network.drawing import is_random
from ..support.fingerprint import digest_of

_EXAMPLE = "{'E': array}"


def checked_currents(
    packed: Packed, given: Any, n_trials: int, steps: int
) -> dict[str, NDArray[Any]]:
    """Return injected currents as population -> (trials, steps or 1, neurons or 1).

    Raises
    ------
    ValueError
        If there is no such population, or an array does not broadcast to (trial, step, neuron).
    """
    checked = checked_arrays(given, "currents", packed.network.dtype, _EXAMPLE)
    layout = current_layout(packed, checked)
    result = {}
    for name, values in checked.items():
        shape = (n_trials, steps, layout.columns[name].stop - layout.columns[name].start)
        wide = values.shape if values.ndim > 3 else (1,) * (3 - values.ndim) + values.shape
        if len(wide) > 3 or any(own not in (1, size) for own, size in zip(wide, shape)):
            raise ValueError(
                f"currents {name!r} have shape {values.shape}; they must broadcast to (trial, "
                f"step, neuron) = {shape}."
            )
        result[name] = np.broadcast_to(values.reshape(wide), (n_trials, *wide[1:]))
    return result


def sizes_without_inputs(network: Any, spikes: Any, currents: Any) -> tuple[int, int]:
    """Return the trials and steps that currents have, of a network without inputs.

    Raises
    ------
    ValueError
        If there are spikes, or no current says how many trials and steps there are.
    """
    checked = checked_arrays(currents, "currents", network.dtype, _EXAMPLE)
    shapes = [values.shape for values in checked.values() if values.ndim == 3]
    if spikes is not None or not shapes:
        raise ValueError(
            "the network has no inputs, so there are no spike trains to give it: spikes must be "
            "None, and currents={'E': array} have the axes (trial, step, neuron), which say how "
            "many trials and steps there are. Or connect net.input(n), whose trains may be empty."
        )
    n_trials, steps, _ = np.max(shapes, axis=0)
    return int(n_trials), int(steps)


def for_validation(training: Any, validation: Any) -> Any:
    """Return what was given for validation, completed by what holds for training trials.

    Both are `dataset.Given`. What differs between training trials says nothing about others.

    Raises
    ------
    ValueError
        If it differs between training trials, and nothing was given for validation.
    """
    background, currents = validation.background, validation.currents
    if background is None:
        background = training.background
        for k, source in enumerate(background or ()):
            if trials_of(source) > 1:
                what = f"background[{k}], {type(source).__name__}({_name(source)!r}), has values"
                _refuse(what, "give validation_background=[…] with values of theirs")
    if currents is None:
        currents = training.currents
        for name, values in (currents or {}).items():
            if np.ndim(values) == 3 and np.shape(values)[0] > 1:
                _refuse(f"currents {name!r} have values", "give validation_currents={…} of theirs")
    for name, values in (training.initial or {}).items():
        if not is_random(values) and np.ndim(values) == 2:
            _refuse(f"initial {name!r} has values", "give a distribution or values by neuron")
    return validation._replace(background=background, initial=training.initial, currents=currents)


def _name(source):
    """The name of the population of a source."""
    return getattr(source.population, "name", source.population)


def _refuse(what, way_out):
    """ValueError for values of training trials where validation trials need theirs."""
    raise ValueError(
        f"{what} for each training trial, and validation trials are others: {way_out}, or let "
        "validation be a share of the training data, such as 0.1."
    )


# ------------------------------------------------------------------------------------------- recipe


def described(
    background: Sequence, conditions: Conditions, currents: dict[str, NDArray[Any]]
) -> dict[str, str]:
    """Return what was used of background, initial states and currents: words and a digest of each.

    Parameters
    ----------
    background
        A list of descriptions.
    conditions, currents
        All of it, checked.
    """
    table = conditions.background.table
    # field by field, since there may be anything between the fields of a row
    rows = [table.sources[field] for field in table.sources.dtype.names or ()]
    noise = [*rows, table.starts, table.values, table.table]
    initial = [v for v in conditions.initial.values() if not is_random(v)]
    found = {}
    if table.sources.size:
        found["background"] = f"{list(background)} {digest_of(noise)}"
    if conditions.initial:
        words = {k: v if is_random(v) else np.shape(v) for k, v in conditions.initial.items()}
        found["initial"] = f"{words} {digest_of(initial)}"
    if currents:
        found["currents"] = f"{sorted(currents)} {digest_of(currents[k] for k in sorted(currents))}"
    return {name: re.sub(r" at 0x[0-9a-fA-F]+", "", words) for name, words in found.items()}
