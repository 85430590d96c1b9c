"""Arrow values of any type -> the type that a column's kind has, and which of them cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

UTC = pa.timestamp("s", tz="UTC")
TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "category": pa.string(),
    "text": pa.string(),
    "time": UTC,
}

_INTEGER = r"^[-+]?\d{1,18}(\.0*)?$"
_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|^[-+]?(?i:nan|inf|infinity)$"
_OFFSET = r"[T ]\d{2}.*(?:Z|[+-]\d{2}(?::?\d{2})?)$"


def cast(values: pa.Array, kind: str, format: str | None = None) -> tuple[pa.Array, pa.Array | None]:  # noqa: A002
    """Return `values` as `TYPES[kind]`, and a mask of those that are no such value (null in what is returned).

    The mask is None where all are. Whole floats and decimals pass for integers, and NaN for null; numbers and
    truth values ("true", "false") become text where text is wanted; a time without an offset is UTC, and loses
    what is below a second. `format`: how text says a time (strptime); None: ISO 8601.
    """
    values = _plain(values)
    wanted = TYPES[kind]
    if values.type == wanted:
        return values, None
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), wanted), None
    if kind == "time":
        made = times(values, format)
        return _with_mask(values, None if made is None else _seconds(made), wanted)
    to: Callable[[pa.Array], pa.Array | None] = {"integer": _integers, "number": _numbers}.get(kind, _texts)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    return _with_mask(values, to(values), wanted)


def times(values: pa.Array, format: str | None = None) -> pa.Array | None:  # noqa: A002
    """Return text, dates and timestamps as timestamp[us, UTC], null where they are none; None for other types."""
    values = _plain(values)
    zoned, naive = pa.timestamp("us", tz="UTC"), pa.timestamp("us")
    if pa.types.is_timestamp(values.type):
        if values.type.unit == "ns":  # a cast would refuse to lose nanoseconds
            values = values.cast(pa.timestamp("us", tz=values.type.tz), safe=False)
        return values.cast(naive).cast(zoned) if values.type.tz is None else values.cast(zoned)
    if pa.types.is_date(values.type):
        return values.cast(naive).cast(zoned)
    if not pa.types.is_string(values.type):
        return None
    if format is not None:
        return pc.strptime(values, format=format, unit="us", error_is_null=True).cast(zoned)
    offset = pc.match_substring_regex(values, _OFFSET)
    nothing = pa.scalar(None, pa.string())
    return pc.coalesce(
        _parsed(pc.if_else(offset, values, nothing), zoned),
        _parsed(pc.if_else(offset, nothing, values), naive).cast(zoned),
    )


def _plain(values: pa.Array) -> pa.Array:
    """Without encodings that matter to memory alone."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
        values = values.cast(pa.string())
    return values


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
    try:
        return values.cast(pa.int64())  # three times as quick as to look at each
    except pa.ArrowInvalid:
        text = pc.utf8_trim_whitespace(values)
        text = pc.if_else(pc.match_substring_regex(text, _INTEGER), text, pa.scalar(None, pa.string()))
        return pc.replace_substring_regex(text, r"^\+|\.0*$", "").cast(pa.int64())


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
    try:
        return values.cast(pa.float64())
    except pa.ArrowInvalid:
        text = pc.utf8_trim_whitespace(values)
        text = pc.if_else(pc.match_substring_regex(text, _NUMBER), text, pa.scalar(None, pa.string()))
        return pc.replace_substring_regex(text, r"^\+", "").cast(pa.float64())


def _texts(values: pa.Array) -> pa.Array | None:
    kind = values.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return values.cast(pa.string())
    if pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_time(kind):
        return values.cast(pa.string())
    return pc.strftime(_seconds(times(values)), format="%Y-%m-%dT%H:%M:%SZ") if pa.types.is_timestamp(kind) else None


def _parsed(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """ISO 8601 as timestamps, null where it is none."""
    try:
        return texts.cast(kind)
    except pa.ArrowInvalid:  # one by one, for Arrow does not say which
        return pa.array([_one(text, kind) for text in texts], kind)


def _one(text: pa.StringScalar, kind: pa.DataType) -> pa.Scalar:
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        return pa.scalar(None, kind)


def _seconds(moments: pa.Array) -> pa.Array:
    """Timestamps in microseconds down to the second, before 1970 too."""
    down = pc.floor_temporal(moments.cast(pa.timestamp("us")), unit="second")
    return down.cast(pa.timestamp("s")).cast(UTC)
