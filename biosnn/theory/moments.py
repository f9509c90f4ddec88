"""Moments of the free membrane (threshold off) under synaptic input, and the firing rate that they imply.

For independent Poisson inputs, projection p with N_p synapses of weight w and rate nu_p:

    mu_U = sum_p N_p nu_p eps_bar_p E[w_p]          sigma_U^2 = sum_p N_p nu_p eps_hat_p E[w_p^2]

(Rossbroich, Gygax & Zenke 2022, section 2.1), with the integrals of the postsynaptic potential k_p of a unit weight

    eps_bar = dt sum_n k[n]                          eps_hat = dt sum_n k[n]^2
"""

import copy
from dataclasses import replace

import numpy as np

from ..network.step_matrix import gain_matrix, step_matrix
from ..support import timegrid

_SLOW = 50  # a current that changes so much more slowly than the membrane counts as constant
_ROWS = 64  # of the density that are mixed by one product of matrices: so few that BLAS does not start threads for it


def as_learned(network):
    """A view of a network, which shares its weights and synapses, of neurons with the time constants and jumps that training has made."""
    if not any(p.learn for p in network.populations):
        return network
    view = copy.copy(network)
    view._populations = {
        p.name: replace(
            p,
            learn={},
            neuron=replace(
                p.neuron,
                time_constants=network.time_constants(p),
                spike_jumps=network.spike_jumps(p),
            ),
        )
        if p.learn
        else p
        for p in network.populations
    }
    return view


def psp(neuron, dt, receptor, n_steps):
    """Postsynaptic potential of a spike of weight 1: k[n] = (M^n)_{U, r}, n = 0 .. n_steps - 1.

    Shape (n_steps,), or (n_steps, n) for a population with a time constant per neuron. k[0] is the value at the spike.
    """
    matrix, _ = step_matrix(neuron, dt)
    state = _arrival(neuron, receptor, matrix.shape[:-1])
    kernel = np.empty((n_steps,) + matrix.shape[:-2])
    for n in range(n_steps):
        kernel[n] = state[..., 0]
        state = np.einsum("...sq,...q->...s", matrix, state)
    return kernel


def psp_integrals(neuron, dt, receptor, duration=None):
    """(eps_bar, eps_hat) of a receptor, in seconds; one value, or one per neuron.

    duration: seconds that the sums cover (samples 0 to duration - dt); None for the whole, infinite sum:
    eps_bar = dt [(1 - M)^-1]_{U, r} and eps_hat = dt P_UU with P = M P M^T + e_r e_r^T.
    """
    if duration is not None:
        kernel = psp(neuron, dt, receptor, timegrid.nearest_steps(duration, dt))
        return dt * kernel.sum(axis=0), dt * (kernel**2).sum(axis=0)
    matrix, _ = step_matrix(neuron, dt)
    size = matrix.shape[-1]
    arrival = _arrival(neuron, receptor, matrix.shape[:-1])
    total = np.linalg.solve(np.eye(size) - matrix, arrival[..., None])[..., 0, 0]
    pairs = np.einsum("...ij,...kl->...ikjl", matrix, matrix).reshape(
        matrix.shape[:-2] + (size**2, size**2)
    )
    square = np.einsum("...i,...k->...ik", arrival, arrival).reshape(
        matrix.shape[:-2] + (size**2, 1)
    )
    return dt * total, dt * np.linalg.solve(np.eye(size**2) - pairs, square)[..., 0, 0]


def _arrival(neuron, receptor, shape):
    """The state right after a spike of weight 1 at a receptor. ValueError for a neuron whose potentials do not add up."""
    if neuron.nonlinear_drive:
        raise ValueError(
            f"{neuron.model} is not linear in U: its postsynaptic potentials do not add up, and have no moments."
        )
    target = neuron.receptors[receptor]
    state = np.zeros(shape)
    state[..., list(neuron.states).index(target.state)] = target.jump
    return state


def current_time_constant(neuron, receptor_variance):
    """Time constant (s) of the one synaptic current that gives U the same variance and the same variance of dU/dt.

    receptor_variance: receptor -> its share of sigma_U^2. For a current with time constant tau and a membrane with tau_m,
    Var[dU/dt] = sigma_U^2 / (tau_m tau); for several receptors the variances of dU/dt add.
    """
    slope, total = 0.0, sum(receptor_variance.values())
    if not total > 0:
        raise ValueError(
            f"no receptor of {neuron.model} gets a variance: a membrane without input has no time constant of its currents."
        )
    tau_mem = float(np.mean(neuron.time_constants["mem"]))
    for receptor, variance in receptor_variance.items():
        slope += variance * _slope_variance(neuron, receptor)
    return total / (tau_mem * slope)


def continuous_psp_integrals(neuron, receptor):
    """(integral of k dt, integral of k^2 dt) of the PSP of a unit weight in continuous time, in seconds, for the mean time constants."""
    a, arrival, covariance = _continuous(neuron, receptor)
    return float(-np.linalg.solve(a, arrival)[0]), float(covariance[0, 0])


def adaptation_gain(neuron):
    """What a neuron's own spikes add to the mean of U through its adaptation, per hertz of its rate (s in units of U); 0 without."""
    return float(
        sum(
            neuron.gains.get(("U", state), 0.0)
            * np.mean(np.multiply(jump, neuron.time_constants[neuron.states[state]]))
            for state, jump in neuron.spike_jumps.items()
        )
    )


def adapted_rate(rate, gain):
    """The rate (Hz) that a neuron settles at if its own spikes move its mean: rate(shift of the mean) = nu, shift = gain nu."""
    free = rate(0.0)
    if gain >= 0 or not free > 0:
        return free
    from scipy.optimize import brentq  # here: `import biosnn` stays quick

    return brentq(lambda nu: rate(gain * nu) - nu, 0.0, free, xtol=1e-2, rtol=1e-2)


def _slope_variance(neuron, receptor):
    """Var[dU/dt] / Var[U] of a neuron that receives white noise at one receptor (continuous time)."""
    a, _, covariance = _continuous(neuron, receptor)
    return (a[0] @ covariance @ a[0]) / covariance[0, 0]


def _continuous(neuron, receptor):
    """A of dx/dt = A x, the state after a spike of weight 1, and the covariance under white noise of such spikes, one a second."""
    taus = {name: float(np.mean(value)) for name, value in neuron.time_constants.items()}
    tau = np.array([taus[name] for name in neuron.states.values()])
    a = (gain_matrix(neuron) - np.eye(len(tau))) / tau[:, None]
    arrival = _arrival(neuron, receptor, (len(tau),))
    from scipy.linalg import solve_continuous_lyapunov  # here: `import biosnn` stays quick

    return a, arrival, solve_continuous_lyapunov(a, -np.outer(arrival, arrival))


def pooled_rate(rate, size, dt):
    """Rate (Hz) of a unit that pools `size` neurons, each of that rate (Hz) and independent: p -> 1 - (1 - p)^size in a step of dt (s)."""
    return (1 - (1 - min(rate * dt, 1.0)) ** size) / dt


def siegert_rate(mu, sigma, tau_mem, threshold=1.0, reset=0.0, refractory=0.0):
    """Firing rate (Hz) of a leaky integrate-and-fire neuron driven by white noise (delta synapses, many small inputs).

        1 / rate = refractory + tau_mem sqrt(pi) integral from (reset - mu)/s to (threshold - mu)/s of exp(u^2) (1 + erf u) du

    with s = sqrt(2) sigma; mu and sigma are the mean and standard deviation of the free membrane (threshold off), in the unit
    of threshold and reset. Times in seconds. Source: Siegert (1951); Brunel (2000), eq. 21. ValueError unless sigma > 0.
    For currents with a time constant of their own use `stationary_rate`.
    """
    if not sigma > 0:
        raise ValueError(
            f"sigma is {sigma!r}; the standard deviation of the membrane must be positive."
        )
    low, high = ((level - mu) / (np.sqrt(2) * sigma) for level in (reset, threshold))
    if high > 25:  # exp(u^2) overflows: less than one spike in the age of the universe
        return 0.0
    from scipy.integrate import quad  # here: `import biosnn` stays quick
    from scipy.special import erfcx  # here: `import biosnn` stays quick

    integral = quad(lambda u: erfcx(-u), low, high, limit=200)[0]
    return 1 / (refractory + tau_mem * np.sqrt(np.pi) * integral)


def stationary_rate(
    mu, sigma, tau_mem, tau_current, dt, threshold=1.0, reset=0.0, refractory_steps=0
):
    """Firing rate (Hz) of a leaky integrate-and-fire neuron driven by an Ornstein-Uhlenbeck current.

    mu, sigma      mean and standard deviation of the free membrane (threshold off)
    tau_current    correlation time of the current (s)
    reset          value, or "subtract"

    Solves the master equation of the discrete-time neuron (integrate, threshold, noise, reset) for the density of U and
    current on a grid, until the rate is stationary: no approximation of short synapses (as in Siegert's formula with the
    colour correction of Fourcaud & Brunel 2002) or of high thresholds (as in Rice's formula) is needed. A current 50 times slower than
    the membrane counts as constant.
    """
    if not (sigma > 0 and tau_mem > 0 and tau_current > 0):
        return 0.0 if mu < threshold else np.nan
    scale, shift = sigma, mu  # in units of sigma around mu: U -> (U - mu) / sigma
    theta = (threshold - shift) / scale
    if theta > 10:  # a density of exp(-50) there; the grid would grow with theta
        return 0.0
    drop = threshold / scale if reset == "subtract" else None
    back = None if reset == "subtract" else (reset - shift) / scale
    if tau_current > _SLOW * tau_mem:  # the rate of a clock at every value of the current
        x = np.linspace(max(theta, -6.0), 6.0, 4001)[1:]
        interval = refractory_steps * dt + tau_mem * np.log(
            (x - (theta - drop if back is None else back)) / (x - theta)
        )
        return (
            float(np.sum(np.exp(-(x**2) / 2) / interval) * (x[1] - x[0]) / np.sqrt(2 * np.pi))
            if theta < 6
            else 0.0
        )
    current, mixing, gain, decay = _current_grid(tau_mem, tau_current, dt)
    low = min(
        -6.0, back - 1.0 if drop is None else theta - abs(drop) - 1.0
    )  # as far down as a spike leads
    u = np.linspace(low, theta, _ROWS * max(4, round(60 * min(theta - low, 30) / _ROWS)))
    target = decay * u[:, None] + gain * current  # U* of each cell (u, current)
    start = np.exp(-0.5 * np.linspace(-4.5, 4.5, current.size) ** 2)
    return _relax(
        u,
        target,
        mixing,
        start / start.sum(),
        theta,
        back,
        drop,
        refractory_steps,
        dt,
        max(20, int(tau_mem / dt)),
    )


def _current_grid(tau_mem, tau_current, dt):
    """Grid of the current (in units that give U variance 1), its transition matrix, what it adds to U in a step, and what stays of U.

    Fine enough for the change of the current in a step, sqrt(2 dt / tau_current), to be seen.
    """
    n = max(41, int(4 * np.sqrt(tau_current / dt)) | 1)
    decay_u, decay_i = np.exp(-dt / tau_mem), np.exp(-dt / tau_current)
    if abs(tau_mem - tau_current) < 1e-9 * tau_mem:
        gain = dt / tau_mem * decay_u
    else:
        gain = tau_current / (tau_current - tau_mem) * (decay_i - decay_u)
    # stationary variances of U <- decay_u U + gain I, I <- decay_i I + s noise, with Var[I] = v and Var[U] = 1
    cross = gain * decay_i / (1 - decay_u * decay_i)
    variance = (1 - decay_u**2) / (gain**2 + 2 * decay_u * gain * cross)
    grid = np.linspace(-4.5, 4.5, n) * np.sqrt(variance)
    spread = np.sqrt(variance * (1 - decay_i**2))
    mixing = np.exp(-((grid[None, :] - decay_i * grid[:, None]) ** 2) / (2 * spread**2))
    return grid, mixing / mixing.sum(axis=1, keepdims=True), gain, decay_u


def _relax(u, target, mixing, start, theta, back, drop, refractory_steps, dt, every):
    """Iterate the density (u, current) until it and the spike probability per step settle; returns the latter per second."""
    from scipy.sparse import coo_matrix

    n_u, n_i = target.shape
    fires = target > theta
    landing = np.where(fires, back if drop is None else target - drop, target)
    at = np.clip((landing - u[0]) / (u[1] - u[0]), 0, n_u - 1.000001)
    low, part = at.astype(int), at - at.astype(int)
    column, cell = np.broadcast_to(np.arange(n_i), target.shape), np.arange(n_u * n_i)
    rows = np.concatenate([(low * n_i + column).ravel(), ((low + 1) * n_i + column).ravel()])
    moves = coo_matrix(
        (np.concatenate([1 - part.ravel(), part.ravel()]), (rows, np.tile(cell, 2))),
        shape=(cell.size, cell.size),
    ).tocsr()
    density = np.zeros((n_u, n_i))
    density[np.argmin(np.abs(u - min(0.0, u[-1])))] = start

    def moved_and_mixed(part):
        return ((moves @ part.ravel()).reshape(-1, _ROWS, n_i) @ mixing).reshape(n_u, n_i)

    def mixed(part):
        return (part.reshape(-1, _ROWS, n_i) @ mixing).reshape(n_u, n_i)

    waiting, rate = [np.zeros((n_u, n_i))] * max(0, refractory_steps - 1), 0.0
    for step in range(20000):
        before, spikes = density, density * fires
        if waiting:
            waiting = [mixed(part) for part in waiting] + [moved_and_mixed(spikes)]
            density, waiting = moved_and_mixed(density - spikes) + waiting[0], waiting[1:]
        else:
            density = moved_and_mixed(density)
        if step % every == every - 1:
            last, rate = rate, spikes.sum() / dt
            settled = (
                np.abs(density - before).sum() < 1e-6 and abs(rate - last) < 1e-4 * rate + 1e-9
            )
            if settled and step > 4 * every:
                break
    return float(rate)
