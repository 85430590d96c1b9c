"""linear: logistic regression on filled and scaled features; and the ONNX graph of any linear margin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.runtime.columns import Array
from fullcircle.runtime.errors import ConfigError
from fullcircle.runtime.scorer import Part

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import LinearConfig
    from fullcircle.models.sample import Sample


@dataclass(frozen=True, slots=True)
class FittedLinear:
    """margin = X @ weights + bias; `weights` float32 (features,)."""

    weights: Array
    bias: float
    rounds: int | None = None
    parts: tuple[Part, ...] = (Part("margin", 1.0),)

    def margin(self, X: Array) -> Array:
        """Log odds, float64."""
        return X.astype(np.float64) @ self.weights.astype(np.float64) + self.bias

    def importance(self) -> Array:
        """Size of the weights: comparable, for the features are on one scale."""
        size = np.abs(self.weights).astype(np.float64)
        return size / size.sum() if size.any() else size

    def onnx(self) -> bytes:
        """One matrix product. It is done in double: summed in float32, fifty terms could differ by 1e-6."""
        from onnx import TensorProto, helper

        width = len(self.weights)
        graph = helper.make_graph(
            [
                helper.make_node("Cast", ["features"], ["wide"], to=TensorProto.DOUBLE),
                helper.make_node("MatMul", ["wide", "weights"], ["product"]),
                helper.make_node("Add", ["product", "bias"], ["margin"]),
            ],
            "linear",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, width])],
            [helper.make_tensor_value_info("margin", TensorProto.DOUBLE, [None, 1])],
            [
                helper.make_tensor("weights", TensorProto.DOUBLE, [width, 1], self.weights.astype(np.float64)),
                helper.make_tensor("bias", TensorProto.DOUBLE, [1], [self.bias]),
            ],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], producer_name="fullcircle")
        model.ir_version = 8
        return bytes(model.SerializeToString())


def demand_filled(sample: Sample, name: str) -> None:
    """Refuse features with nulls. Raises ConfigError."""
    if count := int(np.isnan(sample.X).any(axis=1).sum()):
        raise ConfigError(f"model {name} takes no nulls, and {count:,} rows have some; set featurize.missing to median")


def fit(config: LinearConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedLinear:
    """Fit on training rows; validation rows are not looked at."""
    return _fit(config, train)


def refit(config: LinearConfig, sample: Sample, fitted: FittedLinear, threads: int) -> FittedLinear:
    """Fit on all rows."""
    return _fit(config, sample)


def _fit(config: LinearConfig, sample: Sample) -> FittedLinear:
    from sklearn.linear_model import LogisticRegression

    demand_filled(sample, config.name)

    model = LogisticRegression(C=config.c, max_iter=config.max_iterations)
    model.fit(sample.X, sample.y.astype(np.int64))
    # Rounded to float32, so that a solver's last bits do not show.
    return FittedLinear(model.coef_[0].astype(np.float32), float(np.float32(model.intercept_[0])))
