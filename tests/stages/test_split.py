from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.runtime.columns import Columns, rows, take
from fullcircle.runtime.errors import ConfigError, DataError
from fullcircle.runtime.typed import build
from fullcircle.stages.split import GroupSplit, RandomSplit, Split, TimeSplit, split, summary
from tests.builders import text, with_nulls

TIME = TimeSplit("time", ("year", "month", "day"), (2013, 9, 1), (2013, 11, 1))
RANDOM = RandomSplit("random", ("flight", "origin", "day"), 0.2, 0.2, "0")
GROUP = GroupSplit("group", ("month", "day"), 0.2, 0.2, "0")
nan = float("nan")


def table(count: int, seed: int = 0) -> Columns:
    random = np.random.default_rng(seed)
    return {
        "year": np.full(count, 2013.0),
        "month": random.integers(1, 13, count).astype(float),
        "day": random.integers(1, 29, count).astype(float),
        "flight": random.integers(1, 10_000, count).astype(float),
        "origin": with_nulls(text(random.choice(["EWR", "JFK"], count)), 0.1, random),
        "target": (random.random(count) < 0.3).astype(float),
    }


def together(first: Columns, second: Columns) -> Columns:
    return {name: np.concatenate([values, second[name]]) for name, values in first.items()}


@pytest.mark.parametrize("config", [TIME, RANDOM, GROUP])
@settings(max_examples=15, deadline=None)
@given(added=st.integers(1, 500), seed=st.integers(1, 10**6))
def test_an_old_row_never_changes_side_when_rows_are_added(config: Split, added: int, seed: int) -> None:
    old, more = table(600), table(added, seed)
    order = np.random.default_rng(seed).permutation(600 + added)
    sides = split(take(together(old, more), order), config)
    assert sides[np.argsort(order)][:600].tolist() == split(old, config).tolist()


@pytest.mark.parametrize("config", [RANDOM, GROUP])
def test_removing_rows_moves_no_other_row(config: Split) -> None:
    rows_, kept = table(1000), np.random.default_rng(5).random(1000) < 0.7
    assert split(take(rows_, kept), config).tolist() == split(rows_, config)[kept].tolist()


def test_groups_are_not_torn() -> None:
    labelled = table(3000)
    sides = split(labelled, GROUP)
    of_group: dict[tuple[float, float], set[int]] = {}
    for month, day, side in zip(labelled["month"], labelled["day"], sides, strict=True):
        of_group.setdefault((month, day), set()).add(int(side))
    assert len(of_group) == 12 * 28
    assert all(len(found) == 1 for found in of_group.values())


def test_equal_rows_stand_on_one_side_of_a_random_split() -> None:
    labelled = table(600)
    sides = split(together(labelled, labelled), RANDOM)
    assert sides[:600].tolist() == sides[600:].tolist()


@pytest.mark.parametrize("config", [RANDOM, GROUP])
def test_the_shares_are_about_what_was_asked_for(config: Split) -> None:
    counts = np.bincount(split(table(20_000), config), minlength=3) / 20_000
    np.testing.assert_allclose(counts, [0.6, 0.2, 0.2], atol=0.05)


def test_a_random_split_keeps_the_share_of_each_class() -> None:
    labelled = table(20_000)
    sides = split(labelled, RANDOM)
    for side in range(3):
        assert labelled["target"][sides == side].mean() == pytest.approx(0.3, abs=0.02)


@pytest.mark.parametrize("config", [RANDOM, GROUP])
def test_another_salt_draws_other_rows(config: RandomSplit | GroupSplit) -> None:
    assert (split(table(1000), config) != split(table(1000), replace(config, salt="1"))).any()


def test_the_sides_of_known_rows_are_these_on_every_machine() -> None:
    labelled = table(12)
    labelled["target"] = np.tile([0.0, 1.0], 6)
    config = RandomSplit("random", ("number",), 0.3, 0.3, "0")
    labelled["number"] = np.arange(12.0)
    assert split(labelled, config).tolist() == [2, 0, 1, 2, 2, 2, 2, 1, 1, 2, 0, 0]


def dated(*dates: tuple[int, int, int]) -> Columns:
    columns = {name: np.array([float(d[i]) for d in dates]) for i, name in enumerate(("year", "month", "day"))}
    return together(columns, columns) | {"target": np.repeat([0.0, 1.0], len(dates))}


def test_time_borders_are_compared_as_words_in_a_dictionary_are() -> None:
    dates = [
        (2012, 12, 31), (2013, 8, 31), (2013, 9, 1), (2013, 10, 31), (2013, 11, 1), (2014, 1, 1),
    ]  # fmt: skip
    assert split(dated(*dates), TIME)[: len(dates)].tolist() == [0, 0, 1, 1, 2, 2]


@settings(max_examples=60, deadline=None)
@given(st.tuples(st.integers(2012, 2014), st.integers(1, 12), st.integers(1, 28)))
def test_a_time_split_agrees_with_comparing_dates(date: tuple[int, int, int]) -> None:
    sides = split(dated((2012, 1, 1), (2013, 9, 1), (2014, 1, 1), date), TIME)
    assert sides[3] == (date >= (2013, 9, 1)) + (date >= (2013, 11, 1))


@pytest.mark.parametrize("config", [TIME, RANDOM, GROUP])
def test_a_side_with_one_class_is_an_error(config: Split) -> None:
    labelled = table(600)
    labelled["target"] = (split(labelled, config) != 2).astype(float) * labelled["target"]
    if config.kind == "random":  # its draw depends on the class
        labelled["target"] = np.zeros(600)
    with pytest.raises(DataError, match=r"rows hold 1 classes, and need two\. Move the borders in split"):
        split(labelled, config)


def test_an_empty_side_is_an_error() -> None:
    with pytest.raises(DataError, match="0 test rows hold 0 classes, and need two"):
        split(dated((2013, 1, 1), (2013, 9, 1)), TIME)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"kind": "time", "columns": ["a"], "validation_from": [2], "test_from": [2]}, "must come after"),
        ({"kind": "time", "columns": ["a"], "validation_from": [3], "test_from": [2]}, "must come after"),
        (
            {"kind": "time", "columns": ["a", "b"], "validation_from": [1], "test_from": [2]},
            "need a value for a, b",
        ),
        ({"kind": "time", "columns": ["a"], "validation_from": ["1"], "test_from": [2]}, "expected int"),
        (
            {"kind": "random", "columns": ["a"], "validation": 0.0, "test": 0.1, "salt": "0"},
            "must be above 0",
        ),
        (
            {"kind": "random", "columns": ["a"], "validation": 0.5, "test": 0.5, "salt": "0"},
            "leave rows to train on",
        ),
        (
            {"kind": "group", "columns": ["a"], "validation": 0.1, "test": -0.1, "salt": "0"},
            "must be above 0",
        ),
        (
            {"kind": "group", "columns": ["a"], "validation": 0.1, "test": 0.1, "salt": 0},
            "salt: expected str",
        ),
        ({"kind": "random", "columns": ["a"], "validation": nan, "test": 0.1, "salt": "0"}, "nan"),
    ],
)
def test_a_split_that_cannot_be_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Split, data, "split")  # type: ignore[arg-type]


def test_the_summary_counts_every_row() -> None:
    labelled = table(600)
    report = summary(labelled["target"], split(labelled, TIME), TIME)
    assert sum(report[side]["rows"] for side in ("train", "validation", "test")) == rows(labelled)
    assert report["kind"] == "time"
    assert report["columns"] == ["year", "month", "day"]
    positive = sum(report[side]["rows"] * report[side]["positive"] for side in ("train", "validation", "test"))
    assert positive == pytest.approx(labelled["target"].sum())
