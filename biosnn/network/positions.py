"""Where neurons are: on a grid, at random, on a ring or a torus, or as arrays say (bs.space)."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..support.checks import flag, has_axes, keep, real, reals, refuse, whole
from ..support.memory import check_room
from ..support.seeds import stream, whole_seed
from ..support.show import About, Shows, nbytes, plural

#: One length, or one for each dimension, in metres (or in a unit of your own).
Lengths: TypeAlias = float | tuple[float, ...]

_MOST_DIMENSIONS = 3
_MOST = 2**31 - 1  # neurons of a population
_SHOWN_IN = ((1.0, "m"), (1e-3, "mm"), (1e-6, "µm"), (1e-9, "nm"))


@dataclass(frozen=True, eq=False, repr=False)
class Positions(Shows):
    """Positions of the neurons of a population, in one to three dimensions.

    Give them to `Network.population` or `Network.input` as positions=. Rules and functions of
    `bs.space` then see the distances between neurons.

    Parameters
    ----------
    coordinates
        (neurons, dimensions), or (neurons,) for neurons on a line, in metres. Without a
        conduction velocity only ratios of lengths matter, and any other unit will do, as long as
        it is the same for extents, widths and radii.
    extent
        Size of the space: one length, or one for each dimension. Coordinates lie between 0 and
        it. Periodic positions need it.
    periodic
        Whether the space closes on itself (a ring, a torus): what leaves it at one end comes in
        at the other, and a distance is that of the shortest way.

    Raises
    ------
    ValueError
        If coordinates have another shape, are not finite or lie outside of the space.

    Examples
    --------
    >>> sheet = Positions([[0.0, 0.0], [1e-4, 0.0]], extent=1e-3)
    >>> sheet
    Positions of 2 neurons
      space   1 x 1 mm
      memory  32 bytes
    """

    coordinates: Any
    _: KW_ONLY
    extent: Any = None
    periodic: bool = False

    def __post_init__(self) -> None:
        periodic = flag(self.periodic, "Positions: periodic")
        coordinates = _checked_coordinates(self.coordinates)
        dimensions = coordinates.shape[1]
        extent = self.extent
        if extent is None and periodic:
            raise ValueError(
                "Positions: periodic positions need the extent of the space, at which it closes: "
                "extent=1e-3, or one length for each dimension."
            )
        if extent is not None:
            extent = checked_lengths(extent, dimensions, "Positions: extent")
            _check_inside(coordinates, extent, periodic)
        keep(self, coordinates=coordinates, extent=extent, periodic=periodic)

    @property
    def n(self) -> int:
        """Number of neurons."""
        return np.shape(self.coordinates)[0]

    @property
    def dimensions(self) -> int:
        """Number of dimensions."""
        return np.shape(self.coordinates)[1]

    @property
    def span(self) -> NDArray[np.float64]:
        """(dimensions,) the extent or, without one, what the coordinates extend over."""
        if self.extent is not None:
            return np.array(self.extent)
        return np.ptp(np.asarray(self.coordinates), axis=0)

    @property
    def spacing(self) -> float:
        """The side of the line, square or cube that a neuron has to itself, on average."""
        wide = self.span[self.span > 0]
        return float((wide.prod() / self.n) ** (1 / wide.size)) if wide.size else 0.0

    def _about(self) -> About:
        """Say how many there are, and in which space."""
        edges = ", periodic" if self.periodic else ""
        rows = [
            ("space", f"{lengths_text(self.span)}{edges}"),
            ("memory", nbytes(np.asarray(self.coordinates).nbytes)),
        ]
        return About(f"Positions of {plural(self.n, 'neuron')}", rows)

    def in_words(self) -> str:
        """Return the space in a few words.

        Examples
        --------
        >>> grid((20, 10), (2e-3, 1e-3)).in_words()
        '2 x 1 mm'
        """
        return lengths_text(self.span) + (", periodic" if self.periodic else "")


# ------------------------------------------------------------------------------ ways to place them


def grid(
    shape: int | tuple[int, ...], extent: Lengths = 1.0, *, periodic: bool = False
) -> Positions:
    """Return neurons on a regular grid, each in the middle of a cell.

    Parameters
    ----------
    shape
        Numbers of neurons in each dimension, such as (20, 10); a number for a line.
    extent
        Size of the space, one length or one for each dimension, in metres.
    periodic
        Whether the space closes on itself (`ring`, `torus`).

    Returns
    -------
    Positions of prod(shape) neurons. Coordinate d of neuron k is
    (index_d + 1/2) extent_d / shape_d, where index = np.unravel_index(k, shape): an array of
    values per neuron is drawn as values.reshape(shape).

    Raises
    ------
    ValueError
        If a number or a length is not positive, or there are more than three dimensions.

    Examples
    --------
    >>> grid((2, 2), 1e-3).coordinates
    array([[0.00025, 0.00025],
           [0.00025, 0.00075],
           [0.00075, 0.00025],
           [0.00075, 0.00075]])
    """
    each: Any = shape if has_axes(shape) else (shape,)
    numbers = tuple(whole(n, "grid: shape", 1, _MOST) for n in each)
    if not 1 <= len(numbers) <= _MOST_DIMENSIONS:
        refuse("grid: shape", shape, "a whole number, or one for each of 1 to 3 dimensions")
    total = int(np.prod(numbers, dtype=object))
    if total > _MOST:
        refuse("grid: shape", shape, f"a grid of at most {_MOST} neurons")
    lengths = checked_lengths(extent, len(numbers), "grid: extent")
    check_room("grid", total * len(numbers), 8, "coordinates")
    axes = [(np.arange(n) + 0.5) * (length / n) for n, length in zip(numbers, lengths, strict=True)]
    coordinates = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    return Positions(coordinates, extent=lengths, periodic=periodic)


def random(
    n: int,
    extent: Lengths = 1.0,
    *,
    periodic: bool = False,
    seed: int | np.random.Generator,
) -> Positions:
    """Return neurons at random, uniformly in a space and independently of each other.

    Parameters
    ----------
    n
        Number of neurons.
    extent
        Size of the space: one length, for a line, or a length for each dimension, in metres.
    periodic
        Whether the space closes on itself.
    seed
        A whole number >= 0, or a numpy Generator. Other numbers of neurons lie elsewhere with the
        same seed; as many of another population need another one.

    Returns
    -------
    The positions.

    Raises
    ------
    ValueError
        If a number or length is not positive.

    Examples
    --------
    >>> random(100, (1e-3, 1e-3, 0.2e-3), seed=1).dimensions
    3
    """
    n = whole(n, "random: n, the number of neurons,", 1, _MOST)
    dimensions = len(extent) if has_axes(extent) else 1  # type: ignore[arg-type]
    lengths = checked_lengths(extent, dimensions, "random: extent")
    check_room("random", n * dimensions, 8, "coordinates")
    rng = seed
    if not isinstance(rng, np.random.Generator):
        rng = stream(whole_seed(seed, "random: seed"), "positions", str(n))
    drawn = rng.random((n, dimensions)) * lengths
    return Positions(drawn, extent=lengths, periodic=periodic)


def ring(n: int, length: float = 1.0) -> Positions:
    """Return neurons at equal distances on a ring: `grid` of one dimension, periodic.

    Parameters
    ----------
    n
        Number of neurons.
    length
        Length of the ring, in metres; or 360.0 or 2 * np.pi for angles.

    Returns
    -------
    Positions of one dimension, along the ring.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> ring(4, length=360.0).coordinates.ravel()
    array([ 45., 135., 225., 315.])
    """
    n = whole(n, "ring: n, the number of neurons,", 1, _MOST)
    return grid(n, real(length, "ring: length", above=0), periodic=True)


def torus(shape: tuple[int, ...], extent: Lengths = 1.0) -> Positions:
    """Return neurons on a periodic sheet: `grid` with periodic edges.

    Parameters
    ----------
    shape
        Numbers of neurons in each dimension.
    extent
        Size of the sheet, one length or one for each dimension, in metres.

    Returns
    -------
    The positions.

    Raises
    ------
    ValueError
        If a number is not positive.

    Examples
    --------
    >>> torus((20, 20), 1e-3)
    Positions of 400 neurons
      space   1 x 1 mm, periodic
      memory  6.4 kB
    """
    return grid(shape, extent, periodic=True)


# ------------------------------------------------------------------------------------------- checks


def checked_lengths(given: Any, dimensions: int, name: str) -> tuple[float, ...]:
    """Return one positive length for each dimension.

    Parameters
    ----------
    given
        One number, or one for each dimension.
    dimensions
        How many.
    name
        What it is, for messages.

    Examples
    --------
    >>> checked_lengths(1e-3, 2, "extent")
    (0.001, 0.001)
    """
    if not has_axes(given):
        return (real(given, name, above=0),) * dimensions
    lengths = reals(given, name, above=0)
    if lengths.shape != (dimensions,):
        refuse(name, given, f"one length, or one for each of {plural(dimensions, 'dimension')}")
    return tuple(lengths.tolist())


def lengths_text(lengths: NDArray[np.float64]) -> str:
    """Return lengths in words, in a unit that suits the largest.

    Examples
    --------
    >>> lengths_text(np.array([1e-3, 2e-3]))
    '1 x 2 mm'
    """
    largest = float(np.max(lengths, initial=0.0))
    size, unit = next((each for each in _SHOWN_IN if largest >= 0.999 * each[0]), _SHOWN_IN[0])
    return " x ".join(f"{length / size:.4g}" for length in lengths) + f" {unit}"


def _checked_coordinates(given):
    """(neurons, dimensions) finite numbers, in an array of their own that stays as it is."""
    coordinates = np.array(reals(given, "Positions: coordinates"))
    coordinates = coordinates[:, None] if coordinates.ndim == 1 else coordinates
    fits = coordinates.ndim == 2 and 1 <= coordinates.shape[1] <= _MOST_DIMENSIONS
    if not fits or not coordinates.shape[0]:
        swapped = coordinates.ndim == 2 and coordinates.shape[0] <= _MOST_DIMENSIONS
        raise ValueError(
            f"Positions: coordinates have shape {np.shape(given)}; they must be (neurons, "
            f"dimensions) with 1 to 3 dimensions{': transpose them' if swapped else ''}."
        )
    coordinates.flags.writeable = False
    return coordinates


def _check_inside(coordinates, extent, periodic):
    """All neurons lie in the space; in a periodic one its end is its beginning."""
    outside = (coordinates < 0) | (coordinates > extent)
    if periodic:
        outside |= coordinates >= extent
    if outside.any():
        neuron, axis = np.argwhere(outside)[0]
        end = ", below the extent itself: coordinates % extent" if periodic else ""
        raise ValueError(
            f"Positions: coordinate {axis} of neuron {neuron} is {coordinates[neuron, axis]:g}; "
            f"it must lie between 0 and the extent, {extent[axis]:g}{end}."
        )
