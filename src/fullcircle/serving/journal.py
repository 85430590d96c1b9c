"""A journal that several processes append to and read: each line that was written whole is read by all, once, in order.

`events-000001.jsonl`, `events-000002.jsonl`, ...: when one has grown long, whoever notices writes down what all of it
amounts to (`state-000002.npz`, the state before the second file) and begins the next.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..base.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LARGEST = 32 * 2**20  # bytes of one file
_LAST = b"next"  # the last line of a file that another one follows


class Journal:
    """One reader and writer of a folder's journal, in one process; threads must not share it."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = (folder / "lock").open("ab")
        except OSError as error:
            raise ConfigError(f"the state cannot be kept in {folder}: {error.strerror}") from None
        self.folder, self._largest = folder, largest
        self._open(self._latest())

    def _latest(self) -> int:
        return max([1, *(int(file.stem[-6:]) for file in self.folder.glob("events-*.jsonl"))])

    def _open(self, number: int) -> None:
        self.number, self._read = number, 0  # bytes that were read
        self._rest = b""  # of a line that is not complete yet
        self._file = self._path(number).open("a+b", buffering=0)

    def _path(self, number: int) -> Path:
        return self.folder / f"events-{number:06}.jsonl"

    def snapshot(self, number: int | None = None) -> Path:
        """The state before the first line of a file, by default of the current one; the first file has none."""
        return self.folder / f"state-{self.number if number is None else number:06}.npz"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the folder."""
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def new_lines(self, restart: Callable[[], None]) -> Iterator[bytes]:
        """The lines that any process appended since the last call. One that is not complete is left for later.

        `restart` is called where files went by unread, before the lines that follow: it begins with the snapshot.
        """
        while (size := os.fstat(self._file.fileno()).st_size) > self._read:
            found = os.pread(self._file.fileno(), size - self._read, self._read)
            self._read += len(found)
            *lines, self._rest = (self._rest + found).split(b"\n")
            follows = bool(lines) and lines[-1] == _LAST
            yield from lines[:-1] if follows else lines
            if follows:
                self._file.close()
                following = self.number + 1
                there = self._path(following).exists()
                self._open(following if there else self._latest())
                if not there:
                    restart()

    def append(self, line: bytes, catch_up: Callable[[], None], save: Callable[[Path], None]) -> None:
        """Append a line, then read it by `catch_up`, as every other process does. Returns when it is in the file.

        `save` writes what all lines so far amount to, when the file is full.
        """
        with self.locked():
            catch_up()
            broken = b"\n" if self._rest else b""  # left by a process that was killed while it wrote
            self._write(broken + line + b"\n")
            catch_up()
            if self._read > self._largest:
                self._turn(save)

    def _write(self, data: bytes) -> None:
        written = 0
        while written < len(data):
            written += os.write(self._file.fileno(), data[written:])

    def _turn(self, save: Callable[[Path], None]) -> None:
        """Begin another file. The one before it stays, for readers that are behind."""
        following = self.number + 1
        save(self.snapshot(following))
        self._path(following).touch()
        self._write(_LAST + b"\n")
        self._file.close()
        self._open(following)
        for file in self.folder.glob("events-*.jsonl"):
            if int(file.stem[-6:]) < following - 1:
                file.unlink(missing_ok=True)
        for file in self.folder.glob("state-*.npz"):
            if int(file.stem[-6:]) < following:
                file.unlink(missing_ok=True)

    def close(self, catch_up: Callable[[], None], save: Callable[[Path], None]) -> None:
        """Write down what the lines amount to, so that the next start need not read them."""
        with self.locked():
            catch_up()
            if self._read:
                self._turn(save)
        self.release()

    def release(self) -> None:
        """Close the files."""
        self._file.close()
        self._lock_file.close()
