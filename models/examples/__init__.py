"""One short script for each part of the library; see "What is in it" in README."""
