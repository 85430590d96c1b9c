"""Features: columns in, columns out, with NumPy only; training and the scorer call the same code.

A scorer's plan names its functions; only those of `LIBRARY` can be named, so that a file never chooses code.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import iter_modules
from traceback import extract_tb
from typing import TYPE_CHECKING

from . import created

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..base.columns import Array

LIBRARY: dict[str, Callable[..., Array]] = {}
"""Created features by name."""

HOMES: dict[str, list[str]] = {}
"""Name -> the modules that have a created feature of that name: one, or it is not known which is meant."""

BROKEN: dict[str, str] = {}
"""Modules of created features that cannot be imported -> the error. Only a problem that needs one of them fails."""


def _collect(module: str) -> None:
    try:
        functions = vars(import_module(f"{created.__name__}.{module}")).items()
    except Exception as error:  # whatever a module of somebody's own raises
        BROKEN[module] = where(error, f"{module}.py")
        return
    for name, function in functions:
        if inspect.isfunction(function) and function.__module__.endswith(f".created.{module}") and name[0] != "_":
            LIBRARY.setdefault(name, function)
            HOMES.setdefault(name, []).append(module)


def where(error: Exception, file: str) -> str:
    """An error in a module of created features, with the last line of its `file` that was running."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {type(error).__name__}: {error.msg}"
    lines = [frame.lineno for frame in extract_tb(error.__traceback__) if frame.filename.endswith(file)]
    return f"{f'line {lines[-1]}: ' if lines else ''}{type(error).__name__}: {error}"


def unknown(names: Iterable[str]) -> str | None:
    """Which of these created features are not in the library, and why that may be; None if all are there."""
    absent = [name for name in names if name not in LIBRARY]
    if not absent:
        return None
    broken = [f"\n  features/created/{module}.py cannot be imported: {why}" for module, why in BROKEN.items()]
    return f"{', '.join(absent)}. Known: {', '.join(LIBRARY) or 'none'}{''.join(broken)}"


for _module in sorted(found.name for found in iter_modules(created.__path__)):
    _collect(_module)


def arguments(name: str) -> tuple[str, ...]:
    """The columns that a feature takes, in order. Raises KeyError for one that is not in the library."""
    return tuple(inspect.signature(LIBRARY[name]).parameters)
