import nest

nest.ResetKernel()
nest.resolution = 0.1  # milliseconds
nest.rng_seed = 1
parameters = {"C_m": 1.0, "tau_m": 20.0, "t_ref": 2.0, "E_L": 0.0, "V_m": 0.0}
parameters |= {"V_th": 20.0, "V_reset": 10.0}  # millivolts
E = nest.Create("iaf_psc_delta", 800, parameters)
I = nest.Create("iaf_psc_delta", 200, parameters)
for pre, indegree, weight in ((E, 80, 0.4), (I, 20, -2.0)):
    rule = {"rule": "fixed_indegree", "indegree": indegree}
    nest.Connect(pre, E + I, rule, {"weight": weight, "delay": 1.5})
external = nest.Create("poisson_generator", params={"rate": 2400.0})
nest.Connect(external, E + I, syn_spec={"weight": 0.4, "delay": 0.1})
recorder = nest.Create("spike_recorder")
nest.Connect(E, recorder)
nest.Simulate(1000.0)
print(f"{recorder.n_events / 800:.0f} Hz")
