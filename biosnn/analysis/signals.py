"""Signals of populations, by name: `bs.signals.power_spectrum(signal)`.

    signals       Signal, recorded, population_rate                     signal.py
    currents      synaptic_currents                                     synaptic_currents.py
    spectra       power_spectrum                                        spectra.py
                  spectrogram                                           spectrogram.py
                  coherence                                             coherence.py
    fields        local_field_potential, kernel_field_potential         field_potential.py
                  GaussianKernel, AlphaKernel, unitary_field_potential  field_kernels.py
    time          intrinsic_timescale                                   timescale.py
    space         dimensionality                                        dimension.py
    E and I       balance_over_time, detailed_balance                   balances.py
                  inhibition_lag                                        lag.py

Functions take a `Signal`, which knows its step, or an array (step,), (step, channel) or (trial,
step, channel) and `dt`; most take SpikeTrains and the width `dt` of bins. Trials are averaged,
channels stay. Signals come from a run by `recorded`, `population_rate` and `synaptic_currents`.
"""

from .balances import BalanceOverTime, DetailedBalance, balance_over_time, detailed_balance
from .coherence import Coherence, coherence
from .dimension import dimensionality
from .field_kernels import AlphaKernel, GaussianKernel, unitary_field_potential
from .field_potential import kernel_field_potential, local_field_potential
from .lag import InhibitionLag, inhibition_lag
from .signal import Signal, population_rate, recorded
from .spectra import Spectrum, power_spectrum
from .spectrogram import Spectrogram, spectrogram
from .synaptic_currents import synaptic_currents
from .timescale import Timescale, intrinsic_timescale

__all__ = [
    "AlphaKernel",
    "BalanceOverTime",
    "Coherence",
    "DetailedBalance",
    "GaussianKernel",
    "InhibitionLag",
    "Signal",
    "Spectrogram",
    "Spectrum",
    "Timescale",
    "balance_over_time",
    "coherence",
    "detailed_balance",
    "dimensionality",
    "inhibition_lag",
    "intrinsic_timescale",
    "kernel_field_potential",
    "local_field_potential",
    "population_rate",
    "power_spectrum",
    "recorded",
    "spectrogram",
    "synaptic_currents",
    "unitary_field_potential",
]
