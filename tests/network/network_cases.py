"""Shared."""

import numpy as np


def fill(net, value=0.1):
    for p in net.projections:
        net.set_weights(p.name, np.full((net[p.pre].n, net[p.post].n), value))
    return net
