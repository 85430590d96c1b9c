"""What the rows of a request get: predictions, and rows set aside with their reasons; and the forms of an answer."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import RowsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..base.columns import Array, Columns

Part = tuple["Columns", "dict[str, Array]", int, int]
SHOWN = 100  # rows set aside that an error lists


@dataclass(slots=True)
class Answer:
    """An answer for `rows` rows. `kept`: positions of those that were scored, ascending.

    `identity`: columns that identify a row, as they were sent; `columns`: the prediction in words; both of the rows
    that were scored. `aside`: why each other row was not, by position. `stale`: table -> hours by which the state is
    behind, where that is more than allowed. `contributions`: of each row that was scored, where they were asked for.
    `parts`: the same rows as they were scored: inputs and predictions of what was scored together, from, to.
    `id`: its identifier in the prediction log, where there is one.
    """

    rows: int
    kept: list[int]
    identity: dict[str, list[Any]]
    columns: dict[str, list[Any]]
    aside: dict[int, str]
    stale: dict[str, float | None] = field(default_factory=dict)
    contributions: list[dict[str, Any]] | None = None
    parts: list[Part] = field(default_factory=list)
    id: str = ""

    def records(self, *, numbered: bool = False) -> list[dict[str, Any]]:
        """One record per row that was scored: its position if `numbered`, its identity and its prediction."""
        first: dict[str, list[Any]] = {"row": self.kept} if numbered else {}
        taken = self.identity.keys() & {*self.columns, *first}
        named = {f"input.{name}" if name in taken else name: values for name, values in self.identity.items()}
        columns = first | named | self.columns
        names = [*columns]
        made = [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        if self.contributions is not None:
            for record, found in zip(made, self.contributions, strict=True):
                record["contributions"] = found
        return made

    def set_aside(self) -> list[dict[str, object]]:
        """The rows that were set aside, with their reasons."""
        return [{"row": at, "reasons": self.aside[at]} for at in sorted(self.aside)]

    def aligned(self) -> list[dict[str, Any]]:
        """One record per row that was sent: its prediction, or {"error": reasons}."""
        made: list[dict[str, Any]] = [{"error": self.aside.get(at, "")} for at in range(self.rows)]
        for at, record in zip(self.kept, self.records(), strict=True):
            made[at] = record
        return made

    def spread(self, values: Sequence[Any], nothing: Any) -> list[Any]:
        """A column of the rows that were scored as one of all rows, `nothing` at those set aside."""
        if len(self.kept) == self.rows:
            return list(values)
        made = [nothing] * self.rows
        for at, value in zip(self.kept, values, strict=True):
            made[at] = value
        return made

    def text(self) -> str:
        """As CSV, one line per row that was sent; the cells of one that was set aside are empty but for `error`."""
        identity = {name: self.spread(values, "") for name, values in self.identity.items()}
        columns = identity | {name: self.spread(values, "") for name, values in self.columns.items()}
        columns["error"] = [self.aside.get(at, "") for at in range(self.rows)]
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        return file.getvalue()

    def check_some(self) -> None:
        """Raises RowsError where no row could be scored, with the reasons."""
        if not self.kept:
            first = self.set_aside()
            raise RowsError(f"no row could be scored: row {first[0]['row']}: {first[0]['reasons']}", first[:SHOWN])


def encoded(value: Any) -> bytes:
    """A value as JSON; numbers read back as they are, to the last bit."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
