"""
Files
=====

Everything that is written is plain arrays and JSON in ``.npz``, or HDF5. There is no pickle, so
files from others are safe to open; what is read is checked against what it should be. A file is
written under a temporary name and renamed, so it is whole or not there.
"""

import tempfile
from pathlib import Path

import numpy as np

import biosnn as bs

folder = Path(tempfile.mkdtemp())

# %%
# Weights
# -------
# `biosnn.load_weights` needs the same network, which you build as you built it before. Learned
# time constants and biases are in the file, too.

spikes = bs.data.poisson(20.0, n_units=30, duration=0.2, n_trials=4, seed=1)


def build():
    """The network."""
    net = bs.Network(dt=1e-3)
    E, I = bs.dalian_layer(net, net.input(30), 40, 10)
    net.connect(E, net.readout(2))
    return net


net = build()
bs.fluctuation_driven(net, spikes, sigma_u=1.0, seed=1, progress=False)
bs.save_weights(net, folder / "weights.npz")
again = build()
bs.load_weights(again, folder / "weights.npz")
print("the same weights:", np.array_equal(net.weights["E->I"], again.weights["E->I"]))

# %%
# A file that belongs to another network is refused in words:

other = bs.Network(dt=1e-3)
bs.dalian_layer(other, other.input(30), 50, 10)
try:
    bs.load_weights(other, folder / "weights.npz")
except ValueError as reason:
    print(reason)

# %%
# Spikes
# ------
# A simulation with ``out=`` writes its spikes while it runs.

for name in ("E", "I"):
    assert net[name].n
background = [bs.PoissonInput("E", 1000.0, 0.2)]
bs.simulate(net, 0.5, background=background, out=folder / "spikes.h5", seed=1, progress=False)
found = bs.read_spikes(folder / "spikes.h5")
found["E"]

# %%
# Spikes of your own: `biosnn.SpikeTrains.from_events` takes times, units and trials as arrays,
# from whatever file they come. Recordings in the layout of the Spiking Heidelberg Digits are read
# by `biosnn.data.load_shd`, events of cameras by `biosnn.data.from_event_arrays`, and files of
# other programs, such as NWB and SONATA, by `biosnn.interop`.
#
# Reports and histories
# ---------------------
# Reports become JSON with ``as_dict()``; learning curves are arrays.

import json  # noqa: E402

report = bs.fluctuation_driven(build(), spikes, sigma_u=1.0, seed=1, progress=False)
print(json.dumps(report.as_dict())[:200], "…")
