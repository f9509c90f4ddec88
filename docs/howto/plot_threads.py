"""
Threads, processes and clusters
===============================

Everything uses all processors that the process may use, and nothing depends on their number.
"""

import os

import biosnn as bs

# %%
# Threads
# -------
# ``threads=`` limits them in one call. The default respects the affinity of the process and the
# limits of its container, so a job on a cluster takes what it was given. Trials of a batch, or
# parts of a large network, are what threads share; sums run in a fixed order.

spikes = bs.data.poisson(20.0, n_units=30, duration=0.2, n_trials=64, seed=1)


net = bs.Network(dt=1e-3)
bs.dalian_layer(net, net.input(30), 40, 10)
bs.fluctuation_driven(net, spikes, sigma_u=1.2, seed=1, progress=False)
counts = [bs.run(net, spikes, threads=threads).counts["E"] for threads in (1, None)]
print(f"{counts[0].mean():.3f} spikes in a trial; this machine has {os.cpu_count()} processors")
print("the same on one and on all:", (counts[0] == counts[1]).all())

# %%
# Many trials of one circuit
# --------------------------
# ``trials=`` of :func:`bs.simulate` runs one circuit several times, each time with other random
# numbers. The trials share its synapses. Of a small circuit every thread takes a trial of its own;
# threads share one trial of a large circuit.

circuit = bs.Network(dt=1e-3)
circuit.population(200, bs.ei_lif(), "excitatory", name="E")
noise = [bs.OrnsteinUhlenbeck("E", mean=0.9, sd=0.3, tau=5e-3)]
trials = bs.simulate(circuit, 0.5, background=noise, trials=8, progress=False)
print("spikes in each trial:", [trial.counts["E"] for trial in trials])

# %%
# Many runs at once
# -----------------
# A sweep is many independent runs. :func:`bs.sweep` distributes them over processes of this
# machine, gives each its share of the processors, and stores what comes; see :doc:`plot_sweep`.


def one_start(sigma_u, seed):
    """The rate of a network that starts with these fluctuations."""
    net = bs.Network(dt=1e-3)
    bs.dalian_layer(net, net.input(30), 40, 10)
    bs.fluctuation_driven(net, spikes, sigma_u=sigma_u, seed=seed)
    return {"count": float(bs.run(net, spikes).counts["E"].mean())}


sweep = bs.sweep(one_start, {"sigma_u": [1.2, 1.4]}, seeds=2, executor=1, progress=False)
print(sweep["sigma_u"], sweep["count"].round(3))

# %%
# On a cluster
# ------------
# The same call takes dask, submitit or MPI as its executor: :doc:`/clusters`. A training of its
# own is a job like any other. Give it a folder, ``out=``; if it is killed, ``start="resume"`` goes
# on from its last checkpoint. One training goes over many nodes, too: :doc:`/mpi`.
#
# Compile once
# ------------
# Compiled code is kept next to the library, or in a folder of your own where that cannot be
# written to. When several processes need the same kernel, one compiles it; the others wait, and
# read it.
