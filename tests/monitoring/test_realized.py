"""Metrics of rows with outcomes: value and interval."""

from __future__ import annotations

import numpy as np
import pytest

from fullcircle.evaluation.intervals import bootstrap
from fullcircle.evaluation.tasks import measured
from fullcircle.monitoring.estimates import EstimateConfig
from fullcircle.monitoring.realized import realized
from tests.monitoring.scenarios import AUC, QUICK, TWO, binary


def test_the_value_is_that_of_the_metrics_and_the_interval_that_of_validate() -> None:
    rows = binary(3000, 30, 1, effect=0.5)
    found = realized(rows.known(np.ones(3000, bool)), AUC, EstimateConfig(resamples=1000))
    assert found.value == measured(rows.predicted, rows.target, TWO, 15)["auc"]
    prepared = AUC.task.predictions(rows.predicted, rows.target, TWO, 15)
    own = bootstrap(AUC.task, prepared, rows.group, 1000, 0.95, 0)["auc"]
    assert (found.low, found.high) == pytest.approx(own, abs=0.003)


def test_only_rows_with_outcomes_count() -> None:
    rows = binary(2000, 20, 1)
    known = np.arange(2000) % 4 == 0
    found = realized(rows.known(known), AUC, QUICK)
    assert (found.rows, found.outcomes) == (2000, 500)
    assert found.value == measured(rows.predicted[known], rows.target[known], TWO, 15)["auc"]


def test_one_group_has_no_interval() -> None:
    found = realized(binary(500, 1, 1).known(np.ones(500, bool)), AUC, QUICK)
    assert found.value is not None
    assert found.low is None
    assert "one group" in found.note
