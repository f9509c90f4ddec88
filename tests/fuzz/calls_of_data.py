"""Calls of losses, data, statistics and figures (registry.py)."""

import numpy as np

import biosnn as bs

from .objects import STEP, TASK, a_readout, evaluates, of_task, recordings, shd, shown

DATA = {
    # losses
    **{
        name: (lambda kind: lambda c: (kind, {"class_weights": [1.0, 2.0]}, evaluates()))(
            getattr(bs, name)
        )
        for name in (
            "EveryStepCrossEntropy",
            "LastStepCrossEntropy",
            "MaxOverTimeCrossEntropy",
            "MeanOverTimeCrossEntropy",
            "SumOverTimeCrossEntropy",
        )
    },
    "FocalLoss": lambda c: (
        bs.FocalLoss,
        {"gamma": 2.0, "over": bs.MaxOverTimeCrossEntropy()},
        evaluates(),
    ),
    "MeanSquaredError": lambda c: (
        bs.MeanSquaredError,
        {},
        evaluates(targets=lambda c: np.ones((6, 20, 2))),
    ),
    "PatternRegression": lambda c: (
        bs.PatternRegression,
        {"patterns": {0: [0.0, 1.0], 1: [1.0, 0.0]}},
        evaluates(),
    ),
    "TimeToFirstSpike": lambda c: (bs.TimeToFirstSpike, {"sharpness": 20.0}, evaluates("E")),
    "VanRossumDistance": lambda c: (
        bs.VanRossumDistance,
        {"tau": 0.01, "dt": STEP},
        evaluates("E", lambda c: c.trace.spikes["E"]),
    ),
    **{
        f"{name}.value_and_gradient": (
            lambda kind, mask, target: (
                lambda c: (
                    kind().value_and_gradient,
                    {"readout": a_readout(c), "target": target(c), "mask": mask},
                )
            )
        )(getattr(bs, name), mask, target)
        for name, mask, target in (
            ("MaxOverTimeCrossEntropy", None, lambda c: np.arange(6) % 2),
            ("EveryStepCrossEntropy", np.ones((6, 20)), lambda c: np.arange(6) % 2),
            ("MeanSquaredError", np.ones((6, 20)), lambda c: np.ones((6, 20, 2))),
            ("TimeToFirstSpike", None, lambda c: np.arange(6) % 2),
        )
    },
    **{
        f"{name}.predict": (
            lambda kind: lambda c: (kind().predict, {"readout": a_readout(c), "mask": None})
        )(getattr(bs, name))
        for name in ("SumOverTimeCrossEntropy", "EveryStepCrossEntropy")
    },
    **{
        f"{name}.score": (
            lambda kind, target: (
                lambda c: (
                    kind().score,
                    {"readout": a_readout(c), "target": target},
                )
            )
        )(getattr(bs, name), target)
        for name, target in (
            ("MeanSquaredError", np.ones((6, 20, 2))),
            ("LastStepCrossEntropy", np.arange(6) % 2),
        )
    },
    "VanRossumDistance.distances": lambda c: (
        bs.VanRossumDistance(0.01, STEP).distances,
        {"spikes": np.ones((6, 20, 3)), "target": np.zeros((6, 20, 3))},
    ),
    "TimeToFirstSpike.latency": lambda c: (
        bs.TimeToFirstSpike().latency,
        {"spikes": np.ones((6, 20, 3))},
    ),
    # data
    "data.poisson": lambda c: (
        bs.data.poisson,
        {
            "rates": 20.0,
            "n_units": 4,
            "duration": 0.02,
            "n_trials": 3,
            "seed": 0,
            "labels": [0, 1, 0],
        },
    ),
    "data.randman": lambda c: (
        bs.data.randman,
        {
            "n_classes": 2,
            "n_units": 3,
            "n_spikes": 1,
            "dimension": 1,
            "smoothness": 2.0,
            "samples_per_class": 3,
            "duration": 0.2,
            "active": 0.1,
            "seed": 0,
        },
    ),
    "data.spaghetti": lambda c: (
        bs.data.spaghetti,
        {
            "n_classes": 2,
            "n_units": 3,
            "n_spikes": 2,
            "smoothness": 2.0,
            "samples_per_class": 3,
            "duration": 0.2,
            "active": 0.1,
            "seed": 0,
        },
    ),
    "data.halo": lambda c: (
        bs.data.halo,
        {
            "n_classes": 2,
            "n_units": 3,
            "dimension": 1,
            "smoothness": 2.0,
            "displacement": 0.1,
            "noise": 0.01,
            "samples_per_class": 3,
            "duration": 0.2,
            "active": 0.1,
            "seed": 0,
        },
    ),
    "data.tempotron": lambda c: (
        bs.data.tempotron,
        {"n_patterns": 4, "n_units": 3, "n_classes": 2, "duration": 0.5, "seed": 0},
    ),
    "data.split": lambda c: (
        bs.data.split,
        {"spikes": c.spikes, "fractions": (0.5, 0.5), "seed": 0},
    ),
    "data.perceptual_decision": lambda c: (
        bs.data.perceptual_decision,
        {"n_trials": 2, "coherences": (0.1, 0.2), **TASK, "fixation": 0.01, "stimulus": 0.01},
        of_task,
    ),
    "data.context_dependent_decision": lambda c: (
        bs.data.context_dependent_decision,
        {"n_trials": 2, "coherences": (0.1,), **TASK, "fixation": 0.01, "stimulus": 0.01},
        of_task,
    ),
    "data.working_memory": lambda c: (
        bs.data.working_memory,
        {"n_trials": 2, "n_items": 2, **TASK, "cue": 0.01, "delay": (0.01, 0.02)},
        of_task,
    ),
    "data.delayed_match_to_sample": lambda c: (
        bs.data.delayed_match_to_sample,
        {"n_trials": 2, "n_items": 2, **TASK, "sample": 0.01, "delay": 0.01, "test": 0.01},
        of_task,
    ),
    "data.from_event_arrays": lambda c: (
        bs.data.from_event_arrays,
        {
            "recordings": recordings(),
            "sensor_size": (4, 4, 2),
            "labels": [0, 1],
            "duration": 0.02,
            "time_unit": 1e-6,
            "pool": 2,
            "dtype": np.float64,
            "own_ends": True,
        },
    ),
    "data.load_shd": lambda c: (
        bs.data.load_shd,
        {
            "path": shd(c),
            "duration": 0.5,
            "n_units": 700,
            "dtype": np.float32,
            "own_ends": True,
        },
    ),
    "data.load_speakers": lambda c: (bs.data.load_speakers, {"path": shd(c)}),
    # statistics
    "stats.firing_rates": lambda c: (bs.stats.firing_rates, {"spikes": c.spikes}),
    "stats.rate_over_time": lambda c: (
        bs.stats.rate_over_time,
        {"spikes": c.spikes, "bin_width": 5e-3},
    ),
    "stats.interspike_intervals": lambda c: (bs.stats.interspike_intervals, {"spikes": c.spikes}),
    "stats.isi_cv": lambda c: (bs.stats.isi_cv, {"spikes": c.long_spikes, "minimum": 3}),
    "stats.pooled_cv": lambda c: (bs.stats.pooled_cv, {"spikes": c.long_spikes, "expected": 1.0}),
    "stats.fano_factor": lambda c: (bs.stats.fano_factor, {"spikes": c.spikes, "window": 5e-3}),
    "stats.synchrony": lambda c: (bs.stats.synchrony, {"spikes": c.spikes, "bin_width": 5e-3}),
    "stats.correlations": lambda c: (
        bs.stats.correlations,
        {"spikes": c.spikes, "bin_width": 5e-3, "pairs": 3, "seed": 0},
    ),
    "stats.cross_correlogram": lambda c: (
        bs.stats.cross_correlogram,
        {
            "pre": c.spikes,
            "post": c.spikes,
            "pairs": [[0, 1], [1, 2]],
            "reach": 5e-3,
            "bin_width": 1e-3,
        },
    ),
    "stats.ei_balance": lambda c: (
        bs.stats.ei_balance,
        {
            "excitatory": np.ones((2, 5, 3)),
            "inhibitory": np.ones((2, 5, 3)),
            "own_steps": [5, 3],
        },
    ),
    # pictures
    "plot.colour": lambda c: (bs.plot.colour, {"population": c.net["E"]}),
    "plot.activity": lambda c: (
        bs.plot.activity,
        {
            "recording": c.trace,
            "trial": [0, 2],
            "populations": ["E", "I"],
            "units": 3,
            "start": 0.005,
            "stop": 0.02,
            "rate_bin": 2e-3,
        },
        shown,
    ),
    "plot.raster": lambda c: (
        bs.plot.raster,
        {
            "recording": c.simulation,
            "populations": ["E", "I"],
            "trial": 0,
            "units": 3,
            "start": 0.0,
            "stop": 0.04,
        },
        shown,
    ),
    "plot.rates": lambda c: (
        bs.plot.rates,
        {
            "recording": {"x": c.spikes},
            "populations": "x",
            "trial": 0,
            "start": 0.0,
            "stop": 0.02,
            "rate_bin": 2e-3,
        },
        shown,
    ),
    "plot.spectrum": lambda c: (
        bs.plot.spectrum,
        {
            "recording": c.spikes,
            "populations": None,
            "start": 0.0,
            "stop": 0.02,
            "rate_bin": 1e-3,
            "segment": 0.01,
        },
        shown,
    ),
    "plot.correlograms": lambda c: (
        bs.plot.correlograms,
        {
            "recording": c.simulation,
            "populations": ["E"],
            "start": 0.0,
            "stop": 0.05,
            "reach": 5e-3,
            "bin_width": 1e-3,
            "units": 3,
            "seed": 0,
        },
        shown,
    ),
    "plot.distributions": lambda c: (
        bs.plot.distributions,
        {"recording": c.trace, "populations": None, "start": 0.0, "stop": 0.02},
        shown,
    ),
    "plot.phase_plane": lambda c: (
        bs.plot.phase_plane,
        {
            "recording": c.trace,
            "population": "E",
            "x": "U",
            "y": "I_exc",
            "neuron": 0,
            "trial": 0,
            "start": 0.0,
            "stop": 0.02,
        },
        shown,
    ),
    "plot.connectivity": lambda c: (
        bs.plot.connectivity,
        {"network": c.circuit, "populations": ["E", "I"], "width": 9.0},
        shown,
    ),
    "plot.confusion": lambda c: (
        bs.plot.confusion,
        {"counts": [[3, 1], [0, 2]], "names": ["left", "right"]},
        shown,
    ),
    "plot.style": lambda c: (bs.plot.style, {"width": 9.0}),
    "plot.membrane": lambda c: (
        bs.plot.membrane,
        {
            "recording": c.trace,
            "population": "E",
            "neuron": 0,
            "trial": 0,
            "theory": None,
            "ax": c.axes,
        },
        shown,
    ),
    "plot.currents": lambda c: (
        bs.plot.currents,
        {
            "recording": c.trace,
            "population": "E",
            "neuron": 0,
            "trial": 0,
            "start": 0.0,
            "stop": 0.02,
            "ax": c.axes[0],
        },
        shown,
    ),
    "plot.gradients": lambda c: (bs.plot.gradients, {"trace": c.trace, "found": c.found}, shown),
    "plot.history": lambda c: (
        bs.plot.history,
        {"runs": {"this": c.history, "seeds": [c.history, c.history]}, "width": 12.0},
        shown,
    ),
    "plot.weights": lambda c: (bs.plot.weights, {"network": c.net, "report": None}, shown),
    "plot.initializer": lambda c: (bs.plot.initializer, {"report": c.report}, shown),
}
