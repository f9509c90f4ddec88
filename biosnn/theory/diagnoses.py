"""What is unusual about the regime of a circuit, in words; and how much a simulation can tell about it.

Every diagnosis needs a difference that matters and data that can show it: three standard errors. Where they cannot, it is not made.
"""

from dataclasses import dataclass

import numpy as np

from ..analysis import stats
from ..data.spike_trains import SpikeTrains
from ..network.plasticity import InhibitorySTDP
from ..support import timegrid

SILENT, FAST, SYNCHRONOUS = 0.1, 300.0, 0.3  # Hz, Hz, chi
FAR, FAR_CV = 0.3, 0.25  # from theory: relative, of rates; of the CV
MEAN_DRIVEN, CANCELLED = (
    3.0,
    0.5,
)  # unbalanced: sd of the mean above threshold; share of excitation that inhibition cancels
SURE = 3.0  # standard errors of a difference that is called one
ENOUGH = 0.15  # error of a CV, and relative error of chi, above which it is not shown
_MANY_INTERVALS, _TRAINS = (
    30.0,
    2000,
)  # in a train, for which its length matters no more; trains that are drawn for shorter ones
_BLOCKS, _BLOCK, _FEW_BLOCKS = (
    20,
    20e-3,
    4,
)  # of a rate, whose error is that between blocks; their shortest length (s)


@dataclass(frozen=True)
class Spiking:
    """Rate (Hz), CV of the intervals (`stats.pooled_cv`) and synchrony chi of a population in a simulation, with standard errors.

    The error of the CV is at least that which a short simulation makes of a process with the CV of theory. NaN and an infinite error where
    there are no spikes to measure it by.
    """

    rate: float = np.nan
    rate_error: float = np.inf
    cv: float = np.nan
    cv_error: float = np.inf
    synchrony: float = np.nan
    synchrony_error: float = np.inf


def spiking(simulation, name, width, cv):
    """The Spiking of a population; width: s, of the bins of chi;  cv: of theory, or NaN."""
    if name not in simulation.spikes:
        return Spiking(simulation.mean_rates[name], _rate_error(simulation, name))
    spikes = simulation.spikes[name]
    chi, error, bins = np.nan, np.inf, timegrid.whole_windows(simulation.duration, width)
    if bins >= 2 and spikes.times.size:
        chi = float(stats.synchrony(spikes, width))
        error = (
            chi * np.sqrt(2 / bins + 1 / spikes.times.size) / 2
        )  # of the variance of counts, most of which is that of a Poisson number
    found, cv_error = stats.pooled_cv(spikes, expected=np.nan_to_num(cv))
    cv_error = max(cv_error, _window_bias(simulation.mean_rates[name], cv, simulation.duration))
    return Spiking(
        simulation.mean_rates[name], _rate_error(simulation, name), found, cv_error, chi, error
    )


def _window_bias(rate, cv, duration):
    """How far `pooled_cv` is from the CV of intervals of that rate and CV which are seen for so long: a dead time, as neurons have after a
    reset, and an exponential distribution beyond it; for a CV above 1 a gamma distribution."""
    if not cv > 0 or rate * duration > _MANY_INTERVALS:
        return 0.0
    rng, before = np.random.default_rng(0), 20.0  # in units of the mean interval
    shape, dead = (1.0, 1.0 - cv) if cv < 1 else (cv**-2, 0.0)
    seen = max(rate * duration, 1e-3)
    intervals = dead + rng.gamma(
        shape, (1 - dead) / shape, (_TRAINS, int(2 * (before + seen)) + 20)
    )
    times = np.cumsum(intervals, axis=1) - before - rng.random((_TRAINS, 1))
    unit, k = np.nonzero((times >= 0) & (times < seen))
    trains = SpikeTrains.from_events(
        times[unit, k],
        unit,
        np.zeros(unit.size, np.int64),
        n_trials=1,
        n_units=_TRAINS,
        duration=seen,
    )
    found, _ = stats.pooled_cv(trains)
    return abs(found - cv) if np.isfinite(found) else np.inf


def _rate_error(simulation, name):
    """Standard error of the mean rate: between blocks of the simulation, and not less than that of as many independent spikes."""
    counts, seconds = simulation.binned[name], simulation.duration
    whole = timegrid.whole_windows(seconds, simulation.rate_bin)
    size = max(-(-whole // _BLOCKS), timegrid.covering_windows(_BLOCK, simulation.rate_bin))
    blocks = counts[: whole // size * size].reshape(-1, size).sum(axis=1)
    if len(blocks) < _FEW_BLOCKS:
        return np.inf
    neurons = simulation.network[name].n
    between = blocks.std(ddof=1) / np.sqrt(len(blocks)) / (neurons * size * simulation.rate_bin)
    return float(max(between, np.sqrt(counts.sum()) / (neurons * seconds)))


def diagnoses(rows, point, network, seconds):
    """Sentences. rows: PopulationRegimes;  point: the FixedPoint of theory;  seconds: duration of the simulation, or None."""
    if not point.converged:
        yield (
            f"The mean-field equations were not solved: at the rates shown they are off by {point.residual:.3g} Hz. The circuit may "
            "oscillate, or have no stationary state."
        )
    for other in point.others:
        yield (
            "The theory has another stable state, with "
            + ", ".join(f"{name} at {rate:.3g} Hz" for name, rate in other.items())
            + ": which one the circuit takes depends on where it starts."
        )
    for p in rows:
        n, most = network[p.name].n, min(FAST, 0.5 / max(network[p.name].neuron.refractory, 1e-9))
        sample = None if seconds is None else n * seconds
        extreme = _extreme(p, most, sample)
        yield from extreme
        yield from [] if extreme else _unbalanced(p)
        yield from _unlike_theory(p, n, sample)


def _extreme(p, most, sample):
    """Silent or saturated, or neither. sample: neurons times seconds, None without a simulation."""
    if sample is None:
        least, largest, how = (
            p.rate_predicted,
            p.rate_predicted,
            f"is predicted to fire at {p.rate_predicted:.4g} Hz",
        )
    else:
        spikes = p.rate_measured * sample
        least = p.rate_measured - SURE * p.rate_error
        largest = (
            spikes + SURE * np.sqrt(spikes) + SURE
        ) / sample  # 0 spikes: up to 3 could have been expected
        how = f"fires at {p.rate_measured:.4g} Hz"
    if largest < SILENT:
        mu, sigma = p.membrane
        far = (
            f", {abs(p.threshold - mu) / sigma:.2g} standard deviations {'below' if mu < p.threshold else 'above'}"
            if sigma > 0
            else ";"
        )
        return [
            f"{p.name} is silent: it {how}. Its mean membrane is {mu:.3g}{far} the threshold {'' if sigma > 0 else 'is '}{p.threshold:.3g}."
        ]
    if least > most:
        return [
            f"{p.name} is saturated: it {how}, above {most:.4g} Hz. More inhibition or less drive would free it."
        ]
    return []


def _unbalanced(p):
    """The mean alone, far above threshold, makes it fire, although there is inhibition, which cancels little of the excitation."""
    mu, sigma = p.membrane
    above = mu - p.threshold
    if p.cancelled < CANCELLED and above > MEAN_DRIVEN * sigma:  # not for NaN
        far = f", {above / sigma:.2g} standard deviations" if sigma > 0 else ""
        yield (
            f"{p.name} is unbalanced: excitation prevails. Inhibition cancels {100 * p.cancelled:.0f} % of it, and the mean membrane is "
            f"{mu:.3g}{far} above the threshold {p.threshold:.3g}: its mean makes it fire, not fluctuations."
        )


def _unlike_theory(p, n, sample):
    """Synchrony, rates and CVs that theory, which knows independent Poisson trains, does not have."""
    independent = n**-0.5
    if (
        p.synchrony > max(SYNCHRONOUS, 3 * independent)
        and p.synchrony - SURE * p.synchrony_error > independent
    ):
        yield (
            f"{p.name} is synchronous: chi = {p.synchrony:.2f}, where independent neurons have {independent:.2g}. "
            "Mean-field theory assumes independence."
        )
    if sample is not None:
        error = max(p.rate_error, np.sqrt(p.rate_predicted / sample))
        if abs(p.rate_measured - p.rate_predicted) > max(
            FAR * max(p.rate_predicted, 1.0), SURE * error
        ):
            yield (
                f"{p.name} fires at {p.rate_measured:.3g} Hz where theory has {p.rate_predicted:.3g} Hz: correlations, large single "
                "inputs or differences between neurons matter."
            )
    if abs(p.cv_measured - p.cv_predicted) > max(FAR_CV, SURE * p.cv_error):  # not for NaN
        yield (
            f"{p.name} has intervals of CV {p.cv_measured:.2f} where theory has {p.cv_predicted:.2f}: its inputs are not the independent "
            f"Poisson trains of theory, but {'more regular, or oscillate' if p.cv_measured < p.cv_predicted else 'bursts'}."
        )
    if (
        p.rate_measured - SURE * p.rate_error > SILENT
        and p.threshold - p.mu_measured > 6 * p.sigma_measured
    ):
        yield (
            f"{p.name} fires at {p.rate_measured:.3g} Hz, but the membrane that was measured with this background stays far below threshold: "
            "is `background` that of the simulation?"
        )


def left_out(network, simulation, why):
    """What of the network is no part of the theory, may not stay as it is, or was not measured (`why`: population -> reason)."""
    for p in network.spiking:
        if p.noise is not None:
            yield f"{p.name} has escape noise, {p.noise!r}, which is no part of the theory: there it fires where U exceeds the threshold."
        if p.neuron.bounded:
            yield (
                f"The membrane of {p.name} is held between {p.neuron.low:g} and {p.neuron.high:g}, which is no part of the theory: there it "
                "has no bounds."
            )
    for p in network.projections:
        if isinstance(p.plasticity, InhibitorySTDP) and network[p.post].kind == "spiking":
            yield (
                f"The weights of {p.name} change while the circuit runs (InhibitorySTDP): theory and the free membrane are of those "
                + (
                    "that the network has now."
                    if simulation is None
                    else "at the end of the simulation."
                )
            )
    for reason in dict.fromkeys(why.values()):
        names = ", ".join(name for name, other in why.items() if other == reason)
        yield f"The free membrane of {names} was not measured: {reason}."
