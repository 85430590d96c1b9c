"""What a raw column may hold, and the checks that a row must pass before anything is computed from it.

`clean` and the scorer run the same checks, so a row that training would have rejected is not scored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .cells import LARGEST, is_format
from .columns import Array, Columns, is_null, rows
from .errors import shortened
from .numbers import is_number_format


@dataclass(frozen=True, slots=True)
class Column:
    """What one raw column may hold, and how a value that it must not hold is treated.

    `min`, `max`, `levels`: what is possible. An impossible value costs the row (`reject`) or itself
    (`blank`: it becomes null). Infinity is never possible.
    `usual`: the range outside which a number is an outlier; `clip` moves it to the nearer end.
    `missing`: whether a null costs the row.
    `format`: how a value is written where it is text. Of a time, as `strptime` reads it; None: ISO 8601. Of a number,
    1234.5 as the column writes it, such as `$1,234.5` (`base/numbers.py`); None: digits and a point.
    `nulls`: words that stand for null in this column, besides those of its source.
    `text` is free text: it has words, where a category has levels.
    `role`: `input` is known at the moment of prediction and asked for by the scorer, `outcome` is known only
    later, `record` identifies the row, and is neither learnt from nor asked for.
    """

    kind: Literal["integer", "number", "category", "text", "time"]
    role: Literal["input", "outcome", "record"] = "input"
    missing: Literal["reject", "keep"] = "reject"
    min: float | None = None
    max: float | None = None
    levels: tuple[str, ...] | None = None
    impossible: Literal["reject", "blank"] = "reject"
    usual: tuple[float, float] | None = None
    outlier: Literal["clip", "blank", "reject"] = "clip"
    format: str | None = None
    nulls: tuple[str, ...] = ()
    about: str = ""

    def __post_init__(self) -> None:
        if self.format is not None:
            self._check_format(self.format)
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        if self.usual is not None and self.usual[0] > self.usual[1]:
            raise ValueError(f"usual {self.usual} runs backwards")
        if self.kind in ("category", "text", "time") and (self.min, self.max, self.usual) != (None, None, None):
            raise ValueError(f"a {self.kind} has no min, max or usual range")
        if self.kind != "category" and self.levels is not None:
            raise ValueError(f"levels are for a category, not for a {self.kind}")

    def _check_format(self, written: str) -> None:
        if self.kind in ("category", "text"):
            raise ValueError(f"format is for a time or a number, not for a {self.kind}")
        if self.kind == "time" and not is_format(written):
            raise ValueError(f"format {shortened(written)} is none that strptime reads")
        if self.kind != "time" and not is_number_format(written):
            raise ValueError(f"format {shortened(written)} does not show how 1234.5 is written, as $1,234.5 does")

    @property
    def possible(self) -> str:
        """The possible values in words, as errors show them."""
        if self.levels is not None:
            return f"one of {', '.join(self.levels)}"
        low = "" if self.min is None else f"{self.min:g}"
        high = "" if self.max is None else f"{self.max:g}"
        return f"in {low or '-∞'}..{high or '∞'}"


@dataclass(frozen=True, slots=True)
class Checked:
    """Columns after their checks.

    `columns`: as given, with impossible or unusual values blanked or clipped where the column says so.
    `broken`: rule -> boolean mask of the rows that break it and are to be rejected; only rules that were broken.
    `corrected`: rule -> number of values that were blanked or clipped; only rules that changed a value.
    """

    columns: Columns
    broken: dict[str, Array]
    corrected: dict[str, int]

    @property
    def rejected(self) -> Array:
        """Boolean mask of the rows that break any rule."""
        return np.asarray(np.any([np.zeros(rows(self.columns), bool), *self.broken.values()], axis=0))

    def reasons(self) -> list[str]:
        """The rules that each rejected row breaks, joined with '; ', in the order of the rows."""
        where = np.flatnonzero(self.rejected)
        return ["; ".join(rule for rule, mask in self.broken.items() if mask[i]) for i in where]


def nulls(column: Column, count: int) -> Array:
    """So many nulls, as the column holds them."""
    if column.kind == "time":
        return np.full(count, "NaT", "datetime64[s]")
    return np.full(count, None, object) if column.kind in ("category", "text") else np.full(count, np.nan)


class Checks:
    """The checks of a table's columns, compiled: rows that break nothing are passed quickly, all columns at once."""

    def __init__(self, spec: dict[str, Column]) -> None:
        self.spec = spec
        numbers = {name: column for name, column in spec.items() if column.kind in ("integer", "number")}
        self._numbers = [*numbers]
        bounds = [_bounds(column) for column in numbers.values()]
        self._low, self._high = (np.array([bound[i] for bound in bounds]).reshape(-1, 1) for i in (0, 1))
        self._integers = [i for i, column in enumerate(numbers.values()) if column.kind == "integer"]
        self._required = [i for i, column in enumerate(numbers.values()) if column.missing == "reject"]
        self._texts = [
            (name, None if c.levels is None else {None, *c.levels}, c.missing == "reject")
            for name, c in spec.items()
            if c.kind in ("category", "text") and (c.levels is not None or c.missing == "reject")
        ]
        self._times = [name for name, c in spec.items() if c.kind == "time" and c.missing == "reject"]

    def __call__(self, columns: Columns) -> Checked:
        """What `check` returns."""
        return Checked(dict(columns), {}, {}) if self.passed(columns) else check(columns, self.spec)

    def passed(self, columns: Columns) -> bool:
        """Whether no row breaks a rule and no value has to be corrected."""
        for name, levels, required in self._texts:
            values = columns[name].tolist()
            if (required and None in values) or (levels is not None and not levels.issuperset(values)):
                return False
        if any(is_null(columns[name]).any() for name in self._times):
            return False
        if not self._numbers:
            return True
        table = np.array([columns[name] for name in self._numbers], dtype=float)
        if (table < self._low).any() or (table > self._high).any() or np.isnan(table[self._required]).any():
            return False
        integers = table[self._integers]
        return not (((integers != np.floor(integers)) & (integers == integers)) | (np.abs(integers) >= LARGEST)).any()


def _bounds(column: Column) -> tuple[float, float]:
    """The range in which a number is possible and usual; infinity never is."""
    low, high = column.usual or (-np.inf, np.inf)
    largest = np.finfo(float).max
    return max(-largest, low, *([] if column.min is None else [column.min])), min(
        largest, high, *([] if column.max is None else [column.max])
    )


def check(columns: Columns, spec: dict[str, Column]) -> Checked:
    """Check every column of `spec`; columns without a spec pass as they are. No row is dropped here."""
    result = Checked(dict(columns), {}, {})
    for name, column in spec.items():
        _check_column(result, name, column)
    return result


def _check_column(result: Checked, name: str, column: Column) -> None:
    values = result.columns[name]
    if column.kind != "time":
        values = _possible(result, name, column, values)
    result.columns[name] = values
    if column.missing == "reject":  # checked last: a value that was blanked is missing too
        _note(result, f"{name} is missing", is_null(values))


def _possible(result: Checked, name: str, column: Column, values: Array) -> Array:
    null = is_null(values)
    impossible = ~null & _impossible(values, column, null)
    rule = f"{name} not {column.possible}"
    if column.impossible == "reject":
        _note(result, rule, impossible)
    elif impossible.any():
        values = _blanked(values, impossible)
        result.corrected[f"{rule}: blanked"] = int(impossible.sum())
    if column.usual is not None:
        values = _usual(result, name, column, values, ~impossible)
    return values


def _impossible(values: Array, column: Column, null: Array) -> Array:
    if column.kind in ("category", "text"):
        if column.levels is None:
            return np.zeros(len(values), bool)
        allowed = set(column.levels)
        return np.fromiter((v not in allowed for v in values), bool, len(values))
    wrong = np.isinf(values)
    if column.kind == "integer":
        with np.errstate(invalid="ignore"):
            wrong |= ((values != np.floor(values)) & ~null) | (np.abs(values) >= LARGEST)
    if column.min is not None:
        wrong |= values < column.min
    if column.max is not None:
        wrong |= values > column.max
    return wrong


def _usual(result: Checked, name: str, column: Column, values: Array, possible: Array) -> Array:
    low, high = column.usual or (-np.inf, np.inf)
    unusual = possible & ((values < low) | (values > high))
    rule = f"{name} outside its usual {low:g}..{high:g}"
    if column.outlier == "reject":
        _note(result, rule, unusual)
        return values
    if not unusual.any():
        return values
    result.corrected[f"{rule}: {'clipped' if column.outlier == 'clip' else 'blanked'}"] = int(unusual.sum())
    if column.outlier == "blank":
        return _blanked(values, unusual)
    return np.where(unusual, np.clip(values, low, high), values)


def _blanked(values: Array, mask: Array) -> Array:
    blanked = values.copy()
    blanked[mask] = None if values.dtype == object else np.nan
    return blanked


def _note(result: Checked, rule: str, mask: Array) -> None:
    if mask.any():
        result.broken[rule] = mask
