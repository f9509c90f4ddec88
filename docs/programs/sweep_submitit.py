"""python sweep_submitit.py, on the login node: an array of SLURM jobs (pip install submitit)."""

import submitit
from study import GRID, balanced

import biosnn as bs

if __name__ == "__main__":
    executor = submitit.AutoExecutor(folder="logs")  # on the file system of the cluster
    executor.update_parameters(
        timeout_min=120,
        cpus_per_task=4,  # of one job, whose points come one after the other
        mem_gb=8,
        slurm_partition="cpu",  # the name of yours
        slurm_array_parallelism=50,
    )
    sweep = bs.sweep(balanced, GRID, seeds=20, executor=executor, batch=10, out="results")
    sweep.to_frame().to_csv("results.csv", index=False)
    print(sweep)
