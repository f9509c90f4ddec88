"""
Sparse networks
===============

``synapses=`` of `biosnn.Network.connect` says who is connected with whom. What follows, trains and
simulates as dense projections do; memory and work are proportional to the number of synapses.
"""

import numpy as np
from scipy import sparse

import biosnn as bs

net = bs.Network(dt=1e-3)
E = net.population(400, bs.ei_lif(), "excitatory", name="E")
I = net.population(100, bs.ei_lif(), "inhibitory", name="I")

# %%
# Random rules
# ------------
# Each pair with a probability, or a fixed number of synapses for each target, for each source, or
# in all.

net.connect(E, I, synapses=bs.Bernoulli(0.1), weights=0.02, seed=1)
net.connect(I, E, synapses=bs.FixedInDegree(20), weights=bs.LogNormal(0.05, 0.5), seed=1)
net.connect(E, E, synapses=bs.FixedTotal(8000), weights=bs.Exponential(0.02), seed=1)
net

# %%
# Connections of your own
# -----------------------
# A matrix of scipy (rows are presynaptic), or pairs. Its values are the weights.

A = net.population(50, bs.ei_lif(), "excitatory", name="A")
rng = np.random.default_rng(1)
matrix = sparse.random(400, 50, density=0.05, random_state=rng)
net.connect(E, A, synapses=bs.from_scipy(matrix), weights=matrix.tocsr().data)
pre, post, weights, _ = net.indices("E->A")
print(pre[:5], post[:5], weights[:5].round(2))

# %%
# Patterns
# --------
# One-to-one, blocks, fan-out and convolutions are rules, too.

B = net.population(50, bs.ei_lif(), "excitatory", name="B")
net.connect(A, B, synapses=bs.OneToOne(), weights=0.5)
net.connect(B, A, synapses=bs.BlockDiagonal(5), weights=0.1)
print(net.synapses["B->A"])

# %%
# A rule of your own
# ------------------
# Anything with ``build(n_pre, n_post, same, rng)`` is a rule (`biosnn.Rule`): here, neurons on a
# ring reach their neighbours.


class Ring:
    """Every neuron projects onto the next few."""

    random = False

    def __init__(self, reach):
        self.reach = reach

    def build(self, n_pre, n_post, same, rng):
        """Build the synapses."""
        pre = np.repeat(np.arange(n_pre), self.reach)
        post = (pre + np.tile(1 + np.arange(self.reach), n_pre)) % n_post
        return bs.Pairs(pre, post).build(n_pre, n_post, same, rng)


net.connect(B, B, synapses=Ring(3), weights=0.1)
print(net.synapses["B->B"])
