"""Which side of the split a month is on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fullcircle.report.parts import Split

MONTH = re.compile(r"\d{4}-\d{2}(-01)?([T ]00:00(:00)?)?")
"""A border at the very beginning of a month."""


def side_of(month: str, split: Split) -> str:
    """The side that a month (2013-01) is on; empty where the split is not by month, or cuts one in two."""
    if not split.borders or not all(MONTH.fullmatch(border) for border in split.borders):
        return ""
    return ("train", "validation", "test")[sum(month >= border[:7] for border in split.borders)]
