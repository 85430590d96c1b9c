"""A policy of retraining, day by day through the real service."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.replay.project import SERVED, SNAPSHOTS, command, environment
from benchmarks.replay.service import LOG, Service, serving
from benchmarks.replay.world import OUTCOME_DAYS, World, days_between, span_of
from fullcircle.commands.bundles import watched_or_why
from fullcircle.commands.monitor import read_monitoring
from fullcircle.core.config import load
from fullcircle.log.database import connect
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.run import Watched, monitor
from fullcircle.monitoring.streams import METRIC, values_of
from fullcircle.registry.tags import read_tags
from fullcircle.scoring.bundle import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.base.columns import Array
    from fullcircle.monitoring.report import WindowReport

PATIENCE = 7  # days between two retrainings that an alert asks for


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one policy.

    `value`: of the primary metric, of the day's answers; None of one class. `estimate`, `low`, `high`: what monitoring
    estimated before the outcomes were in. `cost`: of the decisions, by the problem's costs. `raised`: kinds of alerts.
    `retrained`: "" if it was not, the version that was promoted, or `refused: ` and the gates. `different`: answers
    that are not bit for bit what the scorer gives for the pipeline's features.
    """

    day: str
    version: str
    rows: int
    value: float | None
    cost: float
    different: int
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    status: str = ""
    raised: tuple[str, ...] = ()
    retrained: str = ""


def never(_: str, __: str, ___: str | None) -> bool:
    """No retraining."""
    return False


def monthly(day: str, _: str, __: str | None) -> bool:
    """On the first of each month."""
    return day.endswith("-01")


def on_alert(day: str, status: str, last: str | None) -> bool:
    """When an alert asks for it, and the last try is a week ago: the gate may have refused it."""
    patient = last is None or date.fromisoformat(day) - date.fromisoformat(last) >= timedelta(PATIENCE)
    return status == "retrain" and patient


POLICIES: dict[str, tuple[Callable[[str, str, str | None], bool], bool]] = {
    "never": (never, True),
    "monthly": (monthly, False),
    "on alert": (on_alert, True),
}
"""Policy -> when it retrains: `(day, status of monitoring, day of the last try)`; and whether it is monitored."""


def replay(root: str, project: str, policy: str, first: str, last: str) -> list[Day]:
    """Replay the days from `first` to `last` in a project that has its first model. Changes the working directory."""
    world, folder = World.read(Path(root).resolve()), Path(project).resolve()
    os.chdir(folder)
    retrains, monitored = POLICIES[policy]
    (folder / LOG).parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree((folder / LOG).parent)
    found: dict[str, Day] = {}
    tried: str | None = None
    with serving(folder, SERVED, environment(folder, first)) as service:
        warm_up(world, service, first)
        bundle = Bundle.load(Path(SERVED))
        watch = Watcher(folder)
        for day in days_between(first, last):
            found[day] = _answered(world, service, bundle, day)
            service.logged()
            tomorrow = (date.fromisoformat(day) + timedelta(1)).isoformat()
            if monitored:
                _monitored(watch, found, day, tomorrow)
            if tomorrow <= last and retrains(tomorrow, found[day].status, tried):
                tried = tomorrow
                said = _retrained(world, folder, tomorrow)
                service.connection.close()  # it was idle for longer than the service waits; the next request opens one
                found[day] = replace(found[day], retrained=said)
                if (after := Bundle.load(Path(SERVED))).id != bundle.id:
                    bundle = after
                    service.take(bundle.id)
    return [*found.values()]


def warm_up(world: World, service: Service, first: str) -> None:
    """Send what happened in the days before the first one."""
    days = days_between((date.fromisoformat(first) - timedelta(3)).isoformat(), first)[:-1]
    for day in days:
        for hour in world.hours(day):
            for table, rows in hour.events:
                service.post(f"/events/{table}", rows, hour.moment)


def _answered(world: World, service: Service, bundle: Bundle, day: str) -> Day:
    """The service gets the events of a day, hour by hour, and answers; then come the outcomes of an earlier day."""
    positions, records = answer(world, service, day)
    output = f"probability_{bundle.scorer.spec.calibration.classes[1]}"
    predicted = np.array([record[output] for record in records])
    wanted = bundle.score(world.inputs(positions)).columns[output].astype(float)
    decided = np.array([record["prediction"] for record in records]) if records else np.zeros(0, object)
    measure = Measure(load(str, "problem.metric"), bundle.scorer.spec.calibration)
    target = world.target[positions]
    value = values_of(measure, predicted.reshape(-1, 1), target)[METRIC] if len(target) else float("nan")
    return Day(
        day,
        bundle.version,
        len(records),
        None if np.isnan(value) else value,
        _cost(decided, target, bundle),
        int((predicted != wanted).sum()),
    )


def answer(world: World, service: Service, day: str) -> tuple[Array, list[dict[str, Any]]]:
    """The positions of the rows that were asked about on a day, and the service's answers."""
    earlier = (date.fromisoformat(day) - timedelta(OUTCOME_DAYS)).isoformat()
    known = world.outcomes(world.asked_on(earlier))
    if known:
        service.post("/outcomes", known, span_of(day)[0])
    positions, records = [np.zeros(0, np.int64)], []
    for hour in world.hours(day):
        for table, rows in hour.events:
            service.post(f"/events/{table}", rows, hour.moment)
        if len(hour.asked):
            positions.append(hour.asked)
            records += service.post("/predict", world.questions(hour.asked), hour.moment)["predictions"]
    return np.concatenate(positions), records


def _cost(decided: Array, target: Array, bundle: Bundle) -> float:
    costs = load(dict[str, float], "problem.costs")
    alarm = decided == bundle.scorer.spec.calibration.classes[1]
    return float(
        costs["missed"] * (~alarm & (target == 1)).sum() + costs["false_alarm"] * (alarm & (target == 0)).sum()
    )


class Watcher:
    """`fullcircle monitor` in this process, which keeps what it has read of a bundle from day to day."""

    def __init__(self, folder: Path) -> None:
        self.engine = connect(f"sqlite:///{folder / LOG}", None)
        self.settings = read_monitoring()
        self.watched = cache(self._watched)

    def _watched(self, bundle: str) -> Watched | str:
        return watched_or_why(
            bundle, read_tags(Path(), load(str, "problem.name")), load(tuple[str, ...], "problem.slices")
        )

    def run(self, day: str) -> Any:
        """Monitor as of an hour after midnight of a day."""
        return monitor(self.engine, self.watched, self.settings, span_of(day)[0] + 3600)


def _monitored(watch: Watcher, found: dict[str, Day], day: str, tomorrow: str) -> None:
    made = watch.run(tomorrow)
    report: WindowReport
    for report in made.windows:
        if report.label == day and report.estimate is not None:
            estimate = report.estimate
            found[day] = replace(found[day], estimate=estimate.value, low=estimate.low, high=estimate.high)
    found[day] = replace(found[day], status=made.status, raised=tuple(alert.kind for alert in made.raised))


def _retrained(world: World, folder: Path, day: str) -> str:
    world.snapshot(day, folder / SNAPSHOTS)
    done = command(folder, day, "fullcircle", "retrain", "--as-of", day, allowed=(0, 10))
    if done.returncode == 0:
        return Bundle.load(folder / SERVED).version
    return "refused: " + ", ".join(re.findall(r"^- \*\*(\w+)\*\*", done.stdout, flags=re.MULTILINE))
