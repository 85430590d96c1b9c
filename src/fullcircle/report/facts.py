"""Facts: everything that the page and the card show, gathered from the files of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from fullcircle.base.checks import Column
from fullcircle.base.typed import build
from fullcircle.cleaning.report import CleanReport, TableReport
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.manifest import RawTable
from fullcircle.core.schema import Schema
from fullcircle.core.split import SplitReport
from fullcircle.core.tables import read_typed
from fullcircle.core.target import LabelReport, TargetDistribution
from fullcircle.evaluation.reports import TrainReport, ValidateReport
from fullcircle.features.selection import FeaturizeReport
from fullcircle.report.files import contents, number, numbers, numbers_by, rows
from fullcircle.report.parts import Confusion, Curves, Question, Split
from fullcircle.scoring.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fullcircle.scoring.predictions import Calibration


@dataclass(frozen=True, slots=True)
class Facts:
    """One run, from the question to the verdict. `versions`: package -> version of what it ran with."""

    problem: Question
    withheld: tuple[str, ...]  # columns that become known only after the moment of prediction
    observed: str | None  # the table of last observations
    model: dict[str, Any]
    evaluation: dict[str, Any]  # the configuration of validate
    raw: dict[str, RawTable]
    tables: dict[str, TableReport]  # counts of `clean`
    unobserved: int | None  # rows without an observation; None if the problem has none
    by_month: dict[str, TargetDistribution]
    split: Split
    selection: FeaturizeReport
    fit: TrainReport
    tested: ValidateReport
    confusion: Confusion
    curves: Curves
    verdict: Verdict
    inputs: dict[str, Column]
    versions: dict[str, str]

    @property
    def calibration(self) -> Calibration:
        """What the margins of the model mean."""
        return self.fit.calibration

    @property
    def spread(self) -> TargetDistribution:
        """The distribution of the target over the test rows that were scored."""
        return self.tested.distribution


def gather(versions: dict[str, str] | None = None) -> Facts:
    """Read the files of the last run. Raises DataError if one is missing, ConfigError if it is not as expected."""
    problem = Question(**{name: load(kind, f"problem.{name}") for name, kind in get_type_hints(Question).items()})
    schema = read_typed(Schema, paths.SCHEMA)
    clean = read_typed(CleanReport, paths.CLEAN_REPORT)
    return Facts(
        problem=problem,
        withheld=schema.outcomes,
        observed=schema.observed,
        model=load(dict[str, Any], "model"),
        evaluation=load(dict[str, Any], "validate"),
        raw=read_typed(dict[str, RawTable], paths.RAW_MANIFEST),
        tables=clean.tables,
        unobserved=clean.point_in_time.rows_without_observation if schema.observed else None,
        by_month=read_typed(LabelReport, paths.LABEL_REPORT).by_month,
        split=_split(load(dict[str, Any], "split"), read_typed(SplitReport, paths.SPLIT_REPORT)),
        selection=read_typed(FeaturizeReport, paths.FEATURES_REPORT),
        fit=read_typed(TrainReport, paths.TRAIN_REPORT),
        tested=read_typed(ValidateReport, paths.TEST_REPORT),
        confusion=_confusion(paths.CONFUSION, problem.target.classes),
        curves=_curves(paths.CURVE / "plots" / "metrics"),
        verdict=read_typed(Verdict, paths.VERDICT),
        inputs=build(dict[str, Column], contents(paths.SCORER / "features.json")["inputs"], "inputs"),
        versions=versions or {},
    )


def _split(config: dict[str, Any], report: SplitReport) -> Split:
    sides = {"train": report.train, "validation": report.validation, "test": report.test}
    keys = ("validation_from", "test_from") if report.kind == "time" else ()
    borders = tuple(_border(config[key]) for key in keys)
    return Split(report.kind, report.columns, sides, _spans(config, borders), borders)


def _border(values: Sequence[float | str]) -> str:
    """A border as people write it: 2013-09-01 of 2013, 9 and 1, and text as it is."""
    return "-".join(v if isinstance(v, str) else f"{v:.15g}".zfill(2) for v in values)


def _spans(config: dict[str, Any], borders: tuple[str, ...]) -> dict[str, str]:
    if borders:
        train, test = f"before {borders[0]}", f"from {borders[1]}"
        return {"train": train, "validation": f"from {borders[0]}, before {borders[1]}", "test": test}
    what = "groups" if config["kind"] == "group" else "rows"
    shares = {side: f"about {config[side]:.0%} of all {what}, drawn by hash" for side in ("validation", "test")}
    return {"train": "the rest"} | shares


def _confusion(path: Path, classes: tuple[str, ...]) -> Confusion:
    counts = {(row["actual"], row["predicted"]): int(row["rows"]) for row in rows(path)}
    return Confusion(classes, tuple(tuple(counts[actual, predicted] for predicted in classes) for actual in classes))


def _curves(rounds: Path) -> Curves:
    logged = {side: rounds / f"{side}.tsv" for side in ("train", "validation")}
    return Curves(
        learning={side: numbers(path, "step", side) for side, path in logged.items() if path.is_file()},
        roc=numbers_by(paths.ROC, "class", "fpr", "tpr"),
        precision_recall=numbers_by(paths.PRECISION_RECALL, "class", "recall", "precision"),
        calibration=numbers(paths.CALIBRATION, "predicted", "observed", "rows"),
        residuals=numbers(paths.RESIDUALS, "predicted", "low", "median", "high", "rows"),
        importance=tuple((r["feature"], number(r["importance"])) for r in rows(paths.IMPORTANCE)),
    )
