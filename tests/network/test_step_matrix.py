"""The matrix of one step: beside scipy's exponential, and its derivatives by time constants beside
Fréchet's.
"""

import sys

import numpy as np
import pytest
from scipy.linalg import expm, expm_frechet

import biosnn as bs
from biosnn.network.step_matrix import gain_matrix, step_matrix

TABLES = [
    bs.lif,
    bs.ei_lif,
    bs.adaptive_lif,
    bs.ei_adaptive_lif,
    bs.ampa_nmda_gaba,
    bs.lif_delta,
    bs.leaky_readout,
]
DT = 1e-3


def generator(neuron, taus, dtaus=None):
    """A dt of x and a constant current; dtaus: its derivative in that direction."""
    tau = np.array([taus[name] for name in neuron.states.values()])
    rates = (
        1 / tau
        if dtaus is None
        else -np.array([dtaus.get(name, 0.0) for name in neuron.states.values()]) / tau**2
    )
    matrix = np.zeros((tau.size + 1, tau.size + 1))
    matrix[:-1, :-1] = (gain_matrix(neuron) - np.eye(tau.size)) * rates[:, None] * DT
    matrix[0, -1] = rates[0] * DT
    return matrix


@pytest.mark.parametrize("table", TABLES)
def test_any_time_constants_of_any_number_of_neurons(table):
    neuron, rng = table(), np.random.default_rng(0)
    taus = {name: DT * np.exp(rng.uniform(0, 7, 30)) for name in neuron.time_constants}
    first, *others = taus
    for name in others:
        taus[name][:10] = taus[first][:10] * (
            1 + np.array([0, 0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3, -1e-8, 0])
        )  # equal, or nearly
    matrix, drive = step_matrix(neuron, DT, taus)
    for k in range(30):
        own = {name: tau[k] for name, tau in taus.items()}
        wanted = expm(generator(neuron, own))[:-1]
        np.testing.assert_allclose(
            np.column_stack([matrix[k], drive[k]]), wanted, rtol=1e-13, atol=1e-14
        )
        single = step_matrix(neuron, DT, own)
        np.testing.assert_allclose(np.column_stack(single), wanted, rtol=1e-13, atol=1e-14)
    for name in taus:  # exact derivatives by a complex step
        derivative = step_matrix(neuron, DT, taus | {name: taus[name] + 1e-20j})[0].imag / 1e-20
        for k in range(30):
            own = {each: tau[k] for each, tau in taus.items()}
            wanted = expm_frechet(
                generator(neuron, own), generator(neuron, own, {name: 1.0}), compute_expm=False
            )[:-1, :-1]
            np.testing.assert_allclose(
                derivative[k], wanted, rtol=1e-10, atol=1e-12 * np.abs(wanted).max()
            )


def test_no_library_with_threads_of_its_own(monkeypatch):
    """A few products of 3 x 3 matrices, at every batch of a training: waking up threads for them
    costs a hundred times as much.
    """

    def forbidden(*args, **options):
        raise AssertionError("BLAS")

    monkeypatch.setattr(np, "matmul", forbidden)
    monkeypatch.setattr(np, "dot", forbidden)
    monkeypatch.setattr(sys.modules["scipy.linalg"], "expm", forbidden)
    step_matrix(bs.ei_lif(tau_mem=17e-3), DT, {"mem": 17e-3 + 1e-20j, "exc": 5e-3, "inh": 7e-3})
