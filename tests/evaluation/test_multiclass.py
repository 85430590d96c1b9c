from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from fullcircle.evaluation.multiclass import LOWER, NAMES, evaluate, predictions
from tests.evaluation.made import THREE, of_three

if TYPE_CHECKING:
    from fullcircle.base.columns import Array


def by_sklearn(p: Array, t: Array, w: Array | None) -> dict[str, float]:
    predicted = p.argmax(axis=1)
    return {
        "auc": sk.roc_auc_score(t, p, sample_weight=w, multi_class="ovr", average="macro"),
        "logloss": sk.log_loss(t, p, sample_weight=w, labels=[0, 1, 2]),
        "brier": sk.brier_score_loss(t, p, sample_weight=w, labels=[0, 1, 2], scale_by_half=False),
        "acc": sk.accuracy_score(t, predicted, sample_weight=w),
        "bacc": sk.balanced_accuracy_score(t, predicted, sample_weight=w),
        "f1": sk.f1_score(t, predicted, sample_weight=w, average="macro"),
    }


@pytest.mark.parametrize("weighted", [False, True])
@settings(max_examples=60, deadline=None)
@given(rows=st.integers(6, 120), seed=st.integers(0, 10**6))
def test_metrics_equal_those_of_scikit_learn(weighted: bool, rows: int, seed: int) -> None:
    p, t = of_three(rows, seed)
    w = np.random.default_rng(seed).choice([0.0, 0.5, 1.0, 3.0], rows) if weighted else None
    counted = np.ones(rows, bool) if w is None else w > 0
    assume(len(np.unique(t[counted])) == 3)
    ours = evaluate(predictions(p, t, THREE, 5), w)
    for name, expected in by_sklearn(p[counted], t[counted], None if w is None else w[counted]).items():
        assert ours[name] == pytest.approx(expected, abs=1e-9), name


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(2, 40), seed=st.integers(0, 10**6))
def test_a_weight_of_two_counts_as_the_row_twice(rows: int, seed: int) -> None:
    p, t = of_three(rows, seed)
    w = np.random.default_rng(seed).integers(0, 4, rows)
    assume(w.sum() > 0)
    twice = np.repeat(np.arange(rows), w)
    ours, repeated = evaluate(predictions(p, t, THREE, 1), w), evaluate(predictions(p[twice], t[twice], THREE, 1))
    for name in NAMES:
        assert ours[name] == pytest.approx(repeated[name], abs=1e-12, nan_ok=True), name


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 60), seed=st.integers(0, 10**6))
def test_the_order_of_rows_does_not_matter(rows: int, seed: int) -> None:
    p, t = of_three(rows, seed)
    order = np.random.default_rng(seed).permutation(rows)
    first, second = evaluate(predictions(p, t, THREE, 4)), evaluate(predictions(p[order], t[order], THREE, 4))
    for name in NAMES:
        assert second[name] == pytest.approx(first[name], abs=1e-12, nan_ok=True), name


def test_a_class_without_rows_is_left_out_of_the_means() -> None:
    p, t = of_three(300)
    w = (t != 1).astype(float)
    found = evaluate(predictions(p, t, THREE, 5), w)
    present, predicted = t != 1, p.argmax(axis=1)
    aucs = [sk.roc_auc_score(t[present] == k, p[present, k]) for k in (0, 2)]
    recalls = [(predicted[t == k] == k).mean() for k in (0, 2)]
    assert found["auc"] == pytest.approx(np.mean(aucs))
    assert found["bacc"] == pytest.approx(np.mean(recalls))


def test_a_class_that_is_predicted_and_never_comes_counts_against_f1() -> None:
    p = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.8, 0.1, 0.1]])
    never = evaluate(predictions(p, np.zeros(3), THREE, 5))
    assert never["f1"] == pytest.approx((2 * 2 / 5 + 0) / 2)
    assert never["bacc"] == pytest.approx(2 / 3)


def test_one_class_or_one_row_has_no_ranking_and_finite_errors() -> None:
    for rows in (1, 10):
        found = evaluate(predictions(of_three(rows)[0], np.full(rows, 2.0), THREE, 5))
        assert np.isnan(found.pop("auc"))
        assert np.isfinite(list(found.values())).all()


def test_a_constant_ranks_nothing() -> None:
    _, t = of_three(200)
    found = evaluate(predictions(np.tile([0.2, 0.3, 0.5], (200, 1)), t, THREE, 5))
    assert found["auc"] == 0.5
    assert found["bacc"] == pytest.approx(1 / 3)
    assert found["acc"] == pytest.approx((t == 2).mean())
    assert found["ece"] == pytest.approx(abs(0.5 - (t == 2).mean()))


def test_certainty_stands_at_the_ends() -> None:
    _, t = of_three(60)
    right, wrong = np.eye(3)[t.astype(int)], np.eye(3)[(t.astype(int) + 1) % 3]
    best, worst = (evaluate(predictions(p, t, THREE, 5)) for p in (right, wrong))
    assert (best["acc"], best["bacc"], best["f1"], best["auc"], best["brier"], best["ece"]) == (1, 1, 1, 1, 0, 0)
    assert (worst["acc"], worst["bacc"], worst["f1"], worst["brier"], worst["ece"]) == (0, 0, 0, 2, 1)
    assert best["logloss"] == 0
    assert 30 < worst["logloss"] < 40


def test_the_calibration_error_is_that_of_the_predicted_class() -> None:
    confidence = np.repeat([0.4, 0.8], 50)
    p = np.stack([confidence, *[(1 - confidence) / 2] * 2], axis=1)
    t = np.concatenate([np.repeat([0.0, 1.0], 25), np.repeat([0.0, 2.0], 25)])  # half of each are right
    assert evaluate(predictions(p, t, THREE, 2))["ece"] == pytest.approx((0.1 + 0.3) / 2)


def test_every_metric_has_a_name_in_full() -> None:
    assert tuple(evaluate(predictions(*of_three(20), THREE, 2))) == tuple(NAMES)
    assert set(LOWER) < set(NAMES)
