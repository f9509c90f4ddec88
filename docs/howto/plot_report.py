"""
Read the report of the initializer
==================================

`biosnn.fluctuation_driven` returns what it did, population by population. This page reads such a
report line by line.
"""

import biosnn as bs

spikes = bs.data.poisson(15.0, n_units=100, duration=0.5, n_trials=32, seed=1)
net = bs.Network(dt=2e-3)
E, I = bs.dalian_layer(net, net.input(100), 100, 25)
net.connect(E, net.readout(2))
report = bs.fluctuation_driven(net, spikes, sigma_u=1.0, alpha=0.9, seed=1, progress=False)
print(report)

# %%
# The columns
# -----------
# ``mean U`` and ``sd U`` are :math:`\mu_U` and :math:`\sigma_U` of the *free* membrane: of the
# same neuron, with the same input, but without threshold. ``xi`` is the distance to threshold in
# standard deviations, :math:`\xi = (\theta - \mu_U) / \sigma_U`: at 1 neurons fire often, at 3
# hardly ever. ``spread`` is the standard deviation over neurons of their mean membrane, which
# random weights make differ. ``E/I`` is the excitatory part of the mean input over the inhibitory
# part, 1 in balance.
#
# The lines
# ---------
# - *target*: what you asked for, and the rate that the equations assumed.
# - *predicted*: what theory says of the final weights, for independent Poisson inputs at these
#   rates.
# - *measured*: what the closed loop saw in a simulation of your data. Only this line has been
#   simulated.
#
# Where predicted and measured differ, inputs are not independent Poisson trains: data have bursts
# and correlations, and so do recurrent networks. The closed loop changes the weights until the
# measured line meets the target.
#
# In numbers
# ----------

E = report["E"]
print(f"target {E.target.sigma:.2f}, measured {E.measured.sigma:.3f}, xi {E.measured.xi(1.0):.2f}")

# %%
# As a figure
# -----------

bs.plot.initializer(report)

# %%
# What cannot be
# --------------
# Targets that no weights can meet are refused, with the inequality that fails and what would make
# it hold:

try:
    bs.fluctuation_driven(
        net, spikes, sigma_u=1.0, mu_u=-5.0, assumed_rates=20.0, closed_loop=False
    )
except ValueError as reason:
    print(reason)
