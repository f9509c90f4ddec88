"""Rules by distance: probabilities, degrees and distances against what was asked."""

import time

import numpy as np
import pytest
from scipy.stats import kstest, norm

import biosnn as bs

from .test_space import SPACES, WAYS, connect, naive_distance

space = bs.space
SHEETS = {
    "sheet": (space.random(90, (1.0, 0.7), seed=1), space.grid((10, 7), (1.0, 0.7))),
    "torus": (space.torus((10, 8), 1.0), space.random(70, (1.0, 1.0), periodic=True, seed=2)),
    "ring": (space.ring(60), space.ring(100)),
    "cube": (
        space.random(60, (1.0, 1.0, 1.0), seed=3),
        space.random(80, (1.0, 1.0, 1.0), seed=4),
    ),
}
PROFILES = {
    "gaussian": space.Gaussian(0.15, peak=0.7),
    "exponential": space.Exponential(0.2, peak=0.3),
    "box": space.Box(0.25),
    "function": space.OfDistance(lambda d: np.clip(0.5 - d, 0, 0.3)),
}
CASES = [
    ("sheet", "gaussian"),
    ("torus", "exponential"),
    ("ring", "function"),
    ("cube", "box"),
    ("torus", "gaussian"),
]


def table(net):
    j, i, _, _ = net.indices("p")
    counts = np.zeros((net["A"].n, net[net.projection("p").post].n), int)
    np.add.at(counts, (j, i), 1)
    return counts


def check_means(total, expected, variance, trials):
    """Sums over trials of numbers with these means and variances: each, and all together."""
    assert not total[expected == 0].any()
    sure = (variance == 0) & (expected > 0)
    assert np.array_equal(total[sure], trials * expected[sure])
    some = variance * trials > 8
    if not some.any():  # a box of probability 1
        return
    z = (total - trials * expected)[some] / np.sqrt(trials * variance[some])
    assert some.sum() > 200 and np.abs(z).max() < 6
    assert abs(z.mean()) < 5 / np.sqrt(z.size)
    assert z.var() == pytest.approx(1, abs=0.02 + 5 * np.sqrt(2 / z.size))


# -------------------------------------------------------------------------------------- Bernoulli


@pytest.mark.statistical
@pytest.mark.parametrize("sheet, profile", CASES)
def test_every_pair_has_its_probability_independently(sheet, profile):
    pre, post = SHEETS[sheet]
    p, trials = PROFILES[profile](naive_distance(pre, post)), 100
    rule = space.Bernoulli(PROFILES[profile])
    tables = np.stack([table(connect(rule, pre, post, seed=seed)) for seed in range(trials)])
    assert tables.max() == 1
    check_means(tables.sum(axis=0), p, p * (1 - p), trials)
    for axis in (0, 1):  # degrees are sums of independent pairs
        variance = (p * (1 - p)).sum(axis=axis)
        found = tables.sum(axis=axis + 1).var(axis=0, ddof=1)
        assert found.sum() == pytest.approx(variance.sum(), rel=0.1)


@pytest.mark.statistical
def test_in_degrees_are_binomial_on_a_torus():
    """By Kolmogorov and Smirnov: p is the same for all neurons, and so are sums over them."""
    sheet, profile = space.torus((45, 45)), space.Gaussian(0.2, peak=0.4)
    degrees = table(connect(space.Bernoulli(profile), sheet, seed=2)).sum(axis=0)
    p = profile(
        naive_distance(space.Positions(sheet.coordinates[:1], extent=1.0, periodic=True), sheet)
    )
    mean, sd = p.sum(), np.sqrt((p * (1 - p)).sum())
    spread = np.random.default_rng(2).uniform(-0.5, 0.5, degrees.size)  # numbers are whole
    assert kstest(degrees + spread, norm(mean, np.hypot(sd, 12**-0.5)).cdf).pvalue > 0.001


@pytest.mark.parametrize("name", SPACES)
def test_neighbours_within_a_radius_are_all_connected(name):
    where = SPACES[name]
    naive = naive_distance(where, where)
    found = table(connect(space.Bernoulli(space.Box(0.7)), where))
    np.testing.assert_array_equal(found, naive <= 0.7)
    rule = space.Bernoulli(space.Box(0.7), self_connections=False)
    np.testing.assert_array_equal(
        table(connect(rule, where)), (naive <= 0.7) & ~np.eye(where.n, dtype=bool)
    )


# ---------------------------------------------------------------------------------- fixed degrees


@pytest.mark.statistical
@pytest.mark.parametrize("rule", [space.FixedInDegree, space.FixedOutDegree])
@pytest.mark.parametrize(
    "sheet, profile",
    [
        ("sheet", "gaussian"),
        ("torus", "box"),
        ("ring", "function"),
        ("cube", "exponential"),
    ],
)
def test_partners_with_replacement_are_multinomial(sheet, profile, rule):
    pre, post = SHEETS[sheet]
    inward, k, trials = rule is space.FixedInDegree, 20, 50
    values = PROFILES[profile](naive_distance(pre, post))
    share = values / values.sum(axis=0 if inward else 1, keepdims=True)
    total = np.zeros(values.shape, int)
    for seed in range(trials):
        one = table(connect(rule(k, PROFILES[profile]), pre, post, seed=seed))
        assert np.all(one.sum(axis=0 if inward else 1) == k)
        total += one
    check_means(total, k * share, k * share * (1 - share), trials)


@pytest.mark.statistical
@pytest.mark.parametrize(
    "profile, many", [("gaussian", False), ("gaussian", True), ("function", False)]
)
def test_partners_without_replacement_are_drawn_one_after_the_other(profile, many, monkeypatch):
    """Two of them: P(i) = p_i + sum over j of p_j p_i / (1 - p_j)."""
    pre, post = SHEETS["ring"]
    trials = 500
    values = PROFILES[profile](naive_distance(pre, post))
    p = values / values.sum(axis=0)
    ratio = p / (1 - p)
    chance = p * (1 + ratio.sum(axis=0) - ratio)
    rule, total = space.FixedInDegree(2, PROFILES[profile], multiple=False), np.zeros(p.shape, int)
    if many:  # others, so that none gets a mark
        monkeypatch.setattr("biosnn.network.spatial_partners._MANY", 0)
    for seed in range(trials):
        one = table(connect(rule, pre, post, seed=seed))
        assert one.max() == 1 and np.all(one.sum(axis=0) == 2)
        total += one
    check_means(total, chance, chance * (1 - chance), trials)


@pytest.mark.parametrize("k", [1, 10, 39, 40])
@pytest.mark.parametrize("way", WAYS)
def test_without_multiple_ones_all_numbers_of_partners_are_possible(way, k):
    where = SPACES["sheet"]
    profile = {
        "box": space.Box(3.5),
        "cut": space.Gaussian(0.5, radius=3.5),
        "function": space.OfDistance(lambda d: 1 + d),
    }.get(way, WAYS[way])
    for rule, axis in ((space.FixedInDegree, 0), (space.FixedOutDegree, 1)):
        found = table(connect(rule(k, profile, multiple=False), where))
        assert found.max() == 1 and np.all(found.sum(axis=axis) == k)
    if k < 40:
        rule = space.FixedInDegree(k, profile, multiple=False, self_connections=False)
        assert not np.diag(table(connect(rule, where))).any()


@pytest.mark.statistical
@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("multiple", [False, True])
def test_distances_follow_the_profile(multiple, wrapped):
    """By Kolmogorov and Smirnov, from proposals (many neurons) and one by one."""
    sheet = space.torus((50, 50))
    profile = space.Gaussian(0.25, wrapped=wrapped)
    net = connect(space.FixedInDegree(20, profile, multiple=multiple), sheet)
    found = np.sort(space.distances(net, "p"))
    away = sheet.coordinates.T - sheet.coordinates[:1].T
    away -= np.rint(away)
    apart = np.sqrt((away**2).sum(axis=0))
    rounds = np.arange(-5, 6)
    if wrapped:
        each = np.exp(-((away[:, :, None] + rounds) ** 2) / (2 * 0.25**2)).sum(axis=2)
        weight = each.prod(axis=0)
    else:
        weight = np.exp(-(apart**2) / (2 * 0.25**2))
    at = np.unique(apart.round(9))
    ring = np.searchsorted(at, apart.round(9))
    asked = np.cumsum(np.bincount(ring, weight)) / weight.sum()
    level = np.searchsorted(found, at + 1e-8) / found.size
    assert np.abs(level - asked).max() < 1.95 / np.sqrt(found.size)  # 0.1 %
    narrow = np.exp(-(apart**2) / (2 * 0.22**2))
    wrong = np.cumsum(np.bincount(ring, narrow)) / narrow.sum()
    assert np.abs(level - wrong).max() > 3 / np.sqrt(found.size)  # it sees another width


@pytest.mark.statistical
def test_delays_follow_from_distances():
    """By Kolmogorov and Smirnov: on a ring distances of a box are uniform, and delays are, too."""
    ring = space.random(4000, 1.0, periodic=True, seed=1)
    rule = space.FixedInDegree(10, space.Box(0.3))
    net = connect(rule, ring, delay=space.Conduction(10.0, offset=1e-3), dt=1e-6)
    delays = net.indices("p")[3]
    assert kstest((delays - 1e-3) / 0.03, "uniform").statistic < 1.95 / np.sqrt(delays.size) + 1e-3


# ---------------------------------------------------------------------------- seeds, threads, speed


RULES = {
    "bernoulli": space.Bernoulli(space.Gaussian(0.3, peak=0.9)),
    "function": space.Bernoulli(lambda d: 0.3 * (d < 0.4)),
    "in": space.FixedInDegree(30, space.Exponential(0.2)),
    "in once": space.FixedInDegree(15, space.Gaussian(0.3), multiple=False),
    "out": space.FixedOutDegree(30, space.Gaussian(0.3, wrapped=True)),
}


@pytest.mark.parametrize("name", RULES)
def test_the_seed_decides_and_threads_do_not(name, monkeypatch):
    from biosnn.support import threads

    sheet = space.random(400, (1.0, 1.0), periodic=True, seed=1)
    one, other = (connect(RULES[name], sheet, seed=seed) for seed in (1, 2))
    assert not np.array_equal(table(one), table(other))
    monkeypatch.setattr(threads, "default_threads", lambda: 5)
    again = connect(RULES[name], sheet, seed=1)
    for a, b in zip(one.indices("p"), again.indices("p")):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", RULES)
def test_crowds_at_one_place_are_taken_in_pieces(name, monkeypatch):
    from biosnn.network import spatial_pairs, spatial_partners

    monkeypatch.setattr(spatial_pairs, "_EVENTS", 100)
    monkeypatch.setattr(spatial_partners, "_CHOSEN", 100)
    for module in (spatial_pairs, spatial_partners):
        monkeypatch.setattr(module, "_AT_ONCE", 64)
    crowd = space.Positions(np.full((50, 2), 0.3), extent=1.0, periodic=True)
    found = table(connect(RULES[name], crowd))
    if name.startswith(("in", "out")):
        assert np.all(found.sum(axis=0 if name[0] == "i" else 1) == RULES[name].k)
    else:
        p = 0.9 if name == "bernoulli" else 0.3
        assert found.mean() == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / 2500))


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    [
        space.Bernoulli(space.Gaussian(0.25, peak=0.3)),
        space.FixedInDegree(1000, space.Gaussian(0.1)),
        space.FixedOutDegree(1000, space.Gaussian(0.25, wrapped=True)),
    ],
)
def test_ten_million_synapses_take_seconds(rule):
    """Of one core; twice what was measured on a machine that did nothing else."""
    sheet = space.torus((100, 100))
    begin = time.process_time()
    net = connect(rule, sheet)
    assert net.synapses["p"].size >= 10**7 and time.process_time() - begin < 6


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_neighbours_are_those_of_a_search_tree(dimensions, periodic):
    """Many neurons and a short reach, so that most cells are left out."""
    from scipy.spatial import cKDTree

    radius = {1: 0.002, 2: 0.02, 3: 0.08}[dimensions]
    where = space.random(3000, (1.0,) * dimensions, periodic=periodic, seed=7)
    tree = cKDTree(where.coordinates, boxsize=1.0 if periodic else None)
    pairs = tree.query_pairs(radius, output_type="ndarray")
    expected = np.sort(np.concatenate([pairs @ [3000, 1], pairs @ [1, 3000]]))
    rule = space.Bernoulli(space.Box(radius), self_connections=False)
    j, i, _, _ = connect(rule, where).indices("p")
    np.testing.assert_array_equal(j.astype(int) * 3000 + i, expected)


class Triangle(space.Profile):
    """A profile of a user, which falls with distance and says so."""

    decreasing = True

    def __call__(self, distance):
        return np.clip(1 - np.asarray(distance) / 0.3, 0, None)


@pytest.mark.statistical
def test_a_profile_of_ones_own_is_thinned_like_those_of_the_library():
    pre, post = SHEETS["torus"]
    p, trials = Triangle()(naive_distance(pre, post)), 60
    total = sum(table(connect(space.Bernoulli(Triangle()), pre, post, seed=s)) for s in range(60))
    check_means(total, p, p * (1 - p), trials)


def test_indices_are_where_sums_of_weights_exceed_a_number():
    from biosnn.network import spatial_partners

    class Numbers:
        """Random numbers, among them what rounds to 1."""

        def random(self, size):
            return np.append(np.random.default_rng(3).random(size - 2), [0.0, 1.0])

    weights = np.random.default_rng(1).random(3000) ** 9 * (np.arange(3000) % 3 > 0)
    weights[-5:] = 0
    found = spatial_partners._Chances(weights).draw(Numbers(), 20_000)
    sums = np.cumsum(weights)
    naive = np.searchsorted(sums, Numbers().random(20_000)[:-1] * sums[-1], side="right")
    np.testing.assert_array_equal(found[:-1], naive)
    assert found[-1] == np.flatnonzero(weights)[-1] and (weights[found] > 0).all()
