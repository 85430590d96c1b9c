"""The exceptions people meet: each message says what, where, how many, an example, and what to do."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class FullCircleError(Exception):
    """Base of everything this project raises on purpose."""


class ConfigError(FullCircleError):
    """A configuration value that is unknown, of the wrong type or out of range."""


class SourceError(FullCircleError):
    """A source of data that cannot be read, or is not what was pinned."""


class DataError(FullCircleError):
    """Data that is not what the problem says it is."""


class ParityError(FullCircleError):
    """Scorer and estimator disagree."""


class BundleError(FullCircleError):
    """A packaged model that is damaged, or of a format this version does not read."""


def difference(wanted: Iterable[str], got: Iterable[str], what: str = "column", *, missing: bool = True) -> str | None:
    """Say how the names `got` differ from the names `wanted`; None where they agree, in any order.

    Missing names (left out with `missing=False`) and unknown names are listed, each unknown one with the
    wanted name that it resembles most.
    """
    wanted, got = list(wanted), list(got)
    absent = [name for name in wanted if name not in set(got)]
    lines = [f"missing {what}s: {', '.join(absent)}"] if missing and absent else []
    for name in got:
        if name not in set(wanted):
            near = difflib.get_close_matches(name, absent or wanted, n=1)
            lines.append(f"unknown {what}: {name}" + (f" (did you mean {near[0]}?)" if near else ""))
    return "\n  ".join(lines) or None
