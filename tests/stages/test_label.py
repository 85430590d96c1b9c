from __future__ import annotations

import pyarrow as pa
import pytest

from fullcircle.core.problem import Target
from fullcircle.runtime.errors import DataError
from fullcircle.stages.label import balance, label

LATE = Target("late", "arr_delay >= 15 or arr_delay.isna()", "late", "on_time", "15 minutes")


def kept() -> pa.Table:
    return pa.table(
        {
            "year": pa.array([2013, 2013, 2013, 2014], pa.float64()),
            "month": pa.array([1, 1, 12, 1], pa.float64()),
            "arr_delay": pa.array([15.0, 14.9, None, 3.0]),
            "dep_delay": pa.array([1.0, 2.0, None, 4.0]),
            "carrier": pa.array(["AA", None, "UA", "AA"]),
        }
    )


def test_the_target_is_what_the_condition_says() -> None:
    assert label(kept(), LATE, ["arr_delay"]).column("target").to_pylist() == [1.0, 0.0, 1.0, 0.0]


def test_outcomes_leave_and_every_other_column_stays_as_it_was() -> None:
    labelled = label(kept(), LATE, ["arr_delay", "dep_delay"])
    assert labelled.column_names == ["year", "month", "carrier", "target"]
    assert labelled.drop_columns(["target"]).equals(kept().drop_columns(["arr_delay", "dep_delay"]))


def test_a_table_without_outcomes_can_be_labelled() -> None:
    target = Target("american", "carrier == 'AA'", "yes", "no")
    assert label(kept(), target, []).column("target").to_pylist() == [1.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(("holds", "named"), [("arr_delay > 1000", "on_time"), ("year > 0", "late")])
def test_a_target_with_one_class_is_an_error(holds: str, named: str) -> None:
    with pytest.raises(DataError, match=rf"all 4 rows are {named}: .*\(now `{holds}`\)"):
        label(kept(), Target("late", holds, "late", "on_time"), [])


def test_a_target_of_an_unknown_column_is_an_error() -> None:
    with pytest.raises(DataError, match=r"problem\.target\.holds: `delay_arr > 3` cannot be evaluated"):
        label(kept(), Target("late", "delay_arr > 3", "late", "on_time"), [])


def test_the_balance_is_told_in_all_and_by_month() -> None:
    report = balance(label(kept(), LATE, ["arr_delay"]), LATE)
    assert (report["target"], report["rows"], report["positive"]) == ("late", 4, 0.5)
    assert report["by_month"] == {
        "2013-01": {"rows": 2, "positive": 0.5},
        "2013-12": {"rows": 1, "positive": 1.0},
        "2014-01": {"rows": 1, "positive": 0.0},
    }


def test_a_table_without_dates_has_no_balance_by_month() -> None:
    labelled = label(kept().drop_columns(["month"]), LATE, ["arr_delay"])
    assert "by_month" not in balance(labelled, LATE)
