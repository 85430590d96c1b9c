"""Full Circle: tabular data through the whole machine-learning life cycle, every turn reproducible.

For Python and notebooks: `load`, `parameters`, `read` and `verdict` of `fullcircle.notebook`, imported when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fullcircle.notebook import load, parameters, read, verdict

__all__ = ["load", "parameters", "read", "verdict"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("fullcircle.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
