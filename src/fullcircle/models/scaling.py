"""Nulls filled and features in standard units, by what training rows say: inside the model, and inside its graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.columns import Array

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, slots=True)
class Scaling:
    """(filled - mean) / deviation, where a null is filled with `fill`; each float64 (features,).

    `deviation` is above 0: of a feature that never changes it is 1.
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

    A feature that is always null is filled with 0. Rounded to float32, so that the last bits of a sum do not show.
    """
    null = np.isnan(X)
    some = ~null.all(axis=0)
    fill = np.zeros(X.shape[1], np.float32)
    fill[some] = np.nanmedian(X[:, some].astype(np.float64), axis=0)  # two values at the end of float32 can be added up
    filled = np.where(null, fill, X).astype(np.float64)
    mean = filled.mean(axis=0).astype(np.float32)
    deviation = filled.std(axis=0).astype(np.float32)
    # Of equal values the deviation may come out as a rounding error; nothing is to be divided by that.
    constant = filled.max(axis=0) == filled.min(axis=0)
    deviation[constant | (deviation == 0)] = 1
    return Scaling(fill.astype(np.float64), mean.astype(np.float64), deviation.astype(np.float64))
