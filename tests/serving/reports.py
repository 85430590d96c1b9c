"""Reports of windows as monitoring writes them, made up."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from fullcircle.base.typed import plain
from fullcircle.evaluation.slices import Slice
from fullcircle.log.monitored import Noted, Rule, note_alerts, read_kept, save_report, save_rule
from fullcircle.monitoring.drift import ColumnDrift, Drift
from fullcircle.monitoring.estimates import Estimate
from fullcircle.monitoring.outliers import Outliers
from fullcircle.monitoring.quality import Measure, Quality
from fullcircle.monitoring.report import Accuracy, WindowReport
from fullcircle.serving.windows import MOST, shown

if TYPE_CHECKING:
    import sqlalchemy as sql

METRICS = ("auc", "ap", "log_loss", "brier", "ece", "accuracy", "f1", "precision", "recall", "balanced", "mcc", "cost")
HOSTILE = "<script>document.title='taken'</script>"


def report(
    day: int,
    *,
    bundle: str = "a" * 64,
    version: str = "0.1.0",
    columns: int = 38,
    shifted: bool = False,
    outcomes: bool = True,
    complete: bool = True,
    level: str = "UA",
) -> WindowReport:
    """The report of a day from 2013-01-01 on. `shifted`: two thirds of the columns drifted."""
    chance = random.Random(day)  # noqa: S311  no secret
    label = (date(2013, 1, 1) + timedelta(day)).isoformat()
    auc = chance.gauss(0.62 if shifted else 0.72, 0.02)
    metrics: dict[str, float | None] = {name: auc if name == "auc" else chance.random() for name in METRICS}
    accuracy = Accuracy(
        950,
        metrics,
        {name: (value - 0.0312345678, value + 0.0312345678) for name, value in metrics.items() if value is not None},
        {"metric": auc, "surprise": chance.gauss(0, 0.02)},
        tuple(Slice("carrier", f"{level}{i}", 300 - i, (0.2,), {"auc": auc - i / 50, "brier": 0.1}) for i in range(8)),
        0.2 + chance.random() / 20,
        0.2 + chance.random() / 20,
    )
    drifted = [shifted and at % 3 > 0 for at in range(columns)]
    found = [
        ColumnDrift(
            f"column_{at}",
            "input" if at else "prediction",
            chance.uniform(0.11, 0.6) if moved else chance.uniform(0, 0.1),
            0.1,
            0.0001 if moved else 0.5,
            moved,
            None,
            f"{level} 12% -> 24%",
        )
        for at, moved in enumerate(drifted)
    ]
    measures = [
        Measure(f"column_{at}", "unknown", 40, 0.04, 0.0, 0.001, shifted and at < 5, (level, "XX"))
        for at in range(columns)
    ]
    return WindowReport(
        label,
        bundle,
        version,
        complete,
        40,
        1000,
        950,
        {f"carrier is {level}": 20, "distance not in 10..6000": 30},
        {"p50": chance.uniform(3, 5), "p95": chance.uniform(8, 12), "p99": chance.uniform(15, 40)},
        Drift(950, 1, 0.003, tuple(sorted(found, key=lambda column: column.p_value))),
        Quality(950, 50, tuple(measures)),
        Outliers(3, 12, 0.012, 0.01, 0.05, 0.1, 0.4, shifted, ()),
        Estimate(auc + 0.01, auc - 0.04, auc + 0.06, "cbpe", 950),
        accuracy if outcomes else None,
    )


def kept(engine: sql.Engine, reports: list[WindowReport]) -> None:
    """Keep reports in the database of a log."""
    for each in reports:
        save_report(engine, each.label, each.bundle, json.dumps(plain(each)), complete=each.complete)


def ruled(engine: sql.Engine, bundle: str) -> None:
    """Keep the rule of a bundle."""
    save_rule(engine, bundle, Rule("auc", False, 0.95, 0.72, 0.05))


def alarmed(engine: sql.Engine, bundle: str, label: str, reason: str) -> None:
    """Keep one alert that is over, and two that are on."""
    drift = Noted(bundle, "drift", "warn", label, reason, "find out why", label)
    note_alerts(engine, [drift], label)
    note_alerts(engine, [], label)
    accuracy = Noted(bundle, "accuracy", "retrain", label, f"about 0.1 below: {reason}", "retrain", label)
    note_alerts(engine, [drift, accuracy], label)


def plainly(reports: list[WindowReport]) -> list[dict[str, Any]]:
    """The reports as JSON has them."""
    return [json.loads(json.dumps(plain(each))) for each in reports]


def read(engine: sql.Engine) -> dict[str, Any]:
    """What the page shows of a log."""
    return shown(read_kept(engine, MOST))
