"""
The fluctuation-driven initializer
==================================

Targets, families of weights, and the report of what was predicted and measured::

    python -m models.examples.initializer
"""

from typing import Any

import numpy as np

import biosnn as bs

FAMILIES = (
    bs.families.Exponential(),
    bs.families.HalfNormal(),
    bs.families.Uniform(),
    bs.families.Constant(),
)


def start(spikes: bs.SpikeTrains, **options: Any) -> tuple[np.ndarray, Any]:
    """The weights from E to E, and the report, of a Dalian network."""
    net = bs.Network(dt=2e-3)
    E, _ = bs.dalian_layer(net, net.input(100), 100, 25)
    net.connect(E, net.readout(2))
    report = bs.fluctuation_driven(net, spikes, seed=1, progress=False, **options)
    return net.weights["E->E"].ravel(), report


def what_cannot_be(spikes: bs.SpikeTrains) -> str:
    """The message about a target that no weights can meet."""
    try:
        start(spikes, sigma_u=1.0, mu_u=-5.0, assumed_rates=20.0, closed_loop=False)
    except ValueError as reason:
        return str(reason)
    return ""


def main() -> dict[str, Any]:
    """Start networks with different families of weights and different targets."""
    spikes = bs.data.poisson(15.0, n_units=100, duration=0.5, n_trials=32, seed=1)
    families = {}
    for family in FAMILIES:
        weights, report = start(spikes, sigma_u=1.0, alpha=0.9, family=family)
        kappa = float(np.mean(weights**2, dtype=float) / np.mean(weights, dtype=float) ** 2)
        E = report.populations[0]
        families[type(family).__name__] = (kappa, family.kappa, E.measured.mu, E.measured.sigma)
        print(f"{family}: E[w²] / E[w]² of E to E is {kappa:.2f} (family: {family.kappa:.2f})")
        print(f"    free membrane of E: {E.measured.mu:+.3f} ± {E.measured.sigma:.3f}")
    rates = {}
    for sigma_u in (1.0, 1.5):
        _, report = start(spikes, sigma_u=sigma_u)
        rates[sigma_u] = report.populations[0].measured.rate
        print(f"sigma_U = {sigma_u}: E fires at {rates[sigma_u]:.2f} Hz")
    print(report)
    error = what_cannot_be(spikes)
    print(f"A target that no weights can meet: {error}")
    return {"families": families, "rates": rates, "report": report, "error": error}


if __name__ == "__main__":
    main()
