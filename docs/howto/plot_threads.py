"""
Threads, processes and clusters
===============================

Everything uses all processors that the process may use, and nothing depends on their number.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import biosnn as bs

# %%
# Threads
# -------
# ``threads=`` limits them in one call. The default respects the affinity of the process and the
# limits of its container, so a job on a cluster takes what it was given. Trials of a batch, or
# parts of a large network, are what threads share; sums run in a fixed order.

spikes = bs.data.poisson(20.0, n_units=30, duration=0.2, n_trials=64, seed=1)


def one_start(seed):
    """The rate of a network that starts with this seed."""
    net = bs.Network(dt=1e-3)
    bs.dalian_layer(net, net.input(30), 40, 10)
    bs.fluctuation_driven(net, spikes, sigma_u=1.2, seed=seed, threads=1, progress=False)
    return float(bs.run(net, spikes, threads=1).counts["E"].mean())


print(f"{one_start(1):.3f} spikes in a trial; this machine has {os.cpu_count()} processors")

# %%
# Many runs at once
# -----------------
# A sweep is many independent runs, each with one thread. Whatever has ``submit`` or ``map`` will
# do; kernels release Python's global lock, so threads are enough on one machine.

with ThreadPoolExecutor(2) as pool:
    print([round(rate, 3) for rate in pool.map(one_start, (1, 2, 3))])

# %%
# On a cluster
# ------------
# With processes, put the work into a function of a module, and return numbers rather than
# networks. On SLURM an array job is the simplest:
#
# .. code-block:: bash
#
#    #SBATCH --array=0-99
#    #SBATCH --cpus-per-task=4
#    python study.py --seed $SLURM_ARRAY_TASK_ID --out results/$SLURM_ARRAY_TASK_ID
#
# Give every task an ``out=`` folder of its own. A task that is killed is submitted again with
# ``start="resume"`` and goes on from its last checkpoint.
#
# Compile once
# ------------
# Compiled code is kept next to the library, or in a folder of your own where that cannot be
# written to. Run one small training and one small simulation before you start a hundred jobs:
# they then find the code instead of compiling it a hundred times. Two processes that compile at
# the same time do no harm to each other.
