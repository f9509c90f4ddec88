"""The fluctuation-driven initializer: targets, families of weights, and the report of what was predicted and measured.

python -m models.examples.initializer
"""

import numpy as np

import biosnn as bs


def start(spikes, **options):
    """The weights from E to E, and the report, of a Dalian network."""
    net = bs.Network(dt=2e-3)
    E, I = bs.dalian_layer(net, net.input(100), 100, 25)
    net.connect(E, net.readout(2))
    report = bs.fluctuation_driven(net, spikes, seed=1, progress=False, **options)
    return net.weights["E->E"].ravel(), report


def main():
    spikes, result = bs.data.poisson(15.0, n_units=100, duration=0.5, n_trials=32, seed=1), {}
    for family in (
        bs.families.Exponential(),
        bs.families.HalfNormal(),
        bs.families.Uniform(),
        bs.families.Constant(),
    ):
        weights, report = start(spikes, sigma_u=1.0, alpha=0.9, family=family)
        kappa = float(np.mean(weights**2, dtype=float) / np.mean(weights, dtype=float) ** 2)
        E = report.populations[0]
        result[type(family).__name__] = (kappa, family.kappa, E.measured.mu, E.measured.sigma)
        print(
            f"{family}: E[w²] / E[w]² of E to E is {kappa:.2f} (family: {family.kappa:.2f}); free membrane of E: {E.measured.mu:+.3f} ± "
            f"{E.measured.sigma:.3f}"
        )
    rates = {}
    for sigma_u in (1.0, 1.5):
        _, report = start(spikes, sigma_u=sigma_u)
        rates[sigma_u] = report.populations[0].measured.rate
        print(f"sigma_U = {sigma_u}: E fires at {rates[sigma_u]:.2f} Hz")
    print(report)
    try:
        start(spikes, sigma_u=1.0, mu_u=-5.0, assumed_rates=20.0, closed_loop=False)
        error = ""
    except ValueError as reason:
        error = str(reason)
    print(f"A target that no weights can meet: {error}")
    return {"families": result, "rates": rates, "report": report, "error": error}


if __name__ == "__main__":
    main()
