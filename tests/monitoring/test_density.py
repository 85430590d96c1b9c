"""Weights of reference rows are the ratio of densities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fullcircle.monitoring.density import density_ratio
from fullcircle.monitoring.estimates import EstimateConfig, Reference, Window
from tests.monitoring.scenarios import binary

CONFIG = EstimateConfig()


def test_rows_of_the_same_distribution_weigh_about_one() -> None:
    density = density_ratio(binary(4000, 20, 1).reference, binary(4000, 20, 2).window, CONFIG)
    assert density.weight.mean() == pytest.approx(1)
    assert density.effective > 3000


def test_weights_follow_the_known_ratio() -> None:
    reference, window = binary(20_000, 20, 1), binary(20_000, 20, 2, shift=1.0, segments=0.8)
    density = density_ratio(reference.reference, window.window, CONFIG)
    b = reference.inputs["segment"] == "b"
    true = np.exp(reference.inputs["x"] - 0.5) * np.where(b, 1.6, 0.4)
    assert np.corrcoef(np.log(density.weight), np.log(true))[0, 1] > 0.95
    assert (density.weight * reference.inputs["x"]).mean() == pytest.approx(1.0, abs=0.1)
    assert (density.weight * b).mean() == pytest.approx(0.8, abs=0.03)


def test_no_weight_is_far_above_the_limit() -> None:
    density = density_ratio(
        binary(5000, 20, 1).reference, binary(5000, 20, 2, shift=3.0).window, replace(CONFIG, max_weight=5.0)
    )
    assert density.weight.max() < 5.5


def test_the_same_rows_give_the_same_weights() -> None:
    reference, window = binary(3000, 20, 1).reference, binary(3000, 20, 2, shift=1.0).window
    assert np.array_equal(
        density_ratio(reference, window, CONFIG).weight, density_ratio(reference, window, CONFIG).weight
    )


def of(rows: int, **columns: np.ndarray) -> Reference:
    return Reference(columns, np.full((rows, 1), 0.5), np.arange(rows) % 2.0, np.arange(rows) % 10)


def test_columns_that_separate_by_construction_are_left_out_and_named() -> None:
    month, place = np.full(500, 5.0), np.array(["old"] * 500, dtype=object)
    same = np.random.default_rng(0).normal(0, 1, 500)
    reference = of(500, month=month, place=place, same=same)
    window = Window({"month": month + 1, "place": np.array(["new"] * 500, dtype=object), "same": same}, *_rest(500))
    density = density_ratio(reference, window, CONFIG)
    assert density.left_out == ("month", "place")
    assert density.effective > 400


def test_a_time_counts_by_its_hour_and_weekday() -> None:
    time = np.datetime64("2024-01-01T00:00:00", "s") + np.arange(700) * 3600
    reference = of(700, time=time)
    density = density_ratio(reference, Window({"time": time + 10**8}, *_rest(700)), CONFIG)
    assert density.left_out == ()
    assert density.effective > 300


@pytest.mark.parametrize(
    "values", [np.full(300, np.nan), np.array([None] * 300, dtype=object), np.full(300, np.datetime64("NaT", "s"))]
)
def test_a_column_of_nulls_does_no_harm(values: np.ndarray) -> None:
    reference = of(300, empty=values, same=np.arange(300.0))
    density = density_ratio(reference, Window({"empty": values, "same": np.arange(300.0)}, *_rest(300)), CONFIG)
    assert np.isfinite(density.weight).all()


def test_a_category_of_very_many_levels_is_taken() -> None:
    random = np.random.default_rng(0)
    levels = np.array([f"level {i}" for i in range(2000)], dtype=object)
    first, second = levels[random.integers(0, 2000, 3000)], levels[random.integers(0, 2000, 3000)]
    first[::7] = None
    density = density_ratio(of(3000, level=first), Window({"level": second}, *_rest(3000)), CONFIG)
    assert np.isfinite(density.weight).all()


def _rest(rows: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full((rows, 1), 0.5), np.arange(rows) % 10
