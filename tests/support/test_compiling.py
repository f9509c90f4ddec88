"""Compiled code: its cache survives damage and has a place everywhere, and clocks contain no
compiling.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import FunctionType

import numba
import numpy as np
import pytest
from numba.core import caching, config

import biosnn as bs
from biosnn.engine import stream_run
from biosnn.kernels import meeting
from biosnn.support import code_cache, compiling, progress

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")


def twice(x):
    return 2 * x


def compiled(stamp="1", function=twice):
    dispatcher = numba.njit(function)
    dispatcher._cache = code_cache.cache_of(function, stamp)
    return dispatcher


def hits(dispatcher):
    return sum(dispatcher.stats.cache_hits.values())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def test_a_screen_that_was_closed_is_no_error(monkeypatch):
    closed = open(os.devnull, "w")
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    compiling.say("compiling")


def test_functions_of_others_without_a_module_compile():
    names = {}
    exec("def thrice(x): return 3 * x", names)
    assert names["thrice"].__module__ is None and numba.njit(names["thrice"])(2) == 6


# -------------------------------------------------------------------------------------------- files


@pytest.mark.parametrize("pattern", ["*.nbi", "*.nbc", "*.nb?"])
@pytest.mark.parametrize("damage", ["empty", "half", "short", "flipped", "text", "long"])
def test_a_damaged_file_is_compiled_anew(folder, pattern, damage):
    assert compiled()(21) == 42
    files = list(folder.rglob(pattern))
    assert files
    for path in files:
        content = bytearray(path.read_bytes())
        content[len(content) // 3] ^= 16 if damage == "flipped" else 0
        path.write_bytes(
            {
                "empty": b"",
                "half": content[: len(content) // 2],
                "short": content[:-1],
                "flipped": content,
                "text": b"no",
                "long": content + b"\0",
            }[damage]
        )
    again = compiled()
    assert again(21) == 42 and hits(again) == 0
    third = compiled()
    assert third(21) == 42 and hits(third) == 1  # and what was damaged is whole


def test_what_code_follows_from_is_part_of_its_key(folder, monkeypatch):
    compiled("1")(1)
    for stamp, found in (("2", 0), ("2", 1)):
        other = compiled(stamp)
        assert other(1) == 2 and hits(other) == found
    monkeypatch.setattr(config, "BOUNDSCHECK", 1)
    checked = compiled("2")
    assert (
        checked(1) == 2 and hits(checked) == 0
    )  # code without checks of bounds is not taken for code with
    monkeypatch.setattr(config, "BOUNDSCHECK", 0)
    assert compiled("2")(1) == 2


def test_two_signatures_have_files_of_their_own(folder):
    """Whatever process writes first: names follow from signatures, not from what is there."""
    one, other = compiled(), compiled()
    one(1), other(1.5)
    names = {path.name for path in folder.rglob("*.nbc")}
    assert len(names) == 2
    for path in folder.rglob("*.nb?"):
        path.unlink()
    other, one = compiled(), compiled()
    other(1.5), one(1)
    assert {path.name for path in folder.rglob("*.nbc")} == names
    third = compiled()
    assert third(1) == 2 and third(1.5) == 3.0 and hits(third) == 2


def test_a_full_disk_is_no_error(folder, monkeypatch):
    def full(self, *_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(code_cache._Files, "_save_data", full)
    monkeypatch.setattr(code_cache, "_warned", [])
    with pytest.warns(UserWarning, match="No space left on device.*NUMBA_CACHE_DIR"):
        assert compiled()(21) == 42


# ------------------------------------------------------------------------------------------- places


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """As where biosnn is installed read-only, and the user has no home: numba finds no place."""

    class Full(caching.InTreeCacheLocator):
        def ensure_cache_path(self):
            raise OSError("read-only")

    monkeypatch.setattr(
        caching.CacheImpl, "_locator_classes", [caching.UserProvidedCacheLocator, Full]
    )
    monkeypatch.setattr(config, "CACHE_DIR", "")
    monkeypatch.setattr(code_cache, "_warned", [])
    monkeypatch.setattr(code_cache.tempfile, "gettempdir", lambda: str(tmp_path))
    code_cache._temporary_folder.cache_clear()
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(twice)
    yield tmp_path
    code_cache._temporary_folder.cache_clear()


def test_where_numba_can_cache_nowhere_a_temporary_folder_serves(nowhere):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        first, second = compiled(), compiled()
        assert first(21) == 42 and second(21) == 42 and hits(second) == 1
    assert (
        len(caught) == 1
        and "NUMBA_CACHE_DIR" in str(caught[0].message)
        and str(nowhere) in str(caught[0].message)
    )
    assert config.CACHE_DIR == ""
    for path in nowhere.iterdir():  # nobody else may write what we will run
        assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="temporary folders belong to the user")
def test_a_temporary_folder_of_somebody_else_is_not_used(nowhere):
    (nowhere / f"biosnn-{os.getuid()}").mkdir(mode=0o777)
    (nowhere / f"biosnn-{os.getuid()}").chmod(0o777)
    with pytest.warns(UserWarning, match="NUMBA_CACHE_DIR"):
        assert compiled()(21) == 42
    assert (
        not list((nowhere / f"biosnn-{os.getuid()}").iterdir())
        and len(list(nowhere.iterdir())) == 2
    )


def test_without_any_place_every_process_compiles(nowhere, monkeypatch):
    def refuse(*_, **__):
        raise OSError("read-only")

    monkeypatch.setattr(code_cache, "_own_folder", refuse)
    with pytest.warns(UserWarning, match="every process compiles anew.*NUMBA_CACHE_DIR") as caught:
        assert compiled()(21) == 42 and compiled()(21) == 42
    assert len(caught) == 1


CHILD = """
import warnings
warnings.simplefilter("always")
import biosnn
print("imported", biosnn.__version__)
trains = biosnn.data.poisson(500.0, 3, 0.1, 1, seed=1)
biosnn.bin_spikes(trains, 1e-3)
"""


def without_override():
    """In a child of root: it may write only where permissions say so, as other users."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="permissions as Linux has them")
@pytest.mark.parametrize("writable", [True, False])
def test_a_read_only_copy_without_a_home_warns_where_it_compiles(tmp_path, writable):
    place, spare = tmp_path / "installed", tmp_path / "spare"
    shutil.copytree(ROOT / "biosnn", place / "biosnn", ignore=shutil.ignore_patterns("__pycache__"))
    spare.mkdir()
    folders = [
        place,
        *(path for path in place.rglob("*") if path.is_dir()),
        *([] if writable else [spare]),
    ]
    for folder in folders:
        folder.chmod(0o555)
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(place),
        "HOME": str(place / "none"),
        "TMPDIR": str(spare),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHILD],
            cwd=place,
            env=variables,
            text=True,
            capture_output=True,
            timeout=120,
            preexec_fn=without_override if os.geteuid() == 0 else None,
        )
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert done.returncode == 0 and done.stdout.startswith("imported"), done.stderr
    assert (
        done.stderr.count("NUMBA_CACHE_DIR to a folder") == 1
        and "<string>:7: UserWarning" in done.stderr
    )
    assert (str(spare) in done.stderr) == writable


# ------------------------------------------------------------------------------------------- clocks


def as_kernel_of_ours(name):
    """A function that numba takes for a kernel of that name in biosnn."""
    made = FunctionType(twice.__code__, {**globals(), "__name__": "biosnn.made_up"}, name)
    made.__module__ = "biosnn.made_up"
    return made


def test_the_clock_stands_still_while_kernels_are_compiled(capsys, monkeypatch):
    monkeypatch.setattr(compiling, "_LONG", {"advance": ("the simulator (simulate)", 32.0)})
    monkeypatch.setattr(compiling, "_slowness", lambda: 0.5)
    monkeypatch.setattr(code_cache, "_told", compiling.Told())
    kernel = numba.njit(as_kernel_of_ours("advance"))
    real, ours = time.perf_counter(), code_cache.clock()
    kernel(3)
    real, ours = time.perf_counter() - real, code_cache.clock() - ours
    assert ours < 0.4 * real
    begun, done = capsys.readouterr().err.splitlines()
    assert begun == "compiling the simulator (simulate), about 15 s, in this process alone"
    assert done == "compiled the simulator (simulate) in 0 s"
    kernel(3)
    assert capsys.readouterr().err == ""
    with code_cache.silence():
        kernel(3.5)
    assert capsys.readouterr().err == ""
    real, ours = time.perf_counter(), code_cache.clock()
    numba.njit(FunctionType(twice.__code__, globals(), "advance"))(1)  # of somebody else
    assert capsys.readouterr().err == "" and code_cache.clock() - ours > 0.9 * (
        time.perf_counter() - real
    )


@pytest.mark.slow
def test_wall_time_and_bars_contain_no_compiling(monkeypatch):
    """Compiled beforehand, and what is compiled in between is not counted."""
    net, ticks = bs.Network(1e-3), []
    net.population(3, bs.lif(), name="A")

    def slow(kernel, *arguments):
        time.sleep(0.3)

    def within(*arguments):
        if not ticks:
            with code_cache._watch:
                time.sleep(0.3)
        ticks.append(True)
        return advance(*arguments)

    advance = stream_run.stream.advance
    monkeypatch.setattr(stream_run, "ready", slow)
    bs.simulate(net, 0.1, progress=False)
    monkeypatch.setattr(stream_run.stream, "advance", within)
    begin = time.perf_counter()
    done = bs.simulate(net, 0.1, progress=False)
    assert time.perf_counter() - begin > 0.6 and done.wall < 0.25
    with progress.progress_bar(10, "x") as advance_bar, code_cache._watch:
        time.sleep(0.2)
        advance_bar(10)


def test_lines_in_a_log_have_times_without_compiling(capsys):
    with progress.progress_bar(2, "work") as advance:
        with code_cache._watch:
            time.sleep(1.2)
        advance(2, "done")
    assert "0 s, ends in 0 s" in capsys.readouterr().err


def test_what_is_ready_runs_from_memory():
    net = bs.Network(1e-3)
    net.population(3, bs.lif(), name="A")
    bs.simulate(net, 0.01, progress=False)
    whole = stream_run.stream.advance.for_python()
    before = len(whole.overloads)
    bs.simulate(net, 0.01, progress=False)
    assert len(whole.overloads) == before > 0


# ------------------------------------------------------------------------------------------ systems


def test_threads_yield_by_what_the_system_has(monkeypatch):
    class Kernel32:
        SwitchToThread = "switch"

    monkeypatch.setattr(ctypes, "WinDLL", lambda name: {"kernel32": Kernel32}[name], raising=False)
    assert meeting._system_calls("win32") == ("switch", "switch")
    if sys.platform != "win32":
        let_others_run, sleep = meeting._system_calls(sys.platform)
        assert let_others_run() == 0
        begin = time.perf_counter()
        assert sleep(2000) == 0 and time.perf_counter() - begin >= 2e-3


WITHOUT_COMPILER = """
import warnings
warnings.simplefilter("error")
import numpy as np
import biosnn as bs
rng, net = np.random.default_rng(0), bs.Network(1e-3)
x = net.input(4)
h = net.population(5, bs.ei_lif(), "excitatory", name="h", noise=bs.SigmoidEscape(10))
net.connect(x, h, weights=rng.exponential(2.0, (4, 5)), receptor="exc")
net.connect(h, h, delay=1e-3, weights=0.1, synapses=bs.FixedInDegree(2), seed=1)
net.connect(h, net.readout(2), weights=rng.exponential(0.2, (5, 2)))
data = bs.data.poisson(100, 4, 0.02, 4, seed=1, labels=[0, 1, 0, 1])
trace = bs.run(net, data, tape=True)
gradients = bs.gradient(trace, states={"readout.U": np.ones_like(trace.states["readout.U"])})
history = bs.train(net, data, epochs=1, batch=2, dropout=0.3, validation=0.5, progress=False)
total = float(np.abs(gradients.weights["input->h"]).sum())
print("trained", trace.counts["h"].sum(), total, history.loss, history.validation_loss)
big = bs.Network(1e-3)
e = big.population(9, bs.ei_lif(), "excitatory", name="E")
three = bs.FixedInDegree(3)
delays = bs.Uniform(0, 5e-3)
plasticity = bs.TsodyksMarkram()
big.connect(e, e, delay=1e-3, weights=0.1, synapses=three, seed=1, plasticity=plasticity)
big.connect(e, e, delay=delays, weights=0.1, synapses=three, seed=2, name="delayed")
without, weights = bs.Bernoulli(0.0), bs.Uniform(0, 0.2)
big.connect(e, e, delay=delays, weights=weights, synapses=without, seed=3, name="empty")
noise = bs.OrnsteinUhlenbeck("E", 0.1, 0.1, 5e-3)
background = [bs.PoissonInput("E", 1e3, 0.5), bs.Current("E", 0.1), noise]
done = bs.simulate(big, 0.05, background=background, threads=2, progress=False)
print("simulated", done.counts["E"])
"""


def child(code, **variables):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | variables,
        text=True,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_without_the_compiler_everything_is_the_same():
    """NUMBA_DISABLE_JIT=1, to look into kernels with a debugger: the same spikes, the same
    gradients to rounding.
    """
    plain, fast = (child(WITHOUT_COMPILER, NUMBA_DISABLE_JIT=flag).split() for flag in "10")
    number = [
        np.array([float(word.strip("[]")) for word in words if word.strip("[]")[:1].isdigit()])
        for words in (plain, fast)
    ]
    assert number[0].size == 5 and number[0][0] > 5 and number[0][1] > 0 and number[0][-1] > 5
    np.testing.assert_allclose(number[0], number[1], rtol=1e-4)
