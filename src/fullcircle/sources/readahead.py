"""Arrow's CSV reader over a Python file, which has stopped reading ahead when it is left."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO

from pyarrow import csv

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def csv_reader(file: BinaryIO, *options: Any) -> Iterator[csv.CSVStreamingReader]:
    """Open a reader as `csv.open_csv(file, *options)` does, and end its threads when the block ends.

    They read ahead, in Python, and a thread that is still there when the interpreter ends aborts the process: after an
    error in the first rows of a large file its exit code would be -6, not 1.
    """
    stoppable = _Stoppable(file)
    reader = None
    try:
        reader = csv.open_csv(stoppable, *options)
        yield reader
    finally:
        stoppable.stop()
        if reader is not None:
            _drain(reader)


def _drain(reader: csv.CSVStreamingReader) -> None:
    """Take the few blocks that have been read ahead. The last one is cut off, so it may be an error."""
    with suppress(Exception):
        for _ in reader:
            pass


class _Stoppable:
    """A file that another thread reads; from `stop` on, every read returns nothing."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._lock, self._stopped = file, Lock(), False

    def readable(self) -> bool:
        """Whether it can be read: Arrow requires it."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes; none once it is stopped."""
        with self._lock:
            return b"" if self._stopped else self._file.read(size)

    def stop(self) -> None:
        """End the file here; waits for the read that is under way."""
        with self._lock:
            self._stopped = True

    def close(self) -> None:
        """Nothing: the file belongs to whoever opened it."""
