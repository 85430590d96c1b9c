"""The exceptions of the project: each message states what, where, how many, an example, and what to do."""

from __future__ import annotations

import difflib
import errno
import os
import reprlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class FullCircleError(Exception):
    """Base of all exceptions that this project raises on purpose."""


class ConfigError(FullCircleError):
    """A configuration value that is unknown, of the wrong type or out of range."""


class SourceError(FullCircleError):
    """A source of data that cannot be read, or does not match its pinned version or hash."""


class DataError(FullCircleError):
    """Data that does not match the problem."""


class ParityError(FullCircleError):
    """Scorer and estimator disagree."""


class BundleError(FullCircleError):
    """A packaged model that is damaged, or of a format this version does not read."""


class UnavailableError(FullCircleError):
    """Something outside that does not answer now, and may do so later, such as a database."""


ADVICE = {
    errno.ENOSPC: "make room, and run it again",
    errno.EDQUOT: "make room, and run it again",
    errno.EFBIG: "the limit of file sizes is reached; raise it (ulimit -f), and run it again",
    errno.EACCES: "change its permissions, or those of its folder",
    errno.EPERM: "change its permissions, or those of its folder",
    errno.EROFS: "write to another place",
    errno.EISDIR: "a folder is where a file should be; move it away",
    errno.ENOTDIR: "a file is where a folder should be; move it away",
    errno.ENOTEMPTY: "a folder is where a file should be; move it away",
    errno.EEXIST: "something is there already; move it away",
    errno.ENOENT: "it is not there; run it in the root of the repository",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
    errno.EIO: "the disk, or the connection to it, is faulty",
}
"""Errors of the system that a user can do something about -> what."""


def system_message(error: OSError) -> str | None:
    """An error of the system in one line, with its path and what to do; None for one that is no fault of the system.

    >>> print(system_message(FileNotFoundError(errno.ENOENT, "No such file or directory", "conf/config.yaml")))
    conf/config.yaml: No such file or directory (it is not there; run it in the root of the repository)
    """
    if error.errno not in ADVICE:
        return None
    named = [str(name) for name in (error.filename2, error.filename) if name is not None]
    where = next((name for name in named if not name.endswith(".part")), named[0] if named else "a file")
    return f"{where}: {os.strerror(error.errno)} ({ADVICE[error.errno]})"


LONG = 60  # characters of a name in a message
SHOWN = 10  # names in a message; the others are counted
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 3, 80, 80


def shortened(value: object) -> str:
    """A value as Python writes it, with its middle left out where it is long or deep.

    >>> shortened("distance"), len(shortened("x" * 10_000))
    ("'distance'", 80)
    """
    return _SHORT.repr(value)


def listed(names: Sequence[str], shown: int = SHOWN) -> str:
    """Names with commas; of many, the first, and how many others there are.

    >>> listed(["a", "b", "c"], shown=2), listed(["a", "b"])
    ('a, b and 1 more', 'a, b')
    """
    more = len(names) - shown
    first = ", ".join(name if len(name) <= LONG else f"{name[:LONG]}…" for name in names[:shown])
    return f"{first} and {more:,} more" if more > 0 else first


def first_lines(lines: Sequence[str], shown: int = SHOWN) -> str:
    """Lines of a message; of many, the first, and how many others there are."""
    more = len(lines) - shown
    return "\n".join([*lines[:shown], *([f"  and {more:,} more"] if more > 0 else [])])


def difference(wanted: Iterable[str], got: Iterable[str], what: str = "column", *, missing: bool = True) -> str | None:
    """Describe how the names `got` differ from the names `wanted`; None if they are equal, in any order.

    Lists missing names (omitted with `missing=False`) and unknown names, each with the most similar wanted name. Of
    many it lists the first ones, and counts the others.

    >>> print(difference(["carrier", "distance", "temp"], ["carrier", "distanse", "gate"]))
    missing columns: distance, temp
      unknown column: distanse (did you mean distance?)
      unknown column: gate
    >>> difference(["carrier", "distance"], ["distance", "carrier"]) is None
    True
    """
    wanted, got = dict.fromkeys(wanted), dict.fromkeys(got)
    absent = [name for name in wanted if name not in got]
    unknown = [name for name in got if name not in wanted]
    lines = [f"missing {what}s: {listed(absent)}"] if missing and absent else []
    for name in unknown[:SHOWN]:
        near = difflib.get_close_matches(name[:LONG], absent or wanted, n=1)
        lines.append(f"unknown {what}: {listed([name])}" + (f" (did you mean {near[0]}?)" if near else ""))
    if len(unknown) > SHOWN:
        lines.append(f"and {len(unknown) - SHOWN:,} more unknown {what}s")
    return "\n  ".join(lines) or None
