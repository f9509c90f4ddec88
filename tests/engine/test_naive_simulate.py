"""`simulate` against the naive reference: random networks with everything that it takes. The spikes
of escape noise are handed over, as the engine drew them.
"""

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine.realization import realize
from tests import naive
from tests.random_cases import BOTH, STREAM
from tests.random_networks import random_case

EVERYTHING = BOTH | {"inhibitory_plasticity"}
SEEDS = range(50)
DT = 1e-3


def both(case, merge=True):
    """What the engine finds, and the naive reference."""
    found = bs.simulate(
        case.network,
        case.duration,
        case.spikes,
        background=case.background,
        initial=case.initial,
        seed=case.seed,
        record=case.record,
        merge=merge,
        progress=False,
    )
    given = realize(case.network, case.steps, case.background, case.initial, case.seed)
    noisy = [p.name for p in case.network.spiking if p.noise]
    expected = naive.run(
        case.network,
        case.spikes,
        drawn={name: raster(found.spikes[name], case) for name in noisy},
        initial=given.initial,
        steps=case.steps,
        trials=1,
        merge=merge,
        **naive.handed_over(case.background, given),
    )
    return found, expected


def raster(trains, case):
    """(step, neuron) spikes, as many steps as the case has."""
    dense = np.zeros((case.steps, trains.n_units))
    steps = np.floor(trains.times / case.network.dt + 1e-3).astype(int)
    np.add.at(dense, (steps, trains.units), 1)
    return dense


def assert_equal(case, found, expected):
    """Spikes are identical, states and weights agree to 1e-10 of the largest."""
    for p in case.network.firing:
        spikes = raster(found.spikes[p.name], case)
        np.testing.assert_array_equal(spikes, expected["spikes"][p.name][0], err_msg=p.name)
    for name in case.record:
        there = expected["states"][tuple(name.split("."))][0]
        largest = np.abs(there).max()
        np.testing.assert_allclose(
            found.states[name], there, rtol=0, atol=1e-10 * largest, err_msg=name
        )
    for name, weights in expected["weights"].items():
        np.testing.assert_allclose(found.weights[name], weights[0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks(seed):
    case = random_case(seed, EVERYTHING)
    assert_equal(case, *both(case))


def test_random_networks_have_every_feature_and_fire():
    cases = [random_case(seed, EVERYTHING) for seed in SEEDS]
    assert set().union(*(case.features for case in cases)) == EVERYTHING
    rates = [
        bs.simulate(
            case.network,
            case.duration,
            case.spikes,
            background=case.background,
            initial=case.initial,
            seed=case.seed,
            progress=False,
        ).mean_rates[p.name]
        for case in cases[:12]
        for p in case.network.spiking
    ]
    assert np.mean(np.array(rates) > 0) > 0.9 and 20 < np.median(rates) < 300


def test_a_seed_makes_one_network_and_a_feature_that_is_not_allowed_is_not_there():
    one, again, other = (random_case(seed) for seed in (4, 4, 5))
    assert one.network.fingerprint() == again.network.fingerprint()
    assert one.network.fingerprint() != other.network.fingerprint()
    assert one.features == again.features
    fewer = STREAM - {"delays", "sparse", "tsodyks_markram", "lif_delta"}
    assert not any((random_case(s, fewer).features - fewer) for s in range(20))


@pytest.mark.parametrize(
    "rule",
    [bs.TsodyksMarkram(0.4, 0.1), bs.TsodyksMarkram(0.3, 0.1, 0.05), bs.InhibitorySTDP(0.05, 20.0)],
    ids=lambda rule: f"{type(rule).__name__} {getattr(rule, 'tau_facil', '')}",
)
def test_several_spikes_of_an_input_in_one_step(rule):
    """They use resources, and learn, one after the other."""
    rng = np.random.default_rng(3)
    case = random_case(0, {"lif", "current"})
    case.network = net = bs.Network(DT, np.float64)
    x = net.input(8, sign="inhibitory")
    a = net.population(5, bs.lif(), name="A")
    net.connect(
        x, a, weights=rng.exponential(0.2, 40), synapses=bs.Bernoulli(1.0), plasticity=rule, seed=1
    )
    case.background, case.steps, case.initial = [bs.Current("A", 2.0)], 150, {}
    case.spikes = bs.data.poisson(400.0, 8, case.duration, seed=2)
    assert bs.bin_spikes(case.spikes, DT, merge=False).dense().max() > 2
    merged, apart = (both(case, merge) for merge in (True, False))
    assert_equal(case, *merged)
    assert_equal(case, *apart)
    assert not np.allclose(merged[0].states["A.I"], apart[0].states["A.I"])


def test_two_projections_learn_each_with_its_own_traces():
    """That of the last population comes first, and the other has more neurons."""
    rng, case = np.random.default_rng(5), random_case(0, {"lif", "current"})
    case.network = net = bs.Network(DT, np.float64)
    for name, n in (("A", 9), ("B", 3)):
        net.population(n, bs.ei_lif(), "inhibitory", name=name)
    for name, n, rule in (
        ("B", 3, bs.InhibitorySTDP(0.05, 20.0)),
        ("A", 9, bs.InhibitorySTDP(0.02, 60.0, tau=30e-3)),
    ):
        weights, pairs = rng.exponential(0.3, n * n), bs.Pairs(*np.indices((n, n)).reshape(2, -1))
        net.connect(name, name, weights=weights, synapses=pairs, plasticity=rule, delay=2 * DT)
    case.background = [bs.Current("A", rng.uniform(1.5, 3.0, 9)), bs.Current("B", 2.5)]
    case.steps, case.initial, case.spikes = 200, {}, None
    found, expected = both(case)
    assert_equal(case, found, expected)
    for name in ("A->A", "B->B"):
        assert np.abs(found.weights[name] - net.weights[name]).max() > 0.01


def test_arrivals_at_a_clamped_membrane_are_lost():
    """Delta synapses, a period of 4 steps: 3 updates are clamped, and the spikes that arrive until
    then, also those of its end, do nothing.
    """
    net = bs.Network(DT, np.float64)
    a = net.population(1, bs.lif_delta(reset=0.2, refractory=4 * DT), name="A")
    net.connect(net.input(1), a, weights=[[0.7]])
    dense = np.zeros((1, 20, 1))
    dense[0, [1, 2, 3, 5, 6, 8]] = 1  # crosses at 3, by what arrived at 2
    trains = bs.SpikeTrains.from_dense(dense, DT)
    done = naive.run(net, trains)
    u, decay = done["states"]["A", "U"][0, :, 0], np.exp(-DT / 20e-3)
    assert np.flatnonzero(done["spikes"]["A"][0]).tolist() == [3]
    np.testing.assert_array_equal(np.flatnonzero(done["clamped"]["A"][0]), [4, 5, 6])
    np.testing.assert_allclose(u[3:7], 0.2)
    np.testing.assert_allclose(u[7:9], [0.2 * decay, 0.2 * decay**2 + 0.7])
    found = bs.simulate(net, 20 * DT, trains, record=["A.U"], progress=False)
    np.testing.assert_allclose(found.states["A.U"][:, 0], u, atol=1e-12)


def test_background_and_states_of_several_trials():
    """Trials that are handed their own numbers are those that are run alone."""
    case = random_case(2, {"lif", "ei_lif", "current", "poisson", "ornstein_uhlenbeck", "dense"})
    p = case.network.spiking[0]
    name = f"{p.name}.U"
    start = np.random.default_rng(0).uniform(0, 0.5, (3, p.n))
    given = [realize(case.network, case.steps, case.background, seed=seed) for seed in range(3)]
    together = naive.run(
        case.network, initial={name: start}, **naive.handed_over(case.background, given)
    )
    for b in range(3):
        alone = bs.simulate(
            case.network,
            case.duration,
            background=case.background,
            initial={name: start[b]},
            seed=b,
            record=[name],
            progress=False,
        )
        np.testing.assert_allclose(
            alone.states[name], together["states"][p.name, "U"][b], rtol=0, atol=1e-10
        )
        assert alone.counts[p.name] == together["spikes"][p.name][b].sum() > 0
