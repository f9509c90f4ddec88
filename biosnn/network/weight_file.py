"""Checkpoints: plain arrays and JSON in one .npz file, written whole or not at all. Opening one runs no code."""

import re

import numpy as np

from ..support import array_file, checks, schema
from .network import Network
from .plasticity import check_plasticity

_FORMAT = "biosnn checkpoint 3"
#: kind -> (what such a file holds, what its head says beside format, kind and fingerprint)
_KINDS = {
    "weights": ("weights alone (save_weights)", set()),
    "training": ("where a training stands", {"epoch", "batch", "recipe"}),
    "run": ("the state of a run (save_state)", {"step"}),
    "simulation": ("the state of a simulation (save_state)", {"step"}),
}
_LARGEST = {
    "jump": 80.0,
    "bias": float(np.finfo(np.float32).max),
}  # of parameters; exp(80) is still a number in single precision


def write(path, arrays, meta):
    """Write arrays (name -> ndarray) and `meta` (JSON-able) to `path`: to a temporary file first, then renamed.

    meta: the "kind", the "fingerprint" of the network, and what else that kind needs.
    """
    array_file.write(
        checks.path(path, "path"),
        arrays,
        {"format": _FORMAT} | meta,
        "the checkpoint could not be written",
    )


def read(path, *kinds):
    """(arrays, meta) of a checkpoint, of one of these kinds if any are given. OSError if the file is missing, damaged or of another kind."""
    path = checks.path(path, "path")
    arrays, meta = array_file.read(path, "checkpoint")
    if meta.get("format") != _FORMAT or str(meta.get("kind")) not in _KINDS:
        raise OSError(
            f"{path} is not a usable checkpoint: its format is {meta.get('format')!r}, not {_FORMAT!r}."
        )
    holds, names = _KINDS[meta["kind"]]
    if set(meta) != names | {"format", "kind", "fingerprint"} or not re.fullmatch(
        "[0-9a-f]{16}", str(meta["fingerprint"])
    ):
        raise OSError(f"{path} is not a usable checkpoint: its head has {', '.join(sorted(meta))}.")
    if kinds and meta["kind"] not in kinds:
        raise OSError(
            f"{path} holds {holds}; what is read here is {' or '.join(_KINDS[kind][0] for kind in kinds)}."
        )
    return arrays, meta


def save_weights(network, path):
    """Write the weights and learned time constants of `network`. OSError that names the path where it cannot be written."""
    checks.instance(network, "network", Network, "a Network")
    write(path, parameters(network), {"kind": "weights", "fingerprint": network.fingerprint()})


def load_weights(network, path):
    """Read weights and learned time constants into `network`, which must be described as the one that was saved.

    The file may be one of save_weights or a checkpoint of a training. ValueError or OSError, with `network` as it was, if it is not,
    belongs to another network, or holds values that cannot be.
    """
    checks.instance(network, "network", Network, "a Network")
    arrays, meta = read(path, "weights", "training")
    if meta["kind"] == "training":
        arrays = {
            name: array for name, array in arrays.items() if name.startswith(("weight/", "tau/"))
        }
    check(network, arrays, meta, path)
    schema.check(arrays, rules(network, arrays), str(path))
    restore(network, arrays)


def parameters(network):
    """The arrays of a checkpoint that are those of the network: weights, and parameters of time constants, jumps and biases."""
    arrays = {
        f"weight/{name}": np.asarray(weights, network.dtype)
        for name, weights in network.weights.items()
    }
    return arrays | {
        f"tau/{population}/{name}": np.asarray(p, np.float64)
        for (population, name), p in network.parameters.items()
    }


def check(network, arrays, meta, path):
    """ValueError if a checkpoint is of another network, or was written before all projections had weights."""
    names = {f"weight/{p.name}": p.name for p in network.projections}
    stored = sorted(key.removeprefix("weight/") for key in arrays if key.startswith("weight/"))
    if meta["fingerprint"] != network.fingerprint():
        raise ValueError(
            f"{path} is a checkpoint of another network: it has the projections {', '.join(stored)}, this one "
            f"{', '.join(sorted(names.values()))}; sizes, neurons, surrogates, delays, dt and dtype must agree too."
        )
    if missing := [name for key, name in names.items() if key not in arrays]:
        raise ValueError(
            f"{path} has no weights of {', '.join(missing)}: the network had none yet when it was saved."
        )


def rules(network, arrays):
    """The schema (support/schema.py) of what `parameters` writes. arrays: to see where one weight stands for all synapses."""
    known = {}
    for projection in network.projections:
        name = f"weight/{projection.name}"
        synapses = network.synapses.get(projection.name)
        one = np.ndim(arrays[name]) == 0 and synapses is not None and not synapses.shares_weights
        known[name] = schema.Rule(
            network.dtype,
            () if one else network.weight_shape(projection),
            0 if projection.non_negative else None,
        )
    for (population, name), p in network.parameters.items():
        low, high = None, _LARGEST.get(name)
        if name not in _LARGEST:  # 2 tau_0 sigmoid(p) >= dt, but for rounding
            tau, dt = (
                np.asarray(network[population].neuron.time_constants[name], float),
                network.dt * (1 - 1e-6),
            )
            low = np.log(dt / (2 * tau - dt))
            low = low if np.ndim(p) else np.max(low)
        known[f"tau/{population}/{name}"] = schema.Rule(
            np.float64, np.shape(p), -high if name == "bias" else low, high
        )
    return known


def restore(network, arrays):
    """Put the parameters of a checkpoint (that obey `rules`) into a network; ValueError, with the network as it was, if one does not fit."""
    for projection in network.projections:
        check_plasticity(network, projection, arrays[f"weight/{projection.name}"])
    for projection in network.projections:
        network.set_weights(projection, arrays[f"weight/{projection.name}"])
    for population, name in network.parameters:
        network.parameters[population, name] = arrays[f"tau/{population}/{name}"]
