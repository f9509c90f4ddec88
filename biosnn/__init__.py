"""biosnn: networks of excitatory and inhibitory spiking neurons that obey Dale's law, simulated and trained on a CPU."""
from . import brian, data, interop, plot, stats
from .augmentation import (Blend, ChannelJitter, ChannelMask, ChannelShift, Drop, Insert, TimeJitter, TimeShift, TimeStretch, augment)
from .background import Current, OrnsteinUhlenbeck, PoissonInput
from .baselines import kaiming, random_weights, xavier
from .checkpoint import load_weights, save_weights
from .connectivity import (Bernoulli, BlockDiagonal, FanOut, FixedInDegree, FixedOutDegree, FixedTotal, OneToOne, Pairs, dalian_layer,
                           from_scipy, layer, recurrent_projections)
from .constraint import WeightConstraint
from .convolution import Convolution, MaxPool, convolutional_layer, dalian_convolutional_layer, max_pool
from .dale import audit
from .escape import ExponentialEscape, SigmoidEscape
from .events import SpikeTrains, bin_spikes, from_dense
from .families import Constant as ConstantWeights
from .families import Exponential, Gamma, HalfNormal, LogNormal, Normal, Uniform, UniformBetween
from .init import fluctuation_driven
from .loss import (EveryStepCrossEntropy, FocalLoss, LastStepCrossEntropy, MaxOverTimeCrossEntropy, MeanOverTimeCrossEntropy,
                   MeanSquaredError, PatternRegression, SumOverTimeCrossEntropy)
from .network import Network
from .neuron import (adaptive_lif, adex, alpha_conductance_lif, ampa_nmda_gaba, bounded, conductance_lif, ei_adaptive_lif, ei_lif, izhikevich,
                     leaky_readout, lif, lif_delta, log_normal_time_constants)
from .plasticity import InhibitorySTDP, TsodyksMarkram
from .optim import SGD, SMORMS3, Adam, AdamW, Constant, Cosine, OnPlateau, Step
from .regime import regime
from .regularize import WeightPenalty, lower_bound, upper_bound
from .trials import gradient, run
from .simulation import Simulation, load_state, save_state, simulate
from .rescale import time_rescale
from .spike_file import read_spikes
from .spike_loss import TimeToFirstSpike, VanRossumDistance
from .support.warn import RoundingWarning, UnitWarning
from .surrogate import (Arctan, AsymptoticSuperSpike, ExponentialSurrogate, Gaussian, MultiGaussian, Sigmoid, SuperSpike, Triangular,
                        TruncatedSuperSpike)
from .train import History, evaluate, prime, train

__version__ = "0.1.0"
__all__ = [name for name in dir() if not name.startswith("_")]
