"""The target of each row, from the columns of kept rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fullcircle.base.columns import is_null
from fullcircle.base.errors import DataError
from fullcircle.core import paths
from fullcircle.core.expressions import holds, mentioned
from fullcircle.core.tables import columns_of
from fullcircle.core.target import BinaryTarget, MulticlassTarget, RegressionTarget, Target

if TYPE_CHECKING:
    import pyarrow as pa

    from fullcircle.base.columns import Array

SHOWN = 5


def target_of(kept: pa.Table, target: Target) -> Array:
    """The target of every row, float64 (rows,): 1 or 0 (1: the positive class), the class's position, or the number.

    NaN if there is none; a condition always yields one.
    Raises DataError where the column holds a value that is no class, or no finite number.
    """
    if isinstance(target, BinaryTarget) and target.holds is not None:
        named = mentioned(kept.column_names, target.holds)
        frame = pd.DataFrame(columns_of(kept.select(named)))
        return holds(frame, target.holds, "problem.target.holds").astype(np.float64)
    values = columns_of(kept.select([str(target.column)]))[str(target.column)]
    return _numbers(values, target) if isinstance(target, RegressionTarget) else _positions(values, target)


def _numbers(values: Array, target: RegressionTarget) -> Array:
    null = is_null(values)
    if values.dtype.kind != "f" and not null.all():
        example = values[~null][0]
        raise DataError(f"problem.target.column: {target.column} holds no numbers, e.g. {example!s}")
    numbers = np.where(null, np.nan, values).astype(np.float64)
    if (wrong := np.isinf(numbers)).any():
        raise DataError(
            f"{wrong.sum():,} of {len(wrong):,} rows have an infinite {target.column}, {examples(wrong)}. "
            "Correct the source, or give the column a `max`"
        )
    return numbers


def _positions(values: Array, target: BinaryTarget | MulticlassTarget) -> Array:
    null = is_null(values)
    texts = np.array(["" if n else _text(v) for v, n in zip(values.tolist(), null, strict=True)], dtype=object)
    position = {name: float(i) for i, name in enumerate(target.classes)}
    unknown = np.array([text not in position for text in texts]) & ~null
    if unknown.any():
        found, counts = np.unique(texts[unknown].astype(str), return_counts=True)
        shown = [f"  {found[i]}: {counts[i]:,} rows" for i in np.argsort(-counts, kind="stable")[:SHOWN]]
        more = [f"  and {len(found) - SHOWN:,} more"] if len(found) > SHOWN else []
        distinct = len(found) > 20 and len(found) > unknown.sum() / 2
        many = " Nearly every row has a different value: is it a number, or a name?" if distinct else ""
        raise DataError(
            f"{unknown.sum():,} of {len(texts):,} rows have a {target.column} that is no class of problem.target "
            f"({', '.join(target.classes)})\n"
            + "\n".join([*shown, *more])
            + f"\nName them there, or correct the source.{many}"
        )
    return np.array([position.get(text, np.nan) for text in texts])


def _text(value: object) -> str:
    """A class as the problem writes it: 1.0 is 1."""
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def examples(mask: Array) -> str:
    """The first rows of a mask of kept rows, as errors show them."""
    shown = ", ".join(str(i) for i in np.flatnonzero(mask)[:3])
    return f"e.g. row {shown} of {paths.KEPT} (counted from 0)"
