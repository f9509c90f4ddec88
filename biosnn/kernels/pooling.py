"""Units that pool spikes, and their adjoint; in batches of trials, and in one large network.

    forward   S_g = max over the neurons i of window g of S_i, in the same step
    adjoint   grad_S_i += grad_S_g for the i of the largest S_i and, where these are equal, of the
              largest U* - theta

Spikes grow with the margin U* - theta: a unit has the largest margin of its window, and what
follows from margins (spikes, the smooth twin, lists of those near threshold) follows for units as
for neurons. Kernels see rows of tables, arrays and scalars only.
"""

# choices without min and max keep NaN and the vector units

from .jit import kernel
from .memory import part


@kernel
def pool(row, member, margin):
    """The margins of units, from those of the neurons, of one trial."""
    units = part(margin, row.target, row.units)
    for g in range(row.units):
        window = part(member, row.first + g * row.width, row.width)
        largest = margin[window[0]]
        for a in range(1, row.width):
            other = margin[window[a]]
            largest = other if other > largest else largest
        units[g] = largest


@kernel
def pool_adjoint(row, member, margin, near, grad_spikes):
    """When grad_S of the units is complete: to one neuron of each window.

    grad_S is 0 for those that are not near threshold where these are listed (`near`), and the
    neuron that it goes to is listed then, too.
    """
    units = part(grad_spikes, row.target, row.units)
    listed = near.units.size > 0
    for e in range(near.first if listed else 0, near.last if listed else row.units):
        g = near.units[e] if listed else e
        window = part(member, row.first + g * row.width, row.width)
        largest = window[0]
        for a in range(1, row.width):
            largest = window[a] if margin[window[a]] > margin[largest] else largest
        grad_spikes[largest] += units[g]


@kernel
def pool_spikes(row, member, seen, n, begin, end, units, count):
    """One large network: the units begin .. end - 1 that spike; returns the new count.

    seen: the last step in which each neuron spiked.
    """
    for g in range(begin, end):
        window = part(member, row.first + g * row.width, row.width)
        for a in range(row.width):
            if seen[window[a]] == n:
                units[count] = g
                count += 1
                break
    return count
