"""
Record what you need
====================

Spikes and their counts are always kept. States are kept where you ask for them, since they take
room: 4 bytes for each trial, step and neuron.
"""

import numpy as np

import biosnn as bs

spikes = bs.data.poisson(20.0, n_units=50, duration=0.3, n_trials=32, seed=1)
net = bs.Network(dt=1e-3)
E, I = bs.dalian_layer(net, net.input(50), 80, 20)
bs.fluctuation_driven(net, spikes, sigma_u=1.2, seed=1, progress=False)

# %%
# States of a run
# ---------------
# Names are ``population.state``. ``U_star`` is the membrane before threshold and reset.

trace = bs.run(net, spikes, record=["E.U", "E.U_star", "I.I_exc"])
{name: values.shape for name, values in trace.states.items()}

# %%
# Some neurons
# ------------
# A dict from names to neurons: indices, a slice, or None for all. `biosnn.run` and
# `biosnn.simulate` take the same.

trace = bs.run(net, spikes, record={"E.U": [0, 5], "I.U": slice(3)})
{name: values.shape for name, values in trace.states.items()}

# %%
# Means over neurons
# ------------------
# ``"mean"`` keeps the mean over a population, `biosnn.Means` those over groups: one column each.
# `biosnn.simulate` stores nothing else, and `biosnn.signals` takes it from there.

record = {"E.I_exc": "mean", "E.U": bs.Means({"left": slice(0, 40), "right": slice(40, 80)})}
trace = bs.run(net, spikes, record=record)
spectrum = bs.signals.power_spectrum(bs.signals.recorded(trace, "E.I_exc"))
print(trace.groups["E.U"], trace.states["E.U"].shape, f"{spectrum.peak():.0f} Hz")

# %%
# Mean and variance alone
# -----------------------
# Where only moments are wanted, no values are stored.

trace = bs.run(net, spikes, moments=["E.U"])
mean, variance = trace.mean["E.U"], trace.variance["E.U"]
print(f"free or not, the membrane of E is {mean.mean():.2f} ± {np.sqrt(variance.mean()):.2f}")

# %%
# A long simulation
# -----------------
# Every tenth step of three neurons, spikes of E alone, and rates in bins of 10 ms of all.

done = bs.simulate(
    net,
    1.0,
    background=[bs.PoissonInput("E", 1000.0, 0.2), bs.PoissonInput("I", 1000.0, 0.2)],
    record={"E.U": [0, 1, 2]},
    every=10,
    record_spikes=["E"],
    rate_bin=10e-3,
    seed=1,
    progress=False,
)
print(done.states["E.U"].shape, list(done.spikes), done.rates["I"].shape)

# %%
# For hours of activity, ``out="spikes.h5"`` sends spikes to a file as they come;
# `biosnn.read_spikes` reads it, also while the simulation goes on.
