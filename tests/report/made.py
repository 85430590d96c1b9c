"""Facts by hand: a small run about parcels, with one of everything that the page and the card show."""

from __future__ import annotations

from typing import Any

from fullcircle.core.problem import (
    Behaviour,
    Costs,
    Moment,
    SignOff,
    Target,
)
from fullcircle.evaluation.behaviour import Behaved
from fullcircle.evaluation.gates import Judged, Verdict
from fullcircle.evaluation.slices import Slice
from fullcircle.report.facts import (
    Asked,
    Confusion,
    Curves,
    Dropped,
    Facts,
    Fit,
    Raw,
    Selection,
    Share,
    Sifted,
    Split,
    Tested,
)
from fullcircle.runtime.columns import Column

INPUTS = {
    "weight": Column("number", min=0, max=30, about="kg"),
    "depot": Column("category", levels=("north", "south")),
    "rain_1h": Column("number", missing="keep", min=0, about="mm"),
}


def problem(**changed: Any) -> Asked:
    """The question; `changed` replaces any part of it."""
    parts: dict[str, Any] = {
        "name": "parcels",
        "question": "Will this parcel be lost?",
        "decision": "The depot decides which parcels travel by hand.",
        "unit": "one parcel",
        "moment": Moment("hour", "minute", 1),
        "table": "parcels",
        "target": Target("lost", "arrived_at.isna()", "lost", "found", "never arrives"),
        "metric": "auc",
        "costs": Costs(4, 1),
        "slices": ("depot",),
        "behaviour": (Behaviour("heavier", "weight", "same", add=1, tolerance=0.05),),
        "sign_off": SignOff("head of the depot"),
        "limits": ("It knows nothing of letters.",),
    }
    return Asked(**(parts | changed))


def judgement(**changed: Any) -> Tested:
    """What 2,000 test rows said; `changed` replaces any part of it."""
    parts: dict[str, Any] = {
        "rows": 2000,
        "positive": 0.15,
        "threshold": 0.2,
        "interval": 0.9,
        "resampled_by": ("year", "month", "day"),
        "rejected": {"weight is missing": 7},
        "metrics": {"auc": 0.812345, "logloss": 0.398765, "ece": 0.0312345, "prec": 0.454545, "rec": 0.66667},
        "intervals": {"auc": (0.79, 0.83), "logloss": (0.37, 0.42), "ece": (0.02, 0.05), "rec": (0.6, 0.7)},
        "baselines": {"dummy_auc": 0.5, "dummy_logloss": 0.4227, "rule_auc": 0.6543, "rule_column": "weight"},
        "slices": (
            Slice("depot", "north", 1500, 0.1, 0.83, 0.02, 0.7),
            Slice("depot", "south", 480, 0.3, 0.74, 0.06, 0.6),
            Slice("depot", "east", 20, 0.2, None, None, None),
        ),
        "behaviour": (Behaved("heavier", "same", 0.9996, 0.9, -0.001),),
    }
    return Tested(**(parts | changed))


def facts(**changed: Any) -> Facts:
    """A whole run; `changed` replaces any part of it."""
    parts: dict[str, Any] = {
        "problem": problem(),
        "withheld": ("arrived_at",),
        "observed": "gauges",
        "model": {"name": "forest", "trees": 40},
        "judging": {"resamples": 300, "slice_rows": 100},
        "raw": {
            "parcels": Raw("parcels 1.0, parcels.csv", 10_000, "ab" * 32),
            "gauges": Raw("g", 50, "cd" * 32),
        },
        "sifted": {
            "parcels": Sifted(10_000, 9_990, 10, {"too heavy": 10}, {"rain clipped": 3}, {"depot": 1}),
            "gauges": Sifted(50, 50, 0, {}, {}, {}),
        },
        "unobserved": 12,
        "by_month": {"2024-01": Share(6000, 0.1), "2024-02": Share(2000, 0.2), "2024-03": Share(1990, 0.15)},
        "split": Split(
            "time",
            ("year", "month", "day"),
            {"train": Share(6000, 0.1), "validation": Share(1990, 0.2), "test": Share(2000, 0.15)},
            {"train": "before 2024-02-01", "validation": "in between", "test": "from 2024-03-01"},
            ("2024-02-01", "2024-03-01"),
        ),
        "selection": Selection(
            3, ("weight", "depot=north"), (Dropped("depot=south", "is like depot=north"),), {"weight": 0.05}
        ),
        "fit": Fit(0.876543, {"auc": 0.823456}, {"slope": 1.1, "intercept": -0.2}, 3),
        "tested": judgement(),
        "confusion": Confusion(200, 100, 240, 1460),
        "curves": Curves(
            {
                "train": ((0, 0.6), (1, 0.5), (2, 0.4), (3, 0.35)),
                "validation": ((0, 0.6), (1, 0.5), (2, 0.45), (3, 0.46)),
            },
            ((0, 0), (0.1, 0.6), (1, 1)),
            ((0.1, 0.9), (1, 0.15)),
            ((0.05, 0.1, 1000), (0.15, 0.2, 1000)),
            (("weight", 0.8), ("depot=north", 0.2)),
        ),
        "verdict": Verdict(
            "blessed",
            (
                Judged("auc", 0.812345, 0.7, None, 0.112345, "passed", "chance is not enough"),
                Judged("slice_gap", 0.072345, None, 0.1, 0.027655, "passed", ""),
                Judged("over_champion", None, 0.0, None, None, "unknown", ""),
            ),
        ),
        "inputs": INPUTS,
        "versions": {"numpy": "2.4.0"},
    }
    return Facts(**(parts | changed))
