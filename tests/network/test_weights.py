"""Weights as users give them: in which order, from which objects, within which numbers."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.initializer.shadows import shadow_network

PRE, POST = (
    np.array([2, 0, 1, 0, 2, 1]),
    np.array([3, 1, 0, 0, 0, 2]),
)  # neither sorted nor without ties
W = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])


def pairs(pre=PRE, post=POST, weights=W, **options):
    net = bs.Network(1e-3, np.float64)
    a, b = (
        net.population(3, bs.lif(), "excitatory", name="A"),
        net.population(4, bs.lif(), "excitatory", name="B"),
    )
    net.connect(a, b, weights=weights, synapses=bs.Pairs(pre, post), **options)
    return net


def table(net, name="A->B"):
    j, i, w, _ = net.indices(name)
    return {(int(a), int(b)): float(c) for a, b, c in zip(j, i, w)}


def test_pairs_keep_the_order_of_the_user():
    net, wanted = pairs(delay=np.arange(6) * 1e-3), dict(zip(zip(PRE.tolist(), POST.tolist()), W))
    assert table(net) == wanted and net.weights["A->B"].tolist() == W.tolist()
    j, i, _, d = net.indices("A->B")
    assert {(a, b): round(1e3 * x) for a, b, x in zip(j, i, d)} == dict(
        zip(zip(PRE, POST), range(6))
    )
    net.set_weights("A->B", 10 * W)
    assert table(net) == {pair: 10 * w for pair, w in wanted.items()}
    net.set_weights("A->B", 2 * net.weights["A->B"])  # what was read is what is set
    assert table(net) == {pair: 20 * w for pair, w in wanted.items()}
    net.set_weights("A->B", 7.0)
    assert net.weights["A->B"].ndim == 0 and set(table(net).values()) == {7.0}
    net.connect(
        "A", "B", weights=W, synapses=net.synapses["A->B"], name="copy"
    )  # the same pairs, in the same order
    assert table(net, "copy") == wanted


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_pairs_is_one_network(seed):
    """Counts, currents, gradients and Dale's audit of pairs in random order, with several synapses
    of some pairs.
    """
    rng = np.random.default_rng(seed)
    pre, post, w, steps = (
        rng.integers(0, 3, 12),
        rng.integers(0, 4, 12),
        rng.exponential(1.0, 12),
        rng.integers(0, 4, 12),
    )
    sort = np.lexsort((post, pre))
    results = []
    for order in (sort, rng.permutation(12)):
        net = pairs(pre[order], post[order], None, delay=steps[order] * 1e-3)
        net.connect(net.input(3), "A", weights=np.full((3, 3), 0.8))
        net.connect("B", net.readout(1), weights=np.ones((4, 1)))
        net.set_weights("A->B", w[order])
        trace = bs.run(net, bs.data.poisson(100.0, 3, 0.1, 2, seed=1), record=["B.U"], tape=True)
        found = bs.gradient(
            trace, states={"readout.U": np.ones_like(trace.states["readout.U"])}, per_step=["A->B"]
        )
        dense = bs.simulate(
            net,
            0.1,
            bs.data.poisson(100.0, 3, 0.1, 1, seed=1),
            record={"B.U": slice(None)},
            progress=False,
        )
        back = np.empty(12)
        back[order] = found.weights["A->B"]
        assert net.weights["A->B"].tolist() == w[order].tolist() and bs.audit(net).violations == 0
        results.append(
            (
                trace.states["B.U"],
                back,
                found.per_step["A->B"],
                dense.states["B.U"],
                *net.indices("A->B")[:2],
                net.afferent_sums(net.projection("A->B"), w[order]),
            )
        )
        assert trace.counts["A"].sum() > 5 and np.abs(back).sum() > 0
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def test_plastic_pairs_and_a_constraint():
    net = bs.Network(1e-3, np.float64)
    i, e = (
        net.population(3, bs.lif(), "inhibitory", name="I"),
        net.population(4, bs.lif(), "excitatory", name="E"),
    )
    rule = bs.InhibitorySTDP(0.1, 5.0)
    net.connect(i, e, weights=W, synapses=bs.Pairs(PRE, POST), plasticity=rule)
    drive = [bs.Current("I", np.array([0.0, 0.0, 1.5])), bs.Current("E", 1.5)]
    first = bs.simulate(net, 0.2, background=drive, progress=False)
    learned = first.weights["I->E"]
    second = bs.simulate(net, 0.2, background=drive, state=first.state, progress=False)
    whole = bs.simulate(net, 0.4, background=drive, progress=False)
    assert np.array_equal(second.weights["I->E"], whole.weights["I->E"])
    order = np.lexsort((POST, PRE))
    other = bs.Network(1e-3, np.float64)
    i, e = (
        other.population(3, bs.lif(), "inhibitory", name="I"),
        other.population(4, bs.lif(), "excitatory", name="E"),
    )
    other.connect(
        i, e, weights=W[order], synapses=bs.Pairs(PRE[order], POST[order]), plasticity=rule
    )
    assert np.array_equal(
        bs.simulate(other, 0.2, background=drive, progress=False).weights["I->E"], learned[order]
    )
    assert not np.array_equal(learned, W)
    plain, weights = pairs(), W.copy()
    bs.WeightConstraint(norm=5.0).apply(weights, plain.synapses["A->B"])
    for k in range(4):  # onto target 0 come 3, 4 and 5
        norm = np.sqrt(np.sum(W[k == POST] ** 2))
        np.testing.assert_allclose(weights[k == POST], W[k == POST] * min(1, 5 / norm))


@pytest.mark.statistical
def test_a_distribution_as_the_weights_of_a_dense_projection():
    net = bs.Network(1e-3)
    a, b = (
        net.population(200, bs.lif(), "excitatory", name="A"),
        net.population(300, bs.lif(), "excitatory", name="B"),
    )
    net.connect(a, b, weights=bs.LogNormal(0.2, 0.5), seed=1)
    w = net.weights["A->B"]
    assert (
        w.shape == (200, 300) and w.dtype == np.float32 and w.mean() == pytest.approx(0.2, rel=0.02)
    )
    assert np.log(w).std() == pytest.approx(0.5, rel=0.02)
    net.connect(b, a, weights=lambda rng, size: rng.uniform(1, 2, size), seed=1)
    assert net.weights["B->A"].shape == (300, 200) and net.weights["B->A"].min() >= 1
    for given, words in (
        (dict(weights=bs.Normal(0, 1)), "drawn at random: give a seed"),
        (dict(weights=bs.Normal(0, 1), seed=1), "violates Dale"),
        (
            dict(weights=bs.families.Exponential, seed=1),
            "weights are the class Exponential; give a distribution",
        ),
        (dict(weights=lambda rng, size: rng.random(3), seed=1), r"drew an array of shape \(3,\)"),
        (
            dict(weights=lambda rng, size: "abc", seed=1),
            "values drawn from .* must be real numbers",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            net.connect(a, a, **given)
        assert "A->A" not in net._projections and "A->A" not in net.weights
    with pytest.raises(
        ValueError, match="set_weights takes numbers. Give distributions to connect"
    ):
        net.set_weights("A->B", bs.families.Exponential())


class Tensor:
    """As much of a tensor of PyTorch as is needed here."""

    def __init__(self, array):
        self.array = np.asarray(array, np.float32)

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.array


def test_weights_of_pytorch_are_transposed():
    weight = np.arange(6.0).reshape(2, 3)  # (post, pre)
    for given in (weight, Tensor(weight), weight.tolist()):
        array = bs.interop.from_torch(given)
        assert np.array_equal(array, weight.T) and array.flags.c_contiguous
    net = bs.Network(1e-3)
    a, b = net.population(2, bs.lif(), name="A"), net.population(2, bs.lif(), name="B")
    square = np.array([[1.0, 2.0], [3.0, 4.0]])
    net.connect(a, b, weights=bs.interop.from_torch(Tensor(square)))
    assert np.array_equal(net.weights["A->B"], square.T)
    for act in (
        lambda: net.set_weights("A->B", Tensor(square)),
        lambda: net.connect(b, a, weights=Tensor(square)),
    ):
        with pytest.raises(
            ValueError,
            match=r"tensor of PyTorch, whose layers have \(post, pre\): give bs.interop.from_torch",
        ):
            act()
    for wrong, words in (
        (np.ones(3), "has shape"),
        ("text", "must be"),
        (np.full((2, 2), np.nan), "finite numbers"),
        (None, "must be"),
    ):
        with pytest.raises(ValueError, match="from_torch: weight.*" + words):
            bs.interop.from_torch(wrong)


def dense(dtype=np.float32):
    net = bs.Network(1e-3, dtype)
    net.connect(
        net.population(2, bs.lif(), name="A"),
        net.population(2, bs.lif(), name="B"),
        weights=np.ones((2, 2)),
    )
    return net


@pytest.mark.parametrize(
    "weights, words",
    [
        (np.ma.array(np.ones((2, 2)), mask=[[0, 1], [0, 0]]), "without masked elements"),
        (np.full((2, 2), 1e39), r"has the value 1e\+39; float32 holds numbers up to 3.4e\+38"),
        (1e39, r"has the value 1e\+39"),
        ("abc", "must be"),
        ([[1, 2], [3]], "array of real numbers"),
        (None, "must be"),
        ([["a", "b"], ["c", "d"]], "not texts"),
        (np.ones((2, 2)) * 1j, "not complex numbers"),
        (np.ones((2, 2), bool), "not flags"),
        (np.full((2, 2), np.inf), "finite"),
        (np.array([[1, 2], [3, None]]), "array of real numbers"),
        (np.ones(2), r"\(pre, post\) = \(2, 2\)"),
    ],
)
def test_weights_that_are_none(weights, words):
    net = dense()
    with pytest.raises(ValueError, match=f"'A->B': weights.*{words}"):
        net.set_weights("A->B", weights)
    if weights is not None:
        with pytest.raises(ValueError, match=f"'C': weights.*{words}"):
            net.connect("A", "B", weights=weights, name="C")
        assert len(net.projections) == 1
    assert np.array_equal(net.weights["A->B"], np.ones((2, 2)))


def test_a_masked_array_without_masked_elements_and_narrow_numbers():
    net = dense()
    net.set_weights("A->B", np.ma.array(np.full((2, 2), 2.0)))
    assert type(net.weights["A->B"]) is np.ndarray and net.weights["A->B"].sum() == 8
    net.set_weights("A->B", np.full((2, 2), 100, np.int8))
    assert net.weights["A->B"].sum() == 400 and net.weights["A->B"].dtype == np.float32
    dense(np.float64).set_weights("A->B", np.full((2, 2), 1e39))  # double precision holds it


def test_copies_that_never_spike_have_the_delays_of_pairs():
    net = bs.Network(1e-3)
    x, h = net.input(3), net.population(2, bs.lif(), name="h")
    net.connect(
        x,
        h,
        delay=np.array([5, 1, 7, 3]) * 1e-3,
        weights=np.arange(1.0, 5.0),
        receptor="exc",
        name="x->h",
        synapses=bs.Pairs([2, 0, 1, 0], [0, 1, 1, 0]),
    )
    shadow = shadow_network(net, {"h": [{"x->h": net.weights["x->h"]}]})
    for here, there in zip(net.indices("x->h"), shadow.indices("0 x->h"), strict=True):
        assert np.array_equal(here, there)


@pytest.mark.parametrize("weights", [0.5, W])
def test_pairs_with_one_weight_or_several_in_a_file(tmp_path, weights):
    net, other = pairs(weights=weights), pairs(weights=0.1)
    bs.save(net, tmp_path / "w.npz")
    bs.load_weights(other, tmp_path / "w.npz")
    assert np.shape(other.weights["A->B"]) == np.shape(weights) and table(other) == table(net)
