"""Memory: whether a table fits into it, checked before the table is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from fullcircle.base.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

MEMINFO, GROUP, OWN = Path("/proc/meminfo"), Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
COPIES = 2  # of each value while rows are cleaned: all rows, and those kept
STRING = 57  # bytes of a Python string besides its characters


def check_memory(table: str, files: Iterable[Path]) -> None:
    """Check that the Parquet `files` of a table fit into free memory: else the system kills the process, silently.

    Raises DataError, naming the table.
    """
    try:
        metadata = [pq.read_metadata(file) for file in files]
    except (OSError, pa.ArrowInvalid):
        return  # reading the table will report what is wrong
    needed, there = sum(map(needed_by, metadata)), available()
    if there is not None and needed > there:
        rows, columns = sum(m.num_rows for m in metadata), metadata[0].num_columns
        raise DataError(
            f"{table}: {rows:,} rows of {columns} columns need about {needed / 2**30:.1f} GiB of memory, and "
            f"{there / 2**30:.1f} are free. Take fewer rows (a query, an as_of), leave out columns that the model does "
            "not use (above all free text), or run on a larger machine."
        )


def needed_by(file: pq.FileMetaData) -> int:
    """Bytes that the columns of a Parquet file take as NumPy arrays, estimated from its metadata; never much too few.

    A number takes 8 bytes per row. So does a text, plus its characters and a Python string once per level; the size of
    a column chunk bounds the number of its levels.
    """
    total = 0
    text = [pa.types.is_string(kind) for kind in file.schema.to_arrow_schema().types]
    for i in range(file.num_row_groups):
        group = file.row_group(i)
        total += group.num_rows * len(text) * 8 * COPIES
        for size in (group.column(c).total_uncompressed_size for c, is_text in enumerate(text) if is_text):
            total += size + STRING * min(group.num_rows, size // 5)  # a length in 4 bytes, and a character
    return total


def available() -> int | None:
    """Free bytes of memory: of the machine, or less where a control group allows less. None if unknown."""
    found = []
    if MEMINFO.is_file():
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines() if ":" in line)
        found += [int(lines[key].split()[0]) * 1024 for key in ("MemAvailable",) if key in lines]
    for group in groups():
        limit, used = _read(group.folder / group.limit), _read(group.folder / group.used)
        if limit.isdigit() and used.isdigit():  # without a limit v2 has `max`, and v1 a huge number
            cached = _value(group.folder / "memory.stat", group.cached)
            found.append(int(limit) - int(used) + cached)
    return min(found) if found else None


def kills() -> int:
    """How many processes of this one's control groups were killed for lack of memory, since the groups were made."""
    return max((_value(group.folder / group.events, "oom_kill") for group in groups()), default=0)


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """A control group that may limit memory: its folder, and the names of its files, of version 1 or 2.

    `cached`: key in memory.stat of what is only cached from files, and given back when it is needed.
    """

    folder: Path
    limit: str
    used: str
    events: str
    cached: str


def groups() -> list[ControlGroup]:
    """The control groups of this process that concern memory, and those above them: each may have a limit."""
    v2 = ("memory.max", "memory.current", "memory.events", "inactive_file")
    v1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.oom_control", "total_inactive_file")
    found = {GROUP: v2, GROUP / "memory": v1}
    for line in _read(OWN).splitlines():
        _, controllers, path = line.split(":", 2)
        base, files = (GROUP, v2) if not controllers else (GROUP / "memory", v1)
        if not controllers or "memory" in controllers.split(","):
            folder = base / path.strip("/")
            found |= {each: files for each in (folder, *folder.parents) if each.is_relative_to(base)}
    return [ControlGroup(folder, *files) for folder, files in found.items() if (folder / files[0]).is_file()]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _value(file: Path, key: str) -> int:
    """The number that follows a key in a file of one key per line; 0 where there is none."""
    numbers = dict(line.split(None, 1) for line in _read(file).splitlines() if len(line.split()) == 2)
    return int(numbers.get(key, 0))
