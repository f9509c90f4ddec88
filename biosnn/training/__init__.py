"""Training and evaluation: losses, regularizers, constraints, optimizers, schedules, checkpoints."""
