"""What drove a prediction: the contribution of each input to the margin, for any model.

Shapley values, estimated over permutations of the inputs (Castro, Gómez and Tejada 2009; each permutation also
backwards, Mitchell et al. 2022). An input counts as absent when it has its typical value among training rows. Along a
permutation the inputs take the row's values one after another, and each is credited with the change of the margin; so
the contributions add up to the margin less that of the typical row, whatever the number of permutations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..base.columns import rows
from ..scoring.predictions import RegressionCalibration
from ..scoring.reference import Levels
from .errors import TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..base.checks import Column
    from ..base.columns import Array, Columns
    from ..scoring.bundle import Bundle
    from ..scoring.reference import Numbers

PERMUTATIONS = 8  # and each of them backwards
ROWS = 100  # of a request for contributions


class Explainer:
    """Contributions of the inputs of one bundle. Every row is explained by the same permutations."""

    def __init__(self, bundle: Bundle) -> None:
        self._scorer = bundle.scorer
        inputs, reference = bundle.scorer.plan.inputs, bundle.reference.inputs
        self._names = [*inputs]
        self._typical = {name: typical(column, reference.get(name)) for name, column in inputs.items()}
        count = len(self._names)
        generator = np.random.default_rng(0)
        forward = np.array([generator.permutation(count) for _ in range(PERMUTATIONS)]).reshape(-1, count)
        self._orders = np.concatenate([forward, forward[:, ::-1]])
        rank = np.argsort(self._orders, axis=1)  # at which step each input takes the row's value
        self._taken = (rank[:, None, :] < np.arange(count + 1)[:, None]).reshape(-1, count)
        calibration = bundle.scorer.spec.calibration
        self._scale, self._center = 1.0, 0.0
        if isinstance(calibration, RegressionCalibration):
            self._scale, self._center, self.unit = calibration.scale, calibration.center, "the target's own unit"
        elif len(calibration.classes) > 2:
            self.unit = "the margin of the predicted class"
        else:
            self.unit = "log odds, before calibration"

    def explain(self, columns: Columns) -> Iterator[dict[str, Any]]:
        """The contributions in each row, one after the other, of inputs that passed their checks.

        `base`: the margin of a typical row; `margin`: that of this row; `inputs`: what each input adds, the largest
        first; they add up to margin - base. Raises TooLargeError for more than ROWS rows.
        """
        if rows(columns) > ROWS:
            raise TooLargeError(f"contributions are computed for {ROWS} rows at once; these are {rows(columns):,}")
        return (self._explain({n: values[at] for n, values in columns.items()}) for at in range(rows(columns)))

    def _explain(self, row: dict[str, Any]) -> dict[str, Any]:
        table = {name: self._mixed(name, row[name], self._taken[:, at]) for at, name in enumerate(self._names)}
        margins = self._scorer.margins(table)
        last = margins[len(self._names)]
        margin = margins[:, int(last.argmax()) if len(last) > 1 else 0] * self._scale + self._center
        steps = np.diff(margin.reshape(len(self._orders), -1), axis=1)
        added = np.zeros(len(self._names))
        for order, step in zip(self._orders, steps, strict=True):
            added[order] += step
        added /= len(self._orders)
        by_size = np.argsort(-np.abs(added), kind="stable").tolist()
        return {
            "base": float(margin[0]),
            "margin": float(margin[len(self._names)]),
            "inputs": {self._names[at]: float(added[at]) for at in by_size},
        }

    def _mixed(self, name: str, value: Any, taken: Array) -> Array:
        typical = self._typical[name]
        made = np.full(len(taken), typical[0], typical.dtype)
        made[taken] = value
        return made


def typical(column: Column, seen: Numbers | Levels | None) -> Array:
    """The typical value of an input among training rows, as an array of one: median, most frequent level, or null.

    Null where more than half of the rows have none; free text is empty.
    """
    if column.kind == "time":
        middle = None if seen is None or isinstance(seen, Levels) or not seen.edges else _middle(seen.edges)
        return np.array(["NaT" if middle is None else np.datetime64(round(middle), "s")], "datetime64[s]")
    if column.kind in ("category", "text"):
        frequent = isinstance(seen, Levels) and seen.null <= 0.5 and seen.counts
        level = max(seen.counts, key=seen.counts.__getitem__) if frequent and isinstance(seen, Levels) else None
        return np.array([level], object)
    if seen is None or isinstance(seen, Levels) or seen.null > 0.5 or not seen.edges:
        return np.array([np.nan])
    return np.array([_middle(seen.edges)])


def _middle(edges: tuple[float, ...]) -> float:
    return float(edges[len(edges) // 2])
