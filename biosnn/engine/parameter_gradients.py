"""Gradients of learned time constants, jumps and biases, from those of the step matrix."""

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..network.step_matrix import linear_step, step_pattern
from .packed import Packed


def parameter_gradients(
    packed: Packed, gradient: arrays.Gradient
) -> dict[tuple[str, str], NDArray]:
    """Return gradients of the parameters of learned time constants and jumps, and of biases.

    Parameters
    ----------
    packed
        The network as kernels read it.
    gradient
        What the adjoint summed: derivatives with respect to the step matrix, gains, jumps and
        biases.

    Returns
    -------
    (population, name) -> array, as in `network.parameters`.

    Notes
    -----
    dM/dtau by a complex step, which is exact to rounding; then dtau/dp = tau (1 - sigmoid(p)). Of a
    jump: djump/dp = jump.
    """
    result = {}
    for population in packed.order:
        neurons = packed.neurons(population.name)
        for name, shared in population.learn.items():
            if name == "jump":
                own = _jump_gradient(packed.model, gradient, neurons)
            else:
                own = _tau_gradient(packed, gradient, population, neurons, name)
            result[population.name, name] = own if shared == "neuron" else own.sum()
        if population.bias:
            result[population.name, "bias"] = gradient.bias[neurons]
    return result


def _tau_gradient(packed, gradient, population, neurons, name):
    """Gradient of the parameter of one time constant, for each neuron of a population."""
    network, model = packed.network, packed.model
    taus = network.time_constants(population)
    g = int(np.searchsorted(model.neuron_first, neurons.start, side="right")) - 1
    offset, first = neurons.start - model.neuron_first[g], model.rows.first[model.row_first[g]]
    shifted = {key: value + (1e-20j if key == name else 0) for key, value in taus.items()}
    matrix, drive, rate = (
        a.imag / 1e-20 for a in linear_step(population.neuron, network.dt, shifted)
    )
    total = gradient.drive[neurons] * drive[..., 0] + gradient.rate[neurons] * rate[..., 0]
    for e, (row, column) in enumerate(step_pattern(population.neuron), int(first)):
        at = model.rows.at[e] + offset
        total = total + gradient.coefficient[at : at + population.n] * matrix[..., row, column]
    p = network.parameters[population.name, name]
    return total * taus[name] * (1 - 1 / (1 + np.exp(-p)))


def _jump_gradient(model, gradient, neurons):
    """Gradient of the logarithm of its jumps, for each neuron of a population."""
    total, jumps = np.zeros(neurons.stop - neurons.start), model.jumps
    for p, first in zip(jumps.population, jumps.first):
        if model.population_first[p] == neurons.start:
            total += (
                gradient.jump[first : first + total.size].astype(float)
                * jumps.size[first : first + total.size]
            )
    return total
