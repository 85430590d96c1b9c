"""linear: logistic or ridge regression on features that it fills and scales itself; and any linear margin's graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.models.scaling import Scaling, scaling_of
from fullcircle.scoring.predictions import outputs_of
from fullcircle.scoring.scorer import Part, margin_of

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import LinearConfig
    from fullcircle.models.sample import Sample


@dataclass(frozen=True, slots=True)
class FittedLinear:
    """margin = scaling(X) @ weights + bias; `weights` float64 (features, outputs), `bias` float64 (outputs,)."""

    scaling: Scaling
    weights: Array
    bias: Array
    rounds: int | None = None
    parts: tuple[Part, ...] = (Part("margin", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds, one score per class, or a number: float64 (rows, outputs)."""
        return np.asarray(self.scaling(X) @ self.weights + self.bias)

    def importance(self) -> Array:
        """Size of the weights: comparable, for the features are on one scale."""
        size = np.asarray(np.abs(self.weights).sum(axis=1))
        return size / size.sum() if size.any() else size

    def onnx(self) -> bytes:
        """One matrix product. It is done in double: summed in float32, fifty terms could differ by 1e-6."""
        from onnx import TensorProto, helper

        width, outputs = self.weights.shape
        nodes, constants = self.scaling.nodes("scaled")
        graph = helper.make_graph(
            [
                *nodes,
                helper.make_node("MatMul", ["scaled", "weights"], ["product"]),
                helper.make_node("Add", ["product", "bias"], ["margin"]),
            ],
            "linear",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
            [helper.make_tensor_value_info("margin", TensorProto.DOUBLE, [None, outputs])],
            [
                *constants,
                helper.make_tensor("weights", TensorProto.DOUBLE, [width, outputs], self.weights.ravel()),
                helper.make_tensor("bias", TensorProto.DOUBLE, [outputs], self.bias),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], producer_name="fullcircle")
        model.ir_version = 8
        return bytes(model.SerializeToString())


def fit(config: LinearConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedLinear:
    """Fit on training rows; validation rows are not looked at."""
    return _fit(config, train)


def refit(config: LinearConfig, sample: Sample, fitted: FittedLinear, threads: int) -> FittedLinear:
    """Fit on all rows."""
    return _fit(config, sample)


def _fit(config: LinearConfig, sample: Sample) -> FittedLinear:
    from sklearn.linear_model import LogisticRegression, Ridge

    scaling = scaling_of(sample.X)
    if sample.n_classes == 0:
        # The same penalty as below: half the squared error is the loss, and C its weight.
        ridge = Ridge(alpha=1 / config.c, solver="cholesky")
        ridge.fit(scaling(sample.X), sample.y.astype(np.float64))
        return _fitted(scaling, ridge.coef_[:, None], np.array([ridge.intercept_]))
    model = LogisticRegression(C=config.c, max_iter=config.max_iterations)
    model.fit(scaling(sample.X), sample.y.astype(np.int64))
    weights, bias = model.coef_.T, model.intercept_
    if sample.n_classes > 2:
        weights, bias = _of_all_classes(weights, bias, model.classes_, sample.n_classes)
    return _fitted(scaling, weights, bias)


def _fitted(scaling: Scaling, weights: Array, bias: Array) -> FittedLinear:
    """Rounded to float32, so that a solver's last bits do not show."""
    return FittedLinear(
        scaling, weights.astype(np.float32).astype(np.float64), bias.astype(np.float32).astype(np.float64)
    )


def _of_all_classes(weights: Array, bias: Array, seen: Array, n_classes: int) -> tuple[Array, Array]:
    """Weights and biases of `classes` classes, of which the model has `seen` some; the others are as good as ruled out.

    Of two classes the model has one log odds, which both share.
    """
    if len(seen) == 2:
        weights, bias = np.hstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
    wide, high = (
        np.zeros((len(weights), outputs_of(n_classes))),
        np.full(n_classes, margin_of(np.zeros((1, n_classes)))[0]),
    )
    wide[:, seen], high[seen] = weights, bias
    return wide, high
