"""The grammar of cells: which text or JSON value is which number, time or category. One for CSV, JSON and Arrow.

| kind | text, without spaces and tabs around it | JSON |
| --- | --- | --- |
| number | `12`, `-1.5`, `.5`, `5.`, `+1e-3`, `inf`, `infinity`; `nan` is null | numbers, true and false as 1 and 0 |
| integer | a number that is whole and below 2^53 | the same |
| time | ISO 8601 (`2013-01-02`, `2013-01-02T03:04:05.6+01:00`), or the column's `format`; no offset: UTC | text |
| category, text | all of it, spaces too | text, numbers as text, `true` and `false` |

A number with thousands separators or a unit needs the column's `format` (`numbers.py`). Digits are ASCII. There are no
hexadecimal numbers, and no dates without dashes. What is below a second is cut off. A number beyond float64
is infinite, which the checks of a column refuse.
"""

from __future__ import annotations

import contextlib
import math
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from .numbers import reader_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from .columns import Array

Kind: TypeAlias = Literal["integer", "number", "category", "text", "time"]

BLANKS = " \t"
LARGEST = 2**53  # from here on a float64 does not hold every whole number
NUMBER = (
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?(?:[nN][aA][nN]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)"
)
_NUMBER = re.compile(NUMBER)
_FORMAT = re.compile(r"(?:[^%]|%[aAbBcdfGHIjmMpSuUVwWxXyYzZ%]){1,200}")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?(Z|[-+][0-9]{2}(?::?[0-9]{2})?)?)?"
)


def number_of(text: str, written: str | None = None) -> float:
    """The number that a text says; ValueError if it says none. `written`: the format, see `numbers.py`.

    >>> number_of(" -1.5e3 "), number_of("1e999")
    (-1500.0, inf)
    >>> number_of("1_000")
    Traceback (most recent call last):
    ValueError: no number
    """
    stripped = text.strip(BLANKS)
    if written is not None and stripped.lstrip("-+")[:1].lower() not in ("n", "i"):  # nan, inf
        return reader_of(written)(stripped)
    if not _NUMBER.fullmatch(stripped):
        raise ValueError("no number")
    return float(stripped)


def integer_of(text: str, written: str | None = None) -> float:
    """The whole number that a text says, as a float (NaN for null); ValueError if it says none that is exact.

    >>> integer_of("12.0"), integer_of("1e3")
    (12.0, 1000.0)
    """
    value = number_of(text, written)
    if not math.isnan(value) and (math.isinf(value) or value != math.floor(value) or abs(value) >= LARGEST):
        raise ValueError("no whole number")
    return value


def moment_of(text: str, written: str | None = None) -> datetime:
    """The time that a text says, in UTC without a time zone; ValueError if it says none.

    `written`: the format, as strptime has it; None: ISO 8601.

    >>> moment_of("2013-01-02T03:04:05+01:00")
    datetime.datetime(2013, 1, 2, 2, 4, 5)
    >>> moment_of("31.12.2023 18:05", "%d.%m.%Y %H:%M")
    datetime.datetime(2023, 12, 31, 18, 5)
    >>> moment_of("20130102")
    Traceback (most recent call last):
    ValueError: no time in ISO 8601
    """
    stripped = text.strip(BLANKS)
    try:
        if written is None:
            return _iso(stripped)
        if not stripped.isascii():
            raise ValueError("no time")
        return _in_utc(datetime.strptime(stripped, written))
    except OverflowError:  # the first or the last hours of all years, moved to UTC
        raise ValueError("no time") from None


def is_format(written: str) -> bool:
    """Whether `strptime` reads times by a format: it knows each directive, and none comes twice.

    >>> is_format("%d.%m.%Y"), is_format("%Y%Y"), is_format("%q"), is_format("100%")
    (True, False, False, False)
    """
    if not _FORMAT.fullmatch(written):
        return False
    try:
        datetime.strptime("", written)
    except ValueError:  # an empty text is no such time
        return True
    except re.error:  # a directive comes twice, perhaps inside another one
        return False
    return True


def _iso(text: str) -> datetime:
    match = _ISO.fullmatch(text)
    if match is None:
        raise ValueError("no time in ISO 8601")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro)
    if offset is None or offset == "Z":
        return moment
    hours, minutes = int(offset[1:3]), int(offset[-2:]) if len(offset) > 3 else 0
    if hours > 23 or minutes > 59:
        raise ValueError("no offset from UTC")
    away = timedelta(hours=hours, minutes=minutes)
    return _in_utc(moment.replace(tzinfo=timezone(-away if offset[0] == "-" else away)))


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def time_of(text: str, written: str | None = None) -> np.datetime64:
    """The time that a text says, to the second; ValueError if it says none."""
    return np.datetime64(moment_of(text, written).replace(microsecond=0), "s")


def read_texts(
    cells: Sequence[str],
    kind: Kind,
    written: str | None = None,
    nulls: Collection[str] = ("",),
    decimal: str = ".",
) -> tuple[Array, list[int]]:
    """Cells of text as a column, and the positions of those that are no such value, which become null.

    `written`: the column's format. `nulls`: cells that are null, exactly. `decimal`: what may stand for the point in a
    number without a format.
    """
    null = frozenset(nulls)
    if kind in ("category", "text"):
        return np.array([None if cell in null else cell for cell in cells], dtype=object), []
    if kind == "time":
        times: dict[str, np.datetime64 | None] = {}
        return _read(cells, null, times, lambda cell: time_of(cell, written), np.datetime64("NaT", "s"))
    parse = number_of if kind == "number" else integer_of
    numbers: dict[str, float | None] = {}
    if written is not None:
        return _read(cells, null, numbers, partial(parse, written=written), np.nan)
    point = parse if decimal == "." else lambda cell: parse(pointed(cell, decimal))
    return _read(cells, null, numbers, point, np.nan)


def pointed(cell: str, decimal: str) -> str:
    """A number with a decimal point in place of `decimal`; any other text as it is.

    >>> pointed("-1,5e3", ","), pointed("1,234,567", ",")
    ('-1.5e3', '1,234,567')
    """
    changed = cell.replace(decimal, ".")
    return changed if "." not in cell and _NUMBER.fullmatch(changed.strip(BLANKS)) else cell


def _read(
    cells: Sequence[str], null: frozenset[str], known: dict[str, Any], parse: Callable[[str], Any], nothing: Any
) -> tuple[Array, list[int]]:
    """Parse each distinct cell once; `known` remembers them, None for one that cannot be parsed."""
    for cell in dict.fromkeys(cells):
        if cell in null:
            known[cell] = nothing
            continue
        try:
            known[cell] = parse(cell)
        except ValueError:
            known[cell] = None
    kind = "datetime64[s]" if isinstance(nothing, np.datetime64) else float
    if None not in known.values():
        return np.array([known[cell] for cell in cells], kind), []
    wrong = [i for i, cell in enumerate(cells) if known[cell] is None]
    return np.array([nothing if known[cell] is None else known[cell] for cell in cells], kind), wrong


def read_values(
    values: Sequence[object], kind: Kind, written: str | None = None, nulls: Collection[str] = ()
) -> tuple[Array, list[int]]:
    """JSON values as a column, and the positions of those that are no such value, which become null.

    Text is read by the grammar of text; an empty text is no number and no time. None is null, and so are NaN and the
    texts `nulls`, also where a number says one of them.

    >>> read_values([1, 2.5, "3", None, "x", [4]], "number")
    (array([1. , 2.5, 3. , nan, nan, nan]), [4, 5])
    """
    types = {*map(type, values)}
    if nulls:
        values = [None if _says(value, kind, nulls) else value for value in values]
        types = {*map(type, values)}
    if kind in ("category", "text") and types <= {str, NoneType}:
        return np.fromiter(values, object, len(values)), []
    if kind == "number" and types <= {float, int, NoneType}:
        with contextlib.suppress(OverflowError):  # a whole number beyond float64, which is infinite
            return np.array(values, float), []  # None is NaN
    texts = [value if isinstance(value, str) else _text_of(value, kind) for value in values]
    if written is not None and kind in ("integer", "number"):
        texts = [
            _plain(text, written) if isinstance(value, str) else text for value, text in zip(values, texts, strict=True)
        ]
        written = None
    refused = [i for i, text in enumerate(texts) if text is REFUSED]
    cells = [_NULL if text is None or text is REFUSED else text for text in texts]
    found, wrong = read_texts([str(cell) for cell in cells], kind, written, (_NULL,))
    return found, sorted({*wrong, *refused})


_NULL = "\0null"  # no JSON value is taken for it


def _says(value: object, kind: Kind, words: Collection[str]) -> bool:
    """Whether a JSON value is one of the words, as text or as the number that says it: -999.0 is `-999`."""
    text = value if isinstance(value, str) else _text_of(value, kind)
    return isinstance(text, str) and text in words


def _plain(text: Any, written: str) -> str | _Refused:
    """A number that is written in a format as text without one."""
    try:
        return repr(number_of(text, written))
    except ValueError:
        return REFUSED


class _Refused:
    """Stands for a value that no cell can have, such as a list."""


REFUSED = _Refused()


def _text_of(value: object, kind: Kind) -> str | _Refused | None:
    """A JSON value that is no text as the text that says the same; None for null."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if kind == "time" or not isinstance(value, (bool, int, float)):
        return REFUSED
    if isinstance(value, bool):
        return str(value).lower() if kind in ("category", "text") else str(int(value))
    if isinstance(value, float):
        return text_of_number(value)
    try:
        return str(value)
    except ValueError:  # more digits than Python writes
        return REFUSED


def text_of_number(value: float) -> str:
    """A float as text, the shortest that reads back as it: a whole number has no point.

    >>> text_of_number(3.0), text_of_number(0.1), text_of_number(1e16)
    ('3', '0.1', '1e+16')
    """
    if math.isfinite(value) and value == math.floor(value) and abs(value) < 1e15:
        return str(int(value)) if value or math.copysign(1, value) > 0 else "-0"
    shown = repr(float(value))
    return re.sub(r"e([-+])0*(?=[0-9])", r"e\1", shown)
