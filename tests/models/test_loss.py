from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss, root_mean_squared_error

from fullcircle.models.loss import loss
from fullcircle.scoring.predictions import sigmoid, softmax

RANDOM = np.random.default_rng(0)


def test_of_two_classes_it_is_the_log_loss() -> None:
    margin, y = RANDOM.normal(size=(50, 1)) * 3, np.arange(50) % 2
    assert loss(margin, y.astype(np.float32), 2) == pytest.approx(log_loss(y, sigmoid(margin[:, 0])), rel=1e-12)


def test_of_several_classes_it_is_the_log_loss() -> None:
    margin, y = RANDOM.normal(size=(50, 5)) * 3, np.arange(50) % 5
    assert loss(margin, y.astype(np.float32), 5) == pytest.approx(log_loss(y, softmax(margin)), rel=1e-12)


def test_of_a_number_it_is_the_root_mean_squared_error() -> None:
    margin, y = RANDOM.normal(size=(50, 1)), RANDOM.normal(size=50)
    assert loss(margin, y, 0) == pytest.approx(root_mean_squared_error(y, margin[:, 0]), rel=1e-12)


@pytest.mark.parametrize(("n_classes", "expected"), [(2, 2500), (3, 5000)])
def test_margins_of_any_size_have_a_finite_loss(n_classes: int, expected: float) -> None:
    margin = np.full((4, n_classes if n_classes > 2 else 1), -5000.0)
    margin[:, 0] = 5000
    y = np.array([1, 1, 0, 0], np.float32)
    assert loss(margin, y, n_classes) == expected
