"""Memory: whether a table fits into it, checked before the table is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from fullcircle.base.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

MEMINFO, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
LIMITS = (
    ("memory.max", "memory.current"),  # control groups v2
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),  # v1, whose limit is huge where there is none
)
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
    for limit, used in ((GROUP / limit, GROUP / used) for limit, used in LIMITS):
        if limit.is_file() and used.is_file() and (most := limit.read_text().strip()).isdigit():
            found.append(int(most) - int(used.read_text()))
    return min(found) if found else None
