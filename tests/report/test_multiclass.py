from __future__ import annotations

from dataclasses import replace

from fullcircle.core.target import TargetDistribution
from fullcircle.report.multiclass import LINES, OTHERS, balance, hardest, lines, months
from fullcircle.report.page import render, slice_tables
from fullcircle.report.parts import Confusion
from fullcircle.report.terms import wording_of
from tests.report.made import of_classes
from tests.report.test_page import text_of

MANY = tuple(f"kind {i}" for i in range(40))


def test_of_many_classes_the_page_shows_those_that_are_served_worst() -> None:
    few, many = text_of(render(of_classes())), text_of(render(of_classes(tuple(f"kind {i}" for i in range(40)))))
    assert "actual adelie chinstrap gentoo" in few
    assert "Each class Class" in few
    assert "what came kind 0" not in many
    assert "The 25 of 40 classes that are found least often" in many
    assert "The 5 of 40 classes that are ranked worst" in many
    assert "Classes: the 25 largest of 40" in many


def test_the_worst_slice_is_the_highest_where_lower_is_better() -> None:
    whole = of_classes()
    (table,) = slice_tables(whole, wording_of(whole))
    assert table.metrics == ("logloss", "acc", "ece")
    assert [row.slice.level for row in table.rows if row.worst] == ["south"]
    assert "Bold: the highest log loss" in text_of(render(whole))


def test_all_of_a_few_classes_are_drawn_and_of_many_those_with_the_least_area() -> None:
    few, many = of_classes(tuple("abcdef")).curves.roc, of_classes(MANY).curves.roc
    assert hardest(few) == list("abcdef")
    assert hardest(many) == list(MANY[-LINES + 1 :])
    assert hardest({"a": ()}) == []


def test_a_class_is_told_by_what_it_is_taken_for_most_often() -> None:
    table = Confusion(("a", "b", "c"), ((5, 1, 4), (0, 0, 0), (0, 0, 8)))
    first, never, always = lines(replace(of_classes(), confusion=table))
    assert (first.recall, first.precision, first.mistaken, first.times) == (0.5, 1.0, "c", 4)
    assert (never.actual, never.recall, never.predicted, never.precision) == (0, None, 1, 0.0)
    assert (always.recall, always.times) == (1.0, 0)


def test_of_many_classes_those_found_least_often_come_first() -> None:
    recalls = [line.recall or 0.0 for line in lines(of_classes(MANY))]
    assert recalls == sorted(recalls)


def test_the_balance_lists_the_largest_classes_in_their_order() -> None:
    whole = of_classes(MANY)
    shares = dict.fromkeys(MANY, 0.01) | {"kind 39": 0.4, "kind 3": 0.2}
    sides = dict.fromkeys(("train", "validation", "test"), TargetDistribution(100, shares=shares))
    listed = list(balance(replace(whole, split=replace(whole.split, sides=sides))))
    assert len(listed) == 25
    assert {"kind 3", "kind 39"} < set(listed)
    assert listed.index("kind 3") < listed.index("kind 39")


def test_the_months_of_many_classes_tell_the_rest_together() -> None:
    whole = of_classes(MANY)
    assert OTHERS in months(whole, wording_of(whole)).svg
    assert OTHERS not in months(of_classes(), wording_of(of_classes())).svg
