"""The exact step matrix M = expm(A dt) of a neuron table, and those of other integrators.

Between spikes the states of a neuron obey dx/dt = A x with A_sq = (g_sq - [s = q]) / tau_s, and a
step of length dt is x <- M x. Everything here follows from the table in neuron.py.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..support import checks
from .neuron import Neuron

_REMEMBERED = 256  # exponentials: networks are packed again and again with the same few


def gain_matrix(neuron: Neuron) -> NDArray[np.float64]:
    """Return G of tau_s dx_s/dt = -x_s + sum_q G_sq x_q.

    Parameters
    ----------
    neuron
        The table, with S states.

    Returns
    -------
    (S, S) gains, in the order of `neuron.states`.

    Examples
    --------
    >>> from biosnn import ei_lif
    >>> gain_matrix(ei_lif())
    array([[ 0.,  1., -1.],
           [ 0.,  0.,  0.],
           [ 0.,  0.,  0.]])
    """
    names = list(neuron.states)
    gains = np.zeros((len(names), len(names)))
    for (row, column), gain in neuron.gains.items():
        gains[names.index(row), names.index(column)] = gain
    return gains


def step_matrix(
    neuron: Neuron, dt: float, time_constants: Mapping[str, Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return M and the drive of one step: x <- M x + drive * current.

    Parameters
    ----------
    neuron
        The table, with S states.
    dt
        Length of the step in seconds.
    time_constants
        Name -> seconds, one number or an array (n,) of one per neuron, in place of those of the
        table. They may be complex, for derivatives from a complex step.

    Returns
    -------
    matrix
        (S, S), or (n, S, S) if a time constant is an array.
    drive
        (S,) or (n, S): what a current into the membrane adds, if it is constant during the step.

    Notes
    -----
    With the integrator "exact", M = expm(A dt). With "exponential_euler" every state moves
    towards what the old values of the others say,
    x_s <- d_s x_s + (1 - d_s) sum_q g_sq x_q with d_s = exp(-dt / tau_s), and with "euler"
    d_s = 1 - dt / tau_s. For a model that is not linear in U, this is the linear part.

    Examples
    --------
    >>> from biosnn import lif
    >>> matrix, drive = step_matrix(lif(tau_mem=20e-3, tau_syn=10e-3), 1e-3)
    >>> matrix.round(4)
    array([[0.9512, 0.0464],
           [0.    , 0.9048]])
    """
    checks.instance(neuron, "neuron", Neuron, "a neuron model, such as bs.lif()")
    dt = checks.time(dt, "dt", above=0)
    tau = _time_constants(neuron, time_constants)
    rhs = _right_hand_side(neuron)
    if neuron.integrator == "exact":
        n = len(rhs)
        generator = np.zeros((*tau.shape[:-1], n + 1, n + 1), tau.dtype)
        generator[..., :-1, :] = rhs / tau[..., None]
        step = _exponential(generator * dt)[..., :-1, :]
    else:
        decay = np.exp(-dt / tau) if neuron.integrator == "exponential_euler" else 1 - dt / tau
        decay = decay[..., None]
        step = (1 - decay) * (rhs + np.eye(*rhs.shape)) + decay * np.eye(*rhs.shape)
    return step[..., :-1], step[..., -1]


def _time_constants(neuron, given):
    """(S,) or (n, S) time constants of the states, those of the table unless others are given."""
    if given is None:
        given = neuron.time_constants
    checks.instance(given, "time_constants", Mapping, "a dict from names to seconds, or None")
    found = []
    for name in neuron.states.values():
        if name not in given:
            raise ValueError(
                f"time_constants has {', '.join(map(str, given)) or 'nothing'}; {neuron.model} "
                f"needs {', '.join(neuron.time_constants)}."
            )
        tau = checks.as_array(given[name], f"time_constants[{name!r}]", "seconds")
        if tau.ndim > 1 or tau.dtype.kind not in "iufc" or not np.all(tau.real > 0):
            checks.refuse(f"time_constants[{name!r}]", given[name], "positive, one or one a neuron")
        found.append(tau)
    if len({tau.size for tau in found if tau.ndim}) > 1:
        sizes = ", ".join(str(tau.size) for tau in found)
        raise ValueError(f"time_constants have {sizes} values; one, or one for each neuron.")
    return np.stack(np.broadcast_arrays(*found), axis=-1)


def _right_hand_side(neuron: Neuron) -> NDArray[np.float64]:
    """Return (S, S + 1) the coefficients of tau_s dx_s/dt: the states, then a current to U."""
    gains = gain_matrix(neuron)
    rhs = np.eye(len(gains), len(gains) + 1, k=0) * -1.0
    rhs[:, :-1] += gains
    rhs[0, -1] = 1.0
    return rhs


def linear_step(
    neuron: Neuron, dt: float, time_constants: Mapping[str, Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the linear part of one step of any model, conductances included.

    Parameters
    ----------
    neuron, dt, time_constants
        As for `step_matrix`.

    Returns
    -------
    matrix, drive
        Those of `step_matrix`. Where conductances act on U, its row and its drive are zero.
    rate
        (1,) or (n, 1): dt / tau_mem where U is not linear in the states, else zero.

    Examples
    --------
    >>> from biosnn import conductance_lif
    >>> matrix, drive, rate = linear_step(conductance_lif(), 1e-4)
    >>> matrix[0], drive[0], rate
    (array([0., 0., 0.]), np.float64(0.0), array([0.005]))
    """
    matrix, drive = step_matrix(neuron, dt, time_constants)
    taus = neuron.time_constants if time_constants is None else time_constants
    rate = np.zeros_like(drive[..., :1])
    if neuron.reversal or neuron.nonlinear_drive is not None:
        rate[..., 0] = dt / np.asarray(taus[neuron.membrane_tau])
    if neuron.reversal:
        matrix[..., 0, :] = 0
        drive[..., 0] = 0
    return matrix, drive, rate


def nonlinear_step(neuron: Neuron, dt: float, u: ArrayLike) -> Any:
    """Return what a step adds to U in addition to the linear part.

    Parameters
    ----------
    neuron
        The table; only `adex` and `izhikevich` have a nonlinear drive.
    dt
        Length of the step in seconds.
    u
        U at the beginning of the step, a number or an array (n,).

    Returns
    -------
    dt / tau_mem (square U^2 + constant + slope exp((U - onset) / slope)); 0 for linear models.

    Examples
    --------
    >>> from biosnn import izhikevich, lif
    >>> round(float(nonlinear_step(izhikevich(), 1e-4, -65.0)), 3)
    30.9
    >>> nonlinear_step(lif(), 1e-4, 0.5)
    0.0
    """
    drive = neuron.nonlinear_drive
    if drive is None:
        return 0.0
    u = np.asarray(u)
    exponential = drive.slope * np.exp((u - drive.onset) / drive.slope) if drive.slope else 0.0
    rate = dt / np.asarray(neuron.time_constants[neuron.membrane_tau])
    return rate * (drive.square * u**2 + drive.constant + exponential)


def step_pattern(neuron: Neuron) -> list[tuple[int, int]]:
    """Return which entries of M can differ from zero, whatever the time constants.

    Parameters
    ----------
    neuron
        The table.

    Returns
    -------
    Pairs (row, column), row by row. With the exact integrator a state also depends on those that
    act on it through others.

    Examples
    --------
    >>> from biosnn import lif
    >>> step_pattern(lif())
    [(0, 0), (0, 1), (1, 1)]
    """
    pattern = (gain_matrix(neuron) != 0) | np.eye(len(neuron.states), dtype=bool)
    if neuron.integrator == "exact":
        pattern = np.linalg.matrix_power(pattern.astype(int), len(pattern)) > 0
    rows, columns = np.nonzero(pattern)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


# ------------------------------------------------------------------------------- the exponential


def _exponential(matrices: NDArray[Any]) -> NDArray[Any]:
    """Return exp of small matrices (…, S, S), real or complex.

    All neurons at once, and without BLAS, whose threads take longer to wake up than such products
    take. exp(X) = exp(X / 2^s)^(2^s), with the Taylor polynomial of degree 15 of X / 2^s, whose
    norm is below 1/2 (the rest is 2e-18). It is analytic in every element, so that a complex step
    gives exact derivatives.
    """
    if matrices.ndim == 2:
        return _remembered(matrices.dtype.str, matrices.shape, matrices.tobytes()).copy()
    x = np.moveaxis(matrices, 0, -1)  # neurons side by side
    norm = np.abs(x.real).sum(axis=1).max()
    halvings = max(0, int(np.ceil(np.log2(max(norm, 1e-300)))) + 1)
    powers = [np.broadcast_to(np.eye(len(x))[..., None], x.shape), x / 2**halvings]
    for _ in range(3):
        powers.append(_product(powers[-1], powers[1]))
    result: Any = 0.0
    for first in (12, 8, 4, 0):  # sum_k X^k / k!, four terms at a time
        part = sum(powers[k] / math.factorial(first + k) for k in range(4))
        result = part + (0.0 if first == 12 else _product(result, powers[4]))
    for _ in range(halvings):
        result = _product(result, result)
    return np.moveaxis(result, -1, 0)


def _product(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """Return the products of matrices (S, S, n), neuron by neuron."""
    return np.einsum("ijn,jkn->ikn", a, b)


@lru_cache(_REMEMBERED)
def _remembered(kind: str, shape: tuple[int, ...], data: bytes) -> NDArray[Any]:
    """Return the exponential of one matrix, from its type, shape and bytes."""
    return _exponential(np.frombuffer(data, kind).reshape(1, *shape))[0]
