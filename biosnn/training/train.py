"""`train` and `prime`: one plain loop over epochs and batches, which can be stopped and resumed."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..data.augmentation import Augmentation
from ..data.spike_trains import SpikeTrains
from ..engine.background_tables import Source
from ..network.network import Network
from ..support.checks import flag, path, several, shown, whole
from ..support.fingerprint import digest_of
from ..support.progress import graceful_interrupt, progress_bar
from ..support.ranks import Ranks
from . import checkpoint
from .cross_entropy import MaxOverTimeCrossEntropy
from .dataset import Given, load_training
from .history import Callback, Epoch, History
from .objective import make_objective
from .optim import Adam
from .presentation import make_presentation
from .protocols import Constraint, Loss, Optimizer, Regularizer, Schedule
from .schedules import Constant
from .session import Session
from .update import make_update_rule

_SAME_CALL = (
    "Each of them must make the same call, with the same network, data and options: give a seed to "
    "everything that is drawn at random."
)


def train(
    network: Network,
    spikes: SpikeTrains | dict[str, SpikeTrains] | None,
    targets: Any = None,
    mask: Any = None,
    *,
    epochs: int,
    loss: Loss | dict[str, Any] | None = MaxOverTimeCrossEntropy(),
    optimizer: Optimizer = Adam(2e-3),
    schedule: Schedule = Constant(),
    regularizers: Sequence[Regularizer] = (),
    batch: int = 250,
    validation: SpikeTrains | dict[str, SpikeTrains] | float | None = None,
    background: Sequence[Source] = (),
    initial: Mapping[str, Any] | None = None,
    currents: Mapping[str, ArrayLike] | None = None,
    validation_targets: Any = None,
    validation_mask: Any = None,
    validation_background: Sequence[Source] | None = None,
    validation_currents: Mapping[str, ArrayLike] | None = None,
    augment: Sequence[Augmentation] = (),
    dropout: float | dict[str, float] = 0.0,
    clip: float | None = None,
    learning_rates: Mapping[str, float] | None = None,
    constraints: Sequence[Constraint] = (),
    readout: str | None = None,
    early_stopping: int | None = None,
    seed: int | np.random.Generator = 0,
    out: str | PathLike[str] | None = None,
    start: str = "new",
    threads: int | None = None,
    communicator: Any = None,
    differentiate_reset: bool = False,
    truncate: float | None = None,
    stateful: bool = False,
    callback: Callback | None = None,
    progress: bool = True,
) -> History:
    """Train the weights, and learned time constants and biases, of a network in place.

    Parameters
    ----------
    network
        A network with weights to start from, such as those of `fluctuation_driven`.
    spikes
        Training data: spike trains of the input, or a dict of input -> spike trains. Where trials
        have `ends` of their own, what comes after the end of a trial counts for nothing: neither
        for the loss (a mean over steps is one over the steps of all trials), nor for scores and
        bounds on spike counts. None for a network without inputs, which currents drive.
    targets
        What the loss compares with: an array whose first axis counts trials, or a dict by readout.
        Default: the labels of the spike trains.
    mask
        Weights of steps, (trial, step) or (trial, step, unit), or a dict by readout.
    epochs
        Presentations of all training trials.
    loss
        Loss of one readout; or a dict of readout -> loss or (loss, weight), whose weighted sum
        counts; or None for regularizers alone (`prime`).
    optimizer
        `Adam`, `AdamW`, `SMORMS3`, `SGD`, or one of your own (`biosnn.Optimizer`).
    schedule
        Schedule of the learning rate, from `biosnn.schedules` or one of your own
        (`biosnn.Schedule`).
    regularizers
        A list of `upper_bound(…)`, `lower_bound(…)`, `WeightPenalty(…)` or your own.
    batch
        Trials per step of the optimizer.
    validation
        Spike trains, or the share of the training data to keep for it, such as 0.1. None: no
        validation.
    background
        A list of PoissonInput, Current and OrnsteinUhlenbeck, as for `run`. Noise is new in every
        epoch. Values per trial are those of the training trials, in the order of `spikes`.
    initial
        States at the start of every trial, such as {"E.U": 0.5}, as for `run`. A distribution is
        drawn from anew for every trial and epoch.
    currents
        Population -> array that broadcasts to (trial, step, neuron), added to the right-hand side
        of tau_mem dU/dt: continuous input beside spikes or, in a network without inputs, instead.

    Other Parameters
    ----------------
    validation_targets, validation_mask, validation_background, validation_currents
        As `targets`, `mask`, `background` and `currents`, for validation data of their own. Default
        of background and currents: those of the training trials, which must then be the same for
        all of them.
    augment
        A list of augmentations that change every presentation of a training trial, in this order:
        its spikes, neither background nor currents.
    dropout
        Probability that a neuron is silent for a whole trial: one number for all populations, or
        name -> probability. Synapses of the other neurons count 1 / (1 - probability) times as
        much. For inputs use `augment=[Drop(…)]`.
    clip
        Largest Euclidean norm of the gradient of a batch; a longer one is scaled down to it.
    learning_rates
        Projection -> a learning rate of its own, which the schedule scales like that of the
        optimizer. The optimizer's steps of that projection are multiplied by the ratio of the two;
        0 leaves its weights as they are.
    constraints
        A list of `WeightConstraint(…)` or your own, applied after every step of the optimizer.
    readout
        What a single loss looks at: the name of a readout (default: the only one), or of a spiking
        population, whose spikes it then sees.
    early_stopping
        Stop when the best epoch is this many epochs old, and go back to its weights.
    seed
        Seed of the order of trials, split, augmentation, background, escape noise, dropout and
        initial states that are drawn.
    out
        Folder for checkpoints, of one training at a time: last.npz after every epoch, best.npz
        after each that is the best so far. `load` makes a network of either.
    start
        "new" refuses a folder with a checkpoint; "resume" goes on from last.npz, with the bits of
        an uninterrupted run (and starts anew where there is none); "overwrite" starts anew. If a
        training is resumed with more epochs, a schedule that counts shares of the training
        (`Cosine`, `Step`) goes on at the share of the new number.
    threads
        Default: all processors, or the share of this process of those of its machine. The result is
        the same for any number.
    communicator
        MPI.COMM_WORLD of mpi4py (`pip install "biosnn[mpi]"`), or another communicator: its
        processes, started by `mpiexec -n 4 python my_training.py`, share the trials of each batch.
        All make this same call, with the same network, data and seeds, and all return the same
        network and curves. The first process alone shows progress, writes to `out` (a folder that
        the others need not see) and calls `callback`. The result is the same for any number of
        processes. None: this process alone.
    differentiate_reset
        Let gradients flow through the reset, too.
    truncate
        Length in seconds of windows that no gradient leaves backwards in time. Meant for losses
        that look at every step: the gradient of a maximum over time stays within the window of that
        maximum.
    stateful
        True: trial k of a batch goes on from trial k of the batch before, with its states,
        refractory clocks and spikes on their way, as one long recording that is cut into pieces.
        Give the first pieces of `batch` recordings, then their second pieces, and so on. Trials are
        not shuffled; every epoch, and validation, begins at the initial state. Gradients do not
        flow back over the border. Times of a background count from the start of the recording.
    callback
        A function that is called after every epoch, and after its checkpoint, with an `Epoch`: the
        learning curves so far and the network with its weights. If it returns True the training
        ends there; an error that it raises ends it, too.
    progress
        Show a bar, or lines in a log.

    Returns
    -------
    The learning curves.

    Raises
    ------
    ValueError
        If an argument is not what it should be, before anything changes; or if a loss, gradient or
        weight is not finite; the message names it. The network then holds the last finite weights,
        and the last checkpoint stays. Or if the processes of `communicator` differ in network, data
        or options. All processes raise what one of them raises, and one prints it.
    TypeError
        If `communicator` is not a communicator.
    OSError
        If nothing can be written to `out`, before the first epoch.
    KeyboardInterrupt
        After a second Ctrl-C within three seconds, in this training or the next; or before the
        first batch.

    Notes
    -----
    The same seed gives the same bits, on any number of threads and processes. Random numbers of a
    trial follow from the seed, the epoch and its place in the data; those of validation are the
    same in every epoch. For the gradient, noise is a constant.

    Ctrl-C ends the training at once: the network holds the weights after the last whole batch, a
    checkpoint goes on from there with the bits of an uninterrupted run, and the history of the
    whole epochs says `interrupted`. A script that trains in a loop leaves it with
    `if history.interrupted: break`.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> _ = net.connect(net.input(2), net.readout(2), weights=np.zeros((2, 2)))
    >>> data = bs.SpikeTrains.from_dense(
    ...     np.eye(2)[:, None].repeat(9, axis=1), 1e-3, labels=[0, 1]
    ... )
    >>> loss, optimizer = bs.MeanOverTimeCrossEntropy(), bs.SGD(1.0)
    >>> history = bs.train(
    ...     net, data, epochs=3, loss=loss, optimizer=optimizer, progress=False
    ... )
    >>> bool(history.loss[2] < history.loss[0]), bs.evaluate(net, data).accuracy
    (True, 1.0)
    """
    trials = {"augment": augment, "dropout": dropout, "truncate": truncate, "stateful": stateful}
    trials |= {"differentiate_reset": differentiate_reset}
    with Ranks(communicator).together() as ranks:
        presentation = make_presentation(network, batch, seed, ranks.threads(threads), **trials)
        rule = make_update_rule(network, optimizer, schedule, constraints, clip, learning_rates)
        objective = make_objective(network, loss, readout, regularizers)
        given = Given(spikes, targets, mask, background, initial, currents)
        held = Given(validation, validation_targets, validation_mask, validation_background)
        held, progress = held._replace(currents=validation_currents), flag(progress, "progress")
        data = load_training(network, objective.terms, given, held, presentation)
        session = Session(network, objective, rule, presentation, data, epochs, ranks)
        return _run(session, out, start, Loop(early_stopping, callback), progress)


def prime(
    network: Network,
    spikes: SpikeTrains | dict[str, SpikeTrains],
    *,
    epochs: int,
    regularizers: Sequence[Regularizer],
    **options: Any,
) -> History:
    """Bring activity into bounds before learning: train with regularizers alone.

    Parameters
    ----------
    network, spikes, epochs
        As for `train`.
    regularizers
        A list such as [lower_bound(100, 1e-3, per="neuron"), upper_bound(0.1, 4)].
    **options
        Other arguments of `train`: optimizer, batch, seed and so on.

    Returns
    -------
    The learning curves; loss and score are NaN.

    Raises
    ------
    ValueError
        If there are no regularizers, if there is a loss, or as in `train`.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=1e-3)
    >>> e = net.population(2, bs.lif(), name="E")
    >>> _ = net.connect(net.input(1), e, weights=[[0.0, 0.1]])
    >>> data = bs.SpikeTrains.from_dense(np.ones((1, 20, 1)), 1e-3)
    >>> bounds = [bs.lower_bound(1.0, threshold=1, per="neuron")]
    >>> history = bs.prime(net, data, epochs=2, regularizers=bounds, progress=False)
    >>> history.regularizer.tolist()
    [1.0, 1.0]
    """
    if "loss" in options:
        raise ValueError(
            "prime takes no loss: it minimizes regularizers alone. Use train for both."
        )
    regularizers = several(regularizers, "regularizers", "lower_bound(100, 1e-3)")
    if not regularizers:
        raise ValueError(
            "prime needs regularizers, such as lower_bound(100, 1e-3); without them there is "
            "nothing to minimize."
        )
    return train(network, spikes, epochs=epochs, loss=None, regularizers=regularizers, **options)


class Loop:
    """When the loop over epochs ends early: patience with the validation, and a callback."""

    def __init__(self, patience: Any, callback: Any) -> None:
        self.patience = patience
        self.callback = callback
        if patience is not None:
            self.patience = whole(patience, "early_stopping", 1, why="a number of epochs")
        if callback is not None and not callable(callback):
            raise ValueError(
                f"callback is {shown(callback)}; it must be a function of one argument, the Epoch "
                "that has ended."
            )

    def ends_after(self, session: Session) -> bool:
        """Call the callback after an epoch; return whether the training is to end there."""
        if self.callback is None:
            return False
        epoch = Epoch(session.network, session.history(), session.epochs)
        answer = self.callback(epoch)
        return isinstance(answer, (bool, np.bool_)) and bool(answer)


def _run(session: Session, out: Any, start: str, loop: Loop, show: bool) -> History:
    """The whole training, or what there is of it before Ctrl-C, with its checkpoints."""
    folder = None if out is None else path(out, "out")
    session.objective.check_not_empty()
    ranks = session.ranks
    if ranks.size > 1:
        ranks.check_same(_told(session, start, loop), _SAME_CALL)
    if folder is not None:
        checkpoint.check(session)
    with checkpoint.reserved(folder, start) if ranks.is_first else nullcontext():
        if start == "resume":
            checkpoint.resume_if_there(session, folder)
        total, n_batches = session.epochs * session.n_batches, session.n_batches
        done = session.progress.epoch * n_batches + session.progress.batch
        with (
            graceful_interrupt() as pressed,
            progress_bar(total, "training", show and ranks.is_first, done) as advance,
        ):
            interrupted = ranks.interrupted(pressed)
            _run_epochs(session, folder, loop, interrupted, advance)
    if loop.patience is not None and not interrupted():
        session.restore_best()
    session.write_back()
    return session.history(bool(interrupted()))


def _run_epochs(
    session: Session,
    folder: Path | None,
    loop: Loop,
    interrupted: Callable[[], bool],
    advance: Callable[..., None],
) -> None:
    """The loop over epochs, each of which ends with a checkpoint."""
    while session.progress.epoch < session.epochs and not session.is_stale(loop.patience):
        session.run_epoch(interrupted, advance)
        session.write_back()
        if session.ranks.on_first(lambda: _ends_after(session, folder, loop, interrupted)):
            break


def _ends_after(session, folder, loop, interrupted):
    """Write a checkpoint and call the callback; return whether the training is to end here."""
    if folder is not None:
        checkpoint.save(session, folder)
    return interrupted() or loop.ends_after(session)


def _told(session, start, loop):
    """What must be the same on all processes that train together, in words and digests."""
    network, validation = session.network, session.data.validation
    told = {
        "network": network.fingerprint(),
        "weights": digest_of([session.parameters.vector]),
        "validation": validation and f"{validation.digest} {validation.surroundings}",
        "epochs": session.epochs,
        "early_stopping": loop.patience,
        "start": start,
    }
    return told | checkpoint.recipe(session)
