"""Libraries that only some models need: extras of this package."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fullcircle.base.errors import ConfigError


def require(library: str) -> Any:
    """The library, which is also the name of its extra. Raises ConfigError where it is not installed."""
    try:
        return import_module(library)
    except ModuleNotFoundError as error:
        if error.name != library:
            raise
        raise ConfigError(
            f"model {library} needs the library {library}, which is not installed. Install the extra: "
            f"uv sync --extra {library} (or pip install 'fullcircle[{library}]'), or choose another model"
        ) from None
