"""Calls that describe neurons, weights and background (registry.py)."""

from dataclasses import replace

import numpy as np

import biosnn as bs

from .objects import (
    STEP,
    as_background,
    drawn,
    in_network,
    initializes,
    plastic,
    scipy_normal,
    simulated,
)

NEURONS = {
    # neurons, surrogates, noise
    "lif": lambda c: (
        bs.lif,
        {
            "tau_mem": 0.02,
            "tau_syn": 0.01,
            "threshold": 1.0,
            "reset": 0.0,
            "refractory": 2e-3,
            "integrator": "exact",
        },
        in_network(neuron=1),
    ),
    "ei_lif": lambda c: (
        bs.ei_lif,
        {
            "tau_mem": 0.02,
            "tau_exc": 0.01,
            "tau_inh": 0.02,
            "threshold": 1.0,
            "reset": 0.0,
            "refractory": 0.0,
            "integrator": "exact",
        },
        in_network(neuron=1),
    ),
    "lif_delta": lambda c: (
        bs.lif_delta,
        {"tau_mem": 0.02, "threshold": 1.0, "reset": 0.0, "refractory": 0.0, "integrator": "exact"},
        in_network(neuron=1),
    ),
    "adaptive_lif": lambda c: (
        bs.adaptive_lif,
        {
            "tau_mem": 0.02,
            "tau_syn": 0.01,
            "tau_adapt": 0.1,
            "jump": 0.1,
            "threshold": 1.0,
            "reset": 0.0,
            "refractory": 0.0,
            "integrator": "exact",
            "jump_delay": 0.0,
        },
        in_network(neuron=1),
    ),
    "ei_adaptive_lif": lambda c: (
        bs.ei_adaptive_lif,
        {
            "tau_mem": 0.02,
            "tau_exc": 0.01,
            "tau_inh": 0.02,
            "tau_adapt": 0.1,
            "jump": 0.1,
            "threshold": 1.0,
            "reset": 0.0,
            "refractory": 0.0,
            "jump_delay": 2e-3,
        },
        in_network(neuron=1),
    ),
    "ampa_nmda_gaba": lambda c: (
        bs.ampa_nmda_gaba,
        {
            "tau_mem": 0.02,
            "tau_ampa": 0.005,
            "tau_nmda": 0.1,
            "tau_gaba": 0.01,
            "threshold": 1.0,
            "reset": 0.0,
            "refractory": 0.0,
        },
        in_network(neuron=1),
    ),
    "conductance_lif": lambda c: (
        bs.conductance_lif,
        {
            "tau_mem": 0.02,
            "tau_exc": 0.005,
            "tau_inh": 0.01,
            "reversal_exc": 0.06,
            "reversal_inh": -0.02,
            "threshold": 0.01,
            "reset": 0.0,
            "refractory": 0.005,
        },
        in_network(neuron=1),
    ),
    "alpha_conductance_lif": lambda c: (
        bs.alpha_conductance_lif,
        {
            "tau_mem": 0.02,
            "tau_exc": 0.005,
            "reversal_exc": 0.06,
            "threshold": 0.01,
            "refractory": 0.005,
        },
        in_network(neuron=1),
    ),
    "nmda_lif": lambda c: (
        bs.nmda_lif,
        {
            "tau_nmda": 0.1,
            "reversal_exc": 0.07,
            "reversal_inh": 0.0,
            "threshold": 0.02,
            "reset": 0.015,
            "refractory": 0.002,
            "magnesium": 1.0,
            "rest": -0.07,
            "unit": 1.0,
        },
        in_network(neuron=1),
    ),
    "exponential_lif": lambda c: (
        bs.exponential_lif,
        {
            "tau_mem": 0.01,
            "slope": 0.0035,
            "onset": 0.005,
            "peak": 0.035,
            "reset": -0.003,
            "refractory": 0.002,
        },
        simulated,
    ),
    "adex": lambda c: (
        bs.adex,
        {
            "tau_mem": 0.01,
            "tau_adapt": 0.144,
            "a": 0.13,
            "b": 0.003,
            "slope": 0.002,
            "onset": 0.02,
            "peak": 0.09,
            "reset": 0.0,
        },
        simulated,
    ),
    "izhikevich": lambda c: (
        bs.izhikevich,
        {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0, "tau_exc": 0.005, "peak": 30.0},
        simulated,
    ),
    "leaky_readout": lambda c: (
        bs.leaky_readout,
        {"tau_mem": 0.1, "tau_syn": 0.01, "integrator": "exact"},
    ),
    "Neuron": lambda c: (
        bs.Neuron,
        {
            "model": "mine",
            "states": {"U": "mem", "g": "syn", "w": "adapt"},
            "gains": {("U", "w"): -1.0},
            "receptors": {"syn": bs.Receptor("g", 1.0, 0)},
            "time_constants": {"mem": 0.02, "syn": 0.005, "adapt": 0.1},
            "threshold": 1.0,
            "reset": 0.0,
            "refractory": 2e-3,
            "integrator": "exponential_euler",
            "reversal": {"g": 3.0},
            "magnesium": {"g": (0.5, 2.0)},
            "spike_jumps": {"w": 0.1},
            "nonlinear_drive": None,
            "jump_delay": 1e-3,
            "low": -1.0,
            "high": 2.0,
        },
        in_network(neuron=1),
    ),
    "Receptor": lambda c: (
        bs.Receptor,
        {"state": "I", "jump": 1.0, "sign": 1},
        lambda c, receptor: in_network(neuron=1)(c, replace(bs.lif(), receptors={"syn": receptor})),
    ),
    "bounded": lambda c: (
        bs.bounded,
        {"neuron": bs.lif(), "low": -1.0, "high": 2.0},
        in_network(neuron=1),
    ),
    "log_normal_time_constants": lambda c: (
        bs.log_normal_time_constants,
        {"mean": 0.02, "sigma": 0.3, "n": 3, "seed": 0},
    ),
    **{
        name: (
            lambda kind: (
                lambda c: (
                    kind,
                    {"steepness": 20.0},
                    lambda c, s: (s.derivative([0.0, 0.1]), s.twin(0.1), s.support),
                )
            )
        )(getattr(bs, name))
        for name in (
            "SuperSpike",
            "Sigmoid",
            "Triangular",
            "Gaussian",
            "Arctan",
            "MultiGaussian",
            "AsymptoticSuperSpike",
            "ExponentialSurrogate",
        )
    },
    "TruncatedSuperSpike": lambda c: (
        bs.TruncatedSuperSpike,
        {"steepness": 20.0, "cutoff": 0.2},
        in_network(surrogate=1),
    ),
    "SuperSpike.derivative": lambda c: (bs.SuperSpike().derivative, {"x": [0.0, 0.1]}),
    "Triangular.twin": lambda c: (bs.Triangular().twin, {"x": 0.1}),
    "SigmoidEscape": lambda c: (bs.SigmoidEscape, {"steepness": 20.0}, in_network(noise=1)),
    "SigmoidEscape.probability": lambda c: (bs.SigmoidEscape().probability, {"x": 0.1}),
    "ExponentialEscape": lambda c: (
        bs.ExponentialEscape,
        {"steepness": 20.0, "rate": 100.0},
        in_network(noise=1),
    ),
    "ExponentialEscape.probability": lambda c: (
        bs.ExponentialEscape().probability,
        {"x": 0.1, "dt": STEP},
    ),
    # weights
    **{
        f"families.{name}": (lambda kind: lambda c: (kind, {}, initializes))(
            getattr(bs.families, name)
        )
        for name in ("Exponential", "HalfNormal", "Uniform", "Constant")
    },
    "families.LogNormal": lambda c: (bs.families.LogNormal, {"sigma": 0.5}, initializes),
    "families.Gamma": lambda c: (bs.families.Gamma, {"shape": 2.0}, initializes),
    "Normal": lambda c: (bs.Normal, {"mean": 0.2, "sd": 0.02, "low": 0.0, "high": 1.0}, drawn),
    "Uniform": lambda c: (bs.Uniform, {"low": 0.1, "high": 0.3}, drawn),
    "Exponential": lambda c: (bs.Exponential, {"mean": 0.2}, drawn),
    "LogNormal": lambda c: (bs.LogNormal, {"mean": 0.2, "sigma": 0.5}, drawn),
    "Gamma": lambda c: (bs.Gamma, {"mean": 0.2, "shape": 2.0}, drawn),
    "HalfNormal": lambda c: (bs.HalfNormal, {"mean": 0.2}, drawn),
    "families.Exponential.draw": lambda c: (
        bs.families.Exponential().draw,
        {"rng": np.random.default_rng(0), "size": (2, 3)},
    ),
    "Normal.draw": lambda c: (
        bs.Normal(0.2, 0.1).draw,
        {"rng": np.random.default_rng(0), "size": 3},
    ),
    "families.Exponential.density": lambda c: (
        bs.families.Exponential().density,
        {"w": np.linspace(0, 1, 4), "mean": 0.2},
    ),
    "kaiming": lambda c: (
        bs.kaiming,
        {"network": c.bare, "seed": 0, "sparse": 0.0},
        lambda c, _: c.bare.weights,
    ),
    "xavier": lambda c: (
        bs.xavier,
        {"network": c.bare, "seed": 0, "sparse": 0.0},
        lambda c, _: c.bare.weights,
    ),
    "random_weights": lambda c: (
        bs.random_weights,
        {
            "network": c.bare,
            "distribution": scipy_normal(),
            "seed": 0,
            "sparse": 0.1,
            "scale": True,
        },
        lambda c, _: c.bare.weights,
    ),
    "fluctuation_driven": lambda c: (
        bs.fluctuation_driven,
        {
            "network": c.bare,
            "spikes": c.spikes,
            "mu_u": 0.0,
            "sigma_u": 1.0,
            "alpha": 0.9,
            "family": bs.families.Exponential(),
            "assumed_rates": None,
            "closed_loop": False,
            "balance": "population",
            "shares": {"x->I": 0.5, "E->I": 0.5},
            "merge": True,
            "seed": 0,
            "threads": 1,
            "progress": False,
        },
        lambda c, report: (c.bare.weights, report.as_dict(), str(report)),
    ),
    "fluctuation_driven xi": lambda c: (
        bs.fluctuation_driven,
        {
            "network": c.bare,
            "xi": {"E": 1.0, "I": 1.0},
            "alpha": {"E": 0.9, "I": 0.9},
            "family": {
                "E->I": bs.families.Gamma(2.0),
                **dict.fromkeys(("x->E", "x->I", "I->E", "I->I"), bs.families.Exponential()),
            },
            "assumed_rates": {"x": 20.0},
            "balance": "neuron",
            "spikes": c.spikes,
            "background": [bs.Current("E", 0.01 * np.ones((6, 1)))],
            "closed_loop": False,
            "progress": False,
        },
        lambda c, report: c.bare.weights,
    ),
    "fluctuation_driven background": lambda c: (
        bs.fluctuation_driven,
        {
            "network": c.circuit,
            "background": [bs.PoissonInput(name, 500.0, 0.02) for name in "EI"],
            "mu_u": {"E": 0.0, "I": 0.0},
            "sigma_u": {"E": 0.5, "I": 0.5},
            "target_rate": None,
            "shares": None,
            "closed_loop": False,
            "seed": 0,
            "progress": False,
        },
        lambda c, report: c.circuit.weights,
    ),
    # background
    "PoissonInput": lambda c: (
        bs.PoissonInput,
        {"population": "E", "rate": 500.0, "weight": 0.1, "receptor": "exc"},
        as_background,
    ),
    "PoissonInput changing": lambda c: (
        bs.PoissonInput,
        {"population": "E", "rate": ([0.0, 0.01], [500.0, 100.0]), "weight": 0.1},
        as_background,
    ),
    "Current": lambda c: (bs.Current, {"population": "E", "values": 0.5}, as_background),
    "Current changing": lambda c: (
        bs.Current,
        {"population": "E", "values": ([0.0, 0.01], [0.5, 0.1])},
        as_background,
    ),
    "OrnsteinUhlenbeck": lambda c: (
        bs.OrnsteinUhlenbeck,
        {"population": "E", "mean": 0.5, "sd": 0.2, "tau": 5e-3},
        as_background,
    ),
    "InhibitorySTDP": lambda c: (
        bs.InhibitorySTDP,
        {"eta": 0.1, "target_rate": 5.0, "tau": 0.02, "w_max": 2.0},
        plastic("I", "E"),
    ),
    "TsodyksMarkram": lambda c: (
        bs.TsodyksMarkram,
        {"utilization": 0.5, "tau_rec": 0.8, "tau_facil": 0.1},
        plastic("E", "I"),
    ),
    "SaturatingGating": lambda c: (
        bs.SaturatingGating,
        {"alpha": 500.0, "tau_rise": 2e-3, "tau_decay": 0.01},
        plastic("E", "I"),
    ),
    "SaturatingGating.steady_state": lambda c: (bs.SaturatingGating().steady_state, {"rate": 5.0}),
    "TsodyksMarkram.steady_state": lambda c: (bs.TsodyksMarkram().steady_state, {"rate": 5.0}),
    "interop.from_torch": lambda c: (bs.interop.from_torch, {"weight": np.ones((2, 3))}),
}
