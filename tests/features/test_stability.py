from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.features.stability import PAIRS, frequencies
from fullcircle.featurizing.importance import tree_importance

if TYPE_CHECKING:
    from fullcircle.base.columns import Array

random = np.random.default_rng(0)
NOISE = random.normal(0, 1, (600, 8)).astype(np.float32)
SIGNAL = (random.random(600) < 0.5).astype(float)


def covariance(matrix: Array, target: Array, seed: int) -> Array:
    return np.asarray(np.abs(((matrix - matrix.mean(axis=0)) * (target - target.mean())[:, None]).mean(axis=0)))


def with_signal(n_classes: int) -> tuple[Array, Array]:
    """The third of eight features tells the target, which has so many classes; the others are noise."""
    matrix = NOISE.copy()
    target = random.integers(0, n_classes, 600).astype(float) if n_classes else random.normal(0, 1, 600)
    matrix[:, 2] = target + random.normal(0, 0.5, 600)
    return matrix, target


def test_what_tells_the_target_is_always_important_and_noise_is_rarely() -> None:
    matrix, target = with_signal(2)
    found = frequencies(matrix, target, covariance)
    assert found[2] == 1
    assert np.delete(found, 2).mean() < 0.35


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_small_boosted_trees_know_what_is_important_in_every_task(n_classes: int) -> None:
    matrix, target = with_signal(n_classes)
    matrix[::7, 2] = np.nan
    found = frequencies(matrix, target, partial(tree_importance, n_classes=n_classes))
    assert found[2] == 1
    assert np.delete(found, 2).max() < 0.5


def test_frequencies_are_the_same_every_time_and_go_by_halves() -> None:
    first, second = (frequencies(NOISE, SIGNAL, covariance) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first * 2 * PAIRS, np.round(first * 2 * PAIRS))
    assert not np.array_equal(first, frequencies(NOISE, SIGNAL, covariance, seed=1))


def test_each_pair_of_halves_has_every_row_once() -> None:
    seen: dict[int, Array] = {}

    def importance(matrix: Array, target: Array, seed: int) -> Array:
        seen[seed] = target
        return np.zeros(matrix.shape[1])

    rows = np.arange(600.0)
    assert frequencies(NOISE, rows, importance).tolist() == [0.0] * 8
    for i in range(PAIRS):
        assert sorted([*seen[2 * i], *seen[2 * i + 1]]) == rows.tolist()
