"""What figures need of the objects that they draw: their attributes, not their classes.

A figure takes the traces, networks, histories and reports of biosnn, and whatever has the same
attributes. The values of attributes are not looked at here: some are computed on first use.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ..support import checks

_MISSING = object()


class PopulationLike(Protocol):
    """A population, or units that pool spikes."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def n(self) -> int:
        """Number of neurons."""

    @property
    def kind(self) -> str:
        """One of "input", "spiking", "pooling" or "readout"."""

    @property
    def sign(self) -> str:
        """One of "excitatory", "inhibitory" or "unsigned"."""


class NetworkLike(Protocol):
    """A network with its weights."""

    @property
    def populations(self) -> Sequence:
        """Populations, inputs and readouts."""

    @property
    def projections(self) -> Sequence:
        """Projections."""

    @property
    def weights(self) -> Mapping[str, Any]:
        """Projection name to weights."""

    @property
    def synapses(self) -> Mapping[str, Any]:
        """Name of a sparse projection to its synapses."""


class TraceLike(Protocol):
    """What `biosnn.run` recorded."""

    @property
    def network(self) -> Any:
        """The network that ran."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Input name to SpikeTrains."""

    @property
    def spikes(self) -> Mapping[str, Any]:
        """Population name to SpikeTrains."""

    @property
    def states(self) -> Mapping[str, np.ndarray]:
        """State name, such as "E.U", to array (trial, step, neuron)."""

    @property
    def neurons(self) -> Mapping[str, np.ndarray]:
        """State name to the neurons whose states were recorded, where they are not all."""

    @property
    def own_steps(self) -> np.ndarray | None:
        """Steps of each trial, or None if all have as many."""

    @property
    def counts(self) -> Mapping[str, np.ndarray]:
        """Population name to spike counts (trial, neuron)."""

    @property
    def times(self) -> np.ndarray:
        """Labels of the steps in seconds."""

    @property
    def labels(self) -> np.ndarray | None:
        """Class of each trial, or None."""

    @property
    def start(self) -> float:
        """Seconds that were simulated before."""

    @property
    def duration(self) -> float:
        """Seconds of a trial."""


class SimulationLike(Protocol):
    """What `biosnn.simulate` recorded."""

    @property
    def network(self) -> Any:
        """The network that was simulated."""

    @property
    def spikes(self) -> Mapping[str, Any]:
        """Population name to SpikeTrains of one trial."""

    @property
    def rates(self) -> Mapping[str, np.ndarray]:
        """Population name to mean rates of its neurons in bins of `rate_bin`."""

    @property
    def rate_bin(self) -> float:
        """Seconds of a bin."""

    @property
    def states(self) -> Mapping[str, np.ndarray]:
        """State name, such as "E.U", to array (time, neuron)."""

    @property
    def state_times(self) -> np.ndarray:
        """Seconds of the states."""

    @property
    def neurons(self) -> Mapping[str, np.ndarray]:
        """State name to the neurons whose states were recorded."""

    @property
    def weights(self) -> Mapping[str, Any]:
        """Projection name to weights at the end."""

    @property
    def start(self) -> float:
        """Seconds that were simulated before."""

    @property
    def duration(self) -> float:
        """Seconds."""


class GradientsLike(Protocol):
    """What `biosnn.gradient` returns."""

    @property
    def states(self) -> Mapping[str, np.ndarray]:
        """State name to gradients (trial, step, neuron)."""

    @property
    def per_step(self) -> Mapping[str, np.ndarray]:
        """Projection name to norms (step,)."""


class HistoryLike(Protocol):
    """What `biosnn.train` returns; arrays (epoch,)."""

    @property
    def loss(self) -> np.ndarray:
        """Training loss."""

    @property
    def score(self) -> np.ndarray:
        """Training score."""

    @property
    def validation_loss(self) -> np.ndarray:
        """Validation loss, NaN without validation."""

    @property
    def validation_score(self) -> np.ndarray:
        """Validation score, NaN without validation."""

    @property
    def score_name(self) -> str:
        """What the score is, such as "accuracy"."""

    @property
    def regularizer(self) -> np.ndarray:
        """Mean of the regularizing terms."""


class InitializerReportLike(Protocol):
    """What `biosnn.fluctuation_driven` returns."""

    @property
    def populations(self) -> Sequence:
        """Target, predicted and measured values of each population."""

    @property
    def weights(self) -> Mapping[str, tuple]:
        """Projection name to (family, mean, standard deviation)."""

    @property
    def converged(self) -> bool:
        """Whether the targets were met."""


class ComparisonLike(Protocol):
    """What `biosnn.brian.compare` returns."""

    @property
    def rasters(self) -> Mapping[str, tuple]:
        """Population name to the SpikeTrains of both programs."""

    @property
    def traces(self) -> Mapping[str, tuple]:
        """State name to the arrays (step, neuron) of both programs."""

    @property
    def divergence(self) -> Any:
        """The first spike that only one program has, or None."""

    @property
    def trial(self) -> int:
        """The trial of the traces."""

    @property
    def dt(self) -> float:
        """Time step in seconds."""


def looks_like(value: object, protocol: type) -> bool:
    """Whether an object (not a class) has all attributes of a protocol."""
    names = [name for name in vars(protocol) if not name.startswith("_")]
    return not isinstance(value, type) and all(
        inspect.getattr_static(value, name, _MISSING) is not _MISSING for name in names
    )


def is_run(value: object) -> bool:
    """Whether an object is what `biosnn.run` or `biosnn.simulate` returns."""
    return looks_like(value, TraceLike) or looks_like(value, SimulationLike)


def check(value: Any, name: str, protocol: type, what: str) -> Any:
    """Return the value; ValueError that says it must be `what` unless it fits the protocol."""
    if not looks_like(value, protocol):
        checks.refuse(name, value, what)
    return value
