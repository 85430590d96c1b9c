"""Rows as they are sent -> a table of JSON values, whatever the form: records, lists by column, split, CSV, lines."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..base.cells import pointed, read_values
from ..base.errors import DataError, listed
from ..scoring.csvfile import read_text
from .errors import MediaTypeError, RequestError, RowsError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..base.checks import Column
    from ..base.columns import Columns
    from ..base.dialect import Dialect

FORMS = ("rows", "instances", "dataframe_records", "dataframe_split", "inputs")
"""Keys under which a JSON body may have its rows; the first is ours, the others those of Vertex AI and MLflow."""
OPTIONS = ("parameters", "params", "explain", "ignore_extra")
CELLS = 5_000_000  # of a request: rows times columns, which a few bytes could make many


@dataclass(frozen=True, slots=True)
class Table:
    """Rows as sent: JSON values by column, all lists of `count`. `aside`: why a row cannot be read, by position."""

    columns: dict[str, list[Any]]
    count: int
    aside: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """What a request may have beside its rows.

    `explain`: contributions of each input. `ignore_extra`: columns that the model does not take are no error.
    """

    explain: bool = False
    ignore_extra: bool = False


def read_columns(columns: Mapping[str, Sequence[Any]], spec: Mapping[str, Column], aside: dict[int, str]) -> Columns:
    """Values as columns of the kinds of `spec`, those that are there; why a row cannot be read is added to `aside`.

    What is no whole number is a number that the checks refuse, in their words.
    """
    read: Columns = {}
    for name, column in spec.items():
        if name not in columns:
            continue
        kind = "number" if column.kind == "integer" else column.kind
        read[name], wrong = read_values(columns[name], kind, column.format, column.nulls)
        for at in wrong:
            why = f"{name} is no {kind}"
            aside[at] = f"{aside[at]}; {why}" if at in aside else why
    return read


def loads(body: bytes) -> Any:
    """Read JSON strictly: UTF-8, no NaN or Infinity, no key twice. Raises RequestError."""
    try:
        return json.loads(body.decode("utf-8-sig"), object_pairs_hook=_pairs, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise RequestError(f"the body is no UTF-8: byte {error.start} cannot be read") from None
    except RecursionError:
        raise RequestError("the body is no JSON that is read here: lists in lists, too deep") from None
    except json.JSONDecodeError as error:
        raise RequestError(f"the body is no JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except ValueError:  # a whole number with more digits than Python reads
        raise RequestError("the body is no JSON that is read here: a number has more than 4,300 digits") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise RequestError(f"an object has a key twice: {listed(twice)}")
    return found


def _constant(name: str) -> Any:
    raise RequestError(f"{name} is no JSON; send null where there is no value")


def of_body(
    body: bytes, media: str, dialect: Dialect, wanted: Mapping[str, Column], order: Sequence[str]
) -> tuple[Table, Options]:
    """The rows of a body, by its media type: application/json, JSON lines or text/csv. Raises RequestError.

    `order`: the columns of CSV that says it has no header (text/csv; header=absent).
    """
    kind, _, parameters = media.partition(";")
    kind = kind.strip().lower()
    if kind == "application/json":
        return of_json(loads(body))
    if kind in ("application/jsonlines", "application/x-ndjson", "application/jsonl"):
        return of_records([loads(line) for line in body.splitlines() if line.strip()]), Options()
    if kind == "text/csv":
        absent = "header=absent" in parameters.replace(" ", "").lower()
        return of_csv(body, dialect, wanted, order if absent else None), Options()
    raise MediaTypeError("the body must be application/json, application/jsonlines or text/csv")


def of_json(found: Any) -> tuple[Table, Options]:
    """The rows of a JSON body: a list of records, or an object that has them under one of FORMS."""
    if isinstance(found, list):
        return of_records(found), Options()
    if not isinstance(found, dict):
        raise RequestError('the body must be an object such as {"rows": [{"column": value, ...}, ...]}')
    forms = [name for name in FORMS if name in found]
    if len(forms) != 1:
        raise RequestError(f"the body must have its rows under one of {', '.join(FORMS)}")
    if unknown := [name for name in found if name not in forms and name not in OPTIONS]:
        raise RequestError(f"the body has keys that are not known: {listed(unknown)}")
    options = _options(found)
    rows = found[forms[0]]
    if forms[0] == "dataframe_split":
        return of_split(rows), options
    if forms[0] == "inputs" and isinstance(rows, dict):
        return of_lists(rows), options
    if not isinstance(rows, list):
        raise RequestError(f"{forms[0]} must be a list of records")
    return of_records(rows), options


def _options(found: dict[str, Any]) -> Options:
    values: dict[str, bool] = {}
    given = [found, *(found[name] for name in ("parameters", "params") if found.get(name) is not None)]
    for part in given:
        if not isinstance(part, dict):
            raise RequestError("parameters must be an object")
        for name in ("explain", "ignore_extra"):
            if name in part:
                if not isinstance(part[name], bool):
                    raise RequestError(f"{name} must be true or false")
                values[name] = part[name]
    return Options(**values)


def of_records(records: Sequence[Any]) -> Table:
    """Records by column name. A row that lacks a column that another has is set aside.

    >>> of_records([{"a": 1, "b": 2}, {"a": 3}])
    Table(columns={'a': [1, 3], 'b': [2, None]}, count=2, aside={1: 'b is not given; null stands for no value'})
    """
    for position, record in enumerate(records):
        if not isinstance(record, dict):
            raise RowsError(f"row {position} is no object of values by column name")
    if not records:
        return Table({}, 0)
    first = [*records[0]]
    if all([*record] == first for record in records):  # in one order: turned around all at once
        turned = zip(*(record.values() for record in records), strict=True)
        return Table(dict(zip(first, map(list, turned), strict=True)), len(records))
    if all(record.keys() == records[0].keys() for record in records):
        return Table({name: [record[name] for record in records] for name in first}, len(records))
    names = dict.fromkeys(name for record in records for name in record)
    _check_size(len(names), len(records))
    aside = {}
    for position, record in enumerate(records):
        if absent := [name for name in names if name not in record]:
            aside[position] = f"{listed(absent)} is not given; null stands for no value"
    return Table({name: [record.get(name) for record in records] for name in names}, len(records), aside)


def _check_size(columns: int, rows: int) -> None:
    if columns * rows > CELLS:
        raise TooLargeError(f"{rows:,} rows of {columns:,} columns are more than {CELLS:,} cells")


def of_lists(columns: dict[str, Any]) -> Table:
    """Lists by column name, all of one length; a single value is a list of one."""
    made = {name: values if isinstance(values, list) else [values] for name, values in columns.items()}
    lengths = sorted({len(values) for values in made.values()})
    if len(lengths) > 1:
        raise RowsError(f"the columns have different lengths: {', '.join(map(str, lengths[:5]))}")
    return Table(made, lengths[0] if lengths else 0)


def of_split(found: Any) -> Table:
    """A table as pandas splits it: {"columns": [names], "data": [[values of a row], ...]}."""
    columns, data = (found.get("columns"), found.get("data")) if isinstance(found, dict) else (None, None)
    if not isinstance(columns, list) or not isinstance(data, list) or not all(isinstance(n, str) for n in columns):
        raise RequestError("dataframe_split must be an object of columns (a list of names) and data (a list of rows)")
    if len({*columns}) < len(columns):
        raise RowsError("dataframe_split has columns of one name")
    for position, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise RowsError(f"row {position} must be a list of {len(columns)} values")
    return Table({name: [row[at] for row in data] for at, name in enumerate(columns)}, len(data))


def of_csv(body: bytes, dialect: Dialect, wanted: Mapping[str, Column], order: Sequence[str] | None = None) -> Table:
    """A CSV file, written as the source was that the model learnt from; with `order` it has no header."""
    try:
        text = body.decode("utf-8-sig" if dialect.encoding.lower() in ("utf-8", "utf8") else dialect.encoding)
        names, lines = read_text(io.StringIO(text, newline=""), dialect, None if order is None else [*order])
    except UnicodeError:
        raise RequestError(f"the body is no text in {dialect.encoding}") from None
    except (csv.Error, DataError) as error:
        raise RequestError(f"the body is no CSV: {error}") from None
    _check_size(len(names), len(lines))
    aside = {
        at: f"has {len(line)} cells, the header has {len(names)}"
        for at, line in enumerate(lines)
        if len(line) != len(names)
    }
    null = [None] * len(names)
    whole = [null if at in aside else line for at, line in enumerate(lines)]
    columns: dict[str, list[Any]] = {}
    for at, name in enumerate(names):
        numeric = name in wanted and wanted[name].kind in ("number", "integer") and dialect.decimal != "."
        cells = [line[at] for line in whole]
        columns[name] = [
            None if cell is None or cell in dialect.nulls else pointed(cell, dialect.decimal) if numeric else cell
            for cell in cells
        ]
    return Table(columns, len(lines), aside)
