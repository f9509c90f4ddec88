"""Spike trains to learn from: Randman and its relatives, cognitive tasks and Poisson trains made on the spot, recordings from files and
from event arrays, random splits."""

from .event_arrays import from_event_arrays
from .manifolds import halo, spaghetti, tempotron
from .poisson import poisson
from .randman import randman
from .shd import fetch_shd, load_shd, load_speakers
from .split import split
from .tasks import (
    Task,
    context_dependent_decision,
    delayed_match_to_sample,
    perceptual_decision,
    working_memory,
)

__all__ = [
    "Task",
    "context_dependent_decision",
    "delayed_match_to_sample",
    "fetch_shd",
    "from_event_arrays",
    "halo",
    "load_shd",
    "load_speakers",
    "perceptual_decision",
    "poisson",
    "randman",
    "spaghetti",
    "split",
    "tempotron",
    "working_memory",
]
