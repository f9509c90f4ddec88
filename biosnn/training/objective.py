"""What a training minimizes: a sum of losses, and regularizers of spike counts and weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network
from ..support.checks import shown
from .loss_terms import LossTerm, make_terms, score_name
from .protocols import checked_shape
from .regularize import checked_regularizers


@dataclass(frozen=True, eq=False)
class Objective:
    """Losses and regularizers, checked.

    Parameters
    ----------
    loss
        As it was given; `terms` are made of it.
    """

    loss: Any
    terms: tuple[LossTerm, ...]
    regularizers: tuple[Any, ...] = ()

    @property
    def seen(self) -> list[str]:
        """Names of the states that the losses look at, such as "readout.U"."""
        return [f"{term.name}.U" for term in self.terms if not term.spikes]

    @property
    def score_name(self) -> str:
        """What the score of a trial is."""
        return score_name(self.terms)

    def by_readout(self, values: Sequence[Any]) -> Any:
        """Return one value for each term as a dict by readout, or as it is for a single loss."""
        if isinstance(self.loss, dict):
            return {term.name: value for term, value in zip(self.terms, values)}
        return values[0]

    def check_not_empty(self) -> None:
        """Raise ValueError if there is nothing to minimize."""
        if not self.terms and not self.regularizers:
            raise ValueError(
                f"loss is {shown(self.loss)} and there are no regularizers, so there is nothing "
                "to minimize."
            )

    def count_terms(
        self, packed: Any, counts: NDArray[Any], share: float
    ) -> tuple[float, NDArray[Any]]:
        """Return the regularizers of a part of a batch, and their derivatives for each count.

        Parameters
        ----------
        counts
            (trial, spiking neuron).
        share
            Share of the trials of the batch that are in this part.
        """
        total, gradient = 0.0, np.zeros_like(counts)
        for term in self.regularizers:
            for population in packed.network.spiking:
                if term.looks_at == "counts" and term.applies_to(population.name):
                    columns = packed.neurons(population.name)
                    seen = counts[:, columns]
                    value, slope = term.value_and_gradient(seen)
                    checked_shape(term, "value_and_gradient", slope, seen.shape)
                    total += share * value
                    gradient[:, columns] += share * slope
        return total, gradient

    def weight_terms(self, packed: Any, gradient: NDArray[Any]) -> float:
        """Return the regularizers of weights, whose derivatives are added to `gradient`.

        Projections that are frozen do not count.
        """
        total = 0.0
        for term in self.regularizers:
            for name in packed.wires.places:
                if term.looks_at != "weights" or not term.applies_to(name):
                    continue
                if not packed.network.projection(name).frozen:
                    weights = packed.weight_matrix(name)
                    value, slope = term.value_and_gradient(weights)
                    checked_shape(term, "value_and_gradient", slope, weights.shape)
                    total += value
                    packed.weight_matrix(name, gradient)[...] += slope
        return total


def make_objective(
    network: Network, loss: Any, readout: str | None, regularizers: Any = ()
) -> Objective:
    """Return what `train` was asked to minimize.

    Raises
    ------
    ValueError
        If a part is not what it should be.
    """
    terms = make_terms(network, loss, readout)
    return Objective(loss, terms, checked_regularizers(regularizers, network))
