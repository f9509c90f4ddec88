"""What every part leans on: checks of arguments, random streams, the time grid, warnings."""
