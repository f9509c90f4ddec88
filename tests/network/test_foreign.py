"""Rules, distributions and surrogates that somebody else has written."""

import numpy as np
import pytest

import biosnn as bs
from biosnn.network.synapses import Rows

DT = 1e-3


class Ring:
    """Every neuron projects onto its `reach` next neighbours."""

    random = False

    def __init__(self, reach):
        self.reach = reach

    def build(self, n_pre, n_post, same, rng):
        assert rng is None and same == (n_pre == n_post == 5)
        pre = np.repeat(np.arange(n_pre), self.reach)
        post = (pre + np.tile(1 + np.arange(self.reach), n_pre)) % n_post
        return bs.Pairs(pre, post).build(n_pre, n_post, same, rng)


class Built:
    """What is given, as it is."""

    random = False

    def __init__(self, *built):
        self.built = built

    def build(self, n_pre, n_post, same, rng):
        return self.built


class Some:
    """Each target with its own number of sources."""

    def build(self, n_pre, n_post, same, rng):
        counts = rng.integers(0, 3, n_pre)
        target = np.concatenate([np.sort(rng.integers(0, n_post, n)) for n in counts])
        return Rows(np.concatenate([[0], np.cumsum(counts)]), target.astype(np.int64))


class TwoValues:
    """One of two weights or delays."""

    def __init__(self, one, other):
        self.values = np.array([one, other])

    def draw(self, rng, size):
        return self.values[rng.integers(0, 2, size)]


def population(net, n, name="A", **more):
    return net.population(n, bs.lif(), name=name, **more)


def test_a_rule_of_ones_own_connects_and_runs():
    net = bs.Network(DT)
    x, a = net.input(5), population(net, 5)
    net.connect(x, a, weights=3.0 * np.eye(5))
    net.connect(a, a, synapses=Ring(2), weights=0.5)
    j, i, w, _ = net.indices("A->A")
    assert i.reshape(5, 2).tolist() == [[1, 2], [2, 3], [3, 4], [0, 4], [0, 1]]
    assert np.array_equal(j, np.repeat(np.arange(5), 2)) and np.all(w == np.float32(0.5))
    dense = bs.Network(DT)
    y, b = dense.input(5), population(dense, 5)
    dense.connect(y, b, weights=3.0 * np.eye(5))
    weights = np.zeros((5, 5))
    weights[j, i] = 0.5
    dense.connect(b, b, weights=weights)
    spikes = bs.data.poisson(rates=100.0, n_units=5, duration=0.2, seed=1)
    rates = [bs.run(each, spikes).counts["A"] for each in (net, dense)]
    assert np.array_equal(*rates) and rates[0].sum() > 0


def test_a_random_rule_of_ones_own_depends_on_the_seed():
    def built(seed):
        net = bs.Network(DT)
        a = population(net, 50)
        net.connect(a, a, synapses=Some(), weights=0.1, seed=seed)
        return net.synapses["A->A"]

    assert np.array_equal(built(1).target, built(1).target)
    assert built(1).digest != built(2).digest and built(1).target.dtype == np.uint16
    net = bs.Network(DT)
    a = population(net, 5)
    with pytest.raises(ValueError, match="drawn at random: give a seed"):
        net.connect(a, a, synapses=Some(), weights=0.1)


@pytest.mark.parametrize(
    "built, words",
    [
        ((), "build must return Rows"),
        (([0, 1], [0], None), r"first must have n_pre \+ 1 = 4 elements"),
        (([0, 1, 1, 2], [0], None), "from 0 to the number of targets, 1"),
        (([0, 2, 1, 2], [0, 1], None), "first must not descend"),
        (
            ([0, 1, 2, 3], [0, 1, 3], None),
            "targets run from 0 to 3; the population has the neurons",
        ),
        (([0, 1, 2, 3], [0, -1, 2], None), "targets run from -1 to 2"),
        (([0, 2, 3, 3], [1, 0, 2], None), "targets must ascend within the row"),
        (([0, 1, 2, 3], [0.0, 1.0, 2.0], None), "target must be an array of whole numbers"),
        (([0, 1, 2, 3], [0, 1, 2], ([0, 1], (2,))), "one element for each of the 3 synapses"),
        (
            ([0, 1, 2, 3], [0, 1, 2], ([0, 1, 2], (2,))),
            r"from 0 to 1: weights have the shape \(2,\)",
        ),
    ],
)
def test_what_a_rule_builds_is_checked(built, words):
    net = bs.Network(DT)
    a = population(net, 3)
    with pytest.raises(ValueError, match=words):
        net.connect(a, a, synapses=Built(*built), weights=0.1)
    assert not net.projections and not net.synapses and not net.weights


def test_rows_may_begin_with_smaller_targets_than_the_row_before():
    net = bs.Network(DT)
    a = population(net, 3)
    net.connect(a, a, synapses=Built([0, 2, 2, 4], [1, 2, 0, 0], None), weights=0.1)
    assert net.synapses["A->A"].multiplicity == 6 / 4


def test_a_distribution_of_ones_own_gives_weights_and_delays():
    net = bs.Network(DT)
    a = population(net, 40)
    net.connect(a, a, name="dense", weights=TwoValues(0.25, 0.5), seed=1)
    assert set(np.unique(net.weights["dense"])) == {0.25, 0.5}
    net.connect(
        a,
        a,
        name="sparse",
        synapses=bs.Bernoulli(0.3),
        weights=TwoValues(1.0, 2.0),
        delay=TwoValues(2e-3, 5e-3),
        seed=1,
    )
    assert set(net.synapses["sparse"].delay.tolist()) == {2, 5}
    weights = net.weights["sparse"]
    assert set(weights.tolist()) == {1.0, 2.0} and 0.4 < np.mean(weights == 1.0) < 0.6


class Wide(bs.SuperSpike):
    """SuperSpike, by its width at half of its peak."""

    def __init__(self, width):
        super().__init__(steepness=2 * (2**0.5 - 1) / width)


def test_a_surrogate_of_ones_own_is_one_of_the_compiled_ones():
    def gradient_of(surrogate):
        net = bs.Network(DT)
        x, a, out = net.input(5), population(net, 4, surrogate=surrogate), net.readout(2)
        net.connect(x, a, weights=bs.Normal(0.5, 0.3), seed=1)
        net.connect(a, out, weights=bs.Normal(0.0, 1.0), seed=1)
        spikes = bs.data.poisson(rates=100.0, n_units=5, duration=0.1, seed=1)
        trace = bs.run(net, spikes, tape=True, record=["readout.U"])
        return bs.gradient(trace, states={"readout.U": np.ones_like(trace.states["readout.U"])})

    wide = Wide(0.1)
    assert wide.derivative([0.0, 0.05]) == pytest.approx([1.0, 0.5])
    given, same = (
        gradient_of(each).weights["input->A"] for each in (wide, bs.SuperSpike(wide.steepness))
    )
    assert np.array_equal(given, same) and np.any(given)


def test_a_surrogate_without_a_compiled_formula_is_refused():
    class Mine(bs.Surrogate):
        pass

    net = bs.Network(DT)
    for surrogate, words in (
        (Mine(), "has no compiled formula"),
        (np.tanh, "use for instance Sup"),
    ):
        with pytest.raises(ValueError, match=words):
            population(net, 3, surrogate=surrogate)


def test_a_family_of_the_initializer_is_no_distribution():
    """It has the name of a distribution, but mean 1."""
    net, family = bs.Network(DT), bs.families.LogNormal(0.5)
    a = population(net, 3)
    words = r"are the family LogNormal\(sigma=0.5\), whose mean is for fluctuation_driven to choose"
    for what, given in (("weights", {"weights": family}), ("delays", {"delay": family})):
        with pytest.raises(ValueError, match=f"{what} {words}"):
            net.connect(a, a, synapses=bs.Bernoulli(0.5), seed=1, **given)
    assert not net.projections
    with pytest.raises(ValueError, match=f"initial 'A.U' {words}"):
        bs.simulate(net, 0.01, initial={"A.U": family}, progress=False)
