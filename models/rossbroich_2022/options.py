"""The command line of the experiments."""

import argparse
from typing import Any

from ..command_line import PACKAGE, description
from .dalian import FAMILIES, NEURONS, RATES, ratio
from .networks import SURROGATES
from .stacks import OPTIMIZERS

#: (epochs, batch, learning rate, seeds, samples of each class) for Randman, for files, and of
#: either with --quick. Learning rate None: see RATES.
DEFAULTS: dict[str, dict[str, tuple]] = {
    "dalian": {"Randman": (10, 100, None, 1, 1000), "files": (60, 100, None, 1, 1000)},
    "randman": {
        "Randman": (40, 250, 5e-3, 3, 1000),
        "files": (60, 100, 5e-3, 1, 1000),
        "quick": (4, 50, 2e-2, 1, 100),
    },
    "depth": {
        "Randman": (20, 100, 5e-3, 1, 300),
        "files": (40, 50, 1e-2, 1, 1000),
        "quick": (3, 50, 1e-2, 1, 60),
    },
    "sigma": {
        "Randman": (15, 50, 5e-3, 1, 200),
        "files": (30, 100, 2e-3, 1, 1000),
        "quick": (2, 50, 1e-2, 1, 60),
    },
    "alpha": {
        "Randman": (15, 50, 5e-3, 2, 200),
        "files": (30, 100, 2e-3, 1, 1000),
        "quick": (2, 50, 1e-2, 1, 60),
    },
    "convolution": {
        "Randman": (10, 100, 5e-3, 1, 200),
        "files": (20, 50, 2e-3, 1, 1000),
        "quick": (2, 50, 1e-2, 1, 30),
    },
}
_SURROGATE = (
    "SuperSpike, everywhere or within 0.2 of threshold only: faster, but the lower bound cannot "
    "wake silent neurons"
)
_BOUND = "the lower bound on the spikes of every neuron, strength 100 at 1e-3"
_SIGMAS = [0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0]
_ALPHAS = [0.1, 0.3, 0.5, 0.7, 0.9, 1.0]


class _Formatter(argparse.ArgumentDefaultsHelpFormatter):
    """Says the default of an option unless it is None."""

    def _get_help_string(self, action):
        return action.help if action.default is None else super()._get_help_string(action)


def parse(page: str, arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line, with the defaults of the experiment filled in.

    Parameters
    ----------
    page
        The docstring that --help shows.
    arguments
        Default: those that the program was called with.
    """
    args = _parser(page).parse_args(arguments)
    args.out = args.out or f"runs/{args.command}"
    if args.command in DEFAULTS:
        _fill_in_defaults(args)
    return args


def _fill_in_defaults(args: argparse.Namespace) -> None:
    """Give every option that was left out the value of the experiment."""
    args.augment = bool(args.train) if args.augment is None else args.augment
    args.cosine = args.schedule == "cosine" or (args.schedule is None and args.lr is None)
    quick = getattr(args, "quick", False)
    which = "quick" if quick else "files" if args.train else "Randman"
    names = ("epochs", "batch", "lr", "seeds", "samples")
    for name, default in zip(names, DEFAULTS[args.command][which]):
        if getattr(args, name, None) is None:
            setattr(args, name, default)
    if args.command == "dalian" and args.lr is None:
        args.lr = RATES[args.neuron][bool(args.train)]


def _parser(page: str) -> argparse.ArgumentParser:
    """A command for each experiment."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {PACKAGE}.rossbroich_2022",
        description=description(page),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (text, add_options) in _EXPERIMENTS.items():
        command = commands.add_parser(
            name,
            help=text,
            description=f"{text}. {_defaults_in_words(name)}",
            formatter_class=_Formatter,
        )
        add_options(command)
        command.add_argument("--seed", type=int, default=0, help="of data, weights and order")
        command.add_argument("--threads", type=int, help="default: all processors")
        command.add_argument("--out", help="folder for results (default: runs/<command>)")
        command.add_argument("--json", help="write the result there, too")
    return parser


def _defaults_in_words(name: str) -> str:
    """What `DEFAULTS` says of an experiment."""
    sentences = []
    for data, (epochs, batch, lr, seeds, samples) in DEFAULTS.get(name, {}).items():
        parts = [f"{epochs} epochs, batch {batch}"]
        parts += [f"learning rate {lr:g}"] if lr else []
        parts += [f"{seeds} seed{'s' * (seeds > 1)}"] if name != "dalian" else []
        parts += [f"{samples} samples"] if data != "files" else []
        sentences.append(f"{'--quick' if data == 'quick' else data}: {', '.join(parts)}")
    return "; ".join(sentences)


# -------------------------------------------------------------------------- options of experiments


def _data(parser: argparse.ArgumentParser, rate: str = "learning rate") -> None:
    """Where the data come from, and what every training needs."""
    add = parser.add_argument
    add("--train", help="HDF5 file in the layout of the Spiking Heidelberg Digits; else Randman")
    add("--test", help="the same, for testing")
    add("--samples", type=int, help="trials of each class of Randman, before the split")
    add("--duration", type=float, default=0.7, help="seconds of each trial of the files")
    add("--epochs", type=int, help="passes over the training data")
    add("--batch", type=int, help="trials per step")
    add("--lr", type=float, help=rate)
    add(
        "--schedule",
        choices=("constant", "cosine"),
        help="of the learning rate; cosine unless --lr is given",
    )
    add(
        "--augment",
        action=argparse.BooleanOptionalAction,
        help="shift every presentation of a trial over channels and in time (default: for files)",
    )


def _dalian(parser: argparse.ArgumentParser) -> None:
    """Of `dalian`."""
    add = parser.add_argument
    _data(parser, "learning rate of Adam (Randman: 1e-2, files: 3e-3; conductances: 4e-3, 1e-3)")
    starts = ("fluctuation", "naive")
    add("--init", choices=starts, default="fluctuation", help="start of the weights")
    neuron = "synaptic currents, as in the paper, or conductances"
    add("--neuron", choices=NEURONS, default="current", help=neuron)
    family = "distribution of the weights at the start"
    add("--family", choices=FAMILIES, default="exponential", help=family)
    add(
        "--recurrent-excitation",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="the projections E to E and E to I",
    )
    numbers = "of 160 neurons, excitatory to inhibitory"
    add("--ratio", type=ratio, default="4:1", metavar="E:I", help=numbers)
    surrogate = "SuperSpike, everywhere or within 0.2 of threshold only"
    add("--surrogate", choices=SURROGATES, default="dense", help=surrogate)
    beside = "folders of other runs, whose learning curves are drawn next to this one's"
    add("--beside", nargs="*", default=[], metavar="DIR", help=beside)
    add("--resume", action="store_true", help="go on from the checkpoint in --out")


def _layers(
    parser: argparse.ArgumentParser,
    *,
    layers: int | list[int] | None = None,
    neurons: int | None = 128,
    surrogate: str = "dense",
) -> None:
    """Of the experiments on several layers; a list of numbers: an option with several values."""
    add = parser.add_argument
    _data(parser)
    add("--quick", action="store_true", help="few trials and epochs: to see that it works")
    add("--seeds", type=int, help="how many, from --seed on")
    if neurons is not None:
        add("--neurons", type=int, default=neurons, help="of every hidden layer")
    if layers is not None:
        several: dict[str, Any] = {"nargs": "+"} if isinstance(layers, list) else {}
        add("--layers", type=int, default=layers, **several, help="hidden layers")
    add("--upper", type=float, help="upper bound of spikes per trial and neuron (20 Hz)")
    add("--surrogate", choices=SURROGATES, default=surrogate, help=_SURROGATE)


def _homeostasis(parser: argparse.ArgumentParser) -> None:
    """Whether there is a lower bound on spikes."""
    cases = ("both", "with", "without")
    parser.add_argument("--homeostasis", choices=cases, default="both", help=_BOUND)


def _recurrence(parser: argparse.ArgumentParser) -> None:
    """Whether layers are recurrent."""
    text = "recurrent layers, 0.1 of the variance from recurrence"
    parser.add_argument("--recurrent", action="store_true", help=text)


def _starts(parser: argparse.ArgumentParser) -> None:
    """Which starts are compared."""
    starts = ["fluctuation", "kaiming"]
    text = "starts of the weights"
    parser.add_argument("--inits", nargs="+", choices=starts, default=starts, help=text)


def _randman(parser: argparse.ArgumentParser) -> None:
    """Of `randman`."""
    _layers(parser)
    text = "with the learning rate of --lr"
    parser.add_argument("--optimizer", choices=OPTIMIZERS, default="smorms3", help=text)
    parser.add_argument(
        "--recurrent",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a recurrent layer, 0.1 of the variance from recurrence",
    )


def _depth(parser: argparse.ArgumentParser) -> None:
    """Of `depth`."""
    _layers(parser, layers=list(range(1, 8)))
    _recurrence(parser)
    _homeostasis(parser)
    _starts(parser)
    text = "folders of other runs, whose rows are listed and drawn, too"
    parser.add_argument("--beside", nargs="*", default=[], metavar="DIR", help=text)


def _sigma(parser: argparse.ArgumentParser) -> None:
    """Of `sigma`."""
    _layers(parser, layers=3)
    _recurrence(parser)
    _homeostasis(parser)
    parser.add_argument("--sigmas", type=float, nargs="+", default=_SIGMAS, help="targets sigma_U")


def _alpha(parser: argparse.ArgumentParser) -> None:
    """Of `alpha`."""
    _layers(parser, layers=1)
    text = "shares; 1: no recurrence"
    parser.add_argument("--alphas", type=float, nargs="+", default=_ALPHAS, help=text)


def _convolution(parser: argparse.ArgumentParser) -> None:
    """Of `convolution`."""
    _layers(parser, neurons=None, surrogate="compact")
    text, maps = "feature maps of the three layers", [16, 32, 64]
    parser.add_argument("--filters", type=int, nargs=3, default=maps, help=text)
    _homeostasis(parser)
    _starts(parser)


_EXPERIMENTS: dict[str, tuple[str, Any]] = {
    "dalian": ("train a network that obeys Dale's law", _dalian),
    "fluctuations": ("membranes at xi = 1, 2, 3", lambda parser: None),
    "randman": ("128 recurrent LIF neurons with homeostasis, SMORMS3", _randman),
    "depth": ("test accuracy against the number of hidden layers, from both starts", _depth),
    "sigma": ("accuracy, rates and gradients over sigma_U", _sigma),
    "alpha": ("accuracy against the feed-forward share of the variance", _alpha),
    "convolution": ("three recurrent convolutional layers, from both starts", _convolution),
}
