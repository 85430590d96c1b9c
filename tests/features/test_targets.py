from __future__ import annotations

import numpy as np
import pytest

from fullcircle.features.targets import codes, indicators


def test_two_classes_and_a_number_are_their_own_indicator() -> None:
    assert indicators(np.array([0.0, 1.0]), 2).tolist() == [[0], [1]]
    assert indicators(np.array([3.5, -1.0]), 0).tolist() == [[3.5], [-1]]


def test_several_classes_have_an_indicator_each() -> None:
    assert indicators(np.array([2.0, 0.0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize("n_classes", [2, 5])
def test_a_class_is_its_own_code(n_classes: int) -> None:
    target = np.arange(n_classes, dtype=float)
    assert codes(target, n_classes).tolist() == list(range(n_classes))


def test_a_number_has_bins_of_equal_count() -> None:
    counts = np.bincount(codes(np.random.default_rng(0).normal(0, 1, 800), 0))
    assert counts.tolist() == [100] * 8
    assert set(codes(np.array([1.0] * 9 + [2.0]), 0)) == {0, 1}
