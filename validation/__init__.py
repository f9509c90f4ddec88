"""biosnn against other programs."""
