"""Rows to fit on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fullcircle.runtime.columns import Array


@dataclass(frozen=True, slots=True)
class Sample:
    """`X`: float32 (rows, features), `y`: float32 (rows,), 1 for the positive class."""

    X: Array
    y: Array

    def __add__(self, other: Sample) -> Sample:
        return Sample(np.concatenate([self.X, other.X]), np.concatenate([self.y, other.y]))
