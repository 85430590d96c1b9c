from __future__ import annotations

from dataclasses import replace

import pytest

from fullcircle.report.page import metric_rows, render
from fullcircle.report.regression import curves
from fullcircle.report.terms import wording_of
from tests.report.made import of_numbers
from tests.report.test_page import text_of


def test_numbers_are_written_in_the_unit_of_the_target_with_digits_that_tell() -> None:
    small, large = text_of(render(of_numbers())), text_of(render(of_numbers(3000.0, "EUR")))
    assert "43.21" in small
    assert "reaches 90.25 mm to either side" in small
    assert "129,633" in large
    assert "129,633.0" not in large
    assert "reaches 270,750 EUR to either side" in large
    assert "≤ 150,000" in large


@pytest.mark.parametrize(
    ("bounds", "said"), [((0.85, 0.95), "lies inside"), ((0.7, 0.88), "less than"), ((0.92, 0.99), "more than")]
)
def test_the_interval_is_held_against_what_it_promised(bounds: tuple[float, float], said: str) -> None:
    whole = of_numbers()
    held = sum(bounds) / 2
    tested = replace(
        whole.tested,
        metrics=whole.tested.metrics | {"coverage": held},
        intervals=whole.tested.intervals | {"coverage": bounds},
    )
    assert said in text_of(render(replace(whole, tested=tested)))


def test_a_metric_in_the_unit_is_drawn_from_0_to_where_knowing_nothing_gets() -> None:
    whole = of_numbers()
    rows = {row.metric: row for row in metric_rows(whole, wording_of(whole))}
    assert rows["mae"].strip
    assert rows["r2"].strip
    assert rows["medae"].strip == rows["width"].strip == ""
    worse = replace(whole.tested, intervals=whole.tested.intervals | {"mae": (60.0, 99.0)})
    beyond = metric_rows(replace(whole, tested=worse), wording_of(whole))
    assert {row.metric: row.strip for row in beyond}["mae"] == ""


def test_the_interval_is_drawn_among_the_residuals() -> None:
    whole = of_numbers()
    predicted, residuals = curves(whole, wording_of(whole))
    assert "interval: ± 90.25" in residuals.svg
    assert residuals.svg.count('class="s2"') == 3  # both ends, and the entry that names them
    assert "interval" not in predicted.svg


def test_without_curves_nothing_is_drawn() -> None:
    whole = of_numbers()
    without = replace(whole, curves=replace(whole.curves, residuals=()))
    assert curves(without, wording_of(without)) == []
