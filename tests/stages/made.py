"""Scorers of the three tasks whose weights are written down: real ones, through ONNX, without a model to fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, helper

from fullcircle.base.checks import Column
from fullcircle.core.problem import Behaviour
from fullcircle.evaluation import baselines
from fullcircle.features.numbers import Number
from fullcircle.features.plan import FORMAT as PLAN_FORMAT
from fullcircle.features.plan import Plan
from fullcircle.scoring.predictions import (
    BinaryCalibration,
    Calibration,
    MulticlassCalibration,
    RegressionCalibration,
    sigmoid,
    softmax,
)
from fullcircle.scoring.scorer import FORMAT, Part, Scorer, ScorerSpec
from tests.builders import text

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns
    from fullcircle.evaluation.baselines import Baselines

INPUTS = {
    "delay": Column("number", min=-100, max=100),
    "miles": Column("number", min=0, max=5000),
    "carrier": Column("category"),
}


@dataclass(frozen=True)
class Task:
    """An answer, the weights of `delay` and `miles` for each output, the biases, and the metric to go by."""

    calibration: Calibration
    weights: tuple[tuple[float, float], ...]
    bias: tuple[float, ...]
    metric: str
    later: Behaviour

    @property
    def scorer(self) -> Scorer:
        """The scorer of these weights."""
        return _scorer(self)

    def table(self, rows: int, seed: int = 0) -> Columns:
        """Rows whose target comes as the scorer says it should."""
        random = np.random.default_rng(seed)
        columns: Columns = {
            "delay": random.normal(0, 1, rows),
            "miles": random.integers(100, 3000, rows).astype(float),
            "carrier": text(random.choice(["AA", "B6", "UA"], rows)),
            "day": random.integers(1, 29, rows).astype(float),
        }
        matrix = np.stack([columns["delay"], columns["miles"]], axis=1)
        margin = matrix @ np.array(self.weights).T + np.array(self.bias)
        return columns | {"target": self._drawn(margin, random)}

    def _drawn(self, margin: Array, random: np.random.Generator) -> Array:
        if self.calibration.task == "binary":
            return np.asarray(random.random(len(margin)) < sigmoid(margin[:, 0]), dtype=float)
        if self.calibration.task == "multiclass":
            upto = softmax(margin).cumsum(axis=1)
            return np.asarray((random.random(len(margin))[:, None] > upto[:, :-1]).sum(axis=1), dtype=float)
        noise = random.normal(0, 0.5, len(margin))
        return np.asarray(self.calibration.center + self.calibration.scale * (margin[:, 0] + noise))


LATER: dict[str, Any] = {"name": "later", "column": "delay", "add": 1.0, "tolerance": 0.0, "share": 0.9}
TASKS = {
    "binary": Task(
        BinaryCalibration("binary", "on_time", "late", 1.0, 0.0, 0.4),
        ((1.5, 0.0),), (-0.5,), "auc", Behaviour(**LATER, expect="up"),
    ),
    "multiclass": Task(
        MulticlassCalibration("multiclass", ("bus", "tram", "walk"), 1.0),
        ((1.5, 0.0), (-1.0, 0.0), (0.0, 0.0)), (0.0, 0.3, 0.5), "logloss", Behaviour(**LATER, expect="up", of="bus"),
    ),
    "regression": Task(
        RegressionCalibration("regression", 50.0, 10.0, 8.0, 0.9),
        ((1.0, 0.0),), (0.2,), "r2", Behaviour(**LATER, expect="up"),
    ),
}  # fmt: skip


@cache
def known(name: str) -> Baselines:
    """Baselines of a task, fitted on rows of their own."""
    task = TASKS[name]
    return baselines.fit(task.table(600, 1), task.table(300, 2), INPUTS, task.calibration, task.metric)


@cache
def _scorer(task: Task) -> Scorer:
    weights = np.array(task.weights, np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["X", "W"], ["product"]), helper.make_node("Add", ["product", "B"], ["margin"])],
        "linear",
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("margin", TensorProto.FLOAT, [None, len(weights)])],
        [
            helper.make_tensor("W", TensorProto.FLOAT, weights.T.shape, weights.T.ravel()),
            helper.make_tensor("B", TensorProto.FLOAT, [len(weights)], task.bias),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    encoders = (Number("number", "delay"), Number("number", "miles"))
    plan = Plan(PLAN_FORMAT, INPUTS, (), (), encoders, ("delay", "miles"))
    return Scorer(plan, ScorerSpec(FORMAT, (Part("margin", 1.0),), task.calibration), model.SerializeToString())
