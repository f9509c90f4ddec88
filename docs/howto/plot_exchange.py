"""
Other programs
==============

What a network did goes to Neo, pandas, xarray, NWB and SONATA, and a network to NIR, with the
functions of `biosnn.interop`. Each needs the package that it is for:
``pip install "biosnn[neo,pandas,xarray,nwb,nir]"``.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import biosnn as bs

folder = Path(tempfile.mkdtemp())
net = bs.Network(dt=1e-3)
E, I = bs.dalian_layer(net, net.input(40), 80, 20)
net.connect(E, net.readout(2))
spikes = bs.data.poisson(20.0, n_units=40, duration=0.5, n_trials=10, seed=1)
bs.fluctuation_driven(net, spikes, sigma_u=1.0, seed=1, progress=False)
trace = bs.run(net, spikes, record={"E.U": [0, 1]})

# %%
# Neo and elephant
# ----------------
# A Block has a Segment for each trial. Its spike trains know their population, its signals their
# unit, and both begin at the ``start`` of the run.

block = bs.interop.to_neo(trace, units={"U": "dimensionless"})
train = block.segments[0].spiketrains[3]
print(train.annotations, train.t_start, train.t_stop)

# %%
# elephant takes these trains as they are. Recorded ones come the other way, and all statistics of
# biosnn work on them; populations of a `biosnn.data.Recording` are found by name.

recording = bs.interop.from_neo(block)
print(recording)
print("the same rates:", bs.stats.firing_rates(recording["E"])[:3].round(1), "Hz")

# %%
# pandas and xarray
# -----------------
# Tidy tables have an observation in each row, and units in the names of their columns.

rates = bs.interop.to_frame(trace, "rates", rate_bin=0.05)
over_time = rates.groupby(["population", "time_s"], observed=True)["rate_hz"].mean().unstack(0)
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
over_time.plot(ax=ax, color={"E": "C3", "I": "C0"}, xlabel="time (s)", ylabel="rate (Hz)")

# %%

bs.interop.to_xarray(trace)["E.U"].sel(trial=0).isel(time=slice(3))

# %%
# Files
# -----
# NWB files hold the units, the trials and the recorded states; the trials of a batch follow each
# other in time. SONATA files hold the spikes of one trial.

bs.interop.to_nwb(trace, folder / "trials.nwb", session={"lab": "Laboratory of Examples"})
print(bs.interop.from_nwb(folder / "trials.nwb"))
one = {name: trains[0] for name, trains in trace.spikes.items()}
bs.interop.to_sonata(one, folder / "spikes.h5")
print(bs.interop.from_sonata(folder / "spikes.h5"))

# %%
# NIR
# ---
# A graph of NIR describes a network for other frameworks and for neuromorphic hardware, each of
# which runs some kinds of nodes: CubaLIF, which `biosnn.lif` becomes, nearly all of them, and the
# LI and LIF of `biosnn.ei_lif` fewer. Here the graph comes back, and fires as before. What NIR
# cannot say is refused in words.

again = bs.interop.from_nir(bs.interop.to_nir(net))
print("the same spikes:", (bs.run(again, spikes).counts["E"] == trace.counts["E"]).all())

other = bs.Network(dt=1e-3)
cells = other.population(10, bs.adaptive_lif(refractory=2e-3), name="cells")
other.connect(other.input(5), cells, weights=bs.Normal(0.5, 0.1), seed=1)
try:
    bs.interop.to_nir(other)
except ValueError as reason:
    print(reason)
