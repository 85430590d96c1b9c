"""A bare `COPY ... TO STDOUT` into Parquet by pyarrow, without a framework: the baseline of `benchmarks/sql.py`.

The types are hard-coded, there are no checks, and the file is the only output.
"""

from __future__ import annotations

import os
import sys
from threading import Thread

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

TYPES = {
    "id": pa.int64(), "small": pa.int64(), "x": pa.float64(), "price": pa.float64(), "rooms": pa.int64(),
    "name": pa.string(), "zip": pa.string(), "seen": pa.timestamp("us", tz="UTC"),
}  # fmt: skip

out, into = os.pipe()


def copy() -> None:
    """Write the rows to the pipe as they arrive."""
    with (
        psycopg.connect(sys.argv[1]) as connection,
        connection.cursor().copy("COPY (SELECT * FROM sales ORDER BY id) TO STDOUT (FORMAT csv)") as rows,
        os.fdopen(into, "wb", 1 << 20) as file,
    ):
        for row in rows:
            file.write(row)


copier = Thread(target=copy)
copier.start()
with os.fdopen(out, "rb") as file:
    reader = csv.open_csv(
        file,
        csv.ReadOptions(column_names=list(TYPES), block_size=1 << 22),
        convert_options=csv.ConvertOptions(column_types=TYPES, strings_can_be_null=True),
    )
    with pq.ParquetWriter("sales.parquet", reader.schema, compression="lz4") as writer:
        for batch in reader:
            writer.write_batch(batch)
copier.join()
