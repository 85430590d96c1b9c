"""The files of a run as plain values; one that is missing is an error that says what makes it."""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, Any

from fullcircle.core.tables import read_json
from fullcircle.runtime.errors import DataError

if TYPE_CHECKING:
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
    read = (tuple(number(row[column]) for column in columns) for row in rows(path))
    return tuple(row for row in read if all(map(math.isfinite, row)))


def number(text: str) -> float:
    """A number as `write_csv` writes it: null is the word None."""
    return math.nan if text in ("", "None") else float(text)


def _unread(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read ({error}). `dvc repro` makes it, `dvc pull` fetches it.")
