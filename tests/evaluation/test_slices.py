from __future__ import annotations

import numpy as np
import pytest

from fullcircle.evaluation.metrics import evaluate, predictions
from fullcircle.evaluation.slices import gap, slices
from tests.builders import text

random = np.random.default_rng(0)
TARGET = np.tile([0.0, 1.0], 150)
GOOD = TARGET * 0.4 + random.random(300) * 0.6
CARRIER = text(np.repeat(["AA", "B6", "ZZ"], [140, 140, 20]))
MONTH = np.repeat([2.0, 10.0, np.nan], 100)


def test_a_slice_is_judged_by_its_own_rows() -> None:
    inside = CARRIER == "B6"
    expected = evaluate(predictions(GOOD[inside], TARGET[inside], 0.5, 5))
    found = slices({"carrier": CARRIER}, GOOD, TARGET, 0.5, 5, at_least=100)[1]
    assert (found.column, found.level, found.rows, found.positive) == ("carrier", "B6", 140, 0.5)
    assert (found.auc, found.ece, found.rec) == (expected["auc"], expected["ece"], expected["rec"])


def test_every_row_is_in_one_slice_of_each_column() -> None:
    found = slices({"carrier": CARRIER, "month": MONTH}, GOOD, TARGET, 0.5, 5, 1)
    for column in ("carrier", "month"):
        assert sum(s.rows for s in found if s.column == column) == 300


def test_a_small_slice_is_counted_and_not_judged() -> None:
    found = slices({"carrier": CARRIER}, GOOD, TARGET, 0.5, 5, at_least=21)[2]
    assert (found.level, found.rows, found.auc, found.ece, found.rec) == ("ZZ", 20, None, None, None)
    assert slices({"carrier": CARRIER}, GOOD, TARGET, 0.5, 5, at_least=20)[2].auc is not None


def test_a_slice_of_one_class_is_not_judged() -> None:
    found = slices({"answer": text(TARGET)}, GOOD, TARGET, 0.5, 5, 1)
    assert [(s.positive, s.auc) for s in found] == [(0.0, None), (1.0, None)]


def test_levels_come_in_order_and_null_is_one_of_them() -> None:
    assert [s.level for s in slices({"month": MONTH}, GOOD, TARGET, 0.5, 5, 1)] == ["2", "10", "null"]
    carrier = CARRIER.copy()
    carrier[:50] = None
    assert [s.level for s in slices({"c": carrier}, GOOD, TARGET, 0.5, 5, 1)] == ["AA", "B6", "ZZ", "null"]


def test_long_numbers_are_slices_of_their_own() -> None:
    number = np.repeat([1234567.0, 1234568.0], 150)
    assert [s.rows for s in slices({"number": number}, GOOD, TARGET, 0.5, 5, 1)] == [150, 150]


def test_the_gap_is_that_of_the_worst_slice() -> None:
    bad = GOOD.copy()
    bad[CARRIER == "B6"] = random.random(140)
    found = slices({"carrier": CARRIER}, bad, TARGET, 0.5, 5, at_least=100)
    worst = min(s.auc for s in found if s.auc is not None)
    assert worst == found[1].auc
    assert gap(0.9, found) == pytest.approx(0.9 - worst)
    assert gap(0.9, found) != gap(0.9, slices({"carrier": CARRIER}, GOOD, TARGET, 0.5, 5, 100))


def test_without_a_slice_to_judge_there_is_no_gap() -> None:
    assert gap(0.9, slices({"carrier": CARRIER}, GOOD, TARGET, 0.5, 5, at_least=1000)) is None
    assert gap(0.9, []) is None
