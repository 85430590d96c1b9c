from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import build
from fullcircle.core.problem import Behaviour
from fullcircle.evaluation import behaviour as module
from fullcircle.evaluation.behaviour import Behaved, behave, check_behaviour, share_passed
from tests.evaluation.made import NUMBER, THREE, column, text, two

if TYPE_CHECKING:
    from fullcircle.base.columns import Array, Columns

COLUMNS: Columns = {
    "delay": np.array([0.0, 10.0, 20.0, np.nan]),
    "miles": np.array([100.0, 200.0, 300.0, 400.0]),
    "tail": np.array(["N1", "N2", None, "N4"], dtype=object),
}


def rises(columns: Columns) -> Array:
    """Rises by 0.01 a minute of delay; knows one plane; miles do not matter."""
    return column(0.1 + 0.01 * np.nan_to_num(columns["delay"]) + np.where(columns["tail"] == "N0", 0.05, 0.0))


def one(**check: Any) -> Behaved:
    return behave((build(Behaviour, {"name": "n"} | check),), COLUMNS, two(), rises)[0]


def test_what_rises_passes_up_and_fails_down() -> None:
    assert one(column="delay", add=10, expect="up").passed
    down = one(column="delay", add=10, expect="down")
    assert (down.passed, down.held) == (False, 0.0)
    assert down.median_move == pytest.approx(0.1)


def test_what_does_not_matter_passes_same_and_what_matters_fails_it() -> None:
    same, moved = one(column="miles", add=1, expect="same"), one(column="delay", add=10, expect="same")
    assert (same.held, same.passed) == (1.0, True)
    assert (moved.held, moved.passed) == (0.0, False)


def test_the_tolerance_allows_a_small_move() -> None:
    assert one(column="tail", set="N0", expect="same", tolerance=0.0501).passed
    assert not one(column="tail", set="N0", expect="same", tolerance=0.0499).passed
    assert one(column="delay", add=-1, expect="up", tolerance=0.0101).passed
    assert not one(column="delay", add=-1, expect="up", tolerance=0.0099).passed


def test_rows_whose_value_is_null_are_left_out() -> None:
    assert one(column="delay", set=5, expect="up").held == pytest.approx(1 / 3)  # the null would rise too
    assert one(column="tail", set="N0", expect="down").held == 0


def test_a_number_can_be_set_to_zero() -> None:
    assert one(column="delay", set=0, expect="down").passed
    assert one(column="delay", set=0, expect="down").median_move == pytest.approx(-0.1)


def test_the_share_needed_decides() -> None:
    assert one(column="delay", set=5, expect="down", share=0.6).passed
    assert not one(column="delay", set=5, expect="down", share=0.7).passed


def test_one_input_changes_at_a_time_and_the_others_stay() -> None:
    seen: list[Columns] = []

    def watch(columns: Columns) -> Array:
        seen.append(columns)
        return rises(columns)

    checks = tuple(Behaviour(f"{i}", column, "same", add=1.0) for i, column in enumerate(("delay", "miles")))
    behave(checks, COLUMNS, two(), watch)
    _, first, second = seen
    assert first["miles"].tolist() == COLUMNS["miles"].tolist()
    np.testing.assert_array_equal(second["delay"], COLUMNS["delay"])
    assert second["miles"].tolist() == (COLUMNS["miles"] + 1).tolist()


@pytest.mark.parametrize(("rows", "asked"), [(4_999, 4_999), (5_000, 5_000), (5_001, 5_000), (20_000, 5_000)])
def test_of_more_than_five_thousand_rows_evenly_spaced_ones_are_asked(rows: int, asked: int) -> None:
    assert module.ASKED == 5_000
    seen: list[int] = []

    def count(columns: Columns) -> Array:
        seen.append(len(columns["x"]))
        return column(columns["x"])

    behave((), {"x": np.arange(float(rows))}, two(), count)
    assert seen == [asked]


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"column": "mile", "add": 1, "expect": "same"}, "mile is no input of the scorer"),
        ({"column": "tail", "add": 1, "expect": "same"}, "1.0 does not fit column tail"),
        ({"column": "tail", "set": 0, "expect": "same"}, "0.0 does not fit column tail"),
        ({"column": "miles", "set": "far", "expect": "same"}, "'far' does not fit column miles"),
    ],
)
def test_a_check_that_does_not_fit_is_refused(check: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        one(**check)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({}, "give either `add` or `set`"),
        ({"add": 1, "set": 2}, "give either `add` or `set`"),
        ({"add": 1, "share": 0}, "share 0 is outside 0..1"),
        ({"add": 1, "share": 1.1}, "share 1.1 is outside 0..1"),
        ({"add": 1, "expect": "sideways"}, "is not one of 'same', 'up', 'down'"),
    ],
)
def test_a_check_that_makes_no_sense_is_refused(check: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(Behaviour, {"name": "n", "column": "delay", "expect": "up"} | check)


def test_the_share_passed_is_that_of_its_kinds() -> None:
    def behaved(expect: str, held: float) -> Behaved:
        return Behaved("n", expect, held, 0.9, 0.0)

    all_ = [behaved("same", 1.0), behaved("up", 0.95), behaved("down", 0.5)]
    assert share_passed(all_, ("same",)) == 1.0
    assert share_passed(all_, ("up", "down")) == 0.5
    assert share_passed(all_[:1], ("up", "down")) is None


def test_text_is_replaced_as_a_whole() -> None:
    values = text(["a", "b"])
    seen: list[Columns] = []

    def watch(columns: Columns) -> Array:
        seen.append(columns)
        return column(np.zeros(2))

    behave((Behaviour("n", "c", "same", set="z"),), {"c": values}, two(), watch)
    assert [seen[1]["c"].tolist(), values.tolist()] == [["z", "z"], ["a", "b"]]


def shifts(columns: Columns) -> Array:
    """Three classes: each minute of delay moves 0.01 from the first to the second; the third stays."""
    moved = 0.01 * np.nan_to_num(columns["delay"])
    return np.stack([0.5 - moved, 0.2 + moved, np.full(len(moved), 0.3)], axis=1)


def of_classes(**check: Any) -> Behaved:
    return behave((build(Behaviour, {"name": "n", "column": "delay", "add": 10.0} | check),), COLUMNS, THREE, shifts)[0]


def test_of_several_classes_the_one_that_is_named_moves() -> None:
    assert of_classes(expect="up", of="tram").passed
    assert of_classes(expect="up", of="tram").median_move == pytest.approx(0.1)
    assert of_classes(expect="down", of="bus").passed
    assert not of_classes(expect="up", of="bus").passed
    assert of_classes(expect="same", of="walk").passed


def test_of_several_classes_same_is_the_distance_of_all_together() -> None:
    assert of_classes(expect="same", tolerance=0.1001).passed
    assert not of_classes(expect="same", tolerance=0.0999).passed
    assert of_classes(expect="same").median_move == pytest.approx(0.1)


def test_a_number_moves_in_its_own_unit() -> None:
    def priced(columns: Columns) -> Array:
        return column(1000 * columns["miles"])

    checks = (Behaviour("n", "miles", "up", add=2.0), Behaviour("n", "miles", "same", add=2.0, tolerance=1999.0))
    up, same = behave(checks, COLUMNS, NUMBER, priced)
    assert (up.passed, up.median_move) == (True, 2000.0)
    assert not same.passed


@pytest.mark.parametrize(
    ("calibration", "check", "message"),
    [
        (THREE, {"expect": "up"}, "say whose probability goes up: `of:` one of bus, tram, walk"),
        (THREE, {"expect": "same", "of": "train"}, "of: train cannot be; it may be one of bus, tram, walk"),
        (NUMBER, {"expect": "up", "of": "bus"}, "of: bus cannot be; this target has one value that moves"),
        (two(), {"expect": "up", "of": "late"}, "of: late cannot be; this target has one value"),
    ],
)
def test_a_check_that_does_not_say_what_moves_is_refused(calibration: Any, check: dict[str, Any], message: str) -> None:
    found = build(Behaviour, {"name": "n", "column": "delay", "add": 1} | check)
    with pytest.raises(ConfigError, match=f"problem.behaviour: n: {message}"):
        check_behaviour((found,), calibration.classes)


def test_a_time_cannot_be_changed_by_a_number() -> None:
    columns: Columns = {"at": np.array(["2024-01-01"], dtype="datetime64[s]")}
    with pytest.raises(ConfigError, match=r"1\.0 does not fit column at"):
        behave((Behaviour("n", "at", "same", add=1.0),), columns, two(), lambda _: column(np.zeros(1)))
