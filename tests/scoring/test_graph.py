"""A graph is checked before ONNX Runtime sees it, and those that models make pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from fullcircle.base.errors import BundleError
from fullcircle.scoring import graph as module
from fullcircle.scoring.graph import OPERATORS, check_graph
from fullcircle.scoring.protobuf import BYTES, MalformedError, fields, integers
from tests.models.made import MODELS, TASKS, WIDTH, fitted

FLOAT, DOUBLE = TensorProto.FLOAT, TensorProto.DOUBLE


def graph_of(
    nodes: list[Any], constants: list[Any] | None = None, inputs: tuple[str, ...] = ("features",), **more: Any
) -> Any:
    return helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, FLOAT, [None, 2]) for name in inputs],
        [helper.make_tensor_value_info("margin", FLOAT, [None, 1])],
        constants or [],
        **more,
    )


def model_of(nodes: list[Any], constants: list[Any] | None = None, **more: Any) -> Any:
    model = helper.make_model(graph_of(nodes, constants, **more), opset_imports=[helper.make_opsetid("", 15)])
    model.ir_version = 8
    return model


def product() -> tuple[list[Any], list[Any]]:
    weights = numpy_helper.from_array(np.ones((2, 1), np.float32), "weights")
    return [helper.make_node("MatMul", ["features", "weights"], ["margin"])], [weights]


def tree(**changes: Any) -> bytes:
    """A tree of a root and two leaves."""
    lists = {
        "n_targets": 1, "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [0, 0, 0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0],
        "nodes_values": [0.5, 0.0, 0.0], "target_treeids": [0, 0], "target_nodeids": [1, 2], "target_ids": [0, 0],
        "target_weights": [1.0, 2.0],
    }  # fmt: skip
    node = helper.make_node(
        "TreeEnsembleRegressor", ["features"], ["margin"], domain="ai.onnx.ml", **{**lists, **changes}
    )
    return bytes(model_of([node]).SerializeToString())


def test_the_operators_are_those_of_the_models() -> None:
    used = {
        (node.domain, node.op_type)
        for config in MODELS.values()
        for n_classes in TASKS.values()
        for node in onnx.load_model_from_string(fitted(config, n_classes).onnx()).graph.node
    }
    assert used == OPERATORS


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("task", TASKS)
def test_the_graphs_of_the_models_pass(name: str, task: str) -> None:
    widest = check_graph(fitted(MODELS[name], TASKS[task]).onnx(), WIDTH)
    assert widest == (16 if name == "mlp" else WIDTH)


def test_a_product_and_a_tree_pass() -> None:
    assert check_graph(model_of(*product()).SerializeToString(), 2) == 2
    assert check_graph(tree(), 2) == 2


def external(where: str) -> Any:
    """A model whose weights are said to be in the file `where`."""
    nodes, (weights,) = product()
    if where == "attribute":
        tensor = numpy_helper.from_array(np.ones((2, 1), np.float32), "")
        nodes.insert(0, helper.make_node("Constant", [], ["weights"], value=tensor))
        weights = nodes[0].attribute[0].t
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", "secret.txt"
    return model_of(nodes, [] if where == "attribute" else [weights])


@pytest.mark.parametrize("where", ["initializer", "attribute"])
def test_a_constant_in_another_file_is_refused(where: str) -> None:
    with pytest.raises(BundleError, match="reads a constant from another file"):
        check_graph(external(where).SerializeToString(), 2)


def looping() -> Any:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go_on"], ["again"]), helper.make_node("Identity", ["x"], ["y"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", FLOAT, None),
        ],
    )
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    return model_of([helper.make_node("Loop", ["", "yes", "features"], ["margin"], body=body)], [yes])


def with_function() -> Any:
    model = model_of([helper.make_node("Add", ["features", "features"], ["margin"])])
    opset = [helper.make_opsetid("", 15)]
    body = [helper.make_node("Identity", ["a"], ["c"])]
    model.functions.append(helper.make_function("", "Add", ["a", "b"], ["c"], body, opset))
    return model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (looping(), "attribute of ONNX has field 6, which no model"),
        (with_function(), "model of ONNX has field 25, which no model"),
        (model_of([helper.make_node("Loop", ["features"], ["margin"])]), r"has the operator Loop, which no model"),
        (
            model_of([helper.make_node("Add", ["features", "features"], ["margin"], domain="evil")]),
            r"the operator evil\.Add",
        ),
        (model_of(*product(), inputs=("features", "more")), "takes 2 inputs, and one is given: features, more"),
        (model_of(*product(), inputs=()), "takes 0 inputs"),
        (model_of([helper.make_node("Add", ["features", "unknown"], ["margin"])]), "Add takes features, unknown: not"),
        (model_of(product()[0] * 2, product()[1]), "computes margin twice"),
    ],
)
def test_what_no_model_needs_is_refused(model: Any, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        check_graph(model.SerializeToString(), 2)


@pytest.mark.parametrize("shapes", [[(1000, 1), (1, 1000)], [(1000, 1)], [(3,)], [(2, 2, 2)]])
def test_constants_that_would_be_multiplied_into_a_large_array_are_refused(shapes: list[tuple[int, ...]]) -> None:
    constants = [numpy_helper.from_array(np.ones(shape, np.float32), f"c{i}") for i, shape in enumerate(shapes)]
    names = [f"c{i}" for i in range(len(shapes))]
    node = helper.make_node("Add", names if len(names) == 2 else ["features", *names], ["margin"])
    with pytest.raises(BundleError, match="does not give one row per row given"):
        check_graph(model_of([node], constants).SerializeToString(), 2)


def test_a_constant_that_is_said_to_be_large_is_refused() -> None:
    nodes, (weights,) = product()
    weights.dims[1] = 10**12
    with pytest.raises(BundleError, match=r"constant weights of shape \(2, 1000000000000\)"):
        check_graph(model_of(nodes, [weights]).SerializeToString(), 2)


def chain(depth: int) -> dict[str, Any]:
    """A tree in which each node's right child is the next node."""
    count = 2 * depth + 1
    inner = [i % 2 == 0 and i < count - 1 for i in range(count)]
    return {
        "nodes_treeids": [0] * count,
        "nodes_nodeids": list(range(count)),
        "nodes_featureids": [0] * count,
        "nodes_modes": ["BRANCH_LEQ" if branch else "LEAF" for branch in inner],
        "nodes_truenodeids": [i + 2 if branch else 0 for i, branch in enumerate(inner)],
        "nodes_falsenodeids": [i + 1 if branch else 0 for i, branch in enumerate(inner)],
        "nodes_values": [0.5] * count,
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (chain(100_000), "deeper than 1,000 nodes"),
        ({"nodes_truenodeids": [0, 0, 0]}, "deeper than 1,000 nodes, or goes round in a circle"),
        ({"nodes_truenodeids": [2, 0, 0]}, "two parents"),
        ({"nodes_truenodeids": [7, 0, 0]}, "children that are missing"),
        ({"nodes_truenodeids": [-1, 0, 0]}, "impossible numbers"),
        ({"nodes_truenodeids": [1, 0]}, "lists of different lengths"),
        ({"nodes_featureids": [2, 0, 0]}, "reads? a feature that is not among the 2 it takes"),
        ({"n_targets": 10**12}, "does not give one row per row given"),
    ],
)
def test_trees_that_are_none_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        check_graph(tree(**changes), 2)


def test_a_tree_may_be_as_deep_as_is_said() -> None:
    check_graph(tree(**chain(module.DEEPEST - 1)), 2)


@given(st.binary(max_size=300))
@example(b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
@example(b"\x3b")
def test_any_bytes_are_refused_in_one_way(data: bytes) -> None:
    with pytest.raises(BundleError):
        check_graph(data, 2)


@given(st.data())
def test_a_damaged_graph_is_checked_or_refused(data: st.DataObject) -> None:
    model = bytearray(tree())
    for _ in range(data.draw(st.integers(1, 3))):
        model[data.draw(st.integers(0, len(model) - 1))] = data.draw(st.integers(0, 255))
    try:
        check_graph(bytes(model), 2)
    except BundleError:
        return


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_integers_are_read_as_they_were_written(values: list[int]) -> None:
    packed = onnx.TensorProto(int64_data=values).SerializeToString()
    found = [value for number, wire, value in fields(memoryview(packed)) if (number, wire) == (7, BYTES)]
    assert [v for each in found for v in integers(BYTES, each).tolist()] == values
    with pytest.raises(MalformedError):
        integers(BYTES, memoryview(bytes([*packed, 0x80])))


def test_a_file_is_not_read_by_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime would read it: this is what the check is for."""
    import onnxruntime

    monkeypatch.chdir(tmp_path)
    Path("secret.txt").write_bytes(np.array([[3.0], [4.0]], np.float32).tobytes())
    model = external("initializer").SerializeToString()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    assert session.run(None, {"features": np.ones((1, 2), np.float32)})[0].tolist() == [[7.0]]
    with pytest.raises(BundleError, match="another file"):
        check_graph(model, 2)
