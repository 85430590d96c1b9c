from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fullcircle.base.errors import DataError
from fullcircle.monitoring.outliers import outliers
from fullcircle.monitoring.quality import Quality, quality
from fullcircle.monitoring.window import Window, count_window
from tests.monitoring.made import Process, drawn_baseline, drawn_window

PROCESS = Process(effect=0.3, numbers=3)
RANDOM = np.random.default_rng(0)
BASELINE = drawn_baseline(PROCESS, 100, RANDOM)


def measured(window: Window, reasons: tuple[str, ...] = ()) -> Quality:
    return quality(BASELINE, window, reasons, false_alarm=0.01, seed=0)


def changed(share: float, **values: Any) -> Window:
    """A window of two days, in which a share of the rows has other values."""
    random = np.random.default_rng(5)
    columns, predicted, day = PROCESS.draw(2, random)
    for name, value in values.items():
        columns[name] = np.where(random.random(len(day)) < share, value, columns[name])
    return count_window(BASELINE, columns, predicted, day)


def test_a_usual_window_is_usual() -> None:
    assert measured(changed(0.0)).unusual == ()


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [("x1", np.nan, "null"), ("carrier", None, "null"), ("carrier", "ZZ", "unknown"), ("x1", 99.0, "outside")],
)
def test_what_is_wrong_is_found_by_column(name: str, value: Any, what: str) -> None:
    (found,) = measured(changed(0.15, **{name: value})).unusual
    assert (found.name, found.what) == (name, what)
    assert found.share == pytest.approx(0.15, abs=0.05)
    assert found.usual < 0.001
    assert found.examples == (("ZZ",) if what == "unknown" else ())


def test_nulls_that_are_usual_are_not_reported_and_their_end_is() -> None:
    window = changed(1.0, gust=0.0)
    (found,) = measured(window).unusual
    assert (found.name, found.what, found.rows) == ("gust", "null", 0)
    assert 0.05 < found.usual < 0.2


def test_refused_rows_are_counted_by_each_of_their_reasons() -> None:
    found = measured(changed(0.0), ("x1 is missing", "x1 is missing; x2 not in 0..1") * 20)
    assert found.set_aside == 40
    assert {(m.name, m.rows) for m in found.unusual} == {("x1 is missing", 40), ("x2 not in 0..1", 20)}
    assert {m.share for m in found.unusual} == {40 / 440, 20 / 440}


def test_a_window_in_which_every_row_was_refused_has_its_reasons() -> None:
    none = {name: values[:0] for name, values in BASELINE.test.items()}
    window = count_window(BASELINE, none, np.zeros((0, 1)), np.zeros(0))
    (found,) = measured(window, ("x1 is missing",) * 9).unusual
    assert (found.what, found.share) == ("set aside", 1.0)
    assert measured(window).measures == ()
    assert outliers(BASELINE, window, none, false_alarm=0.01, seed=0).rows == 0


def test_outlying_rows_are_found_and_their_inputs_named() -> None:
    columns, predicted, day = PROCESS.draw(2, np.random.default_rng(6))
    for name in ("x0", "x1", "gust"):
        columns[name][[7, 30, *range(100, 160)]] = 50.0
    columns["carrier"][7] = "ZZ"
    window = count_window(BASELINE, columns, predicted, day)
    found = outliers(BASELINE, window, columns, false_alarm=0.01, seed=0)
    assert found.unusual
    assert 62 <= found.rows < 80
    assert (found.examples[0].position, found.examples[0].inputs) == (7, ("x0", "x1", "gust", "carrier"))
    assert found.examples[1].position == 30
    assert found.usual <= 0.01


def test_a_usual_window_has_a_usual_share_of_outlying_rows() -> None:
    columns, predicted, day = PROCESS.draw(7, np.random.default_rng(8))
    found = outliers(BASELINE, count_window(BASELINE, columns, predicted, day), columns, false_alarm=0.01, seed=0)
    assert not found.unusual


def test_a_baseline_without_counts_of_rare_inputs_says_so() -> None:
    from dataclasses import replace

    window = drawn_window(BASELINE, PROCESS, 1, np.random.default_rng(0))
    with pytest.raises(DataError, match="does not count rare inputs"):
        outliers(replace(BASELINE, rare=None), window, BASELINE.test, false_alarm=0.01, seed=0)
