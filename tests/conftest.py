"""Small networks take batches in as many chunks as large ones: tests see sums over chunks."""

import sys

import pytest

from biosnn.engine import chunks

collect_ignore = (
    ["fuzz"] if sys.platform == "win32" else []
)  # campaigns limit their child processes by means of POSIX


@pytest.fixture(autouse=True)
def many_chunks(monkeypatch, request):
    if "real_chunks" not in request.keywords:
        monkeypatch.setattr(chunks, "_LEAST_WORK", 0)
