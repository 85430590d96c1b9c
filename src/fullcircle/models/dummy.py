"""dummy: the share of positives among the training rows, for every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fullcircle.models.linear import FittedLinear, demand_filled
from fullcircle.runtime.scorer import log_odds

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import DummyConfig
    from fullcircle.models.sample import Sample


def fit(config: DummyConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedLinear:
    """Count on training rows."""
    return _fit(config, train)


def refit(config: DummyConfig, sample: Sample, fitted: FittedLinear, threads: int) -> FittedLinear:
    """Count on all rows."""
    return _fit(config, sample)


def _fit(config: DummyConfig, sample: Sample) -> FittedLinear:
    demand_filled(sample, config.name)
    share = np.array([sample.y.mean(dtype=np.float64)])
    return FittedLinear(np.zeros(sample.X.shape[1], np.float32), float(log_odds(share)[0]))
