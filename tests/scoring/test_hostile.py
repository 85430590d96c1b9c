"""Bundles whose checksums are right and whose content is not: each is one clear error, in bounded time and memory."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from fullcircle.base.errors import BundleError, DataError, FullCircleError
from fullcircle.base.files import MANIFEST
from fullcircle.features.plan import PLAN
from fullcircle.scoring import bundle as files
from fullcircle.scoring.bundle import Bundle
from fullcircle.scoring.scorer import MODEL, SPEC, Scorer
from tests.builders import labelled, only_inputs, trained
from tests.scoring.made import change, make_bundle, rewrite

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JSON_FILES = (
    files.ABOUT, files.VERDICT, files.REFERENCE, files.PROVENANCE, files.DIALECT, files.STATE, SPEC, PLAN,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "bundle")


def test_a_sound_bundle_loads(folder: Path) -> None:
    scored = Bundle.load(folder).score(only_inputs(labelled(20, seed=7)))
    assert len(scored.kept) == 20


@pytest.mark.parametrize("name", JSON_FILES)
@pytest.mark.parametrize("content", ["[" * 200_000, '{"a":' * 200_000, '{"a": NaN}', '{"a": 1e999}', "9" * 5_000, "[]"])
def test_json_that_is_none_is_refused(folder: Path, name: str, content: str) -> None:
    rewrite(folder, name, content)
    with pytest.raises(BundleError, match=name.replace(".", r"\.")) as caught:
        Bundle.load(folder)
    assert len(str(caught.value)) < 1_000


def test_a_manifest_that_is_none_is_refused(folder: Path) -> None:
    (folder / "manifest.json").write_text("[" * 200_000)
    with pytest.raises(BundleError, match=r"manifest\.json cannot be read: lists in lists, too deep"):
        Bundle.load(folder)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (files.DIALECT, {"skip": 10**12}, "skip 1000000000000 is outside"),
        (files.DIALECT, {"skip": 1e12}, "skip: expected int"),
        (files.DIALECT, {"encoding": "latin-99"}, "there is no encoding 'latin-99'"),
        (files.DIALECT, {"encoding": "base64"}, "there is no encoding 'base64'"),
        (files.DIALECT, {"encoding": "a\0b"}, "there is no encoding"),
        (files.DIALECT, {"delimiter": "\n"}, "a line break or a null character"),
        (files.DIALECT, {"quote": "\0"}, "a line break or a null character"),
        (files.DIALECT, {"delimiter": '"'}, "delimiter and quote are both"),
        (PLAN, {"inputs__month": {"kind": "time", "format": "%Y%Y"}}, "format '%Y%Y' is none that strptime reads"),
        (PLAN, {"inputs__month": {"kind": "time", "format": "%Q"}}, "format '%Q' is none that strptime reads"),
        (PLAN, {"inputs__month": {"kind": ["x"] * 10**5, "format": "%Q"}}, "is not one of"),
        (PLAN, {"inputs__month__min": 10**400}, "the whole number 1000.* is too large"),
        (PLAN, {"inputs": {}}, "do not fit each other"),
        (PLAN, {"selected": ["distance"]}, "ONNX Runtime cannot run the model|does not give one row per row"),
        (PLAN, {"selected": ["nothing"] * 15}, "do not fit each other|cannot run the model"),
        (PLAN, {"fill": [1.0]}, "fill has 1 numbers for 15 features"),
        (SPEC, {"parts": []}, "must add up to 1"),
        (
            SPEC,
            {"calibration": {"task": "multiclass", "classes": ["a", "b", "c"], "slope": 1.0}},
            "its calibration needs 3",
        ),
        (
            SPEC,
            {"calibration": {"task": "regression", "center": 0, "scale": 1, "radius": 1e999, "coverage": 1}},
            "no number of JSON",
        ),
    ],
)
def test_values_that_cannot_be_are_refused(folder: Path, name: str, values: dict[str, Any], message: str) -> None:
    change(folder, name, **values)
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.load(folder)
    assert len(str(caught.value)) < 1_000


def model_of(nodes: list[Any], constants: list[Any], kind: int = TensorProto.FLOAT) -> bytes:
    width = len(trained("dummy", created=False).scorer.plan.selected)
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("margin", kind, [None, 1])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


def constant(value: float) -> bytes:
    """A model that adds `value` to a product with zeros."""
    width = len(trained("dummy", created=False).scorer.plan.selected)
    zeros = numpy_helper.from_array(np.zeros((width, 1), np.float32), "zeros")
    fill = numpy_helper.from_array(np.full(width, 1, np.float32), "fill")
    bias = numpy_helper.from_array(np.array([value], np.float32), "bias")
    nodes = [
        helper.make_node("IsNaN", ["features"], ["null"]),
        helper.make_node("Where", ["null", "fill", "features"], ["filled"]),
        helper.make_node("MatMul", ["filled", "zeros"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["margin"]),
    ]
    return model_of(nodes, [zeros, fill, bias])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_model_that_gives_no_number_gives_no_prediction(folder: Path, value: float) -> None:
    rewrite(folder, MODEL, constant(value))
    loaded = Bundle.load(folder)
    with pytest.raises(BundleError, match="gives NaN or infinity for 20 of 20 rows, the first of them row 1: "):
        loaded.score(only_inputs(labelled(20, seed=7)))


def test_a_calibration_that_gives_no_number_gives_no_prediction(folder: Path) -> None:
    rewrite(folder, MODEL, constant(3e38))
    change(folder, SPEC, calibration={"task": "regression", "center": 0, "scale": 1e308, "radius": 1, "coverage": 0.9})
    loaded = Bundle.load(folder)
    with np.errstate(over="ignore"), pytest.raises(BundleError, match="gives NaN or infinity for 5 of 5 rows"):
        loaded.score(only_inputs(labelled(5, seed=7)))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: model_of([helper.make_node("Relu", ["features"], ["margin"])], []), "gives 15 numbers per row"),
        (
            lambda: model_of([helper.make_node("IsNaN", ["features"], ["margin"])], [], TensorProto.BOOL),
            r"gives tensor\(bool\), and predictions are numbers",
        ),
        (lambda: b"", "takes 0 inputs"),
        (lambda: b"\xff" * 100, "is no ONNX graph"),
    ],
)
def test_a_model_that_gives_something_else_is_refused(folder: Path, model: Callable[[], bytes], message: str) -> None:
    rewrite(folder, MODEL, model())
    with pytest.raises(BundleError, match=message):
        Bundle.load(folder)


def test_a_model_that_gives_other_rows_is_refused() -> None:
    scorer = trained("dummy", created=False).scorer
    same = Scorer(scorer.plan, scorer.spec, scorer.model)

    class Halved:
        def run(self, _: object, given: dict[str, np.ndarray]) -> list[np.ndarray]:
            return [np.zeros((len(given["features"]) // 2, 1))]

    same._session = Halved()
    with pytest.raises(BundleError, match=r"gives an array of shape \(10, 1\) for 20 rows"):
        same.score(only_inputs(labelled(20, seed=7)))


def test_a_wide_layer_is_computed_for_fewer_rows_at_a_time() -> None:
    base = trained("dummy", created=False).scorer
    width, wide = len(base.plan.selected), 100_000
    nodes = [
        helper.make_node("MatMul", ["features", "first"], ["layer"]),
        helper.make_node("MatMul", ["layer", "second"], ["margin"]),
    ]
    shapes = {"first": (width, wide), "second": (wide, 1)}
    constants = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in shapes.items()]
    scorer = Scorer(base.plan, base.spec, model_of(nodes, constants))
    assert scorer._batch == 671
    assert base._batch > 16_384


def test_no_damaged_bundle_is_parsed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flip a byte of each file, or cut it: nothing is read but the manifest."""
    parsed: list[str] = []
    monkeypatch.setattr(files, "read_json", lambda path: parsed.append(path.name))
    monkeypatch.setattr(Scorer, "load", lambda path: parsed.append("scorer"))
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 10
    for name in names:
        content = (folder / name).read_bytes()
        places = np.linspace(0, len(content) - 1, 20).astype(int).tolist()
        damaged = [content[:at] + bytes([content[at] ^ 0x41]) + content[at + 1 :] for at in places]
        damaged += [content[:at] for at in places if name != MANIFEST or at < len(content) - 1]  # ends in a line break
        for each in damaged:
            (folder / name).write_bytes(each)
            with pytest.raises(BundleError):
                Bundle.load(folder)
        (folder / name).write_bytes(content)
    assert parsed == []


def test_a_state_that_lacks_a_column_is_refused(folder: Path) -> None:
    column = {"kind": "time"}
    state = {
        "moment": {"hour": "time_hour", "minute": "minute", "lead_hours": 2},
        "events": "flights", "event_key": [], "event_columns": {"time_hour": column, "minute": {"kind": "integer"}},
    }  # fmt: skip
    rewrite(folder, files.STATE, json.dumps(state))
    assert Bundle.load(folder).state is not None
    for change_of, message in [
        ({"event_key": ["flight"]}, "has no column flight, which is needed"),
        ({"event_columns": {"time_hour": column, "minute": column}}, "minute of table flights must be a number"),
        ({"moment": {"hour": "time_hour", "minute": "minute", "lead_hours": 1e300}}, "is not within 878,400 hours"),
    ]:
        rewrite(folder, files.STATE, json.dumps({**state, **change_of}))  # type: ignore[dict-item]
        with pytest.raises(BundleError, match=message):
            Bundle.load(folder)


def test_rows_of_a_sound_bundle_are_still_errors_of_data(folder: Path) -> None:
    with pytest.raises(DataError, match="missing columns"):
        Bundle.load(folder).score({})


def test_the_models_are_onnx() -> None:
    onnx.checker.check_model(onnx.load_model_from_string(constant(1.0)))


def test_features_that_float32_cannot_hold_are_infinite_and_refused(folder: Path) -> None:
    count = len(trained("dummy", created=False).scorer.plan.selected)
    change(folder, PLAN, center=[0.0] * count, scale=[1e-300] * count)
    loaded = Bundle.load(folder)
    with np.errstate(invalid="ignore"), pytest.raises(BundleError, match="gives NaN or infinity"):
        loaded.score(only_inputs(labelled(5, seed=7)))


ODD: tuple[Any, ...] = (
    None, True, -1, 1e300, 1e-320, 10**30, "", "x", "\0", [], {}, [[]], {"a": 1}, "time", "number", "%Y", "\ud800",
)  # fmt: skip


def places(data: Any) -> list[tuple[Any, Any]]:
    """All lists and objects in `data`, each with each of its first keys."""
    if not isinstance(data, (dict, list)):
        return []
    keys = list(data) if isinstance(data, dict) else [*range(len(data))][:4]
    return [(data, key) for key in keys] + [place for key in keys for place in places(data[key])]


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from([name for name in JSON_FILES if name != files.STATE]))
def test_a_changed_value_is_refused_or_scored(folder: Path, data: st.DataObject, name: str) -> None:
    """Nothing but an error of this project comes out of it."""
    before = (folder / name).read_bytes()
    changed = json.loads(before)
    found = places(changed)
    if found:
        where, key = found[data.draw(st.integers(0, len(found) - 1))]
        if data.draw(st.booleans()):
            where[key] = data.draw(st.sampled_from(ODD))
        else:
            del where[key]
    rewrite(folder, name, json.dumps(changed))
    with contextlib.suppress(FullCircleError):
        loaded = Bundle.load(folder)
        loaded.score({n: v for n, v in only_inputs(labelled(5, seed=7)).items() if n in loaded.scorer.plan.inputs})
    rewrite(folder, name, before)
