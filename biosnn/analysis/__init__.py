"""What is measured of spike trains, and the figures."""
