"""Conditions over the columns of a table, evaluated with pandas' own operations."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fullcircle.base.errors import DataError
from fullcircle.core.conditions import name_of, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fullcircle.base.columns import Array

COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, listed: value.isin(listed),
    ast.NotIn: lambda value, listed: ~value.isin(listed),
}
ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def mentioned(columns: Iterable[str], *expressions: str) -> list[str]:
    """The columns that the expressions may name, and a few more. A frame of all columns would copy them all."""
    return [name for name in columns if any(name in expression for expression in expressions)]


def holds(frame: pd.DataFrame, expression: str, where: str) -> Array:
    """Mask of the rows of `frame` for which a condition is true, bool (rows,).

    A comparison with null is false, except `!=` and `not in`, which are true. `where` is the key that an error names.
    Raises DataError.
    """
    try:
        result = np.asarray(_value(parse(expression), frame))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{where}: `{expression}` cannot be evaluated: {error}") from None
    if result.dtype != bool or result.shape != (len(frame),):
        raise DataError(f"{where}: `{expression}` is not a condition: it yields {result.dtype}, not booleans")
    return result


def _value(node: ast.expr, frame: pd.DataFrame) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        if name_of(node) not in frame.columns:
            raise KeyError(f"there is no column {name_of(node)}")
        return frame[name_of(node)]
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(each, frame) for each in node.elts]
    if isinstance(node, ast.Compare):
        return _compared(node, frame)
    if isinstance(node, ast.Call):
        return _called(node, frame)
    return _combined(node, frame)


def _combined(node: ast.expr, frame: pd.DataFrame) -> Any:
    """What an operator makes of its sides."""
    if isinstance(node, ast.BoolOp):
        masks = [_mask(_value(each, frame)) for each in node.values]
        return (np.logical_and if isinstance(node.op, ast.And) else np.logical_or).reduce(masks)
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, frame)
        if isinstance(node.op, (ast.Not, ast.Invert)):
            return ~_mask(value)
        return -_number(value) if isinstance(node.op, ast.USub) else _number(value)
    assert isinstance(node, ast.BinOp)  # noqa: S101  the parser lets no other through
    left, right = _value(node.left, frame), _value(node.right, frame)
    if isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        return (np.logical_and if isinstance(node.op, ast.BitAnd) else np.logical_or)(_mask(left), _mask(right))
    return ARITHMETIC[type(node.op)](_number(left), _number(right))


def _compared(node: ast.Compare, frame: pd.DataFrame) -> Any:
    values = [_value(each, frame) for each in (node.left, *node.comparators)]
    masks = []
    for compare, left, right in zip(node.ops, values, values[1:], strict=False):
        if isinstance(compare, (ast.In, ast.NotIn)) != isinstance(right, list) or isinstance(left, list):
            raise TypeError("`in` takes a column and a list, such as `city in ['Wien', 'Graz']`")
        if isinstance(compare, (ast.In, ast.NotIn)) and not isinstance(left, pd.Series):
            raise TypeError("`in` takes a column on its left")
        masks.append(COMPARISONS[type(compare)](left, right))
    return masks[0] if len(masks) == 1 else np.logical_and.reduce([_mask(mask) for mask in masks])


def _called(node: ast.Call, frame: pd.DataFrame) -> Any:
    arguments = [_value(each, frame) for each in node.args]
    if isinstance(node.func, ast.Name):
        return abs(_number(arguments[0]))
    assert isinstance(node.func, ast.Attribute)  # noqa: S101
    inner = node.func.value
    if not (isinstance(inner, ast.Attribute) and inner.attr == "str"):
        return getattr(_column(_value(inner, frame)), node.func.attr)(*arguments)
    text = _column(_value(inner.value, frame)).str
    if not all(isinstance(argument, str) for argument in arguments):
        raise TypeError(f".str.{node.func.attr}() takes a text")
    if node.func.attr == "contains":  # a text, and no pattern: a pattern may take for ever
        return text.contains(arguments[0], regex=False, na=False)
    if node.func.attr in ("startswith", "endswith"):
        return getattr(text, node.func.attr)(*arguments, na=False)
    return getattr(text, node.func.attr)()


def _column(value: Any) -> pd.Series[Any]:
    if not isinstance(value, pd.Series):
        raise TypeError("a method is called on what is no column")
    return value


def _mask(value: Any) -> Array:
    mask = np.asarray(value)
    if mask.dtype != bool or mask.ndim != 1:
        raise TypeError("`and`, `or` and `not` join conditions, such as `a > 1 and b.isna()`")
    return mask


def _number(value: Any) -> Any:
    if isinstance(value, (list, str)) or (isinstance(value, pd.Series) and value.dtype.kind not in "iufbmM"):
        raise TypeError("arithmetic is for numbers and times")
    return value
