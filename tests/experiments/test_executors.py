"""One sweep on every executor: the same bits, and each worker with its share of the processors."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import numba
import pytest

import biosnn as bs
from biosnn.experiments import cores, function_version, points, sweep_folder
from biosnn.experiments.worker import Compute
from biosnn.support import threads as processors
from biosnn.support.threads import default_threads
from tests.experiments.functions import circuit, deadly, noisy, sometimes
from tests.support.communicators import open_input

ROOT = Path(__file__).parents[2]
GRID = {"g": [3.0, 4.0, 5.0], "drive": [400.0, 600.0]}
QUIET = {"progress": False}


@pytest.fixture(scope="module")
def expected():
    return bs.sweep(circuit, GRID, seeds=2, executor=1, **QUIET).digest


def needs(package):
    return pytest.importorskip(package)


@contextmanager
def threads(folder):
    with ThreadPoolExecutor(2) as pool:
        yield pool


@contextmanager
def processes(folder):
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield pool


@contextmanager
def loky(folder):
    needs("joblib")
    yield 2


@contextmanager
def dask(folder):
    distributed = needs("distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


@contextmanager
def submitit(folder):
    executor = needs("submitit").AutoExecutor(folder / "logs", cluster="local")
    executor.update_parameters(timeout_min=5)
    yield executor


@pytest.mark.parametrize(
    "executor",
    [
        threads,
        loky,
        pytest.param(processes, marks=pytest.mark.slow),
        pytest.param(dask, marks=pytest.mark.slow),
        pytest.param(submitit, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("stored", [False, True])
def test_every_executor_gives_the_same_bits(executor, stored, expected, tmp_path):
    with executor(tmp_path) as given:
        options = {"executor": given, "out": tmp_path / "runs" if stored else None, **QUIET}
        found = bs.sweep(circuit, GRID, seeds=2, **options)
        assert found.digest == expected and found.computed == 12
        assert found.points[5]["run"].states["E.U"].shape == (1, 200, 2)
        if stored:
            again = bs.sweep(circuit, GRID, seeds=2, **options)
            assert again.digest == expected and again.computed == 0


MPI = """
from mpi4py.futures import MPIPoolExecutor
import biosnn as bs
from tests.experiments.functions import circuit

if __name__ == "__main__":
    with MPIPoolExecutor() as pool:
        grid = {"g": [3.0, 4.0, 5.0], "drive": [400.0, 600.0]}
        print(bs.sweep(circuit, grid, seeds=2, executor=pool, progress=False).digest)
"""


@pytest.mark.slow
def test_mpi_gives_the_same_bits(expected, tmp_path):
    needs("mpi4py.futures")
    mpiexec = Path(sys.executable).with_name("mpiexec")
    if not mpiexec.exists():
        pytest.skip("no mpiexec beside Python")
    (tmp_path / "study.py").write_text(MPI)
    command = [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", tmp_path / "study.py"]
    with open_input() as stdin:
        done = subprocess.run(
            command,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.stdout.split() == [expected], done.stderr


# ------------------------------------------------------------------------------------- accidents


INTERRUPTED = """
import os, signal, sys, threading, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
import biosnn as bs
from tests.experiments.functions import noisy

def slow(x, seed):
    time.sleep(0.02)
    return noisy(x, seed)

def press(folder):
    while len(list(Path(folder, "points").glob("*.npz"))) < 20:
        time.sleep(0.02)
    os.killpg(0, signal.SIGINT)  # as a terminal does: the workers get it, too

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    given = 2 if sys.argv[1] == "loky" else ProcessPoolExecutor(2)
    options = {"seeds": 2, "executor": given, "out": sys.argv[2], "progress": False}
    threading.Thread(target=press, args=sys.argv[2:], daemon=True).start()
    first = bs.sweep(slow, {"x": list(range(40))}, **options)
    again = bs.sweep(slow, {"x": list(range(40))}, **(options | {"executor": 1}))
    print(first.interrupted, len(first), again.computed, len(again.failures))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("kind", ["loky", "processes"])
def test_ctrl_c_keeps_what_workers_have_stored(kind, tmp_path):
    needs("joblib")
    (tmp_path / "study.py").write_text(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, tmp_path / "study.py", kind, tmp_path / "runs"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=120,
    )
    interrupted, kept, computed, failed = done.stdout.split()
    assert (interrupted, failed) == ("True", "0"), done.stderr
    assert 20 <= int(kept) < 80 and 80 - int(kept) - 4 <= int(computed) <= 80 - int(kept)


KILLED = """
import sys, time
import biosnn as bs
from tests.experiments.functions import noisy

def slow(x, seed):
    time.sleep(0.02)
    return noisy(x, seed)

if __name__ == "__main__":
    grid = {"x": list(range(40))}
    found = bs.sweep(slow, grid, seeds=2, executor=2, out=sys.argv[1], progress=False)
    print(found.digest, found.computed)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_killed_in_the_middle_and_resumed_it_has_the_same_digest(tmp_path):
    needs("joblib")
    (tmp_path / "study.py").write_text(KILLED)
    command = [sys.executable, tmp_path / "study.py"]
    options = {"env": os.environ | {"PYTHONPATH": str(ROOT)}, "stdin": subprocess.DEVNULL}
    whole = subprocess.run([*command, tmp_path / "a"], capture_output=True, text=True, **options)
    killed, points = subprocess.Popen([*command, tmp_path / "b"], **options), tmp_path / "b/points"
    for _ in range(1000):
        if points.exists() and len(list(points.glob("*.npz"))) >= 20:
            break
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    time.sleep(2)  # until its workers have ended, too
    there = len(list(points.glob("*.npz")))
    rest = subprocess.run([*command, tmp_path / "b"], capture_output=True, text=True, **options)
    digest, computed = rest.stdout.split()
    assert whole.stdout.split() == [digest, "80"]
    assert 20 <= there < 80 and int(computed) == 80 - there


@pytest.mark.slow
def test_a_process_that_dies_costs_its_own_point_alone():
    needs("joblib")
    with pytest.warns(UserWarning, match="1 of 8 points failed"):
        found = bs.sweep(deadly, {"x": list(range(8))}, executor=2, **QUIET)
    assert [point.parameters["x"] for point in found.failures] == [3]
    assert found["y"].tolist()[4:] == [4, 5, 6, 7]


def test_a_function_that_cannot_be_sent_is_refused_in_words():
    needs("cloudpickle")
    lock = __import__("threading").Lock()
    with pytest.raises(ValueError, match="cannot be sent to other processes"):
        bs.sweep(lambda x: {"y": lock}, {"x": [1]}, version="1", executor=2, **QUIET)


def test_a_lambda_with_a_closure_goes_to_other_processes():
    needs("joblib")
    offset = 5
    found = bs.sweep(lambda x: {"y": x + offset}, {"x": [1, 2]}, executor=2, **QUIET)
    assert found["y"].tolist() == [6, 7]


def test_a_function_with_much_luggage_is_warned_of():
    needs("joblib")
    luggage = bytes(11_000_000)
    with pytest.warns(UserWarning, match="carries 11 MB to every worker"):
        bs.sweep(lambda x: {"y": len(luggage)}, {"x": [1]}, version="1", executor=2, **QUIET)


def test_a_job_that_slurm_queues_again_computes_what_it_has_not_stored(tmp_path, monkeypatch):
    needs("submitit")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mended").touch()
    known = function_version.described(sometimes)
    grid = points.combinations({"x": [1, 2, 3]})
    jobs = points.jobs(sometimes, known, grid, 1, 0, True)
    sweep_folder.begin(tmp_path / "runs", known, jobs, False)
    compute = Compute(sometimes, known, tmp_path / "runs", None).sent(1)
    compute(jobs[:2])
    outcomes = compute.checkpoint(jobs).result()
    assert [outcome.head["numbers"]["y"] for outcome in outcomes] == [10, 20, 30]
    assert (tmp_path / "calls").read_text().split() == ["1", "2", "3"]


# ------------------------------------------------------------------------------------- processors


def shares(x):
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    known = {name: int(os.environ.get(name, 0)) for name in names}
    return known | {"biosnn": default_threads(), "numba": numba.get_num_threads()}


def test_each_process_has_its_share_of_the_processors():
    needs("joblib")
    found = bs.sweep(shares, {"x": [1, 2]}, executor=2, threads=1, **QUIET)
    assert all(found[name].tolist() == [1, 1] for name in found.results)


def test_points_in_this_process_have_all_processors():
    found = bs.sweep(shares, {"x": [1]}, executor=1, **QUIET)
    assert found["biosnn"].tolist() == [default_threads()]


def test_a_limit_ends_with_its_block():
    before = default_threads(), numba.get_num_threads()
    with cores.limited(1):
        assert (default_threads(), numba.get_num_threads()) == (1, 1)
    assert (default_threads(), numba.get_num_threads()) == before


@pytest.mark.parametrize("ranks, bound, share", [("4", False, 2), ("4", True, 8), ("x", False, 8)])
def test_processes_of_mpi_share_the_processors_unless_they_are_bound(
    ranks, bound, share, monkeypatch
):
    monkeypatch.setattr(processors, "default_threads", lambda: 8)
    monkeypatch.setattr(processors.os, "cpu_count", lambda: 16 if bound else 8)
    monkeypatch.setenv("MPI_LOCALNRANKS", ranks)
    assert processors.own_share() == share


@pytest.mark.skipif(importlib.util.find_spec("joblib") is None, reason="needs joblib")
def test_results_in_memory_come_back_whole():
    found = bs.sweep(noisy, {"x": [1, 2]}, seeds=2, executor=2, **QUIET)
    here = bs.sweep(noisy, {"x": [1, 2]}, seeds=2, executor=1, **QUIET)
    assert all((a == b).all() for a, b in zip(found["draws"], here["draws"]))


# -------------------------------------------------------------------------------------- compiling


COMPILES = """
import numpy as np
import biosnn as bs
from biosnn.support import code_cache

net = bs.Network(dt=1e-3)
net.population(20, bs.lif(), "excitatory", name="E")
for rule in (bs.FixedInDegree(2), bs.FixedTotal(30), bs.FixedOutDegree(2)):
    net.connect("E", "E", synapses=rule, weights=0.1, seed=1, name=f"by {rule}")
print(code_cache.compiled())
"""


@pytest.mark.slow
@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_what_one_process_compiles_the_others_read(tmp_path):
    options = {
        "env": os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(tmp_path)},
        "stdout": subprocess.PIPE,
        "text": True,
    }
    command = [sys.executable, "-c", COMPILES]
    together = [subprocess.Popen(command, **options) for _ in range(3)]
    counts = [int(process.communicate(timeout=120)[0]) for process in together]
    kept = len(list(tmp_path.rglob("*.nbc")))
    assert sum(counts) == kept > 2
    assert not list(tmp_path.rglob("*.lock"))
    later = subprocess.run(command, **options)
    assert int(later.stdout) == 0
