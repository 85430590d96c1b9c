"""Encoders of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from .columns import Columns, Rows

LARGEST = float(np.finfo(np.float32).max)  # features are float32: what is larger is kept at this, and not at infinity


@dataclass(frozen=True, slots=True)
class Number:
    """The feature as it is; null stays null. Infinity does not come here: the column's check rejects it."""

    kind: Literal["number"]
    feature: str
    name: str = ""  # of its output, where the feature's own is taken

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the columns it gives."""
        return (self.name or self.feature,)

    def encode(self, rows: Rows) -> Columns:
        """Compute the outputs."""
        return {self.outputs[0]: np.clip(rows[self.feature], -LARGEST, LARGEST)}
