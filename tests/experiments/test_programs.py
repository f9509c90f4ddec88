"""The scripts of the page on clusters, with a small function and on this machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.communicators import open_input

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "docs" / "programs"
SMALL = """
def balanced(g, drive_hz, seed):
    return {"rate_hz": g * drive_hz + seed % 3}


GRID = {"g": [1.0, 2.0], "drive_hz": [10.0]}
"""
ONE_MACHINE = {
    "sweep_submitit": [('folder="logs"', 'folder="logs", cluster="local"')],
    "sweep_dask": [
        ("from dask_jobqueue import SLURMCluster", "from dask.distributed import LocalCluster"),
        ("SLURMCluster(\n", "LocalCluster(\n        n_workers=2, threads_per_worker=1,\n"),
        ('        queue="cpu",  # the name of yours\n', ""),
        ("        cores=8,  # of one job,\n", ""),
        ("        processes=8,  # with a process on each, which computes a point at a time\n", ""),
        ('        memory="16GB",\n        walltime="02:00:00",\n', "dashboard_address=None,\n"),
        ("    cluster.adapt(minimum_jobs=0, maximum_jobs=20)\n", ""),
    ],
    "sweep_mpi": [],
}
NEEDS = {"sweep_submitit": "submitit", "sweep_dask": "distributed", "sweep_mpi": "mpi4py"}


def run(folder, *command):
    """What a command prints."""
    options = {"capture_output": True, "text": True, "timeout": 200}
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with open_input() as stdin:
        done = subprocess.run(command, cwd=folder, env=env, stdin=stdin, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_MACHINE)
def test_a_script_for_a_cluster_runs_on_one_machine(name, tmp_path):
    pytest.importorskip(NEEDS[name])
    pytest.importorskip("pandas")
    text = (PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    for old, new in ONE_MACHINE[name]:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "study.py").write_text(SMALL)
    command = [sys.executable, f"{name}.py"]
    if name == "sweep_mpi":
        mpiexec = Path(sys.executable).with_name("mpiexec")
        if not mpiexec.exists():
            pytest.skip("no mpiexec beside Python")
        command = [mpiexec, "-n", "3", sys.executable, "-m", "mpi4py.futures", f"{name}.py"]
    assert "40 of 40" in run(tmp_path, *command)
    rows = (tmp_path / "results.csv").read_text().splitlines()
    assert rows[0] == "g,drive_hz,seed,rate_hz" and len(rows) == 41
    assert len(list((tmp_path / "results" / "points").glob("*.npz"))) == 40


@pytest.mark.slow
def test_processes_share_the_journal_of_optuna(tmp_path):
    pytest.importorskip("optuna")
    text = (PROGRAMS / "sweep_optuna.py").read_text(encoding="utf-8")
    for old, new in (("n_trials=5", "n_trials=1"), ("epochs=10", "epochs=2"), ("=150", "=30")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "search.py").write_text(text)
    for trials in (1, 2):
        assert f"{trials} trials; the best has" in run(tmp_path, sys.executable, "search.py")


@pytest.mark.slow
def test_the_function_of_the_page_computes(monkeypatch):
    monkeypatch.syspath_prepend(str(PROGRAMS))
    import study

    found = study.balanced(study.GRID["g"][2], study.GRID["drive_hz"][1], 1)
    assert 1 < found["rate_hz"]["E"] < 200 and 0 < found["cv"] < 2
