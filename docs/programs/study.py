"""The function of all scripts on this page, in a module that every worker can import."""

import biosnn as bs


def balanced(g, drive_hz, seed):
    """Rate and irregularity of a random network whose inhibition is g times as strong."""
    net = bs.Network(dt=0.1e-3)
    E = net.population(4000, bs.lif_delta(threshold=1.0), "excitatory", name="E")
    I = net.population(1000, bs.lif_delta(threshold=1.0), "inhibitory", name="I")
    for pre, weight, k in ((E, 0.005, 400), (I, 0.005 * g, 100)):
        for post in (E, I):
            rule = bs.FixedInDegree(k)
            net.connect(pre, post, delay=1.5e-3, weights=weight, synapses=rule, seed=seed)
    noise = [bs.PoissonInput(name, drive_hz, 0.005) for name in ("E", "I")]
    done = bs.simulate(net, 1.0, background=noise, seed=seed)
    return {"rate_hz": done.mean_rates, "cv": bs.stats.pooled_cv(done.spikes["E"])[0]}


GRID = {"g": [3.0, 4.0, 5.0, 6.0, 7.0, 8.0], "drive_hz": [10e3, 15e3, 20e3]}
