"""First calls with nothing compiled: costs by kernel from numba's events, tables, processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numba
import pytest

from validation import cold, speed

ROOT = Path(__file__).parents[2]
compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

#: a is compiled for 11 s of CPU: 1 in its typing, 2 in b (1.5 in lowering), 8 in lowering, of which
#: 0.5 in something that is lowered within; b once more, by itself. The wall clock goes twice as
#: fast, and between 11 and 12 somebody else works.
CPU = [
    (0.0, "net.a"),
    (1.0, "net.b"),
    (1.5, "lowering"),
    (3.0, ""),
    (3.0, ""),
    (3.0, "lowering"),
    (4.0, "lowering"),
    (4.5, ""),
    (11.0, ""),
    (11.0, ""),
    (12.0, "net.b"),
    (16.0, ""),
]
EVENTS = [(cpu, 2 * cpu, name) for cpu, name in CPU]


def test_costs_are_own_seconds_of_each_kernel():
    a, b = cold.costs(EVENTS)
    assert (a.kernel, a.signatures, a.own, a.lowering) == ("net.a", 1, 9.0, 8.0)
    assert (b.kernel, b.signatures, b.own, b.lowering) == ("net.b", 2, 6.0, 1.5)
    assert cold.compiling(EVENTS) == (30.0, 15.0)
    assert cold.costs([]) == [] and cold.compiling([]) == (0.0, 0.0)


def measured(task, checkout, seconds):
    """A row as of two processes whose calls take some seconds, and no time the second time."""
    first = {"import": {"wall": 0.5, "cpu": 0.25, "events": []}}
    first |= {
        name: {"wall": seconds + k, "cpu": 16.0, "events": EVENTS} for k, name in enumerate("fg")
    }
    second = {name: {"wall": 0.125, "cpu": 0.125, "events": []} for name in first}
    return {"task": task, "checkout": checkout, "first": first, "second": second}


def cells(table):
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def test_table_of_calls_has_medians_and_sums():
    rows = [measured("train", "this", seconds) for seconds in (40.0, 10.0, 20.0)]
    rows += [measured("train", "before", 90.0), measured("learned x", "this", 50.0)]
    found = {(line[0], line[1]): line[2:] for line in cells(cold.call_table(rows))}
    assert [*found][:2] == [("import biosnn", "this"), ("import biosnn", "before")]
    assert found["f", "this"] == ["20", "16", "30", "15", "2", "0.12"]
    assert found["f and g", "this"] == ["41", "32", "60", "30", "4", "0.25"]
    assert found["f, learned x", "this"][0] == "50" and found["g", "before"][0] == "91"
    assert found["import biosnn", "this"] == ["0.50", "0.25", "0", "0", "0", "0.12"]


@pytest.mark.parametrize("top, last", [(1, "1 others"), (2, "net.b")])
def test_table_of_kernels_sums_up_the_cheap_ones(top, last):
    lines = cells(cold.kernel_table([measured("train", "this", 1.0)], "train", "this", top))
    assert lines[0] == ["net.a", "2", "18", "16", "60 %"]
    assert lines[1] == [last, "4", "12", "3.0", "40 %"] and len(lines) == 2


def test_options_of_cold_are_read_and_wrong_ones_refused(tmp_path, capsys):
    args = speed.parser().parse_args(["cold", "--before", str(ROOT), "--top", "3"])
    assert (args.before, args.top, args.repeats) == (ROOT, 3, 1) and "simulate" in args.tasks
    for wrong in (["--before", str(tmp_path)], ["--tasks", "simulat"], ["--top", "0"]):
        with pytest.raises(SystemExit):
            speed.parser().parse_args(["cold", *wrong])
    assert "git worktree" in capsys.readouterr().err


#: A package in the place of biosnn, in which a kernel calls another one.
SMALL = """
import numba
@numba.njit(cache=True)
def inner(x): return x + 1
@numba.njit(cache=True)
def outer(x): return inner(x) * 2
class Network:
    def __init__(self, dt): pass
    def population(self, *_, **__): pass
    def connect(self, *_, **__): inner(1.0)
def simulate(*_, **__): outer(1)
lif = FixedInDegree = PoissonInput = lambda *_: None
"""


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    (folder / "biosnn").mkdir(parents=True)
    (folder / "biosnn" / "__init__.py").write_text(SMALL)
    return folder


@pytest.mark.slow
@compiled
def test_first_process_compiles_and_the_second_one_reads(checkout, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    row = cold.measure("simulate", checkout, folder)
    events = {name: part["events"] for name, part in row["first"].items()}
    names = {name: [each for _, _, each in part if each] for name, part in events.items()}
    assert names["import"] == [] and names["connect"] == ["biosnn.inner", "lowering"]
    assert names["simulate"] == ["biosnn.outer", "biosnn.inner", "lowering", "lowering"]
    for cost in cold.costs(events["simulate"]):
        assert 0.2 * cost.own < cost.lowering < cost.own < row["first"]["simulate"]["cpu"]
    assert all(part["events"] == [] for part in row["second"].values())
    assert [path.name for path in folder.iterdir()] == ["bytecode"]
    assert [path.name for path in checkout.rglob("*.*")] == ["__init__.py"]


@compiled
def test_a_task_that_fails_is_left_out(checkout, tmp_path):
    with pytest.raises(RuntimeError, match="AttributeError.*poisson|AttributeError.*data"):
        cold.child(checkout, "train", tmp_path / "cache", tmp_path / "bytecode")


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_interrupt_leaves_no_folder(checkout, tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "validation.speed", "cold", "--before", str(checkout)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    last = time.monotonic() + 60
    while not list(place.iterdir()) and time.monotonic() < last:
        time.sleep(0.05)
    assert len(list(place.iterdir())) == 1
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert not list(place.iterdir())
