"""What a column is for: an input, or a record that nobody learns from; and what marks one as an identifier."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from fullcircle.base.columns import is_null
from fullcircle.drafting.kinds import Seen
from fullcircle.drafting.yaml import shown

ENOUGH = 20  # rows from which on it says something that no value occurs twice
NEARLY = 0.9  # share of values that differ, from which on a text with no words tells rows apart
GROUPED = (1.2, 20.0)  # rows a value, on average, of an identifier of what rows are of, such as a patient
LEVELS = 3  # shown in a comment
_ID = re.compile(
    r"(?:^|[_\s.-])(?:id|ids|uuid|guid|key|index|idx|rownum|nr|no)$|^(?:id|uuid|index)[_\s.-]|[a-z](?:Id|ID|Key)$"
)
_UNNAMED = re.compile(r"^(?:|Unnamed: \d+|__index_level_\d+__)$")


@dataclass(frozen=True, slots=True)
class Drafted:
    """One column of the draft. `settings`: further keys of its line in conf/data/; `why`: what stands beside them."""

    seen: Seen
    role: Literal["input", "outcome", "record"]
    why: str
    identifier: bool = False
    group: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


def drafted(seen: Seen, record: bool = False) -> Drafted:
    """The role of a column that is not the target, and how it is to be checked.

    `record`: the person says that it is one.
    """
    missing = {"missing": "keep"}
    nulls = f"{seen.nulls:,} of {len(seen.values):,} missing" if seen.nulls else ""
    if record:
        return Drafted(seen, "record", "as told by --record", settings=missing)
    if seen.rows == 0:
        return Drafted(seen, "record", "holds nothing", settings=missing)
    if seen.distinct == 1 and not seen.nulls:
        return Drafted(seen, "record", f"constant: {only(seen)} in every row", settings=missing)
    if why := _identifier(seen):
        return Drafted(seen, "record", _joined(why, nulls), identifier=True, settings=missing if seen.nulls else {})
    if _grouping(seen):
        each = seen.rows / seen.distinct
        why = f"an identifier of what rows are of: {each:.1f} rows each; new ones will come, so not learnt from"
        return Drafted(seen, "record", _joined(why, nulls), group=True, settings=missing)
    return Drafted(seen, "input", _joined(seen.why, _content(seen), nulls), settings=_checks(seen))


def only(seen: Seen) -> str:
    """The value of a constant column, as comments and messages show it."""
    value = seen.values[~is_null(seen.values)][0]
    return shown(f"{value:g}" if isinstance(value, float) else str(value))


def _identifier(seen: Seen) -> str:
    """Why a column only tells rows apart; empty where it does not."""
    named = bool(_ID.search(seen.name) or _UNNAMED.match(seen.name))
    share = seen.distinct / seen.rows
    if seen.kind in ("number", "time", "text"):
        return ""
    if seen.distinct == seen.rows and not seen.nulls:
        if seen.kind == "category" and (named or seen.rows >= ENOUGH):
            return "each value occurs once: an identifier, not learnt from"
        if seen.kind == "integer" and (named or _counts_rows(seen)):
            return "each number occurs once: an identifier, not learnt from"
    if seen.kind == "category" and seen.rows >= ENOUGH and share >= NEARLY:
        return f"{share:.0%} of its values differ: it tells rows apart, not learnt from"
    return ""


def _counts_rows(seen: Seen) -> bool:
    """Whether whole numbers rise by one from row to row, as a counter does."""
    return seen.rows >= ENOUGH and len(np.unique(np.diff(seen.values))) == 1 and abs(np.diff(seen.values)[0]) > 0


def _grouping(seen: Seen) -> bool:
    low, high = GROUPED
    named = bool(_ID.search(seen.name))
    return (
        named
        and seen.kind in ("category", "integer")
        and seen.distinct >= ENOUGH
        and low <= seen.rows / seen.distinct <= high
    )


def _checks(seen: Seen) -> dict[str, Any]:
    """Only what is evident is a bound; a value outside it becomes null, and costs no row."""
    settings: dict[str, Any] = {"missing": "keep"}
    if seen.format is not None:
        settings["format"] = seen.format
    if seen.kind in ("integer", "number"):
        known = seen.values[~is_null(seen.values)]
        if seen.kind == "integer" and known.min() in (0, 1) and seen.rows >= ENOUGH:
            settings["min"] = 0  # it counts
        settings["impossible"] = "blank"
    return settings


def _content(seen: Seen) -> str:
    if seen.kind in ("integer", "number"):
        known = seen.values[~is_null(seen.values)]
        finite = known[np.isfinite(known)]
        if not len(finite):
            return "infinite in every row"
        infinite = f", {len(known) - len(finite):,} infinite" if len(finite) < len(known) else ""
        return f"{finite.min():g} to {finite.max():g}{infinite}"
    if seen.kind == "time":
        known = seen.values[~is_null(seen.values)]
        return f"{str(known.min())[:10]} to {str(known.max())[:10]}"
    if seen.kind == "text":
        return "free text"
    most = ", ".join(f"{shown(level)} {count / len(seen.values):.0%}" for level, count in seen.levels[:LEVELS])
    return f"{seen.distinct:,} levels: {most}" + (" ..." if seen.distinct > LEVELS else "")


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
