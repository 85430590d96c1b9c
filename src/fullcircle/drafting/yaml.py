"""Readable YAML: words are written bare, everything else is quoted, so that any name survives a round trip."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING, Any

import yaml

from fullcircle.base.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WIDTH = 116
_LOST = ("${", "\x85", "\u2028", "\u2029")
_BARE = re.compile(r"[^\W\d](?:[\w /.-]*\w)?")
_NOT_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity", "none"}


def scalar(value: Any) -> str:
    """One value as YAML, on one line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float):
        text = f"{value:.12g}"
        return text.replace("e", ".0e") if "e" in text and "." not in text else text  # YAML reads 1e-05 as text
    if not isinstance(value, str):
        return str(value)
    if _BARE.fullmatch(value) and value.isprintable() and value.lower() not in _NOT_TEXT and _read(value) == value:
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in quoted)


def flow(values: Mapping[str, Any] | Iterable[Any]) -> str:
    """A mapping or a list in flow style, on one line."""
    if isinstance(values, dict):
        return "{" + ", ".join(f"{scalar(key)}: {_inner(value)}" for key, value in values.items()) + "}"
    return "[" + ", ".join(_inner(value) for value in values) + "]"


def wrapped(values: Iterable[str], indent: int) -> str:
    """A list in flow style, wrapped into lines with an indentation of `indent` + 1."""
    lines: list[str] = []
    line = ""
    for item in (scalar(value) + "," for value in values):
        if line and indent + len(line) + len(item) > WIDTH:
            lines, line = [*lines, line], ""
        line = f"{line} {item}" if line else item
    inside = ("\n" + " " * (indent + 1)).join([*lines, line]).rstrip(",")
    return f"[{inside}]"


def comment(text: str, indent: int = 0) -> str:
    """Text as comment lines with an indentation of `indent`."""
    begin = " " * indent + "# "
    return "\n".join(textwrap.wrap(plain(text), WIDTH, initial_indent=begin, subsequent_indent=begin))


def plain(text: str) -> str:
    """Text without line breaks and invisible characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def shown(value: str, longest: int = 30) -> str:
    """A value for comments and messages: in quotes, at most `longest` characters."""
    value = plain(value)
    return f"“{value if len(value) <= longest else value[: longest - 1] + '…'}”"


def check_composable(values: Any, where: str) -> None:
    """Refuse text that Hydra changes: `${` is a reference, `???` a missing value; rare line breaks are lost."""
    if isinstance(values, dict):
        values = [*values, *values.values()]
    if isinstance(values, (list, tuple)):
        for value in values:
            check_composable(value, where)
    elif isinstance(values, str) and (values == "???" or any(mark in values for mark in _LOST)):
        raise DataError(
            f"{where}: {shown(values)} is not allowed in conf/: `${{` begins a reference there, ??? is a "
            "missing value, and rare kinds of line breaks are lost. Rename it."
        )


def _inner(value: Any) -> str:
    return flow(value) if isinstance(value, (dict, list, tuple)) else scalar(value)


def _read(text: str) -> Any:
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError:
        return None


def _escaped(c: str) -> str:
    return f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}"
