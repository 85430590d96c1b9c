"""Writes dashboard.json: `python deploy/grafana/make_dashboard.py`. A change of a panel is readable here."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("dashboard.json")
SOURCE = {"type": "prometheus", "uid": "${source}"}
OF = 'job="$job", instance=~"$instance"'
ROUTES = 'route!~"/health.*|/v2/health.*|/ping|/metrics|/static.*"'
WIDTH, HEIGHT = 8, 8  # of a panel, in Grafana's units; a row has 24
GREEN, YELLOW, RED = "green", "yellow", "red"


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `queries`: legend -> PromQL. `steps`: value -> colour from it on, where the colour means something."""

    title: str
    about: str
    queries: dict[str, str]
    kind: str = "timeseries"
    unit: str = "short"
    steps: dict[float, str] = field(default_factory=dict)
    width: int = WIDTH
    height: int = HEIGHT


def rate(metric: str, *by: str, more: str = "") -> str:
    """The rate per second of a counter, summed over copies of the service."""
    return f"sum by ({', '.join(by)}) (rate({metric}{{{OF}{more}}}[$__rate_interval]))"


def quantile(part: float) -> str:
    """A quantile of the time to answer, in seconds."""
    return f"histogram_quantile({part}, {rate('fullcircle_request_seconds_bucket', 'le', more=f', {ROUTES}')})"


COUNT = "fullcircle_request_seconds_count"
ALL = rate(COUNT, more=f", {ROUTES}")
FAILED, REFUSED = rate(COUNT, more=', status=~"5..", status!="503"'), rate(COUNT, more=', status="503"')
ROWS: dict[str, list[Panel]] = {
    "Now": [
        Panel("Copies that answer", "Targets of Prometheus that are up.", {"up": f"sum(up{{{OF}}})"}, "stat",
              steps={0: RED, 1: GREEN}, width=4, height=4),
        Panel("Bundle", "The bundle that answers.",
              {"{{problem}} {{version}} {{verdict}}":
               f"max by (problem, version, verdict) (fullcircle_bundle{{{OF}}}) == 1"}, "stat", width=8, height=4),
        Panel("Alerts that are on", "Raised by fullcircle monitor.",
              {"alerts": f"sum(max by (kind, level) (fullcircle_alert{{{OF}}})) or vector(0)"}, "stat",
              steps={0: GREEN, 1: YELLOW}, width=4, height=4),
        Panel("Monitoring ran", "Time since the moment up to which the log was monitored.",
              {"ago": f"time() - max(fullcircle_monitored_until_timestamp_seconds{{{OF}}})"}, "stat", "s",
              {0: GREEN, 172800: RED}, 4, 4),
        Panel("Outcomes are missing for", "Time from the last window with outcomes to the last run of monitoring.",
              {"for": f"max(fullcircle_monitored_until_timestamp_seconds{{{OF}}})"
                      f" - max(fullcircle_no_outcomes_since_timestamp_seconds{{{OF}}})"}, "stat", "s",
              {0: GREEN, 691200: RED}, 4, 4),
    ],
    "Model": [
        Panel("Alerts", "1 while an alert is on.",
              {"{{kind}} ({{level}})": f"max by (kind, level) (fullcircle_alert{{{OF}}})"}, "state-timeline",
              steps={0: GREEN, 1: RED}),
        Panel("Metrics of the last window with outcomes", "They arrive days after the window.",
              {"{{metric}}": f"max by (metric) (fullcircle_window_metric{{{OF}}})"}),
        Panel("Columns that drifted", "In the last window.",
              {"columns": f"max(fullcircle_window_drifted_columns{{{OF}}})"}),
    ],
    "Requests": [
        Panel("Requests", "By status.", {"{{status}}": rate(COUNT, "status", more=f", {ROUTES}")}, unit="reqps"),
        Panel("Time to answer", "Percentiles.", {f"p{p}": quantile(p / 100) for p in (50, 95, 99)}, unit="s"),
        Panel("Failed and refused", "Shares of requests: status 500 and above, and 503.",
              {"failed": f"{FAILED} / {ALL}", "refused": f"{REFUSED} / {ALL}"}, unit="percentunit"),
        Panel("Requests in flight", "Refused above limits.requests, per worker.",
              {"{{instance}}": f"sum by (instance) (fullcircle_requests_in_flight{{{OF}}})"}),
        Panel("Rows per call", "Requests in flight are scored together.",
              {"mean": f"{rate('fullcircle_batch_rows_sum')} / {rate('fullcircle_batch_rows_count')}"}),
        Panel("Other bundles in the folder", "Taken or refused, within 5 minutes.",
              {"{{outcome}}": f"sum by (outcome) (increase(fullcircle_reloads_total{{{OF}}}[5m]))"}),
    ],
    "Rows": [
        Panel("Rows", "Scored or set aside.", {"{{outcome}}": rate("fullcircle_rows_total", "outcome")}, unit="rps"),
        Panel("Rows set aside", "The five most frequent reasons.",
              {"{{reason}}": f"topk(5, {rate('fullcircle_rows_set_aside_total', 'reason')})"}, unit="rps"),
        Panel("Nulls", "The five inputs with most nulls.",
              {"{{column}}": f"topk(5, {rate('fullcircle_input_null_total', 'column')})"}, unit="rps"),
        Panel("Values outside those of training", "The five inputs with most.",
              {"{{column}}": f"topk(5, {rate('fullcircle_input_outside_total', 'column')})"}, unit="rps"),
        Panel("Prediction log", "Rows that are written or dropped.",
              {"{{outcome}}": rate("fullcircle_log_rows_total", "outcome")}, unit="rps"),
        Panel("Outcomes", "Over POST /outcomes.",
              {"{{outcome}}": rate("fullcircle_outcomes_total", "outcome")}, unit="rps"),
        Panel("Events", "Added to the state of past events, or set aside.",
              {"{{table}} {{outcome}}": rate("fullcircle_events_total", "table", "outcome")}, unit="rps"),
        Panel("State of past events", "Rows, by table.",
              {"{{table}}": f"max by (table) (fullcircle_state_rows{{{OF}}})"}),
        Panel("Alerts that could not be read", "From the log's database, within 15 minutes.",
              {"readings": f"sum(increase(fullcircle_monitoring_read_failures_total{{{OF}}}[15m]))"}),
    ],
}  # fmt: skip


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports and provisions it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS.items():
        place = {"x": 0, "y": top, "w": 24, "h": 1}
        panels.append({"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": place})
        left, top, tallest = 0, top + 1, 0
        for panel in row:
            if left + panel.width > 24:
                left, top, tallest = 0, top + tallest, 0
            panels.append(_panel(panel, {"x": left, "y": top, "w": panel.width, "h": panel.height}))
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest
    for number, each in enumerate(panels, start=1):
        each["id"] = number
    return {
        "uid": "fullcircle",
        "title": "Full Circle",
        "description": "A model that is served: requests, rows, log, and what monitoring has found.",
        "tags": ["fullcircle"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": _variables()},
        "panels": panels,
    }


def _variables() -> list[dict[str, Any]]:
    source = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1}

    def values(name: str, query: str, *, several: bool = False) -> dict[str, Any]:
        found = {"name": name, "type": "query", "datasource": SOURCE, "query": query, "refresh": 2, "sort": 1}
        return found | ({"multi": True, "includeAll": True, "allValue": ".*"} if several else {})

    return [
        source,
        values("job", "label_values(fullcircle_bundle, job)"),
        values("instance", 'label_values(fullcircle_bundle{job="$job"}, instance)', several=True),
    ]


def _panel(panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    colour = "thresholds" if panel.steps else "palette-classic"
    steps = [{"color": c, "value": None if at == 0 else at} for at, c in (panel.steps or {0: GREEN}).items()]
    custom = {"spanNulls": False, "fillOpacity": 10} if panel.kind == "timeseries" else {}
    made: dict[str, Any] = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [
            {"refId": chr(ord("A") + i), "expr": query, "legendFormat": legend, "datasource": SOURCE}
            for i, (legend, query) in enumerate(panel.queries.items())
        ],
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "color": {"mode": colour},
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": custom,
            },
            "overrides": [],
        },
        "options": {},
    }
    if panel.kind == "stat":
        name = "name" if panel.title == "Bundle" else "value"
        made["options"] = {"textMode": name, "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    return made


def text() -> str:
    """What dashboard.json has to be."""
    return json.dumps(dashboard(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
