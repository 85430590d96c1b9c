"""Dates in text: the one format that all of a column's values have, or how many there are."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.cells import time_of

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

ISO = "ISO 8601"
_DAYS = (
    "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d",
    "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y",
    "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%d-%m-%y", "%d-%b-%y", "%d %b %y",
)  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_MONTHS = ("%b-%y", "%b-%Y", "%b %Y", "%B %Y", "%Y-%m", "%Y/%m", "%m/%Y", "%m.%Y")
FORMATS = (ISO, *(day + time for time in _TIMES for day in _DAYS), *_MONTHS)
LETTERS = 6  # of a date, at least
FEW, MANY = 5, 20  # distinct values that are no dates, at most, and of how many
_ENDLESS = re.compile(r"(?<!\d)9999(?!\d)")  # the year of an open end
CLEAR, ENOUGH = 2, 20  # times smaller steps from row to row, by which one format is likelier; of so many values
LOOKED = 300  # values that tell whether a column is about dates at all


@dataclass(frozen=True, slots=True)
class Dated:
    """How a column writes its dates.

    `formats`: format -> distinct values that it reads and those before it do not, an example of each in `examples`.
    `other`: formats that would read every value as well, but differently. `none`: values that are no dates, a few of
    many, such as `0000-00-00`, or that stand for none, such as `9999-12-31`.
    """

    formats: dict[str, int]
    examples: dict[str, str]
    other: tuple[str, ...]
    none: tuple[str, ...] = ()

    @property
    def written(self) -> str | None:
        """What a column's `format` says; None for ISO 8601."""
        first = next(iter(self.formats))
        return None if first == ISO else first


def dated(values: Array) -> Dated | None:
    """How the distinct texts `values` (object, no null) write dates; None where more than a few of them are no date.

    `values` are in the order of the rows, by which one of two formats that fit may be the likelier. A text needs six
    characters and a digit to be looked at: `May` and `2013` are no dates.
    """
    looked = values[:: max(1, len(values) // LOOKED)]
    if not len(values) or not all(len(v) >= LETTERS and any(c.isdigit() for c in v) for v in looked.tolist()):
        return None
    reading = Counter(form for form in FORMATS for v in looked.tolist() if _reads(form, v))
    formats: dict[str, int] = {}
    examples: dict[str, str] = {}
    endless = [v for v in values.tolist() if _ENDLESS.search(v)]
    left = [v for v in values.tolist() if not _ENDLESS.search(v)]
    for form, _ in reading.most_common():
        read = [v for v in left if _reads(form, v)]
        if read:
            formats[form], examples[form] = len(read), read[0]
            taken = set(read)
            left = [v for v in left if v not in taken]
    if not formats or (left and (len(left) > FEW or len(left) * MANY > len(values))):
        return None
    first = next(iter(formats))
    read = [v for v in values.tolist() if v not in {*left, *endless}]
    rivals = tuple(f for f in reading if f != first and len(formats) == 1 and all(_reads(f, v) for v in read))
    none = tuple(sorted([*left, *endless]))
    chosen = _by_order([first, *rivals], read) if rivals else None
    if chosen is not None:
        return Dated({chosen: len(read)}, {chosen: read[0]}, (), none)
    return Dated(formats, examples, rivals, none)


def _by_order(formats: list[str], values: list[str]) -> str | None:
    """The one of several formats by which time goes in small steps from row to row; None where none does clearly."""
    if len(values) < ENOUGH:
        return None
    away = {form: _steps([time_of(v, None if form == ISO else form) for v in values]) for form in formats}
    best, second = sorted(formats, key=away.__getitem__)[:2]
    return best if CLEAR * away[best] <= away[second] else None


def _steps(times: list[np.datetime64]) -> int:
    return int(np.abs(np.diff(np.array(times)).astype(np.int64)).sum())


def moments(values: Array, written: str | None) -> Array:
    """Dates in UTC, datetime64[s], of texts that `written` (None: ISO 8601) reads; null for null."""
    read = {v: time_of(v, written) for v in set(values.tolist()) - {None}}
    return np.array([read.get(v, np.datetime64("NaT")) for v in values.tolist()], dtype="datetime64[s]")


def _reads(form: str, value: str) -> bool:
    try:
        time_of(value, None if form == ISO else form)
    except ValueError:
        return False
    return True
