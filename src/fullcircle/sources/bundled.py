"""bundled: CSV files that an installed package ships."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from fullcircle.base.errors import SourceError
from fullcircle.sources.csvfile import header, read_csv
from fullcircle.sources.errors import source_errors
from fullcircle.sources.filesystem import Place, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fullcircle.base.checks import Column
    from fullcircle.base.dialect import Dialect
    from fullcircle.core.source import Bundled


def read(source: Bundled, columns: dict[str, Column] | None) -> tuple[Iterator[pa.RecordBatch], str]:
    """Batches of the file, without importing its package. Raises SourceError if the version is not the pinned one."""
    name = f"{source.package} {source.version}"
    try:
        distribution = metadata.distribution(source.package)
    except metadata.PackageNotFoundError:
        raise SourceError(f"{name} is not installed. `make install` installs the packages in uv.lock.") from None
    if distribution.version != source.version:
        raise SourceError(
            f"{source.package} {distribution.version} is installed, but the problem pins {source.version}. "
            "Pin the new version in the problem's sources to take the new data on purpose."
        )
    files = (source.file, *source.beside)
    paths = [Path(str(distribution.locate_file(file))) for file in files]
    for file, path in zip(files, paths, strict=True):
        if not path.is_file():
            raise SourceError(f"{name} has no file {file}.")
    places = [f"{name}: {file}" for file in files]
    dialects = [source.dialect] if len(paths) == 1 else _shared(source.dialect, paths, places, columns)
    parts = [_batches(p, d, w, columns) for p, d, w in zip(paths, dialects, places, strict=True)]
    return parts[0] if len(parts) == 1 else _side_by_side(parts, places), f"{name}, {', '.join(files)}"


def _batches(path: Path, dialect: Dialect, where: str, columns: dict[str, Column] | None) -> Iterator[pa.RecordBatch]:
    of_file = (
        columns if columns is None or not dialect.names else {n: columns[n] for n in dialect.names if n in columns}
    )
    with source_errors(where):
        yield from read_csv(partial(opened, str(path), Place()), dialect, where, of_file)


def _shared(dialect: Dialect, paths: list[Path], places: list[str], columns: dict[str, Column] | None) -> list[Dialect]:
    """A dialect per file: without a header, the column names are distributed over the files in order."""
    names = list(dialect.names or (() if dialect.header or columns is None else columns))
    if not names:
        return [dialect] * len(paths)
    counts = [len(header(partial(opened, str(p), Place()), dialect, w)) for p, w in zip(paths, places, strict=True)]
    if sum(counts) != len(names):
        raise SourceError(f"{', '.join(places)} have {sum(counts)} columns in total, but {len(names)} names are given")
    ends = [sum(counts[: i + 1]) for i in range(len(counts))]
    return [replace(dialect, names=tuple(names[e - c : e])) for c, e in zip(counts, ends, strict=True)]


def _side_by_side(parts: list[Iterator[pa.RecordBatch]], places: list[str]) -> Iterator[pa.RecordBatch]:
    """Batches with the columns of all parts, row by row. Raises SourceError if the parts differ in length."""
    held: list[pa.RecordBatch | None] = [None] * len(parts)
    rows = 0
    while True:
        for i, part in enumerate(parts):
            batch = held[i]
            if batch is None or not batch.num_rows:
                held[i] = next((batch for batch in part if batch.num_rows), None)
        here = [batch for batch in held if batch is not None]
        if not here:
            return
        if len(here) < len(held):
            short = places[held.index(None)]
            raise SourceError(f"{short} ends after {rows:,} rows, but another file has more")
        count = min(batch.num_rows for batch in here)
        cut = [batch.slice(0, count) for batch in here]
        names = [name for batch in cut for name in batch.schema.names]
        yield pa.RecordBatch.from_arrays([array for batch in cut for array in batch.columns], names)
        held, rows = [batch.slice(count) for batch in here], rows + count
