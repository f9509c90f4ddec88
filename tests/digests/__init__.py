"""Digests of what small networks at fixed seeds compute, for changes that must change no number.

    python -m tests.digests               print what differs from tests/data/digests.json
    python -m tests.digests --write       write that file, after a change that is meant to matter
    python -m tests.digests --show NAME   print what the cases with NAME in their name compute

Each module registers cases (registry.py): functions that return what they computed, name -> value.
"""

from . import data, initializers, neurons, projections, simulations, theory, training
from .registry import CASES, Difference, compare, key, read, results, write

__all__ = [
    "CASES",
    "Difference",
    "compare",
    "data",
    "initializers",
    "key",
    "neurons",
    "projections",
    "read",
    "results",
    "simulations",
    "theory",
    "training",
    "write",
]
