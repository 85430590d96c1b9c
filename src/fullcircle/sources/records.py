"""Records (JSON objects, rows of a workbook or a cursor) -> Arrow batches."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fullcircle.base.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROWS = 20_000  # per batch


def batches_of(
    records: Iterable[dict[str, Any]], columns: Iterable[str] | None, where: str
) -> Iterator[pa.RecordBatch]:
    """Batches of records, with the keys `columns`, or all keys of a batch if None; a missing key is null.

    Objects inside a record are flattened, with names joined by `_`; lists become JSON. Other keys are ignored, since
    an API may add some. Raises SourceError for a column that no record has.
    """
    wanted = None if columns is None else list(columns)
    seen: set[str] = set()
    count = 0
    stream = (flat(record, where) for record in records)
    while held := list(islice(stream, ROWS)):
        keys = dict.fromkeys(key for record in held for key in record)
        seen |= keys.keys()
        names = list(keys) if wanted is None else wanted
        count += len(held)
        yield pa.RecordBatch.from_arrays([array_of([r.get(n) for r in held]) for n in names], names)
    absent = [name for name in wanted or () if name not in seen]
    if count and absent:
        raise SourceError(
            f"{where}: no record has {', '.join(absent)}; they have {', '.join(sorted(seen))}. "
            "Use columns of the records in conf/data/."
        )


def flat(record: dict[str, Any], where: str = "") -> dict[str, Any]:
    """A record without nested objects. Raises SourceError if it is not an object, or for a duplicate name."""
    if not isinstance(record, dict):
        raise SourceError(f"{where}: expected objects with keys, got {type(record).__name__} {str(record)[:60]!r}")
    result: dict[str, Any] = {}
    for key, value in record.items():
        inner = {f"{key}_{name}": item for name, item in flat(value, where).items()} if isinstance(value, dict) else {}
        for name, item in inner.items() if isinstance(value, dict) else [(key, value)]:
            if name in result:
                raise SourceError(f"{where}: a record has {name} twice, once inside {key}")
            result[name] = item
    return result


def array_of(values: Sequence[Any], kind: pa.DataType | None = None) -> pa.Array:
    """Python values as an Arrow array of type `kind`, or of their common type; text if there is none."""
    try:
        if kind is not None and pa.types.is_floating(kind):  # Arrow does not convert a Decimal to a float
            values = [None if value is None else float(value) for value in values]
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, ValueError, TypeError):
        texts = (text_of(value) for value in values)
        # JSON may have half of a character, "\\ud800", which no bytes of UTF-8 stand for.
        return pa.array(
            [t if t is None else t.encode("utf-8", "backslashreplace").decode() for t in texts], pa.string()
        )


def text_of(value: Any) -> str | None:
    """A value as text: booleans as `true` and `false`, lists and objects as JSON; None for None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
