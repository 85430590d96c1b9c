"""Numbers that stand for none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.drafting.sentinels import doubt, sentinel

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

RANDOM = np.random.default_rng(3)
TEMPERATURES, COUNTS, INCOMES = (
    RANDOM.normal(12, 8, 400),
    RANDOM.poisson(30, 400).astype(float),
    RANDOM.lognormal(10, 1, 400),
)


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        (TEMPERATURES, -999.0),
        (TEMPERATURES, 9999.0),
        (COUNTS, -1.0),
        (INCOMES, -1.0),
        (COUNTS, 999.0),
        (TEMPERATURES, 1e6),
    ],
)
def test_a_repeated_extreme_is_named(values: Array, missing: float) -> None:
    assert sentinel(np.concatenate([values, [missing] * 9, [np.nan]])) == (missing, 9)
    assert doubt(np.concatenate([values, [missing] * 9])).startswith(f"{missing:g} in 9 rows, and else ")


@pytest.mark.parametrize(
    "values",
    [
        TEMPERATURES,
        COUNTS,
        INCOMES,
        np.zeros(0),
        np.full(50, np.nan),
        np.concatenate([INCOMES, [0.0] * 60]),  # no income
        np.concatenate([TEMPERATURES, [-999.0]]),  # once
        np.concatenate([np.arange(5.0).repeat(20), [99.0] * 9]),  # few levels
        np.clip(TEMPERATURES, -5, 20),  # a sensor at its ends
        np.concatenate([RANDOM.normal(0, 1, 300), [-1.0] * 9]),
    ],
)
def test_usual_columns_have_none(values: Array) -> None:
    assert sentinel(values) is None
    assert doubt(values) == ""
