"""Whole networks in files: save, load, and load_weights into an existing network.

What a file holds is listed in docs/reference/files.rst: a record of JSON, and arrays. Checkpoints
of trainings hold the same, and more.
"""

import json
from pathlib import Path
from typing import Any

from ..support import checks, file_format
from ..support.file_format import Arrays
from . import network_building, network_records
from .network import Network
from .network_difference import difference
from .plasticity import check_plasticity


def save(network: Network, path: str | Path) -> None:
    """Write a network to a file: populations, projections, synapses, weights, what was learned.

    Parameters
    ----------
    network
        The network.
    path
        Path of the file, an .npz file, which is written whole or not at all.

    Raises
    ------
    ValueError
        If a part is of a class of your own that computes something else than those of biosnn, which
        a file without code cannot hold. Nothing is written then.
    OSError
        If the file cannot be written.

    Notes
    -----
    The file holds no code and no pickle; the page "Files" lists what it holds. Synapses are stored
    as they were drawn. A rule of your own is stored with what it has built and the words that it
    prints; a surrogate of your own that only sets numbers, as the one that it derives from.

    See Also
    --------
    save_state : the state of a simulation.

    Examples
    --------
    >>> import os, tempfile
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> a = net.population(30, bs.lif(), name="A")
    >>> rule = bs.Bernoulli(0.1)
    >>> projection = net.connect(a, a, synapses=rule, weights=bs.Normal(0, 0.1), seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "network.npz")
    ...     bs.save(net, path)
    ...     again = bs.load(path)
    >>> again.projection("A->A")
    Projection A->A
      onto   syn of A, weights of either sign
      pairs  Bernoulli(p=0.1, self_connections=True)
      delay  0 ms
    >>> bool((again.weights["A->A"] == net.weights["A->A"]).all())
    True
    """
    checks.instance(network, "network", Network, "a Network")
    checks.path(path, "path")
    check(network)
    arrays, head = contents(network)
    file_format.write(path, arrays, {"kind": "network"} | head)


def load(path: str | Path) -> Network:
    """Read a network from a file.

    Parameters
    ----------
    path
        Path of a file that `save` wrote, or of a checkpoint of a training: `last.npz` has the
        weights of the last epoch, `best.npz` those of the best.

    Returns
    -------
    The network, which has the fingerprint of the one that was saved and gives the same bits.

    Raises
    ------
    OSError
        If the file is missing, damaged or of another kind.
    ValueError
        If it holds what no network can have.

    See Also
    --------
    save : has an example.
    """
    path = checks.path(path, "path")
    if path.is_dir():
        raise IsADirectoryError(
            f"{path} is a folder; give a file, such as {path / 'best.npz'} of a training."
        )
    return network_of(*file_format.read(path, "network", "training"), path)


def load_weights(network: Network, path: str | Path) -> None:
    """Read weights and learned parameters from a file into an existing network.

    Parameters
    ----------
    network
        A network described like the one that was saved; what training leaves as it is (`frozen`,
        `gradient_to_source`) may differ.
    path
        As for `load`.

    Raises
    ------
    OSError
        If the file is missing, damaged or of another kind.
    ValueError
        If it belongs to another network, or holds values that are not possible. The network is then
        as it was.

    Examples
    --------
    >>> import os, tempfile
    >>> import biosnn as bs
    >>> def build(frozen, weights=None):
    ...     net = bs.Network(dt=1e-3)
    ...     net.connect(
    ...         net.input(1), net.readout(1), weights=weights, frozen=frozen, name="in"
    ...     )
    ...     return net
    >>> net = build(frozen=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "network.npz")
    ...     bs.save(build(frozen=False, weights=[[0.5]]), path)
    ...     bs.load_weights(net, path)
    >>> net.weights["in"]
    array([[0.5]], dtype=float32)
    """
    checks.instance(network, "network", Network, "a Network")
    stored = load(path)
    check_same(stored, network, path)
    take(network, stored)


# ----------------------------------------------------------------------------- also of checkpoints


def check(network: Network) -> None:
    """Raise a ValueError unless a file can hold a network with all that it is.

    Parameters
    ----------
    network
        The network.
    """
    arrays, head = contents(network)
    copies = {name: array.view() for name, array in arrays.items()}  # which may become read-only
    again = network_building.build(
        json.loads(json.dumps(head["network"])), copies, "a file of this network"
    )
    if found := difference(network, again, every=True):
        raise ValueError(
            f"a file would not hold this network as it is: {found.format('here', 'in the file')}."
        )


def contents(network: Network) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays and the part of the head that a file of a network holds.

    Parameters
    ----------
    network
        The network.
    """
    head = {"network": network_records.records(network)}
    return network_records.arrays_of(network), head


def network_of(arrays: Arrays, head: dict[str, Any], path: str | Path) -> Network:
    """Return the network of a file.

    Parameters
    ----------
    arrays, head
        As `file_format.read` returns them. Arrays of a training are left alone.
    path
        Path of the file, for messages.
    """
    if head["kind"] == "training":
        arrays = {name: array for name, array in arrays.items() if is_of_network(name)}
    record = head["network"]
    if head["format"] != file_format.FORMAT:
        record = network_records.of_format_4(record)
    return network_building.build(record, arrays, str(path))


def is_of_network(name: str) -> bool:
    """Return whether an array belongs to the network of a file, and not to a training.

    Parameters
    ----------
    name
        Its name in the file.
    """
    return name.partition("/")[0] in network_records.ARRAYS


def check_same(stored: Network, network: Network, path: str | Path) -> None:
    """Raise a ValueError if a file is of another network, or lacks weights.

    Parameters
    ----------
    stored
        What the file holds.
    network
        Into which its weights are to go.
    path
        Path of the file, for messages.
    """
    if found := difference(stored, network):
        raise ValueError(f"{path} is of another network: {found.format('there', 'here')}.")
    if missing := [p.name for p in network.projections if p.name not in stored.weights]:
        raise ValueError(
            f"{path} has no weights of {', '.join(missing)}: the network had none yet when it was "
            "saved."
        )


def take(network: Network, stored: Network) -> None:
    """Put the weights and learned parameters of one network into another that is like it.

    Parameters
    ----------
    network
        Into which.
    stored
        From which.

    Raises
    ------
    ValueError
        If weights do not fit their plasticity. The network is then as it was.
    """
    for projection in network.projections:
        check_plasticity(network, projection, stored.weights[projection.name])
    for projection in network.projections:
        network.set_weights(projection, stored.weights[projection.name])
    network.parameters.update(stored.parameters)
