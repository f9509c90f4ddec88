"""Where a training stands, in a file: all that an interrupted one needs to go on with the bits of an uninterrupted one."""
import hashlib
import re

import numpy as np

from . import checkpoint, past
from .optim import Constant


def prepare_folder(folder, start):
    """Make the folder of a training; ValueError if it cannot be one, or holds a checkpoint that nobody spoke of."""
    if start not in ("new", "resume", "overwrite"):
        raise ValueError(f"start is {start!r}; it must be 'new', 'resume' or 'overwrite'.")
    if folder is None and start == "resume":
        raise ValueError("start='resume' needs the folder of the checkpoint: give out=….")
    if folder is not None and start == "new" and (folder / "last.npz").exists():
        raise ValueError(f"{folder} holds a checkpoint already. Give start='resume' to go on with it, start='overwrite' to "
                         "begin anew, or another folder.")
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"out is {str(folder)!r}, which cannot be a folder for checkpoints: {error}.") from error
    if folder is not None and start == "overwrite":
        for name in ("last.npz", "best.npz"):
            (folder / name).unlink(missing_ok=True)


def save(session, path):
    """Write parameters, optimizer state, history and position, and the recipe that they belong to."""
    session.write_back()
    network = session.network
    arrays = checkpoint.parameters(network) | {f"optimizer/{name}": value for name, value in session.state.items()}
    arrays |= {f"history/{name}": np.array(values) for name, values in session.series.items()}
    arrays |= {"best": session.best if session.best is not None else np.empty(0, network.dtype), "sums": session.sums}
    if session.batch and session.past is not None:
        arrays |= {f"past/{name}": value for name, value in past.as_arrays(session.past).items()}
    checkpoint.write(path, arrays, {"fingerprint": network.fingerprint(), "epoch": session.epoch, "batch": session.batch,
                                    "recipe": _recipe(session)})


def resume(session, path):
    """Put what `save` wrote into a session. ValueError if it is of another network or recipe; then nothing has changed."""
    arrays, meta = checkpoint.read(path)
    checkpoint.check(session.network, arrays, meta, path)
    if "recipe" not in meta:
        raise ValueError(f"{path} holds weights alone (save_weights), not where a training stands; read them with load_weights and start "
                         "anew.")
    if arrays["sums"].size != session.sums.size:
        raise ValueError(f"{path} was written by an earlier version, whose trainings cannot be gone on with; load_weights reads its weights.")
    # what a checkpoint does not name was not used
    there, here = ({key: value for key, value in recipe.items() if value != "()"} for recipe in (meta["recipe"], _recipe(session)))
    changed = [f"{key} {there.get(key)} there, {here.get(key)} here" for key in sorted({*there, *here})
               if there.get(key) != here.get(key)]
    if changed:
        raise ValueError(f"{path} belongs to another training: {'; '.join(changed)}. Resume with the same recipe, or start "
                         "anew in another folder.")
    network = session.network
    checkpoint.restore(network, arrays)
    session.take_parameters()
    session.state = {name: arrays[f"optimizer/{name}"] for name in session.state}
    session.series = {name: arrays[f"history/{name}"].tolist() for name in session.series}
    session.best = arrays["best"] if arrays["best"].size else None
    session.sums, session.epoch, session.batch = arrays["sums"], meta["epoch"], meta["batch"]
    if session.stateful and session.batch:
        session.past = past.from_arrays({name.removeprefix("past/"): value for name, value in arrays.items()},
                                        session.batch * session.data.steps, session.packed)


def _recipe(session):
    """What must be the same for a resumed run to have the bits of an uninterrupted one."""
    # an object without a repr of its own shows where in memory it lies
    recipe = {name: re.sub(r" at 0x[0-9a-fA-F]+", "", repr(getattr(session, name)))
              for name in ("loss", "optimizer", "regularizers", "augment", "constraints")}
    recipe |= {"seed": session.seed, "batch": session.batch_size, "trials": int(session.data.rows.size), "data": _digest(session.data)}
    if session.schedule != Constant():
        recipe["schedule"] = repr(session.schedule)
    if session.heads:
        recipe["readout"] = ", ".join(head.name for head in session.heads)
    return recipe | {name: repr(value) for name, value in vars(session).items()
                     if name in ("clip", "dropout", "window", "stateful", "differentiate_reset") and value}


def _digest(data):
    """Of spikes, targets and masks, and of which trials training sees; remembered, since data do not change."""
    if data.digest is None:
        state = hashlib.blake2b(digest_size=8)
        for array in [data.rows, *(a for train in data.trains for a in (train.times, train.units, train.offsets)),
                      *(a for pair in data.given for a in pair if a is not None)]:
            state.update(np.ascontiguousarray(array))
        data.digest = state.hexdigest()
    return data.digest
