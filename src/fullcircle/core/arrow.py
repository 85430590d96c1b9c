"""Arrow values of any type -> the type that a column's kind has, and which of them cannot be.

Text is read by the grammar of `base.cells`. Where Arrow's own conversion is known to agree with it, Arrow converts a
whole column at once; otherwise each distinct text is read once in Python.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from fullcircle.base.cells import BLANKS, integer_of, moment_of, number_of, text_of_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FIRST, LAST = -62_135_596_800, 253_402_300_800  # seconds since 1970: the year 1 begins, the year 9999 ends
UTC = pa.timestamp("s", tz="UTC")
TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "category": pa.string(),
    "text": pa.string(),
    "time": UTC,
}

_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"  # as Arrow reads it too
_ISO_UTC = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?Z$"


def cast(
    values: pa.Array,
    kind: str,
    format: str | None = None,  # noqa: A002
    nulls: Sequence[str] = (),
) -> tuple[pa.Array, pa.Array | None]:
    """Return `values` as `TYPES[kind]`, and a mask of those that are no such value (null in what is returned).

    The mask is None where all are. Whole floats and decimals pass for integers, and NaN for null; numbers and
    truth values ("true", "false") become text where text is wanted; a time without an offset is UTC, and loses
    what is below a second. `format`: of the column, how text says a time or a number; None: the usual ways. `nulls`:
    texts that are null.
    """
    values = _plain(values)
    if broken := _not_utf8(values):
        sound = pc.if_else(pa.array(broken), pa.scalar(None, pa.string()), values)
        made, wrong = cast(pa.array(sound.to_pylist(), pa.string()), kind, format, nulls)
        return made, pa.array(broken) if wrong is None else pc.or_(wrong, pa.array(broken))
    values = without(values, nulls)
    wanted = TYPES[kind]
    if values.type == wanted:
        return _with_mask(values, _within_years(values), wanted) if kind == "time" else (values, None)
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), wanted), None
    if kind == "time":
        made = times(values, format)
        return _with_mask(values, None if made is None else _seconds(made), wanted)
    to: Callable[[pa.Array], pa.Array | None] = {"integer": _integers, "number": _numbers}.get(kind, _texts)
    if format is not None and pa.types.is_string(values.type):
        to = partial(_formatted, kind=kind, written=format)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    if kind == "integer" and pa.types.is_string(values.type):  # int64 has no NaN: it is null before
        nan = pc.match_substring_regex(values, r"^[ \t]*[-+]?(?i:nan)[ \t]*$")
        values = pc.if_else(nan, pa.scalar(None, values.type), values)
    return _with_mask(values, to(values), wanted)


def without(values: pa.Array, nulls: Sequence[str]) -> pa.Array:
    """Values with null in the place of the texts `nulls`; of numbers, where they say one of them."""
    numeric = pa.types.is_integer(values.type) or pa.types.is_floating(values.type)
    if not nulls or not (numeric or pa.types.is_string(values.type)):
        return values
    found = pc.is_in(_texts(values) if numeric else values, pa.array([*nulls], pa.string()))
    return pc.if_else(found, pa.scalar(None, values.type), values) if pc.any(found).as_py() else values


def times(values: pa.Array, format: str | None = None) -> pa.Array | None:  # noqa: A002
    """Return text, dates and timestamps as timestamp[us, UTC], null where they are none; None for other types."""
    values = _plain(values)
    zoned, naive = pa.timestamp("us", tz="UTC"), pa.timestamp("us")
    values = _within_years(values)
    if pa.types.is_timestamp(values.type):
        if values.type.unit == "ns":  # a cast would refuse to lose nanoseconds
            values = values.cast(pa.timestamp("us", tz=values.type.tz), safe=False)
        return values.cast(naive).cast(zoned) if values.type.tz is None else values.cast(zoned)
    if pa.types.is_date(values.type):
        return values.cast(naive).cast(zoned)
    if not pa.types.is_string(values.type):
        return None
    if format is None:
        for pattern, kind in ((_ISO, naive), (_ISO_UTC, zoned)):
            if _all_match(values, pattern):
                try:
                    return values.cast(kind).cast(zoned)
                except pa.ArrowInvalid:
                    break  # one that is written as a time and is none, such as 30 February
    return _read(values, partial(_microseconds, written=format), pa.int64()).cast(naive).cast(zoned)


def _plain(values: pa.Array) -> pa.Array:
    """Without encodings that matter to memory alone."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    return values


def _not_utf8(values: pa.Array) -> list[bool]:
    """Which texts are not in UTF-8, as a file may have them; empty where all are."""
    if not pa.types.is_string(values.type):
        return []
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return [text is not None and not _is_utf8(text) for text in values.cast(pa.binary()).to_pylist()]
    return []


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _within_years(values: pa.Array) -> pa.Array:
    """Timestamps and dates, null before the year 1 and after 9999: other libraries have no such times."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        per_second, whole = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit], values.cast(pa.int64())
    elif pa.types.is_date(kind):
        days = pa.types.is_date32(kind)
        per_second, whole = (1, values.cast(pa.int32())) if days else (10**3, values.cast(pa.int64()))
    else:
        return values
    unit = 86_400 if pa.types.is_date32(kind) else 1
    low, high = (edge * per_second // unit for edge in (FIRST, LAST))
    seen = pc.and_(pc.greater_equal(whole, max(low, -(2**63))), pc.less(whole, min(high, 2**63 - 1)))
    return values if pc.all(seen).as_py() is not False else pc.if_else(seen, values, pa.scalar(None, kind))


def _with_mask(values: pa.Array, made: pa.Array | None, wanted: pa.DataType) -> tuple[pa.Array, pa.Array | None]:
    if made is None:
        return pa.nulls(len(values), wanted), values.is_valid()
    wrong = pc.and_(values.is_valid(), made.is_null())
    return made, wrong if pc.any(wrong).as_py() else None


def _integers(values: pa.Array) -> pa.Array | None:
    kind = values.type
    if pa.types.is_boolean(kind) or (pa.types.is_integer(kind) and kind != pa.uint64()):
        return values.cast(pa.int64())
    if pa.types.is_floating(kind):
        return _whole(values.cast(pa.float64()))
    if pa.types.is_decimal(kind) or kind == pa.uint64():
        return _integers(values.cast(pa.string()))
    if not pa.types.is_string(kind):
        return None
    digits = pc.utf8_trim(values, BLANKS)
    if _all_match(digits, r"^-?[0-9]{1,15}$"):
        return digits.cast(pa.int64())
    return _read(values, _integer, pa.int64())


def _whole(values: pa.Array) -> pa.Array:
    """Floats that are whole and below 2^53 as int64, the rest null."""
    fits = pc.and_(pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), 2.0**53))
    return pc.if_else(fits, values, pa.scalar(None, pa.float64())).cast(pa.int64())


def _numbers(values: pa.Array) -> pa.Array | None:
    kind = values.type
    if pa.types.is_boolean(kind):
        return values.cast(pa.int8()).cast(pa.float64())
    if pa.types.is_integer(kind):
        return values.cast(pa.float64(), safe=False)  # above 2^53 the nearest
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return values.cast(pa.float64())
    if not pa.types.is_string(kind):
        return None
    if not pc.any(pc.match_substring(values, "(")).as_py():  # Arrow reads nan(1) as a number
        try:
            return pc.utf8_trim(values, BLANKS).cast(pa.float64())
        except pa.ArrowInvalid:
            pass  # one is no number, or is written as Arrow does not read it
    return _read(values, number_of, pa.float64())


def _formatted(values: pa.Array, kind: str, written: str) -> pa.Array:
    """Numbers that are written in a format."""
    parse = _integer if kind == "integer" else number_of
    return _read(values, partial(parse, written=written), TYPES[kind])


def _texts(values: pa.Array) -> pa.Array | None:
    kind = values.type
    if pa.types.is_floating(kind):
        coded = values.cast(pa.float64()).dictionary_encode()
        texts = [text_of_number(value) for value in coded.dictionary.to_pylist()]
        return pa.array(texts, pa.string()).take(coded.indices)
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return values.cast(pa.string())
    if pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return values.cast(pa.string())
    return pc.strftime(_seconds(times(values)), format="%Y-%m-%dT%H:%M:%SZ") if pa.types.is_timestamp(kind) else None


def _all_match(texts: pa.Array, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(texts, pattern)).as_py() is not False


def _read(texts: pa.Array, parse: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    """Each distinct text as `parse` reads it; null for one that it refuses with a ValueError."""
    coded = texts.dictionary_encode()
    return pa.array([_or_none(parse, text) for text in coded.dictionary.to_pylist()], kind).take(coded.indices)


def _or_none(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return None


def _integer(text: str, written: str | None = None) -> int:
    return int(integer_of(text, written))


def _microseconds(text: str, written: str | None) -> int:
    return (moment_of(text, written) - datetime(1970, 1, 1)) // timedelta(microseconds=1)


def _seconds(moments: pa.Array) -> pa.Array:
    """Timestamps in microseconds down to the second, before 1970 too."""
    down = pc.floor_temporal(moments.cast(pa.timestamp("us")), unit="second")
    return down.cast(pa.timestamp("s")).cast(UTC)
