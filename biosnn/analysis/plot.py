"""Figures of traces, weights, trainings and comparisons.

Every function returns a Figure:

    plot.activity(trace, trial=3).savefig("activity.png")
    plot.activity(trace, trial=3, width=8.5).savefig("activity.pdf")

The figures are matplotlib's and do not belong to pyplot: there is no global state, and nothing to
close. Times are in milliseconds. `width` is that of the figure in cm, for paper: its texts then
have the size that they have in print. By default a figure is made for the screen.
"""

from .figures import CLASSES, EXCITATORY, INHIBITORY, INPUT, UNSIGNED, colour
from .plot_activity import activity
from .plot_comparison import comparison
from .plot_currents import currents
from .plot_gradients import gradients
from .plot_history import history
from .plot_initializer import initializer
from .plot_membrane import membrane
from .plot_space import positions
from .plot_weights import weights

__all__ = [
    "CLASSES",
    "EXCITATORY",
    "INHIBITORY",
    "INPUT",
    "UNSIGNED",
    "activity",
    "colour",
    "comparison",
    "currents",
    "gradients",
    "history",
    "initializer",
    "membrane",
    "positions",
    "weights",
]
