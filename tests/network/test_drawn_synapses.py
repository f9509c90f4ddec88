"""Synapses and weights that are drawn where they are needed are those of arrays in memory."""

import itertools
import pickle

import numpy as np
import pytest

import biosnn as bs
from biosnn.engine import bundle_records, bundle_tables
from biosnn.network import connecting
from biosnn.network.drawing import draw_all, drawn_weights
from biosnn.network.drawn_synapses import DrawnSynapses
from tests.support.communicators import on_ranks

pytestmark = pytest.mark.filterwarnings("ignore:threads is")

PRE, POST = 70, 300
RULES = {
    "probability": bs.Bernoulli(0.2),
    "total": bs.FixedTotal(4000),
    "total, once": bs.FixedTotal(4000, multiple=False),
    "out-degree": bs.FixedOutDegree(40),
    "in-degree": bs.FixedInDegree(12),
    "in-degree, once": bs.FixedInDegree(12, multiple=False, self_connections=False),
}
MANY = 1 << 62


@pytest.fixture
def at_most(monkeypatch):
    """n -> from now on projections with more synapses than n are drawn later; none is kept."""

    def few(n):
        monkeypatch.setattr(connecting, "_FEW", n)
        monkeypatch.setattr(bundle_records, "_KEPT_BYTES", 0)
        monkeypatch.setattr(bundle_records, "_LEAST", 100)
        monkeypatch.setattr(bundle_records, "_MOST", 500)

    return few


def joined(rule, *, delay=2e-3, weights=0.2, n_post=POST, seed=3, recurrent=False):
    """A network with one projection."""
    net = bs.Network(dt=1e-3)
    a = net.population(PRE, bs.ei_lif(), "excitatory", name="A")
    b = a if recurrent else net.population(n_post, bs.ei_lif(), "excitatory", name="B")
    net.connect(
        a, b, synapses=rule, delay=delay, weights=weights, seed=seed, name="it", frozen=True
    )
    return net


def circuit(seed=1):
    """E and I, all of whose projections are drawn; one pair of them share a bundle."""
    net = bs.Network(dt=1e-3)
    for name, n, sign in (("E", 400, "excitatory"), ("I", 100, "inhibitory")):
        net.population(n, bs.ei_lif(), sign, name=name)
    weights = {"E": bs.Normal(0.05, 0.01, low=0), "I": bs.LogNormal(0.2, 0.5)}
    delay = bs.Normal(3e-3, 1e-3, low=1e-3)
    for pre, post in itertools.product("EI", "EI"):
        rule = bs.FixedTotal(3000) if pre == "E" else bs.FixedInDegree(20, self_connections=False)
        net.connect(pre, post, synapses=rule, weights=weights[pre], delay=delay, seed=seed)
    net.connect("E", "I", synapses=bs.Bernoulli(0.1), weights=0.02, name="more", seed=seed)
    return net


def simulated(net, **options):
    """What it does with noise."""
    noise = [bs.OrnsteinUhlenbeck(name, mean=2.0, sd=0.8, tau=5e-3) for name in "EI"]
    given = {"background": noise, "seed": 1, "record": ["E.U"], "progress": False} | options
    return bs.simulate(net, 0.1, **given)


def assert_same(one, other):
    """Two simulations have the same bits."""
    assert one.counts == other.counts and sum(one.counts.values()) > 500
    assert np.array_equal(one.states["E.U"], other.states["E.U"])


@pytest.mark.parametrize("recurrent", [False, True], ids=["two populations", "one"])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_pieces_are_those_of_all_rows(rule, recurrent):
    """Any range of sources, onto any range of targets: the synapses, and their numbers."""
    n_post = PRE if recurrent else POST
    rows = rule.build(PRE, n_post, recurrent, np.random.default_rng(5))
    draws = rule.draws(PRE, n_post, recurrent, np.random.default_rng(5))
    assert draws.size == rows.target.size and np.array_equal(draws.first, rows.first)
    for low, high in ((0, n_post), (0, 30), (17, 60), (60, n_post), (5, 5)):
        onto = draws.onto(low, high)
        for begin, end in ((0, PRE), (0, 1), (3, 44), (PRE - 1, PRE)):
            piece = onto.piece(begin, end)
            ends = (rows.first[begin], rows.first[end])
            assert piece.row == begin and (piece.begin, piece.end) == ends
            for j in range(begin, end):
                row = slice(*piece.first[j - begin : j - begin + 2])
                whole = rows.target[rows.first[j] : rows.first[j + 1]]
                own = np.flatnonzero((whole >= low) & (whole < high))
                assert np.array_equal(piece.target[row], whole[own])
                if own.size:
                    assert piece.which[j - begin] == rows.first[j] + own[0]


@pytest.mark.parametrize(
    "delay, weights",
    [
        (2e-3, 0.2),
        (bs.Uniform(1e-3, 9e-3), bs.Normal(0.2, 0.1, low=0)),
        (bs.Normal(0.2, 0.1, low=0.01), bs.Gamma(0.2, 0.5)),
    ],
    ids=["one number", "short delays", "delays of two bytes"],
)
@pytest.mark.parametrize("rule", [RULES["total"], RULES["in-degree"]], ids=["sources", "targets"])
def test_what_is_drawn_later_is_what_would_have_been_drawn_at_once(at_most, rule, delay, weights):
    """Synapses, weights, delays, hashes and ranges; and the same for another large projection."""
    at_most(MANY)
    at_once = joined(rule, delay=delay, weights=weights)
    at_most(0)
    later, hashed = (joined(rule, delay=delay, weights=weights) for _ in range(2))
    assert isinstance(later.synapses["it"], DrawnSynapses)
    one, other = at_once.synapses["it"], later.synapses["it"]
    assert one.size == other.size and one.delay_range == other.delay_range
    assert other.several_delays == one.several_delays and not other.is_held
    assert hashed.fingerprint() == at_once.fingerprint() and not hashed.synapses["it"].is_held
    for name in ("first", "target", "delay"):
        a, b = (np.asarray(getattr(each, name)) for each in (one, other))
        assert a.dtype == b.dtype and np.array_equal(a, b), name
        assert not np.ndim(a) or not getattr(other, name).flags.writeable
    assert np.array_equal(at_once.weights["it"], later.weights["it"])
    assert np.asarray(later.weights["it"]).dtype == np.float32
    assert later.fingerprint() == at_once.fingerprint() and other.is_held
    assert repr(later.synapses["it"]) == repr(one) and later.weights.undrawn("it") is None


def test_values_of_a_part_are_those_of_all():
    """Also across the chunks that have generators of their own, and at the end of them."""
    drawn = drawn_weights(bs.Normal(1.0, 0.5, low=0.9), 150_000, 7, np.float32)
    whole = draw_all(drawn, np.float32)
    for begin, end in ((0, 10), (65_530, 65_540), (10, 140_000), (149_999, 150_000), (4, 4)):
        part = drawn.part(begin, end)
        assert part.dtype == np.float32 and np.array_equal(part, whole[begin:end])


@pytest.mark.parametrize("threads", [1, 3])
def test_a_simulation_draws_what_it_needs_and_holds_nothing(at_most, threads):
    """The bits of arrays in memory, on any number of threads; the network is as it was."""
    at_most(MANY)
    expected = simulated(circuit())
    at_most(0)
    net = circuit()
    assert_same(simulated(net, threads=threads), expected)
    assert not any(each.is_held for each in net.synapses.values())
    drawn = {name for name in net.weights if net.weights.undrawn(name)}
    assert drawn == {"E->E", "E->I", "I->E", "I->I"}


def test_few_synapses_are_kept_for_the_next_run(at_most, monkeypatch):
    """Drawing again takes time, and they take little memory."""
    at_most(0)
    monkeypatch.setattr(bundle_records, "_KEPT_BYTES", 10**6)
    net = circuit()
    simulated(net)
    assert all(each.is_held for each in net.synapses.values())
    assert not any(net.weights.undrawn(name) for name in net.weights)


def test_processes_draw_the_synapses_onto_their_own_neurons(at_most):
    """The bits of one process; none of them holds a list of all."""
    at_most(MANY)
    expected = simulated(circuit())
    at_most(0)
    nets = {}

    def on_rank(communicator):
        net = nets[communicator.Get_rank()] = circuit()
        return simulated(net, communicator=communicator, threads=1)

    for each in on_ranks(3, on_rank):
        assert_same(each, expected)
    assert len(nets) == 3
    assert not any(s.is_held for net in nets.values() for s in net.synapses.values())


def test_processes_with_other_seeds_are_told(at_most):
    """Nothing has to be drawn to tell that their networks differ."""
    at_most(0)
    results = on_ranks(
        2, lambda c: simulated(circuit(seed=1 + c.Get_rank()), communicator=c, threads=1)
    )
    assert all("network" in str(each) and isinstance(each, ValueError) for each in results)


def test_a_state_belongs_to_the_network_however_it_is_held(at_most):
    """Drawn or in memory, from a file, in another process; not to one of another seed."""
    at_most(0)
    drawn = circuit()
    state = simulated(drawn).state
    at_most(MANY)
    held = circuit()
    on = [simulated(net, state=given) for net in (drawn, held) for given in (state,)]
    assert_same(*on)
    assert_same(simulated(held, state=pickle.loads(pickle.dumps(state))), on[0])
    with pytest.raises(ValueError, match="another network"):
        simulated(circuit(seed=2), state=state)


def test_a_state_is_of_the_network_as_it_was(at_most):
    """A population that is added later does not make it one of the larger network."""
    at_most(0)
    net = circuit()
    before, state = net.fingerprint(), simulated(net).state
    net.population(5, bs.ei_lif(), "excitatory", name="X")
    assert state.fingerprint == before != net.fingerprint()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"delay": bs.Normal(150.0, 0.2, low=0.01)}, "65 535 steps at most. Delays are seconds"),
        ({"delay": bs.Normal(1e-3, 1e-3)}, "must be finite and >= 0"),
        ({"weights": bs.Normal(0.1, 0.1)}, "negative"),
        ({"weights": bs.LogNormal(1e38, 3.0)}, "float32|finite"),
        ({"weights": lambda rng, size: np.full(size, -0.1)}, "negative"),
        ({"delay": bs.Normal, "weights": 0.1}, "class"),
    ],
)
def test_what_cannot_be_is_found_by_connect(at_most, options, message):
    """As if it were drawn at once."""
    at_most(0)
    with pytest.raises(ValueError, match=message):
        joined(RULES["total"], **options)


class EvenTargets(bs.FixedTotal):
    """A user's rule, which derives from one of biosnn."""

    def build(self, n_pre, n_post, same, rng):
        """All pairs with an even target."""
        pre, post = np.meshgrid(np.arange(n_pre), np.arange(0, n_post, 2), indexing="ij")
        return bs.Pairs(pre.ravel(), post.ravel()).build(n_pre, n_post, same, rng)


def test_a_rule_of_the_user_builds_what_it_says(at_most):
    """It is asked once, by connect, though the rule that it derives from could draw later."""
    at_most(0)
    synapses = joined(EvenTargets(4000)).synapses["it"]
    assert synapses.size == PRE * POST // 2 and not (synapses.target % 2).any()
    assert synapses.is_held


def test_a_bar_shows_how_many_synapses_are_written(at_most, monkeypatch, capsys):
    """Where there are many, and only if progress is wanted."""
    at_most(0)
    monkeypatch.setattr(bundle_tables, "_MANY_SYNAPSES", 1000)
    simulated(circuit())
    assert "synapses" not in capsys.readouterr().err
    simulated(circuit(), progress=True)
    assert "synapses" in capsys.readouterr().err


def test_more_synapses_than_memory_are_refused_before_they_are_drawn(at_most):
    """By simulate, and by whoever looks; connect takes them, since processes may share them."""
    at_most(1 << 16)
    net = joined(bs.FixedTotal(8 * 10**12), recurrent=True)
    for act in (lambda: bs.simulate(net, 0.01), lambda: net.synapses["it"].target):
        with pytest.raises(ValueError, match=r"synapses of 2 bytes need 16,000 GB; this machine"):
            act()


def test_a_network_says_what_is_drawn_later(at_most):
    """In the summary, next to what lies in memory; the mean weight is that of what follows."""
    at_most(0)
    text = repr(circuit())
    assert "drawn when needed  19,975 synapses" in text and "mean 0.199" in text


def test_weights_that_are_set_take_the_place_of_what_would_be_drawn(at_most):
    """The mapping can be changed as a dict can."""
    at_most(0)
    net = circuit()
    net.weights["E->E"][...] *= 2
    at_most(MANY)
    other = circuit()
    assert np.array_equal(net.weights["E->E"], 2 * other.weights["E->E"])
    net.set_weights("E->I", 0.1)
    assert net.weights["E->I"] == np.float32(0.1) and net.has_one_weight("E->I")
    copied = net.weights.copy()
    assert copied.undrawn("I->E") and copied["E->E"] is net.weights["E->E"]
    assert len(copied) == 5 and set(copied) == set(net.weights) and "I->I" in copied
    merged = net.weights | {"I->I": 0.5}
    assert merged.undrawn("I->E") and merged["I->I"] == 0.5 and net.weights.undrawn("I->I")
    del copied["I->I"]
    assert "I->I" in net.weights and not np.array_equal(copied["I->E"], 0)
