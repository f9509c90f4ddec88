"""Why a use makes no sense with a feature: words for the cells that are not applicable."""

_OF_GRADIENTS = "an option of `gradient`"
_STATIONARY = "the theory is of the stationary state, which forgets its start"
_FREE = "weights are set for the stationary membrane"
_ONE = "one trial; give the values of that trial"

NO_MOMENTS = "`run` has moments over trials; of a long run `record` has means"
NO_EVERY = "`run` keeps whole trials"

NO_HOLDS = "it is given a network and its input, not what holds U"

of_gradients = {
    "simulate": _OF_GRADIENTS,
    "run": _OF_GRADIENTS,
    "brian": _OF_GRADIENTS,
    "initializer": _OF_GRADIENTS,
    "theory": _OF_GRADIENTS,
}
of_trials = {
    "simulate": _ONE,
    "initializer": "one circuit, no trials",
    "theory": "one circuit, no trials",
}
of_starts = {"initializer": _FREE, "theory": _STATIONARY}
of_trial_starts = of_starts | {"simulate": _ONE}
of_currents = {
    "simulate": "one trial; `Current` says the same",
    "initializer": "`Current`, or a bias, says the same",
    "theory": "`Current`, or a bias, says the same",
}
_OF_RUNS = "an option of a run"
of_runs = dict.fromkeys(("gradient", "brian", "initializer", "theory"), _OF_RUNS)
of_perturbations = dict.fromkeys(
    ("initializer", "theory"), "they see the network that `perturb.apply` makes"
)
of_unequal = {"simulate": "one trial", "theory": "no trials"}
of_merge = {
    "brian": "its generators have one spike of a unit in a step",
    "theory": "rates say it",
}
