"""Firing rate from the stationary density of membrane and current: synapses of any duration."""

import numpy as np

from ..support import checks

_SLOW = 50  # a current that changes so much more slowly than the membrane counts as constant
_ROWS = 64  # of the density in one product of matrices: so few that BLAS does not start threads


def stationary_rate(
    mu: float,
    sigma: float,
    tau_mem: float,
    tau_current: float,
    dt: float,
    *,
    threshold: float = 1.0,
    reset: float | str = 0.0,
    refractory_steps: int = 0,
) -> float:
    """Firing rate (Hz) of a leaky integrate-and-fire neuron driven by a coloured current.

    The current is an Ornstein-Uhlenbeck process. One that is 50 times slower than the membrane
    counts as constant.

    Parameters
    ----------
    mu, sigma
        Mean and standard deviation of the free membrane (threshold off).
    tau_mem, tau_current
        Time constants of membrane and current in seconds.
    dt
        Time step in seconds.
    threshold
        Potential.
    reset
        Potential, or "subtract".
    refractory_steps
        Refractory period in steps.

    Returns
    -------
    The rate in hertz.

    Raises
    ------
    ValueError
        If an argument is not possible, or the reset is not below the threshold.

    Notes
    -----
    Solves the master equation of the discrete-time neuron (integrate, threshold, noise, reset) for
    the density of membrane and current on a grid, until the rate is stationary. No approximation
    of short synapses (Siegert's formula with the colour correction of Fourcaud & Brunel 2002) or
    of high thresholds (Rice's formula) is needed.

    Examples
    --------
    >>> import biosnn as bs
    >>> f"{bs.theory.stationary_rate(0.6, 0.3, 20e-3, 5e-3, 1e-3):.1f} Hz"
    '5.3 Hz'
    """
    mu, sigma = checks.real(mu, "mu"), checks.real(sigma, "sigma", 0)
    tau_mem = checks.time(tau_mem, "tau_mem", above=0)
    tau_current = checks.time(tau_current, "tau_current", 0)
    dt = checks.time(dt, "dt", above=0)
    threshold = checks.real(threshold, "threshold")
    if not (isinstance(reset, str) and reset == "subtract"):
        reset = checks.real(reset, "reset", below=threshold, why="it lies below the threshold")
    refractory_steps = checks.whole(refractory_steps, "refractory_steps", 0)
    return coloured_rate(mu, sigma, tau_mem, tau_current, dt, threshold, reset, refractory_steps)


def coloured_rate(
    mu: float,
    sigma: float,
    tau_mem: float,
    tau_current: float,
    dt: float,
    threshold: float,
    reset: float | str,
    refractory_steps: int,
) -> float:
    """Return what `stationary_rate` does, for arguments that were checked."""
    if not (sigma > 0 and tau_mem > 0 and tau_current > 0):
        return 0.0 if mu < threshold else np.nan
    theta = (threshold - mu) / sigma  # in units of sigma around mu: U -> (U - mu) / sigma
    if theta > 10:  # a density of exp(-50) there; the grid would grow with theta
        return 0.0
    subtracts = isinstance(reset, str)
    drop = threshold / sigma
    back = theta - drop if isinstance(reset, str) else (reset - mu) / sigma  # from the threshold
    if tau_current > _SLOW * tau_mem:
        return _clocks_rate(theta, back, tau_mem, refractory_steps * dt)
    current, mixing, gain, decay = _current_grid(tau_mem, tau_current, dt)
    low = min(-6.0, theta - abs(drop) - 1.0 if subtracts else back - 1.0)
    u = np.linspace(low, theta, _ROWS * max(4, round(60 * min(theta - low, 30) / _ROWS)))
    target = decay * u[:, None] + gain * current  # U* of each cell (u, current)
    fires = target > theta
    moves = _moves(u, np.where(fires, target - drop if subtracts else back, target))
    start = np.exp(-0.5 * np.linspace(-4.5, 4.5, current.size) ** 2)
    density = np.zeros(target.shape)
    density[np.argmin(np.abs(u - min(0.0, u[-1])))] = start / start.sum()
    every = max(20, int(tau_mem / dt))
    return _relax(density, fires, moves, mixing, refractory_steps, dt, every)


def _clocks_rate(theta, landing, tau_mem, refractory):
    """Mean rate (Hz) over the values of a current that is constant to each neuron, a clock."""
    if theta >= 6:
        return 0.0
    x = np.linspace(max(theta, -6.0), 6.0, 4001)[1:]
    interval = refractory + tau_mem * np.log((x - landing) / (x - theta))
    return float(np.sum(np.exp(-(x**2) / 2) / interval) * (x[1] - x[0]) / np.sqrt(2 * np.pi))


def _current_grid(tau_mem, tau_current, dt):
    """Grid of the current, its transition matrix, what it adds to U in a step, what stays of U.

    The current is in units that give U variance 1. The grid is fine enough for the change of the
    current in a step, sqrt(2 dt / tau_current), to be seen.
    """
    n = max(41, int(4 * np.sqrt(tau_current / dt)) | 1)
    decay_u, decay_i = np.exp(-dt / tau_mem), np.exp(-dt / tau_current)
    if abs(tau_mem - tau_current) < 1e-9 * tau_mem:
        gain = dt / tau_mem * decay_u
    else:
        gain = tau_current / (tau_current - tau_mem) * (decay_i - decay_u)
    # stationary variances of U <- decay_u U + gain I and I <- decay_i I + s noise, with Var[U] = 1
    cross = gain * decay_i / (1 - decay_u * decay_i)
    variance = (1 - decay_u**2) / (gain**2 + 2 * decay_u * gain * cross)
    grid = np.linspace(-4.5, 4.5, n) * np.sqrt(variance)
    spread = np.sqrt(variance * (1 - decay_i**2))
    mixing = np.exp(-((grid[None, :] - decay_i * grid[:, None]) ** 2) / (2 * spread**2))
    return grid, mixing / mixing.sum(axis=1, keepdims=True), gain, decay_u


def _moves(u, landing):
    """Sparse matrix that moves the density of each cell (u, current) to where its U lands."""
    from scipy.sparse import coo_matrix  # here: `import biosnn` stays quick

    n_u, n_i = landing.shape
    at = np.clip((landing - u[0]) / (u[1] - u[0]), 0, n_u - 1.000001)
    low = at.astype(int)
    part = (at - low).ravel()
    column = np.broadcast_to(np.arange(n_i), landing.shape)
    cell = np.arange(n_u * n_i)
    rows = np.concatenate([(low * n_i + column).ravel(), ((low + 1) * n_i + column).ravel()])
    shares = np.concatenate([1 - part, part])
    size = (cell.size, cell.size)
    return coo_matrix((shares, (rows, np.tile(cell, 2))), shape=size).tocsr()


def _relax(density, fires, moves, mixing, refractory_steps, dt, every):
    """Iterate the density until it and the spike probability settle; the rate in hertz.

    Both are compared every `every` steps.
    """
    n_u, n_i = density.shape

    def mixed(part):
        return (part.reshape(-1, _ROWS, n_i) @ mixing).reshape(n_u, n_i)

    def moved_and_mixed(part):
        return mixed(moves @ part.ravel())

    waiting = [np.zeros((n_u, n_i))] * max(0, refractory_steps - 1)
    rate = 0.0
    for step in range(20000):
        before = density
        spikes = density * fires
        if waiting:
            waiting = [mixed(part) for part in waiting] + [moved_and_mixed(spikes)]
            density = moved_and_mixed(density - spikes) + waiting[0]
            waiting = waiting[1:]
        else:
            density = moved_and_mixed(density)
        if step % every == every - 1:
            last, rate = rate, spikes.sum() / dt
            steady = np.abs(density - before).sum() < 1e-6
            if steady and abs(rate - last) < 1e-4 * rate + 1e-9 and step > 4 * every:
                break
    return float(rate)
