"""The description: neurons, populations, projections, connectivity, surrogates, Dale's law."""
