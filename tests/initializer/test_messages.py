"""What the initializer says of arguments and targets that make no sense."""

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
