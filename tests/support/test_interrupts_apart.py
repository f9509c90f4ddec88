"""The tests of Ctrl-C in a process of their own, where the others run in workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FILE = Path(__file__).with_name("test_interrupts.py")


@pytest.mark.skipif(
    "PYTEST_XDIST_WORKER" not in os.environ, reason="test_interrupts.py runs by itself"
)
def test_interrupts():
    variables = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", str(FILE)],
        cwd=FILE.parents[1],
        env=variables,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout[-5000:]
