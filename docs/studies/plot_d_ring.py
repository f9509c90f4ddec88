"""
D. A ring that remembers a direction
====================================

Excitatory neurons on a ring excite their neighbours, and everybody through inhibition inhibits
everybody: a bump of activity stays where a cue has left it (Compte et al. 2000). How well does the
network remember over two seconds?
"""

import numpy as np

import biosnn as bs

# %%
# 360 neurons prefer directions from 0° to 360°; weights follow from their distance on the ring.

net = bs.Network(dt=0.5e-3)
ring = bs.space.ring(360, length=360.0)
slow = bs.ei_lif(tau_exc=100e-3, tau_inh=10e-3, refractory=5e-3)
E = net.population(360, slow, "excitatory", name="E", positions=ring)
I = net.population(90, bs.ei_lif(tau_mem=10e-3, tau_exc=5e-3), "inhibitory", name="I")
net.connect(E, E, weights=bs.space.Gaussian(30.0, peak=0.015), delay=1e-3)
for pre, post, weight in ((E, I, 0.1), (I, E, 0.09), (I, I, 0.05)):
    net.connect(pre, post, weights=np.full((pre.n, post.n), weight), delay=1e-3)

# %%
# Noise for all, and a cue at 180° from 0.3 s to 0.6 s.

cue = 1.5 * bs.space.Gaussian(20.0)(abs(ring.coordinates[:, 0] - 180))
noise = [bs.OrnsteinUhlenbeck(name, mean=0.5, sd=0.4, tau=5e-3) for name in "EI"]
stimulus = bs.perturb.Stimulate("E", cue, start=0.3, stop=0.6)
options = {"background": noise, "perturbations": [stimulus], "progress": False}
runs = [bs.simulate(net, 2.5, seed=seed, **options) for seed in (1, 2, 3)]
bs.plot.activity(runs[0])

# %%
# The direction that the network remembers: that of the vector sum of all spikes in 0.5 s windows.

unit = np.exp(2j * np.pi * np.arange(360) / 360)
for start in (0.6, 1.0, 1.5, 2.0):
    late = [run.spikes["E"].select(start=start, stop=start + 0.5) for run in runs]
    vectors = [bs.stats.firing_rates(each) @ unit for each in late]
    print(f"{start:.1f} s:", np.round(np.degrees(np.angle(vectors)) % 360), "degrees")
