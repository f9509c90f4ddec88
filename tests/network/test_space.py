"""Positions, and weights and delays by distance: against naive computations, and in Brian2."""

import numpy as np
import pytest

import biosnn as bs

space = bs.space
SPACES = {
    "line": space.random(30, 2.0, seed=1),
    "ring": space.ring(25, 2.0),
    "sheet": space.random(40, (1.0, 2.0), seed=2),
    "torus": space.torus((6, 5), (1.0, 2.0)),
    "cube": space.random(30, (1.0, 1.0, 0.5), periodic=True, seed=3),
    "array": space.Positions([[0.0, 3.0], [4.0, 0.0], [0.0, 0.0]]),
}
WAYS = {
    "gaussian": space.Gaussian(0.3, peak=0.8),
    "cut": space.Gaussian(0.5, radius=0.6),
    "exponential": space.Exponential(0.4, peak=0.5),
    "box": space.Box(0.5),
    "function": space.OfDistance(lambda d: 0.5 * (d > 0.2) * np.exp(-d)),
}


def naive_distance(a, b):
    """(a, b) distances, one pair after the other."""
    result = np.zeros((a.n, b.n))
    for j in range(a.n):
        for i in range(b.n):
            apart = []
            for x, y, length in zip(a.coordinates[j], b.coordinates[i], a.span):
                apart.append(min(abs(x - y), length - abs(x - y)) if a.periodic else abs(x - y))
            result[j, i] = sum(d**2 for d in apart) ** 0.5
    return result


def connect(rule, pre, post=None, seed=1, dt=1e-4, **options):
    net = bs.Network(dt, np.float64)
    a = net.population(pre.n, bs.ei_lif(), "excitatory", name="A", positions=pre)
    b = a
    if post is not None:
        b = net.population(post.n, bs.ei_lif(), "excitatory", name="B", positions=post)
    net.connect(a, b, synapses=rule, name="p", seed=seed, **{"weights": 0.1} | options)
    return net


# --------------------------------------------------------------------------------------- positions


def test_a_grid_has_its_neurons_in_the_middle_of_cells():
    sheet = space.grid((4, 2, 5), (4.0, 1.0, 10.0))
    assert sheet.n == 40 and sheet.dimensions == 3 and not sheet.periodic
    for k, index in enumerate(np.ndindex(4, 2, 5)):
        np.testing.assert_allclose(sheet.coordinates[k], (np.array(index) + 0.5) * [1, 0.5, 2])
    assert sheet.spacing == pytest.approx(1.0)


def test_ring_and_torus_are_periodic_grids():
    ring, torus = space.ring(8, 360.0), space.torus((2, 4), 1e-3)
    np.testing.assert_array_equal(ring.coordinates, space.grid(8, 360.0, periodic=True).coordinates)
    assert ring.periodic and torus.periodic and torus.extent == (1e-3, 1e-3)
    assert naive_distance(ring, ring).max() == 180.0


@pytest.mark.statistical
def test_random_positions_are_uniform_and_follow_their_seed():
    from scipy.stats import kstest

    where = space.random(4000, (2.0, 0.5), seed=5)
    fewer = space.random(1000, (2.0, 0.5), seed=5)  # no part of them
    assert not np.isin(fewer.coordinates, where.coordinates).any()
    for axis, length in enumerate((2.0, 0.5)):
        assert kstest(where.coordinates[:, axis] / length, "uniform").pvalue > 0.01
    assert np.array_equal(where.coordinates, space.random(4000, (2.0, 0.5), seed=5).coordinates)
    assert not np.array_equal(where.coordinates, space.random(4000, (2.0, 0.5), seed=6).coordinates)


def test_positions_keep_an_array_of_their_own():
    given = np.zeros((3, 2))
    where = space.Positions(given)
    given[0] = 7
    assert where.coordinates[0, 0] == 0 and where.n == 3 and where.extent is None
    with pytest.raises(ValueError, match="read-only"):
        where.coordinates[0, 0] = 1
    assert space.Positions([1.0, 2.0]).dimensions == 1


def test_populations_show_and_keep_their_positions():
    net = bs.Network(1e-3)
    sheet = space.torus((20, 20), 1e-3)
    e = net.population(400, bs.ei_lif(), "excitatory", name="E", positions=sheet)
    x = net.input(400, positions=sheet)
    assert "positions  1 x 1 mm, periodic" in repr(e) and x.positions is sheet
    assert bs.time_rescale(net, 0.5e-3)["E"].positions is sheet
    other = bs.Network(1e-3)
    other.population(400, bs.ei_lif(), "excitatory", name="E")
    other.input(400)
    assert other.fingerprint() != net.fingerprint()


# ---------------------------------------------------------------------------- functions of distance


def test_values_of_functions_of_distance():
    d = np.array([0.0, 0.5, 1.0, 3.0])
    np.testing.assert_allclose(space.Gaussian(0.5, peak=2)(d), 2 * np.exp(-(d**2) / 0.5))
    np.testing.assert_allclose(space.Exponential(0.5, radius=1)(d), [1, np.exp(-1), np.exp(-2), 0])
    np.testing.assert_allclose(space.Box(0.5, peak=0.3)(d), [0.3, 0.3, 0, 0])
    np.testing.assert_allclose(space.Conduction(0.5, offset=0.1)(d), 0.1 + 2 * d)
    np.testing.assert_allclose(space.OfDistance(lambda d: 0.2)(d), 0.2)


@pytest.mark.parametrize("sigma", [0.05, 0.3, 1.0, 3.0, 50.0])
def test_a_wrapped_gaussian_adds_all_its_ways_round(sigma):
    away = np.array([[0.0, 0.3, -0.5], [0.0, 0.9, 1.0]])
    extent = np.array([1.0, 2.0])
    rounds = np.arange(-600, 601)
    naive = np.ones(3)
    for k in range(2):
        images = away[k][:, None] + rounds * extent[k]
        naive *= np.exp(-(images**2) / (2 * sigma**2)).sum(axis=1)
    found = space.Gaussian(sigma, wrapped=True).between(away, extent)
    np.testing.assert_allclose(found, naive, rtol=1e-9, atol=1e-30)


@pytest.mark.parametrize("name", SPACES)
def test_distances_weights_and_delays_of_synapses(name):
    where, velocity = SPACES[name], 40.0
    naive = naive_distance(where, where)
    rule = bs.FixedInDegree(3)
    profile, delay = space.Exponential(0.5, peak=2), space.Conduction(velocity, offset=0.7e-3)
    net = connect(rule, where, weights=profile, delay=delay)
    j, i, w, d = net.indices("p")
    assert j.size == 3 * where.n
    np.testing.assert_allclose(space.distances(net, "p"), naive[j, i], atol=1e-15)
    np.testing.assert_allclose(w, 2 * np.exp(-naive[j, i] / 0.5), rtol=1e-12)
    steps = np.floor((0.7e-3 + naive[j, i] / velocity) / 1e-4 + 0.5 + 1e-9)
    np.testing.assert_array_equal(np.round(d / 1e-4), steps)
    assert net.synapses["p"].delay.dtype == (np.uint8 if steps.max() < 256 else np.uint16)


def test_weights_by_distance_of_pairs_in_any_order_and_of_dense_projections():
    ring = space.ring(5, 5.0)
    weights = space.OfDistance(lambda d: 1 + d)
    net = connect(bs.Pairs([3, 0, 0], [0, 2, 1]), ring, weights=weights, seed=None)
    np.testing.assert_allclose(net.weights["p"], [3.0, 3.0, 2.0])
    dense = connect(None, ring, space.ring(4, 5.0), weights=weights, seed=None)
    np.testing.assert_allclose(
        dense.weights["p"], 1 + naive_distance(ring, space.ring(4, 5.0)), rtol=1e-12
    )


def test_long_projections_are_taken_in_parts(monkeypatch):
    from biosnn.network import spatial

    whole = connect(bs.FixedInDegree(9), SPACES["sheet"], weights=space.Gaussian(0.3))
    monkeypatch.setattr(spatial, "_AT_ONCE", 7)
    parts = connect(bs.FixedInDegree(9), SPACES["sheet"], weights=space.Gaussian(0.3))
    np.testing.assert_array_equal(whole.weights["p"], parts.weights["p"])


def test_files_keep_positions_and_what_rules_by_distance_have_drawn(tmp_path):
    sheet = space.torus((5, 6), 1e-3)
    rule = space.FixedInDegree(4, space.Gaussian(2e-4), multiple=False)
    delay = space.Conduction(0.2, offset=0.5e-3)
    net = connect(rule, sheet, weights=space.Gaussian(3e-4, peak=0.2), delay=delay)
    bs.save(net, tmp_path / "net.npz")
    again = bs.load(tmp_path / "net.npz")
    assert again.fingerprint() == net.fingerprint()
    assert repr(again.projection("p")) == repr(net.projection("p"))
    assert again["A"].positions.periodic and again["A"].positions.extent == (1e-3, 1e-3)
    for one, other in zip(net.indices("p"), again.indices("p")):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(space.distances(net, "p"), space.distances(again, "p"))


def test_brian2_gets_the_same_synapses(monkeypatch):
    brian2 = pytest.importorskip("brian2")
    monkeypatch.setitem(brian2.prefs, "codegen.target", "numpy")
    sheet = space.torus((5, 6), 1e-3)
    rule = space.FixedInDegree(4, space.Gaussian(2e-4), self_connections=False)
    delay = space.Conduction(0.2, offset=0.5e-3)
    net = connect(rule, sheet, weights=space.Gaussian(3e-4, peak=0.2), delay=delay)
    there = bs.brian.to_brian2(net, duration=0.01).projections["p"]
    j, i, w, d = net.indices("p")
    order = np.lexsort((there.w[:], there.i[:], there.j[:]))  # our i is their j
    mine = np.lexsort((w, j, i))
    for ours, theirs in ((j, there.i), (i, there.j), (w, there.w), (d, there.delay)):
        np.testing.assert_allclose(np.asarray(theirs[:])[order], ours[mine], rtol=1e-9)
    assert len(set(np.round(d / 1e-4).tolist())) > 3


# ---------------------------------------------------------------------------------- careless users


def lonely(**options):
    net = bs.Network(1e-4)
    return net.population(4, bs.ei_lif(), "excitatory", name="A", **options)


SHEET = space.grid((4, 4), 1e-3)
GAUSS = space.Gaussian(2e-4)
HIGH = space.Gaussian(2e-4, peak=1.5)
NEGATIVE = space.OfDistance(lambda d: -d)
TORUS = space.torus((4, 4), 1e-3)


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda: space.Positions(np.zeros((2, 400))), "transpose them"),
        (lambda: space.Positions([]), r"shape \(0,\)"),
        (lambda: space.Positions([0.0, np.nan]), "finite"),
        (lambda: space.Positions([0.1], periodic=True), "need the extent"),
        (lambda: space.Positions([0.1, 1.0], extent=1.0, periodic=True), "neuron 1 is 1; .*below"),
        (lambda: space.Positions([0.1, -1.0], extent=1.0), "neuron 1 is -1"),
        (lambda: space.Positions([[0.1, 0.1]], extent=(1.0,)), "one for each of 2 dimensions"),
        (lambda: space.grid((4, 4, 4, 4)), "1 to 3 dimensions"),
        (lambda: space.grid((4, 4.5)), "grid: shape is 4.5"),
        (lambda: space.grid((4, 4), -1.0), "extent is -1.0"),
        (lambda: space.grid((10**6, 10**6)), "at most"),
        (lambda: space.random(10, seed=-1), "seed"),
        (lambda: space.ring((3, 3)), "ring: n"),
        (lambda: space.Gaussian(0), "Gaussian: sigma is 0; .* metres > 0"),
        (lambda: space.Gaussian(1, wrapped=True, radius=2), "one of the two"),
        (lambda: space.Conduction(0), "velocity is 0"),
        (lambda: space.Conduction(1, offset=-1), "offset is -1"),
        (lambda: space.OfDistance(3.0), "OfDistance: function is 3.0"),
        (lambda: space.Bernoulli(0.1), "function of distance"),
        (lambda: space.Bernoulli(bs.Normal(0, 1)), "function of distance"),
        (lambda: space.FixedInDegree(GAUSS, 100), "k is Gaussian"),
        (lambda: lonely(positions=SHEET), "16 positions for 4 neurons"),
        (lambda: lonely(positions=np.zeros((4, 2))), "bs.space.Positions"),
        (lambda: connect(space.Bernoulli(HIGH), SHEET), "value 1.5; .*0 to 1"),
        (lambda: connect(space.Bernoulli(lambda d: d - 1), SHEET), "value -1; .*0 to 1"),
        (lambda: connect(space.FixedInDegree(2, lambda d: d - 1), SHEET), "must be >= 0"),
        (lambda: connect(space.Bernoulli(lambda d: [0.1]), SHEET), "a value for each"),
        (lambda: connect(space.Bernoulli(GAUSS), SHEET, seed=None), "give a seed"),
        (lambda: connect(space.FixedInDegree(17, GAUSS, multiple=False), SHEET), "from 16 cand"),
        (
            lambda: connect(space.FixedOutDegree(9, space.Box(3e-4), multiple=False), SHEET),
            "9 partners of neuron 0 cannot be drawn: Box.* for 3 of 16",
        ),
        (
            lambda: connect(space.FixedInDegree(2, space.Box(2e-4), self_connections=False), SHEET),
            "for 0 of 16 neurons, itself left out",
        ),
        (lambda: connect(space.Bernoulli(space.Gaussian(1e-4, wrapped=True)), SHEET), "periodic"),
        (lambda: connect(space.Bernoulli(GAUSS), SHEET, TORUS), "different spaces"),
        (lambda: connect(space.Bernoulli(GAUSS), SHEET, space.grid(4)), "different spaces"),
        (lambda: connect(None, SHEET, delay=space.Conduction(0.3)), "sparse projection"),
        (lambda: connect(GAUSS, SHEET), "a function of distance; give a rule"),
        (lambda: connect(bs.FixedInDegree(2), SHEET, weights=lambda d: d), "OfDistance"),
        (lambda: connect(bs.FixedInDegree(2), SHEET, weights=NEGATIVE), "Dale"),
        (lambda: connect(bs.FixedInDegree(2), SHEET, delay=NEGATIVE), ">= 0"),
    ],
)  # fmt: skip
def test_messages(act, words):
    with pytest.raises(ValueError, match=words):
        act()


def test_distances_need_positions_of_both_populations():
    net = bs.Network(1e-3)
    a = net.population(4, bs.ei_lif(), "excitatory", name="A", positions=space.ring(4))
    b = net.population(4, bs.ei_lif(), "excitatory", name="B")
    for options in (
        {"synapses": space.Bernoulli(space.Gaussian(0.2))},
        {"synapses": bs.OneToOne(), "weights": space.Gaussian(0.2)},
        {"synapses": bs.OneToOne(), "weights": 0.1, "delay": space.Conduction(1.0)},
        {"weights": space.Gaussian(0.2)},
    ):
        with pytest.raises(ValueError, match="'B' has no positions"):
            net.connect(a, b, seed=1, **options)
    assert not net.projections
    net.connect(a, b, synapses=bs.OneToOne(), weights=0.1, name="p")
    with pytest.raises(ValueError, match="'B' has no positions"):
        space.distances(net, "p")
    with pytest.raises(ValueError, match="positions=bs.space.grid"):
        space.Bernoulli(space.Gaussian(0.2)).build(4, 4, False, None)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"synapses": space.Bernoulli(space.Gaussian(0.2))}, "200 mm long.*metres"),  # mm as m
        ({"synapses": space.FixedInDegree(2, space.Gaussian(2e-7))}, "200 nm long.*hardly any"),
        (
            {"synapses": bs.OneToOne(), "delay": space.Conduction(0.3e-3)},
            "offset|longest delay",
        ),
        (
            {"synapses": bs.FixedInDegree(9), "delay": space.Conduction(0.3e-3)},
            "longest delay by distance is .* metres",
        ),
        (
            {"synapses": bs.FixedInDegree(9), "delay": space.Conduction(300.0)},
            "little beside a step",
        ),
    ],
)
def test_lengths_in_another_unit_are_noticed(options, words):
    rule = options.pop("synapses")
    if isinstance(rule, bs.OneToOne):  # at distance 0 no velocity is too slow
        connect(rule, SHEET, **options)
    else:
        with pytest.warns(bs.UnitWarning, match=words):
            connect(rule, SHEET, **options)


def test_beyond_their_reach_functions_are_nothing():
    for profile, scale in (
        (space.Gaussian(0.3, peak=2), 0.3),
        (space.Exponential(0.2), 0.2),
        (space.Box(0.5), 0.5),
    ):
        assert profile.length == scale
        assert profile(np.array([profile.reach * 1.001]))[0] < 2e-16
    assert space.Gaussian(0.3, radius=0.4).reach == 0.4
    assert space.OfDistance(abs).reach == np.inf and space.OfDistance(abs).length is None


def test_a_velocity_in_millimetres_per_second_warns():
    with pytest.warns(bs.UnitWarning, match="velocity is 300 m/s.*Then give 300e-3"):
        space.Conduction(300.0)
