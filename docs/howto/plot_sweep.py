"""
Sweep over parameters
=====================

One function at many points, on all processors; results as a table, a figure and files.
"""

import tempfile

import biosnn as bs

# %%
# The function has named parameters, and an argument ``seed`` (or ``rng``) if it draws random
# numbers. It returns a dict: numbers become columns of a table; arrays, spike trains and
# simulations are kept beside it. Units belong into the names.


def balanced(g, drive_hz, seed):
    """Rate and irregularity of a random network whose inhibition is g times as strong."""
    net = bs.Network(dt=0.5e-3)
    E = net.population(400, bs.lif_delta(threshold=1.0), "excitatory", name="E")
    I = net.population(100, bs.lif_delta(threshold=1.0), "inhibitory", name="I")
    for pre, weight, k in ((E, 0.03, 40), (I, 0.03 * g, 10)):
        for post in (E, I):
            rule = bs.FixedInDegree(k)
            net.connect(pre, post, delay=1.5e-3, weights=weight, synapses=rule, seed=seed)
    noise = [bs.PoissonInput(name, drive_hz, 0.05) for name in ("E", "I")]
    done = bs.simulate(net, 0.5, background=noise, seed=seed)
    cv, _ = bs.stats.pooled_cv(done.spikes["E"])
    return {"rate_hz": done.mean_rates["E"], "cv": cv, "spikes": done.spikes["E"]}


grid = {"g": [3.0, 4.0, 5.0, 6.0, 7.0, 8.0], "drive_hz": [1000.0, 1500.0, 2000.0]}
sweep = bs.sweep(balanced, grid, seeds=3, executor=1)
sweep

# %%
# ``executor=1`` stays in this process. Leave it out, and joblib's processes take all processors
# (``pip install "biosnn[sweep]"``); dask, submitit and MPI take its place on a :doc:`cluster
# </clusters>`. All give the same bits, which the digest shows.

print(sweep.digest)
sweep.plot("g", "rate_hz", "drive_hz")

# %%
# Two parameters and a colour are a map:

sweep.plot("g", "drive_hz", "cv")

# %%
# The table is one of pandas, ``sweep.to_frame()``. Columns are also arrays, and what is no number
# belongs to the points:

print(sweep["rate_hz"].round(1)[:6])
print(sweep.points[0]["spikes"])

# %%
# Seeds
# -----
# Each repetition has a stream of random numbers of its own, which follows from ``seed=`` and its
# index. All combinations of parameters get the same ones: two points differ by their parameters
# alone. With ``paired=False`` no two points share a seed. A point is computed again by hand with
# what the table says:

point = sweep.points[4]
again = balanced(**point.parameters, seed=point.seed)
print(again["rate_hz"] == point["rate_hz"])

# %%
# Files
# -----
# With a folder, each point is stored as soon as it is there. After Ctrl-C, a crash or the end of a
# job, the same call computes what is missing; a larger grid computes what is new. When the code of
# the function changes, its points are computed anew.

with tempfile.TemporaryDirectory() as folder:
    bs.sweep(balanced, {"g": [4.0, 5.0], "drive_hz": 1500.0}, out=folder, executor=1)
    grid = {"g": [4.0, 5.0, 6.0], "drive_hz": 1500.0}
    more = bs.sweep(balanced, grid, out=folder, executor=1)
    print(f"{more.computed} of {len(more)} points were computed by the second call")
    print(len(bs.experiments.load_sweep(folder)), "points are in the folder")

# %%
# Failures
# --------
# A function that raises does not end the sweep. The point keeps the traceback, and is computed
# again by the next call (unless ``retry=False``).


def careful(x):
    """A root."""
    return {"root": x**0.5 if x >= 0 else 1 / 0}


roots = bs.sweep(careful, {"x": [4.0, -1.0]}, executor=1, progress=False)
print(roots["root"], roots.failures[0].error.splitlines()[-1])

# %%
# Many parameters
# ---------------
# Where a grid would have too many points, a design fills the space evenly:

ranges = {"g": (3.0, 8.0), "drive_hz": (1000.0, 3000.0)}
points = bs.experiments.design(ranges, 16, log=["drive_hz"], seed=1)
bs.sweep(balanced, points, executor=1).plot("g", "drive_hz", "rate_hz")
