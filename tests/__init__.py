"""The tests; a package, so that campaigns can be started as `python -m tests.fuzz.NAME`."""
