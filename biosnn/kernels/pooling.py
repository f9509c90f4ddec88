"""Units that pool spikes, and their adjoint; in batches of trials, and in one large network.

    forward   S_g = max over the neurons i of window g of S_i, in the same step
    adjoint   grad_S_i += grad_S_g for the i of the largest S_i and, where these are equal, of the
              largest U* - theta

Spikes grow with the margin U* - theta: a unit has the largest margin of its window, and what
follows from margins (spikes, the smooth twin, lists of those near threshold) follows for units as
for neurons. Kernels see arrays and scalars only. k: population of units.
"""

# choices without min and max keep NaN and the vector units

from .jit import fused, kernel, part
from .threshold import is_listed


@kernel
def pool(pools, trials, margin, start, slot):
    """The margins of units, from those of the neurons."""
    for k in range(pools.units.size):
        size = pools.size[k]
        for b in range(trials):
            neurons = margin[start + b, slot]
            units = part(margin[start + b, slot], pools.target[k], pools.units[k])
            for g in range(pools.units[k]):
                window = part(pools.member, pools.first[k] + g * size, size)
                largest = neurons[window[0]]
                for a in range(1, size):
                    other = neurons[window[a]]
                    largest = other if other > largest else largest
                units[g] = largest


@fused
def pool_adjoint(model, trials, margin, near, start, n, grad_spikes):
    """From the last population of units to the first, when grad_S of the units is complete.

    It is 0 for those that are not near threshold where these are listed (threshold.is_listed), and
    the neuron that it goes to is listed then, too.
    """
    pools = model.pools
    for k in range(pools.units.size - 1, -1, -1):
        p, size = pools.population[k], pools.size[k]
        listed, at = is_listed(model, model.group[p], near), n * model.group.size + p
        for b in range(trials):
            neurons = margin[start + b, n]
            result = grad_spikes[b]
            units = part(grad_spikes[b], pools.target[k], pools.units[k])
            first, last = (
                (near.pointers[start + b, at], near.pointers[start + b, at + 1])
                if listed
                else (0, pools.units[k])
            )
            for e in range(first, last):
                g = near.units[e] if listed else e
                window = part(pools.member, pools.first[k] + g * size, size)
                largest = window[0]
                for a in range(1, size):
                    largest = window[a] if neurons[window[a]] > neurons[largest] else largest
                result[largest] += units[g]


@kernel
def pool_spikes(cells, pools, recent, k, n, t):
    """One large network: the spikes of step n of the units of thread t.

    They follow from the lists of all threads. k: population of units.
    """
    p = pools.population[k]
    source = pools.source[k]
    slot = n & recent.mask
    rows = pools.row_first[k]
    seen = pools.seen_first[k]
    begin = cells.bounds[p, t]
    end = min(cells.bounds[p, t + 1], cells.n[p])
    count = 0
    for other in range(cells.bounds.shape[1] - 1):
        at = recent.first[source, other]
        for e in range(recent.n_spikes[slot, other, source]):
            row = rows + recent.units[slot, at + e]
            for a in range(pools.first[row], pools.first[row + 1]):
                if begin <= pools.unit[a] < end:
                    pools.seen[seen + pools.unit[a]] = n
    for g in range(begin, end):
        if pools.seen[seen + g] == n:
            recent.units[slot, recent.first[p, t] + count] = g
            count += 1
    recent.n_spikes[slot, t, p] = count
