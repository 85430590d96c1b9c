"""What a draft sets for the size of its table: whoever waits for the first model waits about a minute."""

from __future__ import annotations

import numpy as np
import pytest

from fullcircle.drafting.draft import Draft, draft
from fullcircle.drafting.thresholds import gates, model, settings
from tests.drafting.made import customers, taken


def of_rows(rows: int, target: str = "churned") -> Draft:
    """A draft from 300 rows that were looked at, of a table that has `rows`."""
    return draft(taken(customers(), rows), "t", target, None, ())


@pytest.mark.parametrize(
    ("rows", "target", "expected", "folded"),
    [
        (300, "churned", "ensemble", True),
        (15_000, "churned", "ensemble", True),
        (15_000, "city", "ensemble", False),  # three classes are three times the trees
        (24_000, "churned", "ensemble", False),
        (24_000, "city", "xgboost_fast", False),
        (49_000, "churned", "ensemble", False),
        (51_000, "churned", "xgboost", False),
    ],
)
def test_the_larger_the_table_the_less_is_fitted(rows: int, target: str, expected: str, folded: bool) -> None:
    drafted = of_rows(rows, target)
    assert model(drafted)[0] == expected
    assert any(setting.values == {"folds": 5} for setting in settings(drafted)) == folded


@pytest.mark.parametrize(
    ("columns", "expected", "folded"), [(30, "ensemble", True), (200, "ensemble", False), (600, "xgboost", False)]
)
def test_the_wider_the_table_the_less_is_fitted(columns: int, expected: str, folded: bool) -> None:
    rng = np.random.default_rng(0)
    table = {f"c{i}": rng.normal(size=300).round(3).tolist() for i in range(columns)}
    table["y"] = rng.choice(["no", "yes"], 300).tolist()
    drafted = draft(taken(table, 8_000), "t", "y", None, ())
    assert model(drafted)[0] == expected
    assert any(setting.values == {"folds": 5} for setting in settings(drafted)) == folded


def test_few_test_rows_excuse_a_calibration_error_that_many_do_not() -> None:
    (few,), (many,) = ([g.max for g in gates(of_rows(n)) if g.metric == "ece"] for n in (300, 100_000))
    assert few is not None
    assert many is not None
    assert few > 0.15 > many > 0.05
