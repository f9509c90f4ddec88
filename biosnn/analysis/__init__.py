"""Statistics of spike trains and of synaptic input, and figures."""
