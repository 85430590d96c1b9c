from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.evaluation import binary, regression
from fullcircle.evaluation.slices import LEVELS, Slice, Slicing, gap, slices
from fullcircle.evaluation.tasks import measured
from tests.evaluation.made import NUMBER, THREE, column, of_number, of_three, text, two

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

random = np.random.default_rng(0)
TARGET = np.tile([0.0, 1.0], 150)
GOOD = TARGET * 0.4 + random.random(300) * 0.6
CARRIER = text(np.repeat(["AA", "B6", "ZZ"], [140, 140, 20]))
MONTH = np.repeat([2.0, 10.0, np.nan], 100)


def by(columns: dict[str, Array], probability: Array = GOOD, at_least: int = 1) -> list[Slice]:
    return slices(columns, column(probability), TARGET, two(), Slicing("auc", 5, at_least))


def test_a_slice_is_judged_by_its_own_rows() -> None:
    inside = CARRIER == "B6"
    expected = measured(column(GOOD[inside]), TARGET[inside], two(), 5)
    found = by({"carrier": CARRIER}, at_least=100)[1]
    assert (found.column, found.level, found.rows, found.mean) == ("carrier", "B6", 140, (0.5,))
    assert found.values == {name: expected[name] for name in ("auc", "ece", "rec")}


def test_every_row_is_in_one_slice_of_each_column() -> None:
    found = by({"carrier": CARRIER, "month": MONTH})
    for name in ("carrier", "month"):
        assert sum(s.rows for s in found if s.column == name) == 300


def test_a_small_slice_is_counted_and_not_judged() -> None:
    found = by({"carrier": CARRIER}, at_least=21)[2]
    assert (found.level, found.rows, found.values) == ("ZZ", 20, {"auc": None, "ece": None, "rec": None})
    assert by({"carrier": CARRIER}, at_least=20)[2].values["auc"] is not None


def test_a_slice_of_one_class_is_not_judged() -> None:
    found = by({"answer": text(TARGET)})
    assert [(s.mean, s.values["auc"], s.values["ece"]) for s in found] == [((0.0,), None, None), ((1.0,), None, None)]


def test_levels_come_in_order_and_null_is_one_of_them() -> None:
    assert [s.level for s in by({"month": MONTH})] == ["2", "10", "null"]
    carrier = CARRIER.copy()
    carrier[:50] = None
    assert [s.level for s in by({"c": carrier})] == ["AA", "B6", "ZZ", "null"]


def test_long_numbers_are_slices_of_their_own() -> None:
    assert [s.rows for s in by({"number": np.repeat([1234567.0, 1234568.0], 150)})] == [150, 150]


def test_a_number_of_many_values_is_cut_into_spans_that_hold_every_row_once() -> None:
    miles = random.permutation(300).astype(float)
    miles[:12] = np.nan
    found = by({"miles": miles})
    assert [s.level for s in found][-2:] == [f"{found[-2].level}", "null"]
    assert (len(found), sum(s.rows for s in found), found[-1].rows) == (9, 300, 12)
    assert all(s.rows == pytest.approx(36, abs=2) for s in found[:-1])
    low, high = (float(end) for end in found[1].level.split(" to "))
    assert found[1].rows == ((miles > low) & (miles <= high)).sum()
    low, high = (float(end) for end in found[0].level.split(" to "))
    assert found[0].rows == ((miles >= low) & (miles <= high)).sum()


def test_times_of_many_values_are_cut_into_spans_too() -> None:
    days = np.datetime64("2024-01-01", "s") + np.arange(300) * np.timedelta64(86400, "s")
    found = by({"day": days})
    assert found[0].level == "2024-01-01 00:00:00 to 2024-02-07 00:00:00"
    assert sum(s.rows for s in found) == 300


@pytest.mark.parametrize("levels", [50, 51, 300])
def test_of_a_category_of_many_levels_the_rarest_are_judged_as_one(levels: int) -> None:
    values = text(np.concatenate([np.arange(levels), np.zeros(300 - levels, int)]))
    found = by({"user": values})
    assert len(found) == LEVELS == 50
    assert sum(s.rows for s in found) == 300
    assert (found[-1].level == "(others)") == (levels > 50)
    assert "0" in [s.level for s in found]  # the level with the most rows is never among the others


def test_the_gap_is_that_of_the_worst_slice() -> None:
    bad = GOOD.copy()
    bad[CARRIER == "B6"] = random.random(140)
    found = by({"carrier": CARRIER}, bad, at_least=100)
    aucs = [value for s in found if (value := s.values["auc"]) is not None]
    assert min(aucs) == found[1].values["auc"]
    assert gap(binary, "auc", 0.9, found) == pytest.approx(0.9 - min(aucs))
    assert gap(binary, "auc", 0.9, found) != gap(binary, "auc", 0.9, by({"carrier": CARRIER}, at_least=100))


def test_where_lower_is_better_the_worst_slice_is_the_highest() -> None:
    found = [Slice("c", level, 9, (0.0,), {"rmse": rmse}) for level, rmse in (("a", 2.0), ("b", 7.0), ("c", None))]
    assert gap(regression, "rmse", 4.0, found) == 3.0


def test_without_a_slice_to_judge_there_is_no_gap() -> None:
    assert gap(binary, "auc", 0.9, by({"carrier": CARRIER}, at_least=1000)) is None
    assert gap(binary, "auc", 0.9, []) is None


def test_slices_of_several_classes_tell_the_share_of_each() -> None:
    p, t = of_three(300)
    found = slices({"carrier": CARRIER}, p, t, THREE, Slicing("logloss", 5, 100))
    inside = CARRIER == "AA"
    assert found[0].mean == pytest.approx([(t[inside] == k).mean() for k in range(3)])
    expected = measured(p[inside], t[inside], THREE, 5)
    assert found[0].values == {name: expected[name] for name in ("logloss", "acc", "ece")}


def test_slices_of_a_number_tell_its_mean_and_error() -> None:
    value, t = of_number(300)
    found = slices({"carrier": CARRIER}, value, t, NUMBER, Slicing("mae", 5, 100))
    inside = CARRIER == "B6"
    assert found[1].mean == pytest.approx((t[inside].mean(),))
    assert found[1].values["mae"] == pytest.approx(np.abs(value[inside, 0] - t[inside]).mean())
    assert list(found[1].values) == ["mae", "bias"]
    constant = slices({"carrier": CARRIER}, value, np.where(inside, 3.0, t), NUMBER, Slicing("r2", 5, 100))
    assert [s.values["r2"] is None for s in constant] == [False, True, True]
