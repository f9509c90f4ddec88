"""The paradoxical effect of inhibition: more drive to inhibitory neurons, and they fire less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis.figures import sign_colour
from ..analysis.places import label, one_panel
from ..analysis.style import pt, size
from ..engine.background import Current
from ..network.network import Network
from ..network.population import Population
from ..support import checks, timegrid
from ..support.progress import progress_bar
from ..support.show import About, Shows
from ..support.tables import Table, number
from .gain import spiking_name
from .phases import BLOCKS, mean_and_error, simulated

if TYPE_CHECKING:
    from ..analysis.places import Ax, Drawn

_SIGNS = ("excitatory", "inhibitory")
_BIN = 20e-3  # seconds
_CLEAR = 3.0  # standard errors by which a change is beyond doubt


@dataclass(frozen=True, eq=False, repr=False)
class ParadoxicalEffect(Shows):
    """Rates before and during an extra drive to inhibitory neurons.

    Parameters
    ----------
    excitatory, inhibitory
        Names of the two populations.
    extra
        The drive.
    before, during
        Population -> mean rate in hertz, without what comes before the rates settle.
    errors
        Population -> (before, during) standard errors of these means.
    times
        (bins,) seconds, 0 where the drive begins.
    rates
        Population -> (bins,) rates in hertz.

    Examples
    --------
    See `paradoxical_effect`.
    """

    excitatory: str
    inhibitory: str
    extra: float
    before: dict[str, float]
    during: dict[str, float]
    errors: dict[str, tuple[float, float]]
    times: NDArray[np.float64]
    rates: dict[str, NDArray[np.float64]]

    def score(self, population: str) -> float:
        """Return the change of a rate in standard errors, positive where it went up.

        Parameters
        ----------
        population
            One of the two populations.

        Returns
        -------
        (during - before) / sqrt(error before² + error during²); 0 where nothing changed.

        Raises
        ------
        ValueError
            If it is another population.

        Examples
        --------
        See `paradoxical_effect`.
        """
        name = checks.choice(population, "population", self.before)
        change = self.during[name] - self.before[name]
        error = float(np.hypot(*self.errors[name]))
        if change == 0:
            return 0.0
        return change / error if error > 0 else float(np.copysign(np.inf, change))

    @property
    def paradoxical(self) -> bool | None:
        """Whether inhibitory neurons went against their drive; None if they hardly changed."""
        response = self.score(self.inhibitory) * np.sign(self.extra)
        return None if abs(response) < _CLEAR else bool(response < 0)

    @property
    def verdict(self) -> str:
        """What happened, and what it says of the network."""
        drive = "more" if self.extra > 0 else "less"
        i, e = (self._change(name) for name in (self.inhibitory, self.excitatory))
        said = f"With {drive} drive {i}, and {e}."
        if self.paradoxical is None:
            return (
                f"No clear effect. {said} The rate of {self.inhibitory} changed by "
                f"{abs(self.score(self.inhibitory)):.1f} standard errors; simulate longer, or give "
                "a larger drive."
            )
        if self.paradoxical:
            return (
                f"Paradoxical. {said} The network is stabilized by inhibition: its excitation "
                "alone would run away."
            )
        said = f"Not paradoxical. {said}"
        if self.before[self.excitatory] > 0 and self.during[self.excitatory] < 0.05:
            return (
                f"{said} {self.excitatory} fell silent, where no network is stabilized by "
                "inhibition; a smaller drive may tell more."
            )
        return (
            f"{said} Inhibition does not stabilize the network, or the drive is too large or does "
            "not reach enough of its inhibitory neurons."
        )

    def _change(self, name):
        """The rates of a population in words."""
        before, during = self.before[name], self.during[name]
        verb = "rose" if during > before else "fell" if during < before else "stayed"
        if verb == "stayed":
            return f"{name} stayed at {before:.3g} Hz"
        return f"{name} {verb} from {before:.3g} to {during:.3g} Hz"

    def plot(self, ax: Ax | None = None, *, width: float | None = None) -> Drawn:
        """Draw the rates of both populations over time, with the drive as a grey field.

        Parameters
        ----------
        ax
            Where to draw. Default: a new figure.
        width
            Width of a new figure on paper in cm. Default: a figure for the screen.

        Returns
        -------
        The figure, or with `ax` the axes. Dashed lines are the mean rates of both phases.

        Examples
        --------
        See `paradoxical_effect`.
        """
        return one_panel(self._draw, ax=ax, width=width)

    def _draw(self, axis):
        """Draw on Axes."""
        first, last = self.times[0], self.times[-1]
        axis.axvspan(0, last, color="0.92", zorder=0, linewidth=0)
        for name, sign in ((self.excitatory, "excitatory"), (self.inhibitory, "inhibitory")):
            line = sign_colour(sign)
            axis.plot(self.times, self.rates[name], color=line, linewidth=pt(1.2), label=name)
            for level, span in ((self.before, (first, 0)), (self.during, (0, last))):
                axis.hlines(level[name], *span, color=line, linestyle="--", linewidth=pt(1.2))
        axis.set_xlim(first, last)
        axis.set_ylim(bottom=0)
        axis.margins(y=0.15)
        axis.legend(frameon=False, ncols=2, loc="upper right")
        word = {True: "paradoxical", False: "not paradoxical", None: "no clear effect"}
        axis.set_title(word[self.paradoxical], fontsize=size())
        label(axis, f"time since the drive to {self.inhibitory} changed (s)", "rate (Hz)")

    def _about(self) -> About:
        lines = [
            (
                name,
                f"{number(self.before[name])} ± {number(self.errors[name][0], '.2g')}",
                f"{number(self.during[name])} ± {number(self.errors[name][1], '.2g')}",
                f"{self.score(name):+.1f}",
            )
            for name in (self.excitatory, self.inhibitory)
        ]
        headings = ("population", "before (Hz)", "during (Hz)", "change (standard errors)")
        rows = [("extra drive", f"{self.extra:g}"), ("verdict", self.verdict)]
        return About("ParadoxicalEffect", rows, Table("", headings, lines))


def paradoxical_effect(
    network: Network,
    extra: float,
    *,
    excitatory: str | Population = "E",
    inhibitory: str | Population = "I",
    background: Sequence[Any] = (),
    duration: float = 2.0,
    settle: float = 0.5,
    initial: Any = None,
    rate_bin: float | None = None,
    seed: Any = 0,
    threads: int | None = None,
    progress: bool = True,
) -> ParadoxicalEffect:
    """Drive all inhibitory neurons more, and see whether they fire less.

    Parameters
    ----------
    network
        A network with weights.
    extra
        Current that is added to every inhibitory neuron, in the unit of U; below 0 it is taken
        away.
    excitatory, inhibitory
        The two populations or their names.
    background
        Input that is always there, as for `simulate`.
    duration
        Seconds for which rates are measured, before the drive and during it.
    settle
        Seconds at the start, and after the drive has begun, which do not count.
    initial
        States at the start, as for `simulate`.
    rate_bin
        Seconds of the bins of the rates that the figure shows. Default: 20 ms, or a tenth of the
        duration if that is shorter.
    seed
        Seed of the background and of initial states.
    threads
        Default: all processors, one for a small network.
    progress
        Whether to show the progress.

    Returns
    -------
    A `ParadoxicalEffect`, with a verdict in words and a figure.

    Raises
    ------
    ValueError
        If something given does not fit the network, populations have the other sign, or `extra`
        is 0.

    See Also
    --------
    gain_curve : rates against several values of the drive.

    Notes
    -----
    In a network whose recurrent excitation alone is unstable, more drive to inhibitory neurons
    lowers the excitatory rate so much that their own rate falls, too. For rates with gains g_E, g_I
    and weights W, d r_I / d drive has the sign of 1 - g_E W_EE. A change counts from three standard
    errors on, which come from ten blocks of each phase.

    References
    ----------
    Tsodyks, Skaggs, Sejnowski & McNaughton (1997), J. Neurosci. 17:4382-4388; Ozeki et al. (2009),
    Neuron 62:578-592; Sanzeni et al. (2020), eLife 9:e54875.

    Examples
    --------
    >>> import biosnn as bs
    >>> cells = bs.lif_delta(
    ...     tau_mem=20e-3, threshold=20e-3, reset=10e-3, refractory=2e-3
    ... )
    >>> net = bs.Network(dt=1e-4)
    >>> E = net.population(800, cells, "excitatory", name="E")
    >>> I = net.population(200, cells, "inhibitory", name="I")
    >>> for k, post in enumerate((E, I)):
    ...     _ = net.connect(
    ...         E,
    ...         post,
    ...         synapses=bs.FixedInDegree(160),
    ...         weights=0.4e-3,
    ...         delay=1.5e-3,
    ...         seed=k,
    ...     )
    ...     _ = net.connect(
    ...         I,
    ...         post,
    ...         synapses=bs.FixedInDegree(40),
    ...         weights=2e-3,
    ...         delay=1.5e-3,
    ...         seed=k + 2,
    ...     )
    >>> noise = [bs.PoissonInput(name, 2500.0, 0.4e-3) for name in ("E", "I")]
    >>> effect = bs.experiments.paradoxical_effect(
    ...     net, 1e-3, background=noise, duration=0.5, settle=0.2, progress=False
    ... )
    >>> effect.paradoxical, effect.score("I") < -3
    (True, True)
    """
    checks.instance(network, "network", Network, "a Network")
    extra = checks.real(extra, "extra")
    if extra == 0:
        raise ValueError(
            "extra is 0; it must be a drive, in the unit of U, that changes something."
        )
    names = [
        spiking_name(network, given, what)
        for given, what in zip((excitatory, inhibitory), _SIGNS, strict=True)
    ]
    if names[0] == names[1]:
        raise ValueError(f"excitatory and inhibitory are both {names[0]!r}; give two populations.")
    for name, what, other in zip(names, _SIGNS, reversed(_SIGNS), strict=True):
        if network[name].sign == other:
            raise ValueError(f"{what} is {name!r}, a population that is {other}; give another.")
    background = checks.several(background, "background", "PoissonInput('E', 1e3, 0.1)")
    seconds = _phases(duration, settle, network.dt)
    rate_bin = _checked_bin(rate_bin, seconds[1])
    begin = seconds[0] + seconds[1]
    drive = Current(names[1], ([0.0, begin], [0.0, extra]))
    with progress_bar(1, "paradoxical effect", progress) as advance:
        phases = simulated(
            network,
            seconds,
            [*background, drive],
            seed=seed,
            threads=threads,
            initial=initial,
            rate_bin=rate_bin,
        )
        advance(1, "")
    return _measured(names, extra, phases)


def _phases(duration, settle, dt):
    """Seconds of settling, measuring, settling and measuring, in whole steps."""
    duration = checks.time(duration, "duration", above=0)
    settle = checks.time(settle, "settle", above=0)
    return [dt * timegrid.covering_steps(each, dt) for each in (settle, duration) * 2]


def _checked_bin(rate_bin, duration):
    """Seconds of a bin: ten of them fit into a phase, for the error of its mean."""
    most = duration / BLOCKS
    if rate_bin is None:
        return min(_BIN, most)
    why = f"its error comes from {BLOCKS} blocks of a phase of {duration:g} s"
    return checks.time(rate_bin, "rate_bin", above=0, high=most * (1 + 1e-9), why=why)


def _measured(names, extra, phases):
    """The result of the four phases."""
    _, before, rising, during = phases
    measured = {name: [mean_and_error(phase, name) for phase in (before, during)] for name in names}
    times, shown = [], (before, rising, during)
    start = rising.start
    for phase in shown:
        bins = np.arange(phase.rates[names[0]].size)
        middles = np.minimum((bins + 0.5) * phase.rate_bin, phase.duration)
        times.append(phase.start - start + middles)
    return ParadoxicalEffect(
        excitatory=names[0],
        inhibitory=names[1],
        extra=extra,
        before={name: measured[name][0][0] for name in names},
        during={name: measured[name][1][0] for name in names},
        errors={name: (measured[name][0][1], measured[name][1][1]) for name in names},
        times=np.concatenate(times),
        rates={name: np.concatenate([phase.rates[name] for phase in shown]) for name in names},
    )
