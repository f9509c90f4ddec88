"""What the initializer says where it cannot reach its targets, and what would help."""

from typing import Any

#: Inhibitory spikes that overlap in a membrane: below, it is no Gaussian, and the rates of theory
#: are not those of the circuit.
_FEW = 10


def silent_source(start: Any, projection: Any) -> ValueError:
    """Return the error for a projection whose source, a population, never fires.

    Parameters
    ----------
    start
        A TrialStart.
    projection
        The projection.
    """
    pre = projection.pre
    so = (
        f"Without its spikes projection {projection.name!r} causes no fluctuations, and no weights "
        "follow."
    )
    if pre in start.given:
        return ValueError(
            f"assumed_rates has 0 Hz for population {pre!r}. {so} Give a positive rate, or leave "
            "out the projection."
        )
    target, threshold = start.targets[pre], start.threshold(pre)
    xi = (threshold - target.mu) / target.sigma
    return ValueError(
        f"population {pre!r} would be silent with its target: at mu_U = {target.mu:g} and "
        f"sigma_U = {target.sigma:g} the threshold {threshold:g} lies xi = {xi:.3g} sigma_U above "
        f"the mean, and theory gives 0 Hz. {so} Ask {pre!r} for a larger sigma_u or mu_u "
        f"(1 <= xi <= 3 is usual), or give assumed_rates={{'{pre}': Hz}}."
    )


def _overlapping_inhibition(start, name):
    """How many inhibitory spikes add up in a membrane, if all fire as their targets ask.

    N nu eps_bar^2 / eps_hat.
    """
    return sum(
        a.n * start.aimed[start.network.projection(a.name).pre] * a.eps_bar**2 / a.eps_hat
        for a in start.equations[name].afferents
        if a.sign < 0
    )


def did_not_settle_on_trials(start: Any, n_trials: int, blurred: bool) -> str:
    """Return the note of a closed loop on trials that did not reach its targets.

    Parameters
    ----------
    start
        A TrialStart.
    n_trials
        Trials of its sample.
    blurred
        Whether the sample measures less well than the tolerance asks.
    """
    note = (
        "the closed loop did not settle within its tolerance (1 % of sigma_U, 0.01 of mu_U, 3 % "
        f"of the rates, or two standard errors of its {n_trials} trials, at most three times as "
        "much); the report shows the best that was reached."
    )
    overlap = {
        name: _overlapping_inhibition(start, name)
        for name, equations in start.equations.items()
        if equations.dalian
    }
    few = [f"{name} ({count:.2g})" for name, count in overlap.items() if count < _FEW]
    if few:
        note += (
            " With these targets only few inhibitory spikes overlap in a membrane of "
            f"{' and '.join(few)}: rare large potentials, which do not balance many small "
            "excitatory ones. More inhibitory neurons, or a larger sigma_U or mu_U, with which "
            "they fire more, help."
        )
    if blurred:
        note += (
            " The sample measures the membrane less well than the tolerance asks: more or longer "
            "trials help."
        )
    if not few and not blurred:
        note += (
            " The circuit answers a small change of its weights with a large one of its rates: a "
            "larger alpha, or more neurons, help."
        )
    return note


def settled_within_errors(n_trials: int, error: float) -> str:
    """Return the note of a closed loop on trials that is as close as its sample can tell.

    error: in units of its tolerance.
    """
    return (
        f"the closed loop settled within two standard errors of its {n_trials} trials ({error:.2g} "
        "times its tolerance): more or longer trials measure the membrane, and reach the target, "
        "more closely."
    )


def did_not_settle_in_circuit(close: float, close_rate: float) -> str:
    """Return the note of a closed loop in a circuit that did not reach its targets.

    close, close_rate: its tolerances, of the membrane and of a target rate.
    """
    return (
        f"the closed loop did not settle within its tolerance ({100 * close:g} % of sigma_U and "
        f"mu_U, {100 * close_rate:g} % of a target rate); the report shows the best that was "
        "reached. Circuits near to synchrony, or with another stable state, answer a small change "
        "with a large one: a smaller sigma_U, more neurons or a stronger background help."
    )


def another_state(rates: dict[str, float]) -> str:
    """Return the note of a circuit with a second stable state; `rates`: its rates in hertz."""
    listed = ", ".join(f"{name} at {rate:.3g} Hz" for name, rate in rates.items())
    return (
        f"this circuit has another stable state, which it may take instead: {listed}. A background "
        "that is stronger, so that inhibition has to prevail, leaves one state."
    )
