"""Features: one function of NumPy columns each, called alike in training and in the scorer.

A scorer's plan names its functions; only those of `LIBRARY` can be named, so that a file never chooses code.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from . import created

if TYPE_CHECKING:
    from collections.abc import Callable

    from .columns import Array

LIBRARY: dict[str, Callable[..., Array]] = {
    name: function
    for name, function in vars(created).items()
    if inspect.isfunction(function) and function.__module__ == created.__name__
}


def arguments(name: str) -> tuple[str, ...]:
    """The columns that a feature takes, in order. Raises KeyError for one that is not in the library."""
    return tuple(inspect.signature(LIBRARY[name]).parameters)
