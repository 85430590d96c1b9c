"""The exceptions of the project: each message states what, where, how many, an example, and what to do."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class FullCircleError(Exception):
    """Base of all exceptions that this project raises on purpose."""


class ConfigError(FullCircleError):
    """A configuration value that is unknown, of the wrong type or out of range."""


class SourceError(FullCircleError):
    """A source of data that cannot be read, or does not match its pinned version or hash."""


class DataError(FullCircleError):
    """Data that does not match the problem."""


class ParityError(FullCircleError):
    """Scorer and estimator disagree."""


class BundleError(FullCircleError):
    """A packaged model that is damaged, or of a format this version does not read."""


def difference(wanted: Iterable[str], got: Iterable[str], what: str = "column", *, missing: bool = True) -> str | None:
    """Describe how the names `got` differ from the names `wanted`; None if they are equal, in any order.

    Lists missing names (omitted with `missing=False`) and unknown names, each with the most similar wanted name.

    >>> print(difference(["carrier", "distance", "temp"], ["carrier", "distanse", "gate"]))
    missing columns: distance, temp
      unknown column: distanse (did you mean distance?)
      unknown column: gate
    >>> difference(["carrier", "distance"], ["distance", "carrier"]) is None
    True
    """
    wanted, got = list(wanted), list(got)
    absent = [name for name in wanted if name not in set(got)]
    lines = [f"missing {what}s: {', '.join(absent)}"] if missing and absent else []
    for name in got:
        if name not in set(wanted):
            near = difflib.get_close_matches(name, absent or wanted, n=1)
            lines.append(f"unknown {what}: {name}" + (f" (did you mean {near[0]}?)" if near else ""))
    return "\n  ".join(lines) or None
