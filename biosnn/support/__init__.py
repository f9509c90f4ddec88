"""What every part of biosnn leans on: checks of arguments, streams of random numbers, the time grid, warnings."""
