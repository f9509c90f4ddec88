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
# Networks
# --------
# `biosnn.save` writes a whole network: neurons, synapses as they were drawn, weights and what was
# learned. `biosnn.load` needs no code that builds it. Checkpoints of `biosnn.train` are opened in
# the same way: ``bs.load("run/best.npz")``.

spikes = bs.data.poisson(20.0, n_units=30, duration=0.2, n_trials=4, seed=1)


def build(frozen=False, n=40):
    """The network."""
    net = bs.Network(dt=1e-3)
    E, I = bs.dalian_layer(net, net.input(30), n, 10)
    net.connect(E, net.readout(2), frozen=frozen)
    return net


net = build()
bs.fluctuation_driven(net, spikes, sigma_u=1.0, seed=1, progress=False)
bs.save(net, folder / "network.npz")
again = bs.load(folder / "network.npz")
counts = [bs.run(each, spikes).counts["E"].sum() for each in (net, again)]
print("spikes:", *counts)
again

# %%
# `biosnn.load_weights` puts the weights into a network that you have built, for instance one that
# trains other projections. A file that belongs to another network is refused in words:

frozen = build(frozen=True)
bs.load_weights(frozen, folder / "network.npz")
try:
    bs.load_weights(build(n=50), folder / "network.npz")
except ValueError as reason:
    print(reason)

# %%
# A file is a zip archive of arrays, and a text of JSON that says what they are. Numpy is all that
# it takes to read it; :doc:`/reference/files` lists what there is, field by field.

import json  # noqa: E402

with np.load(folder / "network.npz") as file:
    head = json.loads(file["meta"].tobytes())
    print(file["weight/E->I"].shape, head["format"], "of biosnn", head["version"])
print(head["network"]["projections"][0])

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

report = bs.fluctuation_driven(build(), spikes, sigma_u=1.0, seed=1, progress=False)
print(json.dumps(report.as_dict())[:200], "…")
