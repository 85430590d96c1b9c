"""A journal that several processes append to and read: each line that was written whole is read by all, once, in order.

`events-000001.jsonl`, `events-000002.jsonl`, ...: when one has grown long, whoever notices writes down what all of it
amounts to (`state-000002.npz`, the state before the second file) and begins the next.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from ..base.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LARGEST = 32 * 2**20  # bytes of one file
_LAST = b"next\n"  # the last line of a file that another one follows


class Journal:
    """One reader and writer of a folder's journal, in one process; threads must not share it."""

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock_file = (folder / "lock").open("ab")
        except OSError as error:
            raise ConfigError(f"the state cannot be kept in {folder}: {error.strerror}") from None
        self.folder, self._largest = folder, largest
        self.number = max([1, *(int(file.stem[-6:]) for file in folder.glob("events-*.jsonl"))])
        self._file = self._opened(self.number)
        self._file.seek(0)
        self._rest = b""  # of a line that is not complete yet

    @property
    def snapshot(self) -> Path:
        """The state before the first line of the current file; not there before the first file is full."""
        return self.folder / f"state-{self.number:06}.npz"

    def _opened(self, number: int) -> BinaryIO:
        return (self.folder / f"events-{number:06}.jsonl").open("a+b", buffering=0)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the folder."""
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)

    def new_lines(self) -> Iterator[bytes]:
        """The lines that any process appended since the last call. One that is not complete is left for later."""
        while True:
            if os.fstat(self._file.fileno()).st_size == self._file.tell():
                return
            lines = (self._rest + self._file.read()).split(b"\n")
            self._rest = lines.pop()
            for line in lines:
                if line + b"\n" == _LAST:
                    self._follow()
                    break
                yield line
            else:
                return

    def _follow(self) -> None:
        """Go on with the next file."""
        self._file.close()
        self.number += 1
        self._file, self._rest = self._opened(self.number), b""
        self._file.seek(0)

    def append(self, line: bytes, catch_up: Callable[[], None], save: Callable[[Path], None]) -> None:
        """Append a line, then read it by `catch_up`, as every other process does. Returns when it is in the file.

        `save` writes what all lines so far amount to, when the file is full.
        """
        with self.locked():
            catch_up()
            broken = b"\n" if self._rest else b""  # of a process that was killed while it wrote
            self._file.write(broken + line + b"\n")
            catch_up()
            if self._file.tell() > self._largest:
                self._turn(save)

    def _turn(self, save: Callable[[Path], None]) -> None:
        """Begin another file; the one before the last is not needed by a reader that is behind by one."""
        following = self.number + 1
        save(self.folder / f"state-{following:06}.npz")
        self._opened(following).close()
        self._file.write(_LAST)
        list(self.new_lines())
        for kind, ending in (("events", "jsonl"), ("state", "npz")):
            for file in self.folder.glob(f"{kind}-*.{ending}"):
                if int(file.stem[-6:]) < following - (kind == "events"):
                    file.unlink(missing_ok=True)

    def close(self, save: Callable[[Path], None], catch_up: Callable[[], None]) -> None:
        """Write down what the lines amount to, so that the next start need not read them."""
        with self.locked():
            catch_up()
            if self._file.tell():
                self._turn(save)
        self._file.close()
        self._lock_file.close()
