"""Arrow's CSV reader over a Python file, with no thread of it left in Python when the reader is left."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO
from weakref import ref

from pyarrow import csv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

PATIENCE = 1.0  # seconds; what is not released by then is not in use


@contextmanager
def csv_reader(file: BinaryIO, *options: Any) -> Iterator[Reader]:
    """Open a reader as `csv.open_csv(file, *options)` does, and end its threads when the block ends.

    They read ahead, in Python, and a thread that is still there when the interpreter ends aborts the process: after an
    error in the first rows of a large file its exit code would be -6, not 1.
    """
    lent = _Lent(file)
    reader = None
    try:
        reader = Reader(csv.open_csv(lent, *options))
        yield reader
    finally:
        lent.stop()
        if reader is not None:
            reader.release()
        lent.wait()


class Reader:
    """The record batches of a CSV file, and their `schema`."""

    def __init__(self, reader: csv.CSVStreamingReader) -> None:
        self._reader: Iterable[pa.RecordBatch] = reader
        self.schema: pa.Schema = reader.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from self._reader

    def release(self) -> None:
        """Take what was read ahead of a file that has been stopped (the last block is cut off), and drop the reader."""
        with suppress(Exception):
            for _ in self._reader:
                pass
        self._reader = ()


class _Block(bytearray):
    """Bytes that are lent to Arrow; a weak reference shows whether they are released."""


class _Lent:
    """A file that is lent to Arrow's threads. From `stop` on, every read returns nothing."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._lock, self._stopped = file, Lock(), False
        self._blocks: list[ref[_Block]] = []

    def readable(self) -> bool:
        """Whether it can be read: Arrow requires it."""
        return True

    def read(self, size: int = -1) -> bytearray:
        """The next bytes; none once it is stopped."""
        with self._lock:
            block = _Block(b"" if self._stopped else self._file.read(size))
            self._blocks = [one for one in self._blocks if one() is not None] + [ref(block)]
            return block

    def stop(self) -> None:
        """End the file here; waits for the read that is under way."""
        with self._lock:
            self._stopped = True

    def wait(self) -> None:
        """Wait until Arrow's threads have released every block, which they do in Python."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and any(one() is not None for one in self._blocks):
            time.sleep(0.001)

    def close(self) -> None:
        """Nothing: the file belongs to whoever opened it."""
