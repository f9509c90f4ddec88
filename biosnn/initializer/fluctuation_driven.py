"""The fluctuation-driven initializer: weights that hold every membrane near, but below, threshold.

Its parts: targets.py (what is asked for), equations.py and conductance_equations.py (weights from
mu_U and sigma_U), closed_loop.py (measure and correct), trials.py and circuit.py (the two ways to
measure: on trials of data, in a simulated circuit), report.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..engine.ahead import compile_gradients_beside
from ..network.families import Exponential, Family
from ..network.network import Network
from ..support.checks import choice, flag, instance, several
from ..support.seeds import generator
from ..support.threads import checked_threads
from . import circuit, trials
from .circuit import CircuitStart
from .closed_loop import close_loop
from .report import InitializerReport
from .targets import Wishes
from .trials import TrialStart

#: The default family of weights.
_EXPONENTIAL = Exponential()
_SOURCE = "PoissonInput('E', 1e3, 0.1)"

#: A number for all populations, or a dict by name.
ByPopulation = float | Mapping[str, float]


def fluctuation_driven(
    network: Network,
    spikes: Any = None,
    *,
    background: Sequence | None = None,
    target_rate: ByPopulation | None = None,
    mu_u: ByPopulation | None = None,
    sigma_u: ByPopulation | None = None,
    xi: ByPopulation | None = None,
    alpha: ByPopulation = 0.9,
    family: Family | Mapping[str, Family] = _EXPONENTIAL,
    assumed_rates: ByPopulation | None = None,
    closed_loop: bool | None = None,
    balance: str = "population",
    shares: Mapping[str, float] | None = None,
    merge: bool = True,
    seed: int | np.random.Generator = 0,
    threads: int | None = None,
    progress: bool = True,
) -> InitializerReport:
    """Set all weights of a network so that it starts in the fluctuation-driven regime.

    The free membrane (threshold off) of every population gets the mean mu_U and the standard
    deviation sigma_U, with balanced excitation and inhibition. There are two ways:

    - with `spikes`, for a network that will be trained: input rates are measured from the data,
      recurrent rates are made consistent, and a closed loop corrects the weights until the
      membranes that are measured on the data have the targets. A `background` that it will be
      trained with counts in them;
    - with a `background` alone, for a sparse or dense circuit that will be simulated: the closed
      loop simulates it a few times.

    Parameters
    ----------
    network
        Its weights are set. Biases are left alone, and add to mu_U.
    spikes
        Data that the network will see. Default: no closed loop.
    background
        External drive, which stays as it is: beside `spikes` as for `train`, else that of a
        circuit, as for `simulate`. Of a circuit, biases count as part of it, and `alpha`, `balance`
        and `merge` play no part.
    target_rate
        Hertz, as a target in place of mu_u or sigma_u (xi). Only of a circuit.
    mu_u, sigma_u
        Targets, in the unit of U. Except for a circuit 0 and 1 by default.
    xi
        In place of sigma_u: sigma_U = (threshold - mu_U) / xi, usually with 1 <= xi <= 3.
    alpha
        Feed-forward share of the (excitatory) variance.
    family
        Family of the non-negative weights (`bs.families`), or a dict by projection. Weights of
        either sign are normal.
    assumed_rates
        Hertz to assume instead of measuring: a number, or a dict by input and population. Of a
        circuit: for inputs only.
    closed_loop
        Whether to measure and correct. Default: if there are spikes or a background. Without it the
        equations alone set the weights; with a background they are for independent inputs, and take
        the last value of what changes with time.
    balance
        "population": the mean over neurons is mu_U. "neuron": the inhibition of each neuron is
        scaled so that its own mean is mu_U.
    shares
        Projection to share of the variance within the excitatory (inhibitory) afferents of its
        target.
    merge
        Whether several spikes of a unit in one step count once, as the data will be binned.
    seed
        Seed of the random numbers.
    threads
        As for `run` and `simulate`.
    progress
        Whether to show the progress.

    Returns
    -------
    A report of targets, predicted and measured values. `print` it for a table.

    Raises
    ------
    ValueError
        If the targets cannot be reached; the message says which condition fails, and what would be
        possible.

    Notes
    -----
    For independent Poisson inputs of rate nu_p over N_p synapses, with the integrals eps_bar and
    eps_hat of the postsynaptic potential and of its square,

        mu_U      = sum_p s_p N_p nu_p eps_bar_p E[w_p]
        sigma_U^2 = sum_p N_p nu_p eps_hat_p E[w_p^2]

    Dale's law: a family fixes E[w^2] / E[w]^2, and balance, variance and alpha give the means.
    Populations with conductances get their weights from the theory of `bs.theory.membrane`.

    The moments of the free membrane contain neither adaptation, which follows from a neuron's own
    spikes, nor bounds of U. The rate that theory assumes for a population includes the mean
    adaptation. Time constants are those that the network has now.

    Readouts get normal weights with variance 1/n, where n is the number of their afferents.
    Projections without synapses are left out. For a sparse projection the mean number of afferents
    counts, for a convolution that of a neuron away from the edges. Units that pool (`network.pool`)
    are assumed to fire in a step with probability 1 - (1 - p)^k, k neurons in a window; the closed
    loop measures their rate instead.

    Time: seconds for a thousand neurons on trials; a background takes a few simulations of 2 s.

    References
    ----------
    Rossbroich, Gygax & Zenke (2022), Fluctuation-driven initialization for spiking neural network
    training, Neuromorphic Computing and Engineering 2:044016.

    Examples
    --------
    >>> import biosnn as bs
    >>> net = bs.Network(dt=2e-3)
    >>> e, i = bs.dalian_layer(net, net.input(100), 64, 16)
    >>> report = bs.fluctuation_driven(net, assumed_rates=15.0, sigma_u=0.5)
    >>> f"{report['E'].predicted.sigma:.1f}"
    '0.5'
    """
    instance(network, "network", Network, "a Network")
    if spikes is not None:  # a network for training
        compile_gradients_beside(network.dtype)
    closed_loop = None if closed_loop is None else flag(closed_loop, "closed_loop")
    merge = flag(merge, "merge")
    progress = flag(progress, "progress")
    choice(balance, "balance", ("population", "neuron"))
    wishes = Wishes(mu_u=mu_u, sigma_u=sigma_u, xi=xi, target_rate=target_rate, alpha=alpha)
    common: dict[str, Any] = {"family": family, "shares": shares, "rng": generator(seed)}
    if background is not None and spikes is None:
        common |= {"rates": assumed_rates, "closed_loop": _loop_in_circuit(network, closed_loop)}
        return _in_circuit(CircuitStart(network, background, wishes, **common), threads, progress)
    closed_loop = spikes is not None if closed_loop is None else closed_loop
    _check_on_trials(network, spikes, target_rate, closed_loop, balance)
    if background is not None:
        common |= {"background": several(background, "background", _SOURCE), "spikes": spikes}
    start = TrialStart(network, wishes, balance=balance, merge=merge, **common)
    start.assume_rates(spikes, assumed_rates)
    return _on_trials(start, spikes if closed_loop else None, threads, progress)


def _loop_in_circuit(network, closed_loop):
    """Whether to close the loop; ValueError where it cannot be closed."""
    plastic = [p.name for p in network.projections if p.plasticity is not None]
    if plastic and closed_loop:
        raise ValueError(
            f"the closed loop needs weights that stay as they are; {', '.join(plastic)} are "
            "plastic. Give closed_loop=False."
        )
    return not plastic and closed_loop is not False


def _in_circuit(start, threads, progress):
    """Set the weights of a circuit with a background."""
    converged, iterations = start.make_consistent()
    start.apply()
    report = start.report = start.new_report(start.guess)
    start.predict()
    report.converged = converged
    report.iterations = iterations
    if not converged:
        report.notes.append(
            "rates and weights did not become consistent; another target (a smaller rate, a larger "
            "sigma_U) may."
        )
    elif start.period is not None and start.targets:
        start.probe(threads)
        close_loop(start, circuit.MEASUREMENTS, progress)
    if start.targets:
        start.check_stable()
    return report


def _check_on_trials(network, spikes, target_rate, closed_loop, balance):
    """ValueError for arguments that make no sense without a background."""
    if target_rate is not None:
        raise ValueError(
            "a target_rate needs background=[…] without spikes: with spikes, rates follow from "
            "mu_u and sigma_u."
        )
    if closed_loop and spikes is None:
        raise ValueError(
            "the closed loop measures the membrane on data: give spikes, or closed_loop=False."
        )
    shared = [name for name, s in network.synapses.items() if s.shares_weights]
    if balance == "neuron" and shared:
        raise ValueError(
            f"balance='neuron' needs weights for every neuron; those of {', '.join(shared)} are "
            "shared."
        )


def _on_trials(start, spikes, threads, progress):
    """Set the weights of a network on trials. spikes: of the closed loop, or None."""
    start.draw()
    start.solve()
    targets = {name: (t.mu, t.sigma) for name, t in start.targets.items()}
    start.report = start.new_report(targets)
    start.predict()
    if spikes is not None and start.targets:
        start.sample(spikes, checked_threads(threads))
        close_loop(start, trials.MEASUREMENTS, progress)
    return start.report
