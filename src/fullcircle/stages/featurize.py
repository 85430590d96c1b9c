"""featurize: train and validation rows -> feature matrices, by a plan that is fitted on training rows only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fullcircle.base.columns import Array
from fullcircle.base.threads import parallel_map
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.problem import Features, Lookup
from fullcircle.core.progress import doing
from fullcircle.core.schema import Schema
from fullcircle.core.stage import run
from fullcircle.core.tables import read_columns, read_typed, write_json, write_matrix
from fullcircle.core.target import Target
from fullcircle.features.plan import Plan, write_plan
from fullcircle.features.selection import FeaturizeReport, Selection
from fullcircle.features.transform import apply
from fullcircle.featurizing.checks import check_features
from fullcircle.featurizing.config import FeaturizeConfig
from fullcircle.featurizing.fit import fit_plan

if TYPE_CHECKING:
    from fullcircle.base.columns import Columns


@dataclass(frozen=True, slots=True)
class Featurized:
    """The plan, the feature matrices of both halves, float32 (rows, selected), and what was selected and why.

    `train`: to learn from; its columns in `plan.crossed` are out of fold.
    """

    plan: Plan
    train: Array
    validation: Array
    selection: Selection


def featurize(
    train: Columns,
    validation: Columns,
    schema: Schema,
    features: Features,
    lookups: list[tuple[Lookup, Columns]],
    config: FeaturizeConfig,
    n_classes: int,
) -> Featurized:
    """Fit the plan on training rows and apply it to both halves.

    `train`: inputs and `target`; `validation`: inputs. `lookups`: each with its reference table. `n_classes`: of the
    target, 0 for a number. Raises ConfigError for features that may not be used, DataError if none can be selected.
    """
    check_features(features, tuple(lookup for lookup, _ in lookups), schema)
    fitted = fit_plan(train, schema.inputs, features, lookups, config, n_classes)
    matrix = apply(fitted.plan, {name: validation[name] for name in schema.inputs})
    return Featurized(replace(fitted.plan, ignored=ignored_columns(schema)), fitted.matrix, matrix, fitted.selection)


def ignored_columns(schema: Schema) -> tuple[str, ...]:
    """Columns of the table that a scorer ignores: what becomes known later, and what identifies a row."""
    return tuple(name for name in (*schema.outcomes, *schema.records) if name not in schema.inputs)


def report(featurized: Featurized) -> FeaturizeReport:
    """What was computed and selected."""
    selection = featurized.selection
    return FeaturizeReport(
        candidates=len(selection.information),
        selected=selection.selected,
        doubtful=selection.doubtful,
        cross_fitted=featurized.plan.crossed,
        dropped=selection.dropped,
        information=selection.information,
        stability=selection.stability,
        train_rows=len(featurized.train),
    )


def main() -> None:
    """Featurize both halves; write matrices, plan and report."""
    schema = read_typed(Schema, paths.SCHEMA)
    features, lookups = load(Features, "problem.features"), load(tuple[Lookup, ...], "problem.lookups")
    references = [(lookup, read_columns(paths.reference(lookup.table))) for lookup in lookups]
    columns = [*schema.inputs, "target"]
    train, validation = read_columns(paths.TRAIN, columns), read_columns(paths.VALIDATION, columns)
    n_classes = len(load(Target, "problem.target").classes)
    config = load(FeaturizeConfig, "featurize")
    doing("fitting features")
    made = featurize(train, validation, schema, features, references, config, n_classes)
    doing("writing")
    files = (paths.TRAIN_FEATURES, made.train), (paths.VALIDATION_FEATURES, made.validation)
    parallel_map(lambda file: write_matrix(*file, made.plan.selected), files)
    write_plan(paths.FEATURES, made.plan)
    write_json(paths.FEATURES_REPORT, plain(report(made)))


if __name__ == "__main__":
    run("featurize", main)
