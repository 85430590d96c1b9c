"""dummy: the share of each class among the training rows, or their mean, for every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fullcircle.features.targets import indicators
from fullcircle.models.linear import FittedLinear
from fullcircle.models.scaling import scaling_of
from fullcircle.scoring.scorer import margin_of

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import DummyConfig
    from fullcircle.models.sample import Sample


def fit(config: DummyConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedLinear:
    """Count on training rows."""
    return _fit(train)


def refit(config: DummyConfig, sample: Sample, fitted: FittedLinear, threads: int) -> FittedLinear:
    """Count on all rows."""
    return _fit(sample)


def _fit(sample: Sample) -> FittedLinear:
    mean = indicators(sample.y, sample.n_classes).mean(axis=0, keepdims=True)
    bias = margin_of(mean)[0] if sample.n_classes else mean[0]
    return FittedLinear(scaling_of(sample.X), np.zeros((sample.X.shape[1], len(bias))), bias)
