"""SQL: `ingest` of 3,000,000 rows of PostgreSQL, compared with a bare COPY into Parquet; and its peak memory."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import yaml
from tests.sources.postgres import running

from benchmarks.measure import ROOT, Figure, ratio, run

ROWS = 3_000_000
PAIRS = 3
MADE = f"""
CREATE TABLE sales AS SELECT
    i AS id, (i % 7)::int2 AS small, i * 0.5::float8 AS x, ((i % 1000) / 8.0)::numeric(12, 3) AS price,
    CASE WHEN i % 5 > 0 THEN i % 100 END AS rooms, 'name ' || i % 5000 AS name, lpad((i % 99999)::text, 5, '0') AS zip,
    timestamptz '2013-01-01Z' + i * interval '1 second' AS seen
FROM generate_series(1, {ROWS}) i;
ALTER TABLE sales ADD PRIMARY KEY (id);
ANALYZE sales
"""  # noqa: S608
KINDS = {
    "id": "integer", "small": "integer", "x": "number", "price": "number", "rooms": "integer", "name": "text",
    "zip": "category", "seen": "time",
}  # fmt: skip


def measure() -> list[Figure]:
    """Alternate the stage and the bare script, each in a separate process."""
    ours, theirs, peak = [], [], 0
    with tempfile.TemporaryDirectory() as name, running() as server:
        server.run(MADE)
        for _ in range(PAIRS):
            folder = Path(name) / "project"
            _project(folder, server.url)
            bare = run([sys.executable, str(ROOT / "benchmarks/bare_sql.py"), server.url], folder)
            stage = run([sys.executable, "-m", "fullcircle.stages.ingest"], folder)
            for file in ("sales.parquet", "data/raw/sales.parquet"):
                assert pq.read_metadata(folder / file).num_rows == ROWS
            ours.append(stage.seconds)
            theirs.append(bare.seconds)
            peak = max(peak, stage.peak)
            shutil.rmtree(folder)
    return [
        ratio("SQL ingest of 3,000,000 rows / bare COPY into Parquet, time", ours, theirs, 1.5),
        Figure("its peak memory, MB", peak / 1e6, "<= 500", peak <= 500e6, f"highest of {PAIRS} runs"),
    ]


def _project(folder: Path, url: str) -> None:
    folder.mkdir()
    table = {"key": ["id"], "columns": {name: {"kind": kind, "missing": "keep"} for name, kind in KINDS.items()}}
    (folder / "data.yaml").write_text(yaml.safe_dump({"tables": {"sales": table}}, sort_keys=False))
    source = {"kind": "sql", "url": url, "query": "SELECT * FROM sales ORDER BY id"}
    problem = {"data": "data.yaml", "sources": {"sales": source}}
    (folder / "params.yaml").write_text(yaml.safe_dump({"problem": problem}))


if __name__ == "__main__":
    for figure in measure():
        print(figure)
