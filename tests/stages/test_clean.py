from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.columns import Columns, rows, take
from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.typed import build, plain
from fullcircle.cleaning.rows import check_rows
from fullcircle.cleaning.schema import check_clean
from fullcircle.core import paths
from fullcircle.core.config import read_params
from fullcircle.core.data import Data, schema_of
from fullcircle.core.tables import read_columns, read_json, write_columns
from fullcircle.pointintime.spec import Recent
from fullcircle.stages.clean import CleanConfig, add_known, main
from tests.builders import FLIGHTS, MOMENT, equal, flights, history, observations, same, text

ALL = 1.0  # of the rows may be rejected
nan, inf = float("nan"), float("inf")

# Cells of a small table, sound and unsound; keys repeat.
CELLS: dict[str, list[Any]] = {
    "month": [3.0, 3.0, 12.0, 0.0, 1.5, nan],
    "carrier": ["AA", "UA", None],
    "origin": ["EWR", "JFK", "BOS", None],
    "dest": ["BOS", "MIA", "EWR", None],
    "flight": [1.0, 2.0, 3.0, inf],
    "tailnum": ["N1", None],
    "distance": [100.0, 10.0, 6000.0, 9.0, inf, -inf, nan],
    "dep_delay": [5.0, nan, -120.0, 2881.0],
    "temp": [30.0, 131.0, inf, nan],
    "precip": [0.0, 0.3, 0.6, 10.0, -0.1, nan],
    "minute": [0.0, 59.0, 60.0],
    "time_hour": [0, 3600, None],
}


def table_of(cells: list[dict[str, Any]]) -> Columns:
    columns: Columns = {}
    for name, column in FLIGHTS.columns.items():
        values = [cell[name] for cell in cells]
        if column.kind == "time":
            columns[name] = np.array(values, dtype="datetime64[s]")
        else:
            columns[name] = np.array(values, dtype=object if column.kind == "category" else np.float64)
    return columns


# The first of each list is sound, and drawn often, so that rows are kept too.
row = st.fixed_dictionaries(
    {name: st.one_of(st.just(values[0]), st.just(values[0]), st.sampled_from(values)) for name, values in CELLS.items()}
)
tables = st.lists(row, min_size=1, max_size=25).map(table_of)


@settings(max_examples=80, deadline=None)
@given(tables)
def test_clean_keeps_every_row(raw: Columns) -> None:
    raw = raw | {"number": np.arange(float(rows(raw)))}
    checked = check_rows(raw, FLIGHTS, "flights", ALL)
    assert sorted([*checked.kept["number"], *checked.rejected["number"]]) == list(range(rows(raw)))
    assert checked.report.kept + checked.report.rejected == checked.report.rows == rows(raw)


@settings(max_examples=60, deadline=None)
@given(tables)
def test_clean_is_idempotent(raw: Columns) -> None:
    once = check_rows(raw, FLIGHTS, "flights", ALL)
    again = check_rows(once.kept, FLIGHTS, "flights", ALL)
    assert rows(again.rejected) == 0
    assert again.report.corrected == {}
    assert same(again.kept, once.kept)


@settings(max_examples=60, deadline=None)
@given(tables)
def test_what_is_kept_holds_to_the_schema(raw: Columns) -> None:
    kept = check_rows(raw, FLIGHTS, "flights", ALL).kept
    check_clean(pd.DataFrame(kept), FLIGHTS.columns, "clean")
    keys = list(zip(kept["time_hour"].tolist(), kept["flight"].tolist(), strict=True))
    assert len(keys) == len(set(keys))


@settings(max_examples=60, deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_rows_decides_only_which_of_a_key_is_first(raw: Columns, random: Any) -> None:
    order = list(range(rows(raw)))
    random.shuffle(order)
    first, second = (check_rows(r, FLIGHTS, "flights", ALL) for r in (raw, take(raw, np.array(order))))
    assert replace(first.report, missing={}) == replace(second.report, missing={})
    assert Counter(first.rejected["reasons"]) == Counter(second.rejected["reasons"])
    keys = [sorted(zip(s.kept["time_hour"].tolist(), s.kept["flight"].tolist(), strict=True)) for s in (first, second)]
    assert keys[0] == keys[1]


@settings(max_examples=60, deadline=None)
@given(tables)
def test_every_rejected_row_has_a_reason_and_every_reason_is_counted(raw: Columns) -> None:
    checked = check_rows(raw, FLIGHTS, "flights", ALL)
    said: Counter[str] = Counter()
    for reasons in checked.rejected["reasons"]:
        assert reasons
        said.update(reasons.split("; "))
    assert dict(said) == checked.report.rules


def broken(**cells: Any) -> Columns:
    """Sound flights whose first row holds these cells instead."""
    raw = flights(50)
    for name, value in cells.items():
        raw[name][0] = value
    return raw


@pytest.mark.parametrize(
    ("cells", "reasons"),
    [
        ({"month": 13.0}, "month not in 1..12"),
        ({"month": 1.5}, "month not in 1..12"),
        ({"distance": inf}, "distance not in 10..6000"),
        ({"distance": nan}, "distance is missing"),
        ({"origin": "BOS", "dest": "MIA"}, "origin not one of EWR, JFK, LGA"),
        ({"origin": "EWR", "dest": "EWR"}, "leaves from where it arrives"),
        ({"precip": -1.0}, "precip not in 0..10"),
        ({"month": 0.0, "carrier": None, "origin": "JFK", "dest": "JFK"},
         "month not in 1..12; carrier is missing; leaves from where it arrives"),
    ],
)  # fmt: skip
def test_reasons_name_each_broken_rule(cells: dict[str, Any], reasons: str) -> None:
    checked = check_rows(broken(**cells), FLIGHTS, "flights", ALL)
    assert checked.rejected["reasons"].tolist() == [reasons]
    assert checked.report.rules == dict.fromkeys(reasons.split("; "), 1)


def test_a_rejected_row_keeps_its_values() -> None:
    rejected = check_rows(broken(month=13.0), FLIGHTS, "flights", ALL).rejected
    assert rejected["month"].tolist() == [13.0]
    assert rejected["flight"].tolist() == [1.0]


def test_the_first_row_of_a_key_is_kept() -> None:
    raw = flights(50)
    for name in ("time_hour", "flight"):
        raw[name][[20, 30]] = raw[name][10]
    checked = check_rows(raw, FLIGHTS, "flights", ALL)
    assert checked.rejected["reasons"].tolist() == ["another row has the key time_hour, flight"] * 2
    kept = checked.kept["flight"] == raw["flight"][10]
    assert checked.kept["distance"][kept].tolist() == [raw["distance"][10]]


def test_an_unsound_row_is_not_the_first_of_its_key() -> None:
    raw = flights(50)
    for name in ("time_hour", "flight"):
        raw[name][20] = raw[name][10]
    raw["distance"][10] = nan
    checked = check_rows(raw, FLIGHTS, "flights", ALL)
    assert checked.rejected["reasons"].tolist() == ["distance is missing"]


def test_an_impossible_value_is_blanked_and_an_unusual_one_clipped() -> None:
    checked = check_rows(broken(temp=131.0, precip=3.0), FLIGHTS, "flights", ALL)
    assert np.isnan(checked.kept["temp"][0])
    assert checked.kept["precip"][0] == 0.5
    assert checked.report.corrected == {
        "temp not in -40..130: blanked": 1,
        "precip outside its usual 0..0.5: clipped": 1,
    }
    assert checked.report.missing["temp"] == 1 + int(np.isnan(flights(50)["temp"][1:]).sum())


def test_an_unusual_value_can_cost_the_row() -> None:
    spec = replace(FLIGHTS, columns=FLIGHTS.columns | {"precip": replace(FLIGHTS.columns["precip"], outlier="reject")})
    checked = check_rows(broken(precip=3.0), spec, "flights", ALL)
    assert checked.rejected["reasons"].tolist() == ["precip outside its usual 0..0.5"]


def test_a_row_of_only_sound_values_is_not_changed() -> None:
    raw = flights(100)
    assert same(check_rows(raw, FLIGHTS, "flights", 0.0).kept, raw)


def test_too_many_rejected_rows_are_an_error_with_counts_and_examples() -> None:
    raw = flights(100)
    raw["distance"][[3, 4, 5]] = -1
    raw["month"][5] = 0
    with pytest.raises(DataError) as caught:
        check_rows(raw, FLIGHTS, "flights", 0.02)
    message = str(caught.value)
    assert "3 of 100 rows of flights break 2 rules" in message
    assert f"  distance not in 10..6000: 3 rows, e.g. time_hour={raw['time_hour'][3]}, flight=4.0" in message
    assert f"  month not in 1..12: 1 rows, e.g. time_hour={raw['time_hour'][5]}, flight=6.0" in message
    assert "clean.max_rejected (now 0.02)" in message


def test_exactly_as_many_as_allowed_may_be_rejected() -> None:
    raw = flights(100)
    raw["distance"][[3, 4]] = -1
    assert rows(check_rows(raw, FLIGHTS, "flights", 0.02).rejected) == 2
    with pytest.raises(DataError):
        check_rows(raw, FLIGHTS, "flights", 0.019)


@pytest.mark.parametrize("share", [-0.1, 1.1, nan])
def test_the_share_allowed_is_a_share(share: float) -> None:
    with pytest.raises(ConfigError, match=r"clean: max_rejected .* is outside 0\.\.1"):
        build(CleanConfig, {"max_rejected": share}, "clean")


HISTORY = history(Recent("delay_3h", ("origin",), 3.0, "mean"), Recent("waiting", (), 3.0, "waiting"))


def weather() -> Columns:
    hours = np.arange(-6, 72)
    start = np.datetime64("2013-03-01T05", "s")
    return {
        "origin": np.array(["EWR"] * len(hours), dtype=object),
        "time_hour": start + hours.astype("timedelta64[h]"),
        "temp": 50.0 + hours,
    }


def test_what_was_known_is_added_and_nothing_else_moves() -> None:
    kept = flights(120)
    known, unobserved = add_known(kept, MOMENT, observations(), weather(), HISTORY)
    assert all(equal(known[name], values) for name, values in kept.items() if name != "temp")
    assert set(known) - set(kept) == {"delay_3h", "waiting"}
    assert unobserved == int((kept["origin"] != "EWR").sum())
    assert np.isnan(known["temp"][kept["origin"] != "EWR"]).all()


def test_the_observation_joined_is_the_one_known_two_hours_ahead() -> None:
    kept = flights(120)
    known, _ = add_known(kept, MOMENT, observations(), weather(), None)
    here = kept["origin"] == "EWR"
    hour = (kept["time_hour"] - np.datetime64("2013-03-01T05", "s")).astype(np.int64) // 3600
    # due in hour h, told two hours before, from an observation that took an hour to be known: that of h - 3
    np.testing.assert_array_equal(known["temp"][here], 50.0 + hour[here] - 3)


def test_snapshots_are_read_as_one_table_and_other_tables_are_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    columns = {name: plain(column) for name, column in FLIGHTS.columns.items()}
    carriers = {"carrier": {"kind": "category"}, "name": {"kind": "text"}}
    data = {
        "tables": {
            "flights": {"key": list(FLIGHTS.key), "columns": columns},
            "carriers": {"key": ["carrier"], "columns": carriers},
        },
        "joins": [{"table": "carriers", "by": {"carrier": "carrier"}, "columns": {"name": "carrier_name"}}],
    }
    Path("data.yaml").write_text(yaml.safe_dump(data))
    problem = {"table": "flights", "data": "data.yaml", "moment": plain(MOMENT)}
    Path("params.yaml").write_text(yaml.safe_dump({"clean": {"max_rejected": 0.0}, "problem": problem}))
    whole = flights(90)
    write_columns(paths.raw_parts("flights") / "2026-10.parquet", take(whole, np.arange(60)))
    write_columns(paths.raw_parts("flights") / "2026-11.parquet", take(whole, np.arange(60, 90)))
    write_columns(paths.raw("carriers"), {"carrier": text(["AA", "UA"]), "name": text(["American", "United"])})
    read_params.cache_clear()
    main()
    read_params.cache_clear()
    kept, names = read_columns(paths.KEPT), {"AA": "American", "UA": "United", "B6": None}
    assert same({name: kept[name] for name in whole}, whole)
    assert kept["carrier_name"].tolist() == [names[carrier] for carrier in whole["carrier"]]
    assert read_json(paths.SCHEMA)["inputs"]["carrier_name"] == {"kind": "text", "missing": "keep"}
    unmatched = read_json(paths.CLEAN_REPORT)["point_in_time"]["rows_without_match"]
    assert unmatched == {"carriers": int((whole["carrier"] == "B6").sum())}


def test_without_observations_and_history_nothing_is_added() -> None:
    kept = flights(20)
    known, unobserved = add_known(kept, MOMENT, None, {}, None)
    assert same(known, kept)
    assert unobserved == 0


def test_without_a_moment_rows_have_what_stands_in_them() -> None:
    kept = flights(20)
    assert same(add_known(kept, None, None, {}, None)[0], kept)
    with pytest.raises(ConfigError, match=r"observations and history need problem\.moment"):
        add_known(kept, None, None, {}, HISTORY)


def test_without_a_key_equal_rows_are_kept() -> None:
    twice = take(flights(5), np.array([0, 1, 1, 2]))
    assert rows(check_rows(twice, FLIGHTS, "flights", ALL).kept) == 3
    assert same(check_rows(twice, replace(FLIGHTS, key=()), "flights", ALL).kept, twice)
    twice["month"] = np.array([3.0, 13.0, 3.0, 3.0])
    with pytest.raises(DataError, match=r"month not in 1\.\.12: 1 rows, e\.g\. row 2"):
        check_rows(twice, replace(FLIGHTS, key=()), "flights", 0.0)


def test_duplicates_can_be_no_error_where_there_is_no_key() -> None:
    with pytest.raises(ValueError, match="duplicates: error needs a key"):
        replace(FLIGHTS, key=(), duplicates="error")


def test_the_scorer_asks_for_inputs_and_what_was_known_but_for_no_outcome_or_record() -> None:
    tables = {"flights": FLIGHTS, "weather": replace(FLIGHTS, columns={"temp": FLIGHTS.columns["temp"]})}
    inputs = schema_of(Data(tables, observations(), HISTORY), "flights", MOMENT).inputs
    assert set(inputs) == {
        "month", "carrier", "origin", "dest", "tailnum", "distance", "temp", "precip", "delay_3h", "waiting",
    }  # fmt: skip
    assert (inputs["delay_3h"].min, inputs["waiting"].min) == (-15.0, 0.0)
