"""The profile of a column: its kind, its values, and the reason for the kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fullcircle.base.columns import Array, is_null
from fullcircle.base.errors import DataError
from fullcircle.core.arrow import cast, without
from fullcircle.core.tables import columns_of
from fullcircle.drafting import sentinels
from fullcircle.drafting.dates import ISO, dated, moments
from fullcircle.drafting.numbers import doubt, written
from fullcircle.drafting.yaml import shown

Kind: TypeAlias = Literal["integer", "number", "category", "text", "time"]

WORDS_AT_MOST = 10  # distinct words among numbers that are gaps, where there are ...
NUMBERS_PER_WORD = 4  # ... so many times as many distinct numbers
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
    without null. `levels`: the five most frequent values of a category with their counts. `format`: of a time or a
    number in text, None for the usual one. `why`: the reason for the kind, empty if it is obvious. `doubt`: what
    should be looked at before anything is trained; empty if it is sure. `null_words`: texts that are null here.
    """

    name: str
    kind: Kind
    values: Array
    nulls: int
    distinct: int
    levels: tuple[tuple[str, int], ...] = ()
    format: str | None = None
    why: str = ""
    doubt: str = ""
    null_words: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows that hold a value."""
        return len(self.values) - self.nulls


def profile(
    name: str, column: pa.ChunkedArray, where: str, decimal: str = ".", title: str | None = None
) -> ColumnProfile:
    """Profile one column. `decimal`: what is more likely to stand before decimals. `title`: a text that is no value,
    because rows repeat the header.

    Raises DataError for a column with dates in several formats.
    """
    values = column.combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # without a chunk
        values = pa.nulls(0)
    titles = () if title is None else (title,)
    guess = _kind(name, without(_decoded(values), titles), where, decimal)
    kind, why, form = guess.kind, guess.why, guess.format
    nulls = (*titles, *guess.nulls)
    values = without(_decoded(values), nulls)
    if kind != "time" or not (pa.types.is_string(values.type) and form is not None):
        made, wrong = cast(values, kind, form)
        if wrong is not None:
            raise DataError(
                f"{where}: column {name} holds {values.type}, which cannot be read as {kind}. Convert it first."
            )
        array = columns_of(pa.table({name: made}))[name]
    else:
        array = moments(columns_of(pa.table({name: values}))[name], form)
    null = is_null(array)
    if kind in ("integer", "number"):
        guess = replace(guess, doubt="; ".join(filter(None, [guess.doubt, sentinels.doubt(array)])))
    if kind not in ("category", "text"):
        return ColumnProfile(
            name, kind, array, int(null.sum()), len(np.unique(array[~null])), (), form, why, guess.doubt, nulls
        )
    levels, counts = _counted(array[~null])
    if kind == "category" and _has_words(levels, int((~null).sum())):
        kind = "text"
    order = np.lexsort((levels, -counts))[:5]
    top = tuple((str(levels[i]), int(counts[i])) for i in order)
    return ColumnProfile(name, kind, array, int(null.sum()), len(levels), top, None, why, guess.doubt, nulls)


def profile_category(name: str, column: pa.ChunkedArray, null_words: tuple[str, ...] = ()) -> ColumnProfile:
    """Profile a column as a category with its text unchanged, for classes; `levels` has all of them."""
    values, _ = cast(column.combine_chunks(), "category", nulls=null_words)
    array = columns_of(pa.table({name: values}))[name]
    null = is_null(array)
    levels, counts = _counted(array[~null])
    top = tuple((str(levels[i]), int(counts[i])) for i in np.lexsort((levels, -counts)))
    return ColumnProfile(name, "category", array, int(null.sum()), len(levels), top, null_words=null_words)


def _decoded(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


@dataclass(frozen=True, slots=True)
class _Guess:
    """The kind of a column; the rest as in `ColumnProfile`."""

    kind: Kind
    why: str = ""
    format: str | None = None
    doubt: str = ""
    nulls: tuple[str, ...] = ()


def _kind(name: str, values: pa.Array, where: str, decimal: str) -> _Guess:
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _kind(name, values.dictionary_decode(), where, decimal)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _Guess("time")
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _Guess("number")
    if pa.types.is_integer(kind):
        return _integer(values)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return _Guess("category")
    return _kind_of_text(name, values.cast(pa.string()), where, decimal)


def _integer(values: pa.Array) -> _Guess:
    if len(values) > values.null_count and max(abs(v.as_py()) for v in pc.min_max(values).values()) >= _EXACT:
        return _Guess("category", _DIGITS)
    return _Guess("integer")


def _kind_of_text(name: str, values: pa.Array, where: str, decimal: str) -> _Guess:
    levels = values.drop_null().unique()
    if len(levels) == 0:
        return _Guess("category")
    integers, no_integer = cast(levels, "integer")
    _numbers, no_number = cast(levels, "number")
    if no_number is None:
        if pc.any(pc.match_substring_regex(levels, _CODE)).as_py():
            return _Guess("category", "numbers with a leading zero are codes")
        if no_integer is not None and pc.any(pc.match_substring_regex(levels, _INEXACT)).as_py():
            return _Guess("category", _DIGITS)
        return _integer(integers) if no_integer is None else _Guess("number")
    texts = levels.to_numpy(zero_copy_only=False)
    if number := written(texts.tolist(), decimal):
        whole = cast(levels, "integer", number.format)[1] is None
        why = f"written as {number.format}"
        return _Guess("integer" if whole else "number", why, number.format, doubt(number))
    found = dated(texts)
    if found is None:
        if (guess := _with_words(name, values, where, decimal)) is not None:
            return guess
        mixed = _mixed(values, levels, no_number)
        return _Guess("category", mixed, doubt=mixed)
    if len(found.formats) > 1:
        raise DataError(_formats(name, found.formats, found.examples, where))
    why = f"written as {found.written or ISO}"
    none = pc.sum(pc.is_in(values, pa.array(found.none, pa.string()))).as_py() if found.none else 0
    gaps = f"{none:,} cells are {', '.join(map(shown, found.none))}: taken for missing" if none else ""
    unsure = f"read as {found.written or ISO}; {', '.join(found.other)} would fit too" if found.other else ""
    why = "; ".join(filter(None, [why if found.written else "", unsure]))
    return _Guess("time", why, found.written, "; ".join(filter(None, [unsure, gaps])), found.none)


def _with_words(name: str, values: pa.Array, where: str, decimal: str) -> _Guess | None:
    """A column of numbers or dates, but for a few words that are gaps; None where it is none."""
    counts = {each["values"]: each["counts"] for each in values.drop_null().value_counts().to_pylist()}
    words = [text for text in counts if text[:1] == "#" or not any(c.isdigit() for c in text)]
    if not 0 < len(words) <= WORDS_AT_MOST or len(counts) - len(words) < NUMBERS_PER_WORD * max(len(words), 3):
        return None
    nulls = tuple(sorted(words))
    guess = _kind(name, without(values, nulls), where, decimal)
    if guess.kind not in ("integer", "number", "time"):
        return None
    rows = sum(counts[word] for word in nulls)
    said = (
        f"{rows:,} cells are {', '.join(shown(word) if word.strip() else 'blank' for word in nulls)}: taken for missing"
    )
    return replace(guess, doubt="; ".join(filter(None, [said, guess.doubt])), nulls=(*nulls, *guess.nulls))


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
