"""
Run a published circuit
=======================

Brunel (2000) showed that a network of identical excitatory and inhibitory neurons, sparsely
connected at random, has four states, and that two numbers decide between them: the relative
strength :math:`g` of inhibition and the external drive :math:`\\eta`. Here we build a fifth of his
network (2500 neurons), run it in one of the states, and hold it against mean-field theory. The
full network is :source:`models/brunel_2000.py`.

.. rubric:: References

Brunel N (2000). Dynamics of sparsely connected networks of excitatory and inhibitory spiking
neurons. Journal of Computational Neuroscience 8:183-208. https://doi.org/10.1023/A:1008925309027
"""

import numpy as np

import biosnn as bs

# %%
# Neurons
# -------
# Leaky integrate-and-fire neurons with delta synapses: a spike moves the membrane at once, by the
# weight. A delta synapse has no current whose unit could be chosen, so we may as well use volts,
# relative to rest.

neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3)
neuron

# %%
# Connections
# -----------
# Every neuron receives from the same number of excitatory and of inhibitory neurons, chosen at
# random, and each spike arrives 1.5 ms later. In a network a fifth as large every neuron has a
# fifth as many inputs; five times the weight would keep the mean input, and :math:`\sqrt 5`
# times keeps its variance. We take the latter, since fluctuations drive this state.

SCALE = 0.2
J = 0.1e-3 / np.sqrt(SCALE)  # volts
g, eta = 5.0, 2.0

net = bs.Network(dt=1e-4)
E = net.population(round(10_000 * SCALE), neuron, "excitatory", name="E")
I = net.population(round(2_500 * SCALE), neuron, "inhibitory", name="I")
for pre, inputs, weight in ((E, 1000, J), (I, 250, g * J)):
    for post in (E, I):
        rule = bs.FixedInDegree(round(inputs * SCALE))
        net.connect(pre, post, delay=1.5e-3, weights=weight, synapses=rule, seed=1)
net

# %%
# Inhibition has positive weights, too: the population is inhibitory, so its spikes lower the
# membrane.
#
# External input
# --------------
# Poisson spikes at :math:`\eta` times the rate that would just take the mean membrane to
# threshold.

rate = eta * 20e-3 / (J * 20e-3)  # threshold / (J tau), in hertz
background = [bs.PoissonInput(name, rate, J) for name in ("E", "I")]

# %%
# Simulation
# ----------

done = bs.simulate(net, 1.0, background=background, seed=1, progress=False)
done

# %%
# The same seed gives the same spikes, on any number of threads and on any day.

bs.plot.activity(done, populations=["E"], units=60, stop=0.2)

# %%
# What state is it in?
# --------------------
# Statistics of spike trains are in `bs.stats`. Irregular means a coefficient of variation of the
# intervals near 1.

print(f"rate {done.mean_rates['E']:.1f} Hz, CV {np.nanmean(bs.stats.isi_cv(done.spikes['E'])):.2f}")

# %%
# Compared with theory
# --------------------
# Mean-field theory finds the rates at which the neurons, driven by themselves and by the
# background, fire with just these rates (:doc:`/equations/mean_field`). `bs.regime` compares it
# with the simulation, and says in words where a circuit is silent, saturated, synchronous or
# out of balance.

print(bs.regime(net, background, done))

# %%
# Less inhibition
# ---------------
# With :math:`g < 4` there is more excitation than inhibition, since there are four times as many
# excitatory neurons. Then the network fires as fast as its refractory period lets it, and in
# synchrony. Weights are set, not built again.

for post in ("E", "I"):
    net.set_weights(f"I->{post}", 3.0 * J)
regular = bs.simulate(net, 0.5, background=background, seed=1, progress=False)
cv = np.nanmean(bs.stats.isi_cv(regular.spikes["E"]))
print(f"g = 3: {regular.mean_rates['E']:.0f} Hz, CV {cv:.2f}")

# %%
# The other two states and the full size: ``python -m models.brunel_2000``.
