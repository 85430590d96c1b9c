"""What was asked and answered, from the command line: outcomes, who, replay, on a log of the real server."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.log.records import plain_values
from fullcircle.packaging.golden import records, spaced
from fullcircle.scoring.bundle import Bundle
from tests.serving.servers import JSON, serving

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.conftest import Project

COUNT = 40


@pytest.fixture(scope="module")
def logged(reproduced: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A log of 40 answers in one request of 2013-03-20, and the rows that were asked about."""
    folder = tmp_path_factory.mktemp("logs")
    bundle = Bundle.load(reproduced.folder / paths.BUNDLE)
    inputs = bundle.scorer.plan.inputs
    kept = spaced(read_columns(reproduced.folder / paths.KEPT), COUNT)
    rows = records(kept, inputs)
    for name in bundle.about.row:
        for row, value in zip(rows, plain_values(kept[name]), strict=True):
            row[name] = value
    config = folder / "serving.yaml"
    config.write_text(f"predictions: {{url: 'sqlite:///{folder}/log.sqlite', clock: requests}}\n")
    code = {"PYTHONPATH": str(reproduced.folder / "src")}
    with serving(reproduced.folder / paths.BUNDLE, "--config", str(config), env=code) as server:
        assert server.post("/predict", {"rows": rows}, JSON | {"x-time": "2013-03-20T08:00:00Z"}).status == 200
        server.stop()
    names = ["time_hour", "origin", "carrier", "flight", "arr_delay"]
    whole = pq.read_table(reproduced.folder / paths.KEPT)
    wanted = spaced({"at": np.arange(whole.num_rows)}, COUNT)["at"]
    pq.write_table(whole.take(wanted).select(names), folder / "truth.parquet")
    return folder, rows


def run(project: Project, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return project.run("fullcircle", *command, "--log", f"sqlite:///{folder}/log.sqlite", check=False)


def named(row: dict[str, Any]) -> list[str]:
    return [f"{name}={row[name]}" for name in ("time_hour", "origin", "carrier", "flight")]


def test_outcomes_are_computed_from_the_columns_of_the_target(reproduced: Project, logged: Any) -> None:
    folder, _ = logged
    first = run(reproduced, folder, "outcomes", str(folder / "truth.parquet"))
    assert first.stdout == f"{COUNT} outcomes: {COUNT} added\n"
    again = run(reproduced, folder, "outcomes", str(folder / "truth.parquet"))
    assert again.stdout == f"{COUNT} outcomes: 0 added\n  {COUNT} known already\n"
    (folder / "wrong.csv").write_text("origin,late\nEWR,1\n")
    wrong = run(reproduced, folder, "outcomes", str(folder / "wrong.csv"))
    assert (wrong.returncode, "there is no column time_hour" in wrong.stdout) == (1, True)


def test_who_answered(reproduced: Project, logged: Any) -> None:
    folder, rows = logged
    run(reproduced, folder, "outcomes", str(folder / "truth.parquet"))
    found = run(reproduced, folder, "who", *named(rows[7]))
    bundle = Bundle.load(reproduced.folder / paths.BUNDLE)
    assert found.returncode == 0, found.stdout
    lines = found.stdout.splitlines()
    assert lines[0].startswith("2013-03-20 08:00:00  prediction ")
    assert lines[1] == f"  by        version {bundle.version}, bundle {bundle.id[:12]}, not registered"
    assert lines[2].startswith("  learnt    airlines ")
    assert lines[3] == "  champion  none"
    assert lines[-1].startswith("outcome: ")
    assert "not known" not in lines[-1]
    prediction = lines[4].split()[1].rstrip(",")
    assert run(reproduced, folder, "who", prediction).stdout == found.stdout
    assert "nothing was answered about" in run(reproduced, folder, "who", *named(rows[7] | {"flight": 99999})).stdout
    assert "there is no prediction 00/1" in run(reproduced, folder, "who", "00/1").stdout
    assert "name a record of departures as time_hour=..." in run(reproduced, folder, "who", "flight=1").stdout


def test_a_replay_is_the_same_to_the_last_bit_and_finds_what_is_not(
    reproduced: Project, logged: Any, tmp_path: Path
) -> None:
    folder, _ = logged
    same = run(reproduced, folder, "replay", "--day", "2013-03-20")
    assert same.returncode == 0
    assert f"{COUNT} of {COUNT} that were scored again are the same to the last bit" in same.stdout
    assert "nothing was answered" in run(reproduced, folder, "replay", "--day", "2013-03-21").stdout
    assert "'soon' is no day" in run(reproduced, folder, "replay", "--day", "soon").stdout
    with sqlite3.connect(folder / "log.sqlite") as source, sqlite3.connect(tmp_path / "log.sqlite") as other:
        source.backup(other)
        ((block, text),) = other.execute("SELECT id, answer FROM blocks").fetchall()
        answer = json.loads(text)
        answer["probability_late"][3] += 1e-12
        other.execute("UPDATE blocks SET answer = ? WHERE id = ?", (json.dumps(answer), block))
    changed = run(reproduced, tmp_path, "replay", "--day", "2013-03-20")
    assert changed.returncode == 1
    assert f"{COUNT - 1} of {COUNT} that were scored again are the same" in changed.stdout
    assert f"{block}/3, 2013-03-20 08:00:00: " in changed.stdout
    with sqlite3.connect(tmp_path / "log.sqlite") as other:
        other.execute("UPDATE blocks SET bundle = ?", ("0" * 64,))
    gone = run(reproduced, tmp_path, "replay", "--day", "2013-03-20")
    assert gone.returncode == 1
    assert "bundle 000000000000 is neither in dist/bundle nor registered" in gone.stdout
