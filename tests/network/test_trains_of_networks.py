"""Spike trains that networks are given: what is refused, how they are binned."""

import numpy as np
import pytest

import biosnn as bs

from .small_networks import fill


def trains(times, units=None, offsets=None, **options):
    times = np.array(times, float)
    return bs.SpikeTrains(
        times,
        np.zeros(len(times), int) if units is None else units,
        [0, len(times)] if offsets is None else offsets,
        options.pop("n_units", 3),
        0.1,
        **options,
    )


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: trains([-0.01]), "starts at 0"),
        (lambda: trains([0.1]), "before the end"),
        (lambda: trains([np.nan]), "finite"),
        (lambda: trains([0.02, 0.01]), "not sorted.*from_events"),
        (lambda: trains([0.01], np.array([3])), "0 .. 2"),
        (lambda: trains([0.01], np.array([-1])), "0 .. 2"),
        (lambda: trains([0.01], np.array([0.5])), "units is .* must be whole numbers"),
        (lambda: trains([0.01], offsets=[0, 2]), "offsets"),
        (lambda: trains([0.01], labels=[1, 2]), r"\(1,\)"),
        (lambda: trains([0.01], labels=[-1]), "0, 1, 2"),
        (lambda: trains([0.01], n_units=0), "at least one unit"),
    ],
)
def test_spike_train_messages(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_binning_follows_brian2_and_merges():
    spikes = trains([0.0, 0.0019999, 0.002, 0.0021, 0.0021], np.array([0, 1, 1, 2, 2]))
    merged, kept = (
        bs.bin_spikes(spikes, 2e-3).dense()[0],
        bs.bin_spikes(spikes, 2e-3, merge=False).dense()[0],
    )
    assert np.argwhere(merged).tolist() == [
        [0, 0],
        [1, 1],
        [1, 2],
    ]  # 1.9999 ms is within 1e-3 dt of step 1
    assert kept[1].tolist() == [0, 2, 2] and kept.sum() == 5


def test_empty_trials_are_legal_and_indexing_selects():
    spikes = bs.SpikeTrains.from_events(
        [0.03, 0.01, 0.02],
        [1, 0, 2],
        [2, 0, 2],
        n_trials=4,
        n_units=3,
        duration=0.1,
        labels=[3, 2, 1, 0],
    )
    assert np.diff(spikes.offsets).tolist() == [1, 0, 2, 0]
    part = spikes[[2, 0]]
    assert (
        part.times.tolist() == [0.02, 0.03, 0.01]
        and part.units.tolist() == [2, 1, 0]
        and part.labels.tolist() == [1, 3]
    )
    assert bs.run(fill(fill_input(3)), spikes).counts["E"].shape == (4, 2)


def fill_input(n):
    net = bs.Network(1e-3)
    bs.dalian_layer(net, net.input(n), 2, 1)
    return net
