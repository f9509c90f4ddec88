"""What a user waits for first: the import, and the first training step of a process."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from validation import networks

from . import ROOT

SIZE = "128+32@400"
FIRST_STEP = f"""
import sys
sys.path.append(sys.argv[1])
from validation.speed import main
main(["first-step", "biosnn, SuperSpike", "{SIZE}", "2", "", sys.argv[2]])
"""


def timeraw_import():
    """The statement that is timed."""
    return "import biosnn"


class FirstStep:
    """The first training step of 128 + 32 neurons and 400 trials in a new process."""

    timeout = 900

    def track_nothing_compiled(self):
        """With an empty cache of compiled code."""
        with tempfile.TemporaryDirectory() as folder:
            return seconds_of_first_step(Path(folder), write_start(Path(folder)))

    def track_compiled_before(self):
        """With the cache that an earlier process has filled."""
        with tempfile.TemporaryDirectory() as folder:
            weights = write_start(Path(folder))
            seconds_of_first_step(Path(folder), weights)
            return seconds_of_first_step(Path(folder), weights)

    track_nothing_compiled.unit = track_compiled_before.unit = "s"


def write_start(folder: Path) -> Path:
    """The weights that the process starts from: it has no initializer to compile."""
    size = networks.parse_size(SIZE)
    data = networks.load(None, 64)
    net = networks.start(networks.describe(size, data.n_units), data)
    networks.save_start(net, folder / "start.npz")
    return folder / "start.npz"


def seconds_of_first_step(folder: Path, weights: Path) -> float:
    """Seconds of the step alone, with numba's compiled code in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_STEP, str(ROOT), str(weights)],
        env={**os.environ, "NUMBA_CACHE_DIR": str(folder / "numba")},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])["step_s"]
