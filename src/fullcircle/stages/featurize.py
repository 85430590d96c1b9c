"""featurize: train and validation rows -> feature matrices, by a plan that is fitted on training rows alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Features, Lookup, Schema, Target
from fullcircle.core.stage import run
from fullcircle.core.tables import read_columns, read_json, write_json, write_matrix
from fullcircle.core.threads import side_by_side
from fullcircle.features import LIBRARY, arguments
from fullcircle.features.categories import OneHot, fit_target_mean, levels_of
from fullcircle.features.columns import Rows
from fullcircle.features.numbers import Number
from fullcircle.features.selection import Dropped, select
from fullcircle.features.targets import indicators
from fullcircle.runtime.columns import Array, rows
from fullcircle.runtime.errors import ConfigError, DataError
from fullcircle.runtime.plan import (
    FORMAT,
    Encoder,
    LookupTable,
    Plan,
    apply,
    encode,
    matrix_of,
    prepare,
)
from fullcircle.runtime.scorer import write_plan
from fullcircle.runtime.typed import build

if TYPE_CHECKING:
    from fullcircle.runtime.columns import Column, Columns


@dataclass(frozen=True, slots=True)
class FeaturizeConfig:
    """How features are encoded, filled, scaled and selected; what each number means stands in conf/config.yaml."""

    few_levels: int
    min_level_rows: int
    smoothing: float
    missing: Literal["keep", "median"]
    scale: Literal["none", "standard"]
    max_correlation: float
    min_information: float
    cross_fit: int = 1
    rare: Literal["unknown", "level"] = "unknown"

    def __post_init__(self) -> None:
        if self.cross_fit < 1:
            raise ValueError(f"cross_fit {self.cross_fit} is a number of folds: 1 (none), or 2 and more")
        if not 0 < self.max_correlation <= 1:
            raise ValueError(f"max_correlation {self.max_correlation:g} is outside 0..1")
        if min(self.few_levels, self.min_level_rows, self.smoothing, self.min_information) < 0:
            raise ValueError("few_levels, min_level_rows, smoothing and min_information must not be negative")
        if self.scale == "standard" and self.missing == "keep":
            raise ValueError("scale: standard needs missing: median, for a null has no place on a scale")


@dataclass(frozen=True, slots=True)
class Fitted:
    """The plan, the training rows' matrix to learn from, and what selection left out and why.

    `matrix`: float32 (rows, selected). It is what `apply` computes of the same rows, but for the columns named in
    `plan.crossed`, which are out of fold.
    """

    plan: Plan
    matrix: Array
    dropped: tuple[Dropped, ...]
    information: dict[str, float]  # bits that each candidate tells about the target


def fit_plan(
    train: Columns,
    inputs: dict[str, Column],
    features: Features,
    lookups: list[tuple[Lookup, Columns]],
    config: FeaturizeConfig,
    classes: int,
) -> Fitted:
    """Fit lookups, encoders, selection, filling and scaling on training rows (columns with `target`).

    `classes`: of the target, 0 for a number.
    """
    target = train["target"]
    raw = {name: train[name] for name in inputs}
    tables = tuple(fit_lookup(lookup, table, raw) for lookup, table in lookups)
    plan = Plan(FORMAT, inputs, tables, features.created, (), ())
    prepared = prepare(plan, raw)
    rows, y = Rows(prepared), indicators(target, classes)
    fits = [fit_encoder(name, rows, y, config) for name in (*features.columns, *features.created)]
    encoders = tuple(encoder for encoder, _ in fits)
    outputs = tuple(name for encoder in encoders for name in encoder.outputs)
    plan = replace(plan, encoders=encoders, selected=outputs)
    learnt = {name: values for _, crossed in fits for name, values in crossed.items()}
    encoded = encode(plan, prepared) | learnt
    chosen = select(encoded, target, classes, config.max_correlation, config.min_information)
    if not chosen.selected:
        raise DataError("selection left no feature; lower featurize.min_information")
    matrix = np.stack([encoded[name] for name in chosen.selected], axis=1)
    crossed = tuple(name for name in chosen.selected if name in learnt)
    plan = replace(plan, selected=chosen.selected, crossed=crossed, **_filling(matrix, config))
    return Fitted(plan, matrix_of(plan, encoded), chosen.dropped, chosen.information)


def fit_lookup(lookup: Lookup, table: Columns, train: Columns) -> LookupTable:
    """A reference table with what is typical (the median) of training rows, for keys it does not know."""
    values = {out: _floats(table[column]) for column, out in lookup.columns.items()}
    plain = LookupTable(
        lookup.key,
        tuple(table[lookup.matches]),
        {k: tuple(v) for k, v in values.items()},
        None,
        {},
        dict.fromkeys(values, np.nan),
    )
    return replace(plain, **_typical(plain, lookup.fallback, train))


def _typical(table: LookupTable, fallback: str | None, train: Columns) -> dict[str, Any]:
    position = {key: i for i, key in enumerate(table.keys)}
    at = np.array([position.get(key, -1) for key in train[table.key]], dtype=np.int64)
    typical: dict[str, dict[str, float]] = {}
    default: dict[str, float] = {}
    for name, values in table.values.items():
        seen = np.array([np.nan if v is None else v for v in values] + [np.nan])[at]
        known = ~np.isnan(seen)
        default[name] = float(np.median(seen[known])) if known.any() else 0.0
        if fallback is not None:
            groups = train[fallback]
            levels = sorted({v for v in groups[known] if v is not None})
            typical[name] = {level: float(np.median(seen[known & (groups == level)])) for level in levels}
    return {"fallback": fallback, "typical": typical, "default": default}


def fit_encoder(name: str, rows: Rows, y: Array, config: FeaturizeConfig) -> tuple[Encoder, Columns]:
    """Choose and fit the encoder of one feature; levels are kept in alphabetical order.

    The second is what training rows are to learn from instead of the encoder's outputs: those that are out of fold.
    """
    if rows[name].dtype != object:
        return Number("number", name), {}
    found = rows.coded(name)
    levels, rare = levels_of(found, config.min_level_rows)
    if config.rare == "unknown":
        rare = ()
    if len(levels) <= config.few_levels:
        return OneHot("onehot", name, levels, rare), {}
    encoder, means = fit_target_mean(name, found, levels, rare, y, config.smoothing, config.cross_fit)
    return encoder, encoder.named(means) if config.cross_fit > 1 else {}


def _filling(matrix: Array, config: FeaturizeConfig) -> dict[str, Any]:
    """Medians of each output, and the mean and standard deviation of what is then filled, as the configuration asks."""
    if config.missing == "keep":
        return {}
    fill = np.array([np.median(c[~np.isnan(c)]) if not np.isnan(c).all() else 0.0 for c in matrix.T])
    if config.scale == "none":
        return {"fill": tuple(fill.tolist())}
    filled = np.where(np.isnan(matrix), fill, matrix)
    deviation = filled.std(axis=0)
    return {
        "fill": tuple(fill.tolist()),
        "center": tuple(filled.mean(axis=0).tolist()),
        "scale": tuple(np.where(deviation > 0, deviation, 1.0).tolist()),
    }


def demand_known(features: Features, lookups: tuple[Lookup, ...], schema: Schema) -> None:
    """Refuse a feature of a column that is not known at the moment of prediction, or that nobody has heard of."""
    looked_up = {name for lookup in lookups for name in lookup.columns.values()}
    if hidden := sorted(looked_up & schema.inputs.keys()):
        raise ConfigError(f"problem.lookups: {', '.join(hidden)} would hide an input of that name; give it another")
    unheard = [name for name in features.created if name not in LIBRARY]
    if unheard:
        raise ConfigError(
            f"problem.features.created: no such function: {', '.join(unheard)}. Known: {', '.join(LIBRARY)}"
        )
    keys = [
        (f"lookup in {lookup.table}", c) for lookup in lookups for c in (lookup.key, lookup.fallback) if c is not None
    ]
    uses = [(name, name) for name in features.columns] + [(n, a) for n in features.created for a in arguments(n)]
    uses = [(feature, column) for feature, column in uses if column not in looked_up] + keys
    for feature, column in uses:
        if column in schema.inputs:
            continue
        if column in schema.outcomes:
            raise ConfigError(f"problem.features: {feature} uses {column}, which is not known {schema.moment}")
        raise ConfigError(
            f"problem.features: {feature} uses {column}, which is no input. Inputs: {', '.join(schema.inputs)}"
        )
    for feature, column in keys:
        if schema.inputs[column].kind != "category":
            raise ConfigError(
                f"problem.lookups: {feature} goes by {column}, a {schema.inputs[column].kind}; it takes a category"
            )


def _floats(values: Array) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in values]


def describe(fitted: Fitted) -> dict[str, Any]:
    """What was made and selected, for the report."""
    return {
        "candidates": len(fitted.information),
        "selected": list(fitted.plan.selected),
        "dropped": [{"feature": d.feature, "why": d.why} for d in fitted.dropped],
        "information": fitted.information,
    }


def not_asked_for(schema: Schema) -> tuple[str, ...]:
    """Columns of the table that a scorer is not to mind: what becomes known later, and what identifies a row."""
    return tuple(name for name in (*schema.outcomes, *schema.records) if name not in schema.inputs)


def main() -> None:
    """Fit the plan on training rows, apply it to both halves, write matrices and plan."""
    schema = build(Schema, read_json(paths.SCHEMA), str(paths.SCHEMA))
    features, lookups = load(Features, "problem.features"), load(tuple[Lookup, ...], "problem.lookups")
    demand_known(features, lookups, schema)
    inputs = schema.inputs
    references = [(lookup, read_columns(paths.reference(lookup.table))) for lookup in lookups]
    train = read_columns(paths.TRAIN, [*inputs, "target"])
    classes = len(load(Target, "problem.target").classes)
    fitted = fit_plan(train, inputs, features, references, load(FeaturizeConfig, "featurize"), classes)
    fitted = replace(fitted, plan=replace(fitted.plan, ignored=not_asked_for(schema)))
    validation = read_columns(paths.VALIDATION, [*inputs, "target"])
    names, matrix = list(fitted.plan.selected), apply(fitted.plan, validation)
    sides = (paths.TRAIN_FEATURES, fitted.matrix, train), (paths.VALIDATION_FEATURES, matrix, validation)
    side_by_side(lambda side: write_matrix(side[0], side[1], names, side[2]["target"]), sides)
    write_plan(paths.FEATURES, fitted.plan)
    write_json(paths.FEATURES_REPORT, describe(fitted) | {"train_rows": rows(train)})


if __name__ == "__main__":
    run("featurize", main)
