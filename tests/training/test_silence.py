"""The warning that a population neither fires nor learns."""

import numpy as np
import pytest

import biosnn as bs
from tests.training.common import fit, network, task


def silent(surrogate=bs.SuperSpike(), initial=0.0, scale=0.01):
    net = bs.Network(2e-3)
    x, a, b = (
        net.input(10),
        *(net.population(8, bs.lif(), name=name, surrogate=surrogate) for name in "AB"),
    )
    rng = np.random.default_rng(0)
    for pre, post in ((x, a), (a, b), (b, net.readout(3, tau_mem=0.06, initial=initial))):
        net.connect(
            pre, post, weights=rng.normal(0, scale if post is not a else 4.0, (pre.n, post.n))
        )
    return net


@pytest.mark.filterwarnings("error:population")
def test_a_word_about_silent_populations():
    """A fires and B does not: the maximum lies at the first step, and no gradient comes back."""
    data, options = task(), dict(regularizers=[], validation=None)
    net = silent()
    with pytest.warns(
        UserWarning,
        match="^population 'B' did not fire in any trial of epoch 0, .* zero: the loss looks",
    ) as seen:
        fit(net, data, **options)
    words = str(seen[0].message)
    assert seen[0].filename == fit.__code__.co_filename  # the line that called train
    assert (
        len(seen) == 1
        and "fluctuation_driven" in words
        and "lower_bound" in words
        and "initial=-0.1" in words
        and "surrogate" not in words
    )
    with pytest.warns(
        UserWarning, match="'B' did not fire .* no membrane came near enough to threshold"
    ):
        fit(
            silent(bs.TruncatedSuperSpike(20, 0.2)),
            data,
            loss=bs.SumOverTimeCrossEntropy(),
            **options,
        )
    # what the words say helps: each gives B a gradient, and no warning
    for net, more in (
        (silent(initial=-0.1), {}),
        (silent(scale=2.0), {}),
        (network(data), {}),
        (silent(), dict(loss=bs.SumOverTimeCrossEntropy())),
        (silent(), dict(regularizers=[bs.lower_bound(100.0, 1e-3, per="neuron")])),
    ):
        before = net.weights["A->B" if "A->B" in net.weights else "E->E"].copy()
        fit(net, data, **(options | more))
        assert np.any(net.weights["A->B" if "A->B" in net.weights else "E->E"] != before)


def test_frozen_populations_are_silent_without_a_word(recwarn):
    net = bs.Network(2e-3)
    x, a = net.input(10), net.population(8, bs.lif(), name="A")
    net.connect(x, a, weights=np.zeros((10, 8)), frozen=True)
    net.connect(a, net.readout(3), weights=np.ones((8, 3)))
    fit(net, task(), regularizers=[], validation=None)
    assert not [w for w in recwarn if "did not fire" in str(w.message)]
