"""A SQL statement with its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fullcircle.core.source import Scalar


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with `:name` parameters, and their values."""

    text: str
    values: dict[str, Scalar | datetime | None]
