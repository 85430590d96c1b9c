"""The gates of a draft, and settings that depend on the size of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.core.problem import Gate
from fullcircle.features.encoders import proposed
from fullcircle.scoring.predictions import outputs_of

if TYPE_CHECKING:
    from fullcircle.drafting.draft import Draft

TEST = 0.16  # share of test rows, as in conf/split/
WIDE = 80  # columns above which fitting time grows with their number
FOLDED = 16_000  # cost (see `_cost`) below which cross-validation is used
BLENDED = 50_000  # cost below which an ensemble is fitted; above it takes minutes
LARGE = 20_000  # rows from which metrics need no special settings
SMALL = 5_000  # rows below which slices and bins are smallest
COVERAGE = 0.9
TOLERANCE = 0.01  # share of rows that may be rejected in addition to those without a target


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of settings of a stage, with the reason."""

    stage: str
    values: dict[str, float]
    why: str


def gates(draft: Draft) -> list[Gate]:
    """Gates from a quick model: they require half of its gain over a constant prediction."""
    quick, classes = draft.quick, len(draft.target.classes)
    gain = abs(quick.score - quick.dummy)
    half = quick.dummy + (quick.score - quick.dummy) / 2
    why = f"halfway between a constant prediction ({quick.dummy:.3g}) and a quick model ({quick.score:.3g})"
    test = max(1.0, TEST * draft.known)
    primary = Gate(quick.metric, min=rounded(half), why=why)
    if quick.metric == "logloss":
        primary = Gate(quick.metric, max=rounded(half), why=why)
    found = [primary]
    if classes:
        slack = rounded(0.05 + 0.5 * float(np.sqrt(_metric_settings(draft)["bins"] / test)))
        found.append(Gate("ece", max=slack, why=f"calibration error; {test:,.0f} test rows allow no tighter limit"))
    else:
        least = rounded(COVERAGE - 0.05 - 2 * float(np.sqrt(COVERAGE * (1 - COVERAGE) / test)))
        found.append(
            Gate(
                "coverage",
                min=least,
                why=f"of the prediction interval; {test:,.0f} test rows allow no tighter limit",
            )
        )
    name = {"auc": "AUC above", "logloss": "log loss below", "r2": "R² above"}[quick.metric]
    found += [
        Gate(
            "over_dummy",
            min=max(0.01, rounded(gain / 4)),
            why=f"{name} a constant prediction: a quarter of the gain of the quick model",
        ),
        Gate("over_rule", min=0.0, why=f"{name} the best single column; otherwise a model is not worth it"),
        Gate("over_champion", min=0.0, why=f"{name} the model in use; unknown until one is registered"),
    ]
    return found


def settings(draft: Draft) -> list[Setting]:
    """Settings that differ from conf/defaults.yaml because the table is small or lacks targets."""
    rows, found = draft.known, []
    if _cost(draft) < FOLDED and draft.split.kind != "time":
        found.append(Setting("train", {"folds": 5}, "few rows: cross-validation, every row is held out once"))
    missing, undated = 1 - rows / draft.sample.rows, _undated(draft)
    if missing + undated > TOLERANCE:
        share = min(1.0, np.ceil(100 * (missing + undated + TOLERANCE)) / 100)
        lacking = [f"{missing:.1%} of the rows have no target"] if missing else []
        lacking += [f"{undated:.1%} have no {draft.split.columns[0]}"] if undated else []
        found.append(Setting("clean", {"max_rejected": share}, f"{' and '.join(lacking)}: they are rejected"))
    keys = ("min_level_rows", "smoothing", "ordered")
    levels = {name: value for name, value in proposed(rows).items() if name in keys}
    if rows < SMALL:
        levels["min_information"] = 0
    why = "limits for rare levels, for a table of this size; levels are ordered by their mean target"
    found.append(Setting("featurize", levels, why))
    if rows < LARGE:
        found.append(
            Setting("validate", _metric_settings(draft), "smaller slices and fewer bins, since test rows are few")
        )
    return found


def _undated(draft: Draft) -> float:
    """Share of the rows without the date of a split by time."""
    if draft.split.kind != "time":
        return 0.0
    date = next(column.profile for column in draft.columns if column.profile.name == draft.split.columns[0])
    return date.nulls / max(1, len(date.values))


def model(draft: Draft) -> tuple[str, str]:
    """The first model, with the reason."""
    if _cost(draft) < BLENDED:
        return "ensemble", "for a small table no single model is reliably the best"
    if len(draft.target.classes) > 2:
        return "xgboost_fast", "for many rows and several classes: larger steps are as good and faster"
    return "xgboost", "trees handle numbers, categories and missing values directly"


def _cost(draft: Draft) -> float:
    """The cost of a fit in rows: boosting grows one tree per class, and scans every column."""
    return draft.known * outputs_of(len(draft.target.classes)) * max(1.0, len(draft.inputs) / WIDE)


def rounded(value: float) -> float:
    """Two significant digits; three from 0.5 to 1, the range of most metrics."""
    return float(f"{value:.3g}" if 0.5 <= abs(value) < 1 else f"{value:.2g}")


def _metric_settings(draft: Draft) -> dict[str, float]:
    if draft.known >= LARGE:
        return {"slice_rows": 500, "bins": 15}
    return {"slice_rows": 30, "bins": 5} if draft.known < SMALL else {"slice_rows": 100, "bins": 10}
