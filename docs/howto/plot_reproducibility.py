"""
Reproducibility and seeds
=========================

Same seed, same bits: on any number of threads, in any order of processes, on every run.
"""

import numpy as np

import biosnn as bs

# %%
# Where randomness enters
# -----------------------
# Connections and weights drawn from distributions (``net.connect(…, seed=1)``), the initializer,
# training (order of trials, augmentation, dropout, noise), background and escape noise. Each of
# these takes a seed: a whole number, or a numpy Generator. Nothing uses numpy's global state.
#
# Names make streams independent
# ------------------------------
# Random numbers follow from the seed *and* from what they are for: the projection or population
# by name. So one seed serves for a whole network, and an additional population changes nothing
# about the others.


def circuit(extra=False):
    """Two populations; with `extra` a third."""
    net = bs.Network(dt=1e-3)
    E = net.population(100, bs.ei_lif(), "excitatory", name="E")
    I = net.population(25, bs.ei_lif(), "inhibitory", name="I")
    if extra:
        other = net.population(50, bs.ei_lif(), "excitatory", name="other")
        net.connect(other, I, synapses=bs.Bernoulli(0.2), weights=bs.Exponential(0.1), seed=1)
    net.connect(E, I, synapses=bs.Bernoulli(0.2), weights=bs.Exponential(0.1), seed=1)
    return net


plain, larger = circuit(), circuit(extra=True)
print("the same weights:", np.array_equal(plain.weights["E->I"], larger.weights["E->I"]))

# %%
# Threads change nothing
# ----------------------
# Sums run in a fixed order, and random numbers are counter-based: each follows from seed, name,
# neuron and step.

background = [bs.PoissonInput("E", 1500.0, 0.1), bs.PoissonInput("I", 1500.0, 0.1)]
options = {"background": background, "seed": 3, "progress": False}
one = bs.simulate(plain, 0.5, threads=1, **options)
two = bs.simulate(plain, 0.5, threads=2, **options)
print("the same spikes:", np.array_equal(one.spikes["E"].times, two.spikes["E"].times))

# %%
# What to write down
# ------------------
# The version, the seed, and the time step. A network has a fingerprint, by which checkpoints and
# states know the network that they belong to:

print(bs.__version__, plain.fingerprint())

# %%
# Two things do change bits: another precision (``Network(dtype=np.float64)``), and a processor
# with other vector units, whose sums of products round differently. In chaotic networks one
# rounding error moves spikes after a while, so compare statistics across machines, and bits
# within one.
