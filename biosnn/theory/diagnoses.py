"""What is unusual about the regime of a circuit, in words.

Every diagnosis needs a difference that matters and data that can show it: three standard errors.
Where they cannot, it is not made.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..engine.simulation import Simulation
from ..network import neuron_text
from ..network.network import Network
from ..network.neuron import typical
from ..network.plasticity import InhibitorySTDP
from .mean_field import FixedPoint

#: Silent below (Hz), saturated above (Hz), synchronous above (chi).
SILENT, FAST, SYNCHRONOUS = 0.1, 300.0, 0.3
#: Far from theory: relative, of rates; of the CV.
FAR, FAR_CV = 0.3, 0.25
#: Unbalanced: standard deviations of the mean above threshold; share of excitation that inhibition
#: cancels.
MEAN_DRIVEN, CANCELLED = 3.0, 0.5
#: Standard errors of a difference that is called one.
SURE = 3.0


def diagnoses(
    rows: Sequence, point: FixedPoint, network: Network, seconds: float | None
) -> Iterator[str]:
    """Yield sentences about a circuit.

    Parameters
    ----------
    rows
        PopulationRegimes.
    point
        The fixed point of theory.
    network
        The circuit.
    seconds
        Duration of the simulation, or None.
    """
    if not point.converged:
        yield (
            "The mean-field equations were not solved: at the rates shown they are off by "
            f"{point.residual:.3g} Hz. The circuit may oscillate, or have no stationary state."
        )
    for other in point.others:
        rates = ", ".join(f"{name} at {rate:.3g} Hz" for name, rate in other.items())
        yield (
            f"The theory has another stable state, with {rates}: which one the circuit takes "
            "depends on where it starts."
        )
    for row in rows:
        population: Any = network[row.name]
        fastest = min(FAST, 0.5 / max(typical(population.neuron).refractory, 1e-9))
        sample = None if seconds is None else population.n * seconds
        extreme = _extreme(row, fastest, sample)
        yield from extreme
        if not extreme:
            yield from _unbalanced(row)
        yield from _synchronous(row, population.n)
        if sample is not None:
            yield from _other_rate(row, sample)
        yield from _other_intervals(row)
        yield from _other_background(row)


def _extreme(row, fastest, sample):
    """Silent or saturated, or neither. sample: neurons times seconds, None without a simulation."""
    if sample is None:
        rate = row.predicted.rate
        least = largest = rate
        how = f"is predicted to fire at {rate:.4g} Hz"
    else:
        rate = row.measured.rate
        spikes = rate * sample
        least = rate - SURE * row.measured.errors.rate
        # 0 spikes: up to 3 could have been expected
        largest = (spikes + SURE * np.sqrt(spikes) + SURE) / sample
        how = f"fires at {rate:.4g} Hz"
    if largest < SILENT:
        return [f"{row.name} is silent: it {how}. {_distance(row)}"]
    if least > fastest:
        much = f"{row.name} is saturated: it {how}, above {fastest:.4g} Hz."
        return [f"{much} More inhibition or less drive would free it."]
    return []


def _distance(row):
    """Where the mean membrane lies, as a sentence."""
    mu, sigma = row.membrane
    side = "below" if mu < row.threshold else "above"
    where = f"Its mean membrane is {mu:.3g}"
    if not sigma > 0:
        return f"{where}; the threshold is {row.threshold:.3g}."
    far = abs(row.threshold - mu) / sigma
    return f"{where}, {far:.2g} standard deviations {side} the threshold {row.threshold:.3g}."


def _unbalanced(row):
    """Its mean alone makes it fire: it has inhibition, which cancels little of the excitation."""
    mu, sigma = row.membrane
    above = mu - row.threshold
    if row.cancelled < CANCELLED and above > MEAN_DRIVEN * sigma:  # not for NaN
        far = f", {above / sigma:.2g} standard deviations" if sigma > 0 else ""
        yield (
            f"{row.name} is unbalanced: excitation prevails. Inhibition cancels "
            f"{100 * row.cancelled:.0f} % of it, and the mean membrane is {mu:.3g}{far} above the "
            f"threshold {row.threshold:.3g}: its mean makes it fire, not fluctuations."
        )


def _synchronous(row, n):
    """More synchronous than n independent neurons."""
    if row.measured.errors is None:
        return
    chi, error = row.measured.synchrony, row.measured.errors.synchrony
    independent = n**-0.5
    if chi > max(SYNCHRONOUS, 3 * independent) and chi - SURE * error > independent:
        yield (
            f"{row.name} is synchronous: chi = {chi:.2f}, where independent neurons have "
            f"{independent:.2g}. Mean-field theory assumes independence."
        )


def _other_rate(row, sample):
    """A rate that theory does not have."""
    rate, theory = row.measured.rate, row.predicted.rate
    error = max(row.measured.errors.rate, np.sqrt(theory / sample))
    if abs(rate - theory) > max(FAR * max(theory, 1.0), SURE * error):
        yield (
            f"{row.name} fires at {rate:.3g} Hz where theory has {theory:.3g} Hz: correlations, "
            "large single inputs or differences between neurons matter."
        )


def _other_intervals(row):
    """A CV of the intervals that theory does not have."""
    if row.measured.errors is None:
        return
    cv, theory = row.measured.cv, row.predicted.cv
    if abs(cv - theory) > max(FAR_CV, SURE * row.measured.errors.cv):  # not for NaN
        but = "more regular, or oscillate" if cv < theory else "bursts"
        yield (
            f"{row.name} has intervals of CV {cv:.2f} where theory has {theory:.2f}: its inputs "
            f"are not the independent Poisson trains of theory, but {but}."
        )


def _other_background(row):
    """A membrane with which the neurons could not have fired."""
    m = row.measured
    if m.errors is None or not m.rate - SURE * m.errors.rate > SILENT:
        return
    if row.threshold - m.mu > 6 * m.sigma:
        yield (
            f"{row.name} fires at {m.rate:.3g} Hz, but the membrane that was measured with this "
            "background stays far below threshold: is `background` that of the simulation?"
        )


def left_out(
    network: Network, simulation: Simulation | None, why: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is no part of the theory, what may change, and what was not measured.

    Parameters
    ----------
    network
        The circuit.
    simulation
        A simulation of it, or None.
    why
        Population to the reason why its free membrane was not measured.
    """
    for population in network.spiking:
        yield from _no_theory(population)
    for p in network.projections:
        if isinstance(p.plasticity, InhibitorySTDP) and network[p.post].kind == "spiking":
            when = (
                "that the network has now" if simulation is None else "at the end of the simulation"
            )
            yield (
                f"The weights of {p.name} change while the circuit runs (InhibitorySTDP): theory "
                f"and the free membrane are of those {when}."
            )
    for reason in dict.fromkeys(why.values()):
        names = ", ".join(name for name, other in why.items() if other == reason)
        yield f"The free membrane of {names} was not measured: {reason}."


def _no_theory(population):
    """What of a population is no part of the theory."""
    p = population
    if p.noise is not None:
        yield (
            f"{p.name} has escape noise, {p.noise!r}, which is no part of the theory: there it "
            "fires where U exceeds the threshold."
        )
    if p.neuron.bounded:
        low, high = (neuron_text.value(bound) for bound in (p.neuron.low, p.neuron.high))
        yield (
            f"The membrane of {p.name} is held between {low} and {high}, which is no part of the "
            "theory: there it has no bounds."
        )
    if np.ndim(p.neuron.threshold):
        yield (
            f"The thresholds of {p.name} differ between neurons, "
            f"{neuron_text.value(p.neuron.threshold)}: the theory has one, their mean."
        )
