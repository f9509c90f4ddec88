"""Checkpoints of a training: atomic files from which it resumes bit for bit.

A checkpoint is atomic: it is written to a temporary file, flushed to the disk and then renamed
(`support/files.py`, `replaced`), so that a kill or a full disk leaves the previous one. It holds
the network as `save` writes it, so that `load` opens it; and the state of the optimizer, the
learning curves, the position within the epoch, and the recipe of the training, without which the
bits could not be the same.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np

from ..engine import standing
from ..engine.state_checks import rules_of
from ..network import network_file
from ..network.network import Network
from ..support import checks, file_format, schema
from .checkpoint_folder import BEST, LAST, reserved
from .schedules import Constant
from .session import Session

__all__ = ["check", "recipe", "reserved", "resume_if_there", "save"]

_MOST_EPOCHS = 1 << 31
_STATE = "state/"


def check(session: Session) -> None:
    """Raise a ValueError, before the first epoch, unless checkpoints can hold the network."""
    network_file.check(session.network)


def save(session: Session, folder: Path) -> None:
    """Write last.npz after an epoch, or where Ctrl-C ended it; best.npz if it is the best so far.

    A training that was killed between the two files writes the best one again when it resumes.
    """
    progress = session.progress
    if progress.batch == 0 and progress.epoch and session.ended_with_the_best():
        _write(session, folder / BEST)
    _write(session, folder / LAST)


def resume_if_there(session: Session, folder: Path | None) -> None:
    """Put the last checkpoint of the folder, if there is one, into a session.

    The first process reads it: the others need no folder.

    Raises
    ------
    ValueError
        If it is of another network or recipe, or holds impossible values. Nothing has changed then.
    OSError
        If the file is damaged or of another kind.
    """
    found: Any = session.ranks.on_first(lambda: folder and _read(folder / LAST))
    if found is not None:
        _take(session, *found)


# ----------------------------------------------------------------------------------- write and read


def _write(session, path):
    """All of a session as arrays by name, and a head of numbers and texts."""
    session.write_back()
    network, progress = session.network, session.progress
    found, head = network_file.contents(network)
    found |= {f"optimizer/{name}": value for name, value in session.optimizer_state.items()}
    found |= {f"history/{name}": np.array(c, float) for name, c in progress.curves.items()}
    found["best"] = np.empty(0, network.dtype) if progress.best is None else progress.best
    found["sums"] = progress.sums
    if progress.batch and progress.state is not None:
        state = standing.as_arrays(progress.state)
        found |= {f"{_STATE}{name}": value for name, value in state.items()}
    where = {"epoch": progress.epoch, "batch": progress.batch, "recipe": recipe(session)}
    file_format.write(path, found, {"kind": "training"} | head | where)


def _read(path):
    """Arrays, head and path of a checkpoint; None if there is none."""
    return (*file_format.read(path, "training", "network"), path) if path.exists() else None


def _take(session, found, head, path):
    """Put what `_write` wrote into a session, after all of it has been checked."""
    if head["kind"] == "network":
        raise ValueError(
            f"{path} holds a network (save), not a training to go on with; read it with load and "
            "start anew."
        )
    stored = network_file.network_of(found, head, path)
    network_file.check_same(stored, session.network, path)
    _check_recipe(session, head, path)
    _check_position(session, head, path)
    found = {name: value for name, value in found.items() if not network_file.is_of_network(name)}
    schema.check(found, _rules(session, stored, found, head), str(path))
    state = {
        name.removeprefix(_STATE): value for name, value in found.items() if name.startswith(_STATE)
    }
    if state:
        layout = session.parameters.packed.layout
        standing.check_events(state, layout, f"{path}: {_STATE}")
    _restore(session, stored, found, head, state)


def _restore(session, stored, found, head, state):
    """Put the stored network and checked arrays into a session and its network."""
    network_file.take(session.network, stored)
    session.parameters.take()
    names = list(session.optimizer_state)
    session.optimizer_state = {name: found[f"optimizer/{name}"] for name in names}
    progress = session.progress
    progress.curves = {name: found[f"history/{name}"].tolist() for name in progress.curves}
    progress.best = found["best"] if found["best"].size else None
    progress.sums = found["sums"]
    progress.epoch = head["epoch"]
    progress.batch = head["batch"]
    if state:
        steps = head["batch"] * session.data.training.steps
        packed = session.parameters.packed
        progress.state = standing.from_arrays(
            state, steps, packed.layout, packed.wires, packed.tables
        )


# ------------------------------------------------------------------------------------------- checks


def _check_recipe(session, head, path):
    """ValueError unless the training that wrote a checkpoint was described as this one."""
    if not isinstance(head["recipe"], dict):
        raise ValueError(
            f"{path}: the recipe is {checks.shown(head['recipe'])}; it must be a dict."
        )
    # what a checkpoint does not name was not used
    there, here = (
        {key: value for key, value in each.items() if value != "()"}
        for each in (head["recipe"], recipe(session))
    )
    changed = [
        f"{key} {there.get(key)} there, {here.get(key)} here"
        for key in sorted({*there, *here})
        if there.get(key) != here.get(key)
    ]
    if changed:
        raise ValueError(
            f"{path} belongs to another training: {'; '.join(changed)}. Resume with the same "
            "recipe, or start anew in another folder."
        )


def _check_position(session, head, path):
    """ValueError unless epoch and batch can be. All batches: Ctrl-C came during validation."""
    checks.whole(head["epoch"], f"{path}: the epoch", 0, _MOST_EPOCHS)
    checks.whole(head["batch"], f"{path}: the batch", 0, session.n_batches)


def _rules(
    session: Session, stored: Network, found: dict[str, Any], head: dict[str, Any]
) -> dict[str, Any]:
    """The schema (support/schema.py) of what `_write` writes besides the network."""
    network, rule = session.network, schema.Rule
    parts = (*stored.weights.values(), *stored.parameters.values())
    n = sum(np.size(part) for part in parts)
    known = _optimizer_rules(session, n, head)
    for name in session.progress.curves:
        positive = name in ("learning_rate", "seconds")
        least = 0 if positive else None
        shape = (head["epoch"],)
        known[f"history/{name}"] = rule(np.float64, shape, least, missing=not positive)
    lowest = np.full(n, -np.inf)
    for part in session.parameters.packed.non_negative:
        lowest[part] = 0
    none = np.size(found.get("best", ())) == 0
    known["best"] = rule(network.dtype, (0,)) if none else rule(network.dtype, (n,), lowest)
    known["sums"] = rule(np.float64, session.progress.sums.shape)
    if session.presentation.stateful and head["batch"]:
        known |= _state_rules(session, head)
    return known


def _optimizer_rules(session, n, head):
    """What the state of the optimizer of n parameters must be."""
    optimizer, dtype = session.rule.optimizer, session.network.dtype
    lowest = getattr(optimizer, "lowest", {})
    known = {}
    for name, value in optimizer.start(n, dtype).items():
        shape, kind = np.shape(value), np.asarray(value).dtype
        known[f"optimizer/{name}"] = schema.Rule(kind, shape, lowest.get(name))
    if "steps" in lowest:
        steps = head["epoch"] * session.n_batches + head["batch"]
        known["optimizer/steps"] = schema.Rule(np.int64, (), steps, steps)
    return known


def _state_rules(session, head):
    """What the state of the trials must be that the next batch goes on from."""
    step = head["batch"] * session.data.training.steps
    schema.check_step(step, _STATE.rstrip("/"))
    background = session.data.training.conditions.background
    rules = rules_of(session.parameters.packed, background, step, session.presentation.batch_size)
    return {f"{_STATE}{name}": each for name, each in rules.items()}


# ------------------------------------------------------------------------------------------- recipe


def recipe(session: Session) -> dict[str, Any]:
    """What must be the same for a resumed run to have the bits of an uninterrupted one."""
    objective, rule, trials = session.objective, session.rule, session.presentation
    words = {
        "loss": _words(objective.loss),
        "optimizer": _words(rule.optimizer),
        "regularizers": _words(objective.regularizers),
        "augment": _words(trials.augment),
        "constraints": _words(rule.constraints),
        "seed": trials.seed,
        "batch": trials.batch_size,
        "trials": int(session.data.training.rows.size),
        "data": session.data.training.digest,
    }
    if rule.schedule != Constant():
        words["schedule"] = _words(rule.schedule)
    if objective.terms:
        words["readout"] = ", ".join(term.name for term in objective.terms)
    options = {
        "clip": rule.clip,
        "learning_rates": rule.factors,
        "dropout": trials.dropout,
        "window": trials.window,
        "stateful": trials.stateful,
        "differentiate_reset": trials.differentiate_reset,
    }
    words |= session.data.training.surroundings
    return words | {name: repr(value) for name, value in options.items() if value}


def _words(part):
    """The repr of a part, without the address of objects that have no repr of their own."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(part))
