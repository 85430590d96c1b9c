"""The ways to split, typed, and the draw by hash behind them: where a row goes depends only on its values."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import numpy as np

from fullcircle.base.columns import is_null, rows
from fullcircle.core.target import TargetDistribution

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Train before `validation_from`, validation before `test_from`, test from then on; compared column by column.

    A border is a number where the column is one, a date or time as ISO 8601 text where the column is a time, and text
    where it is text, in alphabetical order.
    """

    kind: Literal["time"]
    columns: tuple[str, ...]
    validation_from: tuple[float | str, ...]
    test_from: tuple[float | str, ...]

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("columns: name the columns that order rows in time, in problem.time")
        if not len(self.columns) == len(self.validation_from) == len(self.test_from):
            raise ValueError(f"validation_from and test_from each need a value for {', '.join(self.columns)}")
        borders = list(zip(self.validation_from, self.test_from, strict=True))
        if any(isinstance(first, str) != isinstance(second, str) for first, second in borders):
            raise ValueError("validation_from and test_from must both be numbers, or both be text")
        if self.validation_from >= self.test_from:
            raise ValueError(f"test_from {self.test_from} must come after validation_from {self.validation_from}")


@dataclass(frozen=True, slots=True)
class RandomSplit:
    """By a hash of `columns` (none: all but the target). Shares of all rows: 0..1, their sum below 1.

    `duplicates`: what rows with equal hashed columns are: `copies` of one row, which stay together, or `independent`.
    """

    kind: Literal["random"]
    columns: tuple[str, ...]
    validation: float
    test: float
    salt: str
    duplicates: Literal["copies", "independent"] = "copies"

    RENAMED: ClassVar[dict[str, str]] = {"alike": "duplicates (together is now copies, apart is independent)"}

    def __post_init__(self) -> None:
        _check_shares(self.validation, self.test)


@dataclass(frozen=True, slots=True)
class GroupSplit:
    """By a hash of `columns`, so that all rows of a group are on one side. Shares of groups: 0..1, sum below 1."""

    kind: Literal["group"]
    columns: tuple[str, ...]
    validation: float
    test: float
    salt: str

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("columns: name those whose equal values keep rows together, in problem.together")
        _check_shares(self.validation, self.test)


Split: TypeAlias = TimeSplit | RandomSplit | GroupSplit


@dataclass(frozen=True, slots=True)
class SplitReport:
    """What `split` writes to reports/split.json. `columns`: those that the split goes by; empty: all."""

    kind: str
    columns: tuple[str, ...]
    train: TargetDistribution
    validation: TargetDistribution
    test: TargetDistribution


def _check_shares(validation: float, test: float) -> None:
    if not (validation > 0 and test > 0 and validation + test < 1):
        raise ValueError(f"validation {validation:g} and test {test:g} must be above 0, and leave rows to train on")


def drawn_by(labelled: Columns, config: RandomSplit | GroupSplit) -> list[Array]:
    """The columns whose values place a row: those of the split, or all that it has, in alphabetical order.

    Rows to be drawn independently also have their target, and a number that distinguishes rows equal in all columns.
    """
    columns = [labelled[name] for name in config.columns or sorted(labelled.keys() - {"target"})]
    if isinstance(config, GroupSplit) or config.duplicates == "copies":
        return columns
    columns.append(labelled["target"])
    met: Counter[tuple[Any, ...]] = Counter()
    number = np.empty(rows(labelled))
    for i, row in enumerate(zip(*(_hashable(column) for column in columns), strict=True)):
        number[i], met[row] = met[row], met[row] + 1
    return [*columns, number]


def _hashable(column: Array) -> list[Any]:
    """Its values; nulls, which equal nothing, as None."""
    return [None if null else value for value, null in zip(column.tolist(), is_null(column), strict=True)]


def drawn(columns: list[Array], salt: str) -> Array:
    """A number in [0, 1) per row that depends only on its values and the salt (BLAKE2b)."""
    keys = [repr((salt, *values)).encode() for values in zip(*(column.tolist() for column in columns), strict=True)]
    hashes = [int.from_bytes(hashlib.blake2b(key, digest_size=6).digest(), "big") for key in keys]
    return np.array(hashes, dtype=float) / 2**48


def folds(labelled: Columns, config: RandomSplit | GroupSplit, count: int, n_classes: int) -> Array:
    """A fold, 0 to count - 1, for each row of training and validation: whole groups, or equally many of each class.

    By the order of their hashes, so that the order of the rows does not matter. Duplicates are in one fold, as they
    are on one side of the split.
    """
    at, group = np.unique(drawn(drawn_by(labelled, config), f"{config.salt} folds"), return_inverse=True)
    stratum = np.zeros(len(at))
    if n_classes and isinstance(config, RandomSplit):
        np.maximum.at(stratum, group, labelled["target"])  # of duplicates, the last class
    fold = np.empty(len(at), np.int64)
    fold[np.lexsort((at, stratum))] = np.arange(len(at)) % count
    return np.asarray(fold[group])
