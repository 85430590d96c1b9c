from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.checks import Column
from fullcircle.base.columns import rows
from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.typed import build
from fullcircle.cleaning.joins import check_joins, joined
from fullcircle.core.data import Data, Join, Table, schema_of
from tests.builders import FLIGHTS, MOMENT, equal, flights, history, observations, same, text

OWNERS = Table(
    {"carrier": Column("category"), "origin": Column("category"), "name": Column("text"), "fleet": Column("integer"),
     "founded": Column("time"), "ruined": Column("integer", role="outcome")},
    ("carrier", "origin"),
)  # fmt: skip
JOIN = Join("owners", {"carrier": "carrier", "origin": "origin"}, {"name": "owner", "fleet": "fleet"})
DATA = Data({"flights": FLIGHTS, "owners": OWNERS}, joins=(JOIN,))

TEXTS = st.sampled_from(["a", "b", None])


def owners() -> dict[str, Any]:
    return {
        "carrier": np.array(["UA", "AA", "UA", None], dtype=object),
        "origin": text(["EWR", "EWR", "JFK", "EWR"]),
        "name": np.array(["United", "American", None, "Nobody"], dtype=object),
        "fleet": np.array([700.0, np.nan, 701.0, 1.0]),
        "founded": np.array([0, 1, 2, 3], dtype="datetime64[s]"),
    }


def test_each_row_gets_the_columns_of_its_match_or_nulls() -> None:
    kept = flights(120)
    known, unmatched = joined(kept, {"owners": owners()}, (JOIN,))
    assert same({name: known[name] for name in kept}, kept)
    table = {("UA", "EWR"): ("United", 700.0), ("AA", "EWR"): ("American", None), ("UA", "JFK"): (None, 701.0)}
    keys = list(zip(kept["carrier"], kept["origin"], strict=True))
    expected = [table.get(key, (None, None)) for key in keys]
    assert known["owner"].tolist() == [name for name, _ in expected]
    assert [None if np.isnan(fleet) else fleet for fleet in known["fleet"]] == [fleet for _, fleet in expected]
    assert unmatched == {"owners": sum(key not in table for key in keys)}
    assert 0 < unmatched["owners"] < 120


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(TEXTS, st.sampled_from([0.0, 1.0, 2.0, None])), min_size=1, max_size=20),
    st.lists(st.tuples(TEXTS, st.sampled_from([0.0, 1.0, None])), max_size=9, unique=True),
)
def test_a_join_is_a_lookup_of_the_whole_key(mine: list[tuple[Any, Any]], theirs: list[tuple[Any, Any]]) -> None:
    def columns(keys: list[tuple[Any, Any]]) -> dict[str, Any]:
        numbers = np.array([np.nan if n is None else n for _, n in keys], dtype=np.float64)
        return {"t": np.array([t for t, _ in keys], dtype=object), "n": numbers}

    other = columns(theirs) | {"v": np.arange(float(len(theirs)))}
    known, unmatched = joined(columns(mine), {"o": other}, (Join("o", {"t": "t", "n": "n"}, ("v",)),))
    table = {key: float(i) for i, key in enumerate(theirs) if None not in key}
    expected = np.array([table.get(key, np.nan) for key in mine])
    assert equal(known["v"], expected)
    assert unmatched == {"o": int(np.isnan(expected).sum())}


def test_a_later_join_stands_on_what_an_earlier_one_brought() -> None:
    places = {"owner": text(["United"]), "city": text(["Chicago"])}
    second = Join("places", {"owner": "owner"}, ("city",))
    known, unmatched = joined(flights(50), {"owners": owners(), "places": places}, (JOIN, second))
    assert set(known["city"][known["owner"] == "United"]) == {"Chicago"}
    assert unmatched["places"] == int((known["owner"] != "United").sum())


def test_times_are_joined_too() -> None:
    known, _ = joined(flights(50), {"owners": owners()}, (replace(JOIN, columns=("founded",)),))
    assert known["founded"].dtype == np.dtype("datetime64[s]")
    assert np.isnat(known["founded"]).any()


def test_a_key_that_comes_twice_in_the_other_table_is_an_error() -> None:
    by_carrier = Join("owners", {"carrier": "carrier"}, ("name",))
    with pytest.raises(DataError, match=r"1 keys come more than once in owners, e\.g\. carrier=UA: a row would become"):
        joined(flights(50), {"owners": owners()}, (by_carrier,))


def test_keys_of_different_kinds_are_an_error() -> None:
    wrong = Join("owners", {"month": "carrier"}, ("name",))
    with pytest.raises(DataError, match="month is float64, and carrier of owners is object"):
        joined(flights(50), {"owners": owners()}, (wrong,))


def test_no_row_is_lost_where_the_other_table_is_empty() -> None:
    empty = {name: values[:0] for name, values in owners().items()}
    known, unmatched = joined(flights(50), {"owners": empty}, (JOIN,))
    assert (rows(known), unmatched) == (50, {"owners": 50})


def test_the_scorer_asks_for_joined_columns_by_their_new_name_but_for_no_outcome() -> None:
    data = replace(DATA, joins=(replace(JOIN, columns={"name": "owner", "ruined": "ruined"}),))
    schema = schema_of(data, "flights", MOMENT)
    assert schema.inputs["owner"] == replace(OWNERS.columns["name"], missing="keep")
    assert "ruined" in schema.outcomes
    assert "ruined" not in schema.inputs


@pytest.mark.parametrize(
    ("join", "said"),
    [
        (replace(JOIN, table="owner"), "owner is no other table than flights; there are owners"),
        (replace(JOIN, table="flights"), "flights is no other table than flights"),
        (replace(JOIN, columns=("nam",)), r"unknown column: nam \(did you mean name\?\)"),
        (replace(JOIN, by={"carier": "carrier"}), r"unknown column: carier \(did you mean carrier\?\)"),
        (replace(JOIN, columns=("origin",)), "owners brings origin, and flights has columns of that name"),
        (replace(JOIN, columns={"name": "temp_3h"}), "owners brings temp_3h"),
    ],
)
def test_a_join_that_cannot_be_is_refused(join: Join, said: str) -> None:
    from fullcircle.pointintime.spec import Recent

    past = history(Recent("temp_3h", (), 3.0, "mean"))
    with pytest.raises(ConfigError, match=said):
        check_joins(replace(DATA, joins=(join,), history=past, observations=observations()), "flights")


def test_joins_that_can_be_are_let_pass() -> None:
    check_joins(replace(DATA, joins=(JOIN, Join("owners", {"owner": "name"}, {"fleet": "fleet_2"}))), "flights")
    with pytest.raises(ConfigError, match="owners brings fleet"):
        check_joins(replace(DATA, joins=(JOIN, replace(JOIN, columns=("fleet",)))), "flights")


def test_a_join_without_keys_or_columns_is_refused() -> None:
    for plain in ({"by": {}, "columns": ["a"]}, {"by": {"a": "a"}, "columns": []}):
        with pytest.raises(ConfigError, match="a join of t needs `by` and `columns`"):
            build(Join, {"table": "t"} | plain, "joins")
