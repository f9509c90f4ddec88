"""One seed serves a whole network: whatever is drawn with it for two projections, populations or
purposes is independent.
"""

from itertools import pairwise

import numpy as np
import pytest

import biosnn as bs

RULES = {
    "bernoulli": bs.Bernoulli(0.2),
    "in": bs.FixedInDegree(10),
    "in once": bs.FixedInDegree(10, multiple=False),
    "out": bs.FixedOutDegree(10),
    "out once": bs.FixedOutDegree(10, multiple=False),
    "total": bs.FixedTotal(500),
    "total once": bs.FixedTotal(500, multiple=False),
}
EXPLICIT = {
    "one to one": bs.OneToOne(),
    "blocks": bs.BlockDiagonal(5),
    "fan out": bs.FanOut(),
    "dense": None,
    "pairs": bs.Pairs(np.arange(50)[::-1], np.arange(50)),
    "convolution": bs.Convolution((1, 50), 1, 25, padding="same"),
}


def chain(rule, seed=1, n=50, names="ABCD", reverse=False, **options):
    """Layers of n neurons, each onto the next, all with one seed."""
    net = bs.Network(1e-4)
    layers = [net.population(n, bs.lif(), name=name) for name in names]
    pairs = list(pairwise(layers))
    for pre, post in pairs[::-1] if reverse else pairs:
        own = {} if rule is None else {"delay": lambda rng, size: rng.integers(0, 30, size) * 1e-4}
        net.connect(
            pre, post, synapses=rule, seed=seed, **{"weights": bs.Normal(0, 1)} | own | options
        )
    return net


def test_the_network_of_the_readme():
    net = bs.Network(1e-4)
    neuron = bs.lif_delta(tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3)
    E, I = (
        net.population(1000, neuron, "excitatory", name="E"),
        net.population(250, neuron, "inhibitory", name="I"),
    )
    for post in (E, I):
        net.connect(E, post, delay=1.5e-3, weights=0.1e-3, synapses=bs.FixedInDegree(100), seed=1)
        net.connect(I, post, delay=1.5e-3, weights=0.5e-3, synapses=bs.FixedInDegree(25), seed=1)
    for pre, k in (("E", 100), ("I", 25)):
        tables = []
        for post in ("E", "I"):
            j, i, _, _ = net.indices(f"{pre}->{post}")
            tables.append(np.zeros((net[pre].n, net[post].n)))
            np.add.at(tables[-1], (j, i), 1)
        shared = (np.minimum(tables[0][:, :250], tables[1])).sum(
            axis=0
        )  # sources that E_k and I_k have in common
        chance = (np.minimum(np.roll(tables[0][:, :250], 1, axis=1), tables[1])).sum(
            axis=0
        )  # … that E_{k-1} and I_k have
        assert shared.mean() < 0.2 * k and shared.mean() == pytest.approx(
            chance.mean(), abs=5 * chance.std() / np.sqrt(250)
        )
    run = bs.simulate(
        net,
        0.3,
        background=[bs.Current(p, 25e-3) for p in "EI"],
        initial={f"{p}.U": bs.Uniform(0, 0.02) for p in "EI"},
        seed=1,
        record={f"{p}.U": slice(250) for p in "EI"},
        progress=False,
    )
    counts = [np.bincount(run.spikes[p].units, minlength=1000)[:250] for p in "EI"]
    assert counts[0].sum() > 500 and not np.any(
        np.all(run.states["E.U"] == run.states["I.U"], axis=0)
    )
    assert (
        abs(np.corrcoef(run.states["E.U"][0], run.states["I.U"][0])[0, 1]) < 0.3
    )  # initial states


@pytest.mark.parametrize("name", RULES | EXPLICIT)
def test_equal_layers_are_drawn_independently(name):
    net = chain((RULES | EXPLICIT)[name])
    drawn = [net.indices(f"{pre}->{post}") for pre, post in ("AB", "BC", "CD")]
    for a, b in ((drawn[0], drawn[1]), (drawn[0], drawn[2]), (drawn[1], drawn[2])):
        size = min(a[0].size, b[0].size)
        if name in RULES:
            assert not np.array_equal(a[1][:size], b[1][:size])
            assert np.mean(a[1][:size] == b[1][:size]) < 0.3
        if name != "convolution":
            assert abs(np.corrcoef(a[2][:size], b[2][:size])[0, 1]) < 5 / np.sqrt(size)
        assert not np.array_equal(a[2][:size], b[2][:size])
        if name != "dense":
            assert abs(np.corrcoef(a[3][:size], b[3][:size])[0, 1]) < 5 / np.sqrt(size)


@pytest.mark.parametrize("name", RULES)
def test_targets_weights_and_delays_have_streams_of_their_own(name):
    net = chain(
        RULES[name],
        names="AB",
        weights=lambda rng, size: rng.random(size),
        delay=lambda rng, size: 6e-3 * rng.random(size),
    )
    _, i, w, d = net.indices("A->B")
    for x, y in ((w, d), (i, w), (i, d)):
        assert abs(np.corrcoef(x, y)[0, 1]) < 5 / np.sqrt(i.size)


@pytest.mark.parametrize("name", RULES | EXPLICIT)
def test_a_stream_follows_from_seed_and_name_alone(name):
    def drawn(**options):
        net = chain((RULES | EXPLICIT)[name], **options)
        return [x for p in ("A->B", "B->C") for x in net.indices(p)]

    first = drawn()
    assert all(np.array_equal(a, b) for a, b in zip(first, drawn(reverse=True), strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, drawn(seed=2)))
    assert all(
        np.array_equal(a, b)
        for a, b in zip(drawn(seed=np.random.default_rng(3)), drawn(seed=np.random.default_rng(3)))
    )
    assert not all(
        np.array_equal(a, b)
        for a, b in zip(drawn(seed=np.random.default_rng(3)), drawn(seed=np.random.default_rng(4)))
    )


def test_a_generator_is_asked_once_for_every_projection():
    rng, other = np.random.default_rng(3), np.random.default_rng(3)
    chain(bs.Bernoulli(0.2), seed=rng)
    other.integers(2**62, size=3)
    assert rng.bit_generator.state == other.bit_generator.state
    net = bs.Network(1e-3)
    a, b = (net.population(20, bs.lif(), name=name) for name in "AB")
    rng = np.random.default_rng(3)
    first = net.connect(a, b, weights=1.0, synapses=bs.Bernoulli(0.3), seed=rng)
    net.connect(a, b, weights=1.0, synapses=bs.Bernoulli(0.3), seed=rng, name="again")
    assert not np.array_equal(net.synapses[first.name].target, net.synapses["again"].target)


@pytest.mark.parametrize("seed", [-1, 1.0, True, "1", [1, 2], np.nan, 2**63, np.uint64(2**63 + 3)])
def test_seeds_that_are_none(seed):
    with pytest.raises(
        ValueError, match="seed is .*must be a whole number >= 0, or a numpy Generator"
    ):
        chain(bs.Bernoulli(0.2), seed=seed)


@pytest.mark.parametrize(
    "draw",
    [
        bs.kaiming,
        bs.xavier,
        lambda net, seed: bs.random_weights(
            net, pytest.importorskip("scipy.stats").norm(), seed=seed
        ),
        lambda net, seed: bs.fluctuation_driven(
            net, assumed_rates=20.0, closed_loop=False, seed=seed, progress=False
        ),
    ],
)
def test_starts_with_the_seed_of_the_connections(draw):
    net = bs.Network(1e-3)
    layers = [net.input(50), *(net.population(50, bs.lif(), name=name) for name in "ABC")]
    for pre, post in pairwise(layers):
        net.connect(pre, post, weights=bs.Normal(0, 1), seed=1)
    before = {name: w.ravel().copy() for name, w in net.weights.items()}
    draw(net, seed=1)
    after = [w.ravel() for w in net.weights.values()]
    each = np.corrcoef([*before.values(), *after])
    assert np.abs(each - np.eye(len(each))).max() < 5 / 50


def test_backgrounds_and_noise_of_two_populations():
    net = bs.Network(1e-3)
    for name in "AB":
        net.population(200, bs.lif(threshold=1e9), name=name)
    for kind in (
        lambda p: bs.PoissonInput(p, 300.0, 0.1, "exc"),
        lambda p: bs.OrnsteinUhlenbeck(p, 0.0, 1.0, 5e-3),
    ):
        run = bs.simulate(
            net,
            0.05,
            background=[kind("A"), kind("B")],
            seed=1,
            record={f"{p}.U": slice(None) for p in "AB"},
            progress=False,
        )
        assert abs(np.corrcoef(run.states["A.U"][20], run.states["B.U"][20])[0, 1]) < 5 / np.sqrt(
            200
        )
    noisy = bs.Network(1e-3)
    for name in "AB":
        noisy.population(500, bs.lif(), name=name, noise=bs.SigmoidEscape(10.0))
    trace = bs.run(noisy, currents=dict.fromkeys("AB", 0.9), duration=0.1, seed=1)
    assert trace.counts["A"].std() > 0.5 and abs(
        np.corrcoef(trace.counts["A"][0], trace.counts["B"][0])[0, 1]
    ) < 5 / np.sqrt(500)


def test_initial_states_follow_from_seed_and_name():
    net = bs.Network(1e-3)
    for name in "AB":
        net.population(200, bs.lif(), name=name)
    draws = [
        {f"{p}.{s}": bs.Uniform(0, 0.5) for p in order for s in ("U", "I")}
        for order in ("AB", "BA")
    ]
    record = {f"{p}.{s}": slice(None) for p in "AB" for s in ("U", "I")}
    one, two = (
        bs.simulate(net, 1e-3, initial=initial, seed=1, record=record, progress=False).states
        for initial in draws
    )
    assert all(np.array_equal(one[name], two[name]) for name in record)
    each = np.corrcoef([values[0] for values in one.values()])
    assert np.abs(each - np.eye(4)).max() < 5 / np.sqrt(200)


def test_time_constants_of_two_populations():
    e, i, again = (
        bs.log_normal_time_constants(20e-3, 0.5, 2000, seed=1, name=name)
        for name in ("E", "I", "E")
    )
    assert (
        np.array_equal(e, again)
        and abs(np.corrcoef(e, i)[0, 1]) < 5 / np.sqrt(2000)
        and i.mean() == pytest.approx(20e-3, rel=0.05)
    )
