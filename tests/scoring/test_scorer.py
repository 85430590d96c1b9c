from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from fullcircle.base.columns import Columns, take
from fullcircle.base.errors import BundleError, DataError, difference
from fullcircle.features import plan as plan_module
from fullcircle.features.transform import apply
from fullcircle.scoring import scorer as module
from fullcircle.scoring.predictions import BinaryCalibration, MulticlassCalibration, log_odds
from fullcircle.scoring.scorer import Part, Scorer, ScorerSpec
from tests.builders import MODELS, labelled, only_inputs, trained

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 400


def rows_to_score() -> Columns:
    return only_inputs(labelled(ROWS, seed=7))


@pytest.mark.parametrize("name", MODELS)
def test_one_row_scores_as_it_does_in_a_batch(name: str) -> None:
    scorer, columns = trained(name).scorer, rows_to_score()
    together = scorer.score(columns).predicted
    alone = [scorer.score(take(columns, np.array([i]))).predicted[0] for i in range(150)]
    assert alone == together[:150].tolist()


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=15, deadline=None)
@given(index=st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=70))
def test_a_row_scores_the_same_in_any_company_and_order(name: str, index: list[int]) -> None:
    scorer, columns = trained(name).scorer, rows_to_score()
    expected = scorer.predict(columns)[index]
    assert scorer.score(take(columns, np.array(index))).predicted.tolist() == expected.tolist()


@pytest.mark.parametrize("name", MODELS)
def test_neither_threads_nor_batches_move_an_answer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer, columns = trained(name).scorer, rows_to_score()
    expected = scorer.predict(columns).tolist()
    monkeypatch.setattr(module, "BATCH", 7)
    assert scorer.predict(columns).tolist() == expected
    assert scorer.predict(columns, threads=4).tolist() == expected


def test_wrong_columns_are_refused_with_the_difference_and_the_nearest_name() -> None:
    columns = rows_to_score()
    columns["distnace"] = columns.pop("distance")
    columns["gate"] = columns["month"]
    with pytest.raises(DataError) as caught:
        trained().scorer.score(columns)
    message = str(caught.value)
    assert "missing columns: distance" in message
    assert "unknown column: distnace (did you mean distance?)" in message
    assert "unknown column: gate" in message


def test_columns_may_come_in_any_order() -> None:
    columns = rows_to_score()
    turned = dict(reversed(columns.items()))
    assert trained().scorer.score(turned).predicted.tolist() == trained().scorer.score(columns).predicted.tolist()


def test_bad_rows_are_set_aside_with_their_reasons() -> None:
    scorer, columns = trained().scorer, take(rows_to_score(), np.arange(6))
    expected = scorer.score(columns).predicted
    columns["origin"] = columns["origin"].copy()
    columns["origin"][1] = "BOS"
    columns["month"][1], columns["distance"][4], columns["distance"][5] = 13, np.nan, np.inf
    scored = scorer.score(columns)
    assert scored.kept.tolist() == [0, 2, 3]
    assert scored.reasons == [
        "month not in 1..12; origin not one of EWR, JFK, LGA",
        "distance is missing",
        "distance not in 10..6000",
    ]
    assert scored.predicted.tolist() == expected[[0, 2, 3]].tolist()


def test_nothing_but_bad_rows_gives_no_answers() -> None:
    columns = take(rows_to_score(), np.arange(2))
    columns["month"] = np.array([0.0, 99.0])
    scored = trained().scorer.score(columns)
    assert [len(scored.kept), len(scored.predicted), len(scored.columns["prediction"]), len(scored.reasons)] == [
        0,
        0,
        0,
        2,
    ]


def test_no_rows_give_no_answers() -> None:
    scored = trained().scorer.score(take(rows_to_score(), np.zeros(0, np.int64)))
    assert len(scored.predicted) == 0
    assert scored.reasons == []


def test_scoring_mends_values_as_cleaning_does() -> None:
    scorer, columns = trained().scorer, take(rows_to_score(), np.arange(3))
    columns["precip"], columns["temp"] = np.full(3, 0.5), np.full(3, np.nan)
    expected = scorer.score(columns).predicted.tolist()
    columns["precip"], columns["temp"] = np.full(3, 9.0), np.full(3, 999.0)
    assert scorer.score(columns).predicted.tolist() == expected


def test_the_positive_class_is_named_at_the_threshold_and_above() -> None:
    base = trained().scorer
    columns = rows_to_score()
    probability = base.predict(columns)[:, 0]
    border = float(np.sort(probability)[ROWS // 2])
    assert isinstance(base.spec.calibration, BinaryCalibration)
    spec = replace(base.spec, calibration=replace(base.spec.calibration, threshold=border))
    predicted = Scorer(base.plan, spec, base.model).score(columns).columns["prediction"]
    assert set(predicted[probability >= border]) == {"late"}
    assert set(predicted[probability < border]) == {"on_time"}


@pytest.mark.parametrize("name", MODELS)
def test_a_scorer_answers_the_same_after_it_was_saved(tmp_path: Path, name: str) -> None:
    scorer = trained(name).scorer
    scorer.save(tmp_path)
    loaded = Scorer.load(tmp_path)
    assert loaded.spec == scorer.spec
    assert loaded.predict(rows_to_score()).tolist() == scorer.predict(rows_to_score()).tolist()


def _change(folder: Path, file: str, **changes: Any) -> None:
    data = json.loads((folder / file).read_text())
    calibration = data["calibration"] | changes.pop("calibration", {})
    (folder / file).write_text(json.dumps(data | {"calibration": calibration} | changes), encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "scorer is of format 99, and this version reads format 3"),
        ({"calibration": {"threshold": 1.5}}, "threshold 1.5 is outside 0..1"),
        ({"parts": [{"output": "odds", "weight": 1.0}]}, r"parts\[0\].output: 'odds' is not one of 'margin', 'probab"),
        ({"parts": [{"output": "margin", "weight": 0.0}]}, r"parts\[0\]: weight 0 is outside 0\.\.1"),
        ({"parts": [{"output": "margin", "weight": 0.9}]}, r"weights of the parts must add up to 1: \[0\.9\]"),
        ({"parts": []}, r"weights of the parts must add up to 1: \[\]"),
        ({"parts": [{"output": "margin", "weight": 0.25}] * 4}, "model has 1 outputs, and the scorer reads 4"),
        ({"calibration": {"slope": "1"}}, "slope: expected float"),
        (
            {"calibration": {"task": "ranking"}},
            "calibration.task: str 'ranking' is not one of binary, multiclass, regression",
        ),
        ({"calibration": {"treshold": 0.5}}, r"unknown key: treshold \(did you mean threshold\?\)"),
    ],
)
def test_a_scorer_that_is_not_understood_is_not_loaded(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    trained().scorer.save(tmp_path)
    _change(tmp_path, module.SPEC, **changes)
    with pytest.raises(BundleError, match=message):
        Scorer.load(tmp_path)


@pytest.mark.parametrize("file", [plan_module.PLAN, module.SPEC, module.MODEL])
def test_a_scorer_that_lacks_a_file_is_not_loaded(tmp_path: Path, file: str) -> None:
    trained().scorer.save(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(BundleError, match=file):
        Scorer.load(tmp_path)


def test_bytes_that_are_no_model_are_refused() -> None:
    scorer = trained().scorer
    with pytest.raises(BundleError, match="the model is no ONNX graph: field 13 has wire type 6"):
        Scorer(scorer.plan, scorer.spec, b"not a graph")


@pytest.mark.parametrize("name", [name for name in MODELS if name != "ensemble"])
def test_a_single_part_is_answered_to_the_last_bit_as_the_graph_gives_it(name: str) -> None:
    scorer = trained(name).scorer
    matrix = apply(scorer.plan, rows_to_score())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(scorer.model, options, providers=["CPUExecutionProvider"])
    raw = session.run(None, {"features": matrix})[-1].reshape(ROWS, -1)[:, -1:].astype(np.float64)
    expected = raw if scorer.spec.parts == (Part("margin", 1.0),) else log_odds(raw)
    assert scorer.margin(matrix).tobytes() == expected.tobytes()


def test_parts_are_weighted_sums_of_log_odds_in_double() -> None:
    picks = [helper.make_node("MatMul", ["features", name], [f"of {name}"]) for name in "ab"]
    graph = helper.make_graph(
        picks,
        "two",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info(f"of {name}", TensorProto.FLOAT, [None, 1]) for name in "ab"],
        [helper.make_tensor(n, TensorProto.FLOAT, [2, 1], pick) for n, pick in (("a", [1, 0]), ("b", [0, 1]))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    parts = (Part("margin", 0.3), Part("probability", 0.7))
    spec = ScorerSpec(module.FORMAT, parts, BinaryCalibration("binary", "on_time", "late", 1.0, 0.0, 0.5))
    plan = replace(trained("dummy").scorer.plan, selected=("distance", "temp"))
    scorer = Scorer(plan, spec, model.SerializeToString())
    X = np.array([[2.5, 0.5], [-0.1, 0.9], [0.0, 0.0]], np.float32)
    expected = 0.3 * X[:, 0].astype(np.float64) + 0.7 * log_odds(X[:, 1].astype(np.float64))
    assert scorer.margin(X)[:, 0].tolist() == expected.tolist()


def test_a_model_with_fewer_outputs_than_classes_is_refused() -> None:
    base = trained("dummy").scorer
    spec = ScorerSpec(module.FORMAT, base.spec.parts, MulticlassCalibration("multiclass", ("a", "b", "c"), 1.0))
    with pytest.raises(BundleError, match="gives 1 numbers per row, and its calibration needs 3"):
        Scorer(base.plan, spec, base.model).predict(rows_to_score())


def test_the_difference_of_names_does_not_depend_on_their_order() -> None:
    assert difference(["a", "b"], ["b", "a"]) is None
    assert difference(["a", "b"], ["b"]) == "missing columns: a"
    assert difference(["alpha"], ["alpah"], missing=False) == "unknown column: alpah (did you mean alpha?)"
