"""One grammar on every path: Arrow's values, a CSV that is ingested, a CSV that is scored, and JSON."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fullcircle.base.cells import read_texts, read_values
from fullcircle.base.checks import Column
from fullcircle.base.columns import is_null
from fullcircle.base.dialect import Dialect
from fullcircle.core.arrow import cast
from fullcircle.core.tables import columns_of
from fullcircle.drafting.dates import FORMATS, ISO
from fullcircle.sources.csvfile import read_csv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from fullcircle.base.columns import Array

NULLS = ("", "NA")
KINDS = ("integer", "number", "category", "text", "time")
digits = st.text("0123456789", min_size=1, max_size=30)
signs = st.sampled_from(["", "-", "+", "--", " ", "−"])
numbers = st.builds(
    "{}{}{}{}{}".format,
    signs,
    digits,
    st.sampled_from(["", ".", ",", "_", " ", "\u202f", "e", "E-", "e+", "."]),
    st.just("") | digits,
    st.sampled_from(["", "e5", "E-3", "e999", " ", "\t", "f", "%", "x"]),
)
moments = st.datetimes()
offsets = st.sampled_from(["", "Z", "+01:00", "-0530", "+14", "-99:00", " UTC"])
times = st.builds(
    lambda m, sep, o: m.isoformat(sep) + o, moments, st.sampled_from(["T", " ", "t"]), offsets
) | st.builds(
    lambda m, form: m.strftime(form),
    moments,
    st.sampled_from([*(f for f in FORMATS if f != ISO), "%Y-%m-%d", "%Y%m%d", "%Y-%j"]),
)
words = st.sampled_from([
    "", "NA", " NA", "na", "nan", "NaN", "-nan", "inf", "-Infinity", "INF", "1e999", "-1e999", "true", "False", "None",
    "null", "0x1F", "1_000", "１２", "٣", "nan(1)", "9" * 400, "9007199254740993", "5.", ".5", ".", "0", "-0", "00",
    "2013-02-30", "0000-00-00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2013-01-01T24:00", "\u00a01",
])  # fmt: skip
cells = st.one_of(numbers, times, words, st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12))
formats = st.none() | st.sampled_from([form for form in FORMATS if form != ISO])


def same(first: Array, second: Array) -> bool:
    null = is_null(first)
    return bool(null.tolist() == is_null(second).tolist() and first[~null].tolist() == second[~null].tolist())


def by_arrow(cells: list[str], kind: str, written: str | None) -> tuple[Array, list[int]]:
    """As ingest reads them: null, and then `cast`."""
    values = pa.array([None if cell in NULLS else cell for cell in cells], pa.string())
    made, wrong = cast(values, kind, written)
    found = columns_of(pa.table({"c": made}))["c"]
    return found, [] if wrong is None else np.flatnonzero(wrong.to_numpy(zero_copy_only=False)).tolist()


@settings(max_examples=400, deadline=None)
@given(st.lists(cells, min_size=1, max_size=6), st.sampled_from(KINDS), formats)
@example(["1e999", "nan"], "number", None)
@example(["9223372036854775807", "1"], "integer", None)
@example(["2013-01-01T00:00:00Z", "2013-01-01T00:00:00"], "time", None)
def test_ingest_and_score_read_the_same_cells_the_same_way(cells: list[str], kind: Any, written: str | None) -> None:
    written = written if kind == "time" else None
    found, wrong = read_texts(cells, kind, written, NULLS)
    arrow, wrong_there = by_arrow(cells, kind, written)
    assert wrong == wrong_there
    assert same(found, arrow)


@settings(max_examples=200, deadline=None)
@given(st.lists(cells, min_size=1, max_size=6), st.sampled_from(KINDS), formats)
def test_a_cell_does_not_depend_on_its_neighbours(cells: list[str], kind: Any, written: str | None) -> None:
    written = written if kind == "time" else None
    found, wrong = by_arrow(cells, kind, written)
    for i, cell in enumerate(cells):
        alone, wrong_alone = by_arrow([cell], kind, written)
        assert (i in wrong) == bool(wrong_alone)
        assert same(found[i : i + 1], alone)


@settings(max_examples=200, deadline=None)
@given(st.lists(cells, min_size=1, max_size=6), st.sampled_from(KINDS), formats)
def test_json_text_is_read_as_a_cell_is(cells: list[str], kind: Any, written: str | None) -> None:
    written = written if kind == "time" else None
    found, wrong = read_values(cells, kind, written)
    expected, wrong_there = read_texts(cells, kind, written, ())
    assert wrong == wrong_there
    assert same(found, expected)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.sampled_from(["integer", "number", "category"]))
def test_json_values_are_read_as_arrow_reads_them(data: st.DataObject, kind: Any) -> None:
    drawn = data.draw(st.sampled_from([st.booleans(), st.integers(1 - 2**53, 2**53 - 1), st.floats()]))
    values = data.draw(st.lists(st.none() | drawn, min_size=1, max_size=5))
    made, wrong = cast(pa.array(values), kind)
    found, wrong_here = read_values(values, kind)
    assert wrong_here == ([] if wrong is None else np.flatnonzero(wrong.to_numpy(zero_copy_only=False)).tolist())
    assert same(found, columns_of(pa.table({"c": made}))["c"])


@contextlib.contextmanager
def opened(text: str) -> Iterator[BinaryIO]:
    yield io.BytesIO(text.encode())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(cells.filter(lambda c: not set(c) & set('"\r\n')), min_size=1, max_size=5),
    st.sampled_from(["integer", "number", "category", "time"]),
    st.sampled_from([".", ","]),
)
def test_a_file_that_is_ingested_is_read_as_one_that_is_scored(cells: list[str], kind: Any, decimal: str) -> None:
    dialect = Dialect(";", decimal=decimal, nulls=NULLS)
    cells = [cell.replace(";", ":") for cell in cells]
    column = Column(kind)
    text = "c;d\n" + "".join(f'"{cell}";x\n' for cell in cells)
    (batch,) = read_csv(lambda: opened(text), dialect, "t.csv", {"c": column, "d": Column("category")})
    made, wrong = cast(batch.column("c"), kind)
    found, wrong_there = read_texts(cells, kind, None, NULLS, decimal)
    assert ([] if wrong is None else np.flatnonzero(wrong.to_numpy(zero_copy_only=False)).tolist()) == wrong_there
    assert same(found, columns_of(pa.table({"c": made}))["c"])


MIXED = """
import sys
from pathlib import Path
from fullcircle.base.checks import Column
from fullcircle.base.dialect import Dialect
from fullcircle.sources.csvfile import read_csv
columns = {"t": Column("time"), "n": Column("number"), "c": Column("category")}
batches = list(read_csv(lambda: Path(sys.argv[1]).open("rb"), Dialect(), "t.csv", columns))
print(sum(batch.num_rows for batch in batches), *[str(field.type) for field in batches[0].schema])
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_a_mixed_table_is_read_on_one_core(tmp_path: Path, threads: str) -> None:
    rows = "".join(f"2013-01-{i % 28 + 1:02} 05:00:00,{i},a\n" for i in range(500))
    (tmp_path / "t.csv").write_text(f"t,n,c\n2013-01-01T05:00:00+01:00,odd,b\n{rows}", encoding="utf-8")
    command = [sys.executable, "-c", MIXED, str(tmp_path / "t.csv")]
    done = subprocess.run(
        ["taskset", "-c", "0", *command] if threads == "1" else command, capture_output=True, text=True, check=True
    )
    assert done.stdout.split(maxsplit=1) == ["501", "timestamp[s, tz=UTC] string string\n"]
