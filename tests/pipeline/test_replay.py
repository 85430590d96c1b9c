"""Two weeks replayed day by day on the tests' problem: the real service, outcomes, monitoring and retraining."""

from __future__ import annotations

import shutil
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from benchmarks.replay import project as projects
from benchmarks.replay import show
from benchmarks.replay.quiet import quiet
from benchmarks.replay.world import World, span_of
from benchmarks.replay.year import Day, on_alert, replay

from fullcircle.registry.tags import read_tags
from tests.project import register

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Project

FIRST, LAST = "2013-02-20", "2013-03-05"
FEW = 20  # questions of a day, at least


@pytest.fixture(scope="module")
def world(reproduced: Project) -> World:
    return World.read(reproduced.folder)


@pytest.fixture(scope="module")
def first(reproduced: Project, world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it stood on the first day."""
    folder = tmp_path_factory.mktemp("replay") / "first"
    shutil.copytree(reproduced.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    projects.make(world, folder, FIRST, held_days=12)
    return folder


def run(world: World, first: Path, name: str, policy: str) -> list[Day]:
    folder = first.parent / name
    shutil.copytree(first, folder, symlinks=True)
    found: list[Day] = apart(replay, str(world.root), str(folder), policy, FIRST, LAST)
    return found


def apart(what: Callable[..., Any], *arguments: str) -> Any:
    """Call it in a process of its own: it changes the working directory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=register) as pool:
        return pool.submit(what, *arguments).result()


@pytest.fixture(scope="module")
def alerted(world: World, first: Path) -> list[Day]:
    return run(world, first, "alerted", "on alert")


@pytest.fixture(scope="module")
def monthly(world: World, first: Path) -> list[Day]:
    return run(world, first, "monthly", "monthly")


def test_every_answer_is_the_scorers(world: World, alerted: list[Day], monthly: list[Day]) -> None:
    for days in (alerted, monthly):
        assert len(days) == 14
        assert all(day.rows > FEW for day in days)
        assert sum(day.different for day in days) == 0
    assert [day.rows for day in alerted] == [len(world.asked_on(day.day)) for day in alerted]


def test_monitoring_estimates_the_metric_before_outcomes_are_in(alerted: list[Day], monthly: list[Day]) -> None:
    known = [day for day in alerted if day.value is not None]
    assert all(day.low <= day.estimate <= day.high for day in known)  # type: ignore[operator]
    error = np.mean([day.value - day.estimate for day in known])  # type: ignore[operator]
    assert abs(error) < 0.1
    assert all(day.status in ("ok", "warn", "retrain") for day in alerted)
    assert all(day.status == "" for day in monthly)


def test_on_the_first_of_the_month_new_data_is_trained_on(monthly: list[Day], first: Path) -> None:
    (tried,) = [day for day in monthly if day.retrained]
    assert (tried.day, tried.retrained) == ("2013-02-28", "1.0.1")
    tags = read_tags(first.parent / "monthly", "departures")
    assert [f"{each.version} {each.when:%Y-%m-%d}" for each in tags.versions] == [
        "1.0.0 2013-02-20",
        "1.0.1 2013-03-01",
    ]
    assert [day.version for day in monthly] == ["1.0.0"] * 9 + ["1.0.1"] * 5
    raw = pq.read_table(
        first.parent / "monthly/data/source/snapshots/flights-2013-03-01.parquet", columns=["time_hour"]
    )
    assert str(raw["time_hour"].to_numpy().astype("datetime64[D]").max()) == "2013-02-26"


def test_it_is_deterministic(world: World, first: Path, alerted: list[Day]) -> None:
    assert run(world, first, "again", "on alert") == alerted


def test_a_snapshot_has_no_outcome_that_was_not_known(world: World, tmp_path: Path) -> None:
    world.snapshot("2013-02-10", tmp_path)
    flights = pq.read_table(tmp_path / "flights-2013-02-10.parquet")
    assert 0 < flights.num_rows == int((world.raw["flights"][1] < span_of("2013-02-08")[0]).sum())


def test_an_alert_that_goes_on_asks_again_after_a_week() -> None:
    assert on_alert("2013-03-01", "retrain", None)
    assert not on_alert("2013-03-01", "warn", None)
    assert not on_alert("2013-03-07", "retrain", "2013-03-01")
    assert on_alert("2013-03-08", "retrain", "2013-03-01")


def test_quiet_years_raise_hardly_anything(world: World, first: Path) -> None:
    folder = first.parent / "quiet"
    shutil.copytree(first, folder, symlinks=True)
    found = apart(quiet, str(world.root), str(folder), "2013-02-07", "2013-02-18")
    assert found.days == 12
    assert found.alerts.get("accuracy", 0) + found.alerts.get("surprise", 0) <= 3


def test_the_table_and_the_picture(alerted: list[Day], monthly: list[Day]) -> None:
    found = {"monthly": monthly, "on alert": alerted}
    table = show.table(found, "AUC").splitlines()
    assert len({line.count("|") for line in table}) == 1
    assert [line.split("|")[1].strip() for line in table[2:]] == ["2013-02", "2013-03", "**all**"]
    rows = sum(day.rows for day in alerted)
    assert f"| {rows:,} |" in table[-1]
    assert f"| {100 * sum(day.cost for day in monthly) / rows:.1f} |" in table[-1]
    assert "| monthly | 1 |" in show.counts(found)
    assert show.picture(found, "AUC").count("<polyline") >= 4
