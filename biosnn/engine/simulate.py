"""Run one large network, sparse or dense, for as long as you like: simulate(network, duration).

The step is that of `run`, but there is one trial, threads go over targets, and nothing is stored
but spikes and what was asked for. kernels/stream.py has the step, kernels/arrivals.py the delivery
of spikes.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numba

from ..network.network import Network
from ..network.network_checks import check_complete
from ..network.perturb_neurons import Perturbation
from ..support import checks, timegrid
from ..support.checks import flag, instance
from ..support.code_cache import clock, silence
from ..support.progress import graceful_interrupt, progress_bar
from ..support.threads import checked_threads, default_threads
from ..support.warn import warn
from .background_tables import Source
from .inputs import Inputs
from .perturbed import perturbed
from .recording import Record
from .simulation import Simulation
from .state import State
from .stream_recording import StreamRecording
from .stream_run import StreamRun

_FEW_NEURONS = 1000  # below, one thread is faster than two


def simulate(
    network: Network,
    duration: float,
    spikes: Inputs | None = None,
    *,
    background: Sequence[Source] = (),
    record: Record = (),
    every: int = 1,
    record_spikes: Iterable[str] | None = None,
    rate_bin: float = 5e-3,
    initial: Mapping[str, Any] | None = None,
    state: State | None = None,
    seed: Any = None,
    merge: bool = True,
    out: str | os.PathLike | None = None,
    perturbations: Sequence[Perturbation] = (),
    threads: int | None = None,
    progress: bool = True,
) -> Simulation:
    """Simulate one trial of a network, large or small, for as long as you like.

    Parameters
    ----------
    network
        A network with weights for all projections.
    duration
        Seconds: as many steps as cover it are simulated (10.4 ms are 11 steps of 1 ms), which
        `simulation.duration` shows.
    spikes
        SpikeTrains of one trial for the inputs, or a dict of input name -> SpikeTrains.
    background
        A list of PoissonInput, Current and OrnsteinUhlenbeck.
    record
        States to keep: names such as ["E.U", "E.I_exc"], or a dict of name -> neurons (indices, a
        slice, None for all), as for `run`. The mean over all neurons is {"E.U": "mean"}, means over
        groups are {"E.U": bs.Means({"left": slice(40), "right": slice(40, 80)})}: one column each,
        and nothing is stored for each neuron.
    every
        States are recorded at the end of every `every`-th step.
    record_spikes
        Names of populations. Default: all that spike or pool spikes.
    rate_bin
        Width in seconds of the bins in which spikes are counted, rounded to the nearest number of
        steps; `simulation.rate_bin` shows the result.
    initial
        States at the start, such as {"E.U": 0.5}, instead of 0 and `initial` of the population: a
        number, an array (n,), or a distribution.
    state
        State of an earlier simulation of this network, to go on from in place of `initial`. Input
        spikes count from the start of this run, the times of a background that changes from the
        start of the first.
    seed
        A whole number >= 0 or a numpy Generator, for the background and for initial states; each
        population has random numbers of its own. Default: 0, or with a `state` the random numbers
        of the run before: the two then have the bits of one long run. A run with a state and a seed
        is a branch: other random numbers from here on, one future of this state for each seed.
    merge
        Whether several spikes of one input unit in one step count once.
    out
        Path of a file that takes the spikes as they come, instead of memory. `read_spikes` reads
        it, also while the run goes on and after it was killed. An existing file is replaced, so
        give every part of a continued run a file of its own. When the disk is full the run ends,
        with a warning, as after Ctrl-C.
    perturbations
        A list of what is done to neurons and synapses during this run, such as
        [perturb.Silence("I", fraction=0.5, start=0.1)] (`biosnn.perturb`). The network stays as it
        is.
    threads
        Default: all processors, one for a small network. The result is the same, bit for bit.
        Without the compiler (NUMBA_DISABLE_JIT=1) there is always one.
    progress
        Whether to show the share that is done, the time to the end and the real-time factor.

    Returns
    -------
    A Simulation of spikes, rates and recorded states.

    Raises
    ------
    ValueError
        If something given does not fit the network, or a state leaves the finite numbers.

    See Also
    --------
    run : batches of trials, with gradients.

    Notes
    -----
    One step integrates (U*, I*) = M (U, I), finds the spikes S = U* > theta, delivers those that
    arrive, I_i += sum_j W_ji S_j[n - D], and resets U = U* + S (U_reset - U*), as `run` does.

    Ctrl-C ends the run and returns what was simulated so far: `interrupted` is then True, and a
    script that simulates in a loop leaves it with `if done.interrupted: break`. A second Ctrl-C
    within three seconds, in this run or the next, is a KeyboardInterrupt.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> cells = net.population(2, bs.ei_lif(), "excitatory", name="E")
    >>> noise = [bs.OrnsteinUhlenbeck("E", mean=1.2, sd=0.3, tau=5e-3)]
    >>> done = bs.simulate(
    ...     net, 0.1, background=noise, record={"E.U": [0]}, progress=False
    ... )
    >>> done.states["E.U"].shape
    (100, 1)
    """
    instance(network, "network", Network, "a Network")
    merge, progress = flag(merge, "merge"), flag(progress, "progress")
    steps = timegrid.covering_steps(checks.time(duration, "duration", above=0), network.dt)
    check_network(network)
    n_threads = _threads(network, threads)
    change = perturbed(network, perturbations)
    run = StreamRun(change, spikes, merge, background, state, seed, initial, n_threads, steps)
    recording = StreamRecording(run, record, every, record_spikes, rate_bin, steps)
    try:
        recording.open(out)
        with nullcontext() if progress else silence():
            run.compile(recording)
        begin = clock()
        with progress_bar(steps, "simulation", progress) as advance, graceful_interrupt() as stop:
            interrupted = run.go(recording, steps, advance, stop)
    finally:
        problem = recording.close()
    interrupted = interrupted or run.done < steps
    result = _of_given(change, recording.result(clock() - begin, interrupted))
    if problem:
        warn(f"{problem}. {_what_is_lost(result) if run.done < steps else ''}")
    return result


def _of_given(change, result):
    """The result as that of the network that was given, with what was done to it."""
    state = result.state
    if change.network is not change.given:
        state = replace(state, fingerprint=change.given.fingerprint())
    return replace(result, network=change.given, state=state, perturbations=change.perturbations)


def _what_is_lost(result):
    """Where a run ended whose file is full, for a warning."""
    return (
        f"The run ended at {result.duration:g} s; all spikes until then are in `spikes` of the "
        "result, and it can go on from `state` with another file."
    )


def check_network(network: Network) -> None:
    """Raise a ValueError unless the network can be simulated."""
    check_complete(network)
    # `network.weights` is open to all: shape, type, Dale's law
    for projection in network.projections:
        network.set_weights(projection, network.weights[projection.name], copy=False)


def _threads(network, threads):
    """The number of threads: one for a small network, unless it is given.

    Without the compiler it is one, because threads wait for each other in compiled code only.
    """
    if threads is None and sum(p.n for p in network.populations) < _FEW_NEURONS:
        return 1
    threads = checked_threads(default_threads() if threads is None else threads)
    return 1 if numba.config.DISABLE_JIT else threads
