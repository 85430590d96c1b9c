"""The target: the task that its values suggest, and values that no model can be trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from fullcircle.base.columns import Array, is_null
from fullcircle.base.errors import DataError
from fullcircle.drafting.kinds import ColumnProfile, profile_category
from fullcircle.drafting.roles import only
from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    import pyarrow as pa


Task: TypeAlias = Literal["binary", "multiclass", "regression"]

FEW = 20  # whole numbers with at most so many distinct values may be classes ...
MOST = 100  # classes
CLASS_ROWS = 10  # ... if each has at least so many rows, the least to train and evaluate a class
LARGEST = 1e100  # absolute value of a number
LEAST = 30  # rows with a target
POSITIVE = (  # `yes` in other languages too
    "yes", "true", "1", "1.0", "y", "t", "positive", "pos", "bad", "fraud", "churned", "churn", "default", "late",
    "failed", "failure", "malignant", "dead", "died", "spam", "sick", "ill", "present", "on",
    "oui", "ja", "sí", "si", "sì", "sim", "tak", "evet", "igen", "ano", "да", "так", "ναι", "はい", "是", "예",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TargetGuess:
    """The target and its task.

    `classes`: their names, for a binary target the positive one last. `y`: float64, the position of the class or the
    number, NaN if missing. `why`: the reason for the task.
    """

    column: ColumnProfile
    task: Task
    classes: tuple[str, ...]
    y: Array
    why: str

    @property
    def shares(self) -> dict[str, float]:
        """The share of rows of each class."""
        known = self.y[~np.isnan(self.y)]
        return {name: float(np.mean(known == i)) for i, name in enumerate(self.classes)}


def guess_target(column: ColumnProfile, source: pa.ChunkedArray, task: Task | None, where: str) -> TargetGuess:
    """Guess the task from a column, unless `task` is given. `source`: the column as the source has it.

    Raises DataError for a target that no model can be trained on.
    """
    subject = f"{where}: the target {column.name}"
    if not column.rows:
        raise DataError(
            f"{subject} is missing in all {len(column.values):,} rows. Give another, or a table that has it."
        )
    if column.distinct == 1:
        raise DataError(f"{subject} is {only(column)} in every row: there is nothing to predict. Give another.")
    if column.kind == "time":
        raise DataError(f"{subject} holds dates. Give a number, such as the days until it, or a class.")
    if column.rows < LEAST:
        raise DataError(
            f"{subject} is known in {column.rows} rows; training, validation and test need at least {LEAST}."
        )
    if column.kind in ("category", "text") and column.distinct == column.rows:
        raise DataError(
            f"{subject} has a different value in each of {column.rows:,} rows, e.g. {shown(column.levels[0][0])}: "
            "nothing can be learned. Give a column with classes or a number."
        )
    chosen, why = (task, "given by --task") if task else _task(column)
    if chosen == "regression":
        return _number(column, why, subject)
    return _classes(column, profile_category(column.name, source, column.null_words), chosen, why, subject)


def _task(column: ColumnProfile) -> tuple[Task, str]:
    if column.distinct == 2:
        return "binary", "two values"
    if column.kind in ("category", "text"):
        return "multiclass", f"{column.distinct} text values"
    if column.kind == "number":
        return "regression", f"a number with {column.distinct:,} distinct values"
    counts = np.unique(column.values[~np.isnan(column.values)], return_counts=True)[1]
    if column.distinct <= FEW and counts.min() >= CLASS_ROWS:
        return (
            "multiclass",
            f"{column.distinct} whole numbers; if they are counts, draft again with --task regression",
        )
    return "regression", f"a number with {column.distinct:,} distinct values"


def _number(column: ColumnProfile, why: str, subject: str) -> TargetGuess:
    if column.kind not in ("integer", "number"):
        raise DataError(
            f"{subject} holds text, e.g. {shown(column.levels[0][0])}, which is not a number. {column.why}".rstrip()
        )
    if infinite := int(np.isinf(column.values).sum()):
        raise DataError(f"{subject} is infinite in {infinite:,} rows. Correct them, or leave them empty.")
    if float(np.nanmax(np.abs(column.values))) > LARGEST:
        raise DataError(f"{subject} has values beyond {LARGEST:g}, which overflow in computations. Use another unit.")
    return TargetGuess(column, "regression", (), column.values, why)


def _classes(column: ColumnProfile, category: ColumnProfile, task: Task, why: str, subject: str) -> TargetGuess:
    known = column.values[~is_null(column.values)]
    if task == "multiclass" and column.kind == "number" and np.mod(known, 1).any():
        raise DataError(
            f"{subject} holds fractions; classes are texts or whole numbers. Leave out --task, or name the classes."
        )
    counts = dict(category.levels)
    if task == "binary" and len(counts) != 2:
        raise DataError(f"{subject} has {len(counts):,} values, but a binary target has two. Leave out --task.")
    if task == "multiclass" and len(counts) == 2:
        raise DataError(f"{subject} has two values, but a multiclass target has three or more. Leave out --task.")
    if len(counts) > MOST:
        raise DataError(
            f"{subject} has {len(counts):,} classes; at most {MOST} are supported. Group them, or give another column."
        )
    rare = {name: count for name, count in counts.items() if count < CLASS_ROWS}
    if rare:
        name, count = min(rare.items(), key=lambda item: item[1])
        raise DataError(
            f"{subject} has {len(rare)} classes with fewer than {CLASS_ROWS} rows, e.g. {shown(name)} with {count}: "
            "too few to train and evaluate. Collect more, group them, or leave their target empty."
        )
    ordered = _ordered(column, list(counts)) if task == "multiclass" else _positive_last(counts)
    position = {name: float(i) for i, name in enumerate(ordered)}
    y = np.array([position.get(v, np.nan) for v in category.values.tolist()])
    if task == "binary":
        why += f"; {shown(ordered[1])} is taken as the positive class: " + (
            "by its name" if ordered[1].lower() in POSITIVE else "it is the rarer"
        )
    return TargetGuess(category, task, ordered, y, why)


def _positive_last(counts: dict[str, int]) -> tuple[str, ...]:
    """The positive class last: by its name, else the rarer; of equally frequent ones, the later in the alphabet."""
    named = [name for name in counts if name.lower() in POSITIVE]
    positive = named[0] if len(named) == 1 else min(counts, key=lambda name: (counts[name], [-ord(c) for c in name]))
    return (*(name for name in counts if name != positive), positive)


def _ordered(column: ColumnProfile, names: list[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=float if column.kind in ("integer", "number") else None))
