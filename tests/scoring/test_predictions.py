from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import build, plain
from fullcircle.scoring.predictions import (
    BinaryCalibration,
    Calibration,
    MulticlassCalibration,
    RegressionCalibration,
    log_odds,
    outputs_of,
    sigmoid,
    softmax,
)

BINARY = BinaryCalibration("binary", "no", "yes", 2.0, -1.0, 0.5)
MULTICLASS = MulticlassCalibration("multiclass", ("a", "b", "c"), 2.0)
REGRESSION = RegressionCalibration("regression", 100.0, 20.0, 5.0, 0.9)


def test_a_binary_margin_becomes_a_probability_and_the_class_at_the_threshold() -> None:
    predicted = BINARY.predict(np.array([[0.5], [1.0], [0.0]]))
    np.testing.assert_allclose(predicted[:, 0], [0.5, 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))])
    columns = BINARY.columns(predicted)
    assert list(columns) == ["prediction", "probability_no", "probability_yes"]
    assert columns["prediction"].tolist() == ["yes", "yes", "no"]
    assert (columns["probability_no"] + columns["probability_yes"]).tolist() == [1.0, 1.0, 1.0]


def test_a_multiclass_margin_becomes_probabilities_and_the_most_probable_class() -> None:
    predicted = MULTICLASS.predict(np.log(np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])))
    np.testing.assert_allclose(predicted[0], np.array([4, 9, 25]) / 38)
    columns = MULTICLASS.columns(predicted)
    assert list(columns) == ["prediction", "probability_a", "probability_b", "probability_c"]
    assert columns["prediction"].tolist() == ["c", "a"]


def test_a_margin_in_standard_units_becomes_a_number_and_its_interval() -> None:
    columns = REGRESSION.columns(REGRESSION.predict(np.array([[0.0], [-1.5]])))
    assert {name: values.tolist() for name, values in columns.items()} == {
        "prediction": [100.0, 70.0],
        "lower": [95.0, 65.0],
        "upper": [105.0, 75.0],
    }


@pytest.mark.parametrize("calibration", [BINARY, MULTICLASS, REGRESSION])
def test_an_answer_survives_its_way_to_a_file(calibration: Calibration) -> None:
    assert build(Calibration, plain(calibration), "calibration") == calibration  # type: ignore[arg-type]


@pytest.mark.parametrize("calibration", [BINARY, MULTICLASS, REGRESSION])
def test_no_rows_have_no_answers(calibration: Calibration) -> None:
    margin = np.zeros((0, outputs_of(len(calibration.classes))))
    assert all(len(values) == 0 for values in calibration.columns(calibration.predict(margin)).values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"scale": 0.0}, "scale 0 must be above 0"), ({"radius": -1.0}, "radius -1 not below it")],
)
def test_an_interval_that_cannot_be_is_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(RegressionCalibration, plain(REGRESSION) | changes, "calibration")


def test_sigmoid_and_softmax_are_exact_where_they_would_overflow() -> None:
    with np.errstate(all="raise", under="ignore"):
        assert sigmoid(np.array([-700.0, 0.0, 700.0, 40.0])).tolist() == pytest.approx([0, 0.5, 1, 1], abs=1e-15)
        assert softmax(np.array([[-900.0, 0.0, 900.0]])).tolist() == [[0, 0, 1]]


@settings(max_examples=50, deadline=None)
@given(arrays(float, (4, 3), elements=st.floats(-50, 50)))
def test_softmax_adds_up_to_one_and_does_not_mind_a_shift(margin: np.ndarray) -> None:
    np.testing.assert_allclose(softmax(margin).sum(axis=1), 1)
    np.testing.assert_allclose(softmax(margin), softmax(margin + 7), atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-6, 1 - 1e-6))
def test_log_odds_undo_the_sigmoid(probability: float) -> None:
    assert sigmoid(log_odds(np.array([probability])))[0] == pytest.approx(probability, rel=1e-9)


def test_log_odds_stay_finite() -> None:
    assert np.isfinite(log_odds(np.array([0.0, 1.0]))).all()
