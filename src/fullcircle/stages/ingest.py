"""ingest: sources -> raw tables as Parquet, and a manifest of what was read."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from fullcircle import sources
from fullcircle.cleaning.schema import check_raw
from fullcircle.core import paths
from fullcircle.core.config import load, load_file
from fullcircle.core.problem import Data, Source, Table
from fullcircle.core.stage import run
from fullcircle.core.tables import write_json, write_table

if TYPE_CHECKING:
    import pyarrow as pa


def ingest(source: Source, spec: Table, name: str) -> tuple[pa.Table, str]:
    """Read one source and check it against its table's schema; returns the table and its origin in words."""
    reading = sources.read(source)
    return check_raw(reading.table, spec, f"{name} ({reading.origin})"), reading.origin


def entry(table: pa.Table, origin: str, file: Path) -> dict[str, object]:
    """What the manifest says of one table."""
    return {
        "origin": origin,
        "rows": table.num_rows,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "schema": {field.name: str(field.type) for field in table.schema},
    }


def main() -> None:
    """Read every source before anything is written: complete or failed, never in part."""
    specs = load_file(Data, Path(load(str, "problem.data"))).tables
    read = {
        name: ingest(source, specs[name], name) for name, source in load(dict[str, Source], "problem.sources").items()
    }
    manifest = {}
    for name, (table, origin) in read.items():
        write_table(paths.raw(name), table)
        manifest[name] = entry(table, origin, paths.raw(name))
    write_json(paths.RAW_MANIFEST, manifest)


if __name__ == "__main__":
    run("ingest", main)
