"""Small networks that tests of descriptions share."""

import biosnn as bs


def small():
    net = bs.Network(1e-3)
    x = net.input(4)
    e, i = bs.dalian_layer(net, x, 3, 2)
    net.connect(e, net.readout(2))
    return net
