"""PSP integrals and moments, mean field, the regime of a circuit."""
