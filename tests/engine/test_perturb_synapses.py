"""Lesions, scaling and rewiring of synapses; evaluation, audit, and what careless users meet."""

import numpy as np
import pytest

import biosnn as bs
import tests.kernels.circuit as small
from biosnn import perturb
from biosnn.network import rewiring
from tests.engine.circuit import BACKGROUND, dense, same, sparse
from tests.engine.pieces import DT


def graph(rule, n_pre=60, n_post=40, **options):
    net = bs.Network(DT, np.float64)
    a = net.population(n_pre, bs.ei_lif(), "excitatory", name="A")
    b = net.population(n_post, bs.ei_lif(), "excitatory", name="B")
    given = {"weights": bs.Exponential(0.1), "delay": bs.Uniform(1e-3, 9e-3), "seed": 1} | options
    net.connect(a, b, synapses=rule, name="A->B", **given)
    net.connect(a, a, synapses=bs.Bernoulli(0.2), name="A->A", **given)
    return net


@pytest.mark.parametrize("name", ["A->B", "A->A"])
@pytest.mark.parametrize("preserve", ["in-degree", "out-degree", "both"])
def test_rewiring_keeps_degrees_weights_and_delays(name, preserve):
    rng = np.random.default_rng(3)
    pairs = rng.permutation(60 * 40)[:500]  # in no order, so that weights have one of their own
    net = graph(bs.Pairs(pairs // 40, pairs % 40))
    other = perturb.apply(net, [perturb.Rewire(name, fraction=0.5, preserve=preserve, seed=4)])
    j, i, w, d = net.indices(name)
    new_j, new_i, new_w, new_d = other.indices(name)
    n_pre, n_post = net["A"].n, net[name[-1]].n
    for ends, new, n, kept in (
        (i, new_i, n_post, preserve in ("in-degree", "both")),
        (j, new_j, n_pre, preserve in ("out-degree", "both")),
    ):
        assert np.array_equal(np.bincount(ends, minlength=n), np.bincount(new, minlength=n)) == kept
    assert sorted(zip(w, d)) == sorted(zip(new_w, new_d))
    assert np.array_equal(other.weights[name], net.weights[name])
    before, after = set(zip(j, i)), set(zip(new_j, new_i))
    assert len(after) == j.size  # no pair twice
    if name == "A->A":
        assert np.any(j == i) == np.any(new_j == new_i)
    assert 0.45 < len(before & after) / j.size < 0.75
    same_again = perturb.apply(net, [perturb.Rewire(name, fraction=0.5, preserve=preserve, seed=4)])
    assert same_again.fingerprint() == other.fingerprint() != net.fingerprint()


def test_weights_and_delays_stay_with_their_targets_or_sources():
    net = graph(bs.Bernoulli(0.3))
    for preserve, end in (("in-degree", 1), ("out-degree", 0)):
        other = perturb.apply(net, [perturb.Rewire("A->B", preserve=preserve)])
        before, after = net.indices("A->B"), other.indices("A->B")
        assert sorted(zip(before[end], before[2], before[3])) == sorted(
            zip(after[end], after[2], after[3])
        )


def test_rewired_sources_are_uniform():
    net = graph(bs.FixedInDegree(20), n_pre=50, n_post=2000)
    other = perturb.apply(net, [perturb.Rewire("A->B")])
    counts = np.bincount(other.indices("A->B")[0], minlength=50)
    expected = 20 * 2000 / 50
    chi = np.sum((counts - expected) ** 2 / expected)
    assert 25 < chi < 90  # 49 degrees of freedom


def test_a_run_of_a_lesioned_network_is_that_of_one_built_so():
    net, spikes = dense(), bs.data.poisson(30, 50, 0.1, 2, seed=1)
    changes = [
        perturb.LesionSynapses("E->I", fraction=0.4, seed=5),
        perturb.Scale("I->E", 0.5, pre=slice(10), post=np.arange(200) % 2 == 0),
        perturb.Scale("E->E", 2.0),
    ]
    trace = bs.run(net, spikes, record=["E.U"], perturbations=changes)
    cut = perturb.apply(net, changes[:1]).weights["E->I"]
    assert (cut == 0).sum() == round(0.4 * cut.size)
    assert np.array_equal(cut[cut != 0], net.weights["E->I"][cut != 0])
    built = dense()
    built.set_weights("E->I", cut)
    weights = built.weights["I->E"].copy()
    weights[:10, ::2] *= 0.5
    built.set_weights("I->E", weights)
    built.set_weights("E->E", 2 * built.weights["E->E"])
    expected = bs.run(built, spikes, record=["E.U"])
    assert np.array_equal(trace.states["E.U"], expected.states["E.U"])
    assert not np.array_equal(trace.counts["E"], bs.run(net, spikes).counts["E"])
    assert trace.network is net and np.all(net.weights["E->I"] != 0)


def test_synapses_of_simulate_and_states_before_and_after():
    net = sparse()
    changes = [
        perturb.Rewire("E->E", fraction=0.5, seed=1),
        perturb.LesionSynapses("I->E", fraction=0.3),
        perturb.Scale("E->I", 1.5),
    ]
    options = {"background": BACKGROUND, "progress": False}
    before = bs.simulate(net, 0.03, **options)
    done = bs.simulate(net, 0.05, state=before.state, perturbations=changes, **options)
    expected = perturb.apply(net, changes)
    j, i, w, _ = expected.indices("I->E")
    assert (w == 0).sum() == round(0.3 * w.size)
    whole = bs.simulate(expected, 0.05, **options)
    again = bs.simulate(net, 0.05, perturbations=changes, **options)
    assert same(whole, again) and not same(again, bs.simulate(net, 0.05, **options))
    after = bs.simulate(net, 0.02, state=done.state, **options)
    assert after.start == pytest.approx(0.08) and after.counts["E"] > 0
    trained = bs.run(small.circuit(), small.spikes())
    assert trained.perturbations == ()


def test_a_larger_fraction_has_those_of_a_smaller_one_and_one_seed_chooses_the_same():
    net = dense()
    few = perturb.Silence("E", fraction=0.1, seed=3).of(net)[1]
    more = perturb.Stimulate("E", 1.0, fraction=0.3, seed=3).of(net)[1]
    assert few.size == 20 and more.size == 60 and np.isin(few, more).all()
    assert not np.array_equal(few, perturb.Silence("E", fraction=0.1, seed=4).of(net)[1])
    some = perturb.Silence("E", neurons=slice(100, None), fraction=0.5).of(net)[1]
    assert some.min() >= 100 and some.size == 50


def test_gradients_are_by_the_weights_as_they_were_run():
    net, trains = small.circuit(), small.spikes()
    grad = np.random.default_rng(2).normal(size=(3, 30, 3))
    changes = [perturb.Scale("A->out", 2.0), perturb.LesionSynapses("A->B", fraction=0.5)]
    found = bs.gradient(
        bs.run(net, trains, tape=True, perturbations=changes), states={"out.U": grad}
    )
    expected = bs.gradient(
        bs.run(perturb.apply(net, changes), trains, tape=True), states={"out.U": grad}
    )
    for name, weights in expected.weights.items():
        assert np.array_equal(found.weights[name], weights)


def test_evaluate_is_run_trial_by_trial():
    net, trains = small.circuit(refractory=2e-3), small.spikes(n_trials=7)
    changes = [
        perturb.Silence("A", fraction=0.4, start=5 * DT, stop=20 * DT),
        perturb.Stimulate("B", 2.0, start=3 * DT, stop=9 * DT),
        perturb.Silence("input", neurons=[1], start=10 * DT),
        perturb.Scale("A->out", 0.7),
    ]
    loss = bs.MaxOverTimeCrossEntropy()
    found = bs.evaluate(net, trains, loss=loss, batch=3, perturbations=changes)
    trace = bs.run(net, trains, perturbations=changes)
    value, _ = loss.value_and_gradient(trace.states["out.U"], trains.labels, None)
    assert found.loss == pytest.approx(value, rel=1e-12)
    assert found.loss != pytest.approx(bs.evaluate(net, trains, loss=loss).loss, rel=1e-3)
    assert found.rates["A"] == pytest.approx(trace.counts["A"].mean() / 0.03)
    predicted = bs.predict(net, trains, loss=loss, batch=3, perturbations=changes)
    assert np.array_equal(predicted.predictions, found.predictions)
    assert predicted.rates == found.rates


def test_audit_and_objects_report():
    net = dense()
    changes = [
        perturb.Lesion("E", neurons=slice(20)),
        perturb.LesionSynapses("I->E"),
        perturb.LesionSynapses("I->I"),
        perturb.Silence("E", start=0.01, stop=0.02),
    ]
    audit = bs.audit(net, perturbations=changes)
    assert np.array_equal(audit.signs["E"] == 0, np.arange(200) < 20)
    assert not audit.signs["I"].any() and audit.violations == 0
    trace = bs.run(net, bs.data.poisson(30, 50, 0.05, seed=1), perturbations=changes)
    done = bs.simulate(net, 0.05, progress=False, perturbations=changes)
    assert trace.perturbations == done.perturbations == tuple(changes)
    for thing in (audit, trace, done):
        assert "20 of 200 neurons of E" in repr(thing) and "10 ms to 20 ms" in repr(thing)
    assert repr(changes[-1]) == "Silence('E', start=0.01, stop=0.02)"


def run(net, *changes, **options):
    return bs.run(net, duration=0.1, perturbations=list(changes), **options)


CARELESS = [
    (lambda p: p.Silence("E", start=20, stop=30), "are these in ms"),
    (lambda p: p.Silence("E", start=0.02, stop=0.2), "the run is 0.1 s long"),
    (lambda p: p.Silence("E", start=0.03, stop=0.02), "stop"),
    (lambda p: p.Silence("E", start=-0.1), "start"),
    (lambda p: p.Silence("E", start=0.0201, stop=0.0202), "less than a step"),
    (lambda p: p.Silence("F"), "no population 'F'"),
    (lambda p: p.Silence("E", neurons=[5]), "neurons of 0 .. 4"),
    (lambda p: p.Silence("E", neurons=[1, 1]), "twice"),
    (lambda p: p.Silence("E", neurons=[0.5]), "neurons of 0 .. 4"),
    (lambda p: p.Silence("E", neurons=np.ones(4, bool)), "mask"),
    (lambda p: p.Silence("E", fraction=20), "share"),
    (lambda p: p.Silence("out"), "must be one of neurons that spike or inputs"),
    (lambda p: p.Clamp("E", [1, 2]), r"shape \(2,\)"),
    (lambda p: p.Clamp("E", np.nan), "finite"),
    (lambda p: p.Stimulate("E", "strong"), "current"),
    (lambda p: p.LesionSynapses("E->I"), "no projection"),
    (lambda p: p.LesionSynapses("E"), "no projection"),
    (lambda p: p.LesionSynapses("E->E", pre=[9]), "0 .. 4"),
    (lambda p: p.Scale("E->E", -1), "keeps its sign"),
    (lambda p: p.Rewire("E->E"), "dense"),
    (lambda p: p.Rewire("E->E", preserve="in"), "in-degree"),
    (lambda p: p.Silence, "perturb"),
    (lambda p: "Silence", "perturb"),
    (lambda p: bs.Current("E", 1.0), "perturb"),
]


@pytest.mark.parametrize("make, message", CARELESS)
@pytest.mark.filterwarnings("ignore::biosnn.RoundingWarning")
def test_careless_users_read_what_is_wrong(make, message):
    net = bs.Network(DT)
    e = net.population(5, bs.ei_lif(), "excitatory", name="E")
    net.connect(e, e, weights=np.ones((5, 5)))
    net.connect(e, net.readout(2, name="out"), weights=np.ones((5, 2)))
    with pytest.raises(ValueError, match=message):
        run(net, make(perturb))


def test_two_windows_cannot_hold_one_neuron_at_once():
    net = bs.Network(DT)
    net.population(5, bs.ei_lif(), "excitatory", name="E")
    first = perturb.Silence("E", neurons=[1, 2], stop=0.05)
    with pytest.raises(ValueError, match="neuron 2 of 'E' twice .* 0 ms to 50 ms and from 40 ms"):
        run(net, first, perturb.Clamp("E", 0.1, neurons=[2, 3], start=0.04, stop=0.06))
    run(net, first, perturb.Clamp("E", 0.1, neurons=[2, 3], start=0.05))
    run(net, first, perturb.Clamp("E", 0.1, neurons=[3]))
    run(net, first, perturb.Lesion("E", neurons=[1]))
    with pytest.raises(ValueError, match="a list, such as"):
        bs.run(net, duration=0.1, perturbations=first)
    with pytest.raises(ValueError, match="acts for a while"):
        perturb.apply(net, [first])


def test_what_learns_or_shares_weights_is_refused(monkeypatch):
    net = bs.Network(DT)
    e = net.population(8, bs.ei_lif(), "excitatory", name="E")
    i = net.population(4, bs.ei_lif(), "inhibitory", name="I")
    net.connect(
        i,
        e,
        synapses=bs.FixedInDegree(2),
        weights=0.1,
        seed=1,
        plasticity=bs.InhibitorySTDP(1e-3, 5.0),
    )
    kernel = bs.Convolution((1, 8), 1, 3)
    net.connect(e, net.population(6, bs.ei_lif(), name="F"), synapses=kernel, weights=0.1)
    for change in (
        perturb.LesionSynapses("I->E"),
        perturb.Scale("I->E", 2),
        perturb.Rewire("I->E"),
    ):
        with pytest.raises(ValueError, match="InhibitorySTDP changes these weights"):
            bs.simulate(net, 0.01, progress=False, perturbations=[change])
    with pytest.raises(ValueError, match="share their weights"):
        perturb.apply(net, [perturb.LesionSynapses("E->F", fraction=0.5)])
    with pytest.raises(ValueError, match="share their weights"):
        perturb.apply(net, [perturb.Rewire("E->F")])
    assert np.all(perturb.apply(net, [perturb.Scale("E->F", 2)]).weights["E->F"] == np.float32(0.2))
    for name, rest in (("I", "I->E"), ("E", "E->F, pool")):
        net.pool(e, bs.MaxPool((1, 8), 2), name="pool") if name == "E" else None
        with pytest.raises(ValueError, match=f"do to {rest} does not end"):
            perturb.apply(net, [perturb.Lesion(name, neurons=[0])])
    full = graph(bs.Bernoulli(0.999))
    monkeypatch.setattr(rewiring, "_ROUNDS", 3)
    with pytest.raises(ValueError, match="hardly any pairs are free"):
        perturb.apply(full, [perturb.Rewire("A->B", preserve="out-degree")])
    done = bs.simulate(
        net, 0.02, background=[bs.Current("I", 3.0)], progress=False,
        perturbations=[perturb.Lesion("I", neurons=[0])],
    )  # fmt: skip
    assert 0 not in done.spikes["I"].units and done.counts["I"] > 3
