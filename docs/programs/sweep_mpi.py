"""mpiexec -n 33 python -m mpi4py.futures sweep_mpi.py: one process leads, 32 compute."""

from mpi4py.futures import MPIPoolExecutor
from study import GRID, balanced

import biosnn as bs

if __name__ == "__main__":
    with MPIPoolExecutor() as executor:
        sweep = bs.sweep(balanced, GRID, seeds=20, executor=executor, out="results")
    sweep.to_frame().to_csv("results.csv", index=False)
    print(sweep)
