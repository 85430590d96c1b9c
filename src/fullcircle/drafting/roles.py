"""The role of a column: an input, or a record column (an identifier, not used as an input)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from fullcircle.base.columns import is_null
from fullcircle.drafting.kinds import ColumnProfile
from fullcircle.drafting.yaml import shown

ENOUGH = 20  # rows from which distinct values are evidence of an identifier
NEARLY = 0.9  # share of distinct values from which a category is an identifier
GROUPED = (1.2, 20.0)  # mean rows per value of an identifier of groups, such as a patient
LEVELS = 3  # shown in a comment
_ID = re.compile(
    r"(?i:(?:^|[_\s.-])(?:id|ids|uuid|guid|key|index|idx|rownum|nr|no)$|^(?:id|uuid|index)[_\s.-])|[a-z](?:Id|ID|Key)$"
)
_UNNAMED = re.compile(r"^(?:|Unnamed: \d+|__index_level_\d+__)$")


@dataclass(frozen=True, slots=True)
class ColumnDraft:
    """One column of the draft. `settings`: further keys of its line in conf/data/; `why`: the comment of that line."""

    profile: ColumnProfile
    role: Literal["input", "outcome", "record"]
    why: str
    identifier: bool = False
    group: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


def draft_column(profile: ColumnProfile, record: bool = False) -> ColumnDraft:
    """The role and the checks of a column that is not the target. `record`: given as a record column by the user."""
    read = readings(profile)
    missing = {"missing": "keep"} | read
    nulls = f"{profile.nulls:,} of {len(profile.values):,} missing" if profile.nulls else ""
    if record:
        return ColumnDraft(profile, "record", "given by --record", settings=missing)
    if profile.rows == 0:
        return ColumnDraft(profile, "record", "all values are missing", settings=missing)
    if profile.distinct == 1 and not profile.nulls:
        return ColumnDraft(profile, "record", f"constant: {only(profile)} in every row", settings=missing)
    if why := _identifier(profile):
        return ColumnDraft(
            profile, "record", _joined(why, nulls), identifier=True, settings=missing if profile.nulls else read
        )
    if _grouping(profile):
        each = profile.rows / profile.distinct
        why = f"an identifier of groups of rows: {each:.1f} rows each; new data will have new ones, so not an input"
        return ColumnDraft(profile, "record", _joined(why, nulls), group=True, settings=missing)
    return ColumnDraft(profile, "input", _joined(profile.why, _content(profile), nulls), settings=_checks(profile))


def only(profile: ColumnProfile) -> str:
    """The value of a constant column, for comments and messages."""
    value = profile.values[~is_null(profile.values)][0]
    return shown(f"{value:g}" if isinstance(value, float) else str(value))


def _identifier(profile: ColumnProfile) -> str:
    """Why a column is an identifier of rows; empty if it is not."""
    named = bool(_ID.search(profile.name) or _UNNAMED.match(profile.name))
    share = profile.distinct / profile.rows
    if profile.kind in ("number", "time", "text"):
        return ""
    if profile.distinct == profile.rows and not profile.nulls:
        if profile.kind == "category" and (named or profile.rows >= ENOUGH):
            return "each value occurs once: an identifier"
        if profile.kind == "integer" and (named or _counts_rows(profile)):
            return "each number occurs once: an identifier"
    if profile.kind == "category" and profile.rows >= ENOUGH and share >= NEARLY:
        return f"{share:.0%} of its values are distinct: an identifier"
    return ""


def _counts_rows(profile: ColumnProfile) -> bool:
    """Whether whole numbers change by a constant step from row to row, as a counter does."""
    return (
        profile.rows >= ENOUGH and len(np.unique(np.diff(profile.values))) == 1 and abs(np.diff(profile.values)[0]) > 0
    )


def _grouping(profile: ColumnProfile) -> bool:
    low, high = GROUPED
    named = bool(_ID.search(profile.name))
    return (
        named
        and profile.kind in ("category", "integer")
        and profile.distinct >= ENOUGH
        and low <= profile.rows / profile.distinct <= high
    )


def _checks(profile: ColumnProfile) -> dict[str, Any]:
    """Settings of the line in conf/data/: only obvious bounds; a value outside becomes null, and its row is kept."""
    settings: dict[str, Any] = {"missing": "keep"}
    settings |= readings(profile)
    if profile.kind in ("integer", "number"):
        known = profile.values[~is_null(profile.values)]
        if profile.kind == "integer" and known.min() in (0, 1) and profile.rows >= ENOUGH:
            settings["min"] = 0  # a count
        settings["impossible"] = "blank"
    return settings


def readings(profile: ColumnProfile) -> dict[str, Any]:
    """How the values of a column are read where that is not the usual way."""
    settings: dict[str, Any] = {}
    if profile.format is not None:
        settings["format"] = profile.format
    if profile.null_words:
        settings["nulls"] = list(profile.null_words)
    return settings


def _content(profile: ColumnProfile) -> str:
    if profile.kind in ("integer", "number"):
        known = profile.values[~is_null(profile.values)]
        finite = known[np.isfinite(known)]
        if not len(finite):
            return "infinite in every row"
        infinite = f", {len(known) - len(finite):,} infinite" if len(finite) < len(known) else ""
        return f"{finite.min():g} to {finite.max():g}{infinite}"
    if profile.kind == "time":
        known = profile.values[~is_null(profile.values)]
        return f"{str(known.min())[:10]} to {str(known.max())[:10]}"
    if profile.kind == "text":
        return "free text"
    most = ", ".join(f"{shown(level)} {count / len(profile.values):.0%}" for level, count in profile.levels[:LEVELS])
    return f"{profile.distinct:,} levels: {most}" + (" ..." if profile.distinct > LEVELS else "")


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
