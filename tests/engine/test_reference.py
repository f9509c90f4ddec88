"""The numbers of an independent implementation (automatic differentiation, float64)."""

import numpy as np
import pytest

import biosnn as bs
from tests import reference


@pytest.fixture(
    params=[
        reference.dalian_ei_lif,
        reference.feedforward_lif,
        reference.recurrent_adaptive_lif,
        reference.dalian_ampa_nmda_gaba,
    ],
    ids=lambda make: make.__name__,
)
def case(request):
    net, spikes, numbers = request.param()
    names = [p.name for p in net.spiking]
    return (
        net,
        numbers,
        names,
        bs.run(net, spikes, record=[f"{name}.U_star" for name in names], tape=True),
    )


def close(got, expected, tolerance=1e-10):
    assert np.abs(got - expected).max() <= tolerance * max(np.abs(expected).max(), 1e-300)


def test_spikes_are_identical(case):
    net, numbers, names, trace = case
    for name in names:
        assert np.array_equal(
            bs.bin_spikes(trace.spikes[name], net.dt).dense(), numbers[f"spikes.{name}"]
        )


def test_membrane_and_readout(case):
    net, numbers, names, trace = case
    for name in names:
        close(trace.states[f"{name}.U_star"][:, 1:], numbers[f"membrane.{name}"][:, :-1])
    close(trace.states["out.U"], numbers["readout"])


def test_loss_and_gradients(case):
    net, numbers, names, trace = case
    value, grad_readout = bs.MaxOverTimeCrossEntropy().value_and_gradient(
        trace.states["out.U"], numbers["labels"]
    )
    close(value, numbers["loss"])
    term = bs.upper_bound(
        float(numbers["regularizer_strength"]), float(numbers["regularizer_threshold"])
    )
    counts = {}
    total = 0.0
    for name in names:
        part, counts[name] = term.value_and_gradient(trace.counts[name])
        total += part
    regularized = float(numbers["regularizer_strength"]) > 0
    if regularized:
        close(total, numbers["regularizer_loss"], 1e-6)
    gradients = bs.gradient(
        trace, states={"out.U": grad_readout}, counts=counts if regularized else None
    )
    for name, got in gradients.weights.items():
        close(got.T, numbers[f"gradient.{name}"], 1e-6 if regularized else 1e-10)
