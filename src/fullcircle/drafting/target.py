"""The target: which task its values ask for, and what cannot be learnt from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from fullcircle.base.columns import Array, is_null
from fullcircle.base.errors import DataError
from fullcircle.drafting.kinds import Seen, as_category
from fullcircle.drafting.roles import only
from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    import pyarrow as pa


Task: TypeAlias = Literal["binary", "multiclass", "regression"]

FEW = 20  # whole numbers that differ in at most so many values may be classes ...
MOST = 100  # classes; a text with more is no target
CLASS_ROWS = 10  # ... if each comes so often; fewer rows of a class can be neither learnt nor judged
LARGEST = 1e100  # of a number
LEAST = 30  # rows with a target
POSITIVE = (
    "yes", "true", "1", "1.0", "y", "t", "positive", "pos", "bad", "fraud", "churned", "churn", "default", "late",
    "failed", "failure", "malignant", "dead", "died", "spam", "sick", "ill", "present",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Guessed:
    """What is to be foretold.

    `classes`: their names, for a binary target the positive one last. `y`: the target as tables carry it, float64:
    the position of the class or the number, NaN where there is none. `why`: what speaks for the task.
    """

    column: Seen
    task: Task
    classes: tuple[str, ...]
    y: Array
    why: str

    @property
    def shares(self) -> dict[str, float]:
        """The share of rows of each class."""
        known = self.y[~np.isnan(self.y)]
        return {name: float(np.mean(known == i)) for i, name in enumerate(self.classes)}


def guess(column: Seen, written: pa.ChunkedArray, task: Task | None, where: str) -> Guessed:
    """The task that a column asks for; `task` overrules. `written`: the column as the source has it.

    Raises DataError for one that teaches nothing.
    """
    said = f"{where}: the target {column.name}"
    if not column.rows:
        raise DataError(f"{said} is missing in all {len(column.values):,} rows. Give another, or a table that has it.")
    if column.distinct == 1:
        raise DataError(f"{said} is {only(column)} in every row, which teaches nothing. Give another.")
    if column.kind == "time":
        raise DataError(f"{said} holds dates. Give a number, such as the days until it, or a class.")
    if column.rows < LEAST:
        raise DataError(f"{said} is known in {column.rows} rows; {LEAST} are the least to train, choose and test on.")
    if column.kind in ("category", "text") and column.distinct == column.rows:
        raise DataError(
            f"{said} has another value in each of {column.rows:,} rows, e.g. {shown(column.levels[0][0])}: there is "
            "nothing to learn. Give a column with classes or a number."
        )
    chosen, why = (task, "as told by --task") if task else _task(column)
    if chosen == "regression":
        return _number(column, why, said)
    return _classes(column, as_category(column.name, written), chosen, why, said)


def _task(column: Seen) -> tuple[Task, str]:
    if column.distinct == 2:
        return "binary", "two values"
    if column.kind in ("category", "text"):
        return "multiclass", f"{column.distinct} values that are no numbers"
    if column.kind == "number":
        return "regression", f"a number of {column.distinct:,} values"
    counts = np.unique(column.values[~np.isnan(column.values)], return_counts=True)[1]
    if column.distinct <= FEW and counts.min() >= CLASS_ROWS:
        return (
            "multiclass",
            f"{column.distinct} whole numbers; if they count something, draft again with --task regression",
        )
    return "regression", f"a number of {column.distinct:,} values"


def _number(column: Seen, why: str, said: str) -> Guessed:
    if column.kind not in ("integer", "number"):
        raise DataError(
            f"{said} holds text, e.g. {shown(column.levels[0][0])}, which is no number. {column.why}".rstrip()
        )
    if infinite := int(np.isinf(column.values).sum()):
        raise DataError(f"{said} is infinite in {infinite:,} rows. Mend them, or leave them empty.")
    if float(np.nanmax(np.abs(column.values))) > LARGEST:
        raise DataError(f"{said} has values beyond {LARGEST:g}, with which nothing can be computed. Give another unit.")
    return Guessed(column, "regression", (), column.values, why)


def _classes(column: Seen, held: Seen, task: Task, why: str, said: str) -> Guessed:
    known = column.values[~is_null(column.values)]
    if task == "multiclass" and column.kind == "number" and np.mod(known, 1).any():
        raise DataError(f"{said} holds fractions; classes are texts or whole numbers. Leave out --task, or name them.")
    counts = dict(held.levels)
    if task == "binary" and len(counts) != 2:
        raise DataError(f"{said} has {len(counts):,} values, and a binary target has two. Leave out --task.")
    if task == "multiclass" and len(counts) == 2:
        raise DataError(f"{said} has two values, and a multiclass target three or more. Leave out --task.")
    if len(counts) > MOST:
        raise DataError(f"{said} has {len(counts):,} classes; {MOST} are the most. Group them, or give another column.")
    rare = {name: count for name, count in counts.items() if count < CLASS_ROWS}
    if rare:
        name, count = min(rare.items(), key=lambda item: item[1])
        raise DataError(
            f"{said} has {len(rare)} classes of less than {CLASS_ROWS} rows, e.g. {shown(name)} with {count}: they can "
            "be neither learnt nor judged. Collect more, group them, or leave their target empty."
        )
    ordered = _ordered(column, list(counts)) if task == "multiclass" else _positive_last(counts)
    position = {name: float(i) for i, name in enumerate(ordered)}
    y = np.array([position.get(v, np.nan) for v in held.values.tolist()])
    if task == "binary":
        why += f"; {shown(ordered[1])} is taken for the positive one: " + (
            "its name says so" if ordered[1].lower() in POSITIVE else "it is the rarer"
        )
    return Guessed(held, task, ordered, y, why)


def _positive_last(counts: dict[str, int]) -> tuple[str, ...]:
    """The one whose name says so, else the rarer; of two alike, the later by name."""
    named = [name for name in counts if name.lower() in POSITIVE]
    positive = named[0] if len(named) == 1 else min(counts, key=lambda name: (counts[name], [-ord(c) for c in name]))
    return (*(name for name in counts if name != positive), positive)


def _ordered(column: Seen, names: list[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=float if column.kind in ("integer", "number") else None))
