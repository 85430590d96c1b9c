"""The table and the picture of a replay."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.report.charts import Axis, Series, axis, line_chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.replay.quiet import Quiet
    from benchmarks.replay.year import Day

ALERTED = "on alert"
STYLE = """
svg{font:12px system-ui,sans-serif;background:#fff}text{fill:#333}.tick,.name{font-size:11px}
polyline,.grid{fill:none;stroke:#ccc}.s1{stroke:#888;fill:#888}.s2{stroke:#c60;fill:#c60}.s3{stroke:#06c;fill:#06c}
polyline.s1,polyline.s2,polyline.s3{fill:none;stroke-width:1.8}circle{stroke:none}
"""
WIDTH, HEIGHT = 460, 300  # of one chart


def table(found: Mapping[str, Sequence[Day]], metric: str) -> str:
    """A row per month: the metric of each policy, and what it costs; of the policy that listens, all that happened.

    The metric is the mean over the days of a month; costs are those of the problem, per 100 rows.
    """
    names = [*found]
    head = ["month", "rows", *(f"{metric}, {name}" for name in names), "estimated", "true"]
    head += [*(f"cost, {name}" for name in names), "promoted and refused"]
    lines = [head, ["---", *["---:"] * (len(head) - 2), "---"]]
    months = [*dict.fromkeys(day.day[:7] for day in found[names[0]])]
    for month in [*months, ""]:
        of = {name: [day for day in found[name] if day.day.startswith(month)] for name in names}
        alerted = [day for day in of.get(ALERTED, []) if day.estimate is not None and day.value is not None]
        lines.append(
            [
                month or "**all**",
                f"{sum(day.rows for day in of[names[0]]):,}",
                *(f"{_mean(day.value for day in of[name]):.3f}" for name in names),
                f"{_mean(day.estimate for day in alerted):.3f}",
                f"{_mean(day.value for day in alerted):.3f}",
                *(f"{_cost(of[name]):.1f}" for name in names),
                "; ".join(filter(None, (_events(name, of[name]) for name in names))) if month else "",
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def counts(found: Mapping[str, Sequence[Day]]) -> str:
    """Per policy: retrainings, promotions, refusals, alerts by kind, and answers that differ from the scorer's."""
    lines = [
        "| policy | retrained | promoted | refused | days in `retrain` | alerts raised |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name, days in found.items():
        tried = [day.retrained for day in days if day.retrained]
        refused = sum(said.startswith("refused") for said in tried)
        raised = Counter(kind for day in days for kind in day.raised)
        shown = ", ".join(f"{kind} {count}" for kind, count in sorted(raised.items())) or "none"
        watched = any(day.status for day in days)
        asked = sum(day.status == "retrain" for day in days)
        cells = (len(tried), len(tried) - refused, refused, *((asked, shown) if watched else ("", "not monitored")))
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def of_quiet(quiet: Quiet, years: int, many: int) -> str:
    """The quiet years in words."""
    raised = ", ".join(f"{kind} {count}" for kind, count in quiet.alerts.items()) or "none"
    return (
        f"{years} quiet years, drawn from {quiet.days} days: alerts raised: {raised}. "
        f"Alarms that ask for retraining, over {many} such years: {quiet.rate:.2f} a year."
    )


def picture(found: Mapping[str, Sequence[Day]], metric: str) -> str:
    """Two charts: the metric of each policy by month; and by week, of the one that listens, estimated beside true."""
    months = [*dict.fromkeys(day.day[:7] for day in next(iter(found.values())))]
    place = {month: float(month[5:]) for month in months}
    by_month = [
        Series(name, [(place[m], _mean(d.value for d in days if d.day.startswith(m))) for m in months])
        for name, days in found.items()
    ]
    alerted = found.get(ALERTED, [])
    weeks = [alerted[at : at + 7] for at in range(0, len(alerted), 7)]
    at = [float(i) for i in range(len(weeks))]
    by_week = [
        Series("estimated", [*zip(at, (_mean(d.estimate for d in week) for week in weeks), strict=True)]),
        Series("true", [*zip(at, (_mean(d.value for d in week) for week in weeks), strict=True)]),
    ]
    charts = [
        _chart(f"{metric} by month", by_month, Axis("month", min(place.values()), max(place.values()))),
        _chart(f"{metric} by week, {ALERTED}", by_week, Axis("week", 0.0, max(at[-1:], default=1.0))),
    ]
    placed = [
        chart.replace("<svg ", f'<svg x="0" y="{i * HEIGHT}" width="{WIDTH}" height="{HEIGHT}" ', 1)
        for i, chart in enumerate(charts)
    ]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT * 2}" width="{WIDTH * 2}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>{"".join(placed)}</svg>\n'


def _chart(title: str, series: Sequence[Series], x: Axis) -> str:
    return line_chart(title, series, x, axis(title, [y for line in series for _, y in line.points]), dots=True)


def _events(name: str, days: Sequence[Day]) -> str:
    said = [f"{_next(day.day)}: {day.retrained}" for day in days if day.retrained]
    return f"{name}: {', '.join(said)}" if said else ""


def _next(day: str) -> str:
    found = date.fromisoformat(day) + timedelta(1)
    return f"{found.day} {found:%b}"


def _cost(days: Sequence[Day]) -> float:
    return 100 * sum(day.cost for day in days) / max(1, sum(day.rows for day in days))


def _mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")
