"""What `ranks.py` measures on several processes: runs of a circuit, meetings, cores side by side.

Each is a child, `mpiexec -n N python -m validation.ranks …`, whose last line is JSON. Where there
are more processes than processors, MPICH gives a processor away only when it is told to
(MPIR_CVAR_ENABLE_HEAVY_YIELD); else a process that waits takes the time of one that works.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import biosnn as bs
from models.command_line import peak_memory

from .internals import OneRank, processors
from .played_ranks import PlayedRanks
from .ranks_costs import CIRCUITS, SEED, WARM_UP

_ROUNDS = 100  # meetings in a series …
_SERIES = 25  # … and how many of them
_BLOCK = 512  # numbers that work goes through at once


def under_mpi(n: int, arguments: Sequence[Any], timeout: float = 300.0) -> Any:
    """What `python -m validation.ranks ARGUMENTS…` prints on n processes, read as JSON.

    Raises
    ------
    RuntimeError
        With its last words, if it fails or takes more than `timeout` seconds.
    """
    program = [sys.executable, "-m", "validation.ranks", *map(str, arguments)]
    beside = Path(sys.executable).with_name("mpiexec")
    command = [str(beside) if beside.exists() else "mpiexec", "-n", str(n), *program]
    more = {"MPIR_CVAR_ENABLE_HEAVY_YIELD": "1"} if n > processors() else {}
    read, write = os.pipe()  # mpiexec of MPICH stumbles over an input that has ended
    try:
        done = subprocess.run(
            command,
            stdin=read,
            env=os.environ | more,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{' '.join(command)} took more than {timeout:g} s") from None
    finally:
        os.close(read)
        os.close(write)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it failed without a word"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def _world() -> Any:
    """MPI.COMM_WORLD."""
    from mpi4py import MPI

    return MPI.COMM_WORLD


def _print(found: dict[str, Any]) -> None:
    """As the last line, on the first process."""
    if _world().Get_rank() == 0:
        print(json.dumps(found))


# ------------------------------------------------------------------------------------ of processes


class Timed:
    """A communicator that counts the seconds of a core between exchanges of spikes.

    Examples
    --------
    >>> from validation.played_ranks import PlayedRanks
    >>> Timed(PlayedRanks(2, {})).Get_size()
    2
    """

    def __init__(self, inner: Any, counted: dict[str, float] | None = None) -> None:
        self._inner, self.counted = inner, {} if counted is None else counted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def Dup(self) -> "Timed":
        """Its duplicate, which counts for it."""
        return Timed(self._inner.Dup(), self.counted)

    def Allgather(self, own: Any, found: Any) -> None:
        """What has passed since the last one was spent on computing."""
        now, counted = time.thread_time(), self.counted
        counted["core_s"] = counted.get("core_s", 0.0) + now - counted.get("last", now)
        self._inner.Allgather(own, found)
        counted["last"] = time.thread_time()


def run_circuit(name: str, scale: float, seconds: float, repeats: int, threads: int) -> None:
    """Simulate a circuit on all processes, some times; print seconds of the clock, and memory."""
    given, world = CIRCUITS[name], _world()
    timed = Timed(world)
    network = given.build(scale) if scale else _tiny()
    options: dict[str, Any] = {
        "background": given.background(scale, 1.0) if scale else (),
        "record_spikes": (),
        "threads": threads,
        "progress": False,
        "communicator": timed if world.Get_size() > 1 else None,
    }
    done = bs.simulate(
        network, WARM_UP, initial=given.initial if scale else None, seed=SEED, **options
    )
    memory = world.gather(peak_memory() * 1e6)
    walls, cores = [], []
    for _ in range(repeats):
        timed.counted.clear()
        done = bs.simulate(network, seconds, state=done.state, **options)
        walls.append(done.wall / done.duration)
        cores.append(timed.counted.get("core_s", done.wall) / done.duration)
    found = world.gather(min(cores))
    _print({"walls": walls, "core_s": found and max(found), "bytes": memory})


def _tiny() -> bs.Network:
    """A network that takes no memory, with the kernels that large ones need."""
    network = bs.Network(dt=1e-3)
    cells = network.population(2000, bs.ei_lif(), "excitatory", name="E")
    network.connect(
        cells,
        cells,
        delay=bs.Uniform(1e-3, 3e-3),
        weights=bs.Normal(0.01, 0.001, low=0),
        synapses=bs.FixedInDegree(1),
        seed=SEED,
    )
    return network


def run_meetings(words: int, work: float, touched: int) -> None:
    """Meet again and again after so many seconds of work; print what a meeting adds to it.

    Processes that share a processor work one after the other, and this is not the meeting's; that
    each finds its caches full of what others have touched is. The work goes through so many bytes.
    """
    world, size = _world(), _world().Get_size()
    own, found = np.zeros(words, np.int32), np.empty(words * size, np.int32)
    busy = Busy(touched)
    blocks = round(work / busy.seconds())
    series = []
    for _ in range(_SERIES):
        world.Barrier()
        begin = time.perf_counter()
        for _ in range(_ROUNDS):
            busy.go(blocks)
            world.Allgather(own, found)
        series.append((time.perf_counter() - begin) / _ROUNDS)
    alone = blocks * busy.seconds() * max(1.0, size / processors())
    _print({"meeting_s": max(0.0, min(series) - alone), "median_s": statistics.median(series)})


class Busy:
    """Work that goes through some bytes, block by block, again and again."""

    def __init__(self, touched: int) -> None:
        self._blocks = np.ones((max(1, touched // (8 * _BLOCK)), _BLOCK))
        self._at = 0

    def go(self, blocks: int) -> None:
        """Do so many blocks."""
        for _ in range(blocks):
            self._at = (self._at + 1) % len(self._blocks)
            block = self._blocks[self._at]
            np.add(block, 0.0, out=block)

    def seconds(self, repeats: int = 20) -> float:
        """Of a block, on a core of its own."""
        n, found = 4 * len(self._blocks), []
        for _ in range(repeats):
            begin = time.thread_time()
            self.go(n)
            found.append((time.thread_time() - begin) / n)
        return min(found)


def run_side_by_side(name: str, scale: float, seconds: float, repeats: int) -> None:
    """Play one process of two on every core at once; print its seconds of the core."""
    given, world = CIRCUITS[name], _world()
    network = given.build(scale)
    others = PlayedRanks(2, {p.name: 5e-4 for p in network.spiking})
    one = OneRank(network, given.background(scale, 1.0), given.initial, others)
    others.know(one.names, one.bounds, one.first)
    one.run(round(WARM_UP / network.dt))
    found = []
    for together in (False, True):
        for _ in range(repeats):
            world.Barrier()
            others.reset()
            if together or world.Get_rank() == 0:
                taken, _ = one.run(round(seconds / network.dt))
                found.append((together, taken - others.seconds))
    mine = {which: min(t for w, t in found if w == which) for which in {w for w, _ in found}}
    _print({"slower": max(1.0, mine[True] / mine[False]) if False in mine else 1.0})
