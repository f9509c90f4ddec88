"""python sweep_dask.py, on the login node: dask's workers as SLURM jobs (dask-jobqueue)."""

from dask.distributed import Client
from dask_jobqueue import SLURMCluster
from study import GRID, balanced

import biosnn as bs

if __name__ == "__main__":
    cluster = SLURMCluster(
        queue="cpu",  # the name of yours
        cores=8,  # of one job,
        processes=8,  # with a process on each, which computes a point at a time
        memory="16GB",
        walltime="02:00:00",
    )
    cluster.adapt(minimum_jobs=0, maximum_jobs=20)
    with Client(cluster) as client:
        sweep = bs.sweep(balanced, GRID, seeds=20, executor=client, out="results")
    sweep.to_frame().to_csv("results.csv", index=False)
    print(sweep)
