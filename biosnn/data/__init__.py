"""Spike trains to learn from, and their files.

    randman, spaghetti, halo, tempotron     classes on random manifolds     randman.py, manifolds.py
    perceptual_decision and others          cognitive tasks                 tasks.py
    poisson                                 Poisson spike trains            poisson.py
    inhomogeneous_poisson and others        rates that change               modulated.py
    correlated_poisson                      shared spikes                   correlated.py
    gamma_process, refractory_poisson       renewal processes               renewal.py
    load_shd, fetch_shd, load_speakers      spoken digits and words         shd.py
    from_event_arrays                       cameras and cochleas            event_arrays.py
    split                                   training, validation, test      split.py
    Recording                               what readers of files return    recording.py

Events and TrialRandom are what augmentations work with (augmentation.py).
"""

from .correlated import correlated_poisson
from .event_arrays import from_event_arrays
from .events import Events, TrialRandom
from .manifolds import halo, spaghetti, tempotron
from .modulated import inhomogeneous_poisson, markov_modulated_poisson
from .poisson import poisson
from .randman import randman
from .recording import Recording
from .renewal import gamma_process, refractory_poisson
from .shd import fetch_shd, load_shd, load_speakers
from .split import split
from .task_drawing import Task
from .tasks import (
    context_dependent_decision,
    delayed_match_to_sample,
    perceptual_decision,
    working_memory,
)

__all__ = [
    "Events",
    "Recording",
    "Task",
    "TrialRandom",
    "context_dependent_decision",
    "correlated_poisson",
    "delayed_match_to_sample",
    "fetch_shd",
    "from_event_arrays",
    "gamma_process",
    "halo",
    "inhomogeneous_poisson",
    "load_shd",
    "load_speakers",
    "markov_modulated_poisson",
    "perceptual_decision",
    "poisson",
    "randman",
    "refractory_poisson",
    "spaghetti",
    "split",
    "tempotron",
    "working_memory",
]
