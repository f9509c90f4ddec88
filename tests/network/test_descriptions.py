"""What careless users are told of neurons, populations, projections and other parts."""

from dataclasses import replace

import numpy as np
import pytest

import biosnn as bs

from .small_networks import small


@pytest.mark.parametrize(
    "act, words",
    [
        (lambda net: bs.Network("a"), "dt is 'a'"),
        (lambda net: bs.Network(None), "dt is None"),
        (lambda net: bs.Network([1e-3]), "dt is "),
        (lambda net: bs.Network(np.nan), "dt is nan"),
        (lambda net: bs.Network(True), "dt is True"),
        (lambda net: bs.Network(1e-3, "float16"), "dtype is 'float16'"),
        (lambda net: bs.Network(1e-3, None), "dtype is None"),
        (lambda net: bs.Network(1e-3, "nonsense"), "dtype is 'nonsense'"),
        (lambda net: bs.Network(1e-3, 3), "dtype is 3"),
        (lambda net: net.input(2.0, name="b"), "n, the number of neurons, is 2.0"),
        (lambda net: net.input(2**63, name="b"), "from 1 to 2147483647"),
        (lambda net: net.input(np.uint64(2**63 + 3), name="b"), "from 1 to 2147483647"),
        (lambda net: net.input(True, name="b"), "is True"),
        (lambda net: net.input("3", name="b"), "is '3'"),
        (lambda net: net.input(3, name=None), "population name None"),
        (lambda net: net.input(3, name=""), "population name ''"),
        (lambda net: net.population(3, bs.lif(), name=5), "population name 5"),
        (lambda net: net.population(3, None), "neuron is None; it must be a neuron model"),
        (lambda net: net.population(3, bs.lif), "neuron is of type function; it must be"),
        (lambda net: net.population(3, bs.lif(), sign=None), "sign None is not one of"),
        (lambda net: net.population(3, bs.lif(), sign=1), "sign 1"),
        (lambda net: net.population(3, bs.lif(), initial="a"), "initial is 'a'"),
        (lambda net: net.population(3, bs.lif(), initial=None), "initial is None"),
        (
            lambda net: net.population(3, bs.lif(), initial=1e39),
            "initial has the value 1e\\+39; float32 holds",
        ),
        (lambda net: net.population(3, bs.lif(), learn="mem"), "learn is 'mem'; it must be a dict"),
        (
            lambda net: net.population(3, bs.lif(), learn={"mem": ["neuron"]}),
            "to 'population' or 'neuron'",
        ),
        (lambda net: net.population(3, bs.lif(), bias="a"), "bias is 'a'"),
        (lambda net: net.population(3, bs.lif(), bias=[1, 2]), r"bias has shape \(2,\)"),
        (lambda net: net.population(3, bs.lif(), bias=1e39), "bias has the value 1e\\+39"),
        (lambda net: net.population(3, bs.lif(), noise=1), "noise is 1"),
        (lambda net: net.pool(None, 1), "source is None; it must be a population"),
        (lambda net: net.pool("E", (1, 3)), r"pooling is \(1, 3\)"),
        *(
            (
                lambda net, name=name: net.connect("E", "I", name=name, synapses=bs.OneToOne()),
                "name of a projection is '.*characters that files can hold",
            )
            for name in ("\ud800", "a\0b", "E\udfff")
        ),
        *(
            (
                lambda net, name=name: net.input(3, name=name),
                "population name '.*characters that files can hold",
            )
            for name in ("\ud800", "a\0b")
        ),
        *(
            (
                lambda net, value=value: net.population(3, bs.lif(refractory=value)),
                "refractory is .* steps of dt = .*; it can be 2147483646 steps at most",
            )
            for value in (1e39, 1e308, 1e10)
        ),
        (
            lambda net: net.population(3, bs.adaptive_lif(jump_delay=1e39)),
            "jump_delay is 1e\\+39 s, .* 65535 steps at most",
        ),
        (
            lambda net: net.connect(
                "E", "I", name="x", synapses=bs.Pairs([0], [0], lambda rng, size: rng.random(size))
            ),
            "drawn at random: give a seed",
        ),
        *(
            (
                lambda net, value=value, rule=rule: net.connect(
                    "E", "I", name="x", synapses=rule, weights=value, seed=1
                ),
                "it must be a distribution",
            )
            for value in (lambda: 0.2, lambda rng: 0.2, np.random.default_rng)
            for rule in (None, bs.FixedInDegree(2))
        ),
        (
            lambda net: net.connect(
                "E", "I", name="x", synapses=bs.FixedInDegree(2), delay=lambda: 0.2, seed=1
            ),
            "it must be a distribution",
        ),
        (
            lambda net: bs.Normal(0.2, 1e300, low=0.0, high=1.0),
            "Normal: a share of .* of its values would lie in low .. high = 0.0 .. 1.0",
        ),
        (
            lambda net: bs.Normal(0.2, 1e3, low=0.2, high=0.3),
            "Normal: a share of 4e-05 of its values",
        ),
        (
            lambda net: bs.augment(
                bs.SpikeTrains([0.1], [0], [0, 1], 3, 1.0), [bs.Insert(2.0**63)], seed=1
            ),
            r"Insert\(9.22337e\+18\): .* spikes of 24 bytes need",
        ),
        (
            lambda net: bs.SpikeTrains([0.1], [0], np.array(-1), 3, 1.0),
            "offsets must rise .* got 1 entries from ",
        ),
        (
            lambda net: bs.log_normal_time_constants(0.02, 0.1, 3, seed=1, name="\ud800"),
            "name is '",
        ),
        (lambda net: net.connect("E", "I", name=""), "name of a projection is ''"),
        (lambda net: net.connect("E", "I", name=3), "is 3; it must be a non-empty"),
        (lambda net: net.connect("E", "I", name="x", seed=-1), "'x': seed is -1"),
        (lambda net: bs.lif(tau_mem="20 ms"), "time constant mem is '20 ms'"),
        (lambda net: bs.lif(tau_mem=None), "time constant mem is None"),
        (lambda net: bs.lif(tau_mem=True), "time constant mem is True"),
        (lambda net: bs.lif(tau_mem=[]), "time constant mem"),
        (lambda net: bs.lif(tau_mem=["a", "b"]), "time constant mem"),
        (lambda net: bs.lif(tau_mem=np.ma.array([1.0, 2.0], mask=[0, 1])), "time constant mem"),
        (lambda net: bs.lif(threshold="1"), "threshold is '1'; it must be a number"),
        (lambda net: bs.lif(threshold=None), "threshold is None; it must be"),
        (lambda net: bs.lif(reset="zero"), "reset is 'zero'"),
        (lambda net: bs.lif(reset=None), "reset is None"),
        (lambda net: bs.lif(reset=True), "reset is True"),
        (lambda net: bs.lif(refractory="2 ms"), "refractory is '2 ms'"),
        (lambda net: bs.lif(refractory=None), "refractory is None"),
        (lambda net: bs.lif(integrator=3), "integrator 3 is not one of"),
        (lambda net: bs.lif_delta(refractory="a", reset="subtract"), "refractory is 'a'"),
        (lambda net: bs.adaptive_lif(jump="big"), "adds 'big' to w_adapt"),
        (lambda net: bs.adaptive_lif(jump_delay=None), "jump_delay is None"),
        (lambda net: bs.conductance_lif(reversal_exc=None), "reversal_exc is None"),
        (lambda net: bs.bounded(bs.lif(), "a"), "lif: low is 'a'"),
        (
            lambda net: replace(
                bs.lif(), receptors={"syn": replace(bs.lif().receptors["syn"], state="X")}
            ),
            "receptor 'syn' points at the state 'X'; there are U, I",
        ),
        (
            lambda net: replace(
                bs.lif(), receptors={"syn": replace(bs.lif().receptors["syn"], jump=np.nan)}
            ),
            "receptor 'syn' has jump nan",
        ),
        (lambda net: replace(bs.lif(), gains={("U", "X"): 1.0}), "points at the state 'X'"),
        (lambda net: replace(bs.lif(), states={"U": "mem", "I": "x"}), "time constant 'x'"),
        (
            lambda net: replace(bs.lif(), reversal={"g": 1.0}),
            "a reversal potential points at the state 'g'",
        ),
    ],
)
def test_descriptions_of_careless_users(act, words):
    with pytest.raises(ValueError, match=words):
        act(small())


@pytest.mark.parametrize(
    "act, words",
    [
        *(
            (lambda net, value=value, make=make: make(value), "network is .*; it must be a Network")
            for value in (np.ones(3), "net", None, bs.Network, slice(3), {})
            for make in (
                bs.audit,
                bs.recurrent_projections,
                lambda n: bs.layer(n, "E", 3),
                lambda n: bs.dalian_layer(n, "E", 3, 2),
                lambda n: bs.convolutional_layer(n, "E", (1, 4), 2, 3),
                lambda n: bs.dalian_convolutional_layer(n, "E", (1, 4), 2, 1, 3),
            )
        ),
        (
            lambda net: bs.layer(net, "E", 3, recurrent=np.ones(2)),
            r"recurrent is an array of shape \(2,\).*; it must be True or False",
        ),
        (
            lambda net: bs.dalian_layer(net, "E", 3, 2, recurrent_excitation=1),
            "recurrent_excitation is 1; it must be True or False",
        ),
        (
            lambda net: bs.dalian_layer(net, "E", 3, 2, name=[1]),
            r"name is \[1\]; it must be a text",
        ),
        (
            lambda net: bs.dalian_convolutional_layer(
                net, "E", (1, 4), 2, 1, 3, recurrent_excitation=None
            ),
            "recurrent_excitation is None",
        ),
        (
            lambda net: bs.dalian_convolutional_layer(net, "E", (1, 4), 2, 1, 3, name=2),
            "name is 2; it must be a text",
        ),
        (lambda net: bs.MaxPool((1, 4, 4), 2, stride=[[1, 2], [1]]), "MaxPool: stride is"),
        (lambda net: bs.MaxPool(np.array(3), 2), "MaxPool: shape is"),
        (lambda net: bs.Convolution((1, 4), 2, [[1, 2], 3]), "Convolution: kernel is"),
        *(
            (
                lambda net, make=make, value=value, name=name: make(**{name: value}),
                name,
            )
            for make in (bs.lif, bs.ei_lif, bs.adaptive_lif, bs.conductance_lif, bs.lif_delta)
            for name in ("threshold", "reset")
            for value in ([], np.array([[1.0, 2.0]]), [[1, 2], [3]], np.array([None, "E"]))
        ),
        *(
            (
                lambda net, value=value: bs.lif(threshold=value),
                "threshold is .* must be a number, one for all neurons or one per neuron",
            )
            for value in (
                bs.families.Exponential(),
                Ellipsis,
                {1},
                np.array("0.5"),
                np.array(None),
                bs.Network(1e-3),
            )
        ),
        *(
            (lambda net, value=value: bs.lif(reset=value), "reset is .*; it must be a value of U")
            for value in (b"subtract", bs.families.Exponential(), {1}, np.inf)
        ),
        (
            lambda net: bs.bounded(range(3), 0.0),
            r"neuron is range\(0, 3\); it must be a neuron model",
        ),
        (lambda net: bs.bounded(bs.lif), "neuron is of type function"),
        (lambda net: bs.bounded(bs.SuperSpike(20), 0.0), "neuron is SuperSpike"),
        (lambda net: bs.bounded(bs.lif(), high=[1, 2]), "U of neuron 0 is .* between -inf and 1.0"),
        (
            lambda net: net.pool("E", bs.MaxPool((1, 3), 2), name=np.ones((2, 2))),
            "population name an array of shape",
        ),
        (lambda net: net.pool("E", bs.MaxPool((1, 3), 2), name=""), "population name ''"),
        (
            lambda net: net.set_weights("E->I", np.ones((3, 2)), copy=np.array(["a", "b"])),
            "copy is an array of shape",
        ),
        (
            lambda net: net.set_weights("E->I", np.ones((3, 2)), copy=None),
            "copy is None; it must be True or False",
        ),
        *(
            (
                lambda net, value=value, of=of: getattr(net, of)("E->I", value),
                "(values|weights) is .*; it must be an array of real numbers|it must be real "
                "numbers",
            )
            for of in ("afferent_sums", "afferent_squares")
            for value in (
                "a",
                bs.families.Exponential(),
                {1},
                [[1], [1, 2]],
                np.array(["a"]),
                np.timedelta64(3, "s"),
            )
        ),
        (
            lambda net: net.afferent_sums("E->I", np.ones(3)),
            r"'E->I': values have shape \(3,\); its weights have \(3, 2\)",
        ),
        (
            lambda net: net.afferent_squares("E->I", 0.1),
            r"'E->I': weights have shape \(\); its weights have \(3, 2\)",
        ),
        *(
            (
                lambda net, each=each, value=value: each.draw(value, 3),
                "rng is .*; it must be a numpy Generator",
            )
            for value in (0, None, "rng", np.random)
            for each in (
                bs.Normal(0.2, 0.1),
                bs.Uniform(0, 1),
                bs.families.Exponential(),
                bs.families.LogNormal(),
                bs.families.Gamma(),
                bs.families.HalfNormal(),
                bs.families.Uniform(),
                bs.families.Constant(),
                bs.Exponential(0.2),
            )
        ),
        *(
            (
                lambda net, size=size, each=each: each.draw(np.random.default_rng(0), size),
                "size is .*; it must be a whole number",
            )
            for size in ((2.5,), -1, [[1, 2]], "3", False, 2**63, None, (np.array([1, 2]),))
            for each in (bs.Normal(0.2, 0.1), bs.families.Exponential(), bs.families.Constant())
        ),
        (
            lambda net: bs.families.Exponential().draw(np.random.default_rng(0), (2**30, 2**30)),
            "draw: .* values of 8 bytes need",
        ),
        *(
            (lambda net, each=each, w=w, mean=mean: each.density(w, mean), words)
            for w, mean, words in (
                ("a", 0.2, "w is 'a'"),
                ([-0.1], 0.2, "w has the value -0.1"),
                ({"a": 1}, 0.2, "w is {'a': 1}"),
                ([0.1], [0.2, 0.3], r"mean is \[0.2, 0.3\]"),
                ([0.1], 0, "mean is 0; it must be a finite number > 0"),
            )
            for each in (
                bs.families.Exponential(),
                bs.families.LogNormal(),
                bs.families.Gamma(),
                bs.families.HalfNormal(),
                bs.families.Uniform(),
                bs.families.Constant(),
            )
        ),
    ],
)
def test_something_else_in_place_of_what_is_meant(act, words):
    net = small()
    with pytest.raises(ValueError, match=words):
        act(net)
    assert list(net) == list(small())  # nothing was added
