"""From arrays of numbers to spikes, and back.

    rate, latency, population       numbers that hold for a trial, or for steps of it
    delta, level_crossing           signals: spikes where they change

Values are (trial, channel), of trials that last `duration` seconds, or (trial, time, channel), with
a sample every `dt` seconds; trials of unequal length are a list of arrays (time, channel). Names
are those of snnTorch's spikegen; times are in seconds, rates in hertz. What can be undone has a
`decode_` function.
"""

from .encode_changes import decode_level_crossing, delta, level_crossing
from .encode_latency import decode_latency, latency
from .encode_population import decode_population, population
from .encode_rate import decode_rate, rate

__all__ = [
    "decode_latency",
    "decode_level_crossing",
    "decode_population",
    "decode_rate",
    "delta",
    "latency",
    "level_crossing",
    "population",
    "rate",
]
