"""Published circuits in `simulate`, as `python -m validation.speed simulation` runs them."""

from validation.simulation_peers import run_biosnn

THREADS, SECONDS, SEED, REPEATS = 2, 1.0, 1, 3


class Circuit:
    """Full size: 12 500 neurons and 15.6 million synapses (Brunel), or 4000 neurons."""

    params = (["brunel", "cuba", "coba"],)
    param_names = ("circuit",)
    timeout = 900

    def track_run(self, circuit):
        """Seconds of computing for one second of the circuit; the best of three."""
        return min(run_biosnn(circuit, THREADS, SECONDS, 1.0, SEED)[1] for _ in range(REPEATS))

    track_run.unit = "s"

    def track_build(self, circuit):
        """Seconds until the circuit is built; the best of three, the first of which may compile."""
        return min(run_biosnn(circuit, THREADS, 0.01, 1.0, SEED)[0] for _ in range(REPEATS))

    track_build.unit = "s"
