from __future__ import annotations

import numpy as np
import pytest

from fullcircle.drafting import quick as module
from fullcircle.drafting.quick import matrix, quick, rows_for
from tests.builders import text

RANDOM = np.random.default_rng(0)
ROWS = 800
X = RANDOM.normal(size=ROWS)
LEARN, HELD_OUT = np.arange(560), np.arange(560, ROWS)


@pytest.mark.parametrize(
    ("n_classes", "metric"),
    [(2, "auc"), (3, "logloss"), (0, "r2")],
)
def test_a_signal_is_found_and_noise_is_not(n_classes: int, metric: str) -> None:
    signal = X + 0.3 * RANDOM.normal(size=ROWS)
    y = signal if not n_classes else np.digitize(signal, [[], [], [0.0], [-0.5, 0.5]][n_classes]).astype(float)
    found = quick({"x": X, "city": text(["a"] * ROWS)}, y, n_classes, LEARN, HELD_OUT)
    nothing = quick({"x": RANDOM.normal(size=ROWS)}, y, n_classes, LEARN, HELD_OUT)
    assert found.metric == nothing.metric == metric
    assert found.rows == len(HELD_OUT)
    sign = -1 if metric == "logloss" else 1
    assert sign * (found.score - found.dummy) > 0.3
    assert sign * (nothing.score - nothing.dummy) < 0.1


def test_the_same_rows_give_the_same_thresholds() -> None:
    y = (X > 0) * 1.0
    assert quick({"x": X}, y, 2, LEARN, HELD_OUT) == quick({"x": X}, y, 2, LEARN, HELD_OUT)


def test_a_class_that_was_not_drawn_is_no_error() -> None:
    y = np.zeros(ROWS)
    y[-1] = 1
    assert quick({"x": X}, y, 2, LEARN, HELD_OUT).model == "none"


def test_columns_of_every_kind_become_numbers() -> None:
    columns = {
        "number": np.array([1.0, np.nan, np.inf]),
        "time": np.array(["2013-01-01", "NaT", "2013-01-02"], dtype="datetime64[s]"),
        "nothing": np.array([None, None, None], dtype=object),
        "city": np.array(["a", None, "b"], dtype=object),
    }
    found = matrix(columns, np.zeros(3), 2, np.arange(3))
    assert found.shape == (3, 4)
    assert np.isnan(found).tolist() == [[False] * 4, [True, True, False, False], [True, False, False, False]]
    assert found[:, 2:].tolist() == [[1, 0], [0, 0], [0, 1]]


def test_of_many_columns_those_that_vary_with_the_target_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WIDTH", 3)
    columns = {f"noise{i}": RANDOM.normal(size=ROWS) for i in range(20)} | {"x": X}
    found = matrix(columns, (X > 0) * 1.0, 2, LEARN)
    assert found.shape == (ROWS, 3)
    assert np.array_equal(found[:, -1], X)


def test_rows_are_held_out_as_the_split_would_draw_them() -> None:
    time = np.datetime64("2013-01-01", "s") + RANDOM.permutation(ROWS)
    learn, held_out = rows_for(np.arange(ROWS), "time", time)
    assert time[learn].max() < time[held_out].min()
    group = text(RANDOM.integers(0, 50, ROWS))
    learn, held_out = rows_for(np.arange(ROWS), "group", group)
    assert len(set(group[learn]) & set(group[held_out])) <= 1
    drawn, other = rows_for(np.arange(10, ROWS), "random", None)
    assert sorted([*drawn, *other]) == list(range(10, ROWS))
    assert len(other) == pytest.approx(0.3 * (ROWS - 10), abs=1)
