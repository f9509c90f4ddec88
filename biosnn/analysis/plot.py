"""Figures of traces, weights, initializer reports and histories. Every function returns a Figure:

    plot.activity(trace, trial=3).savefig("activity.png")
    plot.activity(trace, trial=3, width=8.5).savefig("activity.pdf")

The figures are matplotlib's and do not belong to pyplot: there is no global state, and nothing to
close. Times are in milliseconds. `width` is that of the figure in cm, for paper: its texts then
have the size that they have in print. Default: a figure for the screen.
"""

from .figures import CLASSES, EXCITATORY, INHIBITORY, INPUT, UNSIGNED, colour
from .plot_currents import currents, gradients
from .plot_history import comparison, history
from .plot_traces import activity, membrane
from .plot_weights import initializer, weights

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
    "weights",
]
