"""One training step (forward pass, loss, gradients, Adam), as in `python -m validation.speed`."""

from validation import measure, programs
from validation.programs import PROGRAMS, parse_size

THREADS = 2
OURS = {type(program.surrogate).__name__: program for program in PROGRAMS if program.ours}


class TrainingStep:
    """Sizes: n_exc+n_inh@trials, or rn@trials for a recurrent layer of LIF neurons."""

    params = (["128+32@1", "128+32@400", "512+128@200", "r128@400"], list(OURS))
    param_names = ("size", "surrogate")
    warmup_time = 0.0  # `setup` compiles
    number = 1

    def setup(self, size, surrogate):
        self.size = parse_size(size)
        self.data = programs.load(None, max(self.size.batch, 64))
        self.job = self.make_job(surrogate, self.data[: self.size.batch])
        self.job.step()

    def make_job(self, surrogate, trials):
        program = OURS[surrogate]
        net = programs.build(self.size, self.data, surrogate=program.surrogate)
        return program.job(net, trials, THREADS)

    def time_step(self, size, surrogate):
        self.job.step()

    def track_memory(self, size, surrogate):
        """Growth of the peak resident set by one step; its inputs are in memory before."""
        self.make_job(surrogate, self.data[:2]).step()
        job = self.make_job(surrogate, self.data[: self.size.batch])
        before = measure.reset_peak()
        job.step()
        return measure.peak() - before

    track_memory.unit = "MB"
