"""Plain data -> frozen dataclasses, strictly: a wrong key, type or range is an error that names the key.

The configuration and the files of a bundle are read through this one door. Pydantic or msgspec would do,
but a bundle may depend on NumPy and ONNX Runtime alone, and one reader is better than two.
"""

from __future__ import annotations

import dataclasses
import types
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from .errors import ConfigError, difference, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

_EXACT: dict[Any, set[type]] = {str: {str}, float: {float}, float | None: {float, type(None)}}
"""Items of a tuple that are of these types need nothing done to them, and a lookup table has thousands."""


def build(kind: type[T], data: object, where: str = "") -> T:
    """Make a `kind` of `data` (what YAML or JSON holds); `where` is the key that errors name.

    Understands dataclasses, unions of dataclasses distinguished by a `kind`, `task` or `name` field of a `Literal`
    type, `tuple[X, ...]`, `tuple[X, Y]`, `dict[str, X]`, `Literal`, `X | None`, str, bool, int and float.
    An int passes for a float; nothing else is converted. A dataclass checks its own ranges in
    `__post_init__` by raising ValueError, and may name old keys in a class variable `RENAMED` (old key -> what is
    written now): they are an error that says so. Raises ConfigError.
    """
    return _build(kind, data, where)  # type: ignore[no-any-return]


def plain(value: Any) -> Any:
    """Turn dataclasses back into what JSON holds, leaving out the fields that have their default value."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: plain(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if getattr(value, f.name) != _default(f)
        }
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _build(kind: Any, data: Any, where: str) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union(args, data, where)
    if origin is Literal:
        if data not in args or type(data) not in {type(a) for a in args}:
            raise ConfigError(f"{where}: {shortened(data)} is not one of {', '.join(map(repr, args))}")
        return data
    if origin is tuple:
        return _tuple(args, data, where)
    if origin is dict:
        return {key: _build(args[1], item, f"{where}.{key}") for key, item in _mapping(data, where).items()}
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, data, where)
    if kind is Any:
        return data
    accepted = (int, float) if kind is float else (kind,)
    if not isinstance(data, accepted) or (isinstance(data, bool) and kind is not bool):
        raise ConfigError(f"{where}: expected {kind.__name__}, got {_shown(data)}")
    try:
        return float(data) if kind is float else data
    except OverflowError:
        raise ConfigError(f"{where}: the whole number {shortened(data)} is too large") from None


def _union(args: tuple[Any, ...], data: Any, where: str) -> Any:
    if type(None) in args:
        if data is None:
            return None
        args = tuple(a for a in args if a is not type(None))
    if len(args) == 1:
        return _build(args[0], data, where)
    if not all(dataclasses.is_dataclass(a) for a in args):
        for arg in args:
            try:
                return _build(arg, data, where)
            except ConfigError:
                continue
        raise ConfigError(f"{where}: expected {' or '.join(a.__name__ for a in args)}, got {_shown(data)}")
    field = next(f.name for f in dataclasses.fields(args[0]) if f.name in ("kind", "task", "name"))
    choices = {name: a for a in args for name in get_args(_hints(a)[field])}
    chosen = _mapping(data, where).get(field)
    if not isinstance(chosen, str) or chosen not in choices:
        raise ConfigError(f"{where}.{field}: {_shown(chosen)} is not one of {', '.join(choices)}")
    return _dataclass(choices[chosen], data, where)


def _tuple(args: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(data, (list, tuple)):
        raise ConfigError(f"{where}: expected a list, got {_shown(data)}")
    if args[-1] is Ellipsis:
        if {*map(type, data)} <= _EXACT.get(args[0], set()):
            return tuple(data)
        args = (args[0],) * len(data)
    if len(args) != len(data):
        raise ConfigError(f"{where}: expected {len(args)} items, got {len(data)}")
    return tuple(_build(a, item, f"{where}[{i}]") for i, (a, item) in enumerate(zip(args, data, strict=True)))


def _dataclass(kind: Any, data: Any, where: str) -> Any:
    data = _mapping(data, where)
    fields = {f.name: f for f in dataclasses.fields(kind)}
    if unknown := [key for key in data if key not in fields]:
        if renamed := {key: new for key, new in getattr(kind, "RENAMED", {}).items() if key in unknown}:
            said = "\n  ".join(f"{key} is now {new}" for key, new in renamed.items())
            raise ConfigError(f"{where}: keys have new names\n  {said}")
        raise ConfigError(
            f"{where}: {difference(fields, unknown, 'key', missing=False)}\n  known keys: {', '.join(fields)}"
        )
    if missing := [name for name, f in fields.items() if _needed(f) and name not in data]:
        raise ConfigError(f"{where}: missing keys: {', '.join(missing)}")
    hints = _hints(kind)
    values = {key: _build(hints[key], item, f"{where}.{key}".lstrip(".")) for key, item in data.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields; a table has as many columns as it likes, all of one class."""
    return get_type_hints(kind)


def _needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _mapping(data: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ConfigError(f"{where}: expected keys and values, got {_shown(data)}")
    for key in data:
        if not isinstance(key, str):
            raise ConfigError(
                f"{where}: key {key!r} is no text. YAML reads on, off, yes, no, y and n as true or false."
            )
    return data


def _shown(data: Any) -> str:
    return "nothing" if data is None else f"{type(data).__name__} {shortened(data)}"
