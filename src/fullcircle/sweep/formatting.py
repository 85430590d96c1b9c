"""Keys, metrics, differences and times as the page of a sweep shows them."""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from fullcircle.report.formatting import number
from fullcircle.report.terms import name_of_any

if TYPE_CHECKING:
    from collections.abc import Iterable


def short_keys(keys: Iterable[str]) -> dict[str, str]:
    """Key -> the key without `model.`, unless the short form is another key."""
    known = set(keys)
    return {key: key if key.removeprefix("model.") in known else key.removeprefix("model.") for key in sorted(known)}


def metric_name(metric: str) -> str:
    """The full name of a metric, with "on validation" if it is one of validation rows."""
    base = metric.removeprefix("val_")
    name = name_of_any(base)
    return name if base == metric else f"{name} on validation"


def decimals(values: Iterable[float | None]) -> int:
    """Decimals that show four significant digits of the median value; 0 for whole numbers."""
    sizes = [abs(value) for value in values if value is not None and math.isfinite(value)] or [0.0]
    if all(size == int(size) for size in sizes) and max(sizes) > 1:
        return 0
    size = median(sizes) or max(sizes) or 1.0
    return min(max(3 - math.floor(math.log10(size)), 0), 12)


def signed(value: float, digits: int) -> str:
    """A difference with its sign."""
    return ("+" if value >= 0 else "") + number(value, digits)


def duration(seconds: float) -> str:
    """A time in its two largest units: 42 s, 3 min 20 s, 2 h 05 min."""
    if not math.isfinite(seconds):
        return "–"
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02d} min"


def breakable(name: str) -> Markup:
    """A key with possible line breaks after its underscores and points."""
    safe = str(escape(name))
    return Markup(safe.replace("_", "_<wbr>").replace(".", ".<wbr>"))  # noqa: S704  escaped above
