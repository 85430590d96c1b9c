"""Semantic versions of models: what changed says which number rises."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from fullcircle.base.typed import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fullcircle.base.checks import Column
    from fullcircle.scoring.bundle import Bundle

Change: TypeAlias = Literal["first", "schema", "recipe", "data", "none"]

BORDERS = ("validation_from", "test_from")
"""Keys of the recipe that follow the data: a retraining moves them."""


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A semantic version."""

    major: int
    minor: int
    patch: int

    @classmethod
    def read(cls, text: str) -> Version:
        """Read `1.2.0`, or `v1.2.0`. Raises ValueError.

        >>> Version.read("v1.2.0") < Version.read("1.10.0")
        True
        """
        parts = text.removeprefix("v").split(".")
        if len(parts) != 3 or not all(part.isascii() and part.isdecimal() for part in parts):
            raise ValueError(f"{text!r} is no version such as 1.2.0")
        return cls(*map(int, parts))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a version is made of, as SHA-256.

    `schema`: what a caller sends and gets. `recipe`: problem, features, model, training, code. `data`: the raw tables,
    and the libraries.
    """

    schema: str
    recipe: str
    data: str


def fingerprint(bundle: Bundle, problem: Mapping[str, Any], described: str) -> Fingerprint:
    """The fingerprint of a bundle. `problem`: that part of params.yaml; `described`: the file of conf/data."""
    found = bundle.provenance
    asked = {name: value for name, value in problem.items() if name not in ("sources", "limits", "sign_off")}
    return Fingerprint(
        _hash(_schema(bundle)),
        _hash([_without_borders(found.parameters), _without_borders(asked), described, found.code]),
        _hash([{name: origin.sha256 for name, origin in found.data.items()}, found.libraries]),
    )


def _schema(bundle: Bundle) -> Any:
    scorer, state = bundle.scorer, bundle.state
    calibration = plain(scorer.spec.calibration)
    return {
        "inputs": _kinds(scorer.plan.inputs),
        "task": calibration["task"],
        "classes": [*scorer.spec.calibration.classes],
        "identity": [*bundle.about.identity],
        "events": None if state is None else _kinds(state.event_columns),
        "observations": None if state is None else _kinds(state.observation_columns),
    }


def _kinds(columns: Mapping[str, Column]) -> dict[str, Any]:
    return {name: [column.kind, column.format, column.missing] for name, column in columns.items()}


def _without_borders(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_borders(part) for name, part in value.items() if name not in BORDERS}
    return [_without_borders(part) for part in value] if isinstance(value, list) else value


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def next_version(before: tuple[Version, Fingerprint] | None, now: Fingerprint) -> tuple[Version, Change]:
    """The version that follows the last registered one, and what changed; the first is 1.0.0.

    >>> old = Fingerprint("a", "b", "c")
    >>> [str(next_version((Version(1, 2, 3), old), new)[0]) for new in (
    ...     Fingerprint("x", "b", "c"), Fingerprint("a", "x", "x"), Fingerprint("a", "b", "x"), old)]
    ['2.0.0', '1.3.0', '1.2.4', '1.2.3']
    """
    if before is None:
        return Version(1, 0, 0), "first"
    version, known = before
    if known.schema != now.schema:
        return Version(version.major + 1, 0, 0), "schema"
    if known.recipe != now.recipe:
        return Version(version.major, version.minor + 1, 0), "recipe"
    if known.data != now.data:
        return Version(version.major, version.minor, version.patch + 1), "data"
    return version, "none"
