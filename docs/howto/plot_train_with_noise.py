"""
Train with noise and with currents
==================================

Neurons in a brain never get their input alone. A ``background=`` of Poisson spikes and noisy
currents drives the network in `biosnn.train`, `biosnn.evaluate` and `biosnn.predict` as it does in
`biosnn.run`. Noise is new in every epoch; the same seed gives the same bits.
"""

import numpy as np
from matplotlib.figure import Figure

import biosnn as bs

data = bs.data.randman(n_classes=4, n_units=20, samples_per_class=80, smoothness=1.5, seed=1)
chosen = np.random.default_rng(1).permutation(len(data))
train, test = data[chosen[:240]], data[chosen[240:]]


def started():
    """A network with weights to start from."""
    net = bs.Network(dt=2e-3)
    e, i = bs.dalian_layer(net, net.input(20), 64, 16)
    net.connect(e, net.readout(4))
    bs.fluctuation_driven(net, train, sigma_u=1.0, seed=1, progress=False)
    return net


def noise(sd):
    """Noisy currents with a correlation time of 5 ms."""
    return [bs.OrnsteinUhlenbeck(name, mean=0.0, sd=sd, tau=5e-3) for name in ("E", "I")]


# %%
# Two trainings
# -------------
# One network learns without noise, the other with noise whose standard deviation is the distance
# from rest to threshold.

options = {"epochs": 40, "batch": 40, "optimizer": bs.Adam(5e-3), "seed": 1, "progress": False}
quiet, noisy = started(), started()
bs.train(quiet, train, **options)
history = bs.train(noisy, train, background=noise(1.0), **options)
print(f"loss with noise: {history.loss[0]:.2f} to {history.loss[-1]:.2f}")

# %%
# What noise does to each, on trials that neither has seen, five times each:

sds = np.linspace(0, 1.5, 7)
figure = Figure(figsize=(6, 3.6), layout="constrained")
axis = figure.subplots()
for net, name, style in ((quiet, "without noise", "o--"), (noisy, "with noise of sd 1", "s-")):
    found = [
        [bs.evaluate(net, test, background=noise(sd), seed=k).accuracy for k in range(5)]
        for sd in sds
    ]
    axis.plot(sds, np.mean(found, axis=1), style, color="black", label=f"trained {name}")
axis.axhline(0.25, color="grey", linewidth=1, linestyle=":", label="chance")
axis.set(xlabel="sd of the noisy current (threshold = 1)", ylabel="accuracy, test", ylim=(0, 1.02))
axis.legend(frameon=False)
figure

# %%
# Learning with noise costs a little where there is none, and pays where there is much.
#
# What differs between trials
# ---------------------------
# A value of a source may differ between trials: its first axis then counts them, in the order of
# the data, wherever shuffling and ``validation=0.1`` put them. Here the second half of the trials
# is attended, and has more drive.

drive = np.where(np.arange(240) < 120, 0.0, 0.3)[:, None]
history = bs.train(
    started(),
    train,
    background=[bs.Current("E", drive), *noise(0.5)],
    validation=0.1,
    **options | {"epochs": 2},
)

# %%
# Currents as input
# -----------------
# What is not made of spikes enters as ``currents=``: a dict of arrays that broadcast to (trial,
# step, neuron). A network that has no inputs is trained with them alone.

net = bs.Network(dt=2e-3)
E = net.population(40, bs.ei_lif(), "excitatory", name="E")
net.connect(E, net.readout(4), weights=bs.Normal(0.0, 0.02), seed=1)
directions = np.arange(200) % 4
preferred = np.linspace(0, 2 * np.pi, 40, endpoint=False)
drive = 1 + 0.3 * np.cos(preferred - np.pi / 2 * directions[:, None])
history = bs.train(
    net,
    None,
    directions,
    currents={"E": np.repeat(drive[:, None], 50, axis=1)},  # for 50 steps
    background=[bs.OrnsteinUhlenbeck("E", 0.0, 0.5, 5e-3)],
    epochs=20,
    optimizer=bs.Adam(1e-2),
    batch=20,
    progress=False,
)
print(f"directions told apart: {history.accuracy[0]:.2f} to {history.accuracy[-1]:.2f}")
