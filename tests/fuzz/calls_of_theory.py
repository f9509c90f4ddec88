"""Calls of the theory of a membrane and of a circuit (registry.py)."""

import biosnn as bs

from .objects import STEP

theory = bs.theory


def an_input(**changes):
    given = {"receptor": "exc", "n": 100, "mean": 0.01, "square": 2e-4, "rate": 10.0}
    return theory.Input(**(given | changes))


def a_cell(**changes):
    inputs = (an_input(), an_input(receptor="inh", pre="I", rate=0.0))
    return theory.Cell(**({"name": "I", "neuron": bs.ei_lif(), "inputs": inputs} | changes))


def some_moments():
    return theory.Moments(mu=0.6, sigma=0.2, tau=0.02, white=0.3, tau_syn=0.005)


THEORY = {
    "theory.Input": lambda c: (
        theory.Input,
        {
            "receptor": "exc",
            "n": 100,
            "mean": 0.01,
            "square": 2e-4,
            "pre": "I",
            "rate": 10.0,
            "plasticity": bs.TsodyksMarkram(),
        },
        lambda c, each: theory.membrane(a_cell(inputs=(each,)), {"I": 5.0}),
    ),
    "theory.Cell": lambda c: (
        theory.Cell,
        {
            "name": "I",
            "neuron": bs.ei_lif(),
            "inputs": (an_input(),),
            "current": 0.1,
            "noise": ((0.1, 5e-3),),
        },
        lambda c, cell: theory.membrane(cell, {}),
    ),
    "theory.Moments": lambda c: (
        theory.Moments,
        {
            "mu": 0.6,
            "sigma": 0.2,
            "rate": 5.0,
            "cv": 0.9,
            "synchrony": 0.1,
            "errors": theory.Moments(mu=0.1),
        },
        lambda c, m: (repr(m), m.as_dict(), m.line()),
    ),
    "theory.Moments.xi": lambda c: (some_moments().xi, {"threshold": 1.0}),
    "theory.membrane": lambda c: (theory.membrane, {"cell": a_cell(), "rates": {"I": 5.0}}),
    "theory.fixed_point": lambda c: (
        theory.fixed_point,
        {"cells": [a_cell()], "given": {"x": 5.0}, "dt": None},
    ),
    "theory.fixed_point of a source": lambda c: (
        theory.fixed_point,
        {"cells": [a_cell(inputs=(an_input(pre="x", rate=0.0),))], "given": {"x": 5.0}},
        lambda c, point: repr(point),
    ),
    "theory.efficacy": lambda c: (
        theory.efficacy,
        {"plasticity": bs.TsodyksMarkram(), "rate": 5.0},
    ),
    "theory.siegert_rate": lambda c: (
        theory.siegert_rate,
        {
            "mu": 0.6,
            "sigma": 0.2,
            "tau_mem": 0.02,
            "threshold": 1.0,
            "reset": 0.0,
            "refractory": 2e-3,
        },
    ),
    "theory.stationary_rate": lambda c: (
        theory.stationary_rate,
        {
            "mu": 0.6,
            "sigma": 0.3,
            "tau_mem": 0.02,
            "tau_current": 0.005,
            "dt": STEP,
            "threshold": 1.0,
            "reset": 0.0,
            "refractory_steps": 2,
        },
    ),
    "theory.interval_cv": lambda c: (
        theory.interval_cv,
        {"neuron": bs.ei_lif(), "m": some_moments()},
    ),
    "theory.psp": lambda c: (
        theory.psp,
        {
            "neuron": bs.ei_lif(),
            "dt": STEP,
            "receptor": "exc",
            "n_steps": 5,
            "time_constants": {"mem": 0.02, "exc": 0.005, "inh": 0.01},
        },
    ),
    "theory.psp_integrals": lambda c: (
        theory.psp_integrals,
        {"neuron": bs.ei_lif(), "dt": STEP, "receptor": "exc", "duration": 0.05},
    ),
    "theory.continuous_psp_integrals": lambda c: (
        theory.continuous_psp_integrals,
        {"neuron": bs.ei_lif(), "receptor": "exc"},
    ),
    "theory.step_matrix": lambda c: (
        theory.step_matrix,
        {
            "neuron": bs.ei_lif(),
            "dt": STEP,
            "time_constants": {"mem": 0.02, "exc": 0.005, "inh": [0.01, 0.02]},
        },
    ),
}
