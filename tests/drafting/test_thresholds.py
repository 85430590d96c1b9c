"""Settings by the size of the table: the first model takes about a minute."""

from __future__ import annotations

import numpy as np
import pytest

from fullcircle.drafting.draft import Draft, draft
from fullcircle.drafting.thresholds import gates, model, settings
from tests.drafting.made import customers, sample_of


def of_rows(rows: int, target: str = "churned") -> Draft:
    """A draft from a sample of 300 rows, of a table with `rows` rows."""
    return draft(sample_of(customers(), rows), "t", target, None, ())


@pytest.mark.parametrize(
    ("rows", "target", "expected", "folded"),
    [
        (300, "churned", "ensemble", True),
        (15_000, "churned", "ensemble", True),
        (15_000, "city", "ensemble", False),  # three classes need three times as many trees
        (24_000, "churned", "ensemble", False),
        (24_000, "city", "xgboost_fast", False),
        (49_000, "churned", "ensemble", False),
        (51_000, "churned", "xgboost", False),
    ],
)
def test_a_larger_table_has_cheaper_settings(rows: int, target: str, expected: str, folded: bool) -> None:
    drafted = of_rows(rows, target)
    assert model(drafted)[0] == expected
    assert any(setting.values == {"folds": 5} for setting in settings(drafted)) == folded


@pytest.mark.parametrize(
    ("columns", "expected", "folded"), [(30, "ensemble", True), (200, "ensemble", False), (600, "xgboost", False)]
)
def test_a_wider_table_has_cheaper_settings(columns: int, expected: str, folded: bool) -> None:
    rng = np.random.default_rng(0)
    table = {f"c{i}": rng.normal(size=300).round(3).tolist() for i in range(columns)}
    table["y"] = rng.choice(["no", "yes"], 300).tolist()
    drafted = draft(sample_of(table, 8_000), "t", "y", None, ())
    assert model(drafted)[0] == expected
    assert any(setting.values == {"folds": 5} for setting in settings(drafted)) == folded


def test_the_calibration_gate_is_wider_for_few_test_rows() -> None:
    (few,), (many,) = ([g.max for g in gates(of_rows(n)) if g.metric == "ece"] for n in (300, 100_000))
    assert few is not None
    assert many is not None
    assert few > 0.15 > many > 0.05
