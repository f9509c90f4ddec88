"""What a user waits for first: the import, and the first training step of a process."""

import json
import os
import subprocess
import sys
import tempfile

from . import ROOT

FIRST_STEP = """
import sys
sys.path.append(sys.argv[1])
from validation.speed import main
main(["first-step", "biosnn, SuperSpike", "128+32@400", "2", ""])
"""


def timeraw_import():
    return "import biosnn"


class FirstStep:
    """The first training step of 128 + 32 neurons and 400 trials in a new process."""

    timeout = 900

    def track_nothing_compiled(self):
        with tempfile.TemporaryDirectory() as cache:
            return seconds_of_first_step(cache)

    def track_compiled_before(self):
        with tempfile.TemporaryDirectory() as cache:
            seconds_of_first_step(cache)
            return seconds_of_first_step(cache)

    track_nothing_compiled.unit = track_compiled_before.unit = "s"


def seconds_of_first_step(cache):
    """Seconds of the step alone, with numba's compiled code in the folder `cache`."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_STEP, str(ROOT)],
        env=os.environ | {"NUMBA_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])["step_s"]
