"""How numbers are written that have more than digits and a point: `$1,234.5`, `1.234,5`, `12.5%`, `36 months`.

A format shows how its column would write 1234.5 (or 1234): `$1,234.5` has a sign before the number, a comma between
thousands and a decimal point. What is before and after the digits is a unit; it does not change the number, so `17%`
is 17.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BLANK = "[ \t\u00a0\u202f]"
_APART = {" ": _BLANK, "\u00a0": _BLANK, "\u202f": _BLANK, "'": "['\u2019]", "\u2019": "['\u2019]"}
"""Thousands separator -> those that are taken for the same."""

_FORMAT = re.compile(
    "(?P<before>[^0-9+()-]{0,20})1(?P<thousands>[,.'\u2019 \u00a0\u202f]?)234"
    "(?:(?P<decimal>[.,])5)?(?P<after>[^0-9+()]{0,20})"
)
_MINUS = "-\u2212"


@lru_cache(maxsize=256)
def reader_of(written: str) -> Callable[[str], float]:
    """What reads the numbers of a format; ValueError for a format that shows no 1234.

    The unit may be absent in a cell, and so may the separators of thousands; where they are there, they stand
    between groups of three digits. A number in brackets is negative.

    >>> read = reader_of("$1,234.5")
    >>> read("$15,748.08"), read("-$5"), read("($1,000)"), read("12.5")
    (15748.08, -5.0, -1000.0, 12.5)
    >>> reader_of("1.234,5 €")("822.055,72 €"), reader_of("1234%")("17.03%")
    (822055.72, 17.03)
    >>> read("1,23")
    Traceback (most recent call last):
    ValueError: no number as $1,234.5
    """
    pattern = _pattern(written)

    def read(text: str) -> float:
        match = pattern.fullmatch(text.strip(" \t\u00a0\u202f"))
        if match is None or (match["sign"] and match["inner"]) or bool(match["open"]) != bool(match["close"]):
            raise ValueError(f"no number as {written}")
        whole = "".join(digit for digit in match["whole"] if digit in "0123456789")
        value = float(f"{whole or 0}.{match['part'] or 0}{match['power'] or ''}")
        minus = bool(match["open"]) ^ ((match["sign"] or match["inner"] or "+") in _MINUS)
        return -value if minus else value

    return read


def is_number_format(written: str) -> bool:
    """Whether a text is a format of numbers.

    >>> is_number_format("$1,234.5"), is_number_format("%d.%m.%Y"), is_number_format("1,234,5")
    (True, False, False)
    """
    try:
        _pattern(written)
    except ValueError:
        return False
    return True


def _pattern(written: str) -> re.Pattern[str]:
    shown = _FORMAT.fullmatch(written)
    if shown is None:
        raise ValueError(f"{written!r} does not show how 1234.5 is written, as $1,234.5 does")
    thousands, decimal = shown["thousands"], shown["decimal"]
    if thousands and thousands == decimal:
        raise ValueError(f"{written!r} has one sign for thousands and decimals")
    decimal = decimal or ("," if thousands == "." else ".")
    apart = _APART.get(thousands, re.escape(thousands))
    grouped = f"[0-9]{{1,3}}(?:{apart}[0-9]{{3}})+|" if thousands else ""
    point = re.escape(decimal)
    before, after = (_unit(shown[side]) for side in ("before", "after"))
    sign = f"[{_MINUS}+]"
    return re.compile(
        rf"(?P<open>\()?(?P<sign>{sign})?{_BLANK}*{before}{_BLANK}*(?P<inner>{sign})?"
        rf"(?=[0-9]|{point}[0-9])(?P<whole>{grouped}[0-9]*)(?:{point}(?P<part>[0-9]*))?"
        rf"(?P<power>[eE][-+]?[0-9]+)?{_BLANK}*{after}(?P<close>\))?",
        re.IGNORECASE,
    )


def _unit(text: str) -> str:
    stripped = text.strip(" \t\u00a0\u202f")
    return f"(?:{re.escape(stripped)})?" if stripped else ""
