"""Files of weights, states and checkpoints: plain arrays and JSON in one .npz file.

A file is written whole or not at all, and opening one runs no code.
"""

import re
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..support import array_file, checks, schema
from .network import Network
from .plasticity import check_plasticity

_FORMAT = "biosnn file 3"
#: kind -> (what such a file holds, what its head says besides format, kind and fingerprint)
_KINDS = {
    "weights": ("weights alone (save_weights)", set()),
    "training": ("where a training stands", {"epoch", "batch", "recipe"}),
    "run": ("the state of a run (save_state)", {"step"}),
    "simulation": ("the state of a simulation (save_state)", {"step"}),
}
#: Largest parameters; exp(80) is still a number in single precision.
_LARGEST = {"jump": 80.0, "bias": float(np.finfo(np.float32).max)}

Arrays: TypeAlias = dict[str, NDArray[Any]]


def write(path: str | Path, arrays: Arrays, meta: dict[str, Any]) -> None:
    """Write arrays and a head to a file: to a temporary one first, then renamed.

    Parameters
    ----------
    path
        Path of the file.
    arrays
        Name -> array.
    meta
        What JSON can hold: the "kind", the "fingerprint" of the network, and what else that kind
        needs.
    """
    failed = "the file could not be written"
    array_file.write(checks.path(path, "path"), arrays, {"format": _FORMAT} | meta, failed)


def read(path: str | Path, *kinds: str) -> tuple[Arrays, dict[str, Any]]:
    """Read a file that `write` wrote.

    Parameters
    ----------
    path
        Path of the file.
    *kinds
        Kinds that it may have; default all.

    Returns
    -------
    arrays
        Name -> array.
    meta
        Its head.

    Raises
    ------
    OSError
        If the file is missing, damaged or of another kind.
    """
    path = checks.path(path, "path")
    arrays, meta = array_file.read(path, "file of biosnn")
    if meta.get("format") != _FORMAT or str(meta.get("kind")) not in _KINDS:
        raise OSError(
            f"{path} is not a usable file of biosnn: its format is {meta.get('format')!r}, not "
            f"{_FORMAT!r}."
        )
    holds, names = _KINDS[meta["kind"]]
    complete = set(meta) == names | {"format", "kind", "fingerprint"}
    if not complete or not re.fullmatch("[0-9a-f]{16}", str(meta["fingerprint"])):
        raise OSError(
            f"{path} is not a usable file of biosnn: its head has {', '.join(sorted(meta))}."
        )
    if kinds and meta["kind"] not in kinds:
        wanted = " or ".join(_KINDS[kind][0] for kind in kinds)
        raise OSError(f"{path} holds {holds}; what is read here is {wanted}.")
    return arrays, meta


def save_weights(network: Network, path: str | Path) -> None:
    """Write the weights and learned parameters of a network to a file.

    Parameters
    ----------
    network
        The network.
    path
        Path of the file, an .npz file.

    Raises
    ------
    OSError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> a = net.population(3, bs.lif(), name="A")
    >>> projection = net.connect(a, a, weights=bs.Normal(0, 0.1), seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     bs.save_weights(net, f"{folder}/weights.npz")
    ...     bs.load_weights(net, f"{folder}/weights.npz")
    """
    checks.instance(network, "network", Network, "a Network")
    write(path, parameters(network), {"kind": "weights", "fingerprint": network.fingerprint()})


def load_weights(network: Network, path: str | Path) -> None:
    """Read weights and learned parameters from a file into a network.

    Parameters
    ----------
    network
        A network described like the one that was saved.
    path
        Path of a file that `save_weights` wrote, or of a checkpoint of a training.

    Raises
    ------
    OSError
        If the file is missing, damaged or of another kind.
    ValueError
        If it belongs to another network, or holds values that are not possible. The network is then
        as it was.

    See Also
    --------
    save_weights
    """
    checks.instance(network, "network", Network, "a Network")
    arrays, meta = read(path, "weights", "training")
    if meta["kind"] == "training":
        ours = ("weight/", "tau/")
        arrays = {name: array for name, array in arrays.items() if name.startswith(ours)}
    check(network, arrays, meta, path)
    schema.check(arrays, rules(network, arrays), str(path))
    restore(network, arrays)


def parameters(network: Network) -> Arrays:
    """Return the arrays of a file that are those of the network.

    Parameters
    ----------
    network
        Whose weights, and whose parameters of time constants, jumps and biases.
    """
    arrays = {
        f"weight/{name}": np.asarray(weights, network.dtype)
        for name, weights in network.weights.items()
    }
    return arrays | {
        f"tau/{population}/{name}": np.asarray(p, np.float64)
        for (population, name), p in network.parameters.items()
    }


def check(network: Network, arrays: Arrays, meta: dict[str, Any], path: str | Path) -> None:
    """Raise a ValueError if a file is of another network, or lacks weights.

    Parameters
    ----------
    network
        Into which it is to be read.
    arrays, meta, path
        As `read` returns them, and the path of their file.
    """
    names = {f"weight/{p.name}": p.name for p in network.projections}
    stored = sorted(key.removeprefix("weight/") for key in arrays if key.startswith("weight/"))
    if meta["fingerprint"] != network.fingerprint():
        raise ValueError(
            f"{path} is of another network: it has the projections "
            f"{', '.join(stored)}, this one {', '.join(sorted(names.values()))}; sizes, neurons, "
            "surrogates, delays, dt and dtype must agree too."
        )
    if missing := [name for key, name in names.items() if key not in arrays]:
        raise ValueError(
            f"{path} has no weights of {', '.join(missing)}: the network had none yet when it was "
            "saved."
        )


def rules(network: Network, arrays: Arrays) -> dict[str, schema.Rule]:
    """Return the schema of what `parameters` writes.

    Parameters
    ----------
    network
        Into which the arrays are to be read.
    arrays
        Of the file: they say where one weight serves all synapses.
    """
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
        high = _LARGEST.get(name)
        if high is not None:
            low = -high if name == "bias" else None
        else:
            low = _least_parameter(network, population, name, np.ndim(p))
        known[f"tau/{population}/{name}"] = schema.Rule(np.float64, np.shape(p), low, high)
    return known


def _least_parameter(network, population, name, several):
    """The least p with 2 tau_0 sigmoid(p) >= dt, but for rounding; for all neurons or for each."""
    tau = np.asarray(network[population].neuron.time_constants[name], float)
    dt = network.dt * (1 - 1e-6)
    low = np.log(dt / (2 * tau - dt))
    return low if several else np.max(low)


def restore(network: Network, arrays: Arrays) -> None:
    """Put arrays that obey `rules` into a network.

    Parameters
    ----------
    network
        Into which.
    arrays
        As `parameters` names them.

    Raises
    ------
    ValueError
        If one does not fit its plasticity. The network is then as it was.
    """
    for projection in network.projections:
        check_plasticity(network, projection, arrays[f"weight/{projection.name}"])
    for projection in network.projections:
        network.set_weights(projection, arrays[f"weight/{projection.name}"])
    for population, name in network.parameters:
        network.parameters[population, name] = arrays[f"tau/{population}/{name}"]
