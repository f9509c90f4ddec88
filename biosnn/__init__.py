"""biosnn: networks of excitatory and inhibitory spiking neurons that obey Dale's law, simulated and trained on a CPU."""

from . import brian, data
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
from .engine.run import gradient, run
from .engine.simulate import Simulation, load_state, save_state, simulate
from .initializer.baselines import kaiming, random_weights, xavier
from .initializer.fluctuation_driven import fluctuation_driven
from .network import interop
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
from .network.distributions import Constant as ConstantWeights
from .network.distributions import (
    Exponential,
    Gamma,
    HalfNormal,
    LogNormal,
    Normal,
    Uniform,
    UniformBetween,
)
from .network.escape import ExponentialEscape, SigmoidEscape
from .network.network import Network
from .network.neuron import (
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
from .theory.regime import regime
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
from .training.optim import SGD, SMORMS3, Adam, AdamW, Constant, Cosine, OnPlateau, Step
from .training.regularize import WeightPenalty, lower_bound, upper_bound
from .training.spike_loss import TimeToFirstSpike, VanRossumDistance
from .training.train import History, evaluate, prime, train

__version__ = "0.1.0"
__all__ = [name for name in dir() if not name.startswith("_")]
