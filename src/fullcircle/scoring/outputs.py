"""The two files that scoring writes: predictions, and rows that were set aside. What is read is never written over."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

from ..base.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import TextIO


def rejected_path(out: Path) -> Path:
    """Where the rows that are set aside go: `answers.csv` -> `answers.rejected.csv`."""
    return out.with_name(f"{out.stem}.rejected{out.suffix}")


def check_files(sources: Sequence[Path], out: Path, bundle: Path) -> None:
    """Refuse files that cannot be read twice, and an output that is no file or that takes the place of what is read.

    `sources`: all files that are read. Raises DataError, before any of them is opened.
    """
    for source in sources:
        if source.exists() and not source.is_file() and not source.is_dir():
            raise DataError(f"{source} is a pipe or a device, and it is read more than once: write it to a file first")
    if out.is_dir():
        raise DataError(f"{out} is a folder: name a file to write to, such as {out / 'predictions.csv'}")
    for path in (out, rejected_path(out)):
        _check_output(path, sources, bundle)
    folder = next(folder for folder in out.absolute().parents if folder.exists())
    if not folder.is_dir():
        raise DataError(f"{out} cannot be written: {folder} is no folder")


def _check_output(path: Path, sources: Sequence[Path], bundle: Path) -> None:
    if path.exists() and not path.is_file():
        raise DataError(f"{path} is a folder, a pipe or a device: name a file to write to")
    for source in sources:
        if _is_same(path, source):
            raise DataError(f"{path} would take the place of {source}, which is read: name another output")
    if path.resolve().is_relative_to(bundle.resolve()):
        raise DataError(f"{path} is inside the bundle {bundle}, which would be damaged: name another output")


def _is_same(first: Path, second: Path) -> bool:
    if first.exists() and second.exists():
        return first.samefile(second)
    return first.resolve() == second.resolve()


class RowWriter:
    """Writes rows as CSV, a line break at the end of each, and cells with a line break of any kind in quotes."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        # The writer quotes a line break that its own line ends have: both kinds, so that no cell ends a row.
        self._writer = csv.writer(self, lineterminator="\r\n")

    def write(self, line: str) -> None:
        """Take a line of the writer."""
        self._file.write(line[:-2] + "\n")

    def row(self, cells: Sequence[Any]) -> None:
        """Write a row."""
        self._writer.writerow(cells)
