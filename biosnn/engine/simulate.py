"""Run one large network, sparse or dense, for as long as you like: simulate(network, duration).

The step is that of `run`, and so are its numbers; but threads go over targets, or each over trials
of its own, and nothing is stored but spikes and what was asked for. stream_setting.py has what all
trials share, stream_run.py the loop over slices of time, kernels/stream.py the step.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, overload

import numba

from ..network.network import Network
from ..network.network_checks import check_complete
from ..network.perturb_neurons import Perturbation
from ..support import checks, timegrid
from ..support.checks import flag, instance, whole
from ..support.code_cache import clock, silence
from ..support.progress import graceful_interrupt, progress_bar, quiet
from ..support.ranks import Ranks
from ..support.threads import checked_threads, default_threads
from ..support.warn import warn
from .background_tables import Source
from .inputs import Inputs
from .perturbed import perturbed
from .recording import Record
from .simulation import Simulation
from .state import State
from .stream_ranks import check_same
from .stream_recording import StreamRecording
from .stream_run import StreamRun
from .stream_setting import Setting
from .stream_trials import of_given, simulate_trials

_FEW_NEURONS = 1000  # below, one thread is faster than two
_MANY_NEURONS = 20_000  # below, threads take a trial each rather than sharing one


@overload
def simulate(
    network: Network,
    duration: float,
    spikes: Inputs | None = ...,
    *,
    background: Sequence[Source] = ...,
    record: Record = ...,
    every: int = ...,
    record_spikes: Iterable[str] | None = ...,
    rate_bin: float = ...,
    initial: Mapping[str, Any] | None = ...,
    state: State | Sequence[State] | None = ...,
    seed: Any = ...,
    merge: bool = ...,
    out: str | os.PathLike | None = ...,
    perturbations: Sequence[Perturbation] = ...,
    trials: None = ...,
    threads: int | None = ...,
    communicator: Any = ...,
    progress: bool = ...,
) -> Simulation: ...


@overload
def simulate(
    network: Network,
    duration: float,
    spikes: Inputs | None = ...,
    *,
    background: Sequence[Source] = ...,
    record: Record = ...,
    every: int = ...,
    record_spikes: Iterable[str] | None = ...,
    rate_bin: float = ...,
    initial: Mapping[str, Any] | None = ...,
    state: State | Sequence[State] | None = ...,
    seed: Any = ...,
    merge: bool = ...,
    out: str | os.PathLike | None = ...,
    perturbations: Sequence[Perturbation] = ...,
    trials: int,
    threads: int | None = ...,
    communicator: Any = ...,
    progress: bool = ...,
) -> list[Simulation]: ...


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
    state: State | Sequence[State] | None = None,
    seed: Any = None,
    merge: bool = True,
    out: str | os.PathLike | None = None,
    perturbations: Sequence[Perturbation] = (),
    trials: int | None = None,
    threads: int | None = None,
    communicator: Any = None,
    progress: bool = True,
) -> Simulation | list[Simulation]:
    """Simulate one trial of a network, large or small, for as long as you like, or several.

    Parameters
    ----------
    network
        A network with weights for all projections.
    duration
        Seconds: as many steps as cover it are simulated (10.4 ms are 11 steps of 1 ms), which
        `simulation.duration` shows.
    spikes
        SpikeTrains of one trial for the inputs, or a dict of input name -> SpikeTrains. With
        `trials` they are of one trial, which all get, or of as many trials.
    background
        A list of PoissonInput, Current and OrnsteinUhlenbeck. With `trials` values may differ
        between them, as in `run`.
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
        number, an array (n,), or a distribution; with `trials` also (trials, n).
    state
        State of an earlier simulation of this network, to go on from in place of `initial`. Input
        spikes count from the start of this run, the times of a background that changes from the
        start of the first. With `trials`: one state, from which all go on (the first with its
        random numbers, the others with their own), that of a `run` of as many trials, or a list of
        one for each.
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
        with a warning, as after Ctrl-C. Not with `trials`.
    perturbations
        A list of what is done to neurons and synapses during this run, such as
        [perturb.Silence("I", fraction=0.5, start=0.1)] (`biosnn.perturb`). The network stays as it
        is.
    trials
        How many independent trials to run, with random numbers of their own: trial k has those of
        trial k of `run`, and the first those of `simulate` without `trials`. Default: one.
    threads
        Default: all processors, or the share of this process of those of its machine; one for one
        trial of a small network. Threads share a network that is large; of others each takes one
        trial after the other. The result is the same, bit for bit. Without the compiler
        (NUMBA_DISABLE_JIT=1) there is always one.
    communicator
        MPI.COMM_WORLD of mpi4py (`pip install "biosnn[mpi]"`), or another communicator: its
        processes, started by `mpiexec -n 4 python my_simulation.py`, share the network, each with
        the synapses onto its own neurons. All make this same call, with the same network and seeds,
        and all return the same Simulation. The first process alone shows progress and writes to
        `out`, a file that the others need not see. The result is the same for any number of
        processes. None: this process alone. Not with `trials`.
    progress
        Whether to show the share that is done, the time to the end and the real-time factor.

    Returns
    -------
    A Simulation of spikes, rates and recorded states; with `trials` a list of them.

    Raises
    ------
    ValueError
        If something given does not fit the network, or a state leaves the finite numbers; or if the
        processes of `communicator` differ in network or options. All raise what one of them raises,
        and one prints it.
    TypeError
        If `communicator` is not a communicator.

    See Also
    --------
    run : batches of trials, with gradients.

    Notes
    -----
    One step integrates (U*, I*) = M (U, I), finds the spikes S = U* > theta, delivers those that
    arrive, I_i += sum_j W_ji S_j[n - D], and resets U = U* + S (U_reset - U*), as `run` does.

    Ctrl-C ends the run and returns what was simulated so far: `interrupted` is then True, and a
    script that simulates in a loop leaves it with `if done.interrupted: break`. A second Ctrl-C
    within three seconds, in this run or the next, is a KeyboardInterrupt. With `trials`, Ctrl-C
    returns those that are finished, with a warning; `trial` of each says which it is.

    Trials share the tables of synapses, unless weights learn, so that they need little more memory
    than one. Learned weights of trials differ.

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
    >>> several = bs.simulate(net, 0.1, background=noise, trials=3, progress=False)
    >>> [each.trial for each in several], several[0].counts == done.counts
    ([0, 1, 2], True)
    """
    instance(network, "network", Network, "a Network")
    merge, progress = flag(merge, "merge"), flag(progress, "progress")
    steps = timegrid.covering_steps(checks.time(duration, "duration", above=0), network.dt)
    with Ranks(communicator).together() as ranks:
        check_network(network)
        n_trials = 1 if trials is None else whole(trials, "trials", 1)
        within, over = _threads(network, ranks.threads(threads), n_trials)
        change = perturbed(network, perturbations)
        given = spikes, merge, background, state, seed, initial
        with nullcontext() if progress else quiet():
            setting = Setting(change, *given, within, steps, n_trials, ranks)

        def recording_of(run):
            """What takes the records of a trial."""
            return StreamRecording(run, record, every, record_spikes, rate_bin, steps)

        if trials is None:
            return _one(setting, recording_of, out, progress)
        _refuse(out, ranks)
        return simulate_trials(setting, recording_of, over, progress)


def _one(setting, recording_of, out, progress):
    """The only trial of a call of `simulate`."""
    run, steps, ranks = StreamRun(setting), setting.steps, setting.ranks
    recording, shows = recording_of(run), progress and ranks.is_first
    if ranks.size > 1:
        check_same(run, setting, recording)
    try:
        recording.open(out)
        with nullcontext() if shows else silence():
            run.compile(recording)
        begin = clock()
        with progress_bar(steps, "simulation", shows) as advance, graceful_interrupt() as stop:
            interrupted = run.go(recording, steps, advance, ranks.interrupted(stop))
    finally:
        problem = recording.close()
    wall = ranks.on_first(lambda: clock() - begin)
    result = of_given(setting.change, recording.result(wall, interrupted or run.done < steps))
    if problem:
        warn(f"{problem}. {_what_is_lost(result) if run.done < steps else ''}")
    return result


def _refuse(out, ranks):
    """ValueError if spikes of several trials shall go to a file, or processes share a trial."""
    if ranks.size > 1:
        raise ValueError(
            "the processes of a communicator share one trial: leave out trials or communicator. "
            "Independent trials need no communicator: give each process its own, with another seed."
        )
    if out is not None:
        raise ValueError(
            "a file (out) takes the spikes of one run: leave out or trials out. Trials that go to "
            "files are calls of simulate with another seed and file each."
        )


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
    for name in (p.name for p in network.projections):
        if network.weights.undrawn(name) is None:
            network.set_weights(name, network.weights[name], copy=False)


def _threads(network, threads, n_trials):
    """(threads within a trial, trials at a time).

    One trial of a small network has one thread, unless the number is given. Without the compiler it
    is one, because threads wait for each other in compiled code only.
    """
    neurons = sum(p.n for p in network.populations)
    given = checked_threads(default_threads() if threads is None else threads)
    if numba.config.DISABLE_JIT:
        return 1, 1
    if n_trials > 1 and neurons < _MANY_NEURONS:
        return 1, min(given, n_trials)
    return (1 if threads is None and neurons < _FEW_NEURONS else given), 1
