from __future__ import annotations

import numpy as np

from fullcircle.base.typed import plain
from fullcircle.core.target import TargetDistribution


def test_of_two_classes_there_is_the_share_of_the_positive_one() -> None:
    found = TargetDistribution.of(np.array([0.0, 1, 1, 1]), ("no", "yes"))
    assert plain(found) == {"rows": 4, "positive": 0.75}, "fields of other tasks are not written"


def test_of_several_classes_there_is_a_share_of_each_with_or_without_rows() -> None:
    found = TargetDistribution.of(np.array([0.0, 2, 2, 2]), ("a", "b", "c"))
    assert found == TargetDistribution(4, shares={"a": 0.25, "b": 0.0, "c": 0.75})


def test_of_a_number_there_are_mean_deviation_and_quantiles() -> None:
    found = TargetDistribution.of(np.array([1.0, 2.0, 6.0]), ())
    assert (found.rows, found.mean, found.min, found.median, found.max) == (3, 3.0, 1.0, 2.0, 6.0)
    assert found.deviation == np.std([1.0, 2.0, 6.0])
    assert (found.positive, found.shares) == (None, {})
