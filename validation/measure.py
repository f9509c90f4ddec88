"""Peak memory and first calls of a training step, each in a process of its own; and how fast this machine computes."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np


def in_own_process(arguments, environment=None, timeout=None):
    """What `python -m validation.speed ARGUMENTS…` prints in its last line, read as JSON. RuntimeError with its last words."""
    command = [sys.executable, "-m", "validation.speed", *map(str, arguments)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=os.environ | (environment or {}),
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"it took more than {timeout:g} s") from None
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["it failed without a word"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


# -------------------------------------------------------------------------------------- first calls


def first_calls(arguments, timeout):
    """Seconds of the first process (caches empty) and of a second one.

    …_step_s     the first training step, in which everything compiles
    …_process_s  from the start of the process until this step is done: imports, data, the network's weights and all
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
            result |= {
                f"{which}_step_s": answer["step_s"],
                f"{which}_process_s": answer["done"] - begin,
            }
    return result


def first_step(make_job):
    """One training step in a process that has done nothing else; prints its seconds, and when it was done."""
    job = make_job()
    begin = time.perf_counter()
    job.step()
    print(json.dumps({"step_s": time.perf_counter() - begin, "done": time.time()}))


# ------------------------------------------------------------------------------------------- memory


def step_memory(make_job, data):
    """Prints the growth of the peak resident set (MB) by one step, after a step with two trials; inputs are there before."""
    make_job(data[:2]).step()
    job = make_job(data)
    before = reset_peak()
    job.step()
    print(json.dumps(peak() - before))


def reset_peak():
    """Start to measure the peak resident set anew, where the system can (Linux); returns what is resident now, in MB."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass
    return peak()


def peak():
    """Peak resident set in MB since `reset_peak` (since the start, where that is not possible)."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(
            int(line.split()[1]) / 1e3
            for line in status.read_text().splitlines()
            if line.startswith("VmHWM")
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1e6 if sys.platform == "darwin" else 1e3
    )


# -------------------------------------------------------------------------------------- the machine


class Machine(NamedTuple):
    """Of one core: float32 operations per second in a matrix product, and bytes per second between it and its caches."""

    flops: float
    cache_bandwidth: float


def machine():
    """Measured in a process whose BLAS has one thread."""
    single = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP", "VECLIB")}
    return Machine(**in_own_process(["machine"], single))


def measure_machine(n=1024, elements=1 << 15, repeats=20):
    """Best of some repeats: a product of n x n matrices; x += y for two vectors that fit into L2 together (12 bytes each)."""
    rng = np.random.default_rng(0)
    a, b, c = (rng.random((n, n), np.float32) for _ in range(3))
    x, y = rng.random((2, elements), np.float32)

    def add():
        for _ in range(100):
            np.add(x, y, out=x)

    product = min(_seconds(lambda: np.matmul(a, b, out=c)) for _ in range(repeats))
    return Machine(2 * n**3 / product, 1200 * elements / min(_seconds(add) for _ in range(repeats)))


def _seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
