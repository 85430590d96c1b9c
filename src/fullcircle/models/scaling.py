"""Nulls filled and features in standard units, fitted on training rows: part of the model and of its graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.base.statistics import mean_and_deviation, medians

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, slots=True)
class Scaling:
    """(filled - mean) / deviation, where a null is filled with `fill`; each float64 (features,).

    `deviation` is above 0: for a constant feature it is 1.
    """

    fill: Array
    mean: Array
    deviation: Array

    def __call__(self, X: Array) -> Array:
        """Standard units, float64 (rows, features), of float32 `X` (rows, features)."""
        return (np.where(np.isnan(X), self.fill, X) - self.mean) / self.deviation

    def nodes(self, result: str) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        """The same in ONNX, and its constants: `features` in float32, `result` in double."""
        from onnx import TensorProto, helper

        nodes = [
            helper.make_node("Cast", ["features"], ["wide"], to=TensorProto.DOUBLE),
            helper.make_node("IsNaN", ["features"], ["null"]),
            helper.make_node("Where", ["null", "fill", "wide"], ["filled"]),
            helper.make_node("Sub", ["filled", "mean"], ["centered"]),
            helper.make_node("Div", ["centered", "deviation"], [result]),
        ]
        constants = {"fill": self.fill, "mean": self.mean, "deviation": self.deviation}
        return nodes, [helper.make_tensor(k, TensorProto.DOUBLE, v.shape, v) for k, v in constants.items()]


def scaling_of(X: Array) -> Scaling:
    """The scaling of training rows `X`, float32 (rows, features): medians fill; mean and deviation are of filled rows.

    An all-null feature is filled with 0. All are rounded to float32, so that the last bits of a sum do not show.
    """
    fill = medians(X.astype(np.float64)).astype(np.float32)  # the sum of two float32 values may overflow float32
    filled = np.where(np.isnan(X), fill, X).astype(np.float64)
    mean, deviation = (values.astype(np.float32) for values in mean_and_deviation(filled))
    deviation[deviation == 0] = 1  # too small for float32
    return Scaling(fill.astype(np.float64), mean.astype(np.float64), deviation.astype(np.float64))
