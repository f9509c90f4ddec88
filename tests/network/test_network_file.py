"""Whole networks in files: what is read is the network that was saved, or is refused in words."""

import hashlib
import inspect
import json
import re
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings

import biosnn as bs
from biosnn.network import network_records, stored_parts
from tests import random_networks
from tests import whole_networks as whole

FORMAT_4, FORMAT_5 = (Path(__file__).parent / f"network_of_format_{k}.npz" for k in (4, 5))


@pytest.fixture
def again(tmp_path):
    """A function: a network, written and read."""

    def read(net):
        bs.save(net, tmp_path / "net.npz")
        return bs.load(tmp_path / "net.npz")

    return read


def assert_same(a, b):
    """Two networks have the same description, arrays and words."""
    assert a.fingerprint() == b.fingerprint() and repr(a) == repr(b)
    assert list(a.weights) == list(b.weights) and list(a.parameters) == list(b.parameters)
    for name, weights in a.weights.items():
        assert type(weights) is type(b.weights[name]) and np.array_equal(weights, b.weights[name])
    for key, p in a.parameters.items():
        assert p.dtype == b.parameters[key].dtype and np.array_equal(p, b.parameters[key])
    for p, q in zip(a.projections, b.projections, strict=True):
        assert repr(p) == repr(q) and (p.frozen, p.non_negative) == (q.frozen, q.non_negative)
        assert p.gradient_to_source == q.gradient_to_source and p.plasticity == q.plasticity
        assert a.in_degree(p) == b.in_degree(q) and a.weight_shape(p) == b.weight_shape(q)
        for left, right in zip(a.indices(p), b.indices(q), strict=True):
            assert left.dtype == right.dtype and np.array_equal(left, right, equal_nan=True)
    for p, q in zip(a.populations, b.populations, strict=True):
        assert repr(p) == repr(q) and repr(p.neuron) == repr(q.neuron)


def simulated(net):
    """(spikes and states of a simulation as one vector, number of spikes of A or E)."""
    first = net.spiking[0].name
    done = bs.simulate(
        net, 0.1, whole.spikes(), record={f"{first}.U": slice(None)}, progress=False, threads=1
    )
    parts = [done.states[f"{first}.U"].ravel()]
    for trains in done.spikes.values():
        parts += [trains.times, trains.units]
    parts += [np.ravel(weights) for weights in done.weights.values()]
    return np.concatenate(parts), done.spikes[first].times.size


def assert_same_spikes(a, b):
    (one, n), (two, _) = simulated(a), simulated(b)
    assert n > 3 and np.array_equal(one, two)


# ------------------------------------------------------------------------------ what comes back


@pytest.mark.parametrize("name", whole.TABLES)
@pytest.mark.filterwarnings("ignore::biosnn.RoundingWarning")
def test_every_table(again, name):
    net = whole.of_table(name)
    assert_same(net, again(net))
    assert_same_spikes(net, again(net))


@pytest.mark.parametrize("name", whole.RULES)
def test_every_rule(again, name):
    net = whole.of_rule(name)
    assert_same(net, again(net))
    assert_same_spikes(net, again(net))


@pytest.mark.filterwarnings("ignore::biosnn.UnitWarning")
@pytest.mark.parametrize("options", [{"delay": bs.Uniform(0, 0.4)}, {"weights": 0.3}])
@pytest.mark.parametrize("name", ["Pairs", "FixedTotal"])
def test_delays_of_synapses_and_one_weight(again, name, options):
    options = dict(options)
    if name == "Pairs" and "delay" in options:
        options["delay"] = [1e-3, 0.3, 0.0, 5e-3]
    net = whole.of_rule(name, **options)
    assert_same(net, again(net))
    assert_same_spikes(net, again(net))


def test_all_rules_and_tables_of_the_library_are_here():
    """Whoever adds one adds it to the files, too."""
    rules = {
        name
        for name, kind in vars(bs).items()
        if inspect.isclass(kind) and hasattr(kind, "build") and kind not in (bs.Rule, bs.Synapses)
    }
    assert rules - {"Pairs"} == set(stored_parts.RULES)
    tables = {
        name
        for name, function in vars(bs).items()
        if inspect.isfunction(function) and function.__annotations__.get("return") is bs.Neuron
    }
    assert tables - set(whole.TABLES) == {"leaky_readout"}
    surrogates = {
        name
        for name, kind in vars(bs).items()
        if inspect.isclass(kind) and issubclass(kind, bs.Surrogate) and kind is not bs.Surrogate
    }
    assert surrogates == set(stored_parts.SURROGATES)


def test_plasticity(again):
    net = whole.plastic()
    assert_same(net, again(net))
    assert_same_spikes(net, again(net))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_runs_and_further_training_have_the_same_bits(again, dtype):
    """With noise, pooling, shared weights, learned parameters, and what training leaves alone."""
    net, data = whole.layered(dtype=dtype), whole.spikes(12)
    options = dict(readout="first", batch=4, progress=False, seed=3, threads=1)
    bs.train(net, data, epochs=2, optimizer=bs.Adam(0.02), **options)
    other = again(net)
    assert_same(net, other)
    traces = [bs.run(each, data, record=["h.U", "first.U"], seed=1) for each in (net, other)]
    assert traces[0].counts["h"].sum() > 10
    for name, states in traces[0].states.items():
        assert np.array_equal(states, traces[1].states[name])
    losses = [bs.train(each, data, epochs=2, **options).loss for each in (net, other)]
    assert np.array_equal(*losses)
    assert_same(net, other)


@pytest.mark.parametrize("kind", stored_parts.SURROGATES.values(), ids=lambda kind: kind.__name__)
def test_every_surrogate(again, kind):
    net = bs.Network(whole.DT)
    net.population(2, bs.lif(), surrogate=kind(7.5), name="A")
    found = again(net)["A"].surrogate
    assert type(found) is kind and found == kind(7.5)


@pytest.mark.parametrize(
    "noise",
    [bs.SigmoidEscape(7.0), bs.ExponentialEscape(8.0, 30.0)],
    ids=["sigmoid", "exponential"],
)
def test_every_noise(again, noise):
    net = bs.Network(whole.DT)
    net.population(2, bs.lif(), noise=noise, name="A")
    assert again(net)["A"].noise == noise


@given(random_networks.NETWORK)
@settings(max_examples=15, deadline=None)
def test_networks_drawn_at_random(tmp_path_factory, description):
    net, _ = random_networks.build(description)
    path = tmp_path_factory.mktemp("net") / "net.npz"
    bs.save(net, path)
    assert_same(net, bs.load(path))


def test_a_network_without_weights_or_anything(again):
    net = bs.Network(0.5e-3)
    assert_same(net, again(net))
    a = net.population(3, bs.lif(), name="A")
    net.connect(net.input(2, sign="inhibitory"), a)
    net.connect(a, a, synapses=bs.OneToOne(), name="weights/of A -> λ")
    assert_same(net, again(net)) and not again(net).weights


def test_a_network_in_other_steps_and_synapses_of_another_projection(again):
    net = whole.of_rule("Pairs", delay=[1e-3, 3e-3, 0.0, 5e-3])
    rows = net.synapses["r"]
    net.connect("A", "A", synapses=rows, weights=0.1, name="the same pairs")
    finer = bs.time_rescale(net, 0.5e-3)
    for each in (net, finer):
        assert_same(each, again(each))
    stored = again(net).projection("the same pairs").synapses
    other = bs.Network(whole.DT)
    cells = other.population(6, bs.lif(), name="A")
    other.connect(cells, cells, synapses=stored, weights=0.1)
    assert np.array_equal(other.synapses["A->A"].target, rows.target)


def test_what_is_read_goes_on_from_a_state(again, tmp_path):
    net = whole.plastic()
    state = bs.simulate(net, 0.05, whole.spikes(), progress=False).state
    bs.save_state(state, tmp_path / "state.npz")
    ends = [
        bs.simulate(each, 0.05, whole.spikes(), state=bs.load_state(tmp_path / "state.npz"))
        for each in (net, again(net))
    ]
    assert ends[0].spikes["E"].times.size > 3
    assert np.array_equal(*(end.spikes["E"].times for end in ends))


def test_networks_in_space(again):
    """Positions come back; rules by distance with what they have built and their words."""
    net, sheet = bs.Network(whole.DT), bs.space.torus((3, 4), (2e-3, 1e-3))
    cells = net.population(12, bs.ei_lif(), "excitatory", name="A", positions=sheet)
    x = net.input(5, positions=bs.space.Positions(np.linspace(0, 1e-3, 10).reshape(5, 2)))
    rule = bs.space.Bernoulli(lambda d: 0.5 * (d < 6e-4), self_connections=False)
    delay = bs.space.Conduction(0.3, offset=1e-3)
    net.connect(cells, cells, synapses=rule, weights=0.2, delay=delay, seed=1)
    net.connect(x, cells, weights=1.0 * np.ones((5, 12)))
    found = again(net)
    assert_same(net, found)
    assert net.synapses["A->A"].size > 3
    for name in ("A", "input"):
        a, b = net[name].positions, found[name].positions
        assert np.array_equal(a.coordinates, b.coordinates)
        assert (a.extent, a.periodic) == (b.extent, b.periodic)
    distances = [bs.space.distances(each, "A->A") for each in (net, found)]
    assert np.array_equal(*distances)


def test_warnings_are_given_once(again):
    with pytest.warns(bs.RoundingWarning):
        net = whole.of_table("lif_delta")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert again(net)["A"].neuron.refractory == 2.4e-3


# ------------------------------------------------------------------------- classes of the user


class Wide(bs.SuperSpike):
    """A surrogate that sets a number."""

    def __init__(self, width):
        super().__init__(steepness=1 / width)


class Cut(bs.SuperSpike):
    """A surrogate that kernels take for another one."""

    @property
    def support(self):
        return 0.1


def test_a_surrogate_that_sets_numbers_is_stored_as_what_it_is(again):
    net = bs.Network(whole.DT)
    net.population(2, bs.lif(), surrogate=Wide(0.1), name="A")
    found = again(net)
    assert type(found["A"].surrogate) is bs.SuperSpike
    assert found["A"].surrogate.steepness == 10 and found.fingerprint() == net.fingerprint()


def test_what_would_be_lost_is_refused_before_anything_is_written(tmp_path):
    class Own(bs.SigmoidEscape):
        _code = None

    receptors = {"syn": SimpleNamespace(state="I", jump=1.0, sign=0)}
    nets = []
    for options in (
        dict(surrogate=Cut()),
        dict(noise=Own()),
        dict(neuron=replace(bs.lif(), receptors=receptors)),
    ):
        nets.append(bs.Network(whole.DT))
        nets[-1].population(**dict(n=2, neuron=bs.lif(), name="A") | options)
    words = [
        "'A': surrogate is .* class of your own .Cut.*SuperSpike",
        "'A': noise is",
        "'A': neuron",
    ]
    for net, text in zip(nets, words, strict=True):
        with pytest.raises(ValueError, match=text):
            bs.save(net, tmp_path / "net.npz")
    net = nets[0]
    net.connect(net.input(8), "A", weights=np.ones((8, 2)))
    net.connect("A", net.readout(3), weights=np.ones((2, 3)))
    with pytest.raises(ValueError, match="class of your own"):
        bs.train(net, whole.spikes(3), epochs=1, out=tmp_path / "out", progress=False)
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------ weights alone


def test_weights_go_into_a_network_that_trains_otherwise(tmp_path):
    """What is frozen may differ; all else may not, and the message says what does."""

    def build(n=4, frozen=False, delay=1e-3, rule=None, **options):
        net = bs.Network(whole.DT)
        cells = net.population(n, bs.lif(), name="A", **options)
        net.connect(net.input(3), cells, weights=bs.Normal(0, 1), seed=n, frozen=frozen)
        net.connect(
            cells, cells, delay=delay, synapses=rule or bs.OneToOne(), weights=0.1, seed=n, name="r"
        )
        return net

    path, net = tmp_path / "net.npz", build()
    bs.save(net, path)
    other = build(frozen=True)
    other.set_weights("input->A", np.zeros((3, 4)))
    bs.load_weights(other, path)
    assert np.array_equal(other.weights["input->A"], net.weights["input->A"])
    assert other.projection("input->A").frozen
    for options, words in (
        (dict(n=5), "population 'A': n is 4 there, 5 here"),
        (dict(delay=2e-3), "projection 'r': delay is 0.001 there, 0.002 here"),
        (dict(rule=bs.FixedTotal(3)), "'r': number of synapses is 4 there, 3 here"),
        (dict(rule=bs.Pairs([0, 1, 2, 3], [1, 0, 2, 3])), "'r': list of synapses is not the same"),
        (dict(surrogate=bs.Triangular(9.0)), "'A': surrogate is not the same"),
        (dict(learn={"mem": "neuron"}), "'A': learn is not the same"),
    ):
        with pytest.raises(ValueError, match=f"net.npz is of another network: .*{words}"):
            bs.load_weights(build(**options), path)
    bare = build()
    del bare.weights["r"]
    bs.save(bare, path)
    with pytest.raises(ValueError, match="has no weights of r"):
        bs.load_weights(net, path)
    bs.save(bs.Network(2e-3), path)
    with pytest.raises(ValueError, match="dt is 0.002 there, 0.001 here"):
        bs.load_weights(net, path)


# ----------------------------------------------------------------------------------- careless use


def test_careless_arguments(tmp_path):
    net = whole.of_rule("OneToOne")
    with pytest.raises(ValueError, match="network is .*it must be a Network"):
        bs.save(tmp_path / "net.npz", net)
    with pytest.raises(ValueError, match="path is 3"):
        bs.save(net, 3)
    with pytest.raises(ValueError, match="path is"):
        bs.load(net)
    with pytest.raises(OSError, match="there is no file"):
        bs.load(tmp_path / "none.npz")
    with pytest.raises(OSError, match="is a folder; give a file, such as .*best.npz"):
        bs.load(tmp_path)
    bs.save_state(bs.simulate(net, 0.01, progress=False).state, tmp_path / "state.npz")
    with pytest.raises(
        OSError, match="holds the state of a run or simulation .*; what is read here is"
    ):
        bs.load(tmp_path / "state.npz")
    bs.save(net, tmp_path / "net.npz")
    with pytest.raises(OSError, match="holds a network"):
        bs.load_state(tmp_path / "net.npz")


def keys_of(part):
    """All names of the records in a JSON value."""
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return set(part if isinstance(part, dict) else ()).union(*map(keys_of, inside))


def test_the_file_is_what_its_page_says(tmp_path):
    """Any program that knows zip, .npy and JSON reads it."""
    with np.load(FORMAT_5) as file:
        arrays = {name: file[name] for name in file.files}
    head = json.loads(arrays.pop("meta").tobytes())
    state = hashlib.blake2b(digest_size=16)
    digest = head.pop("digest")
    state.update(json.dumps(head, sort_keys=True).encode())
    for name in sorted(arrays):
        state.update(f"{name}\0{arrays[name].dtype.str}\0{arrays[name].shape}\0".encode())
        state.update(arrays[name].tobytes())
    assert state.hexdigest() == digest
    text = json.dumps(head)
    assert "Infinity" not in text and "NaN" not in text
    page = Path(__file__).parents[2] / "docs" / "reference" / "files.rst"
    if page.exists():  # an installed library has none
        words = set(re.findall(r"\w+", page.read_text(encoding="utf-8")))
        values = {"steepness", "rate", "p", "self_connections", "filters", "kernel", "padding"}
        known = keys_of(head["network"]) | {name.partition("/")[0] for name in arrays}
        assert known - values <= words


def test_a_file_of_this_format_is_read_for_years(again, tmp_path):
    """It was written once, of `whole_networks.layered`, and stays as it is."""
    net = again(bs.load(FORMAT_4))
    with np.load(FORMAT_4) as before, np.load(tmp_path / "net.npz") as after:
        heads = [json.loads(file["meta"].tobytes())["network"] for file in (before, after)]
        assert network_records.of_format_4(heads[0]) == heads[1]
        assert set(before.files) == set(after.files)
        for name in set(before.files) - {"meta"}:
            assert np.array_equal(before[name], after[name])
        assert np.array_equal(net.weights["h->h"], before["weight/h->h"])
    assert bs.run(net, whole.spikes(3), seed=1).counts["h"].sum() > 10
