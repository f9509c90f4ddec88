"""Experiments with networks: many runs that answer one question."""
