from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from fullcircle.base.checks import Column
from fullcircle.base.errors import DataError
from fullcircle.base.typed import build, plain
from fullcircle.core.schema import Schema
from fullcircle.core.target import (
    BinaryTarget,
    LabelReport,
    MulticlassTarget,
    RegressionTarget,
    Target,
    TargetDistribution,
)
from fullcircle.stages.label import Labelled, label, report

LATE = BinaryTarget(
    "binary", "late", "late", "on_time", holds="arr_delay >= 15 or arr_delay.isna()", about="15 minutes"
)
ON_TIME = BinaryTarget("binary", "state", "late", "early", column="state")
MODE = MulticlassTarget("multiclass", "mode", "mode", ("bus", "tram", "walk"))
DELAY = RegressionTarget("regression", "delay", "arr_delay", "minutes")


def kept(**columns: Any) -> pa.Table:
    table = {
        "year": pa.array([2013, 2013, 2013, 2014], pa.float64()),
        "month": pa.array([1, 1, 12, 1], pa.float64()),
        "arr_delay": pa.array([15.0, 14.9, None, 3.0]),
        "dep_delay": pa.array([1.0, 2.0, None, 4.0]),
        "carrier": pa.array(["AA", None, "UA", "AA"]),
    }
    return pa.table(table | columns)


def labelled(table: pa.Table, target: Target, *outcomes: str, max_unlabelled: float = 0.0) -> Labelled:
    return label(table, target, Schema({"carrier": Column("category")}, outcomes, "now"), max_unlabelled)


def targets(found: Labelled) -> list[float]:
    values: list[float] = found.table.column("target").to_pylist()
    return values


def test_the_target_is_what_the_condition_says() -> None:
    assert targets(labelled(kept(), LATE, "arr_delay")) == [1.0, 0.0, 1.0, 0.0]


def test_outcomes_leave_and_every_other_column_stays_as_it_was() -> None:
    table = labelled(kept(), LATE, "arr_delay", "dep_delay").table
    assert table.column_names == ["year", "month", "carrier", "target"]
    assert table.drop_columns(["target"]).equals(kept().drop_columns(["arr_delay", "dep_delay"]))


def test_a_table_without_outcomes_can_be_labelled() -> None:
    target = BinaryTarget("binary", "american", "yes", "no", holds="carrier == 'AA'")
    assert targets(labelled(kept(), target)) == [1.0, 0.0, 0.0, 1.0]


def test_two_classes_can_be_the_values_of_a_column() -> None:
    table = kept(state=["early", "late", "late", "early"])
    assert targets(labelled(table, ON_TIME, "state")) == [0.0, 1.0, 1.0, 0.0]


def test_classes_can_be_written_as_numbers() -> None:
    target = BinaryTarget("binary", "sick", "1", "0", column="sick")
    assert targets(labelled(kept(sick=pa.array([1.0, 0.0, 0.0, 1.0])), target, "sick")) == [1.0, 0.0, 0.0, 1.0]


def test_the_target_of_several_classes_is_the_position_of_the_class() -> None:
    table = kept(mode=["walk", "bus", "tram", "walk"])
    assert targets(labelled(table, MODE, "mode")) == [2.0, 0.0, 1.0, 2.0]


def test_the_target_of_a_regression_is_the_number_itself() -> None:
    table = kept(arr_delay=pa.array([15.0, -3.5, 0.0, 3.0]))
    assert targets(labelled(table, DELAY, "arr_delay")) == [15.0, -3.5, 0.0, 3.0]


@pytest.mark.parametrize(
    ("target", "column"),
    [
        (ON_TIME, ["late", None, "early", "early"]),
        (MODE, ["walk", None, "bus", "tram"]),
        (DELAY, [3.0, None, 5.0, 7.0]),
    ],
)
def test_a_row_without_a_target_is_left_out_and_counted(target: Target, column: list[object]) -> None:
    name = str(target.column)
    twice = pa.concat_tables([kept(**{name: column})] * 2)
    found = labelled(twice, target, name, max_unlabelled=0.25)
    assert (found.unlabelled, found.table.num_rows) == (2, 6)
    assert found.table.column("month").to_pylist() == [1.0, 12.0, 1.0] * 2
    assert report(found, target).unlabelled == 2


def test_too_many_rows_without_a_target_are_an_error() -> None:
    message = r"1 of 4 rows have no arr_delay, e.g. row 2 of data/clean/kept.parquet.*clean.max_rejected \(now 0.24\)"
    with pytest.raises(DataError, match=message):
        labelled(kept(), DELAY, "arr_delay", max_unlabelled=0.24)


def test_no_row_with_a_target_is_an_error_even_where_all_may_be_without() -> None:
    table = kept(arr_delay=pa.array([None] * 4, pa.float64()))
    with pytest.raises(DataError, match="all 0 rows are : a target with one value teaches nothing"):
        labelled(table, DELAY, "arr_delay", max_unlabelled=1.0)


def test_a_value_that_is_no_class_is_an_error_that_counts_and_names_it() -> None:
    table = kept(mode=["walk", "bsu", "bsu", "boat"])
    message = (
        r"(?s)3 of 4 rows have a mode that is no class of problem.target \(bus, tram, walk\)\n  bsu: 2 rows\n  boat: 1"
    )
    with pytest.raises(DataError, match=message):
        labelled(table, MODE, "mode")
    with pytest.raises(DataError, match=r"1 of 4 rows have a state that is no class .*\(early, late\)\n  Late: 1 rows"):
        labelled(kept(state=["late", "early", "Late", "early"]), ON_TIME, "state")


def test_a_column_of_names_is_no_class() -> None:
    table = pa.table({"mode": [f"user {i}" for i in range(40)]})
    with pytest.raises(
        DataError, match=r"(?s)40 of 40 rows .*and 35 more.*a different value: is it a number, or a name"
    ):
        labelled(table, MODE, "mode")


@pytest.mark.parametrize(("holds", "named"), [("arr_delay > 1000", "on_time"), ("year > 0", "late")])
def test_a_target_with_one_class_is_an_error(holds: str, named: str) -> None:
    with pytest.raises(DataError, match=rf"all 4 rows are {named}: .*one class.*\(now `{holds}`\)"):
        labelled(kept(), replace(LATE, holds=holds))


def test_a_number_that_does_not_vary_is_an_error() -> None:
    with pytest.raises(DataError, match=r"all 4 rows are 3.5: a target with one value teaches nothing"):
        labelled(kept(arr_delay=pa.array([3.5] * 4)), DELAY, "arr_delay")


def test_a_class_that_no_row_has_is_an_error() -> None:
    with pytest.raises(DataError, match=r"none of 4 rows is tram. Take out of problem.target.classes"):
        labelled(kept(mode=["walk", "bus", "bus", "walk"]), MODE, "mode")


def test_classes_of_a_row_each_are_an_error() -> None:
    many = MulticlassTarget("multiclass", "digit", "digit", tuple("0123"))
    with pytest.raises(DataError, match="4 rows have 4 classes, and most rows are the only one of their class"):
        labelled(kept(digit=pa.array([0.0, 1.0, 2.0, 3.0])), many, "digit")


def test_an_infinite_number_is_an_error() -> None:
    table = kept(arr_delay=pa.array([1.0, float("inf"), 2.0, float("-inf")]))
    with pytest.raises(DataError, match=r"2 of 4 rows have an infinite arr_delay, e.g. row 1, 3 of"):
        labelled(table, DELAY, "arr_delay")


def test_text_is_no_number() -> None:
    with pytest.raises(DataError, match=r"problem.target.column: carrier holds no numbers, e.g. AA"):
        label(kept(), replace(DELAY, column="carrier"), Schema({}, ("carrier",), "now"), 1.0)


def test_a_target_of_an_unknown_column_is_an_error() -> None:
    with pytest.raises(DataError, match=r"problem\.target\.holds: `delay_arr > 3` cannot be evaluated"):
        labelled(kept(), replace(LATE, holds="delay_arr > 3"))
    with pytest.raises(DataError, match=r"problem.target.column: there is no column mode; there are year, month"):
        labelled(kept(), MODE)


def test_a_target_that_is_an_input_is_an_error() -> None:
    with pytest.raises(DataError, match=r"carrier is an input too, so the model would see the target.*role: outcome"):
        labelled(kept(), replace(MODE, column="carrier"))


def test_the_column_to_predict_may_be_named_target() -> None:
    table = kept(target=pa.array([2.0, 4.0, 8.0, 16.0]))
    found = labelled(table, replace(DELAY, column="target"), "target", "arr_delay")
    assert targets(found) == [2.0, 4.0, 8.0, 16.0]
    assert found.table.column_names.count("target") == 1


@pytest.mark.parametrize("inputs", [{"target": Column("number")}, {}])
def test_another_column_may_not_be_named_target(inputs: dict[str, Column]) -> None:
    with pytest.raises(DataError, match=r"a column is named `target`, as the one that this stage adds. Rename it"):
        label(kept(target=[1.0, 2.0, 3.0, 4.0]), LATE, Schema(inputs, ("arr_delay",), "now"), 0.0)


def test_the_distribution_is_reported_in_total_and_by_month() -> None:
    found = report(labelled(kept(), LATE, "arr_delay"), LATE)
    assert (found.target, found.task, found.distribution) == ("late", "binary", TargetDistribution(4, 0.5))
    assert found.by_month == {
        "2013-01": TargetDistribution(2, 0.5),
        "2013-12": TargetDistribution(1, 1.0),
        "2014-01": TargetDistribution(1, 0.0),
    }
    assert build(LabelReport, plain(found)) == found


def test_the_distribution_is_reported_by_the_months_of_a_time() -> None:
    at = pa.array([0, 86_400 * 32, None, 86_400], pa.timestamp("s", tz="UTC"))
    table = kept(at=at, mode=["bus", "tram", "walk", "bus"]).drop_columns(["month"])
    assert report(labelled(table, MODE, "mode"), MODE).by_month == {
        "1970-01": TargetDistribution(2, shares={"bus": 1.0, "tram": 0.0, "walk": 0.0}),
        "1970-02": TargetDistribution(1, shares={"bus": 0.0, "tram": 1.0, "walk": 0.0}),
    }


def test_a_time_of_too_many_months_is_not_reported_by_month() -> None:
    born = pa.array([0, 86_400 * 365 * 11, 86_400, 0], pa.timestamp("s", tz="UTC"))
    few = labelled(kept(at=born).drop_columns(["month"]), LATE, "arr_delay")
    assert len(report(few, LATE).by_month) == 2
    rows = 130
    many = pa.table({
        "at": pa.array(np.arange(rows) * 86_400 * 31, pa.timestamp("s", tz="UTC")),
        "arr_delay": np.arange(rows) * 1.0,
    })  # fmt: skip
    assert report(labelled(many, LATE, "arr_delay"), LATE).by_month == {}


def test_a_table_without_dates_has_no_distribution_by_month() -> None:
    found = labelled(kept().drop_columns(["month"]), LATE, "arr_delay")
    assert report(found, LATE).by_month == {}
    words = kept(month=["May", "May", "June", "June"])
    assert report(labelled(words, LATE, "arr_delay"), LATE).by_month == {}
