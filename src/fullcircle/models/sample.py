"""Rows to fit on: features and target."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from fullcircle.base.columns import Array

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sample:
    """`X`: float32 (rows, features), `y`: float32 (rows,).

    `n_classes`: with 2, `y` is 1 for the positive class; with more, `y` is the position of the class; with 0, `y` is a
    number in standard units: the target is `center` + `scale` * y.
    """

    X: Array
    y: Array
    n_classes: int = 2
    center: float = 0.0
    scale: float = 1.0
    made: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def target(self) -> Array:
        """The target in its original unit, float64 (rows,)."""
        return self.center + self.scale * self.y.astype(np.float64)

    def once(self, key: Any, make: Callable[[], T]) -> T:
        """The result of `make`, cached under `key`, so that a sweep fits many times and bins once."""
        if key not in self.made:
            self.made[key] = make()
        kept: T = self.made[key]
        return kept

    def take(self, rows: Array) -> Sample:
        """The rows that `rows` (positions or a mask) names."""
        return Sample(self.X[rows], self.y[rows], self.n_classes, self.center, self.scale)

    def thinned(self, most: int | None) -> Sample:
        """At most so many of the rows, evenly spaced."""
        rows = len(self.y)
        if most is None or rows <= most:
            return self
        taken = np.arange(most) * rows // most
        return self.once(("thinned", most), lambda: self.take(taken))

    def __add__(self, other: Sample) -> Sample:
        return Sample(
            np.concatenate([self.X, other.X]),
            np.concatenate([self.y, other.y]),
            self.n_classes,
            self.center,
            self.scale,
        )


def samples_of(training: tuple[Array, Array], validation: tuple[Array, Array], n_classes: int) -> tuple[Sample, Sample]:
    """Feature matrix and target, float64 (rows,), of training and of validation rows as samples.

    A number is put into standard units: mean 0 and deviation 1 on training rows, both rounded to 6 digits. Models
    compute in float32, so the target is rounded to it here.
    """
    training, validation = ((X, y.astype(np.float32)) for X, y in (training, validation))
    center, scale = 0.0, 1.0
    if n_classes == 0:
        known = training[1].astype(np.float64)
        center, scale = (float(f"{value:.6g}") for value in (known.mean(), known.std() or 1.0))
    first, second = (
        Sample(X, ((y - center) / scale).astype(np.float32), n_classes, center, scale)
        for X, y in (training, validation)
    )
    return first, second
