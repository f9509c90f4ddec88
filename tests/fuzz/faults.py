"""Campaigns of faults: a training and a streamed simulation that are killed, or whose disk is full,
at random moments.

    python -m tests.fuzz.faults kill --count 40
        SIGKILL during a training; resumed, it must have the same bits
    python -m tests.fuzz.faults kill-simulation --count 20
        SIGKILL while spikes are written; what is there must be right
    python -m tests.fuzz.faults disk --count 10
        no room left, during a training and during a simulation
"""

import argparse
import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

import biosnn as bs
from biosnn.support import file_format as checkpoint
from tests.fuzz import children
from tests.fuzz.subjects import circuit, digest, trained

EPOCHS, STEPS = 40, 100_000


class Schedule(bs.schedules.Constant):
    """Calls a function before every step of the optimizer; the same recipe whatever it does."""

    def __init__(self, before_step=lambda k, progress: None):
        object.__setattr__(self, "act", before_step)
        object.__setattr__(self, "calls", [])

    def __repr__(self):
        return "Schedule()"

    def __eq__(self, other):
        return isinstance(other, bs.schedules.Constant)

    def factor(self, progress, validation):
        self.calls.append(progress)
        self.act(len(self.calls), progress)
        return 1.0


def train(folder, start, epochs=EPOCHS, before_step=lambda k, progress: None):
    """(digest of what is learned, history of the loss)."""
    net, data = trained(learn=())
    history = bs.train(
        net,
        data,
        epochs=epochs,
        batch=5,
        validation=0.2,
        seed=5,
        progress=False,
        threads=1,
        optimizer=bs.Adam(1e-2),
        schedule=Schedule(before_step),
        out=folder,
        start=start,
    )
    return digest(*net.weights.values()), history.loss


def simulate(out=None, state=None, steps=STEPS):
    """A network of 50 neurons at 1 ms."""
    net, options = circuit()
    return bs.simulate(net, steps * net.dt, out=out, state=state, **options)


def _end(program, moment):
    """Start a Python program, wait for its first line, and kill it after so many seconds. Returns
    whether it was still alive.
    """
    child = subprocess.Popen(
        [sys.executable, "-c", program], cwd=children.ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(moment)
        alive = child.poll() is None
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    return alive


# -------------------------------------------------------------------------------------------- kills


def kill(count, seed):
    """A training of many short epochs is killed, and resumed to its end."""
    rng, figures = np.random.default_rng(seed), Counter()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        begin = time.monotonic()
        whole = train(folder / "whole", "new")
        length = time.monotonic() - begin
        for k in range(count):
            out = folder / str(k)
            program = (
                "from tests.fuzz import faults; faults.train(None, 'new', 1); "
                "print('ready', flush=True); "
                f"faults.train(faults.Path({str(out)!r}), 'new')"
            )
            figures["in the middle"] += _end(program, rng.uniform(0.0, 1.2) * length)
            figures["kills"] += 1
            figures["with an unfinished file"] += bool(list(out.glob("*.partial")))
            figures["after a checkpoint"] += (out / "last.npz").exists()
            for path in out.glob("*.npz"):
                checkpoint.read(path)
            found = train(out, "resume")
            figures["other bits"] += found[0] != whole[0] or not np.array_equal(found[1], whole[1])
            names = sorted(path.name for path in out.iterdir())
            figures["something left behind"] += names != ["best.npz", "last.npz"]
            for name in names:
                a, b = (checkpoint.read(where / name)[0] for where in (out, folder / "whole"))
                figures["other checkpoints"] += any(
                    not np.array_equal(a[n], b[n]) for n in a if n != "history/seconds"
                )
    return (
        figures,
        ("kills", "in the middle", "after a checkpoint", "with an unfinished file"),
        ("other bits", "something left behind", "other checkpoints"),
    )


def kill_simulation(count, seed):
    """A simulation that writes its spikes to a file is killed; the file must hold all spikes until
    its duration.
    """
    rng, figures = np.random.default_rng(seed), Counter()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        whole = simulate().spikes
        length = time.monotonic() - begin
        for k in range(count):
            out = Path(folder) / f"{k}.spikes"
            program = (
                "from tests.fuzz import faults; faults.simulate(steps=10); "
                "print('ready', flush=True); "
                f"faults.simulate(faults.Path({str(out)!r}))"
            )
            figures["in the middle"] += _end(program, rng.uniform(0.0, 1.2) * length)
            figures["kills"] += 1
            if not out.exists():
                figures["before the file"] += 1
                continue
            try:
                found = bs.read_spikes(out)
            except OSError:
                figures["unreadable"] += out.stat().st_size > 1000
                continue
            figures["with spikes"] += found["E"].times.size > 0
            figures["other spikes"] += not is_beginning(found, whole)
    return (
        figures,
        ("kills", "in the middle", "before the file", "with spikes"),
        ("unreadable", "other spikes"),
    )


def is_beginning(found, whole):
    """Whether spike trains are those of a longer run, until their duration."""
    for name, train in found.items():
        n = int(np.searchsorted(whole[name].times, train.duration - 1e-9))
        if not (
            np.array_equal(train.times, whole[name].times[:n])
            and np.array_equal(train.units, whole[name].units[:n])
        ):
            return False
    return True


# --------------------------------------------------------------------------------------- full disks


@contextlib.contextmanager
def small_disk(size):
    """Yields a folder with room for about `size` bytes, on a disk of its own. OSError where that is
    not permitted.
    """
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True
        ).returncode:
            raise OSError("a disk cannot be mounted here")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


@contextlib.contextmanager
def short_files(size):
    """No file of this process may become longer than `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def full_simulation(case):
    """In the child: a simulation whose file does not fit. Returns what is wrong with its end, or
    what it was.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(
            small_disk(case["size"]) if case["disk"] else tempfile.TemporaryDirectory()
        )
        out, limit = (
            Path(folder) / "run.spikes",
            contextlib.nullcontext() if case["disk"] else short_files(case["size"]),
        )
        try:
            with limit, warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                result = simulate(out)
        except OSError as error:  # not even the first line
            return "refused" if str(out) in str(error) else f"words: {error}"
        if not result.interrupted:
            return "it fitted"
        if not any(str(out) in str(each.message) for each in said):
            return "words"
        memory = simulate(steps=round(result.duration / 1e-3)).spikes
        if not all(
            np.array_equal(result.spikes[name].times, memory[name].times)
            and np.array_equal(result.spikes[name].units, memory[name].units)
            for name in memory
        ):
            return "spikes"
        if not is_beginning(bs.read_spikes(out), memory):
            return "file"
        rest, whole = (
            simulate(state=result.state, steps=500),
            simulate(steps=round(result.duration / 1e-3) + 500),
        )
        return (
            "ended"
            if all(
                np.array_equal(rest.state.arrays[name], whole.state.arrays[name])
                for name in whole.state.arrays
            )
            else "state"
        )


def full_training(case):
    """In the child: a training whose disk is full at some step. Returns what is wrong with its end,
    or what it was.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                small_disk(1 << 20) if case["disk"] else tempfile.TemporaryDirectory()
            )
        )
        out, limits = folder / "out", stack.enter_context(contextlib.ExitStack())

        begun = []

        def before_step(k, progress):
            if k == case["step"]:
                begun.append(int(progress * EPOCHS + 1e-6))
            if k == case["step"] and case["disk"]:
                room = os.statvfs(folder)
                (folder / "filler").write_bytes(
                    bytes(max(room.f_bavail * room.f_bsize - case["size"], 0))
                )
            elif k == case["step"]:
                limits.enter_context(short_files(case["size"]))

        try:
            train(out, "new", before_step=before_step)
        except OSError as error:
            if str(out) not in str(error):
                return f"words: {error}"
        else:
            return "it fitted"
        limits.close()
        (folder / "filler").unlink(missing_ok=True)
        if {path.name for path in out.iterdir()} - {"best.npz", "last.npz"}:
            return "something left behind"
        epoch = checkpoint.read(out / "last.npz")[1]["epoch"] if (out / "last.npz").exists() else 0
        if epoch != begun[0]:
            return f"last checkpoint of epoch {epoch} in place of {begun[0]}"
        return (
            "ended"
            if train(out, "resume")[0] == train(folder / "whole", "new")[0]
            else "other bits"
        )


def disk(count, seed, disks=True):
    """Both, on disks of their own and with a limit on the length of files. disks=False: with a
    limit alone.
    """
    rng, figures = np.random.default_rng(seed), Counter()
    for worker, most in (("full_simulation", 400_000), ("full_training", 12_000)):
        cases = [
            {
                "disk": disks and bool(k % 2),
                "size": int(rng.integers(1, most)),
                "step": int(rng.integers(1, 100)),
            }
            for k in range(count)
        ]
        for case, outcome in children.outcomes(f"tests.fuzz.faults:{worker}", cases, 120):
            what = outcome.get("value", outcome["kind"])
            figures[worker.replace("_", " ") + "s"] += 1
            figures["clean ends"] += what in ("ended", "refused")
            figures["it fitted"] += what == "it fitted"
            if what not in ("ended", "refused", "it fitted"):
                figures["wrong ends"] += 1
                print(worker, case, outcome)
    return (
        figures,
        ("full simulations", "full trainings", "clean ends", "it fitted"),
        ("wrong ends",),
    )


def main(arguments=None):
    campaigns = {"kill": kill, "kill-simulation": kill_simulation, "disk": disk}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=campaigns)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    figures, seen, wrong = campaigns[given.what](given.count, given.seed)
    print(" | ".join(f"{name} {figures[name]}" for name in seen + wrong))
    return int(any(figures[name] for name in wrong))


if __name__ == "__main__":
    sys.exit(main())
