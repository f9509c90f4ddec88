"""Packages that are not needed until somebody uses what they bring."""

from importlib import import_module
from types import ModuleType

__all__ = ["optional"]


def optional(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a module of an optional package, or say what brings it.

    Parameters
    ----------
    module
        Its name, such as "pandas" or "scipy.signal".
    extra
        The extra of biosnn that brings it, such as "pandas".
    purpose
        What needs it, for the message: the name of a public function or argument.

    Returns
    -------
    The module.

    Raises
    ------
    ImportError
        If it is not installed, or cannot be imported.

    Examples
    --------
    >>> optional("no_such_package", "data", "fetch_shd")
    Traceback (most recent call last):
    ...
    ImportError: fetch_shd needs the package no_such_package: pip install "biosnn[data]" brings it.
    """
    package = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise ImportError(
            f'{purpose} needs the package {package}: pip install "biosnn[{extra}]" brings it.',
            name=package,
        ) from None
