"""
Delays
======

Every projection has a delay, and in sparse projections every synapse may have one of its own. A
delay is a multiple of the time step: the nearest one is taken, with a `biosnn.RoundingWarning` if
that changes it. A spike of step :math:`n` arrives in step :math:`n + D`, and :math:`D = 0` is
allowed: it then acts on the next update of the membrane.
"""

import numpy as np

import biosnn as bs

# %%
# One delay for a projection
# --------------------------

net = bs.Network(dt=1e-3)
x = net.input(1)
A = net.population(2, bs.lif_delta(), name="A")
net.connect(x, A, delay=3e-3, weights=[[0.5, 0.8]])
spike = bs.SpikeTrains.from_units([[10e-3]], duration=20e-3)
u = bs.run(net, spike, record=["A.U"]).states["A.U"][0]
print("first step with an effect:", int(np.argmax(u[:, 0] > 0)))

# %%
# A delay for each synapse
# ------------------------
# A distribution, here a normal one around 4 ms, is rounded to steps when it is drawn; the values
# follow from the seed and the name of the projection.

E = net.population(200, bs.ei_lif(), "excitatory", name="E")
delays = bs.Normal(4e-3, 1e-3, low=1e-3)
net.connect(E, E, delay=delays, weights=0.01, synapses=bs.Bernoulli(0.1), seed=1)
pre, post, weights, seconds = net.indices("E->E")
print(f"{pre.size} synapses, delays of {1e3 * seconds.min():g} to {1e3 * seconds.max():g} ms")

# %%
# Delays that you know
# --------------------
# Give the pairs, and one delay for each of them.

B = net.population(3, bs.ei_lif(), "excitatory", name="B")
pairs = bs.Pairs([0, 1, 2], [1, 2, 0])
net.connect(B, B, delay=[1e-3, 5e-3, 2e-3], weights=0.1, synapses=pairs)
print(net.indices("B->B")[3])

# %%
# A delay that does not fit
# -------------------------

import warnings  # noqa: E402

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    net.connect(x, B, delay=1.3e-3, weights=[[0.1, 0.2, 0.1]])
print(caught[0].message)
