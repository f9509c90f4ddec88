"""Seeded campaigns of mutated files, random calls, random networks and faults, each in child
processes.
"""
