"""Estimates before outcomes, of rows of which the truth is known; and what they cannot see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fullcircle.base.errors import ConfigError, DataError
from fullcircle.evaluation.tasks import measured
from fullcircle.monitoring.accuracy import accuracy
from fullcircle.monitoring.estimates import EstimateConfig, Reference, Window, few_groups, spaced
from fullcircle.monitoring.expected import Method, estimate
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.powered import powered
from fullcircle.monitoring.realized import realized
from fullcircle.monitoring.scored import Scored
from tests.monitoring.scenarios import AUC, NUMBER, QUICK, THREE, TWO, Rows, binary, number, three


def true_metric(rows: Rows, metric: str) -> float:
    """The expected metric under the probabilities that outcomes were drawn from, by copies of every row."""
    task, ones = AUC.task, np.repeat(rows.predicted, 2, axis=0)
    prepared = task.predictions(ones, np.tile([0.0, 1.0], len(rows.predicted)), TWO, 15)
    return task.evaluate(prepared, rows.true.ravel())[metric]


@pytest.mark.parametrize("metric", ["auc", "ap", "logloss", "brier", "acc", "prec", "rec", "f1"])
@pytest.mark.parametrize("method", ["cbpe", "pape"])
def test_the_interval_of_calibrated_predictions_holds_the_true_metric(metric: str, method: Method) -> None:
    reference, window = binary(8000, 40, 1), binary(4000, 20, 2, shift=0.5)
    found = estimate(reference.reference, window.window, Measure(metric, TWO), QUICK, method)
    assert found.method == method
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    truth = true_metric(window, metric)
    assert found.low < truth < found.high
    assert abs(found.value - truth) < 0.02


def test_pape_follows_a_shift_on_which_calibration_depends_and_cbpe_does_not() -> None:
    """More rows of a segment in which the model is wrong: P(y | x) is unchanged, calibration by prediction is not."""
    reference = binary(30_000, 40, 1, segments=0.2, bias=2.0)
    window = binary(20_000, 20, 2, segments=0.8, bias=2.0)
    truth = true_metric(window, "brier")
    errors = {}
    for method in ("cbpe", "pape"):
        found = estimate(reference.reference, window.window, Measure("brier", TWO), QUICK, method)
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        errors[method] = abs(found.value - truth)
        assert (found.low < truth < found.high) == (method == "pape")
    assert errors["cbpe"] > 0.04
    assert errors["pape"] < 0.012


def test_miscalibrated_predictions_are_calibrated_first() -> None:
    reference, window = binary(20_000, 40, 1, bias=2.0, segments=1.0), binary(10_000, 20, 2, bias=2.0, segments=1.0)
    found = estimate(reference.reference, window.window, Measure("logloss", TWO), QUICK, "cbpe")
    assert found.value == pytest.approx(true_metric(window, "logloss"), abs=0.01)


@pytest.mark.parametrize("method", ["cbpe", "pape"])
def test_a_changed_relation_of_target_and_inputs_is_not_seen_without_outcomes(method: Method) -> None:
    reference, window = binary(10_000, 40, 1), binary(5000, 20, 2, concept=0.0)
    found = estimate(reference.reference, window.window, AUC, QUICK, method)
    assert true_metric(window, "auc") == pytest.approx(0.5, abs=0.02)
    assert found.low is not None
    assert found.low > 0.68


def test_a_few_outcomes_show_a_changed_relation() -> None:
    reference, window = binary(10_000, 40, 1), binary(5000, 20, 2, concept=0.0)
    known = np.random.default_rng(0).random(5000) < 0.06
    found = powered(reference.reference, window.known(known), AUC, QUICK)
    assert found.outcomes == known.sum() < 350
    assert found.low is not None
    assert found.high is not None
    assert found.low < true_metric(window, "auc") < found.high < 0.68


def test_predictions_narrow_the_interval_of_few_outcomes() -> None:
    reference = binary(10_000, 40, 1)
    widths = []
    for seed in range(5):
        window = binary(6000, 20, 10 + seed)
        known = np.random.default_rng(seed).random(6000) < 0.05
        with_them = powered(reference.reference, window.known(known), Measure("logloss", TWO), QUICK)
        without = realized(window.known(known), Measure("logloss", TWO), QUICK)
        assert with_them.low is not None
        assert with_them.high is not None
        assert without.low is not None
        assert without.high is not None
        widths.append((with_them.high - with_them.low) / (without.high - without.low))
    assert np.mean(widths) / few_groups(20, 0.95) < 0.98  # which `powered` is widened by, and `realized` is not


def test_with_all_outcomes_the_powered_estimate_is_the_realized_one() -> None:
    reference, window = binary(3000, 30, 1), binary(2000, 20, 2)
    every = np.ones(2000, bool)
    found = powered(reference.reference, window.known(every), AUC, QUICK)
    own = realized(window.known(every), AUC, QUICK)
    assert found.value == pytest.approx(own.value, abs=1e-4)
    assert "lambda 0.00" in found.note


def test_outcomes_of_the_older_days_only_are_reported_and_the_rectifier_is_theirs() -> None:
    """The window's later half has other inputs: the realized metric of the older days would be wrong for it."""
    reference = binary(20_000, 40, 1)
    old, new = binary(4000, 10, 2), binary(4000, 10, 3, shift=4.0)
    both = Window(
        {name: np.concatenate([old.inputs[name], new.inputs[name]]) for name in old.inputs},
        np.concatenate([old.predicted, new.predicted]),
        np.concatenate([old.group, new.group + 10]),
        np.concatenate([old.target, np.full(4000, np.nan)]),
    )
    found = powered(reference.reference, both, Measure("brier", TWO), QUICK)
    truth = (true_metric(old, "brier") + true_metric(new, "brier")) / 2
    assert "outcomes of some groups only" in found.note
    assert "lambda 1.00" in found.note
    assert found.value == pytest.approx(truth, abs=0.01)
    assert abs(true_metric(old, "brier") - truth) > 0.03
    assert found.low is not None
    assert found.high is not None
    assert found.low < truth < found.high


def test_flipped_outcomes_are_part_of_what_is_estimated() -> None:
    """With a share e of outcomes flipped, accuracy a is measured as a * (1 - 2e) + e."""
    reference, window, e = binary(30_000, 40, 1), binary(20_000, 20, 2), 0.1
    flipped = np.random.default_rng(0).random(30_000) < e
    noisy = replace(reference, target=np.where(flipped, 1 - reference.target, reference.target))
    found = estimate(noisy.reference, window.window, Measure("acc", TWO), QUICK, "cbpe")
    assert found.value == pytest.approx(true_metric(window, "acc") * (1 - 2 * e) + e, abs=0.01)


def test_the_calibration_error_holds_the_noise_of_a_finite_sample() -> None:
    """Of calibrated predictions the expected error is 0, the measured one is not."""
    measure = Measure("ece", TWO)
    windows = [binary(600, 10, 100 + seed) for seed in range(30)]
    typical = np.mean([measured(w.predicted, w.target, TWO, 15)["ece"] for w in windows])
    found = estimate(binary(12_000, 40, 1).reference, windows[0].window, measure, QUICK, "cbpe")
    assert found.value == pytest.approx(typical, abs=0.015)
    assert typical > 0.04


@pytest.mark.parametrize("metric", ["logloss", "acc", "brier", "auc", "bacc", "f1"])
def test_several_classes(metric: str) -> None:
    reference, window = three(2000, 1, sharp=2.0), three(1500, 2, sharp=2.0, shift=1.0)
    measure = Measure(metric, THREE)
    truth = measured(window.predicted, window.target, THREE, 15)[metric]
    for method in ("cbpe", "pape"):
        found = estimate(reference.reference, window.window, measure, QUICK, method)
        assert found.low is not None
        assert found.high is not None
        assert found.low < truth < found.high
    known = np.random.default_rng(0).random(1500) < 0.4
    few = powered(reference.reference, window.known(known), measure, QUICK)
    assert few.low is not None
    assert few.high is not None
    assert few.low < truth < few.high


@pytest.mark.parametrize("metric", ["mae", "r2", "coverage"])
def test_a_number_is_estimated_by_weighted_reference_rows(metric: str) -> None:
    """Noise grows with z, which predictions do not show: weights by inputs follow it, weights by prediction do not."""
    reference, window = number(8000, 1), number(8000, 2, shift=1.0)
    truth = measured(window.predicted, window.target, NUMBER, 15)[metric]
    found = {
        m: estimate(reference.reference, window.window, Measure(metric, NUMBER), QUICK, m) for m in ("cbpe", "pape")
    }
    by_inputs, by_prediction = found["pape"], found["cbpe"]
    assert by_inputs.method == "weighted by inputs"
    assert by_prediction.method == "weighted by prediction"
    assert by_inputs.value is not None
    assert by_prediction.value is not None
    assert abs(by_inputs.value - truth) < abs(by_prediction.value - truth) / 2
    known = np.random.default_rng(0).random(8000) < 0.1
    few = powered(reference.reference, window.known(known), Measure(metric, NUMBER), QUICK)
    assert few.low is not None
    assert few.high is not None
    assert few.low < truth < few.high


def test_weights_worth_few_rows_fall_back_to_cbpe_and_say_so() -> None:
    reference, window = binary(5000, 20, 1), binary(2000, 10, 2, shift=6.0)
    found = estimate(reference.reference, window.window, AUC, QUICK, "pape")
    assert found.method == "cbpe"
    assert "CBPE instead of PAPE" in found.note
    assert found.effective is not None
    assert found.effective < QUICK.min_effective


def test_reference_rows_of_one_class_give_a_reason() -> None:
    rows = binary(200, 10, 1)
    reference = replace(rows, target=np.zeros(200)).reference
    for found in (
        estimate(reference, rows.window, AUC, QUICK),
        powered(reference, rows.known(np.ones(200, bool)), AUC, QUICK),
    ):
        assert found.value is found.low is found.high is None
        assert "one class" in found.note


def test_outcomes_of_one_class_give_a_reason() -> None:
    rows = binary(200, 10, 1)
    window = Window(rows.inputs, rows.predicted, rows.group, np.zeros(200))
    assert "all outcomes are equal" in realized(window, AUC, QUICK).note
    found = powered(rows.reference, replace(window, target=np.where(np.arange(200) < 100, 0.0, np.nan)), AUC, QUICK)
    assert found.value is None
    assert "not defined" in found.note


def test_one_row() -> None:
    reference, one = binary(500, 20, 1).reference, binary(1, 1, 2)
    area = estimate(reference, one.window, AUC, QUICK, "cbpe")
    assert (area.value, area.rows) == (None, 1)
    assert "not defined" in area.note
    loss = estimate(reference, one.window, Measure("logloss", TWO), QUICK, "cbpe")
    assert loss.low is not None
    assert loss.high is not None
    assert loss.low < float(loss.value or 0) < loss.high
    assert realized(one.known(np.ones(1, bool)), Measure("logloss", TWO), QUICK).low is None


def test_no_rows_and_no_outcomes_give_a_reason() -> None:
    reference = binary(300, 10, 1)
    empty = Window({name: v[:0] for name, v in reference.inputs.items()}, np.zeros((0, 1)), np.zeros(0, int))
    assert "no rows" in estimate(reference.reference, empty, AUC, QUICK).note
    assert "no outcome" in realized(reference.window, AUC, QUICK).note
    assert "no outcome" in realized(empty, AUC, QUICK).note
    few = powered(reference.reference, reference.window, AUC, QUICK)
    assert few.value is None
    assert "0 outcomes are known; 30 are needed" in few.note
    assert accuracy(reference.reference, empty, AUC, QUICK).value is None


def test_a_reference_of_one_group_gives_a_value_without_an_interval() -> None:
    rows = binary(500, 1, 1)
    found = estimate(rows.reference, binary(200, 5, 2).window, AUC, QUICK, "cbpe")
    assert found.value is not None
    assert found.low is None
    assert "no interval" in found.note


def test_the_best_estimate_uses_the_outcomes_that_are_known() -> None:
    reference, window = binary(3000, 30, 1).reference, binary(1000, 20, 2)
    share = np.random.default_rng(0).random(1000)
    methods = [accuracy(reference, window.known(share < s), AUC, QUICK, "cbpe").method for s in (0.0, 0.01, 0.3, 1.1)]
    assert methods == ["cbpe", "cbpe", "powered", "realized"]


def test_the_same_rows_give_the_same_estimate() -> None:
    reference, window = binary(3000, 30, 1), binary(1000, 20, 2)
    assert estimate(reference.reference, window.window, AUC, QUICK) == estimate(
        reference.reference, window.window, AUC, QUICK
    )
    other = estimate(reference.reference, window.window, AUC, replace(QUICK, seed=1), "cbpe")
    assert other.low != estimate(reference.reference, window.window, AUC, QUICK, "cbpe").low


def test_the_order_of_rows_does_not_matter_to_the_value() -> None:
    reference, window = binary(3000, 30, 1), binary(1000, 20, 2)
    order = np.random.default_rng(0).permutation(1000)
    shuffled = Window({n: v[order] for n, v in window.inputs.items()}, window.predicted[order], window.group[order])
    first, second = (estimate(reference.reference, w, AUC, QUICK, "cbpe").value for w in (window.window, shuffled))
    assert first == pytest.approx(second, abs=1e-12)


def test_wrong_configuration_and_lengths_are_refused() -> None:
    with pytest.raises(ConfigError, match="level 2"):
        EstimateConfig(level=2.0)
    with pytest.raises(ConfigError, match="resamples 1"):
        EstimateConfig(resamples=1)
    with pytest.raises(ConfigError, match="this task has auc"):
        Measure("rmse", TWO)
    with pytest.raises(DataError, match="reference: 3 predictions, but target has 2 rows"):
        Reference({}, np.zeros((3, 1)), np.zeros(2), np.zeros(3, int))


def test_evenly_spaced_rows_span_all() -> None:
    assert spaced(1_000_000, 3).tolist() == [0, 500000, 999999]
    assert len(set(spaced(999, 998).tolist())) == 998


def test_a_resample_of_a_million_rows_reads_cells() -> None:
    random = np.random.default_rng(0)
    scored = Scored.of(random.random((1_000_000, 1)), AUC, 100_000)
    assert len(scored.predicted) <= 1001
