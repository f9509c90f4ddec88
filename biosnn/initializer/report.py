"""What an initializer did: target, predicted and measured membrane of every population."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Group
from rich.text import Text

from ..support.show import About, Shows
from ..support.tables import Table, number, printed
from ..theory.moments import Moments
from ..theory.rows import Rows

#: Family (None: normal), mean and standard deviation of the weights of a projection.
Weights = tuple[Any, float, float]


@dataclass(repr=False)
class PopulationReport(Shows):
    """One population in an `InitializerReport`.

    Parameters
    ----------
    name
        Its name.
    threshold
        Its threshold, in the unit of U.
    alpha
        Feed-forward share of the (excitatory) variance; NaN in a circuit with a background.
    target
        The membrane that was asked for, and the rate that the equations assumed.
    predicted
        Theory with the final weights, for independent inputs at the assumed rates.
    measured
        What the closed loop measured last.

    Examples
    --------
    `bs.fluctuation_driven` returns one for each population.
    """

    name: str
    threshold: float
    alpha: float
    target: Moments
    predicted: Moments = field(default_factory=Moments)
    measured: Moments = field(default_factory=Moments)

    @property
    def ei_ratio(self) -> float:
        """Excitatory over inhibitory part of the mean membrane: measured, or else of theory.

        In circuits with a background and with conductances it is always that of theory.
        """
        measured = self.measured.ei_ratio
        return self.predicted.ei_ratio if np.isnan(measured) else measured

    @property
    def _kinds(self):
        return {"target": self.target, "predicted": self.predicted, "measured": self.measured}

    def _about(self):
        rows = [("threshold", number(self.threshold))]
        rows += [(kind, m.line()) for kind, m in self._kinds.items() if m.known]
        return About(f"PopulationReport {self.name}", rows)

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers for JSON, without those that are not known."""
        return {
            "name": self.name,
            "threshold": self.threshold,
            "alpha": _plain(self.alpha),
            "ei_ratio": _plain(self.ei_ratio),
        } | {
            kind: moments.as_dict() | {"xi": _plain(moments.xi(self.threshold))}
            for kind, moments in self._kinds.items()
        }


def _plain(value):
    """A number for JSON, None where it is not finite."""
    return float(value) if np.isfinite(value) else None


@dataclass(repr=False)
class InitializerReport(Rows, Shows):
    """What the initializer did. `print` it for a table; `as_dict` is for JSON.

    `report["E"]` is the PopulationReport of population E.

    Parameters
    ----------
    populations
        A PopulationReport for each spiking population.
    weights
        Projection to (family, mean, standard deviation) of its weights; family None: normal.
    input_rates
        Input to hertz.
    converged
        Whether rates and weights are consistent, and the closed loop met its targets.
    iterations
        Number of iterations of the closed loop, or of theory without one.
    closed_loop
        Whether the membrane was measured and the weights were corrected.
    notes
        What else to know, in sentences.

    Examples
    --------
    `bs.fluctuation_driven` returns one.
    """

    populations: list[PopulationReport]
    weights: dict[str, Weights]
    input_rates: dict[str, float]
    converged: bool = True
    iterations: int = 0
    closed_loop: bool = False
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return all numbers for JSON: None, or no entry, where nothing is known."""
        weights = {
            name: {"family": repr(family), "mean": mean, "standard_deviation": deviation}
            for name, (family, mean, deviation) in self.weights.items()
        }
        return {
            "populations": [row.as_dict() for row in self.populations],
            "weights": weights,
            "input_rates_hz": self.input_rates,
            "converged": self.converged,
            "iterations": self.iterations,
            "closed_loop": self.closed_loop,
            "notes": self.notes,
        }

    def _table(self):
        return Table(
            "Fluctuation-driven start (free membrane U; spread: sd of mean U over neurons)",
            ("name", "", "mean U", "sd U", "xi", "rate (Hz)", "CV", "E/I", "spread"),
            [line for row in self.populations for line in self._lines(row)],
            keys=2,
        )

    def _lines(self, row):
        """Lines of a population in the table."""
        lines = [
            [row.name, "target", *_cells(row, row.target)],
            ["", "predicted", *_cells(row, row.predicted, spread=row.predicted.spread)],
        ]
        if self.closed_loop:
            m = row.measured
            cells = _cells(row, m, cv=m.cv, ei_ratio=row.ei_ratio, spread=m.spread)
            lines.append(["", "measured", *cells])
        return lines

    def _about(self):
        rows = [("converged", "yes" if self.converged else "no")]
        if self.closed_loop:
            rows.append(("measurements", f"{self.iterations}"))
        rows += [("note", note) for note in self.notes]
        return About("InitializerReport", rows, self._table())

    def __rich__(self) -> Group:
        return Group(self._table(), *map(Text, self.notes))

    def __str__(self) -> str:
        return printed(self._table(), *self.notes)


def _cells(row, m, cv=np.nan, ei_ratio=np.nan, spread=np.nan):
    """The cells of a line of the table."""
    values = (m.mu, m.sigma, m.xi(row.threshold), m.rate, cv, ei_ratio, spread)
    return [number(value) for value in values]
