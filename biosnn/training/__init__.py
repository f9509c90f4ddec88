"""Training: losses, regularizers, constraints, optimizers, schedules, checkpoints; evaluation."""
