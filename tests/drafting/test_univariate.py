from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from fullcircle.drafting.univariate import auc, r_squared, univariate
from tests.builders import text

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

RANDOM = np.random.default_rng(0)
ROWS = 600
Y = (np.arange(ROWS) % 3 == 0) * 1.0
SPLIT = np.arange(0, ROWS, 2), np.arange(1, ROWS, 2)


def test_auc_and_r_squared_are_those_of_scikit_learn() -> None:
    score = RANDOM.integers(0, 9, ROWS) * 1.0
    assert auc(score[:, None], Y[:, None]) == pytest.approx(roc_auc_score(Y, score))
    number = RANDOM.normal(size=ROWS)
    assert r_squared(score, number) == pytest.approx(r2_score(number, score))


def test_auc_without_both_classes_is_that_of_chance() -> None:
    assert auc(np.arange(5.0)[:, None], np.ones((5, 1))) == 0.5


@pytest.mark.parametrize(
    "leak",
    [
        Y * 5 + 2,
        text(np.where(Y > 0, "refunded", "kept")),
        np.where(Y > 0, 12.5, np.nan),
        np.where(Y > 0, np.datetime64("2013-01-02", "s"), np.datetime64("NaT")),
        np.array([None if y else "a" for y in Y], dtype=object),
    ],
)
def test_a_column_that_encodes_the_target_is_a_suspect(leak: Array) -> None:
    noise = RANDOM.normal(size=ROWS)
    found = univariate({"leak": leak, "noise": noise}, Y, 2, *SPLIT)
    assert [(one.column, one.suspect) for one in found] == [("leak", True), ("noise", False)]
    assert found[0].score == pytest.approx(1.0)


def test_an_identifier_is_no_suspect_because_its_rule_is_scored_on_other_rows() -> None:
    assert not univariate({"id": text([f"C{i}" for i in range(ROWS)])}, Y, 2, *SPLIT)[0].suspect


def test_a_number_that_is_the_target_in_another_unit_is_a_suspect() -> None:
    y = RANDOM.normal(size=ROWS)
    found = univariate({"fahrenheit": y * 1.8 + 32, "noise": RANDOM.normal(size=ROWS)}, y, 0, *SPLIT)
    assert (found[0].measure, found[0].suspect, found[1].suspect) == ("R²", True, False)


def test_several_classes_are_scored_one_against_the_rest() -> None:
    y = np.arange(ROWS) % 3 * 1.0
    found = univariate({"code": text(y), "noise": RANDOM.normal(size=ROWS)}, y, 3, *SPLIT)
    assert [one.suspect for one in found] == [True, False]
