"""One cell of the matrix: run the check, and say what came of it."""

import warnings

from . import special, uses
from .table import FEATURES, USES, Feature

#: Uses that take seconds for each cell.
SLOW = ("brian", "initializer", "theory")
#: All cells that make sense: (feature, use).
CELLS = [(feature, use) for feature in FEATURES for use in USES if use not in feature.without]


def made(feature: Feature, use: str) -> dict:
    """The result of a cell: {"works": True} or {"refused": message}; AssertionError if wrong."""
    check = uses.CHECKS[use]
    if use in feature.checks:
        check = special.CHECKS[feature.checks[use]]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(feature.circuit.build(size_of(feature, use)))
    except ValueError as error:
        return {"refused": str(error)}
    return {"works": True}


def size_of(feature: Feature, use: str) -> str:
    """The size of the circuit on which a use is tested."""
    if use == "initializer" and feature.circuit.background is not None:
        return "circuit"
    return {"initializer": "data", "theory": "theory", "gradient": "twin"}.get(use, "single")
