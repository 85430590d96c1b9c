from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fullcircle.base.errors import DataError
from fullcircle.core.expressions import holds

FRAME = pd.DataFrame(
    {
        "delay": np.array([20.0, 15.0, -3.0, np.nan]),
        "limit": np.array([15.0, np.nan, 0.0, np.nan]),
        "origin": np.array(["EWR", "JFK", None, "EWR"], dtype=object),
        "dest": np.array(["EWR", "BOS", "BOS", None], dtype=object),
    }
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("delay >= 15", [True, True, False, False]),
        ("delay >= 15 or delay.isna()", [True, True, False, True]),
        ("delay > limit", [True, False, False, False]),
        ("origin == 'EWR'", [True, False, False, True]),
        ("delay.notna() and origin == 'EWR'", [True, False, False, False]),
        ("not (delay >= 15)", [False, False, True, True]),
        ("delay * 2 + 1 == 41", [True, False, False, False]),
    ],
)
def test_a_condition_is_true_or_false_for_each_row(expression: str, expected: list[bool]) -> None:
    assert holds(FRAME, expression, "k").tolist() == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("origin == dest", [True, False, False, False]),
        ("delay < 20", [False, True, True, False]),
        ("delay != limit", [True, True, True, True]),
    ],
)
def test_a_comparison_with_null_is_false_and_an_inequality_true(expression: str, expected: list[bool]) -> None:
    assert holds(FRAME, expression, "k").tolist() == expected


@pytest.mark.parametrize(
    "expression",
    ["speed > 3", "delay >", "delay > 'x'", "delay.nothing() > 1", "", "delay > 1 +* 2"],
)
def test_what_cannot_be_evaluated_names_its_key_and_itself(expression: str) -> None:
    with pytest.raises(DataError) as caught:
        holds(FRAME, expression, "problem.target.holds")
    assert str(caught.value).startswith(f"problem.target.holds: `{expression}` ")


@pytest.mark.parametrize("expression", ["delay", "delay + 1", "True", "delay.max() > 3"])
def test_what_is_no_condition_a_row_is_refused(expression: str) -> None:
    with pytest.raises(DataError, match="is not a condition"):
        holds(FRAME, expression, "k")
