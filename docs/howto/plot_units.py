"""
Units
=====

Plain numbers are seconds and hertz, everywhere. Where a time or a rate is meant, a quantity of
Brian2, pint or quantities will do as well.
"""

import warnings

from brian2 import Hz, ms

import biosnn as bs

net = bs.Network(dt=1 * ms)
x = net.input(10)
A = net.population(5, bs.lif(tau_mem=20 * ms, tau_syn=5 * ms, refractory=2 * ms), name="A")
net.connect(x, A, delay=2 * ms, weights=[[0.2] * 5] * 10)
print(net.projection("input->A").delay, "s")
spikes = bs.data.poisson(20 * Hz, n_units=10, duration=200 * ms, seed=1)
print(bs.run(net, spikes).spikes["A"])

# %%
# A wrong unit is an error:

try:
    bs.lif(tau_mem=20 * Hz)
except ValueError as reason:
    print(reason)

# %%
# Milliseconds where seconds are meant
# ------------------------------------
# A number alone cannot show its unit, but 20 is no membrane time constant in seconds. That is a
# `biosnn.UnitWarning`:

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    bs.lif(tau_mem=20)
print(caught[0].message)

# %%
# Potentials
# ----------
# Potentials are dimensionless where the threshold is 1 (`biosnn.lif`, `biosnn.ei_lif` and their
# like), or in volts, for the whole neuron at once: threshold, reset, weights of delta synapses
# and what you record. Neurons with defaults in volts (`biosnn.conductance_lif`, `biosnn.adex`)
# say so. Conductances are in units of the leak conductance. Currents are what they do to the
# membrane in the long run, so they have the unit of the potential: multiply by the membrane
# resistance.
