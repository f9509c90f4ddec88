"""Every cell of the matrix of capabilities is what the documentation says."""

import pytest

from .cells import CELLS, SLOW, made
from .page import PAGE, key, read, text_of
from .refused import REASONS

RESULTS = read()


def _marks(use):
    """Slow uses are marked."""
    return [pytest.mark.slow] if use in SLOW else []


@pytest.mark.parametrize(
    "feature, use",
    [
        pytest.param(feature, use, id=f"{use}, {key(feature)}", marks=_marks(use))
        for feature, use in CELLS
    ],
)
def test_cell(feature, use):
    if use == "brian":
        pytest.importorskip("brian2")
    assert made(feature, use) == RESULTS[key(feature)][use]


def test_the_page_is_what_the_tests_say():
    cells = {(key(feature), use) for feature, use in CELLS}
    assert cells == {(name, use) for name, row in RESULTS.items() for use in row}
    assert PAGE.read_text(encoding="utf-8") == text_of(RESULTS)


def test_what_is_refused_has_a_reason_and_is_little():
    refused = {
        (feature.name, use) for feature, use in CELLS if "refused" in RESULTS[key(feature)][use]
    }
    assert refused == set(REASONS) and len(refused) <= 13  # of 379
