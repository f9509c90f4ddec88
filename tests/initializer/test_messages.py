"""What the initializer says of arguments and targets that make no sense."""

import re

import numpy as np
import pytest

import biosnn as bs
from tests.initializer.networks import CONDUCTANCES, RATE, dalian


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(sigma_u=3.0), "sigma_U <= .* fails at sigma_U = 3"),
        (dict(mu_u=7.0), "between the reversal potentials 6, -2"),
        (
            dict(balance="neuron", sigma_u=0.3),
            "balance='neuron' needs potentials that add up; those of E, I",
        ),
        (dict(assumed_rates={"input": 0.0}, sigma_u=0.3), "input->E is silent"),
    ],
)
def test_what_conductances_cannot_have(options, words):
    with pytest.raises(ValueError, match=words):
        bs.fluctuation_driven(
            dalian(20, 5, 60, CONDUCTANCES),
            **{"assumed_rates": {"input": RATE}, "closed_loop": False} | options,
        )


def nmda(receptor=None, **table):
    """A small circuit as a careless user writes it; receptor: of excitatory projections."""
    net = bs.Network(1e-3)
    e, i = (
        net.population(n, bs.nmda_lif(**table), sign, name=name)
        for n, sign, name in ((40, "excitatory", "E"), (10, "inhibitory", "I"))
    )
    for pre in (net.input(60), e, i):
        for post in (e, i):
            net.connect(pre, post, delay=1e-3, receptor=None if pre is i else receptor)
    return net


@pytest.mark.parametrize(
    "options, words",
    [
        (
            dict(),
            r"no weights give sigma_U = 1 with mu_U = 0: inhibition reverses at 0, so it cannot "
            r"bring a membrane back .* Feasible: a larger mu_u, or inhibition that reverses below "
            r"it\. With mu_u=0.012, sigma_u can be from .* threshold is 0.02 \(20 mV if that is ",
        ),
        (dict(xi=2.0), "no weights give sigma_U = 0.01 with mu_U = 0: inhibition reverses at 0"),
        (
            dict(mu_u=12.0, sigma_u=3.0),
            r"mu_U = 12: it must lie between the reversal potentials 0.07, 0, .* With mu_u=0.012",
        ),
        (
            dict(mu_u=0.012),
            r"<= sigma_U <= 0.00.* fails at sigma_U = 1: .* With mu_u=0.016, sigma_u can be from",
        ),
    ],
)
def test_default_targets_of_conductances_say_what_is_feasible(options, words):
    with pytest.raises(ValueError, match=words):
        bs.fluctuation_driven(nmda(), assumed_rates=RATE, closed_loop=False, **options)


def test_what_is_proposed_is_feasible_and_magnesium_is_named():
    """The mean and the middle of the deviations that the message names, for another unit."""
    table = {"unit": 20e-3, "threshold": 1.0, "reset": 0.75, "reversal_exc": 3.5}
    options = {"assumed_rates": RATE, "closed_loop": False}
    with pytest.raises(ValueError, match="leaves 4.45 % of g_nmda open") as caught:
        bs.fluctuation_driven(nmda("nmda", **table), **options)
    found = re.search(r"With mu_u=(.*), sigma_u can be from (.*) to (.*)\. T", str(caught.value))
    mu, low, high = (float(text) for text in found.groups())
    assert mu == 0.6 and 0 < low < high <= 0.4 and "mV" not in str(caught.value)
    report = bs.fluctuation_driven(
        nmda("nmda", **table), mu_u=mu, sigma_u=np.sqrt(low * high), **options
    )
    assert report.populations[0].target.mu == mu


@pytest.mark.parametrize(
    "sigma, rates, words",
    [
        (
            0.1,
            {"input": RATE},
            r"population 'E' would be silent with its target: .* xi = 10 .* larger sigma_u or mu_u "
            r".* assumed_rates={'E': Hz}",
        ),
        (
            1.0,
            {"input": RATE, "E": 0.0},
            "rates has 0 Hz for population 'E'.*'E->E' causes no fluctuations",
        ),
        (1.0, {"input": 0.0}, "source of input->E is 0 Hz; an input that never spikes"),
    ],
)
def test_what_is_silent_is_named(sigma, rates, words):
    with pytest.raises(ValueError, match=words):
        bs.fluctuation_driven(
            dalian(20, 5, 60), sigma_u=sigma, assumed_rates=rates, closed_loop=False
        )


@pytest.mark.parametrize(
    "options, words",
    [
        (dict(assumed_rates=RATE, sigma_u=-1), "must be positive"),
        (dict(assumed_rates=RATE, xi=2, sigma_u=1), "not both"),
        (dict(), "not known"),
        (dict(assumed_rates={"nobody": 3}), "only input, E, I"),
        (dict(assumed_rates=1e5), "one spike per step"),
        (dict(assumed_rates=RATE, alpha=1.5), "between 0 and"),
        (dict(assumed_rates=RATE, balance="x"), "'neuron'"),
        (dict(assumed_rates=RATE, closed_loop=True), "give spikes"),
        (dict(assumed_rates=RATE, mu_u=80.0, sigma_u=0.2), "fails"),
        (dict(assumed_rates=RATE, progress=np.ones(2)), "progress is an array"),
        (dict(assumed_rates=RATE, progress=0), "progress is 0; it must be True or False"),
        (dict(assumed_rates=RATE, sigma_u={"E": 1.0}), "no entry for 'I'"),
    ],
)
def test_messages(options, words):
    with pytest.raises(ValueError, match=words):
        bs.fluctuation_driven(dalian(20, 5, 60), **options)


@pytest.mark.parametrize(
    "options, words",
    [
        (
            dict(shares={"input->Z": 1.0}),
            "shares has input->Z; the network has only .* input->E, input->I, E->E",
        ),
        (dict(xi=0), "'E': xi is 0; it must be positive"),
        (dict(xi={"E": 2.0, "I": -1.0}), "'I': xi is -1; it must be positive"),
    ],
)
def test_messages_about_names_and_xi(options, words):
    with pytest.raises(ValueError, match=words):
        bs.fluctuation_driven(dalian(20, 5, 60), assumed_rates=RATE, **options)


def test_messages_about_what_is_missing():
    net = dalian(20, 5, 60)
    with pytest.raises(ValueError, match="spikes have no trials"):
        bs.fluctuation_driven(net, bs.data.poisson(12.0, 60, 0.4, 3, seed=4)[:0], progress=False)
    alone = net.population(3, bs.ei_lif(), name="alone")
    with pytest.raises(ValueError, match="'alone' has no afferent projections with synapses"):
        bs.fluctuation_driven(net, assumed_rates=RATE)
    net.connect("E", alone, synapses=bs.Bernoulli(0.0), seed=1)
    with pytest.raises(ValueError, match="'alone' has no afferent projections with synapses"):
        bs.fluctuation_driven(net, assumed_rates=RATE)
