"""
Check against Brian2
====================

A result that two programs agree on is worth more than one that rests on a single program.
`bs.brian.compare` runs the same network in Brian2, with the same weights, delays and input spikes,
and compares every spike and every state. It needs ``pip install 'biosnn[brian2]'``.

.. rubric:: References

Stimberg M, Brette R, Goodman DFM (2019). Brian 2, an intuitive and efficient neural simulator.
eLife 8:e47314. https://doi.org/10.7554/eLife.47314
"""

import tempfile
from pathlib import Path

import biosnn as bs

# %%
# A network with all that could go wrong
# --------------------------------------
# Recurrence, delays, adaptation and a refractory period, started where it is active.

spikes = bs.data.poisson(20.0, n_units=30, duration=0.3, n_trials=4, seed=1)
net = bs.Network(dt=1e-3)
neuron = bs.ei_adaptive_lif(refractory=2e-3)
E, I = bs.dalian_layer(net, net.input(30), 40, 10, neuron=neuron, delay=2e-3)
net.connect(E, net.readout(2))
report = bs.fluctuation_driven(net, spikes, sigma_u=1.2, seed=1, progress=False)

# %%
# The comparison
# --------------
# Both programs compute in double precision. A difference of one rounding error can, in a
# recurrent network, move a spike sooner or later, and then all that follows; the comparison says
# when that happens, and how large the differences of the states were before it.

comparison = bs.brian.compare(net, spikes[0])
print(comparison)

# %%
# It is true only if something happened and everything agrees, so that it can stand in a test of
# your own:

assert comparison

# %%
# A check that can fail
# ---------------------
# Two networks in which nothing happens agree, too. That shows nothing, and the comparison says
# so:

nothing = bs.SpikeTrains.from_units([[] for _ in range(30)], duration=0.3)
silent = bs.brian.compare(net, nothing)
print(silent)
print("counts as agreement:", bool(silent))

# %%
# ``python -m validation.dynamics --break`` goes further: it plants faults into Brian2's side, such
# as a delay that is longer by a step or a time constant that is a millionth off, and the ladder
# must find each of them.
#
# The program in Brian2
# ---------------------
# `bs.brian.script` writes the network as a program for Brian2: to read, to edit, and to publish
# with your results.

with tempfile.TemporaryDirectory() as folder:
    program = bs.brian.script(net, spikes[0], Path(folder) / "network.py").read_text()
print("\n".join(program.splitlines()[:48]))

# %%
# A simulation of `bs.simulate` is compared in the same way: give `duration`, and `background`.
# Brian2 then gets the same random numbers.
