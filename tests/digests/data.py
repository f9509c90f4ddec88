"""Spike trains: generators, tasks, augmentation, binning, and statistics."""

import numpy as np

import biosnn as bs

from .common import DT, SPIKES
from .registry import case


@case("data: Randman and its relatives")
def manifolds():
    size = {"samples_per_class": 6, "seed": 1}
    return {
        "randman": bs.data.randman(n_classes=3, n_units=8, n_spikes=2, dimension=2, **size),
        "rough randman": bs.data.randman(n_classes=2, n_units=8, smoothness=0.7, **size),
        "spaghetti": bs.data.spaghetti(n_classes=3, n_units=10, n_spikes=6, **size),
        "halo": bs.data.halo(n_classes=2, n_units=8, **size),
        "tempotron": bs.data.tempotron(n_patterns=6, n_units=8, seed=1),
    }


@case("data: Poisson trains, splits, event arrays")
def plain():
    rates = np.linspace(5.0, 60.0, 10)
    trains = bs.data.poisson(rates, 10, 0.2, 10, seed=3, labels=np.arange(10) % 2)
    parts = bs.data.split(trains, (0.6, 0.2, 0.2), seed=4)
    kinds = [("t", "i8"), ("x", "i4"), ("y", "i4"), ("p", "i1")]
    events = np.array([(1000, 0, 0, 1), (2000, 3, 0, 0), (5000, 3, 3, 1)], kinds)
    camera = bs.data.from_event_arrays([events], (4, 4, 2), labels=[0], duration=10e-3)
    values = {"Poisson": trains, "camera": camera, "generator": bs.data.poisson(20, 4, 0.1, seed=0)}
    return values | {f"part {k} of a split": part for k, part in enumerate(parts)}


@case("data: tasks")
def tasks():
    made = {
        "perceptual decision": bs.data.perceptual_decision(6, seed=1),
        "context-dependent decision": bs.data.context_dependent_decision(6, seed=1),
        "working memory": bs.data.working_memory(6, delay=(0.2, 0.4), seed=1),
        "delayed match to sample": bs.data.delayed_match_to_sample(6, seed=1),
    }
    return {
        name: {"spikes": task.spikes, "mask": task.mask, "condition": dict(task.conditions)}
        for name, task in made.items()
    }


AUGMENTATIONS = (
    bs.ChannelShift(3),
    bs.ChannelJitter(2),
    bs.TimeShift(10e-3),
    bs.TimeJitter(3e-3),
    bs.TimeStretch(0.1),
    bs.Drop(0.3),
    bs.ChannelMask(4),
    bs.Insert(5.0),
    bs.Blend(0.6),
)


@case("data: augmentations")
def augmentations():
    several = [bs.TimeShift(5e-3), bs.Drop(0.1), bs.Insert(2.0)]
    values = {type(each).__name__: bs.augment(SPIKES, [each], seed=2) for each in AUGMENTATIONS}
    return values | {"several": bs.augment(SPIKES, several, seed=2)}


@case("data: spikes in bins")
def bins():
    merged, counts = bs.bin_spikes(SPIKES, 4e-3), bs.bin_spikes(SPIKES, 4e-3, merge=False)
    return {
        "merged": merged.dense(),
        "counts": counts.dense(),
        "rate": merged.rate(),
        "from counts": bs.SpikeTrains.from_dense(counts.dense(), 4e-3, labels=SPIKES.labels),
    }


@case("statistics of spike trains")
def statistics():
    trains = bs.data.poisson(np.linspace(10.0, 80.0, 8), 8, 0.5, 4, seed=5)
    intervals, units = bs.stats.interspike_intervals(trains)
    pairs = np.array([0, 1, 7]), np.array([1, 1, 2])
    lags, rates = bs.stats.cross_correlogram(trains, trains, pairs, reach=20e-3, bin_width=2e-3)
    centres, over_time = bs.stats.rate_over_time(trains, 30e-3)
    return {
        "rates": bs.stats.firing_rates(trains),
        "rate over time": {"centres": centres, "rates": over_time},
        "intervals": {"seconds": intervals, "units": units},
        "CV": bs.stats.isi_cv(trains),
        "pooled CV": np.array(bs.stats.pooled_cv(trains)),
        "Fano factor": bs.stats.fano_factor(trains, 50e-3),
        "synchrony": bs.stats.synchrony(trains, 5e-3),
        "correlations": bs.stats.correlations(trains, 10e-3, pairs=20, seed=1),
        "correlogram": {"lags": lags, "rates": rates},
    }


@case("balance of excitation and inhibition")
def balance():
    rng = np.random.default_rng(6)
    e, i = rng.random((3, 40, 5)), rng.random((3, 40, 5))
    i[:, :, 2] = 0.0
    found = bs.stats.ei_balance(e, i + 0.3 * e * DT)
    names = ("net_over_excitatory", "ratio", "correlation")
    return {name: getattr(found, name) for name in names}
