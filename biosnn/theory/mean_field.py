"""Rates of a circuit that sustain themselves: mean-field theory of integrate-and-fire neurons.

From the moments of a population's free membrane (membrane.py) follows its rate (rates.py); from
the rates of all populations those moments. A fixed point is where both agree. In-degrees and
weights are replaced by their means over neurons; correlations and delays play no part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..support import checks
from ..support.show import About, Shows
from ..support.tables import number
from .arguments import checked_rates
from .membrane import Cell, moments_at
from .rates import SHORT, colour_corrected_rate, density_rate


@dataclass(frozen=True, repr=False)
class FixedPoint(Shows):
    """Rates that sustain themselves.

    Parameters
    ----------
    rates
        Population to hertz.
    others
        Further stable fixed points, each a dict of population to hertz.
    converged
        Whether the equations hold.
    residual
        Largest |Phi(rates) - rates| in hertz.
    method
        Population to the formula of its rate: "colour-corrected" or "density".

    Examples
    --------
    `fixed_point` returns one.
    """

    rates: dict[str, float]
    others: tuple[dict[str, float], ...]
    converged: bool
    residual: float
    method: dict[str, str]

    def _about(self):
        rows = [("rates", _listed(self.rates))]
        rows += [("another state", _listed(other)) for other in self.others]
        settled = "yes" if self.converged else f"no: off by {number(self.residual)} Hz"
        return About("FixedPoint", [*rows, ("converged", settled)])


def _listed(rates):
    """Rates in words."""
    return ", ".join(f"{name} {number(rate)} Hz" for name, rate in rates.items())


def fixed_point(
    cells: Sequence[Cell], given: Mapping[str, float] | None = None, *, dt: float | None = None
) -> FixedPoint:
    """Find rates that sustain themselves: with inputs at these rates, populations fire at them.

    Parameters
    ----------
    cells
        The populations.
    given
        Name to hertz of sources that are not among the cells.
    dt
        Time step in seconds. With it, populations with tau_syn > 0.1 tau and those whose reset
        subtracts get `density_rate`. Default: none does.

    Returns
    -------
    The fixed point that is reached from 5 Hz, and other stable ones.

    Raises
    ------
    ValueError
        If there are no populations, two have one name, or the rate of a source is missing.

    Notes
    -----
    nu_p = Phi_p(mu_p(nu), sigma_p(nu)). The flow d nu/dt = Phi(nu) - nu is followed from 5 Hz, from
    silence and from high rates to where it settles, and polished by `scipy.optimize.root`; only
    fixed points that are stable in this sense are found.

    Examples
    --------
    Neurons that inhibit each other, and receive Poisson input of 12 kHz:

    >>> import biosnn as bs
    >>> neuron = bs.lif_delta(
    ...     tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3
    ... )
    >>> drive = bs.theory.Input("exc", 1200, 0.1e-3, 1e-8, rate=10.0)
    >>> feedback = bs.theory.Input("inh", 200, 0.5e-3, 25e-8, pre="I")
    >>> point = bs.theory.fixed_point([bs.theory.Cell("I", neuron, (drive, feedback))])
    >>> f"{point.rates['I']:.1f} Hz"
    '3.8 Hz'
    """
    cells = checks.several(cells, "cells", "Cell(…)")
    for cell in cells:
        checks.instance(cell, "one of cells", Cell, "a bs.theory.Cell")
    names = [cell.name for cell in cells]
    if not cells or len(set(names)) < len(names):
        checks.refuse("cells", names, "one or several populations, each with a name of its own")
    others = {source for cell in cells for source in cell.sources} - set(names)
    given = checked_rates({} if given is None else given, "given", sorted(others))
    dt = None if dt is None else checks.time(dt, "dt", above=0)
    factor = np.ones(len(cells))

    def membranes(nu):
        rates = given | dict(zip(names, np.maximum(nu, 0.0)))
        return [moments_at(cell, rates) for cell in cells]

    def excess(nu):
        plain = [colour_corrected_rate(c.neuron, m) for c, m in zip(cells, membranes(nu))]
        return np.array(plain) * factor - nu

    found = _stable_states(excess, cells)
    nu, error = found[0]
    if not np.all(np.isfinite(nu)):
        raise ValueError(
            f"rates of {', '.join(names)} grow without bound in theory: excitation prevails, and "
            "no refractory period limits them. Give weaker excitation, stronger inhibition, or a "
            "refractory period."
        )
    longer = [dt is not None and _is_long(c, m) for c, m in zip(cells, membranes(nu))]
    if any(longer):
        nu, error = _with_density(cells, membranes, excess, factor, longer, nu, dt)
    methods = ["density" if slow else "colour-corrected" for slow in longer]
    return FixedPoint(
        rates=dict(zip(names, map(float, nu))),
        others=tuple(dict(zip(names, map(float, other))) for other, _ in found[1:]),
        converged=bool(error < 0.03 * max(1.0, nu.max())),
        residual=float(error),
        method=dict(zip(names, methods)),
    )


def _is_long(cell, m):
    """Whether the colour correction, for short synapses and resets to a value, does not do."""
    long = m.tau_syn > SHORT * m.tau or cell.neuron.subtracts
    return cell.neuron.spiking and long


def _stable_states(excess, cells):
    """(rates, largest error in Hz) of the states reached from 5 Hz, silence and high rates."""
    most = np.array(
        [
            min(400.0, 0.9 / max(c.neuron.refractory, 1e-3)) if c.neuron.spiking else 0.0
            for c in cells
        ]
    )
    found = []
    for start in (np.minimum(5.0, most), np.zeros(len(cells)), most):
        nu, error = _settle(excess, start)
        holds = error < 1e-3 * max(1.0, nu.max())
        known = any(np.allclose(nu, other, rtol=1e-2, atol=1e-2) for other, _ in found)
        if not found or (holds and not known):
            found.append((nu, error))
    return found


def _settle(excess, start):
    """(rates, largest error in Hz) where the flow d nu/dt = excess(nu) comes to rest."""
    from scipy.integrate import solve_ivp  # here: `import biosnn` stays quick
    from scipy.optimize import root  # here: `import biosnn` stays quick

    flow = solve_ivp(lambda _, nu: excess(nu), (0, 60), start, method="LSODA", rtol=1e-4, atol=1e-4)
    nu = np.maximum(flow.y[:, -1], 0.0)
    polished = root(excess, nu, tol=1e-9).x
    possible = np.all(np.isfinite(polished)) and np.all(polished > -1e-6)
    if possible and np.allclose(polished, nu, rtol=0.05, atol=0.1):
        nu = np.maximum(polished, 0.0)
    return nu, float(np.abs(excess(nu)).max())


def _with_density(cells, membranes, excess, factor, longer, nu, dt):
    """The fixed point at which the colour-corrected formula times `factor` is the density's rate.

    factor: (cell,), chosen here.
    """
    error = np.inf
    for _ in range(12):
        wanted = excess(nu) + nu
        known = {}  # equal populations are computed once
        for k, (c, m) in enumerate(zip(cells, membranes(nu))):
            if longer[k]:
                key = (id(c.neuron), round(m.mu, 9), round(m.sigma, 9))
                if key not in known:
                    known[key] = density_rate(c.neuron, m, dt)
                wanted[k] = known[key]
        error = float(np.abs(wanted - nu).max())
        if error < 0.01 * max(1.0, nu.max()):
            break
        plain = (excess(nu) + nu) / factor
        change = np.clip(wanted / np.maximum(plain, 1e-6), 1e-3, 1e3)
        factor[:] = np.where(plain > 1e-6, change, factor)
        nu, _ = _settle(excess, nu)
    return nu, error
