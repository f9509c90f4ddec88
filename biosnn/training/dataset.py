"""Data as kernels read them: binned events with targets, split into training and validation."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..data.augmentations import Blend
from ..data.spike_trains import SpikeTrains
from ..engine.conditions import make_conditions
from ..engine.events import no_events
from ..engine.inputs import bin_inputs, input_trains, labels_of, trial_steps
from ..engine.packed import pack
from ..kernels import arrays
from ..network.network import Network
from ..support.checks import real, several
from ..support.fingerprint import digest_of
from ..support.seeds import TrainingStream
from .loss_terms import LossTerm, Target, make_targets, select
from .presentation import Presentation
from .surroundings import (
    checked_currents,
    described,
    for_validation,
    sizes_without_inputs,
)

_SOURCE = "PoissonInput('E', 1e3, 0.1)"


class Given(NamedTuple):
    """What the user gave: spike trains, targets and masks; what else happens to the trials.

    A background of None is none; of validation trials, that of the training trials.
    """

    spikes: Any
    targets: Any = None
    mask: Any = None
    background: Any = None
    initial: Any = None
    currents: Any = None


@dataclass(frozen=True, eq=False)
class DataSet:
    """Trials of a data set, of which `rows` are used.

    Parameters
    ----------
    trains
        Spike trains of each input.
    events, steps
        The same on the time grid, and its length.
    targets
        Targets of all trials, for every term of the loss.
    ends
        (trial,) the event by which 99 % of the input's steps and sources have passed.
    rows
        Numbers of the trials that are used.
    own_steps
        (trial,) steps of each trial, or None where all have `steps`.
    conditions
        Background and initial states of all trials.
    currents
        Population -> (trial, step, neuron) injected currents, of one step or neuron where they are
        alike.
    surroundings
        Words and digests of background, initial states and currents, of those that were given.
    """

    trains: list[SpikeTrains]
    events: arrays.Events
    steps: int
    targets: tuple[Target, ...]
    ends: np.ndarray
    rows: np.ndarray
    own_steps: np.ndarray | None = None
    conditions: Any = None
    currents: dict[str, np.ndarray] = field(default_factory=dict)
    surroundings: dict[str, str] = field(default_factory=dict)

    def part(self, rows: np.ndarray) -> "DataSet":
        """Return the same data, with other trials in use."""
        return replace(self, rows=rows)

    def by_length(self, rows: np.ndarray) -> np.ndarray:
        """Return the same rows, sorted: those whose input ends last come first.

        Trials side by side then have adjoints for about as many steps.
        """
        return rows[np.argsort(-self.ends[rows], kind="stable")]

    def steps_of(self, rows: np.ndarray) -> np.ndarray | None:
        """Return the steps of some trials, or None where all have `steps`."""
        return None if self.own_steps is None else self.own_steps[rows]

    @property
    def n_steps(self) -> int:
        """Steps of all trials in use together."""
        own = self.steps_of(self.rows)
        return self.rows.size * self.steps if own is None else int(own.sum())

    def targets_of(self, rows: np.ndarray) -> tuple[Target, ...]:
        """Return the targets and masks of some trials."""
        return select(self.targets, rows)

    @cached_property
    def digest(self) -> str:
        """A digest of spikes, targets and masks, and of which trials are used."""
        trains = [a for t in self.trains for a in (t.times, t.units, t.offsets)]
        targets = [a for pair in self.targets for a in pair if a is not None]
        ends = [t.ends for t in self.trains if t.ends is not None]
        return digest_of([self.rows, *trains, *ends, *targets])


def load(network: Network, terms: tuple[LossTerm, ...], given: Given) -> DataSet:
    """Return spike trains and targets as kernels read them.

    Raises
    ------
    ValueError
        If they do not fit the network or the losses, or there are no trials.
    """
    trains, events, steps = _inputs(network, given)
    n_trials = events.pointers.shape[0]
    if n_trials == 0:
        raise ValueError("the data set has no trials.")
    labels = labels_of(network, trains)
    own_steps = trial_steps(network, trains)
    targets = make_targets(
        terms, network, labels, given.targets, given.mask, n_trials, steps, own_steps
    )
    ends = [np.searchsorted(row, row[0] + 0.99 * (row[-1] - row[0])) for row in events.pointers]
    packed, background = pack(network), _sources(given.background)
    conditions = make_conditions(packed.layout, packed.wires, background, given.initial, n_trials)
    currents = checked_currents(packed, given.currents, n_trials, steps)
    return DataSet(
        trains=trains,
        events=events,
        steps=steps,
        targets=targets,
        ends=np.array(ends),
        rows=np.arange(n_trials),
        own_steps=own_steps,
        conditions=conditions,
        currents=currents,
        surroundings=described(background, conditions, currents),
    )


def _sources(background):
    """The sources of a background, of which None has none."""
    return several(() if background is None else background, "background", _SOURCE)


def _inputs(network, given):
    """Spike trains, events and steps; of a network without inputs, as many as currents have."""
    if network.inputs:
        trains = input_trains(network, given.spikes)
        return trains, *bin_inputs(network, given.spikes)
    n_trials, steps = sizes_without_inputs(network, given.spikes, given.currents)
    return [], no_events(n_trials, 0, network.dtype), steps


# -------------------------------------------------------------------------- training and validation


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Training trials, validation trials or None, and trains that `Blend` takes partners from."""

    training: DataSet
    validation: DataSet | None = None
    pool: SpikeTrains | None = None


def load_training(
    network: Network,
    terms: tuple[LossTerm, ...],
    given: Given,
    validation: Given,
    presentation: Presentation,
) -> TrainingData:
    """Return the data of a training.

    Parameters
    ----------
    validation
        Its spikes are SpikeTrains (or a dict of them), the share of the training data to keep, or
        None; a network without inputs has currents in their place. A background or currents of None
        are those of the training trials.

    Raises
    ------
    ValueError
        If the parts do not fit each other, the network or the losses.
    """
    given = given._replace(background=_sources(given.background))
    training, held = load(network, terms, given), None
    if presentation.augment and not training.trains:
        raise ValueError("augment changes spikes, and the network has no inputs: leave it out.")
    kind = _checked_kind(network, validation, terms)
    if kind == "share":
        training, held = _split(training, validation.spikes, presentation)
    elif kind == "trains":
        held = _load_validation(network, terms, for_validation(given, validation))
        same = held.own_steps is None and training.own_steps is None
        if same and held.steps != training.steps:
            raise ValueError(
                f"validation trials have {held.steps} steps, training trials {training.steps}; "
                "they must have the same duration."
            )
    presentation.check_whole_batches(training.rows, training.own_steps)
    if held is not None:
        presentation.check_whole_batches(held.rows, held.own_steps)
    return TrainingData(training, held, _pool(training, presentation))


def _load_validation(network, terms, given):
    """What `load` returns; its messages say that they are about validation."""
    try:
        return load(network, terms, given)
    except ValueError as error:
        raise ValueError(f"validation: {error}") from None


def _checked_kind(network, validation, terms):
    """What was given for validation: "none", "share" or "trains"."""
    if validation.spikes is not None and not terms:
        raise ValueError("there is no loss, so there is nothing to validate; leave validation out.")
    if isinstance(validation.spikes, (SpikeTrains, dict)):
        return "trains"
    if validation.spikes is None and not network.inputs and validation.currents is not None:
        return "trains"
    own = ("targets", "mask", "background", "currents")
    if given := [f"validation_{name}" for name in own if getattr(validation, name) is not None]:
        raise ValueError(
            f"{' and '.join(given)}: these are of trials in validation=SpikeTrains; a share of the "
            "training data has its own."
        )
    return "none" if validation.spikes is None else "share"


def _split(data, share, presentation):
    """Training and validation data: a share of the trials, drawn at random."""
    why = "as a number it is the share of the data to keep; else SpikeTrains"
    share = real(share, "validation", above=0, below=1, why=why)
    if presentation.stateful:
        raise ValueError(
            f"validation is {share!r}, a share of trials at random, but with stateful=True "
            "trials go on from each other: give SpikeTrains of their own."
        )
    rng = np.random.default_rng(presentation.key(TrainingStream.SPLIT))
    order = rng.permutation(data.rows.size)
    n = max(1, round(share * order.size))
    if n == order.size:
        raise ValueError(
            f"a validation share of {share} leaves nothing of {order.size} trials to train on."
        )
    return data.part(np.sort(order[n:])), data.part(np.sort(order[:n]))


def _pool(training, presentation):
    """Training trials alone, none of the validation, if `Blend` needs them."""
    if not any(isinstance(each, Blend) for each in presentation.augment):
        return None
    if len(training.trains) != 1:
        raise ValueError(
            f"Blend mixes the trials of one input; the network has {len(training.trains)}."
        )
    return training.trains[0][training.rows]
