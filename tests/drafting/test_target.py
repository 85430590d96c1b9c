from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.base.errors import DataError
from fullcircle.drafting.target import TargetGuess, Task, guess_target
from tests.drafting.made import column, profiled

if TYPE_CHECKING:
    import pyarrow as pa


def guessed(values: list[Any], task: Task | None = None, kind: pa.DataType | None = None) -> TargetGuess:
    return guess_target(profiled(values, "y", kind), column(values, kind), task, "t.csv")


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["yes", "no"] * 20, "binary"),
        ([0, 1] * 20, "binary"),
        ([1.5, 2.5] * 20, "binary"),
        (["a", "b", "c"] * 20, "multiclass"),
        ([1, 2, 3] * 20, "multiclass"),
        ([1, 2, 3] * 20 + [4], "regression"),
        (list(range(40)), "regression"),
        ([f"{i}.5" for i in range(40)], "regression"),
        ([f"{i % 3}.5" for i in range(40)], "regression"),
    ],
)
def test_the_task_is_guessed_from_the_values(values: list[Any], task: str) -> None:
    found = guessed(values)
    assert found.task == task
    assert len(found.classes) == {"regression": 0, "binary": 2, "multiclass": 3}[task]


def test_the_task_can_be_given() -> None:
    assert guessed([1, 2, 3] * 20, "regression").task == "regression"
    assert guessed([0, 1] * 20, "regression").y.tolist() == [0.0, 1.0] * 20


@pytest.mark.parametrize(
    ("values", "positive", "why"),
    [
        (["no"] * 10 + ["yes"] * 30, "yes", "by its name"),
        ([0] * 10 + [1] * 30, "1", "by its name"),
        (["red"] * 12 + ["blue"] * 30, "red", "it is the rarer"),
        (["True"] * 30 + ["False"] * 12, "True", "by its name"),
        (["b"] * 20 + ["a"] * 20, "b", "it is the rarer"),
    ],
)
def test_the_positive_class_is_guessed_by_name_or_frequency(values: list[Any], positive: str, why: str) -> None:
    found = guessed(values)
    assert found.classes[1] == positive
    assert found.why.endswith(why)
    assert found.shares[positive] == pytest.approx(values.count(values[-1]) / len(values), abs=1)


def test_the_target_is_the_position_of_the_class_or_nan() -> None:
    found = guessed(["b", "c", "a"] * 15 + [None])
    assert found.classes == ("a", "b", "c")
    assert np.array_equal(found.y, [1.0, 2.0, 0.0] * 15 + [np.nan], equal_nan=True)


def test_numeric_classes_are_sorted_and_unchanged() -> None:
    assert guessed([10, 9, 100] * 15).classes == ("9", "10", "100")
    assert guessed(["1.0", "0.0"] * 20).classes == ("0.0", "1.0")


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        ([None] * 40, None, r"the target y is missing in all 40 rows"),
        (["x"] * 40, None, r"the target y is “x” in every row: there is nothing to predict"),
        ([3] * 40 + [None], None, r"the target y is “3” in every row"),
        ([f"v{i}" for i in range(40)], None, r"a different value in each of 40 rows, e.g. “v0”"),
        ([f"2013-01-{i % 28 + 1:02}" for i in range(40)], None, "the target y holds dates"),
        (["a", "b", "c"], None, "is known in 3 rows; training, validation and test need at least 30"),
        (["a", "b"] * 30 + ["c"], None, r"1 classes with fewer than 10 rows, e.g. “c” with 1"),
        ([str(i % 101) + "x" for i in range(101 * 10)], None, "has 101 classes; at most 100 are supported"),
        (["a", "b"] * 30, "regression", "holds text, e.g. “a”, which is not a number"),
        (["a", "b", "c"] * 20, "binary", "has 3 values, but a binary target has two"),
        (["a", "b"] * 20, "multiclass", "has two values, but a multiclass target has three or more"),
        ([1.5, 2.5, 3.5] * 20, "multiclass", "holds fractions"),
        ([1.5, "inf", *range(40)], None, "is infinite in 1 rows"),
    ],
)
def test_a_target_that_cannot_be_trained_on_is_one_clear_error(
    values: list[Any], task: Task | None, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        guessed(values, task)
    assert str(caught.value).startswith("t.csv: the target y")
