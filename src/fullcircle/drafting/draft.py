"""The draft of a problem: everything that is guessed from a table and its target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.base.errors import DataError, difference, listed
from fullcircle.base.threads import parallel_map
from fullcircle.drafting.doubts import repeated_headers, table_doubts
from fullcircle.drafting.kinds import profile, profile_category
from fullcircle.drafting.quick import QuickModel, quick, rows_for
from fullcircle.drafting.roles import ColumnDraft, draft_column, readings
from fullcircle.drafting.splits import SplitBy, SplitSuggestion, split_of, suggest_split
from fullcircle.drafting.table import TableSample
from fullcircle.drafting.target import LARGEST, TargetGuess, guess_target
from fullcircle.drafting.univariate import Univariate, univariate
from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    import pyarrow as pa

    from fullcircle.base.columns import Array
    from fullcircle.drafting.kinds import ColumnProfile
    from fullcircle.drafting.target import Task

LONGEST = 200  # characters of a column's name
RESERVED = ("target", "reasons")  # columns that the stages add
CELLS = 20_000_000  # searched for leaks


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that the two files contain. `columns`: in the order of the table, including the target.

    `leaks`: inputs that predict the target too well by themselves. `repeated`: number of rows equal to an earlier
    one in every column. `repeated_share`: share of rows equal to an earlier one in all columns but the target.
    `doubts`: about the table as a whole, in words.
    """

    name: str
    sample: TableSample
    target: TargetGuess
    columns: tuple[ColumnDraft, ...]
    split: SplitSuggestion
    quick: QuickModel
    leaks: tuple[Univariate, ...]
    repeated: int
    repeated_share: float
    doubts: tuple[str, ...] = ()

    @property
    def inputs(self) -> list[ColumnDraft]:
        """The columns with the role `input`."""
        return [column for column in self.columns if column.role == "input"]

    @property
    def known(self) -> int:
        """Number of rows of the source with a target, estimated from the sample."""
        return round(float(np.mean(~np.isnan(self.target.y))) * self.sample.rows)


def draft(
    sample: TableSample,
    name: str,
    target: str,
    task: Task | None,
    records: tuple[str, ...],
    split_by: SplitBy | None = None,
) -> Draft:
    """Draft a problem. `records`: columns that the user excludes from the inputs. `split_by`: as the user wants.

    Raises DataError for a table or a target that no model can be trained on.
    """
    where, table = sample.origin, sample.table
    check_names(table.column_names, (target, *records, *((split_by.column,) if split_by else ())), where)
    headers = repeated_headers(table)

    def profiled(column: str) -> ColumnProfile:
        if column in records:
            return profile_category(column, table.column(column))
        return profile(column, table.column(column), where, sample.decimal, column if headers else None)

    profiles = parallel_map(profiled, table.column_names)
    target_profile = next(column for column in profiles if column.name == target)
    guessed = guess_target(target_profile, table.column(target), task, where)
    others = [draft_column(column, column.name in records) for column in profiles if column.name != target]
    if not any(column.role == "input" for column in others):
        raise DataError(_no_inputs(others, where))
    classes, y = len(guessed.classes), guessed.y
    split = suggest_split(others, y, classes) if split_by is None else split_of(others, y, classes, split_by)
    others = [
        replace(c, settings=c.settings | {"missing": "reject"})
        if c.profile.name in split.columns and split.kind == "time"
        else c
        for c in others
    ]
    quick_model, leaks = _quick_model_and_leaks(others, y, classes, split)
    columns = [ColumnDraft(guessed.column, "outcome", "the target", settings=readings(guessed.column)), *others]
    order = {n: i for i, n in enumerate(table.column_names)}
    columns.sort(key=lambda column: order[column.profile.name])
    return Draft(
        name,
        sample,
        guessed,
        tuple(columns),
        split,
        quick_model,
        leaks,
        *_repeated(sample, target),
        table_doubts(sample, headers),
    )


def check_names(names: list[str], wanted: tuple[str, ...], where: str) -> None:
    """Check that column names are valid and that the wanted columns exist. Raises DataError."""
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(
            f"{where} has duplicate column names: {', '.join(map(repr, twice))}. Rename them, or give --names."
        )
    if absent := [name for name in wanted if name not in names]:
        near = difference(names, absent, missing=False)
        raise DataError(f"{where} has no column {absent[0]}\n  {near}\n  its columns are {listed(names)}")
    if long := [name for name in names if len(name) > LONGEST]:
        raise DataError(
            f"{where}: a column name has {len(long[0])} characters; at most {LONGEST} are allowed. Shorten it."
        )
    if reserved := [name for name in names if name in RESERVED and name != wanted[0]]:
        raise DataError(
            f"{where}: a column is named {reserved[0]}, which is reserved for a column that the stages add. Rename it."
        )


def _quick_model_and_leaks(
    others: list[ColumnDraft], y: Array, n_classes: int, split: SplitSuggestion
) -> tuple[QuickModel, tuple[Univariate, ...]]:
    """Fit a quick model, and search for columns that predict the target too well by themselves."""
    inputs = {
        c.profile.name: _clipped(c.profile.values) for c in others if c.role == "input" and c.profile.kind != "text"
    }
    by = next((c.profile.values for c in others if c.profile.name in split.columns and split.kind != "random"), None)
    known = np.flatnonzero(~np.isnan(y))
    learn, held_out = rows_for(known, split.kind, by)
    some = max(100, CELLS // max(1, len(inputs)) // 2)
    suspects = [one for one in univariate(inputs, y, n_classes, learn[-some:], held_out[:some]) if one.suspect]
    unsuspected = {name: values for name, values in inputs.items() if name not in {one.column for one in suspects}}
    return quick(unsuspected or inputs, y, n_classes, learn, held_out), tuple(
        sorted(suspects, key=lambda one: -one.score)
    )


def _clipped(values: Array) -> Array:
    """Numbers clipped so that sums of squares do not overflow; infinities are unchanged."""
    if values.dtype != np.float64:
        return values
    return np.where(np.isinf(values), values, np.clip(values, -LARGEST, LARGEST))


def _repeated(sample: TableSample, target: str) -> tuple[int, float]:
    """Number of rows equal to an earlier one, and share of rows equal to an earlier one but for the target."""
    table = sample.table
    if table.num_columns > 200:
        return 0, 0.0  # rows of so many columns do not repeat by chance
    others = _repeats(table.drop_columns([target])) / max(1, table.num_rows)
    return _repeats(table), others


def _repeats(table: pa.Table) -> int:
    numbered = table.rename_columns(
        [str(i) for i in range(table.num_columns)]
    )  # Arrow reads a name such as `.5` as a path
    return int(table.num_rows - numbered.group_by(numbered.column_names, use_threads=False).aggregate([]).num_rows)


def _no_inputs(others: list[ColumnDraft], where: str) -> str:
    lines = [f"  {shown(column.profile.name)}: {column.why}" for column in others[:5]]
    return "\n".join(
        [
            f"{where}: no column besides the target can be used as an input",
            *lines,
            "Give a table with columns that vary.",
        ]
    )
