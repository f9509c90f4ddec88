"""From a description to tables and through time: run, gradient, simulate."""
