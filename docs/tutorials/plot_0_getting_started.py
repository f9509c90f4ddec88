"""
Getting started
===============

Install biosnn from a checkout with ``pip install -e .`` (Python 3.11 or later; there is nothing to
compile by hand). This page builds a network that obeys Dale's law, gives it weights with which it
is active from the start, and trains it. All of it takes some seconds on a laptop, and the first
time a minute, in which the library compiles itself.
"""

import biosnn as bs

# %%
# Data
# ----
# Randman is a family of classification problems made of spike times. Every class is a smooth
# random curve: a point on it says when each of 20 units spikes. A tenth each is kept for
# validation and for the test.

train, validation, test = bs.data.split(bs.data.randman(seed=0), seed=0)
train

# %%
# Spikes of your own come in as lists of times, units and trials: `bs.SpikeTrains.from_events`.
# Times are in seconds here and everywhere else.
#
# A network of excitatory and inhibitory neurons
# ----------------------------------------------
# A network begins with its time step. It has an input, two populations and a readout;
# `bs.dalian_layer` adds the two populations and the six projections between them and from the
# input.

net = bs.Network(dt=2e-3)
x = net.input(train.n_units)
neuron = bs.ei_lif(tau_mem=20e-3, tau_exc=10e-3, tau_inh=20e-3)
E, I = bs.dalian_layer(net, x, 128, 32, neuron=neuron)
net.connect(E, net.readout(10, tau_mem=train.duration))
net

# %%
# All weights are non-negative. The sign of a synapse is that of its presynaptic population, and
# training cannot change it.
#
# Weights to start from
# ---------------------
# Networks with random weights are often silent, or fire at every step; neither can be trained.
# The :doc:`fluctuation-driven start </equations/initializer>` asks for the membrane instead: its
# mean, at rest here, and a standard deviation that takes it to threshold now and then. The report
# says what was asked for, what theory predicts, and what was measured on the training data.

report = bs.fluctuation_driven(net, train, sigma_u=1.0, alpha=0.9, seed=1, progress=False)
print(report)

# %%
# Training
# --------
# Backpropagation through time with a surrogate derivative, ten epochs. After every step, weights
# that would change their sign are set to zero.

history = bs.train(
    net,
    train,
    validation=validation,
    epochs=10,
    batch=100,
    optimizer=bs.Adam(5e-3),
    seed=1,
    progress=False,
)
curves = bs.plot.history(history)

# %%
# How well does it recognize trials that it has never seen, and does it still obey Dale's law?

print(bs.evaluate(net, test))
print(bs.audit(net))

# %%
# What it does
# ------------
# `bs.run` returns the spikes of some trials and the states that you ask for.

trace = bs.run(net, test[:5], record=["E.U", "E.I_exc", "E.I_inh"])
bs.plot.activity(trace)

# %%
# The excitatory and the inhibitory current of a neuron, which nearly cancel:

bs.plot.currents(trace, "E")

# %%
# Where to go from here
# ---------------------
# - :doc:`plot_1_published_circuit`: a large sparse circuit, simulated and compared with theory.
# - :doc:`plot_2_your_own_study`: from a question about excitation and inhibition to an answer.
# - :doc:`plot_3_check_against_brian2`: the same network in Brian2, spike by spike.
# - :doc:`/generated/howto/index`: losses of your own, delays, recording, reproducibility and
#   more.
