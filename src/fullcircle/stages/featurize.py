"""featurize: train and validation rows -> feature matrices, by a plan that is fitted on training rows alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fullcircle.base.columns import Array, Rows, coded, rows
from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.threads import parallel_map
from fullcircle.base.typed import build
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Features, Lookup
from fullcircle.core.schema import Schema
from fullcircle.core.stage import run
from fullcircle.core.tables import read_columns, read_json, write_json, write_matrix
from fullcircle.core.target import Target
from fullcircle.features import HOMES, LIBRARY, arguments
from fullcircle.features.categories import levels_of
from fullcircle.features.encoders import ENCODINGS, Encoder, EncoderConfig, Kind, fit_encoders, kind_of, unlike
from fullcircle.features.numbers import Difference, Ratio, fit_group
from fullcircle.features.plan import FORMAT, LookupTable, Plan, write_plan
from fullcircle.features.selection import Dropped, Selection, is_constant, select
from fullcircle.features.stability import frequencies
from fullcircle.features.targets import indicators
from fullcircle.features.transform import apply, encode, matrix_of, prepare

if TYPE_CHECKING:
    from fullcircle.base.checks import Column
    from fullcircle.base.columns import Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturizeConfig(EncoderConfig):
    """How features are encoded, filled, scaled and selected; what each number means stands in conf/config.yaml."""

    missing: Literal["keep", "median"]
    scale: Literal["none", "standard"]
    max_correlation: float
    min_information: float
    select: Literal["none", "stable"] = "none"
    min_stability: float = 0.3

    def __post_init__(self) -> None:
        if not 0 < self.max_correlation <= 1:
            raise ValueError(f"max_correlation {self.max_correlation:g} is outside 0..1")
        if min(self.few_levels, self.min_level_rows, self.smoothing, self.min_information) < 0:
            raise ValueError("few_levels, min_level_rows, smoothing and min_information must not be negative")
        if not 0 <= self.min_stability <= 1:
            raise ValueError(f"min_stability {self.min_stability:g} is outside 0..1")
        if self.cross_fit < 1:
            raise ValueError(f"cross_fit {self.cross_fit} is a number of folds: 1 (none), or 2 and more")
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
    doubtful: tuple[str, ...] = ()  # selected though they tell too little, for nothing tells more
    stability: dict[str, float] = field(default_factory=dict)  # share of the halves in which a feature was important


def fit_plan(
    train: Columns,
    inputs: dict[str, Column],
    features: Features,
    lookups: list[tuple[Lookup, Columns]],
    config: FeaturizeConfig,
    n_classes: int,
) -> Fitted:
    """Fit lookups, encoders, selection, filling and scaling on training rows (columns with `target`).

    `classes`: of the target, 0 for a number.
    """
    target = train["target"]
    raw = {name: train[name] for name in inputs}
    tables = tuple(fit_lookup(lookup, table, raw) for lookup, table in lookups)
    plan = Plan(FORMAT, inputs, tables, features.created, (), ())
    prepared = prepare(plan, raw)
    table = Rows(prepared)
    encoders, learnt = _fit_encoders(table, inputs, target, features, config, n_classes)
    plan = replace(plan, encoders=encoders, selected=tuple(name for encoder in encoders for name in encoder.outputs))
    encoded = encode(plan, table)
    # One level has one mean, but one a fold out of fold: noise that tells the fold.
    learnt = {name: values for name, values in learnt.items() if not is_constant(encoded[name])}
    encoded |= learnt
    chosen = select(encoded, target, n_classes, config.max_correlation, config.min_information)
    if not chosen.selected:
        raise DataError(f"none of {len(encoded)} features has more than one value among {len(target):,} training rows")
    stability: dict[str, float] = {}
    if config.select == "stable":
        chosen, stability = _stable(chosen, encoded, target, n_classes, config.min_stability)
    crossed = tuple(name for name in chosen.selected if name in learnt)
    filling = _filling([encoded[name] for name in chosen.selected], config)
    plan = replace(plan, selected=chosen.selected, crossed=crossed, **filling)
    return Fitted(plan, matrix_of(plan, encoded), chosen.dropped, chosen.information, chosen.doubtful, stability)


def _fit_encoders(
    table: Rows,
    inputs: dict[str, Column],
    target: Array,
    features: Features,
    config: FeaturizeConfig,
    n_classes: int,
) -> tuple[tuple[Encoder, ...], Columns]:
    """The encoders, no two with an output of the same name, and the outputs that training rows have out of fold."""
    y = indicators(target, n_classes)
    kinds = kinds_of(inputs) | {name: kind_of(table, name) for name in table.columns if name not in inputs}
    check_kinds(features, kinds)
    fits: list[tuple[Encoder, Array | None]] = []
    for name in (*features.columns, *features.created):
        fits += fit_encoders(name, kinds[name], features.encode.get(name, ()), table, y, config)
    fits += [(Ratio("ratio", *pair), None) for pair in features.ratios]
    fits += [(Difference("difference", *pair), None) for pair in features.differences]
    for number, by in features.groups:
        levels, _ = levels_of(table.coded(by), config.min_level_rows)
        fits.append((fit_group(number, by, table, levels), None))
    taken, encoders = {"target"}, []
    learnt: Columns = {}
    for fit, crossed in fits:
        encoder = unlike(fit, taken)
        encoders.append(encoder)
        taken.update(encoder.outputs)
        if crossed is not None:
            learnt |= dict(zip(encoder.outputs, crossed.T, strict=True))
    return tuple(encoders), learnt


def _stable(
    chosen: Selection, encoded: Columns, target: Array, n_classes: int, least: float
) -> tuple[Selection, dict[str, float]]:
    """Drop what trees rarely find important; where that is everything, keep what they find so most often."""
    matrix = np.stack([encoded[name] for name in chosen.selected], axis=1).astype(np.float32)
    found = frequencies(matrix, target, partial(tree_importance, n_classes=n_classes))
    kept = found >= min(least, found.max())
    rare = [
        Dropped(name, f"is important in {share:.2f} of the halves")
        for name, share, stays in zip(chosen.selected, found, kept, strict=True)
        if not stays
    ]
    selected = tuple(name for name, stays in zip(chosen.selected, kept, strict=True) if stays)
    doubtful = tuple(name for name in chosen.doubtful if name in selected)
    stability = dict(zip(chosen.selected, found.tolist(), strict=True))
    return replace(chosen, selected=selected, dropped=(*chosen.dropped, *rare), doubtful=doubtful), stability


def tree_importance(matrix: Array, target: Array, seed: int, *, n_classes: int) -> Array:
    """Total gain of each feature in a few small boosted trees: float64 (features,)."""
    import xgboost

    objective = {0: "reg:squarederror", 2: "binary:logistic"}.get(n_classes, "multi:softprob")
    params = {
        "objective": objective, "max_depth": 4, "eta": 0.2, "subsample": 0.8, "colsample_bynode": 0.3, "seed": seed,
        "tree_method": "hist", "max_bin": 64, "nthread": 1,
    }  # fmt: skip
    if n_classes > 2:
        params["num_class"] = n_classes
    booster = xgboost.train(params, xgboost.DMatrix(matrix, target), num_boost_round=30)
    gains = booster.get_score(importance_type="total_gain")
    return np.array([gains.get(f"f{i}", 0.0) for i in range(matrix.shape[1])], dtype=float)


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
    at = coded(train[table.key]).positions(table.keys)
    typical: dict[str, dict[str, float]] = {}
    default: dict[str, float] = {}
    for name, values in table.values.items():
        seen = np.array([np.nan if v is None else v for v in values] + [np.nan])[at]
        known = ~np.isnan(seen)
        default[name] = float(np.median(seen[known])) if known.any() else 0.0
        if fallback is not None:
            group = coded(train[fallback][known])
            at_level, of_level = group.positions(group.known), seen[known]
            typical[name] = {level: float(np.median(of_level[at_level == i])) for i, level in enumerate(group.known)}
    return {"fallback": fallback, "typical": typical, "default": default}


def _filling(columns: list[Array], config: FeaturizeConfig) -> dict[str, Any]:
    """Medians of each output, and the mean and standard deviation of what is then filled, as the configuration asks."""
    if config.missing == "keep":
        return {}
    fill = np.array([np.median(c[~np.isnan(c)]) if not np.isnan(c).all() else 0.0 for c in columns])
    if config.scale == "none":
        return {"fill": tuple(fill.tolist())}
    matrix = np.stack(columns, axis=1)
    filled = np.where(np.isnan(matrix), fill, matrix)
    deviation = filled.std(axis=0)
    return {
        "fill": tuple(fill.tolist()),
        "center": tuple(filled.mean(axis=0).tolist()),
        "scale": tuple(np.where(deviation > 0, deviation, 1.0).tolist()),
    }


def kinds_of(inputs: dict[str, Column]) -> dict[str, Kind]:
    """What inputs are to encoders: an integer is a number."""
    return {name: "number" if column.kind == "integer" else column.kind for name, column in inputs.items()}


def check_features(features: Features, lookups: tuple[Lookup, ...], schema: Schema) -> None:
    """Refuse a feature of a column that is not known at the moment of prediction, or that nobody has heard of."""
    looked_up = {name for lookup in lookups for name in lookup.columns.values()}
    if hidden := sorted(looked_up & schema.inputs.keys()):
        raise ConfigError(f"problem.lookups: {', '.join(hidden)} would hide an input of that name; give it another")
    if "target" in schema.inputs | dict.fromkeys(looked_up):
        raise ConfigError("an input or a looked-up column is called target, as the target itself is; rename it")
    check_created(features.created, looked_up | schema.inputs.keys())
    keys = [
        (f"lookup in {lookup.table}", c) for lookup in lookups for c in (lookup.key, lookup.fallback) if c is not None
    ]
    pairs = (*features.ratios, *features.differences, *features.groups)
    uses = [(name, name) for name in features.columns] + [(n, a) for n in features.created for a in arguments(n)]
    uses += [(f"[{', '.join(pair)}]", name) for pair in pairs for name in pair if name not in features.created]
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
    check_kinds(features, kinds_of(schema.inputs) | dict.fromkeys(looked_up, "number"))


def check_created(names: tuple[str, ...], columns: set[str]) -> None:
    """Refuse a created feature that is no function, is two, or hides one of `columns`."""
    if unknown_names := [name for name in names if name not in LIBRARY]:
        raise ConfigError(
            f"problem.features.created: no such function: {', '.join(unknown_names)}. Known: {', '.join(LIBRARY)}"
        )
    if several := [f"{name} ({', '.join(HOMES[name])})" for name in names if len(HOMES[name]) > 1]:
        raise ConfigError(
            f"problem.features.created: more than one function of the name: {', '.join(several)}; rename one"
        )
    if hidden := sorted(columns & set(names)):
        raise ConfigError(f"problem.features.created: {', '.join(hidden)} would hide a column of that name; rename it")


def check_kinds(features: Features, kinds: dict[str, Kind]) -> None:
    """Refuse what a column's kind does not allow; a column that `kinds` does not have (a created one) passes."""
    for name, encodings in features.encode.items():
        for encoding in encodings:
            if name in kinds and encoding not in ENCODINGS[kinds[name]]:
                allowed = ", ".join(ENCODINGS[kinds[name]])
                raise ConfigError(f"problem.features.encode.{name}: {encoding} is not for a {kinds[name]}: {allowed}")
    for where, pairs, wanted in (
        ("ratios", features.ratios, {("number", "number")}),
        ("differences", features.differences, {("number", "number"), ("time", "time")}),
        ("groups", features.groups, {("number", "category")}),
    ):
        for pair in pairs:
            found = tuple(kinds.get(name) for name in pair)
            if None not in found and found not in wanted:
                takes = " or ".join(f"a {first} and a {second}" for first, second in sorted(wanted))
                raise ConfigError(
                    f"problem.features.{where}: [{', '.join(pair)}] is a {found[0]} and a {found[1]}; it takes {takes}"
                )


def _floats(values: Array) -> list[float | None]:
    return [None if np.isnan(v) else float(v) for v in values]


def describe(fitted: Fitted) -> dict[str, Any]:
    """What was made and selected, for the report."""
    return {
        "candidates": len(fitted.information),
        "selected": list(fitted.plan.selected),
        "doubtful": list(fitted.doubtful),
        "cross_fitted": list(fitted.plan.crossed),
        "dropped": [{"feature": d.feature, "why": d.why} for d in fitted.dropped],
        "information": fitted.information,
    } | ({"stability": fitted.stability} if fitted.stability else {})


def ignored_columns(schema: Schema) -> tuple[str, ...]:
    """Columns of the table that a scorer is not to mind: what becomes known later, and what identifies a row."""
    return tuple(name for name in (*schema.outcomes, *schema.records) if name not in schema.inputs)


def main() -> None:
    """Fit the plan on training rows, apply it to both halves, write matrices and plan."""
    schema = build(Schema, read_json(paths.SCHEMA), str(paths.SCHEMA))
    features, lookups = load(Features, "problem.features"), load(tuple[Lookup, ...], "problem.lookups")
    check_features(features, lookups, schema)
    inputs = schema.inputs
    references = [(lookup, read_columns(paths.reference(lookup.table))) for lookup in lookups]
    train = read_columns(paths.TRAIN, [*inputs, "target"])
    classes = len(load(Target, "problem.target").classes)
    fitted = fit_plan(train, inputs, features, references, load(FeaturizeConfig, "featurize"), classes)
    fitted = replace(fitted, plan=replace(fitted.plan, ignored=ignored_columns(schema)))
    validation = read_columns(paths.VALIDATION, [*inputs, "target"])
    names, matrix = list(fitted.plan.selected), apply(fitted.plan, validation)
    sides = (paths.TRAIN_FEATURES, fitted.matrix, train), (paths.VALIDATION_FEATURES, matrix, validation)
    parallel_map(lambda side: write_matrix(side[0], side[1], names, side[2]["target"]), sides)
    write_plan(paths.FEATURES, fitted.plan)
    write_json(paths.FEATURES_REPORT, describe(fitted) | {"train_rows": rows(train)})


if __name__ == "__main__":
    run("featurize", main)
