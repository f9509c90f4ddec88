"""Calls that bin, run, simulate and train (registry.py)."""

import numpy as np

import biosnn as bs

from .objects import EACH, IN_LIST, STEP, augments, saved, streamed, trains

RUNS = {
    # spike trains
    "SpikeTrains": lambda c: (
        bs.SpikeTrains,
        {
            "times": [0.001, 0.002, 0.001],
            "units": [0, 1, 1],
            "offsets": [0, 2, 3],
            "n_units": 2,
            "duration": 0.01,
            "labels": [0, 1],
        },
        lambda c, trains: (repr(trains), bs.bin_spikes(trains, STEP)),
    ),
    "SpikeTrains.from_events": lambda c: (
        bs.SpikeTrains.from_events,
        {
            "times": [0.001, 0.002, 0.001],
            "units": [0, 1, 1],
            "trials": [0, 0, 1],
            "n_trials": 2,
            "n_units": 2,
            "duration": 0.01,
            "labels": [0, 1],
        },
    ),
    "SpikeTrains.from_units": lambda c: (
        bs.SpikeTrains.from_units,
        {"times": [[0.001, 0.002], [0.001]], "duration": 0.01, "label": 1},
    ),
    "SpikeTrains[]": lambda c: (c.spikes.__getitem__, {"index": 0}),
    "from_dense": lambda c: (
        bs.from_dense,
        {"counts": np.ones((2, 3, 4)), "dt": STEP, "labels": [0, 1]},
    ),
    "bin_spikes": lambda c: (bs.bin_spikes, {"spikes": c.spikes, "dt": STEP, "merge": True}),
    "augment": lambda c: (
        bs.augment,
        {"spikes": c.spikes, "augmentations": [bs.Drop(0.1), bs.TimeShift(1e-3)], "seed": 0},
    ),
    **{
        name: (lambda kind, argument, value: lambda c: (kind, {argument: value}, augments))(
            getattr(bs, name), argument, value
        )
        for name, argument, value in (
            ("Blend", "probability", 0.5),
            ("ChannelJitter", "spread", 1.0),
            ("ChannelMask", "most", 2),
            ("ChannelShift", "spread", 1.0),
            ("Drop", "probability", 0.1),
            ("Insert", "rate", 10.0),
            ("TimeJitter", "spread", 1e-3),
            ("TimeShift", "most", 1e-3),
            ("TimeStretch", "spread", 0.1),
        )
    },
    # running
    "run": lambda c: (
        bs.run,
        {
            "network": c.net,
            "spikes": c.spikes,
            "record": ["E.U"],
            "currents": {"E": np.ones(3)},
            "threads": 1,
            "merge": True,
            "tape": False,
            "moments": ["I.U"],
            "seed": 0,
        },
        lambda c, trace: (trace.states, trace.spikes, trace.mean),
    ),
    "run without inputs": lambda c: (
        bs.run,
        {"network": c.circuit, "currents": {"E": 2 * np.ones(6)}, "duration": 0.01, "threads": 1},
    ),
    "run on": lambda c: (
        bs.run,
        {"network": c.net, "spikes": c.spikes, "state": c.trace.state, "threads": 1},
    ),
    "gradient": lambda c: (
        bs.gradient,
        {
            "trace": c.trace,
            "states": {"readout.U": np.ones((6, 20, 2))},
            "spikes": {"E": np.ones((6, 20, 3))},
            "counts": {"E": np.ones((6, 3))},
            "differentiate_reset": False,
            "threads": 1,
            "truncate": 5e-3,
            "record": ["E.U"],
            "per_step": ["E->I"],
        },
        lambda c, found: (found.weights, found.states, found.per_step),
    ),
    "simulate": lambda c: (
        bs.simulate,
        {
            "network": c.circuit,
            "duration": 0.02,
            "background": c.background,
            "record": {"E.U": [0]},
            "every": 1,
            "record_spikes": ["E"],
            "rate_bin": 5e-3,
            "initial": {"E.U": 0.5},
            "seed": 0,
            "threads": 1,
            "progress": False,
            "out": str(c.folder / "spikes.h5"),
            "merge": True,
        },
        lambda c, s: (s.states, s.spikes, s.rates, str(s)),
    ),
    "simulate with spikes": lambda c: (
        bs.simulate,
        {
            "network": c.net,
            "duration": 0.02,
            "spikes": {"x": c.spikes[0]},
            "record": {"E.U": slice(2)},
            "state": None,
            "progress": False,
            "threads": 1,
        },
    ),
    "simulate on": lambda c: (
        bs.simulate,
        {
            "network": c.circuit,
            "duration": 0.02,
            "background": c.background,
            "state": c.simulation.state,
            "progress": False,
            "threads": 1,
        },
    ),
    "regime": lambda c: (
        bs.regime,
        {
            "network": c.circuit,
            "background": c.background,
            "simulation": c.simulation,
            "rates": None,
            "width": 2e-3,
        },
        lambda c, r: str(r),
    ),
    "regime with inputs": lambda c: (bs.regime, {"network": c.net, "rates": {"x": 20.0}}),
    "save_state": lambda c: (
        bs.save_state,
        {"state": c.trace.state, "path": str(c.folder / "state.npz")},
    ),
    "load_state": lambda c: (bs.load_state, {"path": saved(c, bs.save_state, c.trace.state)}),
    "save_weights": lambda c: (
        bs.save_weights,
        {"network": c.net, "path": str(c.folder / "weights.npz")},
    ),
    "load_weights": lambda c: (
        bs.load_weights,
        {"network": c.net, "path": saved(c, bs.save_weights, c.net)},
        lambda c, _: c.net.weights,
    ),
    "read_spikes": lambda c: (bs.read_spikes, {"path": streamed(c), "run": None}),
    # training
    "train": lambda c: (
        bs.train,
        {
            "network": c.net,
            "spikes": c.spikes,
            "targets": [0, 1, 0, 1, 0, 1],
            "epochs": 1,
            "loss": bs.MaxOverTimeCrossEntropy(),
            "optimizer": bs.Adam(),
            "schedule": bs.schedules.Constant(),
            "regularizers": [bs.upper_bound(0.1, 4)],
            "batch": 3,
            "validation": 0.34,
            "augment": [bs.Drop(0.1)],
            "dropout": 0.1,
            "clip": 1.0,
            "learning_rates": {"E->readout": 1e-3},
            "callback": None,
            "constraints": [bs.WeightConstraint(high=5.0)],
            "readout": "readout",
            "early_stopping": 2,
            "seed": 0,
            "out": str(c.folder),
            "start": "new",
            "threads": 1,
            "differentiate_reset": False,
            "truncate": 5e-3,
            "progress": False,
        },
        lambda c, h: (c.net.weights, h.loss),
    ),
    "train with mask": lambda c: (
        bs.train,
        {
            "network": c.net,
            "spikes": {"x": c.spikes},
            "mask": np.ones((6, 20)),
            "epochs": 1,
            "loss": bs.EveryStepCrossEntropy(),
            "batch": 3,
            "validation": c.spikes,
            "validation_targets": np.zeros(6, int),
            "validation_mask": np.ones((6, 20)),
            "stateful": True,
            "progress": False,
            "threads": 1,
        },
        lambda c, h: c.net.weights,
    ),
    "train several": lambda c: (
        bs.train,
        {
            "network": c.net,
            "spikes": c.spikes,
            "targets": {"readout": [0, 1, 0, 1, 0, 1]},
            "epochs": 1,
            "dropout": {"E": 0.1},
            "loss": {"readout": (bs.MaxOverTimeCrossEntropy(), 0.5)},
            "progress": False,
            "threads": 1,
        },
        lambda c, h: c.net.weights,
    ),
    "prime": lambda c: (
        bs.prime,
        {
            "network": c.net,
            "spikes": c.spikes,
            "epochs": 1,
            "regularizers": [bs.lower_bound(10, 1)],
            "progress": False,
            "threads": 1,
        },
        lambda c, h: c.net.weights,
    ),
    "evaluate": lambda c: (
        bs.evaluate,
        {
            "network": c.net,
            "spikes": c.spikes,
            "targets": [0, 1, 0, 1, 0, 1],
            "mask": None,
            "loss": bs.MaxOverTimeCrossEntropy(),
            "readout": "readout",
            "batch": 3,
            "threads": 1,
            "seed": 0,
            "stateful": False,
        },
        lambda c, e: (e.loss, e.score, e.rates),
    ),
    "Adam": lambda c: (
        bs.Adam,
        {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0},
        trains(optimizer=EACH),
    ),
    "AdamW": lambda c: (
        bs.AdamW,
        {"learning_rate": 1e-3, "weight_decay": 0.01},
        trains(optimizer=EACH),
    ),
    "SGD": lambda c: (bs.SGD, {"learning_rate": 1e-3, "momentum": 0.5}, trains(optimizer=EACH)),
    "SMORMS3": lambda c: (
        bs.SMORMS3,
        {"learning_rate": 1e-3, "epsilon": 1e-16},
        trains(optimizer=EACH),
    ),
    "schedules.Constant": lambda c: (bs.schedules.Constant, {}, trains(schedule=EACH)),
    "schedules.Cosine": lambda c: (
        bs.schedules.Cosine,
        {"final": 0.1, "warmup": 0.1},
        trains(schedule=EACH),
    ),
    "schedules.Step": lambda c: (
        bs.schedules.Step,
        {"at": (0.5, 0.75), "decay": 0.1},
        trains(schedule=EACH),
    ),
    "schedules.OnPlateau": lambda c: (
        bs.schedules.OnPlateau,
        {"patience": 2, "decay": 0.5},
        trains(schedule=EACH),
    ),
    "upper_bound": lambda c: (
        bs.upper_bound,
        {"strength": 0.1, "threshold": 4, "power": 2, "per": "population", "populations": ["E"]},
        trains(regularizers=IN_LIST),
    ),
    "lower_bound": lambda c: (
        bs.lower_bound,
        {"strength": 0.1, "threshold": 4, "power": 1, "per": "neuron", "populations": "E"},
        trains(regularizers=IN_LIST),
    ),
    "WeightPenalty": lambda c: (
        bs.WeightPenalty,
        {"strength": 0.1, "power": 2, "projections": ["E->I"]},
        trains(regularizers=IN_LIST),
    ),
    "WeightConstraint": lambda c: (
        bs.WeightConstraint,
        {"low": 0.0, "high": 5.0, "norm": 10.0, "projections": ["E->I"]},
        trains(constraints=IN_LIST),
    ),
}
