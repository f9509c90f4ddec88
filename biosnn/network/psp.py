"""Postsynaptic potentials: what one spike does to the membrane of a neuron that is linear in U."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..support import checks
from .neuron import Neuron
from .step_matrix import step_matrix


def psp(
    neuron: Neuron,
    dt: float,
    receptor: str,
    n_steps: int,
    time_constants: Mapping[str, Any] | None = None,
) -> NDArray[np.float64]:
    """Return the postsynaptic potential of a spike of weight 1.

    Parameters
    ----------
    neuron
        The postsynaptic neuron. It must be linear in U.
    dt
        Time step in seconds.
    receptor
        Name of the receptor at which the spike arrives.
    n_steps
        Number of samples.
    time_constants
        Name to seconds, in place of those of the neuron (for instance learned ones).

    Returns
    -------
    (n_steps,), or (n_steps, n) if a time constant has one value per neuron. The first sample is
    the value at the spike.

    Raises
    ------
    ValueError
        If the neuron is not linear in U.

    Notes
    -----
    With the step x <- M x of `step_matrix`, k[n] = (M^n)_{U, r} for a receptor that acts on the
    state r.

    Examples
    --------
    >>> import biosnn as bs
    >>> k = bs.theory.psp(bs.lif(tau_mem=20e-3, tau_syn=10e-3), 1e-3, "exc", 100)
    >>> f"{k.max():.2f}"
    '0.25'
    """
    matrix, _ = step_matrix(neuron, dt, time_constants)
    checks.choice(receptor, f"the receptor of {neuron.model}", neuron.receptors)
    n_steps = checks.whole(n_steps, "n_steps", 0)
    state = arrival_state(neuron, receptor, matrix.shape[:-1])
    kernel = np.empty((n_steps, *matrix.shape[:-2]))
    for n in range(n_steps):
        kernel[n] = state[..., 0]
        state = np.einsum("...sq,...q->...s", matrix, state)
    return kernel


def arrival_state(neuron: Neuron, receptor: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the state right after a spike of weight 1.

    Parameters
    ----------
    neuron
        The postsynaptic neuron. It must be linear in U.
    receptor
        Name of the receptor at which the spike arrives.
    shape
        (…, S) of the states.

    Raises
    ------
    ValueError
        If the neuron is not linear in U, so that its potentials do not add up.

    Examples
    --------
    >>> from biosnn import ei_lif
    >>> arrival_state(ei_lif(), "inh", (3,))
    array([0., 0., 1.])
    """
    if neuron.nonlinear_drive is not None:
        raise ValueError(
            f"{neuron.model} is not linear in U: its postsynaptic potentials do not add up, and "
            "have no moments."
        )
    target = neuron.receptors[receptor]
    state = np.zeros(shape)
    state[..., list(neuron.states).index(target.state)] = target.jump
    return state
