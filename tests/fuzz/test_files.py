"""A small campaign of damaged files; the large one: python -m tests.fuzz.files --count 2000."""

import pytest

from tests.fuzz import files


@pytest.mark.slow
@pytest.mark.parametrize(
    "kinds, count",
    [
        (["weights", "state of a run", "spikes", "event arrays"], 80),
        (["state of a simulation"], 20),
        (["network", "layered network"], 120),
        (["digits", "speakers"], 12),
        (["point of a sweep"], 30),
    ],
)
def test_damaged_files_are_refused_in_words(kinds, count):
    figures, faults = files.campaign(count, 1, kinds)
    assert not faults, faults
    assert figures["files"] == count and figures["refused"] > 0.6 * count
