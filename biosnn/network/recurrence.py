"""Which projections of a network are recurrent."""

from typing import Any

import numpy as np

from ..support.checks import network as checked_network


def recurrent_projections(network: Any) -> set[str]:
    """Return the projections whose target can reach their source again.

    Parameters
    ----------
    network
        The Network.

    Returns
    -------
    Names of the projections within a strongly connected component.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> hidden = bs.layer(net, net.input(10), 20, name="hidden", recurrent=True)
    >>> bs.recurrent_projections(net)
    {'hidden->hidden'}
    """
    names = [p.name for p in checked_network(network).populations]
    pairs = {p.name: (names.index(p.pre), names.index(p.post)) for p in network.projections}
    reaches = np.eye(len(names), dtype=bool)
    for pre, post in pairs.values():
        reaches[pre, post] = True
    for p in network.pooling:
        reaches[names.index(p.source), names.index(p.name)] = True
    for k in range(len(names)):  # paths over population k as well (Warshall)
        reaches |= reaches[:, k : k + 1] & reaches[k]
    return {name for name, (pre, post) in pairs.items() if reaches[post, pre]}
