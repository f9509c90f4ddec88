"""Memory and first calls of a training step, each in its own process; the speed of this machine."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import biosnn as bs
from models.command_line import peak_memory


def in_own_process(
    arguments: Sequence[Any],
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Any:
    """What `python -m validation.speed ARGUMENTS…` prints in its last line, read as JSON.

    Raises
    ------
    RuntimeError
        With its last words, if it fails or takes more than `timeout` seconds.
    """
    command = [sys.executable, "-m", "validation.speed", *map(str, arguments)]
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout,
            env={**os.environ, **(environment or {})},
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"it took more than {timeout:g} s") from None
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it failed without a word"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


# -------------------------------------------------------------------------------------- first calls


def first_calls(arguments: Sequence[Any], timeout: float) -> dict[str, float]:
    """Seconds of the first process (caches empty) and of a second one.

    Returns
    -------
    `…_step_s`: the first training step, in which everything compiles. `…_process_s`: from the start
    of the process until this step is done, with imports, data and all.
    """
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        caches = {
            "NUMBA_CACHE_DIR": str(Path(folder, "numba")),
            "TORCHINDUCTOR_CACHE_DIR": str(Path(folder, "inductor")),
        }
        for which in ("first", "second"):
            begin = time.time()
            answer = in_own_process(["first-step", *arguments], caches, timeout)
            result[f"{which}_step_s"] = answer["step_s"]
            result[f"{which}_process_s"] = answer["done"] - begin
    return result


def first_step(make_job: Callable[[], Any]) -> None:
    """Take one training step in a new process; print its seconds, and when it was done."""
    job = make_job()
    begin = time.perf_counter()
    job.step()
    print(json.dumps({"step_s": time.perf_counter() - begin, "done": time.time()}))


# ------------------------------------------------------------------------------------------- memory


def step_memory(make_job: Callable[[bs.SpikeTrains], Any], data: bs.SpikeTrains) -> None:
    """Print the growth of the peak resident set (MB) by one step.

    It comes after a step with two trials; inputs are there before.
    """
    make_job(data[:2]).step()
    job = make_job(data)
    before = reset_peak()
    job.step()
    print(json.dumps(peak_memory() - before))


def reset_peak() -> float:
    """Measure the peak resident set anew, where the system can; MB that are resident now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass
    return peak_memory()


# -------------------------------------------------------------------------------------- the machine


@dataclass(frozen=True)
class Machine:
    """What a core does in a second: float32 operations of a product, bytes from its caches."""

    flops: float
    cache_bandwidth: float


def machine() -> Machine:
    """Measure in a process whose BLAS has one thread."""
    single = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP", "VECLIB")}
    return Machine(**in_own_process(["machine"], single))


def measure_machine(n: int = 1024, elements: int = 1 << 15, repeats: int = 20) -> Machine:
    """Take the best of some repeats.

    They are a product of n x n matrices, and x += y for two vectors that fit into L2 together (12
    bytes each).
    """
    rng = np.random.default_rng(0)
    a, b, c = (rng.random((n, n), np.float32) for _ in range(3))
    x, y = rng.random((2, elements), np.float32)

    def add() -> None:
        for _ in range(100):
            np.add(x, y, out=x)

    product = min(_seconds(lambda: np.matmul(a, b, out=c)) for _ in range(repeats))
    return Machine(2 * n**3 / product, 1200 * elements / min(_seconds(add) for _ in range(repeats)))


def _seconds(work: Callable[[], Any]) -> float:
    """Of some work."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
