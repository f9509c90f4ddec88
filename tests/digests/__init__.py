"""Small networks at fixed seeds, and digests of all that they compute: a net under changes that must change no number.

    python -m tests.digests               print what differs from tests/data/digests.json
    python -m tests.digests --write       write that file: after a change that is meant to change numbers
    python -m tests.digests --show NAME   print the numbers and texts of the cases whose name contains NAME

Each module registers cases (registry.py): a case is a function that returns what it computed, name -> value.
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
