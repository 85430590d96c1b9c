"""Alert rules and dashboard: what Prometheus accepts, where each rule fires, and that a wrong rule is found."""

from __future__ import annotations

import importlib.util
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from fullcircle.monitoring.messages import SEVERITY
from tests.deploy.files import DASHBOARD, DEPLOY, PROMETHEUS, RULES, output, queries, read_yaml, tool

if TYPE_CHECKING:
    from pathlib import Path

    import _pytest.monkeypatch

TESTS = sorted(PROMETHEUS.glob("tests*.yaml"))
ALERTS: dict[str, Any] = {rule["alert"]: rule for group in read_yaml(RULES)["groups"] for rule in group["rules"]}
PANELS = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]


def expected() -> dict[str, list[bool]]:
    """Alert -> of each of its tests, whether it is to fire."""
    found: dict[str, list[bool]] = {}
    for file in TESTS:
        for test in read_yaml(file)["tests"]:
            for each in test["alert_rule_test"]:
                found.setdefault(each["alertname"], []).append(bool(each["exp_alerts"]))
    return found


def alone(alert: str, expression: str, folder: Path) -> list[Path]:
    """Files that test one rule with another expression."""
    rule = ALERTS[alert] | {"expr": expression}
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [rule]}]}), encoding="utf-8")
    made = []
    for file in TESTS:
        content = read_yaml(file)
        content["tests"] = [each for each in content["tests"] if each["alert_rule_test"][0]["alertname"] == alert]
        if content["tests"]:
            made.append(folder / file.name)
            made[-1].write_text(yaml.safe_dump(content), encoding="utf-8")
    return made


def test_promtool_accepts_rules_and_configuration() -> None:
    promtool = tool("promtool")
    assert f"{len(ALERTS)} rules found" in output(promtool, "check", "rules", RULES)
    output(promtool, "check", "config", "--syntax-only", PROMETHEUS / "prometheus.yaml")


def test_the_rules_fire_where_they_should_and_nowhere_else() -> None:
    output(tool("promtool"), "test", "rules", *TESTS)


def test_each_rule_has_a_test_where_it_fires_and_one_where_it_does_not() -> None:
    found = expected()
    assert found.keys() == ALERTS.keys()
    assert {name for name, fires in found.items() if {*fires} != {True, False}} == set()


@pytest.mark.parametrize("instead", ["vector(1) > 2", "vector(1)"])
@pytest.mark.parametrize("alert", ALERTS)
def test_a_rule_that_never_or_always_fires_is_found(alert: str, instead: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=alert):
        output(tool("promtool"), "test", "rules", *alone(alert, instead, tmp_path))


@pytest.mark.parametrize("alert", ["FullCircleDown", "FullCircleMonitorStopped"])
def test_a_rule_passes_its_tests_alone(alert: str, tmp_path: Path) -> None:
    output(tool("promtool"), "test", "rules", *alone(alert, ALERTS[alert]["expr"], tmp_path))


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_has_a_severity_and_says_what_to_do(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in SEVERITY.values()
    assert rule["annotations"].keys() == {"summary", "description", "action"}
    assert all(rule["annotations"].values())
    assert alert.startswith("FullCircle")


def test_an_alert_of_monitoring_is_as_severe_as_the_message_about_it() -> None:
    found = {level: ALERTS[f"FullCircle{level.title()}"]["labels"]["severity"] for level in SEVERITY}
    assert found == SEVERITY


def test_every_query_is_promql(tmp_path: Path) -> None:
    rules = [{"record": "x", "expr": query, "labels": {"of": name}} for name, query in queries().items()]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    assert f"{len(rules)} rules found" in output(tool("promtool"), "check", "rules", "--lint=none", file)
    rules[0]["expr"] = "sum(rate(x)"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    with pytest.raises(AssertionError, match="could not parse expression"):
        output(tool("promtool"), "check", "rules", "--lint=none", file)


def test_the_dashboard_is_what_its_script_writes() -> None:
    spec = importlib.util.spec_from_file_location("make_dashboard", DEPLOY / "grafana/make_dashboard.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        _register(patch, made)
        spec.loader.exec_module(made)
    assert DASHBOARD.read_text(encoding="utf-8") == made.text(), "run python deploy/grafana/make_dashboard.py"


def _register(patch: _pytest.monkeypatch.MonkeyPatch, module: Any) -> None:
    """Dataclasses look their module up by its name."""
    import sys

    patch.setitem(sys.modules, module.__name__, module)


def test_no_panel_covers_another() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in PANELS:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} covers {taken[x, y]}"
                taken[x, y] = panel["title"]
                assert x < 24
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_the_dashboard_can_be_provisioned() -> None:
    made = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    assert made["uid"]
    assert "__inputs" not in made  # only an import by hand fills those in
    provisioning = DEPLOY / "grafana/provisioning"
    (source,) = read_yaml(provisioning / "datasources/fullcircle.yaml")["datasources"]
    (provider,) = read_yaml(provisioning / "dashboards/fullcircle.yaml")["providers"]
    assert (source["type"], provider["type"]) == ("prometheus", "file")
    variables = {each["name"] for each in made["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]+)\}?", json.dumps(made["panels"]).replace("$__rate_interval", "")))
    assert used == variables


def test_rules_and_dashboard_name_the_job_that_is_scraped() -> None:
    (job,) = read_yaml(PROMETHEUS / "prometheus.yaml")["scrape_configs"]
    text = RULES.read_text(encoding="utf-8")
    assert set(re.findall(r'job="([^"]+)"', text)) == {job["job_name"]}
    monitor = read_yaml(DEPLOY / "kubernetes/components/servicemonitor/servicemonitor.yaml")
    (endpoint,) = monitor["spec"]["endpoints"]
    assert {"targetLabel": "job", "replacement": job["job_name"]} in endpoint["relabelings"]
