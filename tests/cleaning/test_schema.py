from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fullcircle.base.checks import Column
from fullcircle.base.errors import DataError
from fullcircle.cleaning.schema import check_clean

CLEAN = {
    "x": Column("number", min=0, max=9),
    "n": Column("integer", missing="keep", min=0),
    "c": Column("category", levels=("a", "b")),
    "t": Column("time"),
}


def cleaned(**changes: Any) -> pd.DataFrame:
    columns = {
        "x": np.array([0.0, 9.0]),
        "n": np.array([np.nan, 3.0]),
        "c": np.array(["a", "b"], dtype=object),
        "t": np.array([0, 1], dtype="datetime64[s]"),
    }
    return pd.DataFrame(columns | changes)


def test_what_keeps_its_promise_passes() -> None:
    check_clean(cleaned(), CLEAN, "clean")
    assert len(cleaned()) == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"x": np.array([0.0, 9.5])}, "x"),
        ({"x": np.array([-1.0, 9.0])}, "x"),
        ({"x": np.array([np.nan, 9.0])}, "x"),
        ({"n": np.array([np.inf, 9.0])}, "n"),
        ({"n": np.array([-1.0, 9.0])}, "n"),
        ({"c": np.array(["a", "z"], dtype=object)}, "c"),
        ({"c": np.array(["a", None], dtype=object)}, "c"),
        ({"x": np.array(["0", "1"], dtype=object)}, "x"),
    ],
)
def test_what_breaks_its_promise_is_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(DataError, match=rf"clean: the result breaks its schema\n  {named} "):
        check_clean(cleaned(**changes), CLEAN, "clean")


def test_an_integer_that_is_none_is_named() -> None:
    with pytest.raises(DataError, match="breaks its schema"):
        check_clean(cleaned(n=np.array([1.5, 2.0])), CLEAN, "clean")


@pytest.mark.parametrize("values", [["a", "z"], ["a", None]])
def test_an_example_and_a_count_are_given(values: list[str | None]) -> None:
    with pytest.raises(DataError, match=r": 1 values, e\.g\. "):
        check_clean(cleaned(c=np.array(values, dtype=object)), CLEAN, "clean")
