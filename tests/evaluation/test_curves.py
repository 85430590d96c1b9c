from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from fullcircle.evaluation.curves import POINTS, calibration, confusion, precision_recall, roc
from fullcircle.evaluation.metrics import predictions

random = np.random.default_rng(0)
P = np.round(random.beta(2, 4, 150), 2)
T = (random.random(150) < P).astype(float)
SMALL = predictions(P, T, 0.3, 5)
LARGE_P = random.random(5000)
LARGE_T = (random.random(5000) < LARGE_P).astype(float)
LARGE = predictions(LARGE_P, LARGE_T, 0.3, 10)


def test_the_roc_curve_is_that_of_scikit_learn() -> None:
    fpr, tpr, _ = sk.roc_curve(T, P, drop_intermediate=False)
    np.testing.assert_allclose(roc(SMALL)["fpr"], fpr)
    np.testing.assert_allclose(roc(SMALL)["tpr"], tpr)


def test_a_thinned_roc_curve_runs_from_corner_to_corner_and_keeps_its_area() -> None:
    curve = roc(LARGE)
    assert len(curve["fpr"]) == POINTS
    for values in curve.values():
        assert (values[0], values[-1]) == (0, 1)
        assert (np.diff(values) >= 0).all()
    assert sk.auc(curve["fpr"], curve["tpr"]) == pytest.approx(sk.roc_auc_score(LARGE_T, LARGE_P), abs=2e-3)


def test_the_precision_recall_curve_is_that_of_scikit_learn() -> None:
    precision, recall, _ = sk.precision_recall_curve(T, P)
    np.testing.assert_allclose(precision_recall(SMALL)["precision"], precision[:-1][::-1])
    np.testing.assert_allclose(precision_recall(SMALL)["recall"], recall[:-1][::-1])


def test_a_thinned_precision_recall_curve_rises_to_all_positives() -> None:
    curve = precision_recall(LARGE)
    assert (np.diff(curve["recall"]) >= 0).all()
    assert curve["recall"][-1] == 1
    assert curve["precision"][-1] == pytest.approx(LARGE_T.mean())


def test_the_calibration_curve_holds_every_row_and_the_mean_of_each_bin() -> None:
    curve = calibration(LARGE)
    assert curve["rows"].tolist() == [500] * 10
    order = np.argsort(LARGE_P)
    np.testing.assert_allclose(curve["predicted"], LARGE_P[order].reshape(10, 500).mean(axis=1))
    np.testing.assert_allclose(curve["observed"], LARGE_T[order].reshape(10, 500).mean(axis=1))


def test_the_calibration_error_is_the_weighted_gap_of_the_curve() -> None:
    from fullcircle.evaluation.metrics import evaluate

    curve = calibration(SMALL)
    weight = curve["rows"] / curve["rows"].sum()
    assert (weight * np.abs(curve["predicted"] - curve["observed"])).sum() == pytest.approx(evaluate(SMALL)["ece"])


def test_a_bin_without_rows_is_left_out() -> None:
    curve = calibration(predictions(np.full(10, 0.4), np.tile([0.0, 1.0], 5), 0.5, 5))
    assert curve["rows"].tolist() == [10]


def test_the_confusion_is_that_of_scikit_learn() -> None:
    table = confusion(SMALL, "on_time", "late")
    assert table["actual"] == ["on_time", "on_time", "late", "late"]
    assert table["predicted"] == ["on_time", "late"] * 2
    assert table["rows"] == sk.confusion_matrix(T, P >= 0.3).ravel().tolist()
