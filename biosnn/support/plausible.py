"""The longest plausible times: above them a UnitWarning asks whether milliseconds were meant.

Each limit, in seconds, lies between the values that models have and the numbers that one would
write for the usual times in milliseconds. Durations of trials and runs have no limit.
"""

STEP = 0.02  # a time step: 0.1 ms is common
BIN = 0.5  # steps of data that were binned elsewhere
MEMBRANE = 1.0  # of membranes and synapses of spiking neurons: 20 ms, NMDA 100 ms, 1 s: no leak
DELAY = 0.2  # of synapses: 1.5 ms
REFRACTORY = 0.1  # periods: 2 ms
SLOW = 60.0  # of adaptation, of short-term plasticity, and of membranes of readouts
READOUT_SYNAPSE = 5.0
TRACE = 10.0  # of spike-timing-dependent plasticity: 20 ms
NOISE = 10.0  # the time constant of Ornstein-Uhlenbeck currents: 5 ms
KERNEL = 5.0  # of distances between spike trains: 10 ms
SHIFT = 5.0  # of whole trials, and jitter of spikes
PERIOD = 60.0  # of a task: fixation, stimulus, delay
WINDOW = 20.0  # of truncated backpropagation
SPOKEN = 300.0  # a recording of a spoken word
