"""The accuracy of a window: its interval where the window is one day, however many rows it has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fullcircle.evaluation.tasks import measured
from fullcircle.log.reading import Window
from fullcircle.monitoring import report as module
from fullcircle.monitoring.baseline import Baseline
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.report import Watch, WindowReport, accuracy, predicted_of, report, target_of
from fullcircle.monitoring.settings import MonitoringSettings
from fullcircle.scoring.predictions import BinaryCalibration
from tests.monitoring.made import Process, drawn_baseline

if TYPE_CHECKING:
    import pytest

CALIBRATION = BinaryCalibration("binary", "yes", "no", 1.0, 0.0, 0.5)


def watch() -> Watch:
    none = np.zeros(0)
    baseline = Baseline("b", "orders", "auc", ("no", "yes"), {}, none.reshape(0, 1), none, none, {})
    return Watch(baseline, Measure("auc", CALIBRATION), "1.0.0")


def day(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    probability = random.uniform(0.05, 0.95, rows)
    return probability.reshape(-1, 1), (random.random(rows) < probability).astype(float)


def test_the_interval_of_a_day_is_that_of_its_rows_also_where_they_are_drawn_in_portions() -> None:
    settings = MonitoringSettings()
    widths = []
    for rows in (900, 20_000):
        predicted, target = day(rows, 1)
        found = accuracy(watch(), {}, predicted, target, np.zeros(rows, np.int64), settings)
        assert found is not None
        assert found.rows == rows
        assert found.metrics["auc"] == measured(predicted, target, CALIBRATION, 15)["auc"]
        low, high = found.intervals["auc"]
        assert low is not None
        assert high is not None
        assert low < found.metrics["auc"] < high
        widths.append((high - low) * np.sqrt(rows))
    many = [measured(*day(20_000, seed), CALIBRATION, 15)["auc"] for seed in range(100)]
    assert np.isclose(widths[1] / np.sqrt(20_000), 3.92 * np.std(many), rtol=0.3)
    assert np.isclose(widths[0], widths[1], rtol=0.3)


def test_a_million_rows_of_one_day_take_no_matrix_of_resamples() -> None:
    predicted, target = day(300_000, 2)
    found = accuracy(watch(), {}, predicted, target, np.zeros(len(target), np.int64), MonitoringSettings())
    assert found is not None
    assert found.expected is not None
    assert found.observed is not None
    assert abs(found.expected - found.observed) < 0.01


def test_a_few_flights_of_the_evening_before_are_no_second_day_to_draw() -> None:
    """Days are those of the clock on site, and windows those of UTC."""
    predicted, target = day(900, 1)
    settings = MonitoringSettings()
    one = accuracy(watch(), {}, predicted, target, np.zeros(900, np.int64), settings)
    two = accuracy(watch(), {}, predicted, target, (np.arange(900) < 30).astype(np.int64), settings)
    week = accuracy(watch(), {}, predicted, target, np.arange(900) % 7, settings)
    assert one is not None
    assert two is not None
    assert week is not None
    assert two.intervals == one.intervals
    assert week.intervals != one.intervals


def test_a_report_takes_from_the_one_before_what_outcomes_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(effect=0.5, rows=300, numbers=3)
    random = np.random.default_rng(3)
    baseline = drawn_baseline(process, 40, random)
    columns, predicted, _ = process.draw(1, random)
    columns = {name: values for name, values in columns.items() if name in baseline.train}
    negative, positive = CALIBRATION.classes
    target = np.where(random.random(300) < predicted[:, 0], positive, negative).astype(object)

    def logged(known: int, requests: int = 300) -> Window:
        outcome = target.copy()
        outcome[known:] = None
        answer = {f"probability_{positive}": predicted[:, 0]}
        return Window("0" * 64, columns, answer, np.zeros(300), outcome, np.ones(requests), 300, {})

    watched = Watch(baseline, Measure("auc", CALIBRATION), "1.0.0")
    settings = MonitoringSettings(estimate="cbpe")

    def made(known: int, before: WindowReport | None = None, requests: int = 300) -> WindowReport:
        return report(watched, logged(known, requests), "2013-11-05", settings, complete=known == 300, before=before)

    none, some, all_of_them = made(0), made(100), made(300)
    seen: list[str] = []

    def watched_by(name: str) -> None:
        real = getattr(module, name)

        def called(*arguments: Any, **named: Any) -> Any:
            seen.append(name)
            return real(*arguments, **named)

        monkeypatch.setattr(module, name, called)

    for name in ("drift", "estimated", "accuracy"):
        watched_by(name)
    assert (made(0, none), seen) == (none, [])
    assert (made(300, none), seen) == (all_of_them, ["accuracy"])
    seen.clear()
    assert (made(100, none), seen) == (some, ["estimated", "accuracy"])
    seen.clear()
    assert (made(300, some), seen) == (all_of_them, ["estimated", "accuracy"])
    seen.clear()
    assert made(0, none, requests=299).requests == 299
    assert "drift" in seen


def test_small_slices_have_no_values_and_calibration_shows_what_is_lost() -> None:
    predicted, target = day(1000, 3)
    segment = np.array(["a"] * 950 + ["b"] * 50, object)
    sliced = replace(watch(), slices=("segment", "not_there"))
    found = accuracy(sliced, {"segment": segment}, predicted, target, np.zeros(1000, np.int64), MonitoringSettings())
    assert found is not None
    assert [(s.level, s.values["auc"] is None) for s in found.slices] == [("a", False), ("b", True)]
    worse = accuracy(watch(), {}, predicted / 2, target, np.zeros(1000, np.int64), MonitoringSettings())
    assert worse is not None
    assert worse.observed is not None
    assert worse.expected is not None
    assert worse.observed > worse.expected + 0.1
    assert worse.intervals["ece"][0] > found.intervals["ece"][1]  # type: ignore[operator]


def test_outcomes_that_are_no_class_of_the_bundle_are_unknown() -> None:
    outcome = np.array(["yes", None, "no", "perhaps"], object)
    assert target_of(outcome, ("no", "yes")).tolist()[::2] == [1.0, 0.0]
    assert np.isnan(target_of(outcome, ("no", "yes"))[[1, 3]]).all()
    assert target_of(np.array(["1.5", None], object), ()).tolist()[0] == 1.5
    answer = {"prediction": np.array(["yes"]), "probability_no": np.array([0.3]), "probability_yes": np.array([0.7])}
    assert predicted_of(answer, ("no", "yes")).tolist() == [[0.7]]
    assert predicted_of({"prediction": np.array([2.5])}, ()).tolist() == [[2.5]]
