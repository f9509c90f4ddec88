"""Rules for sparse projections: statistics, exact counts, order, seeds, messages."""

import numpy as np
import pytest
from scipy.sparse import coo_matrix

import biosnn as bs


def connect(rule, n_pre=300, n_post=400, same=False, dtype=np.float32, **options):
    net = bs.Network(1e-4, dtype)
    a = net.population(n_pre, bs.lif(), "excitatory", name="A")
    b = a if same else net.population(n_post, bs.lif(), "excitatory", name="B")
    net.connect(a, b, synapses=rule, name="p", **{"seed": 1, "weights": 0.1} | options)
    return net


def table(net):
    j, i, _, _ = net.indices("p")
    counts = np.zeros((net["A"].n, net[net.projection("p").post].n), int)
    np.add.at(counts, (j, i), 1)
    return counts


RULES = {
    "bernoulli": bs.Bernoulli(0.2),
    "in": bs.FixedInDegree(60),
    "in once": bs.FixedInDegree(60, multiple=False),
    "out": bs.FixedOutDegree(80),
    "out once": bs.FixedOutDegree(80, multiple=False),
    "total": bs.FixedTotal(24000),
    "total once": bs.FixedTotal(24000, multiple=False),
}


@pytest.mark.statistical
@pytest.mark.parametrize("name", RULES)
def test_every_pair_is_equally_likely_and_degrees_are_as_asked(name):
    rule, trials = RULES[name], 40
    tables = np.stack([table(connect(rule, seed=seed)) for seed in range(trials)])
    mean = tables.mean(axis=0)  # expected 0.2 synapses a pair
    assert tables.mean() == pytest.approx(0.2, abs=5 * np.sqrt(0.2 / tables.size))
    variance = 0.2 * (
        0.8 if "once" in name or name == "bernoulli" else 1.0
    )  # binomial, or nearly Poisson
    assert mean.var() * trials == pytest.approx(variance, rel=0.03)
    assert np.abs(mean.mean(axis=0) - 0.2).max() < 5.5 * np.sqrt(0.2 / trials / 300)
    assert np.abs(mean.mean(axis=1) - 0.2).max() < 5.5 * np.sqrt(0.2 / trials / 400)
    if name.startswith("in"):
        assert np.all(tables.sum(axis=1) == 60)
    if name.startswith("out"):
        assert np.all(tables.sum(axis=2) == 80)
    if name.startswith("total"):
        assert np.all(tables.sum(axis=(1, 2)) == 24000)
    assert (tables.max() == 1) == ("once" in name or name == "bernoulli")


@pytest.mark.statistical
@pytest.mark.parametrize("name", RULES)
def test_without_self_connections_the_others_stay_equally_likely(name):
    rule = RULES[name].__class__(**vars(RULES[name]) | {"self_connections": False})
    tables = np.stack([table(connect(rule, 400, same=True, seed=seed)) for seed in range(20)])
    assert tables.shape[1:] == (400, 400) and np.all(np.einsum("tii->t", tables) == 0)
    upper, lower = (
        tables[:, k].mean()
        for k in (np.triu(np.ones((400, 400), bool), 1), np.tril(np.ones((400, 400), bool), -1))
    )
    assert (
        upper == pytest.approx(lower, rel=0.02)
        and tables[:, :, -1].mean() > 0
        and tables[:, -1].mean() > 0
    )


def test_rows_are_ascending_and_the_seed_decides():
    a, b, c = (
        connect(bs.FixedTotal(5000), weights=bs.Normal(1, 0.1), delay=bs.Uniform(0, 3e-3), seed=s)
        for s in (1, 1, 2)
    )
    for net, same in ((b, True), (c, False)):
        assert all(
            np.array_equal(x, y) == same for x, y in zip(a.indices("p")[1:], net.indices("p")[1:])
        )
    j, i, _, _ = a.indices("p")
    assert (
        np.array_equal(np.lexsort((i, j)), np.arange(5000))
        and a.fingerprint() == b.fingerprint() != c.fingerprint()
    )


def test_the_number_of_threads_does_not_matter(monkeypatch):
    one = connect(
        bs.FixedInDegree(50),
        weights=bs.LogNormal(0.2, 0.5),
        delay=bs.Normal(1.5e-3, 0.75e-3, low=1e-4),
    )
    from biosnn.network import random_rows
    from biosnn.support import threads

    monkeypatch.setattr(threads, "default_threads", lambda: 5)
    monkeypatch.setattr(random_rows, "default_threads", lambda: 5)
    other = connect(
        bs.FixedInDegree(50),
        weights=bs.LogNormal(0.2, 0.5),
        delay=bs.Normal(1.5e-3, 0.75e-3, low=1e-4),
    )
    assert all(np.array_equal(a, b) for a, b in zip(one.indices("p"), other.indices("p")))


@pytest.mark.statistical
def test_weights_and_delays_from_distributions():
    net = connect(
        bs.FixedTotal(300_000),
        weights=bs.LogNormal(0.2, 0.5),
        delay=bs.Normal(1.5e-3, 0.75e-3, low=1e-4),
    )
    _, _, w, d = net.indices("p")
    assert w.mean() == pytest.approx(0.2, rel=0.01) and np.log(w).std() == pytest.approx(
        0.5, rel=0.01
    )
    x = np.random.default_rng(0).normal(1.5e-3, 0.75e-3, 10**6)
    x = x[x >= 1e-4]
    assert (
        d.mean() == pytest.approx(x.mean(), rel=0.01)
        and d.std() == pytest.approx(x.std(), rel=0.01)
        and d.min() >= 1e-4
    )
    assert net.synapses["p"].delay.dtype == np.uint8 and net.synapses["p"].target.dtype == np.uint16
    assert (net.synapses["p"].nbytes + net.weights["p"].nbytes) / 300_000 < 7.1
    assert (
        connect(bs.FixedTotal(1000), delay=lambda rng, size: rng.uniform(0, 0.1, size))
        .synapses["p"]
        .delay.dtype
        == np.uint16
    )
    big = connect(bs.FixedTotal(1000), n_post=70_000)
    assert big.synapses["p"].target.dtype == np.int32 and big.weights["p"].ndim == 0


def test_pairs_keep_weights_and_delays_together():
    rng = np.random.default_rng(3)
    pre, post, w, d = (
        rng.integers(0, 30, 200),
        rng.integers(0, 40, 200),
        rng.random(200),
        rng.integers(0, 50, 200) * 1e-4,
    )
    net = connect(bs.Pairs(pre, post), 30, 40, weights=w, delay=d, seed=None, dtype=np.float64)
    given = sorted(zip(pre, post, w, np.round(d / 1e-4)))
    j, i, weights, delays = net.indices("p")
    assert sorted(zip(j, i, weights, np.round(delays / 1e-4))) == given
    matrix = coo_matrix((w, (pre, post)), (30, 40))
    net = connect(bs.from_scipy(matrix), 30, 40, weights=None, seed=None, dtype=np.float64)
    j, i, weights, _ = net.indices("p")
    np.testing.assert_allclose(coo_matrix((weights, (j, i)), (30, 40)).toarray(), matrix.toarray())
    assert np.array_equal(table(connect(bs.OneToOne(), 7, 7, seed=None)), np.eye(7))


def test_audit_checkpoint_and_dale(tmp_path):
    net = connect(bs.Bernoulli(0.02), 50, 60, weights=bs.Uniform(0, 2))
    assert bs.audit(net).signs["A"].tolist() == (table(net).sum(axis=1) > 0).astype(int).tolist()
    bs.save(net, tmp_path / "w.npz")
    before = net.weights["p"].copy()
    net.weights["p"][3] = -1
    assert bs.audit(net).violations == 1 and 2 in bs.audit(net).signs["A"]
    with pytest.raises(ValueError, match=r"'p': weight \[3\] is -1, which violates Dale"):
        net.set_weights("p", net.weights["p"])
    bs.load_weights(net, tmp_path / "w.npz")
    assert np.array_equal(net.weights["p"], before)
    with pytest.raises(ValueError, match="another network"):
        bs.load_weights(
            connect(bs.Bernoulli(0.02), 50, 60, weights=bs.Uniform(0, 2), seed=2),
            tmp_path / "w.npz",
        )
    constant = connect(bs.Bernoulli(0.02), 50, 60)
    bs.save(constant, tmp_path / "c.npz")
    constant.set_weights("p", 0.7)
    bs.load_weights(constant, tmp_path / "c.npz")
    assert constant.weights["p"] == np.float32(0.1)


def test_delta_synapses_in_batches_of_trials():
    net = bs.Network(1e-3, np.float64)
    x = net.input(1)
    net.connect(x, net.population(1, bs.lif_delta(tau_mem=20e-3), name="A"), weights=[[0.6]])
    u = bs.run(net, bs.SpikeTrains([0.003, 0.005], [0, 0], [0, 2], 1, 0.01), record=["A.U"]).states[
        "A.U"
    ][0, :, 0]
    a = np.exp(-1 / 20)
    np.testing.assert_allclose(
        u[2:7], [0, 0.6, 0.6 * a, 0.6 + 0.6 * a**2, 0], atol=1e-12
    )  # threshold 1 is passed: reset at step 6
    net = bs.Network(1e-3, np.float64)
    cells = bs.lif_delta(tau_mem=20e-3, refractory=3e-3, reset=-0.2)
    net.connect(net.input(1), net.population(1, cells, name="A"), weights=[[0.6]])
    spikes = bs.SpikeTrains(np.array([3, 4, 6, 7, 9]) * 1e-3, [0] * 5, [0, 5], 1, 0.011)
    u = bs.run(net, spikes, record=["A.U"]).states["A.U"][0, :, 0]
    # passed by the spike of step 4, reset at step 5; what arrives until step 7 is lost
    expected = [0.6, 0.6 + 0.6 * a, -0.2, -0.2, -0.2, -0.2 * a, 0.6 - 0.2 * a**2]
    np.testing.assert_allclose(u[3:10], expected, atol=1e-12)


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: bs.Bernoulli(1.2), "probability"),
        (lambda: bs.FixedInDegree(2.5), "whole number"),
        (lambda: connect(bs.FixedOutDegree(500, multiple=False)), "500 targets.*from 400"),
        (lambda: connect(bs.FixedInDegree(400, multiple=False)), "400 sources.*from 300"),
        (lambda: connect(bs.FixedTotal(10**6, multiple=False)), "120000 pairs"),
        (lambda: connect(bs.OneToOne()), "300 and 400"),
        (lambda: connect(bs.Bernoulli(0.1), seed=None), "give a seed"),
        (lambda: connect(bs.Pairs([0, 300], [0, 0]), seed=None), "neurons 0 .. 299"),
        (lambda: bs.Pairs([0.5], [1]), "whole numbers"),
        (lambda: connect("random"), "rule such as"),
        (lambda: connect(bs.FixedTotal(9), weights=np.ones(8)), r"\(9,\)"),
        (lambda: connect(bs.FixedTotal(9), weights=-1.0), "'p': weight is -1.*Dale"),
        (lambda: connect(bs.FixedTotal(9), delay=bs.Normal(0, 1e-3)), "must be finite and >= 0"),
        (lambda: connect(bs.FixedTotal(9), delay=bs.Normal(10, 1e-3)), "65 535"),
        (lambda: connect(bs.FixedTotal(9), delay=np.full(8, 1e-3)), r"delays have shape \(8,\)"),
        (lambda: connect(None, delay=np.full(8, 1e-3)), "sparse projection"),
        (lambda: bs.Normal(1, 1, low=2), "low .. high"),
    ],
)
def test_messages(act, words):
    with pytest.raises(ValueError, match=words):
        act()


@pytest.mark.parametrize(
    "number",
    [2**63, np.uint64(2**63 + 3), -1, np.int8(-1), 2.0, True, "3", None, np.ones(2, int), 1 + 0j],
)
@pytest.mark.parametrize(
    "rule", [bs.FixedInDegree, bs.FixedOutDegree, bs.FixedTotal, bs.BlockDiagonal]
)
def test_numbers_of_rules_are_whole(rule, number):
    with pytest.raises(ValueError, match=f"{rule.__name__}: .* is .*; it must be a whole number"):
        rule(number)


@pytest.mark.parametrize("number", [2**62, 10**15])
@pytest.mark.parametrize("rule", [bs.FixedInDegree, bs.FixedOutDegree, bs.FixedTotal])
def test_more_synapses_than_memory(rule, number):
    with pytest.raises(ValueError, match=r"synapses of 2 bytes need [\d,]+ GB; this machine has"):
        connect(rule(number))
    big = bs.Network(1e-3)
    a, b = (
        big.population(2**31 - 1, bs.lif(), name="A"),
        big.population(2**31 - 1, bs.lif(), name="B"),
    )
    for options in (dict(synapses=bs.BlockDiagonal(1)), dict(weights=bs.Normal(0, 1), seed=1)):
        with pytest.raises(ValueError, match="need .* GB; this machine has"):
            big.connect(a, b, **options)
    assert not big.projections and not big.synapses


def test_narrow_whole_numbers_do_not_overflow():
    for kind in (np.int8, np.uint8, np.int16, np.uint64):
        k, n = kind(100), 300
        assert (
            type(bs.FixedOutDegree(k).k) is int
            and table(connect(bs.FixedOutDegree(k), n, n)).sum(axis=1).tolist() == [100] * n
        )
        assert (
            table(connect(bs.FixedInDegree(k), n, n)).sum(axis=0).tolist() == [100] * n
            and table(connect(bs.FixedTotal(k), n, n)).sum() == 100
        )
        net = connect(
            bs.Pairs(np.arange(100, dtype=kind)[::-1], np.full(100, 99, kind)), 100, 300, seed=None
        )
        assert table(net)[:, 99].tolist() == [1] * 100
        assert (
            bs.Network(1e-3).population(kind(100), bs.lif()).n == 100
            and type(bs.Network(1e-3).population(kind(100), bs.lif()).n) is int
        )
        shape = bs.Convolution(
            (kind(2), kind(100)), kind(3), kind(5), stride=kind(2), padding=kind(2)
        )
        assert shape == bs.Convolution((2, 100), 3, 5, stride=2, padding=2) and all(
            type(x) is int for x in (*shape.shape, shape.filters, *shape.kernel)
        )
        assert bs.MaxPool((kind(2), kind(100)), kind(2)).output_shape == (2, 50)


@pytest.mark.parametrize(
    "act, words",
    [
        (
            lambda: bs.FixedInDegree(3, multiple=2),
            "FixedInDegree: multiple is 2; it must be True or False",
        ),
        (
            lambda: bs.Bernoulli(0.1, self_connections=1),
            "Bernoulli: self_connections is 1; it must be True or False",
        ),
        (lambda: bs.FixedTotal(3, self_connections="no"), "self_connections is 'no'"),
        (lambda: bs.OneToOne(tied=1), "OneToOne: tied is 1"),
        (lambda: bs.Bernoulli(np.nan), "p, a probability, is nan"),
        (lambda: bs.Bernoulli(True), "p, a probability, is True"),
        (lambda: bs.Bernoulli(np.ones(3)), "p, a probability, is an array"),
        (lambda: bs.BlockDiagonal(0), "blocks is 0; .* >= 1"),
        (lambda: bs.Pairs([0, 1], [0]), r"Pairs: post has shape \(1,\); it must be \(2,\)"),
        (lambda: bs.Pairs(3, 4), "Pairs: pre"),
        (lambda: bs.Pairs(["a"], [0]), "whole numbers, not texts"),
        (lambda: bs.Pairs([True], [0]), "whole numbers, not flags"),
        (lambda: bs.Pairs(np.ma.array([0, 1], mask=[0, 1]), [0, 0]), "without masked elements"),
        (lambda: bs.Convolution((1, 5), 2.5, 3), "Convolution: filters is 2.5"),
        (lambda: bs.Convolution((1, 5), 2, "3"), "kernel is '3'"),
        (lambda: bs.Convolution("15", 2, 3), "shape is '15'"),
        (lambda: bs.Convolution((1, True), 2, 3), "shape.* is True"),
        (lambda: bs.Convolution((1, 5, 5), 2, (3, 3, 3)), r"kernel is \(3, 3, 3\)"),
        (lambda: bs.MaxPool((1, 4), None), "MaxPool: size is None"),
        (lambda: bs.max_pool(np.zeros((3, 4)), (1, 4), 2), "max_pool: spikes is an array of shape"),
        (lambda: connect(bs.Bernoulli(0.1), frozen=1), "frozen is 1; it must be True or False"),
        (lambda: connect(bs.Bernoulli(0.1), gradient_to_source="no"), "gradient_to_source is 'no'"),
        (lambda: connect(bs.Bernoulli(0.1), receptor=3), "no receptor 3"),
        (lambda: connect(3.5), "synapses is 3.5; it must be a rule"),
        (lambda: connect(bs.Bernoulli(0.1), weights="abc"), "'p': weights is 'abc'"),
        (lambda: bs.Normal("a", 1), "Normal: mean is 'a'"),
        (lambda: bs.Normal(None, 1), "Normal: mean is None"),
        (lambda: bs.Normal(np.ones(2), 1), "Normal: mean is an array"),
        (lambda: bs.Uniform(0, "b"), "Uniform: high is 'b'"),
        (lambda: bs.families.LogNormal("s"), "LogNormal: sigma is 's'"),
        (lambda: bs.LogNormal(0.2, 0), "LogNormal: sigma is 0"),
        (lambda: bs.families.Gamma(True), "Gamma: shape is True"),
        (lambda: bs.Exponential("a"), "Exponential: mean is 'a'"),
        (lambda: bs.Gamma(np.ones(3), 2.0), "Gamma: mean is an array"),
        (lambda: bs.HalfNormal(np.nan), "HalfNormal: mean is nan"),
        (lambda: bs.dalian_layer(bs.Network(1e-3), [], 2.0, 1), "n_exc is 2.0"),
    ],
)
def test_what_careless_users_are_told(act, words):
    with pytest.raises(ValueError, match=words):
        act()


MEANS = [
    (bs.Exponential(0.3), bs.families.Exponential()),
    (bs.LogNormal(0.3, 0.5), bs.families.LogNormal(0.5)),
    (bs.Gamma(0.3, 4.0), bs.families.Gamma(4.0)),
    (bs.HalfNormal(0.3), bs.families.HalfNormal()),
    (bs.Uniform(0.0, 0.6), bs.families.Uniform()),
]


@pytest.mark.statistical
@pytest.mark.parametrize("distribution, family", MEANS, ids=lambda each: type(each).__name__)
def test_a_distribution_is_a_family_with_a_mean(distribution, family):
    values = distribution.draw(np.random.default_rng(3), 1000)
    assert np.array_equal(values, 0.3 * family.draw(np.random.default_rng(3), 1000))
    many = distribution.draw(np.random.default_rng(4), 400_000)
    assert many.mean() == pytest.approx(0.3, rel=0.01)
    assert (many**2).mean() / many.mean() ** 2 == pytest.approx(family.kappa, rel=0.02)


def test_numbers_of_numpy_and_units_become_plain_ones():
    assert type(bs.Exponential(np.float32(0.5)).mean) is float
    assert bs.LogNormal(np.int8(2), 1.0) == bs.LogNormal(2.0, 1.0)
    assert bs.families.LogNormal(np.float64(0.5)).sigma == 0.5
    with pytest.raises(TypeError):
        bs.Normal(0.2, 0.1, 0.0)  # bounds go by their names
    with pytest.raises(TypeError):
        0.2 * bs.families.Exponential()


def test_distributions_of_their_own_class_are_protocols():
    for distribution, _ in MEANS:
        assert isinstance(distribution, bs.Distribution)
    assert not isinstance(0.2, bs.Distribution) and not isinstance(
        bs.Bernoulli(0.1), bs.Distribution
    )
    assert isinstance(bs.Bernoulli(0.1), bs.Rule) and isinstance(bs.Pairs([0], [0]), bs.Rule)
