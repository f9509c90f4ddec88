"""Figures of simulations, trials, weights, trainings and comparisons.

One rule for all: without `ax` a function makes a figure and returns it; with `ax` it draws there
and returns the axes.

    plot.activity(done).savefig("activity.png")
    plot.activity(done, width=8.5).savefig("activity.pdf")
    plot.rates(done, ax=figure.subplots()).set_title("all populations")

`ax` is an Axes, or for a figure of several panels a Figure or SubFigure without axes, or as many
Axes as there are panels; then the array of them is returned. What is called `recording` is a Trace
of `run` or a Simulation of `simulate`.

The figures are matplotlib's and do not belong to pyplot: there is no global state, and nothing to
close. `width` is that of a new figure in cm, for paper: its texts then have the size that they
have in print. By default a figure is made for the screen. Axes of your own look like the others
under `matplotlib.rc_context(plot.style(width=8.5))`.
"""

from .figures import CLASSES, EXCITATORY, INHIBITORY, INPUT, UNSIGNED, colour
from .plot_activity import activity
from .plot_comparison import comparison
from .plot_confusion import confusion
from .plot_connectivity import connectivity
from .plot_correlograms import correlograms
from .plot_currents import currents
from .plot_distributions import distributions
from .plot_gradients import gradients
from .plot_history import history
from .plot_initializer import initializer
from .plot_membrane import membrane
from .plot_phase import phase_plane
from .plot_raster import raster
from .plot_rates import rates
from .plot_space import positions
from .plot_spectrum import spectrum
from .plot_weights import weights
from .style import style

__all__ = [
    "CLASSES",
    "EXCITATORY",
    "INHIBITORY",
    "INPUT",
    "UNSIGNED",
    "activity",
    "colour",
    "comparison",
    "confusion",
    "connectivity",
    "correlograms",
    "currents",
    "distributions",
    "gradients",
    "history",
    "initializer",
    "membrane",
    "phase_plane",
    "positions",
    "raster",
    "rates",
    "spectrum",
    "style",
    "weights",
]
