"""Checkpoints: plain arrays and JSON in one .npz file, written whole or not at all. Opening one runs no code."""
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

_FORMAT = "biosnn checkpoint 2"


def write(path, arrays, meta):
    """Write arrays (name -> ndarray) and `meta` (JSON-able) to `path`: to a temporary file first, then renamed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"format": _FORMAT} | meta).encode()
    descriptor, temporary = tempfile.mkstemp(prefix=path.name, suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            np.savez(file, **arrays, meta=np.frombuffer(text, np.uint8))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def read(path):
    """(arrays, meta) of a checkpoint. OSError if the file is missing, truncated or of another kind."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no checkpoint {path}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(bytes(arrays.pop("meta")).decode())
        if meta.get("format") != _FORMAT:
            raise ValueError(f"its format is {meta.get('format')!r}, not {_FORMAT!r}")
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError, AttributeError) as error:
        raise OSError(f"{path} is not a usable checkpoint: it is truncated, damaged or of another kind ({error}).") from error
    return arrays, meta


def save_weights(network, path):
    """Write the weights and learned time constants of `network`."""
    write(path, parameters(network), {"fingerprint": network.fingerprint()})


def load_weights(network, path):
    """Read weights and learned time constants into `network`, which must be described as the one that was saved."""
    arrays, meta = read(path)
    check(network, arrays, meta, path)
    restore(network, arrays)


def parameters(network):
    """The arrays of a checkpoint that are those of the network: weights, and parameters of time constants, jumps and biases."""
    arrays = {f"weight/{name}": weights for name, weights in network.weights.items()}
    return arrays | {f"tau/{population}/{name}": p for (population, name), p in network.tau_parameters.items()}


def check(network, arrays, meta, path):
    """ValueError if a checkpoint is of another network, or was written before all projections had weights."""
    names = {f"weight/{p.name}": p.name for p in network.projections}
    stored = sorted(key.removeprefix("weight/") for key in arrays if key.startswith("weight/"))
    if meta["fingerprint"] != network.fingerprint():
        raise ValueError(f"{path} is a checkpoint of another network: it has the projections {', '.join(stored)}, this one "
                         f"{', '.join(sorted(names.values()))}; sizes, neurons, surrogates, delays, dt and dtype must agree too.")
    if missing := [name for key, name in names.items() if key not in arrays]:
        raise ValueError(f"{path} has no weights of {', '.join(missing)}: the network had none yet when it was saved.")


def restore(network, arrays):
    """Put the parameters of a checkpoint (that `check` has let pass) into a network."""
    for projection in network.projections:
        network.set_weights(projection, arrays[f"weight/{projection.name}"])
    for population, name in network.tau_parameters:
        network.tau_parameters[population, name] = arrays[f"tau/{population}/{name}"]
