"""Networks of excitatory and inhibitory spiking neurons that obey Dale's law, on a CPU.

Describe a network (`Network`, neuron models such as `ei_lif`), start it in the fluctuation-driven
regime (`fluctuation_driven`), train it (`train`, `evaluate`) or simulate it (`run`, `simulate`), and
check it against Brian2 (`brian.compare`). All times are in seconds, all rates in hertz.
"""

from . import brian, data, theory
from .analysis import plot, stats
from .data.augmentation import (
    Blend,
    ChannelJitter,
    ChannelMask,
    ChannelShift,
    Drop,
    Insert,
    TimeJitter,
    TimeShift,
    TimeStretch,
    augment,
)
from .data.spike_file import read_spikes
from .data.spike_trains import SpikeTrains, bin_spikes, from_dense
from .engine.background import Current, OrnsteinUhlenbeck, PoissonInput
from .engine.run import Gradients, Trace, gradient, run
from .engine.simulate import Simulation, load_state, save_state, simulate
from .engine.state import State
from .initializer.baselines import kaiming, random_weights, xavier
from .initializer.fluctuation_driven import fluctuation_driven
from .initializer.report import InitializerReport, PopulationReport
from .network import families, interop
from .network.connectivity import (
    Bernoulli,
    BlockDiagonal,
    FanOut,
    FixedInDegree,
    FixedOutDegree,
    FixedTotal,
    OneToOne,
    Pairs,
    dalian_layer,
    from_scipy,
    layer,
    recurrent_projections,
)
from .network.convolution import (
    Convolution,
    MaxPool,
    convolutional_layer,
    dalian_convolutional_layer,
    max_pool,
)
from .network.dale import audit
from .network.distributions import Normal, Uniform
from .network.escape import ExponentialEscape, SigmoidEscape
from .network.network import Network
from .network.neuron import (
    Neuron,
    Receptor,
    adaptive_lif,
    adex,
    alpha_conductance_lif,
    ampa_nmda_gaba,
    bounded,
    conductance_lif,
    ei_adaptive_lif,
    ei_lif,
    izhikevich,
    leaky_readout,
    lif,
    lif_delta,
    log_normal_time_constants,
)
from .network.plasticity import InhibitorySTDP, TsodyksMarkram
from .network.rescale import time_rescale
from .network.surrogate import (
    Arctan,
    AsymptoticSuperSpike,
    ExponentialSurrogate,
    Gaussian,
    MultiGaussian,
    Sigmoid,
    SuperSpike,
    Triangular,
    TruncatedSuperSpike,
)
from .network.weight_file import load_weights, save_weights
from .support.warn import RoundingWarning, UnitWarning
from .theory.regime import PopulationRegime, Regime, regime
from .training import schedules
from .training.constraint import WeightConstraint
from .training.loss import (
    EveryStepCrossEntropy,
    FocalLoss,
    LastStepCrossEntropy,
    MaxOverTimeCrossEntropy,
    MeanOverTimeCrossEntropy,
    MeanSquaredError,
    PatternRegression,
    SumOverTimeCrossEntropy,
)
from .training.optim import SGD, SMORMS3, Adam, AdamW
from .training.regularize import WeightPenalty, lower_bound, upper_bound
from .training.spike_loss import TimeToFirstSpike, VanRossumDistance
from .training.train import Evaluation, History, evaluate, prime, train

__version__ = "0.1.0"
__all__ = [
    "Adam",
    "AdamW",
    "Arctan",
    "AsymptoticSuperSpike",
    "Bernoulli",
    "Blend",
    "BlockDiagonal",
    "ChannelJitter",
    "ChannelMask",
    "ChannelShift",
    "Convolution",
    "Current",
    "Drop",
    "Evaluation",
    "EveryStepCrossEntropy",
    "ExponentialEscape",
    "ExponentialSurrogate",
    "FanOut",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedTotal",
    "FocalLoss",
    "Gaussian",
    "Gradients",
    "History",
    "InhibitorySTDP",
    "InitializerReport",
    "Insert",
    "LastStepCrossEntropy",
    "MaxOverTimeCrossEntropy",
    "MaxPool",
    "MeanOverTimeCrossEntropy",
    "MeanSquaredError",
    "MultiGaussian",
    "Network",
    "Neuron",
    "Normal",
    "OneToOne",
    "OrnsteinUhlenbeck",
    "Pairs",
    "PatternRegression",
    "PoissonInput",
    "PopulationRegime",
    "PopulationReport",
    "Receptor",
    "Regime",
    "RoundingWarning",
    "SGD",
    "SMORMS3",
    "Sigmoid",
    "SigmoidEscape",
    "Simulation",
    "SpikeTrains",
    "State",
    "SumOverTimeCrossEntropy",
    "SuperSpike",
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
    "bin_spikes",
    "bounded",
    "brian",
    "conductance_lif",
    "convolutional_layer",
    "dalian_convolutional_layer",
    "dalian_layer",
    "data",
    "ei_adaptive_lif",
    "ei_lif",
    "evaluate",
    "families",
    "fluctuation_driven",
    "from_dense",
    "from_scipy",
    "gradient",
    "interop",
    "izhikevich",
    "kaiming",
    "layer",
    "leaky_readout",
    "lif",
    "lif_delta",
    "load_state",
    "load_weights",
    "log_normal_time_constants",
    "lower_bound",
    "max_pool",
    "plot",
    "prime",
    "random_weights",
    "read_spikes",
    "recurrent_projections",
    "regime",
    "run",
    "save_state",
    "save_weights",
    "schedules",
    "simulate",
    "stats",
    "theory",
    "time_rescale",
    "train",
    "upper_bound",
    "xavier",
]
