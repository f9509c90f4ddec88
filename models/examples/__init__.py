"""Short programs, one for each part of the library: `python -m models.examples.NAME` prints what it shows."""
