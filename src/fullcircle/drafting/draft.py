"""The draft: what is guessed of a table and its target, before it is written down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.errors import DataError, difference
from fullcircle.base.threads import parallel_map
from fullcircle.drafting.kinds import as_category, seen
from fullcircle.drafting.quick import QuickModel, quick, rows_for
from fullcircle.drafting.roles import Drafted, drafted
from fullcircle.drafting.splits import Suggested, suggest
from fullcircle.drafting.table import Taken
from fullcircle.drafting.target import LARGEST, Guessed, guess
from fullcircle.drafting.univariate import Univariate, univariate
from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    import pyarrow as pa

    from fullcircle.base.columns import Array
    from fullcircle.drafting.target import Task

LONGEST = 200  # characters of a column's name
RESERVED = ("target", "reasons")  # columns that the stages add
CELLS = 20_000_000  # looked at for leaks


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that the two files say. `columns`: in the order of the table, the target among them.

    `leaks`: columns that predict the target too well by themselves, left in. `repeated`: rows equal to an
    earlier one in every column. `repeated_share`: share of rows equal to an earlier one in all but the target.
    """

    name: str
    taken: Taken
    target: Guessed
    columns: tuple[Drafted, ...]
    split: Suggested
    quick: QuickModel
    leaks: tuple[Univariate, ...]
    repeated: int
    repeated_share: float

    @property
    def inputs(self) -> list[Drafted]:
        """The columns that are learnt from."""
        return [column for column in self.columns if column.role == "input"]

    @property
    def known(self) -> int:
        """Rows of the whole source that have a target, as far as those looked at tell."""
        return round(float(np.mean(~np.isnan(self.target.y))) * self.taken.rows)


def draft(taken: Taken, name: str, target: str, task: Task | None, records: tuple[str, ...]) -> Draft:
    """Guess everything. `records`: columns that the person wants left out.

    Raises DataError for a table, or a target, from which nothing can be learnt.
    """
    where, table = taken.origin, taken.table
    check_names(table.column_names, (target, *records), where)
    found = parallel_map(
        lambda n: as_category(n, table.column(n)) if n in records else seen(n, table.column(n), where),
        table.column_names,
    )
    held = next(column for column in found if column.name == target)
    guessed = guess(held, table.column(target), task, where)
    others = [drafted(column, column.name in records) for column in found if column.name != target]
    if not any(column.role == "input" for column in others):
        raise DataError(_nothing_to_learn_from(others, where))
    classes, y = len(guessed.classes), guessed.y
    split = suggest(others, y, classes)
    others = [
        replace(c, settings=c.settings | {"missing": "reject"})
        if c.seen.name in split.columns and split.kind == "time"
        else c
        for c in others
    ]
    quick_model, leaks = _measured(others, y, classes, split)
    columns = [Drafted(guessed.column, "outcome", "the target", settings={}), *others]
    order = {n: i for i, n in enumerate(table.column_names)}
    columns.sort(key=lambda column: order[column.seen.name])
    return Draft(name, taken, guessed, tuple(columns), split, quick_model, leaks, *_repeated(taken, target))


def check_names(names: list[str], wanted: tuple[str, ...], where: str) -> None:
    """Refuse names that the stages cannot carry, and a wanted column that is not there. Raises DataError."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{where} has columns of one name: {', '.join(map(repr, twice))}. Name each once.")
    if absent := [name for name in wanted if name not in names]:
        raise DataError(f"{where} has no column {absent[0]}\n  {difference(names, absent, missing=False)}")
    if long := [name for name in names if len(name) > LONGEST]:
        raise DataError(f"{where}: a column's name has {len(long[0])} characters, {LONGEST} are the most. Shorten it.")
    if taken := [name for name in names if name in RESERVED and name != wanted[0]]:
        raise DataError(f"{where}: a column is named {taken[0]}, as one that the stages make. Rename it.")


def _measured(
    others: list[Drafted], y: Array, n_classes: int, split: Suggested
) -> tuple[QuickModel, tuple[Univariate, ...]]:
    """What a quick model and what single columns make of the target."""
    inputs = {c.seen.name: _tame(c.seen.values) for c in others if c.role == "input" and c.seen.kind != "text"}
    by = next((c.seen.values for c in others if c.seen.name in split.columns and split.kind != "random"), None)
    known = np.flatnonzero(~np.isnan(y))
    learn, held_out = rows_for(known, split.kind, by)
    some = max(100, CELLS // max(1, len(inputs)) // 2)
    suspects = [one for one in univariate(inputs, y, n_classes, learn[-some:], held_out[:some]) if one.suspect]
    beyond = {name: values for name, values in inputs.items() if name not in {one.column for one in suspects}}
    return quick(beyond or inputs, y, n_classes, learn, held_out), tuple(sorted(suspects, key=lambda one: -one.score))


def _tame(values: Array) -> Array:
    """Numbers whose squares can be added up; infinities stay what they are."""
    if values.dtype != np.float64:
        return values
    return np.where(np.isinf(values), values, np.clip(values, -LARGEST, LARGEST))


def _repeated(taken: Taken, target: str) -> tuple[int, float]:
    """How many rows repeat an earlier one, and what share of them do but for the target."""
    table = taken.table
    if table.num_columns > 200:
        return 0, 0.0  # rows that wide do not repeat by chance
    others = _beyond_first(table.drop_columns([target])) / max(1, table.num_rows)
    return _beyond_first(table), others


def _beyond_first(table: pa.Table) -> int:
    numbered = table.rename_columns([str(i) for i in range(table.num_columns)])  # Arrow reads `.5` as a path
    return int(table.num_rows - numbered.group_by(numbered.column_names, use_threads=False).aggregate([]).num_rows)


def _nothing_to_learn_from(others: list[Drafted], where: str) -> str:
    lines = [f"  {shown(column.seen.name)}: {column.why}" for column in others[:5]]
    return "\n".join(
        [f"{where}: no column besides the target can be learnt from", *lines, "Give a table with columns that vary."]
    )
