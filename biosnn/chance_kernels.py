"""The compiled loops of what is random in a batch of trials: spikes by escape noise, and neurons that are silent for a trial (dropout).

Random numbers are counter-based (random_kernels.random_words), keyed by (seed, trial, step, neuron): never by threads or chunks.
"""
import numpy as np

from ._jit import kernel, part
from .arrays import SIGMOID_ESCAPE
from .random_kernels import GRANULE, random_words

_TO_UNIT = 2.0 ** -32
_WHOLE_TRIAL = np.uint64(2 ** 64 - 1)     # the step of a draw that holds for all steps


@kernel
def _escape(kind, steepness, rate, x):
    """Probability of a spike in a step at x = U* - theta; 0 at -inf. rate: expected spikes in a step at x = 0."""
    if kind == SIGMOID_ESCAPE:
        return 1 / (1 + np.exp(-steepness * x))
    return -np.expm1(-rate * np.exp(steepness * x))


@kernel
def draw_spikes(chance, trials, margin, start, slot, n):
    """The sign of the margin U* - theta is drawn: plus where the neuron spikes. Its size stays, and with it sigma', which is even.

    A neuron that is silent in this trial has margin -inf, so that neither spike nor surrogate follows.
    """
    words, tiny = np.empty(GRANULE, np.uint32), np.finfo(margin.dtype).tiny
    for b in range(trials):
        m, trial = margin[start + b, slot], chance.trial[start + b]
        for first in range(0, chance.kind.size, GRANULE):
            block = part(m, first, min(GRANULE, chance.kind.size - first))
            random_words(chance.key, trial, n, first // GRANULE, words)
            for i in range(block.size):
                kind, x = chance.kind[first + i], block[i]
                if kind >= 0:
                    u = (np.float64(words[i]) + 0.5) * _TO_UNIT
                    fires = u < _escape(kind, chance.steepness[first + i], chance.rate[first + i], np.float64(x))
                    block[i] = max(abs(x), tiny) if fires else -abs(x)
        for first in range(0, chance.silent.size, GRANULE):
            block = part(m, first, min(GRANULE, chance.silent.size - first))
            random_words(chance.key, trial, _WHOLE_TRIAL, first // GRANULE, words)
            for i in range(block.size):
                if (np.float64(words[i]) + 0.5) * _TO_UNIT < chance.silent[first + i]:
                    block[i] = -np.inf
