from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.checks import Column
from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import build, plain
from fullcircle.core.data import Table
from fullcircle.core.problem import Behaviour, Problem
from fullcircle.core.split import GroupSplit, RandomSplit, Split, TimeSplit
from fullcircle.features.encoders import Encoder
from tests.builders import FLIGHTS


@dataclass(frozen=True, slots=True)
class Inner:
    count: int
    share: float = 0.5

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"count {self.count} is negative")


@dataclass(frozen=True, slots=True)
class Outer:
    title: str
    inner: Inner
    mode: Literal["fast", "slow"] = "fast"
    pair: tuple[float, float] | None = None
    names: tuple[str, ...] = ()
    by_name: dict[str, Inner] | None = None
    flag: bool = False
    value: float | str | None = None


WHOLE: dict[str, Any] = {"title": "t", "inner": {"count": 3}}


def test_an_unknown_key_is_named_with_its_place_and_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as caught:
        build(Outer, WHOLE | {"inner": {"count": 1, "shere": 0.1}}, "clean")
    assert "clean.inner" in str(caught.value)
    assert "unknown key: shere (did you mean share?)" in str(caught.value)
    assert "known keys: count, share" in str(caught.value)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ConfigError, match="train: missing keys: inner"):
        build(Outer, {"title": "t"}, "train")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": 3}, "k.title: expected str, got int 3"),
        ({"title": None}, "k.title: expected str, got nothing"),
        ({"inner": {"count": "3"}}, "k.inner.count: expected int, got str '3'"),
        ({"inner": {"count": 3.0}}, "k.inner.count: expected int, got float 3.0"),
        ({"inner": {"count": True}}, "k.inner.count: expected int, got bool True"),
        ({"inner": {"count": 1, "share": False}}, "k.inner.share: expected float, got bool False"),
        ({"inner": {"count": 1, "share": "0.5"}}, "k.inner.share: expected float, got str '0.5'"),
        ({"inner": [1]}, "k.inner: expected keys and values, got list"),
        ({"flag": 1}, "k.flag: expected bool, got int 1"),
        ({"flag": "yes"}, "k.flag: expected bool"),
        ({"mode": "quick"}, "k.mode: 'quick' is not one of 'fast', 'slow'"),
        ({"pair": [1.0]}, "k.pair: expected 2 items, got 1"),
        ({"pair": [1.0, "2"]}, r"k.pair\[1\]: expected float, got str '2'"),
        ({"names": "abc"}, "k.names: expected a list, got str 'abc'"),
        ({"names": ["a", 2]}, r"k.names\[1\]: expected str, got int 2"),
        ({"by_name": {"one": {"count": "x"}}}, "k.by_name.one.count: expected int"),
        ({"value": True}, "k.value: expected float or str, got bool True"),
        ({"inner": {"count": -1}}, "k.inner: count -1 is negative"),
    ],
)
def test_a_wrong_value_names_its_key_and_what_was_expected(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Outer, WHOLE | change, "k")


def test_an_int_passes_for_a_float_and_becomes_one() -> None:
    share = build(Inner, {"count": 1, "share": 1}).share
    assert share == 1.0
    assert type(share) is float


def test_a_literal_does_not_take_a_value_of_another_type_that_is_equal() -> None:
    with pytest.raises(ConfigError, match="k: True is not one of 1"):
        build(Literal[1], True, "k")  # type: ignore[arg-type]


def test_a_key_that_yaml_reads_as_true_is_explained() -> None:
    with pytest.raises(ConfigError, match=r"k: key True is no text. YAML reads on, off, yes"):
        build(Outer, yaml.safe_load("on: 1"), "k")
    with pytest.raises(ConfigError, match="key True is no text"):
        build(dict[str, Inner], yaml.safe_load("yes: {count: 1}"), "k")


@pytest.mark.parametrize(("kind", "expected"), [("random", RandomSplit), ("group", GroupSplit)])
def test_a_union_is_told_apart_by_its_kind(kind: str, expected: type) -> None:
    data = {"kind": kind, "columns": ["a"], "validation": 0.1, "test": 0.1, "salt": "0"}
    built: Split = build(Split, data)  # type: ignore[arg-type]
    assert type(built) is expected


@pytest.mark.parametrize("kind", ["tme", None, 3])
def test_an_unknown_kind_names_the_known_ones(kind: object) -> None:
    with pytest.raises(ConfigError, match=r"split\.kind: .* is not one of time, random, group"):
        build(Split, {"kind": kind, "columns": ["a"]}, "split")  # type: ignore[arg-type]


def test_a_kind_that_is_a_list_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match=r"split\.kind"):
        build(Split, {"kind": ["time"], "columns": ["a"]}, "split")  # type: ignore[arg-type]


def test_a_union_reports_the_keys_of_the_chosen_kind() -> None:
    data = {"kind": "time", "columns": ["year"], "validation_from": [1], "test_form": [2]}
    with pytest.raises(ConfigError, match=r"test_form \(did you mean test_from\?\)"):
        build(Split, data, "split")  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "expected"), [(3, 3.0), ("N0", "N0"), (2.5, 2.5)])
def test_a_union_of_plain_types_takes_either(value: object, expected: object) -> None:
    data = {"name": "n", "column": "c", "expect": "same", "set": value}
    assert build(Behaviour, data).set == expected


def test_encoders_are_told_apart_when_they_come_back() -> None:
    data = [{"kind": "number", "feature": "a"}, {"kind": "onehot", "feature": "b", "levels": ["x"]}]
    built = build(tuple[Encoder, ...], data)
    assert [type(encoder).__name__ for encoder in built] == ["Number", "OneHot"]


def test_plain_leaves_out_what_is_default() -> None:
    assert plain(Outer("t", Inner(3))) == {"title": "t", "inner": {"count": 3}}


inners = st.builds(Inner, st.integers(0, 10**9), st.floats(-1e300, 1e300))
outers = st.builds(
    Outer,
    st.text(),
    inners,
    st.sampled_from(["fast", "slow"]),
    st.none() | st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)),
    st.lists(st.text()).map(tuple),
    st.none() | st.dictionaries(st.text(), inners),
    st.booleans(),
    st.none() | st.text() | st.floats(allow_nan=False),
)


@settings(max_examples=60, deadline=None)
@given(outers)
def test_build_reads_what_plain_wrote(value: Outer) -> None:
    assert build(Outer, plain(value)) == value


def test_a_table_of_the_problem_survives_the_round() -> None:
    assert build(Table, plain(FLIGHTS)) == FLIGHTS


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "number", "min": 3, "max": 1},
        {"kind": "number", "usual": [3, 1]},
        {"kind": "category", "min": 1},
        {"kind": "time", "usual": [0, 1]},
        {"kind": "integer", "levels": ["a"]},
        {"kind": "text", "levels": ["a"]},
        {"kind": "category", "format": "%Y"},
        {"kind": "word"},
    ],
)
def test_a_column_that_contradicts_itself_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"columns\.x"):
        build(Column, data, "columns.x")


def test_borders_of_a_time_split_need_a_value_a_column() -> None:
    data = {"kind": "time", "columns": ["year", "month"], "validation_from": [2013], "test_from": [2013, 2]}
    with pytest.raises(ConfigError, match="each need a value for year, month"):
        build(TimeSplit, data, "split")


@pytest.mark.parametrize("kind", ["split", "problem"])
def test_an_old_key_is_an_error_that_names_the_new_one(kind: str) -> None:
    message = r"keys have new names\n  alike is now duplicates \(together is now copies, apart is independent\)"
    if kind == "split":
        data = {"kind": "random", "columns": [], "validation": 0.2, "test": 0.2, "salt": "s", "alike": "apart"}
        with pytest.raises(ConfigError, match=message):
            build(Split, data, "split")  # type: ignore[arg-type]
    else:
        with pytest.raises(ConfigError, match=message):
            build(Problem, {"name": "homes", "alike": "apart"}, "problem")
