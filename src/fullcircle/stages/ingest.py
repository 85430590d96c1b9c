"""ingest: sources -> raw tables as Parquet, and a manifest of what was read."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fullcircle import sources
from fullcircle.base.errors import ConfigError, DataError, SourceError, difference
from fullcircle.base.typed import plain
from fullcircle.core import paths
from fullcircle.core.config import load, load_file
from fullcircle.core.data import Data, Table
from fullcircle.core.folders import replacing_folder
from fullcircle.core.manifest import Part, RawTable
from fullcircle.core.progress import doing
from fullcircle.core.source import Bundled, Source
from fullcircle.core.stage import run
from fullcircle.core.tables import read_typed, write_batches, write_json
from fullcircle.sources import snapshots
from fullcircle.sources.raw import check_raw, schema_raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from fullcircle.core.source import File, Http, Sql


def ingest(source: Source, spec: Table, name: str, old: Path, new: Path, before: RawTable | None) -> RawTable:
    """Read one source into the folder `new`, checked against its table's schema; return its entry in the manifest.

    `old`: the folder of the last run, `before`: the table's entry in its manifest; mode append keeps its parts.
    Raises SourceError and DataError, naming the table.
    """
    try:
        if isinstance(source, Bundled) or source.mode == "full":
            return _whole(source, spec, name, new / paths.raw(name).name)
        return _appended(source, spec, name, old / paths.raw_parts(name).name, new / paths.raw_parts(name).name, before)
    except SourceError as error:
        raise SourceError(f"{name}: {error}") from None


def _whole(source: Source, spec: Table, name: str, file: Path) -> RawTable:
    reading = sources.read(source, spec)
    batches = check_raw(reading.batches, spec, f"{name} ({reading.origin})")
    rows = write_batches(file, schema_raw(spec), shown(batches, name))
    return RawTable(reading.origin, rows, digest(file), snapshots.schema_of(schema_raw(spec)))


def _appended(
    source: File | Sql | Http, spec: Table, name: str, old: Path, new: Path, before: RawTable | None
) -> RawTable:
    new.mkdir()
    schema = schema_raw(spec)
    parts = snapshots.earlier(before, source, schema, old)
    for part in parts:
        if not (old / part.file).is_file() or digest(old / part.file) != part.sha256:
            raise SourceError(
                f"the snapshot {old / part.file} is not what was read. `dvc checkout data/raw` restores it."
            )
        _link(old / part.file, new / part.file)
    if not parts or parts[-1].as_of != source.as_of:
        parts = (*parts, _next_part(source, spec, name, new, parts))
    total = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    rows = sum(part.rows for part in parts)
    request = snapshots.request_of(source)
    return RawTable(parts[-1].origin, rows, total, snapshots.schema_of(schema), request, parts)


def _next_part(source: File | Sql | Http, spec: Table, name: str, folder: Path, parts: tuple[Part, ...]) -> Part:
    last = parts[-1].watermark if parts else None
    past = None
    if source.watermark is not None:
        past = snapshots.Past(source.watermark, spec, last)
    reading = sources.read(source, spec, past.last if past else None)
    batches = reading.batches if past is None else past(reading.batches)
    # After the first snapshot it is no error if nothing is new.
    checked = check_raw(batches, spec, f"{name} ({reading.origin})", may_be_empty=past is not None and bool(parts))
    part = Part(as_of=source.as_of or "", rows=0, sha256="", origin=reading.origin)
    rows = write_batches(folder / part.file, schema_raw(spec), shown(checked, name))
    watermark = snapshots.written(past.last) if past else None
    return replace(part, rows=rows, sha256=digest(folder / part.file), watermark=watermark)


def _link(old: Path, new: Path) -> None:
    try:
        os.link(old.resolve(), new)
    except OSError:  # another file system, or one without links
        shutil.copyfile(old, new)


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def shown(batches: Iterator[pa.RecordBatch], name: str) -> Iterator[pa.RecordBatch]:
    """Yield the batches, and show how many rows there are so far."""
    rows = 0
    doing(f"reading {name}")
    for batch in batches:
        rows += batch.num_rows
        doing(f"reading {name}, {rows:,} rows")
        yield batch


def earlier(named: Iterable[Source]) -> dict[str, RawTable]:
    """The manifest of the last run; empty if there is none, or if it is damaged and no source needs it.

    Raises DataError where a source in mode append needs a damaged one: it says which snapshots there are.
    """
    if not paths.RAW_MANIFEST.is_file():
        return {}
    try:
        return read_typed(dict[str, RawTable], paths.RAW_MANIFEST)
    except (ConfigError, DataError) as error:
        if any(getattr(source, "mode", "full") == "append" for source in named):
            raise DataError(
                f"{paths.RAW_MANIFEST} is damaged, and snapshots (mode: append) need it. `dvc checkout --force "
                f"{paths.RAW}` brings back the last complete one. {error}"
            ) from None
        return {}


def main() -> None:
    """Read every source into a new folder that then replaces the old one: complete or failed, never in part."""
    specs = load_file(Data, Path(load(str, "problem.data"))).tables
    named = load(dict[str, Source], "problem.sources")
    if differs := difference(specs, named, "table", missing=False):
        raise ConfigError(f"problem.sources: {differs}. conf/data/ describes {', '.join(specs)}.")
    with replacing_folder(paths.RAW) as fresh:  # before the old manifest is read: it may put the old folder back
        before = earlier(named.values())
        entries = {n: ingest(s, specs[n], n, paths.RAW, fresh, before.get(n)) for n, s in named.items()}
        write_json(fresh / paths.RAW_MANIFEST.name, plain(entries))


if __name__ == "__main__":
    run("ingest", main)
