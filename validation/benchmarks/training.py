"""One training step (forward pass, loss, gradients, Adam), as in `python -m validation.speed`."""

from models.command_line import peak_memory
from validation import measure, networks
from validation.programs import PROGRAMS

THREADS = 2
OURS = {type(program.surrogate).__name__: program for program in PROGRAMS if program.ours}


class TrainingStep:
    """Sizes: n_exc+n_inh@trials, or rn@trials for a recurrent layer of LIF neurons."""

    params = (["128+32@1", "128+32@400", "512+128@200", "r128@400"], list(OURS))
    param_names = ("size", "surrogate")
    warmup_time = 0.0  # `setup` compiles
    number = 1

    def setup(self, size, surrogate):
        """Build the network, and take a step."""
        self.size = networks.parse_size(size)
        self.data = networks.load(None, max(self.size.batch, 64))
        self.job = self.make_job(surrogate, self.data[: self.size.batch])
        self.job.step()

    def make_job(self, surrogate, trials):
        """The training step on some trials."""
        program = OURS[surrogate]
        net = networks.describe(self.size, self.data.n_units, surrogate=program.surrogate)
        return program.job(networks.start(net, self.data), trials, THREADS)

    def time_step(self, size, surrogate):
        """A step."""
        self.job.step()

    def track_memory(self, size, surrogate):
        """Growth of the peak resident set by one step; its inputs are in memory before."""
        self.make_job(surrogate, self.data[:2]).step()
        job = self.make_job(surrogate, self.data[: self.size.batch])
        before = measure.reset_peak()
        job.step()
        return peak_memory() - before

    track_memory.unit = "MB"
