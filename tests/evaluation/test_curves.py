from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn import metrics as sk

from fullcircle.evaluation import binary, multiclass, regression
from fullcircle.evaluation.curves import POINTS
from fullcircle.evaluation.tasks import FILES, files_of
from tests.evaluation.made import CLASSES, NUMBER, THREE, column, of_number, of_three, two

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns

random = np.random.default_rng(0)
P = np.round(random.beta(2, 4, 150), 2)
T = (random.random(150) < P).astype(float)
LARGE_P = random.random(5000)
LARGE_T = (random.random(5000) < LARGE_P).astype(float)


def curves(p: Array, t: Array, bins: int) -> dict[str, Columns]:
    return binary.curves(binary.predictions(column(p), t, two(0.3), bins), two(0.3))


SMALL, LARGE = curves(P, T, 5), curves(LARGE_P, LARGE_T, 10)


def test_the_roc_curve_is_that_of_scikit_learn() -> None:
    fpr, tpr, _ = sk.roc_curve(T, P, drop_intermediate=False)
    np.testing.assert_allclose(SMALL["roc"]["fpr"], fpr)
    np.testing.assert_allclose(SMALL["roc"]["tpr"], tpr)


def test_a_thinned_roc_curve_runs_from_corner_to_corner_and_keeps_its_area() -> None:
    curve = LARGE["roc"]
    assert len(curve["fpr"]) == POINTS
    for name in ("fpr", "tpr"):
        assert (curve[name][0], curve[name][-1]) == (0, 1)
        assert (np.diff(curve[name]) >= 0).all()
    assert sk.auc(curve["fpr"], curve["tpr"]) == pytest.approx(sk.roc_auc_score(LARGE_T, LARGE_P), abs=2e-3)


def test_the_precision_recall_curve_is_that_of_scikit_learn() -> None:
    precision, recall, _ = sk.precision_recall_curve(T, P)
    np.testing.assert_allclose(SMALL["precision_recall"]["precision"], precision[:-1][::-1])
    np.testing.assert_allclose(SMALL["precision_recall"]["recall"], recall[:-1][::-1])


def test_a_thinned_precision_recall_curve_rises_to_all_positives() -> None:
    curve = LARGE["precision_recall"]
    assert (np.diff(curve["recall"]) >= 0).all()
    assert curve["recall"][-1] == 1
    assert curve["precision"][-1] == pytest.approx(LARGE_T.mean())


def test_the_calibration_curve_holds_every_row_and_the_mean_of_each_bin() -> None:
    curve = LARGE["calibration"]
    assert curve["rows"].tolist() == [500] * 10
    order = np.argsort(LARGE_P)
    np.testing.assert_allclose(curve["predicted"], LARGE_P[order].reshape(10, 500).mean(axis=1))
    np.testing.assert_allclose(curve["observed"], LARGE_T[order].reshape(10, 500).mean(axis=1))


def test_the_calibration_error_is_the_weighted_gap_of_the_curve() -> None:
    curve = SMALL["calibration"]
    ece = binary.evaluate(binary.predictions(column(P), T, two(), 5))["ece"]
    weight = curve["rows"] / curve["rows"].sum()
    assert (weight * np.abs(curve["predicted"] - curve["observed"])).sum() == pytest.approx(ece)


def test_a_bin_without_rows_is_left_out() -> None:
    curve = curves(np.full(10, 0.4), np.tile([0.0, 1.0], 5), 5)["calibration"]
    assert curve["rows"].tolist() == [10]


def test_the_confusion_is_that_of_scikit_learn() -> None:
    table = SMALL["confusion"]
    assert table["actual"].tolist() == ["on_time", "on_time", "late", "late"]
    assert table["predicted"].tolist() == ["on_time", "late"] * 2
    assert table["rows"].tolist() == sk.confusion_matrix(T, P >= 0.3).ravel().tolist()


def test_a_curve_of_two_classes_names_the_positive_one() -> None:
    assert set(SMALL["roc"]["class"]) == set(SMALL["precision_recall"]["class"]) == {"late"}


def test_without_one_of_two_classes_there_are_no_rankings_and_the_other_files_stay() -> None:
    found = files_of(curves(P, np.zeros(150), 5))
    assert {name: len(table[FILES[name][-1]]) for name, table in found.items()} == {
        "roc": 0, "precision_recall": 0, "calibration": 5, "confusion": 4, "residuals": 0
    }  # fmt: skip


def test_several_classes_have_a_curve_each_against_the_rest() -> None:
    p, t = of_three(300)
    found = multiclass.curves(multiclass.predictions(p, t, THREE, 5), THREE)
    for k, name in enumerate(CLASSES):
        inside = found["roc"]["class"] == name
        fpr, tpr, _ = sk.roc_curve(t == k, p[:, k], drop_intermediate=False)
        np.testing.assert_allclose(found["roc"]["fpr"][inside], fpr)
        np.testing.assert_allclose(found["roc"]["tpr"][inside], tpr)
    assert list(dict.fromkeys(found["precision_recall"]["class"])) == list(CLASSES)


def test_the_confusion_of_several_classes_is_that_of_scikit_learn() -> None:
    p, t = of_three(300)
    table = multiclass.curves(multiclass.predictions(p, t, THREE, 5), THREE)["confusion"]
    assert table["rows"].tolist() == sk.confusion_matrix(t, p.argmax(axis=1)).ravel().tolist()
    assert list(zip(table["actual"], table["predicted"], strict=True))[:4] == [
        ("bus", "bus"), ("bus", "tram"), ("bus", "walk"), ("tram", "bus")
    ]  # fmt: skip


def test_a_class_without_rows_has_no_curve_and_stays_in_the_confusion() -> None:
    p, t = of_three(300)
    present = t != 1
    found = multiclass.curves(multiclass.predictions(p[present], t[present], THREE, 5), THREE)
    assert set(found["roc"]["class"]) == set(found["precision_recall"]["class"]) == {"bus", "walk"}
    assert len(found["confusion"]["rows"]) == 9


def test_residuals_are_told_bin_by_bin_in_the_unit_of_the_target() -> None:
    predicted, target = of_number(1000)
    table = regression.curves(regression.predictions(predicted, target, NUMBER, 10), NUMBER)["residuals"]
    assert sum(table["rows"]) == 1000
    lowest = predicted[:, 0] <= np.quantile(predicted[:, 0], 0.1)
    residual = (target - predicted[:, 0])[lowest]
    assert (table["low"][0], table["high"][0]) == pytest.approx(tuple(np.quantile(residual, [0.05, 0.95])))
    assert table["median"][0] == pytest.approx(np.median(residual))
    assert table["predicted"][0] == pytest.approx(predicted[:, 0][lowest].mean())


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_every_task_fills_its_files_and_leaves_those_of_others_with_a_header(n_classes: int) -> None:
    number, three = regression.predictions(*of_number(50), NUMBER, 5), multiclass.predictions(*of_three(50), THREE, 5)
    found = files_of({0: regression.curves(number, NUMBER), 2: SMALL, 3: multiclass.curves(three, THREE)}[n_classes])
    assert {name: tuple(table) for name, table in found.items()} == FILES
    filled = {name for name, table in found.items() if len(table[FILES[name][-1]])}
    ranked = {"roc", "precision_recall", "calibration", "confusion"}
    assert filled == ({"calibration", "residuals"} if n_classes == 0 else ranked)
