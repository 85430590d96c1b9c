"""One cell costs its row at most: any text, any Arrow value and any JSON value is read, or is a reason."""

from __future__ import annotations

import contextlib
import csv
import json
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fullcircle.base.cells import read_values
from fullcircle.base.checks import Column
from fullcircle.base.columns import Columns, rows
from fullcircle.base.dialect import Dialect
from fullcircle.commands.score import score_any
from fullcircle.scoring.batch import Job
from fullcircle.scoring.scorer import Scored

KINDS = ("integer", "number", "category", "text", "time")
FORMATS = (None, "%Y-%m-%d", "%d.%m.%y %H:%M", "%Y-%j", "%G-%V-%u", "%Y %U %w", "%c", "%x %X %Z", "%z", "%Y%z")
EARLY, LATE = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.from_regex(r"\A[-+0-9.:TZ _eE/%]{1,25}\Z")


def score(columns: Columns) -> Scored:
    count = rows(columns)
    return Scored(np.arange(count), np.zeros((count, 1)), {"prediction": np.zeros(count)}, [])


def job_of(kind: Any, written: str | None = None, dialect: Dialect | None = None) -> Job:
    """Reads column `c`, and shows `d` as it is."""
    column = Column(kind, format=written if kind == "time" else None)
    return Job(score, {"c": column}, dialect or Dialect(), ignored=("d",), shown=("d",))


def scored(job: Job, source: Path) -> tuple[int, dict[str, int]]:
    """How many rows came out, and the reasons of the others. No row is lost."""
    out = source.with_name("out.csv")
    summary = score_any(job, source, out)
    with out.open(newline="", encoding="utf-8") as file, out.with_name("out.rejected.csv").open(newline="") as other:
        assert [len([*csv.reader(file)]), len([*csv.reader(other)])] == [summary.scored + 1, summary.rejected + 1]
    return summary.scored, summary.reasons


@contextlib.contextmanager
def file(name: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / name


@settings(max_examples=300, deadline=None)
@given(st.lists(cells, min_size=1, max_size=8), st.sampled_from(KINDS), st.sampled_from(FORMATS), st.sampled_from(".,"))
@example([EARLY, LATE], "time", None, ".")
@example(["0001-01-01 +1400"], "time", "%Y-%m-%d %z", ".")
def test_any_text_in_a_csv_costs_its_row_at_most(
    cells: list[str], kind: str, written: str | None, decimal: str
) -> None:
    with file("in.csv") as source:
        with source.open("w", newline="", encoding="utf-8") as opened:
            csv.writer(opened, delimiter=";", quoting=csv.QUOTE_ALL).writerows([("c", "d"), *((c, c) for c in cells)])
        count, reasons = scored(job_of(kind, written, Dialect(";", decimal=decimal)), source)
    assert count + sum(reasons.values()) == len(cells)


@pytest.mark.parametrize("cell", [EARLY, LATE])
def test_a_time_that_cannot_be_moved_to_utc_is_a_reason(tmp_path: Path, cell: str) -> None:
    (tmp_path / "in.csv").write_text(f"c,d\n{cell},1\n2013-01-01,2\n")
    assert scored(job_of("time"), tmp_path / "in.csv") == (1, {"c is no time": 1})


FAR = 2**63 - 1
VALUES: dict[str, pa.Array] = {
    "milliseconds": pa.array([FAR, -FAR, 0, None, -1], pa.timestamp("ms")),
    "microseconds": pa.array([FAR, -FAR, 0, None, -1], pa.timestamp("us")),
    "nanoseconds": pa.array([FAR, -FAR, 0, None, -1], pa.timestamp("ns")),
    "zoned": pa.array([FAR, -FAR, 0, None, -1], pa.timestamp("us", tz="Europe/Berlin")),
    "days": pa.array([2**31 - 1, -(2**31), 0, None, -1], pa.int32()).cast(pa.date32()),
    "times of day": pa.array([1, 2, 86_399_999_999_999, None, 0], pa.time64("ns")),
    "durations": pa.array([FAR, -FAR, 0, None, 1], pa.duration("s")),
    "unsigned": pa.array([2**64 - 1, 0, 1, None, 2], pa.uint64()),
    "integers": pa.array([FAR, -FAR, 0, None, 1]),
    "floats": pa.array([np.inf, -np.inf, np.nan, None, 1e308]),
    "halves": pa.array(np.array([1, np.inf, np.nan, 0, -1], np.float16)),
    "decimals": pa.array([Decimal("9" * 76), None, Decimal(1), Decimal(0), Decimal(-1)], pa.decimal256(76, 0)),
    "bytes": pa.array([b"\xff", b"a", b"", None, b"1"]),
    "lists": pa.array([[1], [], None, [None], [3]]),
    "objects": pa.array([{"a": 1}, None, {"a": 2}, {"a": 3}, {"a": None}]),
    "nulls": pa.nulls(5),
    "truths": pa.array([True, False, None, True, False]),
    "coded": pa.array(["a", "b", None, "1", "nan"]).dictionary_encode(),
    "texts": pa.array([EARLY, LATE, "nan(1)", None, "9" * 5000]),
    "no UTF-8": pa.Array.from_buffers(
        pa.string(), 5, [None, pa.array(range(6), pa.int32()).buffers()[1], pa.py_buffer(b"\xff\xfea71")]
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", VALUES)
def test_any_value_in_parquet_costs_its_row_at_most(tmp_path: Path, name: str, kind: str) -> None:
    pq.write_table(pa.table({"c": VALUES[name], "d": VALUES[name]}), tmp_path / "in.parquet")
    count, reasons = scored(job_of(kind), tmp_path / "in.parquet")
    assert count + sum(reasons.values()) == 5
    assert reasons.keys() <= {f"c is no {kind}".replace("integer", "number")}


@pytest.mark.parametrize("name", ["milliseconds", "microseconds", "zoned", "days"])
def test_times_outside_of_all_years_are_no_times_and_the_others_are(tmp_path: Path, name: str) -> None:
    pq.write_table(pa.table({"c": VALUES[name], "d": VALUES[name]}), tmp_path / "in.parquet")
    assert scored(job_of("time"), tmp_path / "in.parquet") == (3, {"c is no time": 2})


def test_a_text_that_is_not_in_utf_8_is_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"c": VALUES["no UTF-8"], "d": VALUES["no UTF-8"]}), tmp_path / "in.parquet")
    assert scored(job_of("category"), tmp_path / "in.parquet") == (3, {"c is no category": 2})
    assert (tmp_path / "out.rejected.csv").read_text().splitlines()[1] == "1,c is no category,\\xff,\\xff"
    assert scored(job_of("number"), tmp_path / "in.parquet") == (2, {"c is no number": 3})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),  # with halves of characters
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(json_values, min_size=1, max_size=6), st.sampled_from(KINDS))
@example(["\ud800", 1, True], "category")
@example([10**400, -(10**4299)], "number")
def test_any_value_in_json_lines_costs_its_row_at_most(values: list[Any], kind: str) -> None:
    with file("in.jsonl") as source:
        lines = [json.dumps({"c": value, "d": value}) for value in [*values, "x"]]  # a last one that has the columns
        source.write_text("\n".join(lines))
        count, reasons = scored(job_of(kind), source)
    assert count + sum(reasons.values()) == len(values) + 1


def test_a_number_of_very_many_digits_is_infinite(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(f'{{"c": {"9" * 5000}, "d": 1}}\n{{"c": 2, "d": 2}}\n')
    assert scored(job_of("number"), tmp_path / "in.jsonl") == (2, {})  # and the checks of a column refuse it


@settings(max_examples=300, deadline=None)
@given(st.lists(json_values, max_size=6), st.sampled_from(KINDS), st.sampled_from(FORMATS))
@example([EARLY], "time", None)
@example([10**5000], "number", None)
def test_any_json_value_is_read_or_its_position_is_named(values: list[Any], kind: Any, written: str | None) -> None:
    found, wrong = read_values(values, kind, written if kind == "time" else None)
    assert len(found) == len(values)
    assert set(wrong) <= set(range(len(values)))
