"""Facts by hand: a small run of each task, with one of everything that the page and the card show."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from fullcircle.base.checks import Column
from fullcircle.cleaning.report import TableReport
from fullcircle.core.manifest import RawTable
from fullcircle.core.problem import Behaviour, SignOff
from fullcircle.core.target import BinaryTarget, Costs, MulticlassTarget, RegressionTarget, TargetDistribution
from fullcircle.evaluation.behaviour import Behaved
from fullcircle.evaluation.champion import Comparison, Difference
from fullcircle.evaluation.reports import BaselineMetrics, Member, TrainReport, ValidateReport
from fullcircle.evaluation.slices import Slice
from fullcircle.features.selection import Dropped, FeaturizeReport
from fullcircle.pointintime.spec import Moment
from fullcircle.report.facts import Facts
from fullcircle.report.parts import Confusion, Curves, Question, Split
from fullcircle.scoring.predictions import (
    BinaryCalibration,
    Calibration,
    MulticlassCalibration,
    RegressionCalibration,
)
from fullcircle.scoring.verdict import GateResult, Verdict

INPUTS = {
    "weight": Column("number", min=0, max=30, about="kg"),
    "depot": Column("category", levels=("north", "south")),
    "rain_1h": Column("number", missing="keep", min=0, about="mm"),
}
TASKS = ("binary", "multiclass", "regression")
SPECIES = ("adelie", "chinstrap", "gentoo")


BY_HASH = "about 16% of all rows, drawn by hash"


def problem(**changed: Any) -> Question:
    """The question; `changed` replaces any part of it."""
    parts: dict[str, Any] = {
        "name": "parcels",
        "question": "Will this parcel be lost?",
        "decision": "The depot decides which parcels travel by hand.",
        "unit": "one parcel",
        "moment": Moment("hour", "minute", 1),
        "table": "parcels",
        "target": BinaryTarget("binary", "lost", "lost", "found", "arrived_at.isna()", about="never arrives"),
        "metric": "auc",
        "costs": Costs(4, 1),
        "slices": ("depot",),
        "behaviour": (Behaviour("heavier", "weight", "same", add=1, tolerance=0.05),),
        "sign_off": SignOff("head of the depot"),
        "limits": ("It knows nothing of letters.",),
    }
    return Question(**(parts | changed))


def scored(auc: float, ece: float, rec: float) -> dict[str, float | None]:
    """The values of a slice of two classes."""
    return {"auc": auc, "ece": ece, "rec": rec}


def judgement(**changed: Any) -> ValidateReport:
    """The metrics of 2,000 test rows; `changed` replaces any part of it."""
    parts: dict[str, Any] = {
        "task": "binary",
        "metric": "auc",
        "distribution": TargetDistribution(2000, 0.15),
        "interval": 0.9,
        "resampled_by": ("year", "month", "day"),
        "rejected": {"weight is missing": 7},
        "metrics": {"auc": 0.812345, "logloss": 0.398765, "ece": 0.0312345, "prec": 0.454545, "rec": 0.66667},
        "intervals": {"auc": (0.79, 0.83), "logloss": (0.37, 0.42), "ece": (0.02, 0.05), "rec": (0.6, 0.7)},
        "baselines": BaselineMetrics({"auc": 0.5, "logloss": 0.4227}, {"auc": 0.6543}, "weight"),
        "slices": (
            Slice("depot", "north", 1500, (0.1,), scored(0.83, 0.02, 0.7)),
            Slice("depot", "south", 480, (0.3,), scored(0.74, 0.06, 0.6)),
            Slice("depot", "east", 20, (0.2,), dict.fromkeys(("auc", "ece", "rec"))),
        ),
        "behaviour": (Behaved("heavier", "same", 0.9996, 0.9, -0.001),),
    }
    return ValidateReport(**(parts | changed))


def comparison(**changed: Any) -> Comparison:
    """Challenger and champion on 1,990 rows; `changed` replaces any part of it."""
    parts: dict[str, Any] = {
        "version": "1.2.0",
        "rows": 1990,
        "rejected": {"weight not in 0..20": 10},
        "overall": Difference("", "", 1990, 0.812, 0.8, 0.012, (-0.001, 0.025)),
        "slices": (
            Difference("depot", "north", 1500, 0.83, 0.814, 0.016, (0.002, 0.03)),
            Difference("depot", "south", 480, 0.74, 0.745, -0.005, (-0.03, 0.02)),
            Difference("depot", "east", 10, None, None, None, (None, None)),
        ),
    }
    return Comparison(**(parts | changed))


def fitted(calibration: Calibration, **changed: Any) -> TrainReport:
    """The report of a model of 3 rounds; `changed` replaces any part of it."""
    parts: dict[str, Any] = {
        "train_score": 0.876543,
        "validation": {"auc": 0.823456},
        "one_rule": "weight",
        "validation_rows_with_unknown_levels": {},
        "rounds": 3,
    }
    return TrainReport(calibration=calibration, **(parts | changed))


def facts(**changed: Any) -> Facts:
    """A whole run; `changed` replaces any part of it."""
    parts: dict[str, Any] = {
        "problem": problem(),
        "withheld": ("arrived_at",),
        "observed": "gauges",
        "model": {"name": "forest", "trees": 40},
        "evaluation": {"resamples": 300, "slice_rows": 100},
        "raw": {
            "parcels": RawTable("parcels 1.0, parcels.csv", 10_000, "ab" * 32, {}),
            "gauges": RawTable("g", 50, "cd" * 32, {}),
        },
        "tables": {
            "parcels": TableReport(10_000, 9_990, 10, {"too heavy": 10}, {"rain clipped": 3}, {"depot": 1}),
            "gauges": TableReport(50, 50, 0, {}, {}, {}),
        },
        "unobserved": 12,
        "by_month": {
            "2024-01": TargetDistribution(6000, 0.1),
            "2024-02": TargetDistribution(2000, 0.2),
            "2024-03": TargetDistribution(1990, 0.15),
        },
        "split": Split(
            "time",
            ("year", "month", "day"),
            {
                "train": TargetDistribution(6000, 0.1),
                "validation": TargetDistribution(1990, 0.2),
                "test": TargetDistribution(2000, 0.15),
            },
            {"train": "before 2024-02-01", "validation": "in between", "test": "from 2024-03-01"},
            ("2024-02-01", "2024-03-01"),
        ),
        "selection": FeaturizeReport(
            candidates=3,
            selected=("weight", "depot=north"),
            doubtful=(),
            cross_fitted=(),
            dropped=(Dropped("depot=south", "is like depot=north"),),
            information={"weight": 0.05},
            train_rows=6000,
        ),
        "fit": fitted(BinaryCalibration("binary", "found", "lost", 1.1, -0.2, 0.2)),
        "tested": judgement(),
        "confusion": Confusion(("found", "lost"), ((1460, 240), (100, 200))),
        "curves": Curves(
            {
                "train": ((0, 0.6), (1, 0.5), (2, 0.4), (3, 0.35)),
                "validation": ((0, 0.6), (1, 0.5), (2, 0.45), (3, 0.46)),
            },
            {"lost": ((0, 0), (0.1, 0.6), (1, 1))},
            {"lost": ((0.1, 0.9), (1, 0.15))},
            ((0.05, 0.1, 1000), (0.15, 0.2, 1000)),
            (),
            (("weight", 0.8), ("depot=north", 0.2)),
        ),
        "verdict": Verdict(
            "blessed",
            (
                GateResult("auc", 0.812345, 0.7, None, 0.112345, "passed", "chance is not enough"),
                GateResult("slice_gap", 0.072345, None, 0.1, 0.027655, "passed", ""),
                GateResult("over_champion", None, 0.0, None, None, "unknown", ""),
            ),
        ),
        "inputs": INPUTS,
        "versions": {"numpy": "2.4.0"},
    }
    return Facts(**(parts | changed))


def of_classes(classes: tuple[str, ...] = SPECIES) -> Facts:
    """A run of several classes: rows in no order of time, evaluated by folds, an ensemble, no moment and no costs."""
    share = {name: 1 / len(classes) for name in classes}
    rows = tuple(
        tuple(90 - 3 * i if i == j else (i + 2 * j) % 3 for j in range(len(classes))) for i in range(len(classes))
    )
    metrics = {"auc": 0.97, "logloss": 0.31, "brier": 0.18, "ece": 0.04, "acc": 0.91, "bacc": 0.9, "f1": 0.89}
    whole = facts()
    return replace(
        whole,
        problem=problem(
            name="penguins",
            question="Which species is it?",
            target=MulticlassTarget("multiclass", "species", "species", classes, "by two people"),
            metric="logloss",
            moment=None,
            costs=None,
            behaviour=(Behaviour("heavier", "weight", "up", add=1, of=classes[-1], tolerance=0.05),),
        ),
        model={"name": "ensemble", "picks": 20, "members": [{"name": "linear", "c": c} for c in (0.1, 1.0, 9.0)]},
        split=Split(
            "random",
            (),
            {
                side: TargetDistribution(n, shares=share)
                for side, n in {"train": 600, "validation": 150, "test": 300}.items()
            },
            {
                "train": "the rest",
                "validation": BY_HASH,
                "test": BY_HASH,
            },
        ),
        by_month={month: TargetDistribution(500, shares=share) for month in ("2024-01", "2024-02")},
        fit=fitted(
            MulticlassCalibration("multiclass", classes, 0.9),
            train_score=0.12,
            validation={"logloss": 0.28, "acc": 0.92},
            rounds=None,
            folds=5,
            members=(Member(0, 0.35, None), Member(2, 0.65, None)),
        ),
        tested=judgement(
            distribution=TargetDistribution(300, shares=share),
            resampled_by=(),
            metrics=metrics,
            intervals={name: (value - 0.02, value + 0.02) for name, value in metrics.items()},
            baselines=BaselineMetrics({"auc": 0.5, "logloss": 1.0986, "acc": 0.34}, {"logloss": 0.7}, "weight"),
            slices=(
                Slice("depot", "north", 200, tuple(share.values()), {"logloss": 0.29, "acc": 0.92, "ece": 0.03}),
                Slice("depot", "south", 100, tuple(share.values()), {"logloss": 0.36, "acc": 0.88, "ece": 0.07}),
            ),
            behaviour=(Behaved("heavier", "up", 0.95, 0.9, 0.021),),
        ),
        confusion=Confusion(classes, rows),
        curves=replace(
            whole.curves,
            roc={name: ((0.0, 0.0), (0.1, 0.97 - 0.02 * i), (1.0, 1.0)) for i, name in enumerate(classes)},
            precision_recall={name: ((0.1, 0.98), (0.9, 0.9 - 0.02 * i)) for i, name in enumerate(classes)},
            calibration=((0.55, 0.5, 100), (0.8, 0.82, 100), (0.97, 0.99, 100)),
        ),
        verdict=Verdict(
            "rejected",
            (
                GateResult("logloss", 0.31, None, 0.3, -0.01, "failed", "the clerk is called by it"),
                GateResult("over_dummy", 0.7886, 0.5, None, 0.2886, "passed", ""),
                GateResult("slice_gap", 0.05, None, 0.1, 0.05, "passed", ""),
            ),
        ),
    )


def of_numbers(scale: float = 1.0, unit: str = "mm") -> Facts:
    """A run whose target is a number, `scale` times one of about 150."""
    metrics = {
        "r2": 0.4312, "rmse": 55.1234 * scale, "mae": 43.2109 * scale, "medae": 36.5 * scale, "bias": -1.234 * scale,
        "coverage": 0.87, "width": 180.5 * scale,
    }  # fmt: skip
    around = {name: (value - abs(value) / 9, value + abs(value) / 9) for name, value in metrics.items()}
    bins = [(80.0 + 15 * i, 84.0 + 14.4 * i, 40.0) for i in range(11)]
    spread = TargetDistribution(440, None, {}, 152.1 * scale, 77.1 * scale, 25 * scale, 140.5 * scale, 346 * scale)
    whole = facts()
    return replace(
        whole,
        problem=problem(
            name="growth",
            question="How far will this plant have grown?",
            target=RegressionTarget("regression", "growth", "growth", unit, 0.9, "a year later"),
            metric="r2",
            moment=None,
            costs=None,
        ),
        split=replace(
            whole.split,
            sides={side: replace(spread, rows=n) for side, n in {"train": 300, "validation": 70, "test": 70}.items()},
        ),
        by_month={
            f"2024-{i + 1:02}": replace(spread, mean=(150 + 30 * math.sin(i)) * scale, rows=40) for i in range(9)
        },
        fit=fitted(
            RegressionCalibration("regression", 152.0 * scale, 77.0 * scale, 90.25 * scale, 0.9),
            train_score=0.61,
            validation={"r2": 0.4512, "mae": 42 * scale},
        ),
        tested=judgement(
            distribution=spread,
            metrics=metrics,
            intervals=around | {"width": (180.5 * scale, 180.5 * scale), "coverage": (0.81, 0.93)},
            baselines=BaselineMetrics({"r2": -0.001, "rmse": 77 * scale, "mae": 64 * scale}, {"r2": 0.33}, "weight"),
            slices=(
                Slice("depot", "north", 40, (150.0 * scale,), {"r2": 0.44, "mae": 42.0 * scale, "bias": 2.5 * scale}),
                Slice("depot", "south", 30, (155.0 * scale,), {"r2": 0.39, "mae": 45.0 * scale, "bias": -6 * scale}),
            ),
            behaviour=(Behaved("heavier", "same", 0.97, 0.9, 1.5 * scale),),
        ),
        confusion=Confusion((), ()),
        curves=replace(
            whole.curves,
            roc={},
            precision_recall={},
            calibration=tuple((x * scale, y * scale, n) for x, y, n in bins),
            residuals=tuple(
                (x * scale, (-60 - x / 5) * scale, (y - x - 2) * scale, (70 + x / 5) * scale, n) for x, y, n in bins
            ),
        ),
        verdict=Verdict(
            "blessed",
            (
                GateResult("r2", 0.4312, 0.3, None, 0.1312, "passed", "a line explains as much"),
                GateResult("mae", 43.2109 * scale, None, 50 * scale, 6.7891 * scale, "passed", ""),
                GateResult("over_rule", 0.1, 0.0, None, 0.1, "passed", ""),
            ),
        ),
    )


def of_task(task: str) -> Facts:
    """A run of a task."""
    return {"binary": facts(), "multiclass": of_classes(), "regression": of_numbers()}[task]
