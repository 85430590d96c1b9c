"""Conditions over the columns of a table, as the problem file writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fullcircle.base.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fullcircle.base.columns import Array


def mentioned(columns: Iterable[str], *expressions: str) -> list[str]:
    """The columns that the expressions may name, and a few more. A frame of all columns would copy them all."""
    return [name for name in columns if any(name in expression for expression in expressions)]


def holds(frame: pd.DataFrame, expression: str, where: str) -> Array:
    """Mask of the rows of `frame` for which a pandas expression is true, bool (rows,).

    A comparison with null is false, except `!=`, which is true. `where` is the key that an error names. Raises
    DataError.
    """
    try:
        result = np.asarray(frame.eval(expression, engine="python"))
    except (pd.errors.UndefinedVariableError, SyntaxError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{where}: `{expression}` cannot be evaluated: {error}") from None
    if result.dtype != bool or result.shape != (len(frame),):
        raise DataError(f"{where}: `{expression}` is not a condition: it yields {result.dtype}, not booleans")
    return result
