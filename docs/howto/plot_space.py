"""
Networks in space
=================

Populations may have positions: on a line, a ring, a sheet or a torus, at random, or from arrays.
Connections, weights and delays then follow from the distance between neurons (`biosnn.space`).
"""

import matplotlib.pyplot as plt
import numpy as np

import biosnn as bs

# %%
# A ring that remembers a direction
# ---------------------------------
# 360 excitatory neurons with preferred directions from 0° to 360° excite their neighbours, slowly
# (100 ms), and all inhibitory neurons, which inhibit everybody. A function of distance is a weight
# like any other.

net = bs.Network(dt=0.5e-3)
E = net.population(
    360,
    bs.ei_lif(tau_exc=100e-3, tau_inh=10e-3, refractory=5e-3),
    "excitatory",
    name="E",
    positions=bs.space.ring(360, length=360.0),
)
I = net.population(
    90, bs.ei_lif(tau_mem=10e-3, tau_exc=5e-3, tau_inh=10e-3), "inhibitory", name="I"
)
net.connect(E, E, weights=bs.space.Gaussian(30.0, peak=0.015), delay=1e-3)
net.connect(E, I, weights=np.full((360, 90), 0.1), delay=1e-3)
net.connect(I, E, weights=np.full((90, 360), 0.09), delay=1e-3)
net.connect(I, I, weights=np.full((90, 90), 0.05), delay=1e-3)

# %%
# A cue of 0.3 s at 180° leaves activity behind, which stays when the cue is over.

directions = E.positions.coordinates[:, 0]
cue = 1.5 * bs.space.Gaussian(20.0)(abs(directions - 180))
background = [
    bs.OrnsteinUhlenbeck("E", 0.5, 0.4, 5e-3),
    bs.OrnsteinUhlenbeck("I", 0.5, 0.4, 5e-3),
    bs.Current("E", ([0.0, 0.3, 0.6], [0 * cue, cue, 0 * cue])),
]
done = bs.simulate(net, 2.0, background=background, seed=1, progress=False)

figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
spikes = done.spikes["E"]
axis.plot(spikes.times, directions[spikes.units], ".", ms=2, color=bs.plot.EXCITATORY)
axis.axvspan(0.3, 0.6, color="0.9", zorder=0)
axis.set(xlabel="time (s)", ylabel="direction (degrees)", ylim=(0, 360), xlim=(0, 2))

# %%
# A sheet, with delays by conduction
# ----------------------------------
# Lengths are in metres where velocities are given. The probability of a connection is a profile
# with a peak (or any function of distance), and spikes travel at 0.3 m/s.

net = bs.Network(dt=0.1e-3)
space = dict(extent=1e-3, periodic=True)  # 1 mm, without edges
E = net.population(
    1600, bs.ei_lif(), "excitatory", name="E", positions=bs.space.grid((40, 40), **space)
)
I = net.population(
    400,
    bs.ei_lif(),
    "inhibitory",
    name="I",
    positions=bs.space.random(400, (1e-3, 1e-3), periodic=True, seed=1),
)
net.connect(
    E,
    I,
    synapses=bs.space.Bernoulli(bs.space.Gaussian(0.15e-3, peak=0.6)),
    weights=0.1,
    delay=bs.space.Conduction(0.3, offset=0.5e-3),
    seed=1,
)
bs.plot.positions(net)

# %%
# `biosnn.space.distances` are those of all synapses, in the order of ``net.indices``.

apart = bs.space.distances(net, "E->I")
delays = net.indices("E->I")[3]
print(f"{apart.size} synapses over {1e3 * apart.mean():.2f} mm, in {1e3 * delays.mean():.2f} ms")

# %%
# Fixed numbers of partners
# -------------------------
# Each neuron has 50 sources, most of them near. A wrapped Gaussian goes round the torus, as in
# models of cortical planes; without it the shortest way counts.

rule = bs.space.FixedInDegree(50, bs.space.Gaussian(0.15e-3, wrapped=True), self_connections=False)
net.connect(E, E, synapses=rule, weights=bs.LogNormal(0.1, 0.5), seed=1)
targets = net.synapses["E->E"]
reach = np.bincount(targets.target[targets.sources == 820], minlength=1600)
bs.plot.positions(net, {"E": reach})
