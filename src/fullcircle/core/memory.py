"""Memory: whether a table fits into it, told before it is read, and what becomes of memory that is free again."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from fullcircle.base.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

MEMINFO, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")
COPIES = 2  # of each value while rows are sifted: all, and those kept
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # as malloc.h has them
STRING = 57  # bytes of a Python string besides its characters


def keep_freed() -> None:
    """Let freed memory stay with this process for its next array, for of new memory every page costs a fault.

    It is a setting of glibc's allocator; where there is another nothing changes.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(TRIM_THRESHOLD, 2**31 - 1)
        library.mallopt(MMAP_THRESHOLD, 2**25)  # its largest


def check_memory(table: str, files: Iterable[Path]) -> None:
    """Refuse a table that would need more memory than there is: the system kills what does not fit without a word.

    Raises DataError, naming it.
    """
    try:
        metadata = [pq.read_metadata(file) for file in files]
    except (OSError, pa.ArrowInvalid):
        return  # whoever reads it says what is wrong
    needed, there = sum(map(needed_by, metadata)), available()
    if there is not None and needed > there:
        rows, columns = sum(m.num_rows for m in metadata), metadata[0].num_columns
        raise DataError(
            f"{table}: {rows:,} rows of {columns} columns need about {needed / 2**30:.1f} GiB of memory, and "
            f"{there / 2**30:.1f} are free. Take fewer rows (a query, an as_of), leave out columns that are not learnt "
            "from (above all free text), or run on a larger machine."
        )


def needed_by(file: pq.FileMetaData) -> int:
    """Bytes that the columns of a Parquet file take as NumPy arrays, by its metadata alone; never much too few.

    A number takes 8 bytes a row; so does a text, which besides takes its characters and a string, once a level. A
    column chunk is no smaller than its levels, so that it tells how many there can be.
    """
    total = 0
    text = [pa.types.is_string(kind) for kind in file.schema.to_arrow_schema().types]
    for i in range(file.num_row_groups):
        group = file.row_group(i)
        total += group.num_rows * len(text) * 8 * COPIES
        for size in (group.column(c).total_uncompressed_size for c, is_text in enumerate(text) if is_text):
            total += size + STRING * min(group.num_rows, size // 5)  # 4 bytes say a text's length, one it has
    return total


def available() -> int | None:
    """Free bytes of memory: of the machine, or less where a control group allows less. None where nobody says."""
    found = []
    if MEMINFO.is_file():
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines() if ":" in line)
        found += [int(lines[key].split()[0]) * 1024 for key in ("MemAvailable",) if key in lines]
    limit, used = GROUP / "memory.max", GROUP / "memory.current"
    if limit.is_file() and used.is_file() and (most := limit.read_text().strip()).isdigit():
        found.append(int(most) - int(used.read_text()))
    return min(found) if found else None
