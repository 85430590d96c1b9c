"""The data, typed: what `conf/data/NAME.yaml` may say of the tables, and what later stages must know of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from fullcircle.base.checks import Column
from fullcircle.core.conditions import parse
from fullcircle.core.schema import Schema
from fullcircle.pointintime.spec import History, Observations, StateSpec

if TYPE_CHECKING:
    from fullcircle.pointintime.spec import Moment


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition over several columns that every row must meet; `core.conditions` says what it may contain."""

    name: str
    holds: str

    def __post_init__(self) -> None:
        parse(self.holds)


@dataclass(frozen=True, slots=True)
class Table:
    """One raw table: its columns, and what makes a row impossible."""

    columns: dict[str, Column]
    key: tuple[str, ...] = ()  # no two rows may share it; empty: nothing tells rows apart, and equal rows are kept
    duplicates: Literal["reject", "error"] = "reject"  # reject keeps the first of a key
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if self.duplicates == "error" and not self.key:
            raise ValueError("duplicates: error needs a key")


@dataclass(frozen=True, slots=True)
class Join:
    """Columns of another table beside each row of the main one: many rows to one, by the other's key.

    They are asked for as inputs like the main table's own; a lookup, by contrast, travels in the scorer. A row that
    finds none gets nulls. Joins are done in order, so a later one may stand on what an earlier one brought.
    """

    table: str
    by: dict[str, str]  # column of the main table -> column of the other
    columns: dict[str, str] | tuple[str, ...]  # column of the other -> name it gets; or names that stay

    def __post_init__(self) -> None:
        if not self.by or not self.columns:
            raise ValueError(f"a join of {self.table} needs `by` and `columns`")

    @property
    def named(self) -> dict[str, str]:
        """Column of the other table -> name it gets."""
        return dict(self.columns) if isinstance(self.columns, dict) else {name: name for name in self.columns}


@dataclass(frozen=True, slots=True)
class Data:
    """What `conf/data/NAME.yaml` says: the tables, and what was known of a row at its moment of prediction."""

    tables: dict[str, Table]
    observations: Observations | None = None
    history: History | None = None
    joins: tuple[Join, ...] = ()

    def __post_init__(self) -> None:
        for name in self.tables:
            check_table_name(name)


def check_table_name(name: str) -> None:
    """Refuse a table whose name is no plain word, for it names files. Raises ValueError."""
    if not re.fullmatch(r"\w[\w-]{0,99}", name):
        raise ValueError(f"table {name[:120]!r}: a name has letters, digits, _ and -, for it names files")


def joined_columns(data: Data) -> dict[str, Column]:
    """The columns that joins bring, by the name they get; null where a row finds none."""
    return {
        new: replace(data.tables[join.table].columns[old], missing="keep")
        for join in data.joins
        for old, new in join.named.items()
    }


def schema_of(data: Data, table: str, moment: Moment | None) -> Schema:
    """The scorer's inputs are the table's own, those joined, those last observed, and the point-in-time columns."""
    columns, observations, history = data.tables[table].columns | joined_columns(data), data.observations, data.history
    outcomes = tuple(name for name, column in columns.items() if column.role == "outcome")
    records = tuple(name for name, column in columns.items() if column.role == "record")
    inputs = {name: column for name, column in columns.items() if column.role == "input"}
    if observations is not None:
        inputs |= {name: data.tables[observations.table].columns[name] for name in observations.columns}
    if history is not None:
        low, _ = history.clip
        lowest = {"mean": low, "late": 0.0, "waiting": 0.0, "waited": 0.0, "timetable": 0.0}
        inputs |= {
            recent.name: Column(
                kind="number",
                missing="keep",
                min=lowest[recent.what],
                about=f"{recent.what}, {recent.hours:g} h",
            )
            for recent in history.columns
        }
    about = (moment.about if moment else "") or "at the moment of prediction"
    return Schema(inputs, outcomes, about, observations.table if observations else None, records)


def state_spec_of(data: Data, table: str, moment: Moment | None) -> StateSpec | None:
    """What a state of past events and observations must know; None where no column depends on them."""
    observations, history = data.observations, data.history
    if moment is None or (observations is None and history is None):
        return None
    events, needed = data.tables[table], {moment.hour, moment.minute}
    if history is not None:
        needed |= {history.delay, *(name for column in history.columns for name in column.by)}
    needed |= set(observations.by) if observations else set()
    seen = data.tables[observations.table] if observations else None
    used = {observations.time, *observations.by, *observations.columns} if observations else set[str]()
    return StateSpec(
        moment=moment,
        events=table,
        event_key=events.key,
        event_columns={name: c for name, c in events.columns.items() if name in needed or name in events.key},
        history=history,
        observations=observations,
        observation_key=seen.key if seen else (),
        observation_columns={n: c for n, c in seen.columns.items() if n in used or n in seen.key} if seen else {},
    )
