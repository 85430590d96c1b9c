from __future__ import annotations

import numpy as np
import pytest

from fullcircle.core.balance import balance


def test_two_classes_are_described_by_the_share_of_the_positive_one() -> None:
    assert balance(np.array([0.0, 1, 1, 1]), ("no", "yes")) == {"rows": 4, "positive": 0.75}


def test_several_classes_are_described_by_the_share_of_each_also_of_one_without_rows() -> None:
    assert balance(np.array([0.0, 2, 2, 2]), ("a", "b", "c")) == {"rows": 4, "shares": {"a": 0.25, "b": 0.0, "c": 0.75}}


def test_a_number_is_described_by_its_range_and_spread() -> None:
    found = balance(np.array([1.0, 2.0, 6.0]), ())
    assert found.pop("deviation") == pytest.approx(np.sqrt(14 / 3))
    assert found == {"rows": 3, "mean": 3.0, "min": 1.0, "median": 2.0, "max": 6.0}
