"""What is good enough to begin with, and the settings that a table of this size asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.core.problem import Gate
from fullcircle.features.encoders import proposed
from fullcircle.scoring.predictions import outputs_of

if TYPE_CHECKING:
    from fullcircle.drafting.draft import Draft

TEST = 0.16  # share of the rows that are test rows, as conf/split/ has it
WIDE = 80  # columns from which on each more takes more time
FOLDED = 16_000  # rows times outputs, more if wide, below which each is judged once, by a model that has not seen it
BLENDED = 50_000  # and below which a blend of models is fitted: above it takes minutes
SETTLED = 20_000  # rows below which what is judged must be judged by fewer
SMALL = 5_000
COVERAGE = 0.9
LOST = 0.01  # share of rows that may be rejected besides those without a target


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of settings of a stage, and why."""

    stage: str
    values: dict[str, float]
    why: str


def gates(draft: Draft) -> list[Gate]:
    """Thresholds from a quick model: half of what it gains on knowing nothing is asked for."""
    quick, classes = draft.quick, len(draft.target.classes)
    gain = abs(quick.score - quick.dummy)
    half = quick.dummy + (quick.score - quick.dummy) / 2
    said = f"halfway between knowing nothing ({quick.dummy:.3g}) and a quick model ({quick.score:.3g})"
    test = max(1.0, TEST * draft.known)
    primary = Gate(quick.metric, min=rounded(half), why=said)
    if quick.metric == "logloss":
        primary = Gate(quick.metric, max=rounded(half), why=said)
    found = [primary]
    if classes:
        slack = rounded(0.05 + 0.5 * float(np.sqrt(_settled(draft)["bins"] / test)))
        found.append(Gate("ece", max=slack, why=f"probabilities must hold; {test:,.0f} test rows tell it no closer"))
    else:
        least = rounded(COVERAGE - 0.05 - 2 * float(np.sqrt(COVERAGE * (1 - COVERAGE) / test)))
        found.append(
            Gate("coverage", min=least, why=f"of the prediction interval; {test:,.0f} test rows tell it no closer")
        )
    name = {"auc": "AUC above", "logloss": "log loss below", "r2": "R² above"}[quick.metric]
    found += [
        Gate(
            "over_dummy",
            min=max(0.01, rounded(gain / 4)),
            why=f"{name} knowing nothing: a quarter of what the quick model gains",
        ),
        Gate("over_rule", min=0.0, why=f"{name} the best single column; less does not pay for a model"),
        Gate("over_champion", min=0.0, why=f"{name} the model now in use; unknown until one is registered"),
    ]
    return found


def settings(draft: Draft) -> list[Setting]:
    """What stages do otherwise than conf/config.yaml says, for the table is small or lacks targets."""
    rows, found = draft.known, []
    if _work(draft) < FOLDED and draft.split.kind != "time":
        found.append(
            Setting("train", {"folds": 5}, "so few rows: each is judged once, by a model that has not seen it")
        )
    lacking = 1 - rows / draft.taken.rows
    if lacking > LOST:
        share = min(1.0, np.ceil(100 * (lacking + LOST)) / 100)
        found.append(
            Setting("clean", {"max_rejected": share}, f"{lacking:.1%} of the rows have no target, and are set aside")
        )
    asked = ("min_level_rows", "smoothing", "ordered")
    levels = {name: value for name, value in proposed(rows).items() if name in asked}
    if rows < SMALL:
        levels["min_information"] = 0
    why = "levels count even of few rows, as far as so many rows let them, and in the order of their targets"
    found.append(Setting("featurize", levels, why))
    if rows < SETTLED:
        found.append(Setting("validate", _settled(draft), "as few rows can tell"))
    return found


def model(draft: Draft) -> tuple[str, str]:
    """The model to begin with, and why."""
    if _work(draft) < BLENDED:
        return "ensemble", "of a small table no one model is the best for sure"
    if len(draft.target.classes) > 2:
        return "xgboost_fast", "of many rows and several classes: larger steps are as good, and sooner there"
    return "xgboost", "trees take numbers, categories and gaps as they come"


def _work(draft: Draft) -> float:
    """What a fit takes, in rows: boosting grows a tree a class, and looks at every column."""
    return draft.known * outputs_of(len(draft.target.classes)) * max(1.0, len(draft.inputs) / WIDE)


def rounded(value: float) -> float:
    """Two significant digits, three from 0.5 to 1 where they count."""
    return float(f"{value:.3g}" if 0.5 <= abs(value) < 1 else f"{value:.2g}")


def _settled(draft: Draft) -> dict[str, float]:
    if draft.known >= SETTLED:
        return {"slice_rows": 500, "bins": 15}
    return {"slice_rows": 30, "bins": 5} if draft.known < SMALL else {"slice_rows": 100, "bins": 10}
