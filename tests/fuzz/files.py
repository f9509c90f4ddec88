"""A campaign of damaged and impossible files: python -m tests.fuzz.files --count 2000 --seed 0

Every kind of file that biosnn reads (subjects.py) is changed (mutations.py) and read in a child
process. Allowed are ValueError, OSError and what the file held before it was changed, within 5
seconds and 10 times the file plus 100 MB.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from tests.fuzz import children, mutations
from tests.fuzz.subjects import KINDS

SECONDS, MEGABYTES, TIMES = 5, 100, 10
#: Kinds that `load` and `load_weights` read.
READ_AS_NETWORKS = (
    "weights",
    "network",
    "layered network",
    "training",
    "stateful training",
)
#: No checksum says that a number of theirs was changed into another possible one.
WITHOUT_CHECKSUM = ("digits", "digits in chunks", "speakers")


# ------------------------------------------------------------------------------------- in the child


def load(case):
    """What a file of a kind is to its reader: {"answer": "loaded" | "refused" | "other", …}, and
    how much memory it took.
    """
    path, peak = Path(case["path"]), _Peak(Path(case["path"]).with_name("peak"))
    try:
        result = {"answer": "loaded", "digest": KINDS[case["kind"]].load(path)}
    except (ValueError, OSError) as error:
        result = {"answer": "refused", "words": str(error)}
    except Exception as error:
        result = {
            "answer": "other",
            "words": f"{type(error).__name__}: {error}",
            "of": children._origin(error),
        }
    return result | {"megabytes": peak.megabytes()}


class _Peak:
    """The most memory that this process takes more from here on, or the one that reads HDF5 for it
    takes in all (Linux).
    """

    def __init__(self, note):
        from biosnn.support import hdf5

        self._note = note
        note.unlink(missing_ok=True)
        program = note.with_name("measured_child.py")
        if not program.exists():
            program.write_text(_MEASURED.format(child=hdf5.hdf5_child.__file__, note=str(note)))
        hdf5.hdf5_child = SimpleNamespace(__file__=str(program))
        Path("/proc/self/clear_refs").write_text("5")
        self._before = _status("VmRSS")

    def megabytes(self):
        other = float(self._note.read_text()) if self._note.exists() else 0.0
        return max(_status("VmHWM") - self._before, other)


_MEASURED = """
import atexit, runpy

def note():
    with open("/proc/self/status") as file:
        peak = next(line for line in file if line.startswith("VmHWM")).split()[1]
    with open({note!r}, "w") as file:
        file.write(str(int(peak) / 1024))
atexit.register(note)
runpy.run_path({child!r}, run_name="__main__")
"""


def _status(name):
    return next(
        int(line.split()[1]) / 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith(name)
    )


# ------------------------------------------------------------------------------------- the campaign


def campaign(count, seed, kinds=tuple(KINDS), folder=None):
    """(Counter of what happened, list of all that should not have) for `count` files. Kinds take
    turns in blocks.
    """
    with tempfile.TemporaryDirectory(dir=folder) as folder:
        folder = Path(folder)
        whole = {kind: folder / f"whole {kind}" for kind in kinds}
        for kind, path in whole.items():
            KINDS[kind].make(path)
        expected = {
            case["kind"]: outcome["value"]["digest"]
            for case, outcome in children.outcomes(
                "tests.fuzz.files:load",
                [{"kind": kind, "path": str(path)} for kind, path in whole.items()],
                300,
            )
        }
        figures, faults = Counter(), []
        for case, outcome in children.outcomes(
            "tests.fuzz.files:load", _cases(count, seed, whole, folder / "changed"), 60
        ):
            what = _judge(case, outcome, expected[case["kind"]], Path(case["path"]).stat().st_size)
            figures["files"] += 1
            figures.update(what)
            if bad := [
                each
                for each in what
                if each
                not in ("refused", "as before", "changed number without checksum", "shorter run")
            ]:
                faults.append((bad, case, outcome))
    return figures, faults


def _cases(count, seed, whole, changed):
    for k in range(count):
        kind = list(whole)[k * len(whole) // count]
        rng = np.random.default_rng([seed, k])
        others = [
            path
            for name, path in whole.items()
            if name != kind and not (kind in READ_AS_NETWORKS and name in READ_AS_NETWORKS)
        ]
        shutil.copyfile(whole[kind], changed)
        if rng.random() < 0.6 and kind != "event arrays":  # which are read by numpy
            how, damaged = mutations.of_bytes(changed, rng, others or [changed]), True
        else:
            how, damaged = mutations.impossible(changed, rng, KINDS[kind].container), False
        if changed.read_bytes() == whole[kind].read_bytes():
            how, damaged = "nothing", True
        yield {"kind": kind, "number": k, "path": str(changed), "how": how, "damaged": damaged}


def _judge(case, outcome, expected, size):
    """The words of the table for one outcome."""
    if outcome["kind"] != "value":
        return [
            "crash"
            if outcome["kind"] == "crash"
            else "over 60 s"
            if outcome["kind"] == "hang"
            else "other exception"
        ]
    found = outcome["value"]
    words = {"loaded": [], "refused": ["refused"], "other": ["other exception"]}[found["answer"]]
    if found["answer"] == "loaded":
        words.append("as before" if found["digest"] == expected else _another(case))
    if outcome["seconds"] > SECONDS:
        words.append(f"over {SECONDS} s")
    if found["megabytes"] > MEGABYTES + TIMES * size / 1e6:
        words.append("over the memory")
    return words


def _another(case):
    """What it is that a changed file gave other numbers."""
    if not case["damaged"]:
        return "silently wrong"
    if case["kind"] in WITHOUT_CHECKSUM:
        return "changed number without checksum"
    if case["kind"] == "spikes" and case["how"] in (
        "cut off",
        "removed bytes",
    ):  # at the end: a run that was killed earlier
        return "shorter run"
    return "silently wrong"


COLUMNS = (
    "files",
    "refused",
    "as before",
    "shorter run",
    "changed number without checksum",
    "silently wrong",
    "other exception",
    "crash",
    f"over {SECONDS} s",
    "over 60 s",
    "over the memory",
)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    given = parser.parse_args(arguments)
    figures, faults = campaign(given.count, given.seed, given.kinds)
    for bad, case, outcome in faults:
        print(bad, {name: case[name] for name in ("kind", "number", "how")}, outcome)
    print(" | ".join(f"{name} {figures[name]}" for name in COLUMNS))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
