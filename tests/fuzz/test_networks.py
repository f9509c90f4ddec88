"""Random networks under checks of bounds (networks.py says how to run many)."""

import os

import pytest

from tests.fuzz.networks import campaign, kind_of

FOLDER = "BIOSNN_BOUNDSCHECK_CACHE"


@pytest.mark.slow
@pytest.mark.skipif(
    FOLDER not in os.environ,
    reason=f"compiles for minutes, once: set {FOLDER} to a folder that keeps the code",
)
def test_no_kernel_leaves_its_arrays():
    found = [
        (case, kind_of(outcome), outcome) for case, outcome in campaign(24, 1, os.environ[FOLDER])
    ]
    assert len(found) == 24 and sum(kind == "fine" for _, kind, _ in found) >= 18
    assert not [each for each in found if each[1] not in ("fine", "refused")]
