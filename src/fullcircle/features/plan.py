"""The plan: how raw input columns become the model's features. Fitted once, on training rows; applied everywhere.

Training and scoring call the same `apply`, so there is no second implementation that could disagree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..base.checks import Column
from ..base.columns import Array, Columns, Rows, coded, rows
from ..base.errors import BundleError, DataError
from ..base.files import read_json, write_text
from ..base.typed import build, plain
from . import LIBRARY, arguments
from .categories import Frequency, OneHot, Order, TargetMean
from .encoders import Encoder

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
PLAN = "features.json"


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A reference table: `values[column][i]` belongs to `keys[i]`.

    Where the key is unknown or null, and where the table itself has a null, stands `typical` of the row's
    `fallback` column, else `default`.
    """

    key: str
    keys: tuple[str, ...]
    values: dict[str, tuple[float | None, ...]]
    fallback: str | None
    typical: dict[str, dict[str, float]]  # output column -> value of the fallback column -> number
    default: dict[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """Raw input columns -> lookups -> created features -> encoders -> selection -> filling and scaling.

    `selected`: the outputs that the model sees, in its order. `fill`: what stands in for null, one a selected
    output (None: nulls stay). `center`, `scale`: (x - center) / scale, likewise. `ignored`: columns of the table that
    was learnt from which are no inputs, such as its identifiers: they may come along, and are not read.
    """

    format: int
    inputs: dict[str, Column]
    lookups: tuple[LookupTable, ...]
    created: tuple[str, ...]
    encoders: tuple[Encoder, ...]
    selected: tuple[str, ...]
    fill: tuple[float, ...] | None = None
    center: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    crossed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise BundleError(f"the plan is of format {self.format}, and this version reads format {FORMAT}")
        if unknown := [name for name in self.created if name not in LIBRARY]:
            raise BundleError(f"the plan names features that this version does not have: {', '.join(unknown)}")


def apply(plan: Plan, columns: Columns) -> Array:
    """Compute the feature matrix, float32 (rows, len(plan.selected)), of columns that passed their checks."""
    return matrix_of(plan, encode(plan, Rows(prepare(plan, columns))))


def matrix_of(plan: Plan, encoded: Columns) -> Array:
    """Select, fill and scale encoded features: the feature matrix, float32 (rows, len(plan.selected))."""
    matrix = np.empty((rows(encoded), len(plan.selected)), np.float32)
    for i, name in enumerate(plan.selected):
        values = encoded[name]
        if plan.fill is not None:
            values = np.where(np.isnan(values), plan.fill[i], values)
        if plan.center is not None and plan.scale is not None:
            values = (values - plan.center[i]) / plan.scale[i]
        matrix[:, i] = values
    return matrix


def prepare(plan: Plan, columns: Columns) -> Columns:
    """Add looked-up columns and created features to the raw columns."""
    prepared = dict(columns)
    for lookup in plan.lookups:
        prepared |= look_up(lookup, columns)
    return prepared | create(plan.created, prepared)


def create(names: tuple[str, ...], columns: Columns) -> Columns:
    """Compute created features by name. A number that comes out infinite is null: an input would be rejected for it.

    Raises DataError for a function that does not give one value a row.
    """
    created = {}
    for name in names:
        with np.errstate(all="ignore"):
            values = np.asarray(LIBRARY[name](*(columns[argument] for argument in arguments(name))))
        if values.shape != (rows(columns),):
            raise DataError(f"feature {name} gave an array of shape {values.shape} for {rows(columns):,} rows")
        if values.dtype.kind in "fiub":
            values = np.where(np.isinf(values), np.nan, values)
        created[name] = values
    return created


def look_up(lookup: LookupTable, columns: Columns) -> Columns:
    """The looked-up columns, float64 without null."""
    at = coded(columns[lookup.key]).positions(lookup.keys)
    found = {}
    for name, values in lookup.values.items():
        table = np.array([np.nan if v is None else v for v in values] + [np.nan])
        result = table[at]
        missing = np.isnan(result)
        if lookup.fallback is None:
            result[missing] = lookup.default[name]
        else:
            typical, default = lookup.typical[name], lookup.default[name]
            result[missing] = [typical.get(v, default) for v in columns[lookup.fallback][missing]]
        found[name] = result
    return found


def encode(plan: Plan, prepared: Rows) -> Columns:
    """All outputs of the plan's encoders that the model may see, float64."""
    wanted = set(plan.selected)
    result: Columns = {}
    for encoder in plan.encoders:
        if not wanted.isdisjoint(encoder.outputs):
            result |= {name: values for name, values in encoder.encode(prepared).items() if name in wanted}
    return result


def unknown_levels(plan: Plan, columns: Columns) -> dict[str, int]:
    """How many rows of each category hold a level that training did not see (null not counted)."""
    seen, counts = Rows(columns), {}
    for encoder in plan.encoders:
        if isinstance(encoder, (OneHot, TargetMean, Order, Frequency)):
            found, known = seen.coded(encoder.feature), {None, *encoder.known}
            unknown = np.array([level not in known for level in found.levels], dtype=bool)
            counts[encoder.feature] = int(unknown[found.at].sum())
    return {name: count for name, count in counts.items() if count}


def write_plan(folder: Path, plan: Plan) -> None:
    """Write a plan as JSON, whole or not at all."""
    write_text(folder / PLAN, json.dumps(plain(plan), ensure_ascii=False, separators=(",", ":")) + "\n")


def read_plan(folder: Path) -> Plan:
    """Read what `write_plan` wrote."""
    return build(Plan, read_json(folder / PLAN), str(folder / PLAN))
