"""The description: neuron tables, populations, projections, connectivity, surrogates, Dale's law."""
