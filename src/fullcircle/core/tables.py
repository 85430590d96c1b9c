"""Reads and writes Parquet, JSON and CSV. A killed writer leaves the old file or the new one, never half of one."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from fullcircle.base.errors import DataError
from fullcircle.base.files import replacing, write_text
from fullcircle.base.typed import build

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fullcircle.base.columns import Array, Columns

T = TypeVar("T")


def write_json(path: Path, value: Any) -> None:
    """Write JSON in the order given, floats rounded to 6 significant digits, NaN and infinity as null."""
    write_text(path, json.dumps(rounded(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_typed(kind: type[T], path: Path) -> T:
    """Read what a stage wrote as `write_json(path, plain(value))`, as a `kind`.

    Raises DataError where the file is missing or is not JSON, ConfigError where it does not hold a `kind`.
    """
    try:
        data = read_json(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    return build(kind, data, str(path))


def write_csv(path: Path, columns: dict[str, Any]) -> None:
    """Write equally long columns as CSV, floats rounded to 6 significant digits: the files behind the plots."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rounded(list(row)) for row in zip(*columns.values(), strict=True))


def rounded(value: Any, digits: int = 6) -> Any:
    """Round every float in nested dicts and lists to `digits` significant digits.

    The last bits of a sum depend on the machine's vector instructions; a hash must not.
    """
    if isinstance(value, dict):
        return {str(key): rounded(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return value


def write_table(path: Path, table: pa.Table) -> None:
    """Write Parquet without pandas' metadata, so that equal tables are equal bytes."""
    with replacing(path) as part:
        pq.write_table(table.replace_schema_metadata(None), part, compression="lz4")


def group_rows(schema: pa.Schema) -> int:
    """Rows of a Parquet row group: of wide tables fewer, so that a group of any table is about as large."""
    return min(2**19, max(1024, 2**23 // max(1, len(schema))))


def write_batches(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write Parquet as batches come, one row group held at a time; returns the number of rows.

    Equal rows are equal bytes, however they were cut into batches. What `batches` raises leaves the old file.
    """
    schema = schema.remove_metadata()
    held: list[pa.RecordBatch] = []
    size, rows, group = 0, 0, group_rows(schema)
    with replacing(path) as part, pq.ParquetWriter(part, schema, compression="lz4") as writer:

        def write(count: int) -> None:
            table = pa.Table.from_batches(held, schema)
            writer.write_table(table.slice(0, count).combine_chunks(), group)
            held[:] = table.slice(count).to_batches()

        for batch in batches:
            held.append(batch.replace_schema_metadata(None))
            size, rows = size + batch.num_rows, rows + batch.num_rows
            while size >= group:
                write(group)
                size -= group
        if size or not rows:
            write(size)
    return rows


def files_of(path: Path) -> list[Path]:
    """The files of a table: itself, or a folder's parts in the order of their names."""
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def read_table(path: Path, columns: list[str] | None = None) -> pa.Table:
    """Read Parquet, or a folder of parts in the order of their names; one that is missing or damaged is an error."""
    if path.is_dir():
        return pa.concat_tables([read_table(part, columns) for part in files_of(path)])
    try:
        with pq.ParquetFile(path) as file:  # read_table would import pyarrow.dataset: half a second per stage
            return file.read(columns=columns)
    except (OSError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} cannot be read ({error}). `dvc repro` makes it, `dvc pull` fetches it.")


def write_columns(path: Path, columns: Columns) -> None:
    """Write NumPy columns as Parquet; NaN becomes null."""
    write_table(path, pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()}))


def read_columns(path: Path, names: list[str] | None = None) -> Columns:
    """Read Parquet into NumPy columns: float64 with NaN for null, object with None, datetime64[s]."""
    return columns_of(read_table(path, names))


def columns_of(table: pa.Table) -> Columns:
    """Turn an Arrow table into NumPy columns: float64 with NaN for null, object with None, datetime64[s] (UTC).

    Numbers and decimals of every width become float64 (float32 stays), truth values the text "true" and "false".
    Raises DataError for other types, and for integers that a float64 cannot hold.
    """
    return {name: _array(table.column(name), name) for name in table.column_names}


def _array(column: pa.ChunkedArray, name: str) -> Array:
    array, kind = column.combine_chunks(), column.type
    if isinstance(array, pa.ChunkedArray):  # of no chunks, before they were one
        array = array.combine_chunks()
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if pa.types.is_null(kind) or pa.types.is_boolean(kind) or _is_text(kind):
        return _texts(array.cast(pa.string()).dictionary_encode())
    if pa.types.is_timestamp(kind):
        return _buffer(array).astype(f"datetime64[{kind.unit}]").astype("datetime64[s]")
    if pa.types.is_date(kind):
        return _buffer(array.cast(pa.timestamp("s"))).astype("datetime64[s]")
    if pa.types.is_integer(kind):
        values = _buffer(array).astype(np.float64)
        if (np.abs(values) >= 2**53).any():
            raise DataError(
                f"column {name} holds integers of 2^53 and more, which lose digits as numbers; make it text"
            )
        return values
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        array, kind = array.cast(pa.float64()), pa.float64()
    if not pa.types.is_floating(kind):
        raise DataError(f"column {name} is {kind}; text, truth values, numbers, dates and timestamps can be read")
    return _buffer(array)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _texts(coded: pa.DictionaryArray) -> Array:
    """Text, object with None: one Python string per level, however many rows share it."""
    levels = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    at = _buffer(coded.indices)
    return levels[np.where(np.isnan(at), -1, at).astype(np.int64)]


def _buffer(array: pa.Array) -> Array:
    """The values of a number or timestamp array; null becomes NaN or NaT.

    pyarrow's own conversion does the same, but imports pandas: half a second per stage.
    """
    here = slice(array.offset, array.offset + len(array))
    whole = pa.types.is_integer(array.type) or pa.types.is_timestamp(array.type)
    letter = "u" if pa.types.is_unsigned_integer(array.type) else "i" if whole else "f"
    values = np.frombuffer(array.buffers()[1], np.dtype(f"{letter}{array.type.bit_width // 8}"))[here]
    if array.null_count == 0:
        return values
    valid = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")[here].astype(bool)
    null = np.iinfo(np.int64).min if pa.types.is_timestamp(array.type) else np.nan
    return np.where(valid, values, null)


def taken(table: pa.Table, mask: Array) -> pa.Table:
    """The rows of a table that a boolean mask (rows,) names."""
    bits = np.packbits(mask, bitorder="little")
    return table.filter(pa.Array.from_buffers(pa.bool_(), len(mask), [None, pa.py_buffer(bits)]))


def write_matrix(path: Path, matrix: Array, names: Iterable[str]) -> None:
    """Write a float32 feature matrix (rows, features) as one Parquet file."""
    columns = dict(zip(names, matrix.T, strict=True))
    write_table(path, pa.table({name: _float32(values) for name, values in columns.items()}))


def _float32(values: Array) -> pa.Array:
    """Numbers as Arrow's, NaN staying NaN. As in `_buffer`, pyarrow's own way would import pandas."""
    values = np.ascontiguousarray(values, np.float32)
    return pa.Array.from_buffers(pa.float32(), len(values), [None, pa.py_buffer(values)])


def read_matrix(path: Path) -> Array:
    """Read what `write_matrix` wrote: float32 (rows, features)."""
    table = read_table(path)
    matrix = np.empty((table.num_rows, table.num_columns), np.float32)
    for i, name in enumerate(table.column_names):
        matrix[:, i] = _array(table.column(name), name)
    return matrix


def concatenated(first: Columns, second: Columns) -> Columns:
    """The rows of two tables with the same columns, one after the other."""
    return {name: np.concatenate([first[name], second[name]]) for name in first}
