"""The files of a run as plain values; one that is missing is an error that says what makes it."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import DataError
from fullcircle.core.tables import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def contents(path: Path) -> Any:
    """What a JSON file holds. Raises DataError."""
    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        raise _unread(path, error) from None


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, or of a TSV file, by its name. Raises DataError."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))
    except OSError as error:
        raise _unread(path, error) from None


def numbers(path: Path, *columns: str) -> tuple[tuple[float, ...], ...]:
    """Columns of a CSV or TSV file, row by row; a row with a null is left out. Raises DataError."""
    return _finite(rows(path), columns)


def numbers_by(path: Path, key: str, *columns: str) -> dict[str, tuple[tuple[float, ...], ...]]:
    """As `numbers`, for each value of a column `key`, in the order of the file. Raises DataError."""
    parts: dict[str, list[dict[str, str]]] = {}
    for row in rows(path):
        parts.setdefault(row[key], []).append(row)
    return {name: _finite(part, columns) for name, part in parts.items()}


def _finite(read: Sequence[dict[str, str]], columns: Sequence[str]) -> tuple[tuple[float, ...], ...]:
    values = (tuple(number(row[column]) for column in columns) for row in read)
    return tuple(row for row in values if all(map(math.isfinite, row)))


def number(text: str) -> float:
    """A number as `write_csv` writes it: null is the word None."""
    return math.nan if text in ("", "None") else float(text)


def _unread(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read ({error}). `dvc repro` makes it, `dvc pull` fetches it.")
