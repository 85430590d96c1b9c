"""Conditions over columns, as problem and data files write them: parsed against a list of what they may contain.

A problem file is passed on as data, so a condition must not be able to run anything: no attributes, calls or names but
those below, no powers, and no arithmetic with text, which could fill the memory.
"""

from __future__ import annotations

import ast
from functools import cache

LONGEST, DEEPEST = 2_000, 50  # characters; levels of brackets and operators
METHODS = {"isna": 0, "notna": 0, "abs": 0, "isin": 1}
"""Methods of a column -> number of arguments."""

STRINGS = {"contains": 1, "startswith": 1, "endswith": 1, "len": 0, "lower": 0, "upper": 0, "strip": 0}
"""Methods of `column.str` -> number of arguments."""

ALLOWED = (
    "columns, numbers, texts, lists; comparisons, `in`, `and`, `or`, `not`, + - * / // %; "
    f".{'() .'.join(METHODS)}(); .str.{'() .str.'.join(STRINGS)}()"
)
_OPERATORS = (
    ast.And, ast.Or, ast.Not, ast.Invert, ast.USub, ast.UAdd, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv,
    ast.Mod, ast.BitAnd, ast.BitOr, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Load,
)  # fmt: skip
_PLAIN = (ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Name, ast.Constant, ast.List, ast.Tuple, ast.Call)


@cache
def parse(condition: str) -> ast.expr:
    """Parse a condition; a column whose name is no Python name stands in backticks. Raises ValueError.

    >>> ast.unparse(parse("arr_delay >= 15 or arr_delay.isna()"))
    'arr_delay >= 15 or arr_delay.isna()'
    >>> parse("@os.system('ls')")
    Traceback (most recent call last):
    ValueError: `@os.system('ls')` cannot be read: invalid syntax
    >>> parse("a.to_pickle('b')")
    Traceback (most recent call last):
    ValueError: `a.to_pickle('b')` has .to_pickle, and a condition may have: columns, ...
    """
    if len(condition) > LONGEST:
        raise ValueError(f"`{condition[:40]}…` has {len(condition):,} characters, and a condition at most {LONGEST:,}")
    try:
        tree = ast.parse(_named(condition).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        raise ValueError(f"`{condition}` cannot be read: {reason}") from None
    _check(tree, condition, 0)
    return tree


def name_of(node: ast.Name) -> str:
    """The column that a name stands for."""
    return bytes.fromhex(node.id[len(_MARK) :]).decode() if node.id.startswith(_MARK) else node.id


_MARK = "_backtick_"


def _named(condition: str) -> str:
    """The condition with each name in backticks as a Python name; what is inside quotes stays."""
    made, quote, start = [], "", -1
    for i, letter in enumerate(condition):
        if start >= 0:
            if letter == "`":
                made.append(_MARK + condition[start:i].encode().hex())
                start = -1
        elif letter == "`" and not quote:
            start = i + 1
        else:
            quote = ("" if letter == quote else quote) if quote else letter if letter in "'\"" else ""
            made.append(letter)
    return "".join(made) if start < 0 else condition


def _check(node: ast.AST, condition: str, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"`{condition[:40]}…` is more than {DEEPEST} levels deep")
    inner: list[ast.AST] = []
    if isinstance(node, ast.Call):
        _check_call(node, condition)
        inner = [_called(node), *node.args]
    elif isinstance(node, ast.Constant):
        if not isinstance(node.value, (bool, int, float, str)):
            _refuse(condition, repr(node.value), "; for null write .isna() or .notna()" if node.value is None else "")
    elif isinstance(node, (*_PLAIN, *_OPERATORS)):
        inner = [*ast.iter_child_nodes(node)]
    else:
        _refuse(condition, _shown(node))
    for each in inner:
        _check(each, condition, depth + 1)


def _check_call(call: ast.Call, condition: str) -> None:
    method = call.func
    if call.keywords:
        _refuse(condition, f"{call.keywords[0].arg}=")
    if isinstance(method, ast.Name) and method.id == "abs":
        needed = 1
    elif not isinstance(method, ast.Attribute):
        _refuse(condition, _shown(method))
    else:
        of_text = isinstance(method.value, ast.Attribute) and method.value.attr == "str"
        known = STRINGS if of_text else METHODS
        if method.attr not in known:
            _refuse(condition, f".{method.attr}")
        needed = known[method.attr]
    if len(call.args) != needed:
        _refuse(condition, f"{_shown(call)} with {len(call.args)} arguments and not {needed}")


def _called(call: ast.Call) -> ast.expr:
    """What a method is called on: the column of `column.str.lower()`."""
    method = call.func
    if isinstance(method, ast.Name):
        return call.args[0]
    assert isinstance(method, ast.Attribute)  # noqa: S101  checked before
    value = method.value
    return value.value if isinstance(value, ast.Attribute) and value.attr == "str" else value


def _shown(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f".{node.attr}"
    return "**" if isinstance(node, ast.Pow) else type(node).__name__.lower()


def _refuse(condition: str, part: str, more: str = "") -> None:
    raise ValueError(f"`{condition}` has {part}, and a condition may have: {ALLOWED}{more}")
