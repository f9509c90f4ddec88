"""Simulations of one network in phases that follow each other, and rates with their errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.simulate import simulate
from ..engine.simulation import Simulation
from ..engine.state import State
from ..network.network import Network
from ..theory.free_membranes import check_whole

BLOCKS = 10  # of a phase, whose means tell the error of its mean


def simulated(
    network: Network,
    seconds: Sequence[float],
    background: Sequence[Any],
    *,
    seed: Any,
    threads: int | None,
    initial: Any = None,
    rate_bin: float | None = None,
) -> list[Simulation]:
    """Return one simulation for each phase; each goes on from the one before. No spikes are kept.

    Parameters
    ----------
    network, background, seed, threads, initial
        As for `simulate`.
    seconds
        Seconds of each phase.
    rate_bin
        Seconds of the bins of spikes. Default: a tenth of each phase.

    Raises
    ------
    ValueError
        If something does not fit the network.
    """
    done: list[Simulation] = []
    state: State | None = None
    for k, duration in enumerate(seconds):
        width = max(duration / BLOCKS, network.dt) if rate_bin is None else rate_bin
        phase = simulate(
            network,
            duration,
            background=background,
            record_spikes=(),
            rate_bin=width,
            initial=initial if k == 0 else None,
            state=state,
            seed=seed if k == 0 else None,
            threads=threads,
            progress=False,
        )
        check_whole(phase)
        state = phase.state
        done.append(phase)
    return done


def mean_and_error(phase: Simulation, population: str) -> tuple[float, float]:
    """Return the mean rate of a population and its standard error, of the means of ten blocks."""
    rates = phase.rates[population]
    blocks = [block.mean() for block in np.array_split(rates, min(BLOCKS, rates.size))]
    error = np.std(blocks, ddof=1) / np.sqrt(len(blocks)) if len(blocks) > 1 else np.nan
    return phase.mean_rates[population], float(error)
