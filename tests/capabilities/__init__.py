"""The matrix of capabilities: features (table.py) and what can be done with them (uses.py).

Each cell is made by a test on a small network (circuits.py). `python -m tests.capabilities --write`
runs them all, keeps the results in tests/data/capabilities.json, and writes the page of the
documentation that shows them.
"""
