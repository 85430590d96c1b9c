"""Fitting of the plan on training rows: lookups, encoders, selection, filling and scaling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.base.columns import Array, Rows
from fullcircle.base.errors import DataError
from fullcircle.features.categories import levels_of
from fullcircle.features.encoders import Encoder, fit_encoders, kind_of, unlike
from fullcircle.features.numbers import Difference, Ratio, fit_group
from fullcircle.features.plan import FORMAT, Plan
from fullcircle.features.selection import Selection, is_constant, select
from fullcircle.features.stability import select_stable
from fullcircle.features.targets import indicators
from fullcircle.features.transform import encode, matrix_of, prepare
from fullcircle.featurizing.checks import check_kinds, kinds_of
from fullcircle.featurizing.importance import tree_importance
from fullcircle.featurizing.lookups import fit_lookup

if TYPE_CHECKING:
    from fullcircle.base.checks import Column
    from fullcircle.base.columns import Columns
    from fullcircle.core.problem import Features, Lookup
    from fullcircle.featurizing.config import FeaturizeConfig


@dataclass(frozen=True, slots=True)
class Fitted:
    """The plan, the feature matrix of the training rows, and what selection did.

    `matrix`: float32 (rows, selected). It is what `apply` computes of the same rows, except the columns named in
    `plan.crossed`, which are out of fold.
    """

    plan: Plan
    matrix: Array
    selection: Selection


def fit_plan(
    train: Columns,
    inputs: dict[str, Column],
    features: Features,
    lookups: list[tuple[Lookup, Columns]],
    config: FeaturizeConfig,
    n_classes: int,
) -> Fitted:
    """Fit lookups, encoders, selection, filling and scaling on training rows (columns with `target`).

    `lookups`: each with its reference table. `n_classes`: of the target, 0 for a number. Raises DataError if no
    feature has more than one value, ConfigError if a created feature is not of the kind that it is used as.
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
    # A category of one level has one mean, but one per fold out of fold: noise that identifies the fold.
    learnt = {name: values for name, values in learnt.items() if not is_constant(encoded[name])}
    encoded |= learnt
    chosen = select(encoded, target, n_classes, config.max_correlation, config.min_information)
    if not chosen.selected:
        raise DataError(f"none of {len(encoded)} features has more than one value among {len(target):,} training rows")
    if config.select == "stable":
        importance = partial(tree_importance, n_classes=n_classes)
        chosen = select_stable(chosen, encoded, target, importance, config.min_stability)
    crossed = tuple(name for name in chosen.selected if name in learnt)
    filling = _filling([encoded[name] for name in chosen.selected], config)
    plan = replace(plan, selected=chosen.selected, crossed=crossed, **filling)
    return Fitted(plan, matrix_of(plan, encoded), chosen)


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


def _filling(columns: list[Array], config: FeaturizeConfig) -> dict[str, Any]:
    """Medians of each output, and the mean and standard deviation of what is then filled, as configured."""
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
