"""Seeded campaigns in child processes: damaged files, random calls, random networks, faults."""
