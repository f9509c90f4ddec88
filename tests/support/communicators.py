"""Communicators as mpi4py has them, between threads of this process; and mpiexec."""

import os
import pickle
import queue
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
_SECONDS = 60  # after which a process that waits has been forgotten


class _World:
    """What all processes of a communicator share."""

    def __init__(self, size):
        self.size, self.barrier = size, threading.Barrier(size, timeout=_SECONDS)
        self.shared, self.aborted = [None] * size, False
        self.mail = {(a, b): queue.Queue() for a in range(size) for b in range(size)}


class Communicator:
    """One process of several, which is a thread. Objects are pickled on the way, as by mpi4py."""

    def __init__(self, world, rank):
        self.world, self.rank, self.bytes = world, rank, 0

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return self.world.size

    def Dup(self):
        return self

    def Free(self):
        pass

    def Abort(self, code=1):
        self.world.aborted = True
        self.world.barrier.abort()

    def allgather(self, value):
        self.world.shared[self.rank] = pickle.dumps(value)
        self.world.barrier.wait()
        found = [pickle.loads(each) for each in self.world.shared]
        self.world.barrier.wait()
        return found

    def Allgather(self, array, found):
        found[:] = np.concatenate(self.allgather(array))

    def Allgatherv(self, array, found):
        values, counts = found
        sent = self.allgather(array)
        assert [each.size for each in sent] == list(counts)
        values[:] = np.concatenate(sent)

    def Send(self, array, dest):
        self.world.mail[self.rank, dest].put(np.array(array))

    def Recv(self, array, source):
        array[:] = self.world.mail[source, self.rank].get(timeout=_SECONDS)

    def Bcast(self, array, root):
        if self.rank == root:
            for other in range(self.world.size):
                if other != root:
                    self.Send(array, other)
        else:
            self.Recv(array, root)


def on_ranks(size, work):
    """[work(communicator) of every process, or the error that it raises]."""
    world, found = _World(size), [None] * size

    def one(rank):
        try:
            found[rank] = work(Communicator(world, rank))
        except BaseException as error:
            found[rank] = error

    members = [
        threading.Thread(target=one, args=(rank,), name=f"rank {rank}") for rank in range(size)
    ]
    for member in members:
        member.start()
    for member in members:
        member.join(_SECONDS)
        assert not member.is_alive(), "a process waits for one that does not come"
    return found


# ------------------------------------------------------------------------------------------ mpiexec


@contextmanager
def open_input():
    """A pipe to which nobody writes: mpiexec of MPICH stumbles over an input that has ended."""
    read, write = os.pipe()
    try:
        yield read
    finally:
        os.close(read)
        os.close(write)


def mpiexec():
    """The mpiexec beside Python, or None."""
    found = Path(sys.executable).with_name("mpiexec")
    return found if found.exists() else None


def run_under_mpi(n, script, folder, *arguments, timeout=120):
    """What a script does on n processes: a CompletedProcess with its texts."""
    (folder / "script.py").write_text(script)
    # Open MPI refuses to be started by root, or on fewer processors than processes, without these
    env = os.environ | {
        "PYTHONPATH": str(ROOT),
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }
    command = [mpiexec(), "-n", str(n), sys.executable, "script.py", *map(str, arguments)]
    with open_input() as stdin:
        return subprocess.run(
            command,
            cwd=folder,
            env=env,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def run_page(program, folder):
    """What a program of the documentation prints on two processes; skips where there is no MPI."""
    pytest.importorskip("mpi4py")
    if mpiexec() is None:
        pytest.skip("no mpiexec beside Python")
    script = (ROOT / "docs" / "programs" / program).read_text(encoding="utf-8")
    done = run_under_mpi(2, script, folder)
    assert done.returncode == 0, done.stderr
    return done.stdout
