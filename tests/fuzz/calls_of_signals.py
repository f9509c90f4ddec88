"""Calls of signals of populations and of experiments (registry.py)."""

import numpy as np

import biosnn as bs

from .objects import STEP, shown

signals = bs.signals
FIGURE = {"ax": None, "width": 9.0}


def numbers(channels=2, trials=2, seed=0):
    """(trial, step, channel) of numbers above 0."""
    return np.random.default_rng(seed).random((trials, 200, channels)) + 0.1


def two_currents():
    return {"excitatory": numbers(), "inhibitory": numbers(seed=1), "dt": STEP}


def a_spectrum():
    return signals.power_spectrum(numbers(), STEP)


def a_kernel():
    return signals.GaussianKernel(1e-6, 5e-3, 2e-3)


def an_alpha():
    return signals.AlphaKernel(1e-6, 5e-3, 2e-3)


def a_curve():
    return bs.experiments.gain_curve(
        bs.lif(), [1.5, 2.0], cells=1, duration=0.05, settle=0.01, dt=STEP, progress=False
    )


def an_effect(c):
    return bs.experiments.paradoxical_effect(
        c.circuit, 0.1, background=c.background, duration=0.05, settle=0.01, progress=False
    )


def a_run(c):
    record = {"E.U": "mean", "E.I_exc": None, "E.I_inh": None}
    return bs.simulate(c.circuit, 0.02, record=record, progress=False)


def plotted(make, **more):
    """The call of the figure of a result, which `make` makes of Objects."""
    return lambda c: (make(c).plot, FIGURE | more, shown)


SIGNALS = {
    "Means": lambda c: (
        bs.Means,
        {"groups": {"a": [0, 1], "b": None}},
        lambda c, means: bs.run(c.net, c.spikes, record={"E.U": means}).states,
    ),
    "signals.Signal": lambda c: (
        signals.Signal,
        {"values": numbers(), "dt": STEP, "start": 0.1},
        lambda c, signal: (repr(signal), signal.times, signal.mean().values),
    ),
    "signals.Signal.mean": lambda c: (signals.Signal(numbers(), STEP).mean, {}),
    "signals.Signal.plot": plotted(lambda c: signals.Signal(numbers(), STEP), trial=1),
    "signals.recorded": lambda c: (signals.recorded, {"run": a_run(c), "name": "E.U"}),
    "signals.population_rate": lambda c: (
        signals.population_rate,
        {"spikes": c.spikes, "dt": 2e-3},
    ),
    "signals.synaptic_currents": lambda c: (
        signals.synaptic_currents,
        {"run": a_run(c), "population": "E"},
    ),
    # spectra
    "signals.power_spectrum": lambda c: (
        signals.power_spectrum,
        {"signal": numbers(), "dt": STEP, "segment": 0.1},
        lambda c, found: repr(found),
    ),
    "signals.Spectrum.in_band": lambda c: (a_spectrum().in_band, {"low": 10.0, "high": 50.0}),
    "signals.Spectrum.peak": lambda c: (a_spectrum().peak, {"low": 10.0, "high": 50.0}),
    "signals.Spectrum.plot": plotted(lambda c: a_spectrum()),
    "signals.spectrogram": lambda c: (
        signals.spectrogram,
        {"signal": numbers(), "dt": STEP, "segment": 0.1, "every": 0.05},
        lambda c, found: repr(found),
    ),
    "signals.Spectrogram.plot": plotted(
        lambda c: signals.spectrogram(numbers(), STEP, segment=0.1), highest=100.0
    ),
    "signals.coherence": lambda c: (
        signals.coherence,
        {"first": numbers(), "second": numbers(seed=1), "dt": STEP, "segment": 0.05},
        lambda c, found: repr(found),
    ),
    "signals.Coherence.significance": lambda c: (
        signals.coherence(numbers(), numbers(seed=1), STEP).significance,
        {"level": 0.9},
    ),
    "signals.Coherence.plot": plotted(
        lambda c: signals.coherence(numbers(), numbers(seed=1), STEP)
    ),
    # fields
    "signals.local_field_potential": lambda c: (
        signals.local_field_potential,
        two_currents()
        | {
            "alpha": 1.65,
            "excitatory_delay": 6e-3,
            "inhibitory_delay": 1e-3,
            "normalised": True,
        },
    ),
    "signals.kernel_field_potential": lambda c: (
        signals.kernel_field_potential,
        {"spikes": {"E": c.spikes}, "kernels": {"E": a_kernel()}, "dt": STEP},
    ),
    "signals.GaussianKernel": lambda c: (
        signals.GaussianKernel,
        {"amplitude": [1e-6] * 4, "delay": [1e-3] * 4, "sd": 2e-3},
        lambda c, kernel: signals.kernel_field_potential({"E": c.spikes}, {"E": kernel}, STEP),
    ),
    "signals.AlphaKernel": lambda c: (
        signals.AlphaKernel,
        {"amplitude": [1e-6] * 4, "delay": [1e-3] * 4, "tau": 2e-3},
        lambda c, kernel: signals.kernel_field_potential({"E": c.spikes}, {"E": kernel}, STEP),
    ),
    **{
        f"signals.{kind}.{name}": (
            lambda make, name, given: lambda c: (getattr(make(), name), dict(given))
        )(make, name, given)
        for kind, make in (("GaussianKernel", a_kernel), ("AlphaKernel", an_alpha))
        for name, given in (("shape", {"times": [0.0, 1e-3]}), ("transfer", {"frequencies": [1.0]}))
    },
    "signals.unitary_field_potential": lambda c: (
        signals.unitary_field_potential,
        {"sign": "excitatory", "distance": [1e-4, 2e-4], "layer": "soma"},
    ),
    # time, space, balance
    "signals.intrinsic_timescale": lambda c: (
        signals.intrinsic_timescale,
        {"signal": numbers(trials=4), "dt": STEP, "reach": 20e-3, "across": "trials"},
        lambda c, found: repr(found),
    ),
    "signals.Timescale.plot": plotted(lambda c: signals.intrinsic_timescale(numbers(), STEP)),
    "signals.dimensionality": lambda c: (
        signals.dimensionality,
        {"signal": numbers(), "dt": STEP},
    ),
    "signals.balance_over_time": lambda c: (
        signals.balance_over_time,
        two_currents() | {"window": 20e-3},
        lambda c, found: repr(found),
    ),
    "signals.BalanceOverTime.plot": plotted(
        lambda c: signals.balance_over_time(**two_currents(), window=20e-3)
    ),
    "signals.detailed_balance": lambda c: (
        signals.detailed_balance,
        two_currents(),
        lambda c, found: repr(found),
    ),
    "signals.DetailedBalance.plot": plotted(lambda c: signals.detailed_balance(**two_currents())),
    "signals.inhibition_lag": lambda c: (
        signals.inhibition_lag,
        two_currents() | {"reach": 10e-3},
        lambda c, found: repr(found),
    ),
    "signals.InhibitionLag.plot": plotted(lambda c: signals.inhibition_lag(**two_currents())),
    # experiments
    "experiments.gain_curve": lambda c: (
        bs.experiments.gain_curve,
        {
            "network": c.circuit,
            "values": [0.0, 0.5],
            "population": "I",
            "source": None,
            "background": c.background,
            "duration": 0.05,
            "settle": 0.01,
            "initial": {"E.U": 0.1},
            "seed": 1,
            "threads": 1,
            "progress": False,
        },
        lambda c, curve: repr(curve),
    ),
    "experiments.GainCurve.gain": lambda c: (a_curve().gain, {"population": "cells"}),
    "experiments.GainCurve.plot": plotted(lambda c: a_curve()),
    "experiments.paradoxical_effect": lambda c: (
        bs.experiments.paradoxical_effect,
        {
            "network": c.circuit,
            "extra": 0.2,
            "excitatory": "E",
            "inhibitory": "I",
            "background": c.background,
            "duration": 0.05,
            "settle": 0.01,
            "initial": {"E.U": 0.1},
            "rate_bin": 5e-3,
            "seed": 1,
            "threads": 1,
            "progress": False,
        },
        lambda c, effect: repr(effect),
    ),
    "experiments.ParadoxicalEffect.score": lambda c: (an_effect(c).score, {"population": "E"}),
    "experiments.ParadoxicalEffect.plot": plotted(an_effect),
}

#: Results, which nobody makes by hand.
MADE = {
    f"signals.{name}": "made by a function of bs.signals"
    for name in (
        "BalanceOverTime",
        "Coherence",
        "DetailedBalance",
        "InhibitionLag",
        "Spectrogram",
        "Spectrum",
        "Timescale",
    )
} | {
    "experiments.GainCurve": "made by gain_curve",
    "experiments.ParadoxicalEffect": "made by paradoxical_effect",
}
