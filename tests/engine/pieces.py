"""Runs in pieces that go on from each other."""

import itertools

import biosnn as bs

DT = 1e-3
TABLES = [
    ("ei_lif", dict(refractory=5e-3)),
    ("lif", dict(reset="subtract", surrogate=bs.TruncatedSuperSpike(3, 0.4))),
    ("conductance_lif", dict(refractory=3e-3)),
    ("alpha_conductance_lif", {}),
    ("ei_adaptive_lif", dict(jump_delay=5e-3)),
    ("ampa_nmda_gaba", dict(bounds=(-0.3, 1.0))),
]
IDS = [name for name, _ in TABLES]
DELAYS = (0, 1, 7, 2)  # the longest is longer than some of the pieces
RULES = [
    ("bernoulli", 6, lambda rng, size: rng.integers(0, 7, size) * DT),
    ("tied", 8, 5 * DT),
    ("line", 6, 2 * DT),
    ("fan out", 16, 0.0),
]


def cut(trains, first, last, dt=DT):
    """Steps first .. last - 1 as trials of their own."""
    return bs.SpikeTrains.from_dense(
        bs.bin_spikes(trains, dt).dense()[:, first:last], dt, labels=trains.labels
    )


def pieces(net, trains, bounds, currents=None, record=(), **options):
    """Traces of runs that go on from each other."""
    state = None
    for first, last in itertools.pairwise(bounds):
        part = {name: values[:, first:last] for name, values in (currents or {}).items()}
        trace = bs.run(
            net, cut(trains, first, last), record=record, currents=part, state=state, **options
        )
        state = trace.state
        yield trace
