"""What is refused, and the mathematical reason."""

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
    ("escape noise", "brian"): (
        "Spikes are drawn at random, and two programs with generators of their own have no spike in "
        "common."
    ),
    ("units that pool spikes", "theory"): (
        "The rate of a maximum over neurons follows from their joint probability, and mean-field "
        "theory has only that of each."
    ),
    ("gradients through the reset, with escape noise", "gradient"): (
        "The spike is drawn: U after it is U or the reset, and has no derivative by the "
        "probability."
    ),
    ("`perturb.Clamp`, a part of the run", "gradient"): (
        "Time is cut where neurons are taken hold of, and initial states of a part are constants: "
        "a gradient would stop there."
    ),
} | {
    (f"`{model}`", use): _RUNS_AWAY
    for model in ("adex", "izhikevich", "exponential_lif")
    for use in ("initializer", "theory")
}
