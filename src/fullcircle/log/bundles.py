"""The bundles that answered, as the log knows them: without the bundle itself, one can tell what a record is called."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql
from sqlalchemy.exc import DatabaseError

from ..base.checks import Column
from ..base.errors import ConfigError, DataError
from ..base.typed import build, plain
from .database import BUNDLES, insert_new, reason_of
from .records import keys_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class LoggedBundle:
    """A bundle that answers: what it is, and how its records are named.

    `classes`: of the target, the positive one last where there are two; none: it is a number. `identity`: the columns
    that identify a record, and `read`: how they are read. `redact`: columns whose values are not written; where one of
    them identifies a record, a hash stands for its key. `provenance`: data, parameters, libraries, code.
    """

    id: str
    problem: str
    version: str
    target: str
    classes: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    read: dict[str, Column] = field(default_factory=dict)
    redact: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    def keys(self, columns: Mapping[str, Sequence[Any]]) -> list[str | None]:
        """The key of each record, as the log has it."""
        return keys_of(columns, self.identity, self.read, hashed=not {*self.redact}.isdisjoint(self.identity))


def note_bundle(engine: sql.Engine, bundle: LoggedBundle, since: datetime) -> None:
    """Note a bundle that begins to answer. Raises ConfigError where the log cannot be written."""
    row = {"id": bundle.id, "since": since, "about": json.dumps(plain(bundle), sort_keys=True)}
    try:
        with engine.begin() as connection:
            insert_new(connection, BUNDLES, [row])
    except DatabaseError as error:
        raise ConfigError(f"the prediction log cannot be written: {reason_of(error)}") from None


def logged_bundles(engine: sql.Engine) -> dict[str, LoggedBundle]:
    """Bundle id -> bundle, of those that answered, the latest last."""
    with engine.connect() as connection:
        found = connection.execute(sql.select(BUNDLES).order_by(BUNDLES.c.since, BUNDLES.c.id))
        return {row.id: build(LoggedBundle, json.loads(row.about), f"bundle {row.id[:12]} of the log") for row in found}


def latest_bundle(engine: sql.Engine, problem: str | None = None) -> LoggedBundle:
    """The bundle that began to answer last, of a problem. Raises DataError where there is none."""
    found = [each for each in logged_bundles(engine).values() if problem in (None, each.problem)]
    if not found:
        raise DataError("no bundle has answered yet: the prediction log is empty")
    return found[-1]
