from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fullcircle.base.checks import Column
from fullcircle.log.records import keys_of

Columns = dict[str, list[Any]]
READ = {"day": Column("time"), "number": Column("integer"), "weight": Column("number")}


def test_a_record_has_one_key_however_it_was_sent() -> None:
    as_json: dict[str, list[Any]] = {
        "day": ["2013-01-02T00:00:00Z"],
        "number": [15],
        "carrier": ["UA"],
        "weight": [1.5],
    }
    as_csv = {"day": ["2013-01-02"], "number": ["15.0"], "carrier": ["UA"], "weight": ["1.50"]}
    names = ["day", "number", "carrier", "weight"]
    assert keys_of(as_json, names, READ) == keys_of(as_csv, names, READ) == ['["2013-01-02T00:00:00",15,"UA",1.5]']


def test_records_without_all_of_their_identity_have_no_key() -> None:
    assert keys_of({"day": ["2013-01-02", "2013-01-03"]}, ["day", "number"], READ) == [None, None]
    assert keys_of({"day": ["2013-01-02", "2013-01-03"]}, [], READ) == [None, None]
    assert keys_of({"day": ["2013-01-02", "soon"]}, ["day"], READ) == ['["2013-01-02T00:00:00"]', None]


def test_a_null_is_part_of_a_key_and_no_text() -> None:
    assert keys_of({"carrier": [None, "null"]}, ["carrier"], {}) == ["[null]", '["null"]']


def test_a_hashed_key_does_not_show_its_values() -> None:
    (key,) = keys_of({"name": ["Ada"]}, ["name"], {}, hashed=True)
    assert key is not None
    assert key.startswith("sha256:")
    assert "Ada" not in key
    assert keys_of({"name": ["Ada"]}, ["name"], {}, hashed=True) == [key]


@given(st.lists(st.tuples(st.text(max_size=5), st.floats(-1e9, 1e9)), min_size=2, max_size=8, unique=True))
def test_different_records_have_different_keys(rows: list[tuple[str, float]]) -> None:
    columns: Columns = {"name": [name for name, _ in rows], "weight": [weight for _, weight in rows]}
    distinct = {(name, 0.0 if weight == 0 else weight) for name, weight in rows}
    assert len({*keys_of(columns, ["name", "weight"], READ)}) == len(distinct)
