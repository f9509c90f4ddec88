import numpy as np
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonInput,
    SpikeMonitor,
    Synapses,
    defaultclock,
    ms,
    mV,
    prefs,
    second,
    seed,
)

prefs.codegen.target = "numpy"  # quick to start; "cython" is faster in long runs
seed(1)
rng = np.random.default_rng(1)
defaultclock.dt = 0.1 * ms
cells = NeuronGroup(
    1000,
    "dv/dt = -v / (20*ms) : volt (unless refractory)",
    threshold="v > 20*mV",
    reset="v = 10*mV",
    refractory=2 * ms,
    method="exact",
)
E, I = cells[:800], cells[800:]
parts = [cells, PoissonInput(cells, "v", 1, 2400 * Hz, weight=0.4 * mV)]
for pre, indegree, weight in ((E, 80, 0.4 * mV), (I, 20, -2 * mV)):
    synapses = Synapses(
        pre, cells, on_pre="v_post += jump", delay=1.5 * ms, namespace={"jump": weight}
    )
    sources = rng.integers(len(pre), size=1000 * indegree)
    synapses.connect(i=sources, j=np.repeat(np.arange(1000), indegree))
    parts.append(synapses)
monitor = SpikeMonitor(E)
Network(*parts, monitor).run(1 * second)
print(f"{monitor.num_spikes / 800:.0f} Hz")
