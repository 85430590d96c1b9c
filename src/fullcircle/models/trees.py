"""Trees as an ONNX graph in the estimator's own precision: no threshold is rounded, and its sums are the graph's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fullcircle.base.columns import Array

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of `nodes` nodes, the root first; where a node is a leaf, `left` is -1.

    `feature`, `left`, `right`: int64 (nodes,); a row goes left where its feature is at most `threshold` (float64), or
    null and `nulls_left`. `value`: float64 (nodes, outputs), what a leaf adds to each output.
    """

    feature: Array
    threshold: Array
    left: Array
    right: Array
    nulls_left: Array
    value: Array


def leaf_of(value: Array) -> Tree:
    """A tree of one leaf, which adds `value`, float64 (1, outputs), to every row."""
    none = np.array([-1])
    return Tree(none, np.zeros(1), none, none, none > 0, value)


def ensemble_of(
    trees: Sequence[Tree],
    width: int,
    together: Literal["SUM", "AVERAGE"],
    only: Sequence[int] | None = None,
    *,
    single: bool = False,
) -> bytes:
    """The ONNX graph of `trees` over `width` features, added up or averaged: float32 (rows, outputs).

    `only`: of each tree the one output to which its leaves add, where a tree has a column of values and outputs are
    as many as there are numbers in `only`; None: each tree adds to all of them. `single`: thresholds and sums are
    float32 and not double, and a row goes left where its feature is below the threshold, not where it is at most that.
    """
    from onnx import TensorProto, helper, numpy_helper

    outputs = trees[0].value.shape[1] if only is None else max(only) + 1
    sizes = [len(tree.left) for tree in trees]
    numbers = np.repeat(np.arange(len(trees)), sizes)
    nodes = np.concatenate([np.arange(size) for size in sizes])
    whole = {name: np.concatenate([getattr(t, name) for t in trees]) for name in Tree.__dataclass_fields__}
    leaf = whole["left"] < 0
    value = whole["value"][leaf]
    said = value != 0  # of many classes a leaf knows few, and what adds nothing need not be said
    said[:, 0] |= ~said.any(axis=1)
    at, column = np.nonzero(said)
    threshold, weight = np.where(leaf, 0.0, whole["threshold"]), value[said]
    if single:
        numbers_of: dict[str, Any] = {"nodes_values": threshold.tolist(), "target_weights": weight.tolist()}
    else:
        numbers_of = {
            "nodes_values_as_tensor": numpy_helper.from_array(threshold, "thresholds"),
            "target_weights_as_tensor": numpy_helper.from_array(weight, "leaves"),
        }
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["features" if single else "wide"],
        ["outputs"],
        domain="ai.onnx.ml",
        aggregate_function=together,
        n_targets=outputs,
        nodes_treeids=numbers.tolist(),
        nodes_nodeids=nodes.tolist(),
        nodes_featureids=np.where(leaf, 0, whole["feature"]).tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LT" if single else "BRANCH_LEQ").tolist(),
        nodes_truenodeids=np.where(leaf, 0, whole["left"]).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, whole["right"]).tolist(),
        nodes_missing_value_tracks_true=(whole["nulls_left"] & ~leaf).astype(int).tolist(),
        target_treeids=numbers[leaf][at].tolist(),
        target_nodeids=nodes[leaf][at].tolist(),
        target_ids=(column if only is None else np.repeat(only, sizes)[leaf][at]).tolist(),
        **numbers_of,
    )
    widening = [] if single else [helper.make_node("Cast", ["features"], ["wide"], to=TensorProto.DOUBLE)]
    graph = helper.make_graph(
        [*widening, node],
        "trees",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("outputs", TensorProto.FLOAT, [None, outputs])],
    )
    opsets = [helper.make_opsetid("", 15), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="fullcircle")
    model.ir_version = 8
    return bytes(model.SerializeToString())
