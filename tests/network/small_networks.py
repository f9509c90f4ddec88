"""Small networks that tests of descriptions share."""

import numpy as np

import biosnn as bs


def small():
    net = bs.Network(1e-3)
    x = net.input(4)
    e, i = bs.dalian_layer(net, x, 3, 2)
    net.connect(e, net.readout(2))
    return net


def fill(net, value=0.1):
    for p in net.projections:
        net.set_weights(p.name, np.full((net[p.pre].n, net[p.post].n), value))
    return net
