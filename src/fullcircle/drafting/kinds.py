"""The profile of a column: its kind, its values, and the reason for the kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcircle.base.columns import Array, is_null
from fullcircle.base.errors import DataError
from fullcircle.core.arrow import cast
from fullcircle.core.tables import columns_of
from fullcircle.drafting.dates import ISO, dated, moments
from fullcircle.drafting.yaml import shown

Kind: TypeAlias = Literal["integer", "number", "category", "text", "time"]

WORDS = 3  # a column is text if its values have at least so many words on average ...
DISTINCT = 0.5  # ... and at least this share of them is distinct
NUMERIC = 0.5  # share of levels that are numbers, above which the others are reported
_CODE = r"^[-+]?0\d"
_INEXACT = r"^[-+]?[0-9]{16,}$"  # a whole number that a float may not hold
_EXACT = 2**53
_DIGITS = "numbers of 16 or more digits are codes: as floats they would lose digits"


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of the table.

    `values`: float64, datetime64[s] or object, null as in `base.columns`. `distinct`: number of distinct values
    without null. `levels`: the five most frequent values of a category with their counts. `format`: of a time in
    text, None for ISO 8601. `why`: the reason for the kind, empty if it is obvious.
    """

    name: str
    kind: Kind
    values: Array
    nulls: int
    distinct: int
    levels: tuple[tuple[str, int], ...] = ()
    format: str | None = None
    why: str = ""

    @property
    def rows(self) -> int:
        """Rows that hold a value."""
        return len(self.values) - self.nulls


def profile(name: str, column: pa.ChunkedArray, where: str) -> ColumnProfile:
    """Profile one column. Raises DataError for a column with dates in several formats."""
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # without a chunk
        values = pa.nulls(0)
    kind, why, written = _kind(name, values, where)
    if kind != "time" or not (pa.types.is_string(values.type) and written is not None):
        made, wrong = cast(values, kind)
        if wrong is not None:
            raise DataError(
                f"{where}: column {name} holds {values.type}, which cannot be read as {kind}. Convert it first."
            )
        array = columns_of(pa.table({name: made}))[name]
    else:
        array = moments(columns_of(pa.table({name: values}))[name], written)
    null = is_null(array)
    if kind not in ("category", "text"):
        return ColumnProfile(name, kind, array, int(null.sum()), len(np.unique(array[~null])), (), written, why)
    levels, counts = _counted(array[~null])
    if kind == "category" and _has_words(levels, int((~null).sum())):
        kind = "text"
    order = np.lexsort((levels, -counts))[:5]
    top = tuple((str(levels[i]), int(counts[i])) for i in order)
    return ColumnProfile(name, kind, array, int(null.sum()), len(levels), top, None, why)


def profile_category(name: str, column: pa.ChunkedArray) -> ColumnProfile:
    """Profile a column as a category with its text unchanged, for classes; `levels` has all of them."""
    values, _ = cast(column.combine_chunks(), "category")
    array = columns_of(pa.table({name: values}))[name]
    null = is_null(array)
    levels, counts = _counted(array[~null])
    top = tuple((str(levels[i]), int(counts[i])) for i in np.lexsort((levels, -counts)))
    return ColumnProfile(name, "category", array, int(null.sum()), len(levels), top)


def _kind(name: str, values: pa.Array, where: str) -> tuple[Kind, str, str | None]:
    """The kind, why, and the format of a time in text."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _kind(name, values.dictionary_decode(), where)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time", "", None
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number", "", None
    if pa.types.is_integer(kind):
        return _integer(values)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return "category", "", None
    return _kind_of_text(name, values.cast(pa.string()), where)


def _integer(values: pa.Array) -> tuple[Kind, str, None]:
    if len(values) > values.null_count and max(abs(v.as_py()) for v in pc.min_max(values).values()) >= _EXACT:
        return "category", _DIGITS, None
    return "integer", "", None


def _kind_of_text(name: str, values: pa.Array, where: str) -> tuple[Kind, str, str | None]:
    levels = values.drop_null().unique()
    if len(levels) == 0:
        return "category", "", None
    integers, no_integer = cast(levels, "integer")
    _numbers, no_number = cast(levels, "number")
    if no_number is None:
        if pc.any(pc.match_substring_regex(levels, _CODE)).as_py():
            return "category", "numbers with a leading zero are codes", None
        if no_integer is not None and pc.any(pc.match_substring_regex(levels, _INEXACT)).as_py():
            return "category", _DIGITS, None
        return _integer(integers) if no_integer is None else ("number", "", None)
    found = dated(levels.to_numpy(zero_copy_only=False))
    if found is None:
        return "category", _mixed(values, levels, no_number), None
    if len(found.formats) > 1:
        raise DataError(_formats(name, found.formats, found.examples, where))
    why = f"written as {found.written or ISO}"
    if found.other:
        why += f"; {', '.join(found.other)} would fit too: check it"
    return "time", why if found.written else "", found.written


def _mixed(values: pa.Array, levels: pa.Array, no_number: pa.Array) -> str:
    words = levels.filter(no_number)
    if len(words) > (1 - NUMERIC) * len(levels):
        return ""
    rows = pc.sum(pc.is_in(values, words)).as_py()
    return f"numbers, except for {rows:,} cells such as {shown(words[0].as_py())}: correct them to make it a number"


def _formats(name: str, formats: dict[str, int], examples: dict[str, str], where: str) -> str:
    lines = [f"  {form}: {count:,} dates, e.g. {examples[form]}" for form, count in formats.items()]
    return (
        f"{where}: column {name} holds dates in {len(formats)} formats\n" + "\n".join(lines) + "\n"
        f"Write them in one, or keep the column as it is, not as an input, with --record {name!r}."
    )


def _counted(values: Array) -> tuple[Array, Array]:
    """Levels in alphabetical order, and their counts."""
    if not len(values):
        return np.zeros(0, dtype=object), np.zeros(0, dtype=np.int64)
    counted = pa.array(values, pa.string()).value_counts()
    levels = np.array(counted.field("values").to_pylist(), dtype=object)
    counts = counted.field("counts").to_numpy()
    order = np.argsort(levels)
    return levels[order], counts[order]


def _has_words(levels: Array, rows: int) -> bool:
    if not rows or len(levels) < DISTINCT * rows:
        return False
    sample = levels[:: max(1, len(levels) // 1000)].tolist()
    return sum(len(level.split()) for level in sample) >= WORDS * len(sample)
