"""Networks of excitatory and inhibitory spiking neurons that obey Dale's law, on a CPU.

Describe a network (`Network`, neuron models such as `ei_lif`), start it in the fluctuation-driven
regime (`fluctuation_driven`), train it (`train`, `evaluate`) or simulate it (`run`, `simulate`),
and check it against Brian2 (`brian.compare`). All times are in seconds, all rates in hertz.

    SpikeTrains, data, encode           input: spikes, data sets, numbers as spikes
    space, perturb                      connections by distance; silencing, stimuli, lesions
    predict, save, load                 after training
    stats, signals, plot                statistics, spectra and field potentials, figures
    theory, regime                      what mean-field theory says of a circuit
    sweep, experiments                  many runs
    interop, brian                      other programs: Neo, pandas, xarray, NWB, NIR …; Brian2
"""

import typing as _typing
from importlib import import_module as _import_module

from . import data, theory
from .analysis import stats
from .data.augmentation import Augmentation, augment
from .data.augmentations import (
    Blend,
    ChannelJitter,
    ChannelMask,
    ChannelShift,
    Drop,
    Insert,
    TimeJitter,
    TimeShift,
    TimeStretch,
)
from .data.binning import bin_spikes
from .data.joining import concatenate
from .data.spike_file import read_spikes
from .data.spike_trains import SpikeTrains
from .engine.background import Current, OrnsteinUhlenbeck, PoissonInput
from .engine.gradient import Gradients, gradient
from .engine.recording import Means
from .engine.run import run
from .engine.simulate import simulate
from .engine.simulation import Simulation
from .engine.state import State
from .engine.state_file import load_state, save_state
from .engine.trace import Trace
from .initializer.baselines import kaiming, random_weights, xavier
from .initializer.fluctuation_driven import fluctuation_driven
from .initializer.report import InitializerReport, PopulationReport
from .network import families, perturb
from .network.adaptive_models import adaptive_lif, ei_adaptive_lif
from .network.conductance_models import alpha_conductance_lif, conductance_lif, nmda_lif
from .network.connectivity import BlockDiagonal, FanOut, OneToOne, Pairs, Rule, from_scipy
from .network.convolution import Convolution, MaxPool, max_pool
from .network.dale import Audit, audit
from .network.distributions import (
    Exponential,
    Gamma,
    HalfNormal,
    LogNormal,
    Normal,
    Uniform,
    log_normal_time_constants,
)
from .network.drawing import Distribution
from .network.escape import ExponentialEscape, SigmoidEscape
from .network.layers import (
    convolutional_layer,
    dalian_convolutional_layer,
    dalian_layer,
    layer,
)
from .network.network import Network
from .network.network_file import load, load_weights, save
from .network.neuron import Neuron, Receptor, bounded
from .network.neuron_models import ampa_nmda_gaba, ei_lif, leaky_readout, lif, lif_delta
from .network.nonlinear_models import adex, exponential_lif, izhikevich
from .network.plasticity import InhibitorySTDP, SaturatingGating, TsodyksMarkram
from .network.population import Population
from .network.projection import Projection
from .network.random_connectivity import Bernoulli, FixedInDegree, FixedOutDegree, FixedTotal
from .network.recurrence import recurrent_projections
from .network.rescale import time_rescale
from .network.surrogate import (
    Arctan,
    AsymptoticSuperSpike,
    ExponentialSurrogate,
    Gaussian,
    MultiGaussian,
    Sigmoid,
    SuperSpike,
    Surrogate,
    Triangular,
    TruncatedSuperSpike,
)
from .network.synapses import Synapses
from .support.warn import RoundingWarning, UnitWarning
from .theory.regime import PopulationRegime, Regime, regime
from .training import schedules
from .training.classification import balanced_class_weights
from .training.constraint import WeightConstraint
from .training.cross_entropy import (
    EveryStepCrossEntropy,
    FocalLoss,
    LastStepCrossEntropy,
    MaxOverTimeCrossEntropy,
    MeanOverTimeCrossEntropy,
    SumOverTimeCrossEntropy,
)
from .training.evaluation import Evaluation, evaluate
from .training.history import Epoch, History
from .training.optim import SGD, SMORMS3, Adam, AdamW
from .training.prediction import Predictions, predict
from .training.protocols import Constraint, Loss, Optimizer, Regularizer, Schedule
from .training.regularize import WeightPenalty, lower_bound, upper_bound
from .training.spike_loss import TimeToFirstSpike, VanRossumDistance
from .training.squared_error import MeanSquaredError, PatternRegression
from .training.train import prime, train

if _typing.TYPE_CHECKING:
    from . import brian, experiments, interop
    from .analysis import plot, signals
    from .data import encode
    from .experiments.sweep import sweep
    from .network import space

__version__ = "0.1.0"
__all__ = [
    "SGD",
    "SMORMS3",
    "Adam",
    "AdamW",
    "Arctan",
    "AsymptoticSuperSpike",
    "Audit",
    "Augmentation",
    "Bernoulli",
    "Blend",
    "BlockDiagonal",
    "ChannelJitter",
    "ChannelMask",
    "ChannelShift",
    "Constraint",
    "Convolution",
    "Current",
    "Distribution",
    "Drop",
    "Epoch",
    "Evaluation",
    "EveryStepCrossEntropy",
    "Exponential",
    "ExponentialEscape",
    "ExponentialSurrogate",
    "FanOut",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedTotal",
    "FocalLoss",
    "Gamma",
    "Gaussian",
    "Gradients",
    "HalfNormal",
    "History",
    "InhibitorySTDP",
    "InitializerReport",
    "Insert",
    "LastStepCrossEntropy",
    "LogNormal",
    "Loss",
    "MaxOverTimeCrossEntropy",
    "MaxPool",
    "MeanOverTimeCrossEntropy",
    "MeanSquaredError",
    "Means",
    "MultiGaussian",
    "Network",
    "Neuron",
    "Normal",
    "OneToOne",
    "Optimizer",
    "OrnsteinUhlenbeck",
    "Pairs",
    "PatternRegression",
    "PoissonInput",
    "Population",
    "PopulationRegime",
    "PopulationReport",
    "Predictions",
    "Projection",
    "Receptor",
    "Regime",
    "Regularizer",
    "RoundingWarning",
    "Rule",
    "SaturatingGating",
    "Schedule",
    "Sigmoid",
    "SigmoidEscape",
    "Simulation",
    "SpikeTrains",
    "State",
    "SumOverTimeCrossEntropy",
    "SuperSpike",
    "Surrogate",
    "Synapses",
    "TimeJitter",
    "TimeShift",
    "TimeStretch",
    "TimeToFirstSpike",
    "Trace",
    "Triangular",
    "TruncatedSuperSpike",
    "TsodyksMarkram",
    "Uniform",
    "UnitWarning",
    "VanRossumDistance",
    "WeightConstraint",
    "WeightPenalty",
    "adaptive_lif",
    "adex",
    "alpha_conductance_lif",
    "ampa_nmda_gaba",
    "audit",
    "augment",
    "balanced_class_weights",
    "bin_spikes",
    "bounded",
    "brian",
    "concatenate",
    "conductance_lif",
    "convolutional_layer",
    "dalian_convolutional_layer",
    "dalian_layer",
    "data",
    "ei_adaptive_lif",
    "ei_lif",
    "encode",
    "evaluate",
    "experiments",
    "exponential_lif",
    "families",
    "fluctuation_driven",
    "from_scipy",
    "gradient",
    "interop",
    "izhikevich",
    "kaiming",
    "layer",
    "leaky_readout",
    "lif",
    "lif_delta",
    "load",
    "load_state",
    "load_weights",
    "log_normal_time_constants",
    "lower_bound",
    "max_pool",
    "nmda_lif",
    "perturb",
    "plot",
    "predict",
    "prime",
    "random_weights",
    "read_spikes",
    "recurrent_projections",
    "regime",
    "run",
    "save",
    "save_state",
    "schedules",
    "signals",
    "simulate",
    "space",
    "stats",
    "sweep",
    "theory",
    "time_rescale",
    "train",
    "upper_bound",
    "xavier",
]

#: Names that are loaded when they are first used, so that the import stays short: name -> module,
#: or module and name within it.
_LATER = {
    "brian": ".brian",
    "encode": ".data.encode",
    "experiments": ".experiments",
    "interop": ".interop",
    "plot": ".analysis.plot",
    "signals": ".analysis.signals",
    "space": ".network.space",
    "sweep": ".experiments.sweep:sweep",
}


def __getattr__(name: str) -> object:
    """Load a name of `_LATER`."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, inner = _LATER[name].partition(":")
    loaded = _import_module(module, __name__)
    globals()[name] = found = getattr(loaded, inner) if inner else loaded
    return found


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
