"""Where a training stands, in a file: all that an interrupted one needs to go on with the bits of an uninterrupted one."""

import hashlib
import os
import re
from contextlib import contextmanager

import numpy as np

from ..engine import trial_state
from ..network import weight_file as checkpoint
from ..support import checks, files, schema
from .schedules import Constant

_NAMES = ("last.npz", "best.npz")
_MOST_EPOCHS = 1 << 31


@contextmanager
def reserved(folder, start):
    """The folder of a training (None: there is none), made, writable and locked against other trainings until the end.

    ValueError if it cannot be one, holds a checkpoint that nobody spoke of, or is another training's; OSError if nothing can be written there.
    """
    checks.choice(start, "start", ("new", "resume", "overwrite"))
    if folder is None and start == "resume":
        raise ValueError("start='resume' needs the folder of the checkpoint: give out=….")
    if folder is None:
        yield
        return
    with _locked(folder):
        if start == "new" and (folder / "last.npz").exists():
            raise ValueError(
                f"{folder} holds a checkpoint already. Give start='resume' to go on with it, start='overwrite' to "
                "begin anew, or another folder."
            )
        with files.naming(folder, "checkpoints cannot be written to this folder"):
            for stray in [
                path for name in _NAMES for path in folder.glob(f"{name}.*{files.PARTIAL}")
            ]:  # of a training that was killed
                stray.unlink()
            if start == "overwrite":
                for name in _NAMES:
                    (folder / name).unlink(missing_ok=True)
        yield


@contextmanager
def _locked(folder):
    """Makes the folder, and holds the lock in it. A crash leaves the file of the lock behind, but not the lock."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"out is {str(folder)!r}, which cannot be a folder for checkpoints: it is a file."
        )
    with files.naming(folder, "checkpoints cannot be written to this folder"):
        folder.mkdir(parents=True, exist_ok=True)
        trial = (
            folder / f"{_NAMES[0]}.{os.getpid()}{files.PARTIAL}"
        )  # which the next one removes, should this one be killed now
        with files.replaced(trial, "a file cannot be written to this folder") as file:
            file.write(bytes(1))
        trial.unlink(missing_ok=True)
        try:
            lock = files.lock_file(folder / "training.lock")
        except BlockingIOError as error:
            raise ValueError(
                f"another training writes its checkpoints to {folder} at this moment; give this one another folder."
            ) from error
    try:
        yield
    finally:
        lock.remove()


def save(session, path):
    """Write parameters, optimizer state, history and position, and the recipe that they belong to."""
    session.write_back()
    network = session.network
    arrays = checkpoint.parameters(network) | {
        f"optimizer/{name}": value for name, value in session.state.items()
    }
    arrays |= {
        f"history/{name}": np.array(values, float) for name, values in session.series.items()
    }
    arrays |= {
        "best": session.best if session.best is not None else np.empty(0, network.dtype),
        "sums": session.sums,
    }
    if session.batch and session.past is not None:
        arrays |= {
            f"past/{name}": value for name, value in trial_state.as_arrays(session.past).items()
        }
    checkpoint.write(
        path,
        arrays,
        {
            "kind": "training",
            "fingerprint": network.fingerprint(),
            "epoch": session.epoch,
            "batch": session.batch,
            "recipe": _recipe(session),
        },
    )


def resume(session, path):
    """Put what `save` wrote into a session. ValueError if it is of another network or recipe, or cannot be; then nothing has changed."""
    arrays, meta = checkpoint.read(path, "training", "weights")
    checkpoint.check(session.network, arrays, meta, path)
    if meta["kind"] == "weights":
        raise ValueError(
            f"{path} holds weights alone (save_weights), not where a training stands; read them with load_weights and start "
            "anew."
        )
    _check_recipe(session, meta, path)
    _check_position(session, meta, path)
    schema.check(arrays, _rules(session, arrays, meta), str(path))
    before = {
        name.removeprefix("past/"): value
        for name, value in arrays.items()
        if name.startswith("past/")
    }
    steps = meta["batch"] * session.data.steps
    if before:
        trial_state.check_events(before, session.packed, f"{path}: past/")
    checkpoint.restore(session.network, arrays)
    session.take_parameters()
    session.state = {name: arrays[f"optimizer/{name}"] for name in session.state}
    session.series = {name: arrays[f"history/{name}"].tolist() for name in session.series}
    session.best = arrays["best"] if arrays["best"].size else None
    session.sums, session.epoch, session.batch = arrays["sums"], meta["epoch"], meta["batch"]
    session.past = trial_state.from_arrays(before, steps, session.packed) if before else None


def _check_recipe(session, meta, path):
    if not isinstance(meta["recipe"], dict):
        raise ValueError(
            f"{path}: the recipe is {checks.shown(meta['recipe'])}; it must be a dict."
        )
    # what a checkpoint does not name was not used
    there, here = (
        {key: value for key, value in recipe.items() if value != "()"}
        for recipe in (meta["recipe"], _recipe(session))
    )
    changed = [
        f"{key} {there.get(key)} there, {here.get(key)} here"
        for key in sorted({*there, *here})
        if there.get(key) != here.get(key)
    ]
    if changed:
        raise ValueError(
            f"{path} belongs to another training: {'; '.join(changed)}. Resume with the same recipe, or start "
            "anew in another folder."
        )


def _check_position(session, meta, path):
    checks.whole(meta["epoch"], f"{path}: the epoch", 0, _MOST_EPOCHS)
    checks.whole(
        meta["batch"], f"{path}: the batch", 0, session.n_batches
    )  # all: Ctrl-C came during validation


def _rules(session, arrays, meta):
    """The schema (support/schema.py) of what `save` writes."""
    network, rule, epoch = session.network, schema.Rule, meta["epoch"]
    known = checkpoint.rules(network, arrays)
    n = sum(np.size(arrays.get(name, ())) for name in known)
    lowest = getattr(session.optimizer, "lowest", {})
    for name, value in session.optimizer.start(n, network.dtype).items():
        known[f"optimizer/{name}"] = rule(
            np.asarray(value).dtype, np.shape(value), lowest.get(name)
        )
    if "steps" in lowest:
        steps = epoch * session.n_batches + meta["batch"]
        known["optimizer/steps"] = rule(np.int64, (), steps, steps)
    positive = ("learning_rate", "seconds")
    for name in session.series:
        known[f"history/{name}"] = rule(
            np.float64, (epoch,), 0 if name in positive else None, missing=name not in positive
        )
    least = np.full(n, -np.inf)
    for part in session.packed.non_negative:
        least[part] = 0
    known["best"] = (
        rule(network.dtype, (0,))
        if np.size(arrays.get("best", ())) == 0
        else rule(network.dtype, (n,), least)
    )
    known["sums"] = rule(np.float64, session.sums.shape)
    if session.stateful and meta["batch"]:
        steps = meta["batch"] * session.data.steps
        known |= {
            f"past/{name}": each
            for name, each in trial_state.rules(session.packed, session.batch_size).items()
        }
        schema.check_step(steps, "past")
    return known


def _recipe(session):
    """What must be the same for a resumed run to have the bits of an uninterrupted one."""
    # an object without a repr of its own shows where in memory it lies
    recipe = {
        name: re.sub(r" at 0x[0-9a-fA-F]+", "", repr(getattr(session, name)))
        for name in ("loss", "optimizer", "regularizers", "augment", "constraints")
    }
    recipe |= {
        "seed": session.seed,
        "batch": session.batch_size,
        "trials": int(session.data.rows.size),
        "data": _digest(session.data),
    }
    if session.schedule != Constant():
        recipe["schedule"] = repr(session.schedule)
    if session.heads:
        recipe["readout"] = ", ".join(head.name for head in session.heads)
    return recipe | {
        name: repr(value)
        for name, value in vars(session).items()
        if name in ("clip", "dropout", "window", "stateful", "differentiate_reset") and value
    }


def _digest(data):
    """Of spikes, targets and masks, and of which trials training sees; remembered, since data do not change."""
    if data.digest is None:
        state = hashlib.blake2b(digest_size=8)
        for array in [
            data.rows,
            *(a for train in data.trains for a in (train.times, train.units, train.offsets)),
            *(a for pair in data.given for a in pair if a is not None),
        ]:
            state.update(np.ascontiguousarray(array))
        data.digest = state.hexdigest()
    return data.digest
