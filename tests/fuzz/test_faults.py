"""Small campaigns of kills and full disks; for the large ones see the head of faults.py."""

import os

import pytest

pytest.importorskip("resource")
from tests.fuzz import faults

pytestmark = pytest.mark.real_chunks  # those of the child processes


def can_mount():
    try:
        with faults.small_disk(1 << 20):
            return True
    except OSError:
        return False


def assert_nothing_wrong(figures, seen, wrong):
    assert not any(figures[name] for name in wrong), figures


@pytest.mark.slow
def test_killed_trainings_are_resumed_with_the_same_bits():
    assert_nothing_wrong(*faults.kill(2, 0))


@pytest.mark.slow
def test_killed_simulations_leave_their_spikes():
    assert_nothing_wrong(*faults.kill_simulation(2, 0))


@pytest.mark.slow
@pytest.mark.parametrize(
    "disks",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                os.name != "posix" or not can_mount(), reason="no disk can be mounted here"
            ),
        ),
    ],
)
def test_full_disks_end_runs_cleanly(disks):
    figures, seen, wrong = faults.disk(2, 0, disks)
    assert_nothing_wrong(figures, seen, wrong)
    assert figures["clean ends"] > 0


@pytest.mark.skipif(not can_mount(), reason="no disk can be mounted here")
def test_a_simulation_on_a_disk_of_200_kilobytes():
    assert faults.full_simulation({"disk": True, "size": 200_000}) == "ended"
