"""The journal of a sweep: lines of JSON that are only appended, so that a killed sweep loses no finished trial."""

from __future__ import annotations

import fcntl
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Journal:
    """Records of a sweep, each a mapping of one key, such as `trial`."""

    path: Path

    def records(self, key: str) -> list[Any]:
        """The values of all records with this key, in the order in which they were written. Raises ConfigError."""
        if not self.path.is_file():
            return []
        try:
            lines = [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
            return [line[key] for line in lines if key in line]
        except (ValueError, TypeError) as error:
            raise ConfigError(
                f"{self.path} is damaged: {error}. Start the sweep over with --fresh, or give it another sweep.name"
            ) from None

    def append(self, key: str, value: Any) -> None:
        """Write a record at once."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({key: value}, allow_nan=False) + "\n")


@contextmanager
def journal_at(path: Path, *, fresh: bool) -> Iterator[Journal]:
    """Lock and open the journal of a sweep; `fresh`: empty it. Raises ConfigError if another process has the lock.

    The lock is the system's: it ends with its process, however that ends. An incomplete last line (full disk, killed
    process) is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"the sweep of {path.parent} is already running; give this one another sweep.name"
            ) from None
        file.seek(0)
        file.truncate(0 if fresh else file.read().rfind(b"\n") + 1)
        yield Journal(path)
