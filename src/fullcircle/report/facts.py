"""Facts: everything that the page and the card show, gathered from the files of a run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from fullcircle.base.checks import Column
from fullcircle.base.typed import build
from fullcircle.core import paths
from fullcircle.core.config import load
from fullcircle.core.schema import Schema
from fullcircle.report.files import contents, number, numbers, numbers_by, rows
from fullcircle.report.parts import Asked, Confusion, Curves, Fit, Raw, Selection, Sifted, Split, Spread, Tested
from fullcircle.scoring.predictions import Calibration
from fullcircle.scoring.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fullcircle.core.target import Target

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Facts:
    """One run, from the question to the verdict. `versions`: package -> version of what it ran with."""

    problem: Asked
    withheld: tuple[str, ...]  # columns that become known only after the moment of prediction
    observed: str | None  # the table of last observations
    model: dict[str, Any]
    judging: dict[str, Any]  # the configuration of validate
    raw: dict[str, Raw]
    sifted: dict[str, Sifted]
    unobserved: int | None  # rows without an observation; None where the problem has none
    by_month: dict[str, Spread]
    split: Split
    selection: Selection
    fit: Fit
    calibration: Calibration
    spread: Spread  # of the test rows that were scored
    tested: Tested
    confusion: Confusion
    curves: Curves
    verdict: Verdict
    inputs: dict[str, Column]
    versions: dict[str, str]


def gather(versions: dict[str, str] | None = None) -> Facts:
    """Read the files of the last run. Raises DataError if one is missing, ConfigError if it is odd."""
    problem = _part(Asked, {f.name: load(Any, f"problem.{f.name}") for f in fields(Asked)}, "problem")
    schema = _part(Schema, contents(paths.SCHEMA), str(paths.SCHEMA))
    clean, months = contents(paths.CLEAN_REPORT), contents(paths.LABEL_REPORT).get("by_month", {})
    trained, tested = contents(paths.TRAIN_REPORT), contents(paths.TEST_REPORT)
    splitting = load(dict[str, Any], "split")
    return Facts(
        problem=problem,
        withheld=schema.outcomes,
        observed=schema.observed,
        model=load(dict[str, Any], "model"),
        judging=load(dict[str, Any], "validate"),
        raw={name: _part(Raw, table, name) for name, table in contents(paths.RAW_MANIFEST).items()},
        sifted={name: _part(Sifted, table, name) for name, table in clean["tables"].items()},
        unobserved=_unobserved(clean) if schema.observed else None,
        by_month={month: _part(Spread, spread, month) for month, spread in months.items()},
        split=_split(splitting, contents(paths.SPLIT_REPORT), problem.target),
        selection=_part(Selection, contents(paths.FEATURES_REPORT), str(paths.FEATURES_REPORT)),
        fit=_fit(trained, contents(paths.TRAIN_METRICS), splitting),
        calibration=build(Calibration, trained["calibration"], f"{paths.TRAIN_REPORT}: answer"),  # type: ignore[arg-type]
        spread=_part(Spread, tested, str(paths.TEST_REPORT)),
        tested=_tested(tested, contents(paths.TEST_METRICS)),
        confusion=_confusion(paths.CONFUSION, problem.target.classes),
        curves=_curves(paths.CURVE / "plots" / "metrics"),
        verdict=_part(Verdict, contents(paths.VERDICT), str(paths.VERDICT)),
        inputs=build(dict[str, Column], contents(paths.SCORER / "features.json")["inputs"], "inputs"),
        versions=versions or {},
    )


def _unobserved(clean: dict[str, Any]) -> int | None:
    found = clean.get("point_in_time", {}).get("rows_without_observation")
    return None if found is None else int(found)


def _split(config: dict[str, Any], report: dict[str, Any], target: Target) -> Split:
    sides = {side: _part(Spread, report[side], side) for side in ("train", "validation", "test")}
    keys = ("validation_from", "test_from") if config["kind"] == "time" else ()
    borders = tuple(_border(config[key]) for key in keys)
    return Split(config["kind"], tuple(config["columns"]), sides, _spans(config, borders, target), borders)


def _border(values: Sequence[float | str]) -> str:
    """A border as people write it: 2013-09-01 of 2013, 9 and 1, and text as it is."""
    return "-".join(v if isinstance(v, str) else f"{v:.15g}".zfill(2) for v in values)


def _spans(config: dict[str, Any], borders: tuple[str, ...], target: Target) -> dict[str, str]:
    if borders:
        train, test = f"before {borders[0]}", f"from {borders[1]}"
        return {"train": train, "validation": f"from {borders[0]}, before {borders[1]}", "test": test}
    what = "of groups" if config["kind"] == "group" else "of each class" if target.classes else "of all rows"
    shares = {side: f"{config[side]:.0%} {what}, by hash" for side in ("validation", "test")}
    return {"train": "the rest"} | shares


def _fit(report: dict[str, Any], metrics: dict[str, Any], split: dict[str, Any]) -> Fit:
    folds = 1 if split["kind"] == "time" else load(int, "train.folds")
    return _part(Fit, report | {"rounds": metrics.get("rounds"), "folds": folds}, str(paths.TRAIN_REPORT))


def _tested(report: dict[str, Any], metrics: dict[str, Any]) -> Tested:
    behaved = [{k: v for k, v in check.items() if k != "passed"} for check in report["behaviour"]]
    return _part(Tested, report | {"metrics": metrics, "behaviour": behaved}, str(paths.TEST_REPORT))


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


def _part(kind: type[T], data: dict[str, Any], where: str) -> T:
    """A `kind` of the keys that it has: a report may say more than the page shows."""
    known = {f.name: data[f.name] for f in fields(kind) if f.name in data}  # type: ignore[arg-type]
    return build(kind, known, where)
