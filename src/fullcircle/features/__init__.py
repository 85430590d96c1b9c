"""Features: columns in, columns out, with NumPy only; training and the scorer call the same code.

A scorer's plan names its functions; only those of `LIBRARY` can be named, so that a file never chooses code.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from . import created

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..base.columns import Array

LIBRARY: dict[str, Callable[..., Array]] = {}
"""Created features by name."""

HOMES: dict[str, list[str]] = {}
"""Name -> the modules that have a created feature of that name: one, or it is not known which is meant."""

for _module in sorted(found.name for found in iter_modules(created.__path__)):
    _functions = vars(import_module(f"{created.__name__}.{_module}")).items()
    for _name, _function in _functions:
        if inspect.isfunction(_function) and _function.__module__.endswith(f".created.{_module}") and _name[0] != "_":
            LIBRARY.setdefault(_name, _function)
            HOMES.setdefault(_name, []).append(_module)


def arguments(name: str) -> tuple[str, ...]:
    """The columns that a feature takes, in order. Raises KeyError for one that is not in the library."""
    return tuple(inspect.signature(LIBRARY[name]).parameters)
