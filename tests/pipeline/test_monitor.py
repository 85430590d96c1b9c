"""`fullcircle monitor` on a real log: it sends what it raises, once, and its exit code is that of the alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.packaging.golden import records, spaced
from fullcircle.scoring.bundle import Bundle
from tests.monitoring.places import place
from tests.serving.servers import JSON, serving

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import Project


def monitor(project: Project, url: str, now: str, log: str) -> subprocess.CompletedProcess[str]:
    variables = ("env", f"THE_SLACK={url}")
    return project.run(*variables, "fullcircle", "monitor", "--log", log, "--now", now, check=False)


def test_an_alert_is_sent_when_it_is_raised_and_when_it_clears(copied: Project) -> None:
    log = f"sqlite:///{copied.folder}/log.sqlite"
    copied.edit("conf/monitoring.yaml", "notify: []", "notify: [{form: slack, url_env: THE_SLACK}]")
    copied.edit("conf/monitoring.yaml", "drift: warn", "drift: ignore")
    copied.edit("conf/monitoring.yaml", "quality: warn", "quality: ignore")
    bundle = Bundle.load(copied.folder / paths.BUNDLE)
    inputs = bundle.scorer.plan.inputs
    rows: list[dict[str, Any]] = records(spaced(read_columns(copied.folder / paths.TEST, [*inputs]), 20), inputs)
    config = copied.folder / "serving.yaml"
    config.write_text(f"predictions: {{url: '{log}', flush_seconds: 0.05, clock: requests}}\n")
    code = {"PYTHONPATH": str(copied.folder / "src")}
    for day in ("2013-11-05", "2013-11-08"):
        with serving(copied.folder / paths.BUNDLE, "--config", str(config), env=code) as server:
            assert server.post("/predict", {"rows": rows}, JSON | {"x-time": f"{day}T08:00:00Z"}).status == 200
            server.stop()
    with place() as slack:
        slack.statuses += [500] * 3
        failed = monitor(copied, slack.url + "/hush", "2013-11-07T06:00", log)
        assert failed.returncode == 10, failed.stdout
        assert "not sent to slack (THE_SLACK), and tried again by the next run: it answered 500" in failed.stdout
        assert "hush" not in failed.stdout
        raised = monitor(copied, slack.url, "2013-11-07T07:00", log)
        assert (raised.returncode, "sent to slack (THE_SLACK): 1 raised, 0 cleared" in raised.stdout) == (10, True)
        assert "*warn: traffic* since 2013-11-06" in slack.bodies[-1]["text"]
        assert "sent to" not in monitor(copied, slack.url, "2013-11-07T08:00", log).stdout
        cleared = monitor(copied, slack.url, "2013-11-09T06:00", log)
        assert (cleared.returncode, "sent to slack (THE_SLACK): 0 raised, 1 cleared" in cleared.stdout) == (0, True)
    with sql.create_engine(log).connect() as connection:
        assert connection.execute(sql.text("SELECT runs, until FROM monitor_runs")).one() == (4, 1383976800.0)
