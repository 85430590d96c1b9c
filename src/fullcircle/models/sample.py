"""Rows to fit on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from fullcircle.runtime.columns import Array

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """`X`: float32 (rows, features), `y`: float32 (rows,).

    `classes`: 2, and `y` is 1 for the positive class; more, and `y` is the position of the class; or 0, and `y` is a
    number in standard units (mean 0 and deviation 1 on training rows).
    """

    X: Array
    y: Array
    classes: int = 2
    made: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """What `make` makes of these rows; kept, so that a sweep fits many times and bins once."""
        if key not in self.made:
            self.made[key] = make()
        kept: T = self.made[key]
        return kept

    def __add__(self, other: Sample) -> Sample:
        return Sample(np.concatenate([self.X, other.X]), np.concatenate([self.y, other.y]), self.classes)
