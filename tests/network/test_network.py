"""Networks, Dale's law and layers, and what is refused without a trace."""

from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs

from .small_networks import fill, small


def test_dalian_layer_wires_the_motif():
    net = small()
    assert {(p.pre, p.post, p.receptor) for p in net.projections} == {
        ("input", "E", "exc"),
        ("input", "I", "exc"),
        ("E", "E", "exc"),
        ("E", "I", "exc"),
        ("I", "E", "inh"),
        ("I", "I", "inh"),
        ("E", "readout", "syn"),
    }
    assert bs.recurrent_projections(net) == {"E->E", "E->I", "I->E", "I->I"}


def test_negative_weight_names_projection_index_and_value():
    net, weights = small(), np.full((3, 2), 0.2)
    weights[2, 1] = -0.5
    with pytest.raises(ValueError, match=r"'E->I': weight \[2, 1\] is -0.5.*Dale"):
        net.set_weights("E->I", weights)
    fill(net)
    net.weights["E->I"][0, 1] = -1
    with pytest.raises(ValueError, match=r"'E->I': weight \[0, 1\] is -1"):
        bs.run(net, bs.data.poisson(10, 4, 0.05, seed=0))


def test_audit_counts_signs_and_violations():
    net = fill(small())
    audit = bs.audit(net)
    assert (
        audit.signs["E"].tolist() == [1, 1, 1]
        and audit.signs["I"].tolist() == [-1, -1]
        and audit.violations == 0
    )
    net.weights["I->E"][1, 0] = -0.3
    audit = bs.audit(net)
    assert audit.signs["I"].tolist() == [-1, 2] and audit.violations == 1


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda net: bs.Network(0), "dt is 0"),
        (lambda net: net.population(0, bs.lif()), "must be a whole number from 1"),
        (lambda net: net.population(3, bs.lif(), name="E"), "already"),
        (
            lambda net: net.population(3, bs.lif(), sign="positive"),
            "excitatory, inhibitory, unsigned",
        ),
        (lambda net: net.population(3, bs.lif(tau_syn=5e-4)), "too coarse"),
        (
            lambda net: net.population(3, bs.lif(tau_mem=np.full(2, 0.02))),
            "2 values of time constant",
        ),
        (
            lambda net: bs.lif(tau_mem=-1),
            "time constant mem is -1; it must be a finite number in seconds > 0: seconds, one "
            "number or one per neuron",
        ),
        (lambda net: bs.lif(reset=2.0), "above the reset"),
        (lambda net: bs.lif(integrator="midpoint"), "exact, exponential_euler, euler"),
        (lambda net: bs.lif(refractory=-1e-3), "refractory"),
        (lambda net: bs.adaptive_lif(jump=np.nan), "adds nan to w_adapt; it must be finite"),
        (lambda net: bs.adaptive_lif(jump=np.ones((2, 2))), "one number or one per neuron"),
        (lambda net: bs.adaptive_lif(jump_delay=-1e-3), "jump_delay"),
        (
            lambda net: net.population(3, bs.ei_adaptive_lif(jump=np.ones(2))),
            "2 values of jump of 'w_adapt' for 3 neurons",
        ),
        (
            lambda net: net.population(3, bs.lif(), learn={"jump": "neuron"}),
            r"can be learned \(mem, syn, threshold\)",
        ),
        (
            lambda net: net.population(3, bs.adaptive_lif(), learn={"jump": "synapse"}),
            r"\(mem, syn, adapt, threshold, jump\) to 'population' or 'neuron'",
        ),
        (lambda net: replace(bs.lif(), spike_jumps={"U": 0.1}), "add to one of I"),
        (lambda net: bs.bounded(bs.lif(), 0.1), "must not lie above 0.0"),
        (lambda net: bs.bounded(bs.lif(), high=1.0), "above the threshold 1.0"),
        (lambda net: bs.bounded(bs.lif(), np.nan), "nan"),
        (lambda net: bs.bounded(bs.leaky_readout(), -1.0), "must be finite"),
        (lambda net: net.connect("E", "nobody"), "no population 'nobody'"),
        (lambda net: net.connect("E", "input"), "nothing can project"),
        (lambda net: net.connect("readout", "E"), "never spikes"),
        (lambda net: net.connect("E", "I", delay=-1e-3, name="x"), "delay"),
        (lambda net: net.connect("E", "I"), "already"),
        (lambda net: net.connect("I", "E", receptor="exc", name="x"), "Dale"),
        (lambda net: net.set_weights("E->I", np.ones((2, 3))), r"\(pre, post\) = \(3, 2\)"),
        (lambda net: net.set_weights("E->I", np.full((3, 2), np.nan)), "finite"),
        (lambda net: bs.run(net, bs.data.poisson(5, 4, 0.1, seed=0)), "without weights: input->E"),
        (lambda net: bs.run(fill(net), bs.data.poisson(5, 9, 0.1, seed=0)), "has 4 units"),
        (
            lambda net: bs.run(fill(net), bs.data.poisson(5, 4, 0.1, seed=0), record=["E.X"]),
            "E.U, E.I_exc",
        ),
        (lambda net: bs.run(fill(net), bs.data.poisson(5, 4, 0.1, seed=0), threads=0), "threads"),
        (
            lambda net: bs.run(
                fill(net), bs.data.poisson(5, 4, 0.1, seed=0), currents={"E": np.ones((7, 7))}
            ),
            "broadcast",
        ),
        (
            lambda net: bs.gradient(
                bs.run(fill(net), bs.data.poisson(5, 4, 0.1, seed=0), tape=True)
            ),
            "nothing to take a gradient of: give states, spikes or counts",
        ),
        (
            lambda net: bs.gradient(bs.run(fill(net), bs.data.poisson(5, 4, 0.1, seed=0))),
            "tape=True",
        ),
        (lambda net: bs.SuperSpike(-1), "steepness"),
    ],
)
def test_messages(act, words):
    with pytest.raises(ValueError, match=words):
        act(small())


def test_two_inputs_deliver_like_one():
    rng, dense = np.random.default_rng(0), np.random.default_rng(1).random((3, 40, 5)) < 0.1
    weights = rng.normal(0, 3, (5, 4))

    def build(parts):
        net = bs.Network(1e-3, np.float64)
        h = net.population(4, bs.lif(), name="h")
        for k, part in enumerate(parts):
            net.connect(net.input(len(part), name=f"x{k}"), h, weights=weights[part])
        return net, {
            f"x{k}": bs.SpikeTrains.from_dense(dense[:, :, part], 1e-3)
            for k, part in enumerate(parts)
        }

    one, two = (
        bs.run(*build(parts), record=["h.U"])
        for parts in ([np.arange(5)], [np.arange(2), np.arange(2, 5)])
    )
    np.testing.assert_allclose(two.states["h.U"], one.states["h.U"], atol=1e-12)
    assert one.counts["h"].sum() > 0


def test_a_longer_trial_has_the_same_beginning():
    net = fill(small(), 2.0)
    long = bs.data.poisson(60, 4, 0.2, seed=1)
    keep = long.times < 0.1
    short = bs.SpikeTrains(long.times[keep], long.units[keep], [0, keep.sum()], 4, 0.1)
    a, b = bs.run(net, short, record=["E.U"]), bs.run(net, long, record=["E.U"])
    assert np.array_equal(a.states["E.U"], b.states["E.U"][:, :100]) and a.counts["E"].sum() > 0


def test_spikes_are_a_refractory_period_apart():
    for refractory, steps in ((0.0, 1), (1e-3, 1), (2e-3, 2), (5e-3, 5)):
        net = bs.Network(1e-3)
        net.population(1, bs.lif(refractory=refractory), name="h")
        trace = bs.run(net, None, currents={"h": np.full((1, 1, 1), 1e4)}, duration=0.05)
        assert set(np.diff(np.round(trace.spikes["h"].times * 1e3))) == {steps}


@pytest.mark.statistical
def test_log_normal_time_constants():
    tau = bs.log_normal_time_constants(20e-3, 0.5, 200000, seed=0)
    assert tau.mean() == pytest.approx(20e-3, rel=0.01) and np.log(tau).std() == pytest.approx(
        0.5, rel=0.01
    )


def test_what_was_refused_leaves_nothing_behind():
    net = bs.Network(1e-3)
    x, h = net.input(4), net.population(3, bs.lif(), name="H")
    with pytest.raises(ValueError, match=r"weights have shape \(4, 8\)"):
        net.connect(x, h, weights=np.ones((4, 8)))
    net.connect(x, h, weights=np.ones((4, 3)))
    with pytest.raises(ValueError, match="bias has shape"):
        net.population(4, bs.lif(), name="B", bias=np.ones(3))
    net.population(4, bs.lif(), name="B", bias=np.ones(4))
    assert [p.name for p in net.populations] == ["input", "H", "B"]
    for name in ("L2/3E", "a.b", "a->b"):
        with pytest.raises(ValueError, match="population name"):
            net.population(4, bs.lif(), name=name)
    with pytest.raises(ValueError, match="initial is nan"):
        net.population(4, bs.lif(), name="N", initial=np.nan)


def test_equal_networks_have_one_fingerprint():
    def net(reset=0.0, tau=20e-3, n=5, rule=bs.OneToOne(), delay=1e-3):
        net = bs.Network(1e-3)
        x, h = net.input(n), net.population(n, bs.lif(tau_mem=tau, reset=reset), name="H")
        net.connect(x, h, delay=delay, weights=1.0, synapses=rule, seed=1)
        return net.fingerprint()

    same = [
        net(),
        net(0),
        net(np.float64(0)),
        net(tau=np.float64(20e-3)),
        net(n=np.int64(5)),
        net(delay=np.float32(1e-3)),
    ]
    assert len(set(same[:-1])) == 1
    others = [
        net(0.1),
        net(tau=21e-3),
        net(n=6),
        net(rule=bs.Bernoulli(0.5)),
        net(delay=2e-3),
        net("subtract"),
    ]
    assert len({same[0], *others}) == 7


def test_a_network_is_a_container_of_populations_by_name():
    net = small()
    assert (
        "E" in net and "X" not in net and 0 not in net and None not in net and net["E"] not in net
    )
    assert (
        list(net) == ["input", "E", "I", "readout"] == [p.name for p in net.populations]
        and len(net) == 4
    )
    assert bs.Network(1e-3) and len(bs.Network(1e-3)) == 0 and list(bs.Network(1e-3)) == []
    for wrong in ("X", 0, None, slice(2), ["E"], np.zeros(3), net["E"]):
        with pytest.raises(
            KeyError, match="^there is no population .*; there are input, E, I, readout.$"
        ):
            net[wrong]
    with pytest.raises(KeyError, match="no projection 'x'; there are input->E"):
        net.projection("x")
    for wrong in (None, 3, np.zeros(3), [], net):
        with pytest.raises(ValueError, match="it must be a population of the network, or its name"):
            net.connect(wrong, "E")
        with pytest.raises(KeyError, match="there is no projection"):
            net.set_weights(wrong, 1.0)
        with pytest.raises(ValueError, match="it must be a population of the network, or its name"):
            net.bias(wrong)


def test_lists_and_numpy_numbers_do_as_arguments():
    net = small()
    assert bs.families.Exponential().draw(np.random.default_rng(0), [np.int8(2), 3]).shape == (2, 3)
    assert np.allclose(
        bs.families.Exponential().density([0.0, 0.2], np.float32(0.25)), [4.0, 4.0 * np.exp(-0.8)]
    )
    assert np.array_equal(net.afferent_sums("E->I", [[1, 2], [3, 4], [5, 6]]), [9.0, 12.0])
    assert np.array_equal(net.afferent_squares("E->I", [[1, 2], [3, 4], [5, 6]]), [35.0, 56.0])
    neuron = bs.lif(threshold=np.array(2), reset=np.float32(0.5))
    assert (neuron.threshold, neuron.reset) == (2.0, 0.5) and type(neuron.threshold) is type(
        neuron.reset
    ) is float


LAYERS = [
    lambda net, source: bs.layer(net, source, 4, name="new"),
    lambda net, source: bs.dalian_layer(net, source, 4, 2),
    lambda net, source: bs.convolutional_layer(net, source, (1, 8), 2, 3, recurrent_kernel=3),
    lambda net, source: bs.dalian_convolutional_layer(net, source, (1, 8), 2, 1, 3),
]


@pytest.mark.parametrize("add", LAYERS)
def test_a_layer_that_cannot_be_added_leaves_nothing_behind(add):
    net = bs.Network(1e-3)
    net.input(8)
    net.readout(8, name="out")
    foreign = bs.Network(1e-3).input(8)
    for source, words in (
        ("nowhere", "there is no population 'nowhere'"),
        ("out", "it never spikes"),
        (foreign, "population of another network"),
        (3, "source is 3|pre is 3"),
    ):
        with pytest.raises(ValueError, match=words):
            add(net, source)
        assert list(net) == ["input", "out"] and not net.projections
        assert not net.weights and not net.synapses and not net.parameters
    add(net, "input")
    assert len(net) > 2 and net.projections


def test_a_convolutional_layer_whose_second_projection_fails_leaves_nothing_behind():
    net = bs.Network(1e-3)
    net.input(8)
    with pytest.raises(ValueError, match="needs an odd kernel"):
        bs.convolutional_layer(net, "input", (1, 8), 2, 3, recurrent_kernel=2)
    with pytest.raises(ValueError, match="has no receptor"):
        bs.dalian_convolutional_layer(
            net, "input", (1, 8), 2, 1, 3, neuron=bs.Neuron("bare", {"U": "m"}, {}, {}, {"m": 0.02})
        )
    assert list(net) == ["input"] and not net.projections


def test_a_projection_of_another_network_is_refused():
    nets = [bs.Network(1e-3) for _ in range(2)]
    for net in nets:
        net.connect(net.input(2), net.population(2, bs.lif(), name="A"), weights=np.eye(2))
    own, other = (net.projections[0] for net in nets)
    net = nets[0]
    assert net.projection(own) is own and net.projection("input->A") is own
    for act in (
        net.projection,
        net.delay_steps,
        net.indices,
        net.weight_shape,
        lambda p: net.set_weights(p, np.ones((2, 2))),
    ):
        with pytest.raises(ValueError, match="'input->A' is a projection of another network"):
            act(other)
    assert np.array_equal(net.weights["input->A"], np.eye(2))


def test_populations_are_found_by_name():
    net = bs.Network(1e-3)
    net.input(2)
    population = net.population(3, bs.lif(), name="A")
    assert net["A"] is population and "A" in net and "B" not in net and 3 not in net
    assert list(net) == ["input", "A"] and len(net) == 2 and net
    with pytest.raises(KeyError, match="there is no population 'X'; there are input, A"):
        net["X"]


@pytest.mark.parametrize(
    "add",
    [
        lambda net, x, **o: [bs.layer(net, x, 5, name="A", **o)],
        lambda net, x, **o: bs.dalian_layer(net, x, 8, 2, **o),
        lambda net, x, **o: bs.convolutional_layer(net, x, (1, 12), 2, 3, name="A", **o)[:1],
        lambda net, x, **o: bs.dalian_convolutional_layer(net, x, (1, 12), 2, 1, 3, **o)[:2],
    ],
)
def test_layers_learn_time_constants_like_populations(add):
    net = bs.Network(1e-3)
    populations = add(net, net.input(12), learn={"mem": "population"})
    keys = [(p.name, "mem") for p in populations]
    assert sorted(net.parameters) == sorted(keys)
