"""What is refused, and why; where the reason is not one of mathematics, it says so."""

_RUNS_AWAY = (
    "Without a threshold this membrane runs away to infinity in finite time, so that a free "
    "membrane, with its mean and variance, does not exist."
)
_OWN_WEIGHTS = (
    "Every trial would change the weights by its own spikes: trials would be those of different "
    "networks, and a gradient would have no weights to belong to."
)

#: (name of a feature, use) -> reason.
REASONS = {
    ("`InhibitorySTDP`", "run"): _OWN_WEIGHTS,
    ("`InhibitorySTDP`", "gradient"): _OWN_WEIGHTS,
    ("`InhibitorySTDP`", "initializer"): (
        "Weights that learn do not stay where an initializer sets them: which membrane the trials "
        "have follows from the rule, not from the start."
    ),
    ("gradients through the reset, with escape noise", "gradient"): (
        "The spike is drawn: U after it is U or the reset, and has no derivative by the "
        "probability."
    ),
    ("`perturb.Clamp`, a part of the run", "gradient"): (
        "Time is cut where neurons are taken hold of, and initial states of a part are constants: "
        "a gradient would stop there. (Parts could be chained; that is not built.)"
    ),
    ("escape noise", "brian"): (
        "Two programs with random numbers of their own have no spike in common. (Numbers could be "
        "handed over; that is not built.)"
    ),
    ("units that pool spikes", "theory"): (
        "The rate of a maximum needs the joint probability of its neurons, of which mean-field "
        "theory knows nothing. (For independent neurons it could be had; that is not built.)"
    ),
} | {
    (f"`{model}`", use): _RUNS_AWAY
    for model in ("adex", "izhikevich", "exponential_lif")
    for use in ("initializer", "theory")
}
