"""What an initializer did: target, predicted and measured membrane of every population."""

from dataclasses import dataclass, field

import numpy as np
from rich.console import Group
from rich.text import Text

from ..support.tables import Table, number, printed


def _xi(kind):
    """Property (threshold - mu) / sigma of the target, predicted or measured membrane."""

    def xi(row):
        distance, sigma = row.threshold - getattr(row, f"mu_{kind}"), getattr(row, f"sigma_{kind}")
        return (
            float(distance / sigma)
            if sigma
            else np.copysign(np.inf, distance)
            if distance
            else np.nan
        )

    return property(xi)


@dataclass
class PopulationReport:
    """Target, predicted (theory with the final weights and rates) and measured values of one population.

    mu, sigma   mean and standard deviation over time of the free membrane;  xi = (threshold - mu) / sigma
    rate        hertz;  assumed: that of the equations;  predicted: theory at the target;  measured: in a run
    cv          coefficient of variation of the interspike intervals
    ei_ratio    mean excitatory over mean inhibitory part of the membrane
    spread      standard deviation over neurons of their mean membrane, which random weights cause
    NaN where nothing was measured.
    """

    name: str
    threshold: float
    alpha: float
    mu_target: float
    sigma_target: float
    mu_predicted: float = np.nan
    sigma_predicted: float = np.nan
    mu_measured: float = np.nan
    sigma_measured: float = np.nan
    rate_assumed: float = np.nan
    rate_predicted: float = np.nan
    rate_measured: float = np.nan
    cv_measured: float = np.nan
    ei_ratio: float = np.nan
    spread_predicted: float = np.nan
    spread_measured: float = np.nan

    xi_target, xi_predicted, xi_measured = _xi("target"), _xi("predicted"), _xi("measured")


@dataclass
class InitializerReport:
    """What the initializer did. `print` it for a table; `as_dict` for JSON.

    weights      projection -> (family, mean, standard deviation); family None: normal
    input_rates  input -> Hz
    """

    populations: list
    weights: dict
    input_rates: dict
    converged: bool = True
    iterations: int = 0
    closed_loop: bool = False
    notes: list = field(default_factory=list)

    def as_dict(self):
        """Numbers by population, for JSON (None where nothing was measured)."""

        def plain(value):
            return None if isinstance(value, float) and not np.isfinite(value) else value

        rows = [
            {key: plain(value) for key, value in vars(p).items()}
            | {
                f"xi_{kind}": plain(getattr(p, f"xi_{kind}"))
                for kind in ("target", "predicted", "measured")
            }
            for p in self.populations
        ]
        weights = {
            name: {"family": repr(family), "mean": mean, "standard_deviation": deviation}
            for name, (family, mean, deviation) in self.weights.items()
        }
        return {
            "populations": rows,
            "weights": weights,
            "input_rates_hz": self.input_rates,
            "converged": self.converged,
            "iterations": self.iterations,
            "closed_loop": self.closed_loop,
            "notes": self.notes,
        }

    def _table(self):
        rows = []
        for p in self.populations:
            lines = [
                (
                    "target",
                    p.mu_target,
                    p.sigma_target,
                    p.xi_target,
                    p.rate_assumed,
                    None,
                    None,
                    None,
                ),
                (
                    "predicted",
                    p.mu_predicted,
                    p.sigma_predicted,
                    p.xi_predicted,
                    p.rate_predicted,
                    None,
                    None,
                    p.spread_predicted,
                ),
                (
                    "measured",
                    p.mu_measured,
                    p.sigma_measured,
                    p.xi_measured,
                    p.rate_measured,
                    p.cv_measured,
                    p.ei_ratio,
                    p.spread_measured,
                ),
            ]
            rows += [
                ["" if k else p.name, kind, *map(number, values)]
                for k, (kind, *values) in enumerate(lines if self.closed_loop else lines[:2])
            ]
        return Table(
            "Fluctuation-driven start (free membrane U; spread: sd of mean U over neurons)",
            ("name", "", "mean U", "sd U", "xi", "rate (Hz)", "CV", "E/I", "spread"),
            rows,
            keys=2,
        )

    def __rich__(self):
        return Group(self._table(), *map(Text, self.notes))

    def __str__(self):
        return printed(self._table(), *self.notes)
