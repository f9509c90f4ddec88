"""biosnn: networks of excitatory and inhibitory spiking neurons."""
