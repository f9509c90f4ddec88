"""Gradients of learned time constants, jumps, thresholds and biases."""

import numpy as np
from numpy.typing import NDArray

from ..kernels import arrays
from ..network.step_matrix import linear_step
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
        for name, shared in population.learn.items():
            if name == "jump":
                own = _jump_gradient(packed, gradient, population)
            elif name == "threshold":
                own = _of(packed, gradient, population, "threshold")
            else:
                own = _tau_gradient(packed, gradient, population, name)
            result[population.name, name] = own if shared == "neuron" else own.sum()
        if population.bias:
            result[population.name, "bias"] = _of(packed, gradient, population, "bias")
    return result


def _rows(packed, population):
    """The row of a population, and that of its cell."""
    row = packed.tables.populations[packed.layout.number[population.name]]
    return row, packed.tables.cells[row["cell"]]


def _at(place, row, gradient):
    """The gradient of numbers of a cell, for each neuron of a population."""
    first = place["at"] + row["offset"]
    return gradient.numbers[first : first + row["n"]]


def _of(packed, gradient, population, name):
    """The gradient of one number of each neuron."""
    row, cell = _rows(packed, population)
    return _at(cell[name], row, gradient)


def _tau_gradient(packed, gradient, population, name):
    """Gradient of the parameter of one time constant, for each neuron of a population."""
    network, tables = packed.network, packed.tables
    taus = network.time_constants(population)
    row, cell = _rows(packed, population)
    shifted = {key: value + (1e-20j if key == name else 0) for key, value in taus.items()}
    matrix, drive, rate = (
        a.imag / 1e-20 for a in linear_step(population.neuron, network.dt, shifted)
    )
    total = _at(cell["drive"], row, gradient) * drive[..., 0]
    total = total + _at(cell["rate"], row, gradient) * rate[..., 0]
    for r in range(cell["n_states"]):
        state = tables.states[cell["row_first"] + r]
        for term in tables.terms[state["first"] : state["last"]]:
            slope = matrix[..., r, term["other"]]
            total = total + _at(term["coefficient"], row, gradient) * slope
    p = network.parameters[population.name, name]
    return total * taus[name] * (1 - 1 / (1 + np.exp(-p)))


def _jump_gradient(packed, gradient, population):
    """Gradient of the logarithm of its jumps, for each neuron of a population."""
    total, tables = np.zeros(population.n), packed.tables
    for jump in tables.jumps[tables.jumps["population"] == packed.layout.number[population.name]]:
        at = slice(int(jump["amount"]["at"]), int(jump["amount"]["at"]) + population.n)
        total += gradient.numbers[at].astype(float) * tables.numbers[at]
    return total
