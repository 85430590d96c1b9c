"""Transform: a plan, compiled once, turns raw columns into the feature matrix. Training and scoring call this code.

What depends on a category's level alone is worked out once per level, by the encoders themselves, and then looked up.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from ..base.columns import Array, Columns, Rows, coded, rows
from ..base.errors import DataError
from . import HOMES, LIBRARY, arguments, where
from .categories import Frequency, OneHot, Order, TargetMean
from .numbers import Number, finite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .encoders import Encoder
    from .plan import LookupTable, Plan

OF_LEVELS = (OneHot, TargetMean, Order, Frequency)
"""Encoders whose outputs depend on the level of one category alone."""


class Levels:
    """The levels of one category that anything in the plan knows, numbered; one more for unknown, one more for null.

    >>> levels = Levels(["a", "b"])
    >>> levels.find(np.array(["b", "x", None, "a"], dtype=object)).tolist()
    [1, 2, 3, 0]
    """

    def __init__(self, known: Iterable[str]) -> None:
        self.known = tuple(dict.fromkeys(known))
        self._places: dict[str | None, int] = {level: i for i, level in enumerate(self.known)}
        self._unknown = len(self.known)
        self._places[None] = self._unknown + 1

    @property
    def examples(self) -> Array:
        """One value of each number: the known levels, an unknown one, and null; object (levels + 2,)."""
        unknown = "?"
        while unknown in self._places:
            unknown += "?"
        return np.array([*self.known, unknown, None], dtype=object)

    def find(self, values: Array) -> Array:
        """The number of each value, int64 (rows,)."""
        found = map(self._places.get, values.tolist(), repeat(self._unknown))
        return np.fromiter(found, np.int64, len(values))


class Lookup:
    """A reference table ready to be looked up: for each level of the key, and of the fallback, its numbers."""

    def __init__(self, table: LookupTable, keys: Levels, fallbacks: Levels | None) -> None:
        self.table, self._keys, self._fallbacks = table, keys, fallbacks
        at = coded(keys.examples).positions(table.keys)
        self._values = np.array([[np.nan if v is None else v for v in c] + [np.nan] for c in table.values.values()])[
            :, at
        ]
        default = np.array([[table.default[name]] for name in table.values])
        if fallbacks is None:
            self._typical = default
        else:
            levels = fallbacks.examples.tolist()
            self._typical = np.array(
                [[table.typical[name].get(level, table.default[name]) for level in levels] for name in table.values]
            )

    def find(self, at: dict[str, Array]) -> Columns:
        """The looked-up columns, float64 without null; `at`: of each category, the numbers of its rows' levels."""
        found = self._values[:, at[self.table.key]]
        missing = np.isnan(found)
        if missing.any():
            there = self._typical if self.table.fallback is None else self._typical[:, at[self.table.fallback]]
            found = np.where(missing, there, found)
        return dict(zip(self.table.values, found, strict=True))


class Transform:
    """A plan, compiled."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        known: dict[str, list[str]] = {}
        for table in plan.lookups:
            known.setdefault(table.key, []).extend(table.keys)
            if table.fallback is not None:
                levels = [level for of_column in table.typical.values() for level in of_column]
                known.setdefault(table.fallback, []).extend(levels)
        places = {name: i for i, name in enumerate(plan.selected)}
        used = [encoder for encoder in plan.encoders if not places.keys().isdisjoint(encoder.outputs)]
        for encoder in used:
            if isinstance(encoder, OF_LEVELS):
                known.setdefault(encoder.feature, []).extend(encoder.known)
        self._levels = {name: Levels(levels) for name, levels in known.items()}
        self._lookups = [
            Lookup(t, self._levels[t.key], None if t.fallback is None else self._levels[t.fallback])
            for t in plan.lookups
        ]
        self._created = [(name, LIBRARY[name], arguments(name)) for name in plan.created]
        self._numbers, self._number_places = self._of_numbers(used, places)
        self._tables = self._of_levels(used, places)
        self._others = [e for e in used if not isinstance(e, (Number, *OF_LEVELS))]
        self._places = places

    @staticmethod
    def _of_numbers(used: list[Encoder], places: dict[str, int]) -> tuple[list[str], list[int]]:
        """The features that are taken as they are, and the places of their outputs in the matrix."""
        found = [(e.feature, places[e.outputs[0]]) for e in used if isinstance(e, Number)]
        return [feature for feature, _ in found], [place for _, place in found]

    def _of_levels(self, used: list[Encoder], places: dict[str, int]) -> list[tuple[str, list[int], Array]]:
        """For each category: the places of its encoders' outputs, and the outputs of each level (levels, outputs)."""
        found: dict[str, tuple[list[int], list[Array]]] = {}
        for encoder in used:
            if isinstance(encoder, OF_LEVELS):
                to, columns = found.setdefault(encoder.feature, ([], []))
                examples = Rows({encoder.feature: self._levels[encoder.feature].examples})
                for name, values in encoder.encode(examples).items():
                    if name in places:
                        to.append(places[name])
                        columns.append(values)
        return [(name, to, np.stack(columns, axis=1)) for name, (to, columns) in found.items()]

    def __call__(self, columns: Columns) -> Array:
        """The feature matrix, float32 (rows, len(plan.selected)), of columns that passed their checks."""
        prepared, at = self._prepared(columns)
        matrix = np.empty((rows(columns), len(self._places)))
        if self._numbers:
            matrix[:, self._number_places] = finite(np.array([prepared[name] for name in self._numbers], dtype=float)).T
        for name, to, table in self._tables:
            found = at[name] if name in at else self._levels[name].find(prepared[name])
            matrix[:, to] = table[found]
        if self._others:
            table_of = Rows(prepared)
            for encoder in self._others:
                for name, values in encoder.encode(table_of).items():
                    if name in self._places:
                        matrix[:, self._places[name]] = values
        return scaled(self.plan, matrix)

    def prepare(self, columns: Columns) -> Columns:
        """The raw columns with looked-up columns and created features."""
        return self._prepared(columns)[0]

    def _prepared(self, columns: Columns) -> tuple[Columns, dict[str, Array]]:
        at = {name: levels.find(columns[name]) for name, levels in self._levels.items() if name in columns}
        prepared = dict(columns)
        for lookup in self._lookups:
            prepared |= lookup.find(at)
        if self._created:
            prepared |= _without_infinity(self._create(prepared, rows(columns)))
        return prepared, at

    def _create(self, prepared: Columns, count: int) -> Columns:
        made: Columns = {}
        with np.errstate(all="ignore"):
            for name, function, needed in self._created:
                try:
                    values = np.asarray(function(*(prepared[argument] for argument in needed)))
                except Exception as error:  # whatever a function of somebody's own raises
                    file = f"{HOMES[name][0]}.py"
                    raise DataError(f"feature {name} of features/created/{file} failed: {where(error, file)}") from None
                if values.shape != (count,):
                    raise DataError(f"feature {name} returned an array of shape {values.shape} for {count:,} rows")
                made[name] = values
        return made


def apply(plan: Plan, columns: Columns) -> Array:
    """The feature matrix, float32 (rows, len(plan.selected)), of columns that passed their checks."""
    return Transform(plan)(columns)


def prepare(plan: Plan, columns: Columns) -> Columns:
    """Add looked-up columns and created features to the raw columns."""
    return Transform(plan).prepare(columns)


def encode(plan: Plan, prepared: Rows) -> Columns:
    """All outputs of the plan's encoders that the model may see, float64, by name: what selection chooses from."""
    wanted = set(plan.selected)
    result: Columns = {}
    for encoder in plan.encoders:
        if not wanted.isdisjoint(encoder.outputs):
            result |= {name: values for name, values in encoder.encode(prepared).items() if name in wanted}
    return result


def matrix_of(plan: Plan, encoded: Columns) -> Array:
    """Select, fill and scale encoded features: the feature matrix, float32 (rows, len(plan.selected))."""
    matrix = np.empty((rows(encoded), len(plan.selected)))
    for i, name in enumerate(plan.selected):
        matrix[:, i] = encoded[name]
    return scaled(plan, matrix)


def scaled(plan: Plan, matrix: Array) -> Array:
    """Fill and scale a float64 matrix (rows, selected) as the plan says; returns it as float32."""
    if plan.fill is not None:
        matrix = np.where(np.isnan(matrix), np.array(plan.fill), matrix)
    with np.errstate(all="ignore"):  # what float32 cannot hold becomes infinite, and the scorer checks the prediction
        if plan.center is not None and plan.scale is not None:
            matrix = (matrix - np.array(plan.center)) / np.array(plan.scale)
        return matrix.astype(np.float32)


def look_up(table: LookupTable, columns: Columns) -> Columns:
    """The looked-up columns of one reference table, float64 without null."""
    levels = {table.key: Levels(table.keys)}
    if table.fallback is not None and table.fallback != table.key:
        levels[table.fallback] = Levels(v for of_column in table.typical.values() for v in of_column)
    lookup = Lookup(table, levels[table.key], None if table.fallback is None else levels[table.fallback])
    return lookup.find({name: each.find(columns[name]) for name, each in levels.items()})


def unknown_levels(plan: Plan, columns: Columns) -> dict[str, int]:
    """How many rows of each category hold a level that training did not see (null not counted)."""
    seen, counts = Rows(columns), {}
    for encoder in plan.encoders:
        if isinstance(encoder, OF_LEVELS):
            found, known = seen.coded(encoder.feature), {None, *encoder.known}
            unknown = np.array([level not in known for level in found.levels], dtype=bool)
            counts[encoder.feature] = int(unknown[found.at].sum())
    return {name: count for name, count in counts.items() if count}


def _without_infinity(made: Columns) -> Columns:
    """Created features with null where a number came out infinite: an input would be rejected for it."""
    numbers = [values for values in made.values() if values.dtype.kind == "f"]
    if not numbers or not np.isinf(np.array(numbers)).any():
        return made
    return {n: np.where(np.isinf(v), np.nan, v) if v.dtype.kind == "f" else v for n, v in made.items()}
