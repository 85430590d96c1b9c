"""What the page of monitoring shows: short series, made from the reports of windows."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ..log.monitored import Kept, Noted, Rule

MOST = 400  # reports: a year of days, and more
ALERTS = 200  # that are over
CHANGES = 3  # in words, of each window
SLICES = 300
REASONS = 8  # of a window's rows that were set aside; the others are added up
EXAMPLES, LONGEST = 3, 60  # of unknown levels; letters of one
FAR = 9999  # percent of a threshold
LEVELS = ("ok", "warn", "retrain")

Report = dict[str, Any]


def shown(kept: Kept) -> dict[str, Any]:
    """All that the page shows, from what the log's database keeps."""
    return {"problem": kept.problem, **series([json.loads(text) for text in kept.reports], kept.alerts, kept.rules)}


def series(reports: Sequence[Report], alerts: Sequence[Noted], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """The series of the page. `reports`: plain `WindowReport`s in the order of time. `rules`: by bundle id.

    Numbers have 5 significant digits. Effects of drift are in percent of their threshold, above 100 where the column
    drifted, null where the window has none.
    """
    bundles = [*dict.fromkeys(report["bundle"] for report in reports)]
    on = [alert for alert in alerts if alert.cleared is None]
    over = [alert for alert in alerts if alert.cleared is not None][-ALERTS:]
    return {
        "status": max((alert.level for alert in on), key=LEVELS.index, default="ok"),
        "alerts": [asdict(alert) for alert in [*over, *on]],
        "bundles": [_bundle(name, reports, rules.get(name)) for name in bundles],
        "windows": [_window(report, bundles.index(report["bundle"])) for report in reports],
        "drift": _drift(reports),
        "quality": _quality(reports),
        "slices": _slices(reports, rules),
    }


def _bundle(name: str, reports: Iterable[Report], rule: Rule | None) -> dict[str, Any]:
    mine = [report for report in reports if report["bundle"] == name]
    held = {} if rule is None else asdict(rule) | {"usual": short(rule.usual), "loss": short(rule.loss)}
    return {
        "id": name,
        "version": mine[-1]["version"],
        "first": mine[0]["label"],
        "last": mine[-1]["label"],
        "windows": len(mine),
        "rows": sum(report["rows"] for report in mine),
        **held,
    }


def _window(report: Report, bundle: int) -> dict[str, Any]:
    accuracy, estimate, outliers = report.get("accuracy"), report.get("estimate"), report["outliers"]
    found: dict[str, Any] = {
        "label": report["label"],
        "bundle": bundle,
        "complete": report["complete"],
        "requests": report["requests"],
        "rows": report["rows"],
        "scored": report["scored"],
        "set_aside": _reasons(report["set_aside"]),
        "ms": [short(report["ms"][name]) for name in ("p50", "p95", "p99")],
    }
    if outliers["unusual"]:
        found["outliers"] = [short(outliers["share"]), short(outliers["usual"])]
    if accuracy is not None:
        found["accuracy"] = {
            "rows": accuracy["rows"],
            "expected": short(accuracy.get("expected")),
            "observed": short(accuracy.get("observed")),
            "metrics": {name: _metric(accuracy, name) for name in accuracy["metrics"]},
        }
    if estimate is not None and estimate.get("value") is not None:
        found["estimate"] = {name: short(estimate.get(name)) for name in ("value", "low", "high")}
        found["estimate"]["method"] = estimate["method"]
    return found


def _reasons(set_aside: Mapping[str, int]) -> dict[str, int]:
    """The reasons of most rows, and all others as one."""
    order = sorted(set_aside.items(), key=lambda item: (-item[1], item[0]))
    found = dict(order[:REASONS])
    if rest := sum(rows for _, rows in order[REASONS:]):
        found["other reasons"] = rest
    return found


def _metric(accuracy: Mapping[str, Any], name: str) -> list[float | None]:
    """Value, low, high."""
    low, high = accuracy["intervals"].get(name, (None, None))
    return [short(accuracy["metrics"][name]), short(low), short(high)]


def _drift(reports: Sequence[Report]) -> dict[str, Any]:
    """Columns, those first that drifted in the most windows; and of each window the effect of each column."""
    kinds: dict[str, str] = {}
    drifted: dict[str, list[tuple[str, str]]] = {}
    furthest: dict[str, int] = {}
    found = []
    for report in reports:
        percent = {}
        for column in report["drift"]["columns"]:
            name = column["name"]
            percent[name] = _percent(column)
            kinds.setdefault(name, column["kind"])
            furthest[name] = max(furthest.get(name, 0), percent[name])
            if column["drifted"]:
                drifted.setdefault(name, []).append((report["label"], column["change"]))
        found.append(percent)
    order = sorted(kinds, key=lambda name: (-len(drifted.get(name, ())), -furthest[name], name))
    place = {name: at for at, name in enumerate(order)}
    columns = []
    for name in order:
        times = drifted.get(name, [])
        last, change = times[-1] if times else (None, None)
        columns.append({"name": name, "kind": kinds[name], "drifted": len(times), "last": last, "change": change})
    return {
        "columns": columns,
        "percent": [[percent.get(name) for name in order] for percent in found],
        "changes": [_changes(report, place) for report in reports],
    }


def _changes(report: Report, place: Mapping[str, int]) -> list[tuple[int, str]]:
    """The columns that drifted the furthest, with the change in words."""
    found = [column for column in report["drift"]["columns"] if column["drifted"]][:CHANGES]
    return [(place[column["name"]], column["change"]) for column in found]


def _percent(column: Mapping[str, Any]) -> int:
    """The effect in percent of its threshold; of what drifted above 100, else at most 100."""
    effect, threshold, drifted = column["effect"], column["threshold"], column["drifted"]
    percent = round(min(FAR, 100 * effect / threshold)) if threshold > 0 else FAR if drifted else 0
    return min(FAR, max(101, percent)) if drifted else min(100, percent)


def _quality(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Measures that were unusual, the latest first; values of the last window in which they were."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for report in reports:
        for measure in report["quality"]["measures"]:
            if measure["unusual"]:
                key = measure["name"], measure["what"]
                found[key] = {
                    "name": measure["name"],
                    "what": measure["what"],
                    "share": short(measure["share"]),
                    "usual": short(measure["usual"]),
                    "examples": [str(level)[:LONGEST] for level in measure.get("examples", ())[:EXAMPLES]],
                    "windows": found.get(key, {}).get("windows", 0) + 1,
                    "last": report["label"],
                }
    return sorted(found.values(), key=lambda each: (each["last"], each["windows"], each["name"]), reverse=True)


def _slices(reports: Sequence[Report], rules: Mapping[str, Rule]) -> dict[str, Any] | None:
    """The slices of the last complete window that has some."""
    for report in reversed(reports):
        accuracy = report.get("accuracy")
        if not report["complete"] or accuracy is None or not accuracy.get("slices"):
            continue
        rule = rules.get(report["bundle"])
        rows = []
        for each in accuracy["slices"][:SLICES]:
            metric = rule.metric if rule is not None else next(iter(each["values"]), "")
            mean = short(each["mean"][0]) if len(each["mean"]) == 1 else None
            value = short(each["values"].get(metric))
            rows.append([each["column"], each["level"][:LONGEST], each["rows"], mean, value])
        return {"label": report["label"], "bundle": report["bundle"], "rows": rows}
    return None


def short(value: float | None) -> float | None:
    """A number with 5 significant digits; None for what is not finite.

    >>> short(0.123456789), short(None)
    (0.12346, None)
    """
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")
