"""
Continue a run, a simulation or a training
==========================================

What goes on from a state has the bits of one long run.
"""

import tempfile
from pathlib import Path

import numpy as np

import biosnn as bs

# %%
# A simulation
# ------------

net = bs.Network(dt=1e-3)
E = net.population(100, bs.ei_lif(), "excitatory", name="E")
net.connect(E, E, synapses=bs.Bernoulli(0.1), weights=0.02, delay=2e-3, seed=1)
noise = [bs.OrnsteinUhlenbeck("E", mean=0.8, sd=0.5, tau=5e-3)]
options = {"background": noise, "progress": False}

whole = bs.simulate(net, 0.4, seed=1, **options)
first = bs.simulate(net, 0.2, seed=1, **options)
second = bs.simulate(net, 0.2, state=first.state, **options)
joined = np.concatenate([first.spikes["E"].times, 0.2 + second.spikes["E"].times])
print(
    whole.spikes["E"].times.size, "spikes; the same:", np.allclose(whole.spikes["E"].times, joined)
)

# %%
# The same state with another seed is another future:

other = bs.simulate(net, 0.2, state=first.state, seed=7, **options)
print(second.spikes["E"].times.size, "and", other.spikes["E"].times.size, "spikes")

# %%
# On disk
# -------
# A state is arrays and numbers in a file that pickle has nothing to do with.

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "state.npz"
    bs.save_state(first.state, path)
    again = bs.simulate(net, 0.2, state=bs.load_state(path), **options)
print("the same:", np.array_equal(again.spikes["E"].times, second.spikes["E"].times))

# %%
# A training
# ----------
# With a folder, ``out=``, a checkpoint is written after every epoch, and when you press Ctrl-C.
# ``start="resume"`` goes on from it, to the bits that an uninterrupted training would have had.

data = bs.data.randman(n_classes=2, n_units=20, samples_per_class=60, smoothness=2.0, seed=1)


def started():
    """A network with weights to start from."""
    net = bs.Network(dt=2e-3)
    hidden = bs.layer(net, net.input(20), 30, name="hidden")
    net.connect(hidden, net.readout(2))
    bs.fluctuation_driven(net, data, sigma_u=1.0, seed=1, progress=False)
    return net


one, two = started(), started()
options = {"batch": 40, "seed": 1, "progress": False}
bs.train(one, data, epochs=6, **options)
with tempfile.TemporaryDirectory() as folder:
    bs.train(two, data, epochs=3, out=folder, **options)
    bs.train(two, data, epochs=6, out=folder, start="resume", **options)
    stored = bs.load(Path(folder) / "last.npz")
same = all(np.array_equal(one.weights[name], two.weights[name]) for name in one.weights)
print("the same weights:", same)

# %%
# A checkpoint holds the network, too, and `biosnn.load` opens it anywhere:

stored
