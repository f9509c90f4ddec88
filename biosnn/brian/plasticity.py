"""Plastic synapses in Brian2's words. A presynaptic spike acts when it arrives, which gives the same u and x as when it is sent."""

from ..network.plasticity import InhibitorySTDP, TsodyksMarkram


def synapse_text(projection, deliver):
    """(model, on_pre, on_post or "", name -> value) of a projection; `deliver` is what a spike of weight w does without plasticity.

    Values in seconds have names that begin with tau.
    """
    rule = projection.plasticity
    if isinstance(rule, TsodyksMarkram):
        return _short_term(rule, deliver)
    if isinstance(rule, InhibitorySTDP):
        model = "w : 1\ndtraceIn/dt = -traceIn/tau_stdp : 1 (event-driven)\ndtraceOut/dt = -traceOut/tau_stdp : 1 (event-driven)"
        values = {
            "tau_stdp": float(rule.tau),
            "eta": float(rule.eta),
            "alpha": float(rule.alpha),
            "w_max": float(min(rule.w_max, 1e300)),
        }
        return (
            model,
            f"traceIn += 1; w = clip(w + eta*(traceOut - alpha), 0, w_max); {deliver}",
            "traceOut += 1; w = clip(w + eta*traceIn, 0, w_max)",
            values,
        )
    return "w : 1", deliver, "", {}


def _short_term(rule, deliver):
    model, values = (
        "w : 1\ndresources/dt = (1 - resources)/tau_rec : 1 (event-driven)",
        {"utilization": float(rule.utilization), "tau_rec": float(rule.tau_rec)},
    )
    if rule.tau_facil:
        model += "\ndshare/dt = -share/tau_facil : 1 (event-driven)"
        values["tau_facil"] = float(rule.tau_facil)
    first = (
        "share += utilization*(1 - share); released = share*resources"
        if rule.tau_facil
        else "released = utilization*resources"
    )
    return model, f"{first}; resources -= released; {deliver}*released", "", values


def initial_values(projection):
    """Variables of synapses that do not start at 0."""
    return {"resources": 1.0} if isinstance(projection.plasticity, TsodyksMarkram) else {}
