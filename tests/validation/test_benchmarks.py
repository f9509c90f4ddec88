"""The suite for asv asks for what the programs of validation have."""

import pytest

from validation import speed
from validation.benchmarks import start, training
from validation.networks import parse_size
from validation.programs import PROGRAMS


def test_a_training_step_is_measured():
    suite = training.TrainingStep()
    suite.setup("24+8@3", "SuperSpike")
    suite.time_step("24+8@3", "SuperSpike")
    assert len(suite.data) == 64
    assert 0 <= suite.track_memory("24+8@3", "SuperSpike") < 200  # MB


@pytest.mark.parametrize("size", training.TrainingStep.params[0])
def test_sizes_can_be_read(size):
    assert str(parse_size(size)) == size


def test_the_first_step_is_a_command_of_speed(monkeypatch):
    called = []
    monkeypatch.setattr(speed, "main", called.append)
    monkeypatch.setattr(start.sys, "argv", ["-c", str(start.ROOT), "start.npz"])
    exec(start.FIRST_STEP, {})
    key, size = called[0][1:3]
    assert called[0][0] == "first-step"
    assert next(program for program in PROGRAMS if program.key == key).ours
    assert called[0][-1] == "start.npz"
    assert str(parse_size(size)) == size
