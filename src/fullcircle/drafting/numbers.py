"""Numbers in text that have more than digits and a point: the one format that reads all values of a column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fullcircle.base.numbers import reader_of
from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOKED = 300  # values that tell whether a column is about numbers at all
_BLANKS = " \t\u00a0\u202f"
_USUAL = str.maketrans("\t\u00a0\u202f\u2019", "   '")
_PARTS = re.compile(
    rf"\(?[-+\u2212]?(?P<before>[^0-9.,()'\u2019+\u2212-]*)[-+\u2212]?"
    rf"(?P<digits>[.,]?[0-9](?:[0-9.,'\u2019{_BLANKS}]*[0-9])?[.,]?)(?P<after>[^0-9()]*)\)?"
)
_BEFORE = re.compile(r"[^\w\s]{1,3}|[A-Za-z]{2,4}\.?[^\w\s]?|[^\W\d_]{0,3}[$€£¥₹]")
_AFTER = re.compile(r"[^\w\s]{1,3}|[^\W\d_]{2,15}\.?|[^\W\d_]{1,6}(?:/[^\W\d_]{1,6})?[²³]?")
_SEPARATED = (("", "."), (",", "."), (".", ","), ("", ","), (" ", "."), (" ", ","), ("'", "."), ("'", ","))
"""Signs between thousands and before decimals, the most usual first."""


@dataclass(frozen=True, slots=True)
class Written:
    """How a column writes its numbers. `example`: a value that needs it; `other`: a format that would fit too."""

    format: str
    example: str
    other: str | None = None


def written(values: Sequence[str], decimal: str = ".") -> Written | None:
    """The format of distinct texts, of which one or more are no plain numbers; None where one or more are no numbers.

    `decimal`: what is more likely to stand before decimals, where both would do. All have the same unit, or none. A
    code such as `N14228` or `A12` has letters without a blank: it is no number.

    >>> written(["$15,748.08", "$3"])
    Written(format='$1,234.5', example='$15,748.08', other=None)
    >>> written(["1,204", "37"])
    Written(format='1,234', example='1,204', other='1234,5')
    >>> written(["A12", "A13"])
    """
    looked = values[:: max(1, len(values) // LOOKED)]
    if not all(_PARTS.fullmatch(value.strip(_BLANKS)) for value in looked):
        return None
    parts = [_PARTS.fullmatch(value.strip(_BLANKS)) for value in values]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    befores = {part["before"] for part in found} - {""}
    afters = {part["after"] for part in found} - {""}
    before, after = _unit(befores, _BEFORE), _unit(afters, _AFTER)
    if before is None or after is None:
        return None
    order = sorted(_SEPARATED, key=lambda both: both[1] != decimal)
    digits = [part["digits"].translate(_USUAL) for part in found]
    fits = [both for both in order if _reads(digits, *both)]
    if not fits:
        return None
    formats = [before + _sample(*both, digits) + after for both in fits]
    if formats[0] == "1234.5" or formats[0] == "1234":
        return None
    example = next(value for value, part in zip(values, found, strict=True) if _dressed(part))
    other = next((form for form in formats[1:] if _differ(formats[0], form, values)), None)
    return Written(formats[0], example, other)


def doubt(found: Written) -> str:
    """What to look at, in words; empty where only one format fits."""
    if found.other is None:
        return ""
    first, second = (f"{reader_of(form)(found.example):,.10g}" for form in (found.format, found.other))
    return f"{shown(found.example)} is read as {first}; with `format: {shown(found.other)}` it is {second}"


def _unit(found: set[str], form: re.Pattern[str]) -> str | None:
    """The one unit with the blank that it has; empty where there is none; None where there are several, or codes."""
    stripped = {unit.strip(_BLANKS).lower() for unit in found}
    if len(stripped) > 1:
        return None
    if not stripped:
        return ""
    unit = sorted(found, key=len)[-1].translate(_USUAL)
    word = unit.strip()
    if not form.fullmatch(word):
        return None
    letters = word[0].isalpha() and word[-1].isalpha()
    return None if letters and unit == word and len(word) < 2 else unit


def _reads(digits: list[str], thousands: str, decimal: str) -> bool:
    try:
        read = reader_of(f"1{thousands}234{decimal}5")
        for text in digits:
            read(text)
    except ValueError:
        return False
    return True


def _sample(thousands: str, decimal: str, digits: list[str]) -> str:
    fraction = f"{decimal}5" if any(decimal in text for text in digits) else ""
    return f"1{thousands if any(thousands in text for text in digits) else ''}234{fraction}"


def _dressed(part: re.Match[str]) -> bool:
    return bool(part["before"] or part["after"] or re.search(rf"[,'\u2019{_BLANKS}]|[.].*[.]", part["digits"]))


def _differ(one: str, two: str, values: Sequence[str]) -> bool:
    first, second = reader_of(one), reader_of(two)
    try:
        return any(first(value) != second(value) for value in values)
    except ValueError:
        return False
