"""Everything that is compiled: one file for each part of a step, with its adjoint, and drivers."""
