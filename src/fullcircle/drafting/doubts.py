"""What looks wrong with a table as a whole: rows that are no rows, and a first row that is no header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from fullcircle.base.cells import number_of
from fullcircle.drafting.yaml import shown

if TYPE_CHECKING:
    from fullcircle.drafting.table import TableSample

_TOTAL = re.compile(
    r"\W*(?:grand\s+)?(?:totals?|sum|sums|summe|gesamt|insgesamt|total général|somme|totale|suma)\W*", re.IGNORECASE
)


def repeated_headers(table: pa.Table) -> int:
    """Number of rows that hold the names of their columns, as files have them that were put together."""
    if table.num_columns < 2 or not all(pa.types.is_string(field.type) for field in table.schema):
        return 0
    found = None
    for name in table.column_names:
        same = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(table.column(name)), name.strip()), False)
        found = same if found is None else pc.and_(found, same)
    return int(pc.sum(found).as_py() or 0)


def table_doubts(sample: TableSample, headers: int) -> tuple[str, ...]:
    """In words, the heaviest first. `headers`: rows that repeat the header."""
    table, found = sample.table, []
    names = table.column_names
    if sample.how.header and not sample.how.names and sum(map(_is_number, names)) * 2 > len(names):
        found.append(
            f"the header is {', '.join(map(shown, names[:3]))}: is it the first row of data? Then give --no-header"
        )
    if headers:
        found.append(f"{headers:,} rows repeat the header: their cells are taken for missing")
    last = table.slice(table.num_rows - 1).to_pylist()[0] if table.num_rows and sample.step == 1 else {}
    if title := next((v for v in last.values() if isinstance(v, str) and _TOTAL.fullmatch(v)), None):
        found.append(f"the last row says {shown(title)}: a total is no row. Remove it")
    return tuple(found)


def _is_number(name: str) -> bool:
    try:
        number_of(name)
    except ValueError:
        return False
    return True
