"""A Dalian network that learns to decide; `python -m models.perceptual_decision`."""
