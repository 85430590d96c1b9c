from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fullcircle.base.checks import Column
from fullcircle.base.typed import build, plain
from fullcircle.core.tables import rounded
from fullcircle.packaging.reference import reference
from fullcircle.scoring.reference import Levels, Numbers, Reference, outside

numbers = st.floats(allow_infinity=False, width=64)


def stored(made: Reference) -> Reference:
    """As a bundle has it: floats have 6 digits."""
    return build(Reference, json.loads(json.dumps(rounded(plain(made)))))


@given(st.lists(numbers, min_size=1, max_size=20))
@example([0.1234567, 0.1234568])
@example([1_357_034_400.0, -1_357_034_401.0])
@example([5e-324, 1.7976931348623157e308])
@example([float("nan")])
def test_no_row_of_training_is_outside_of_what_was_seen(values: list[float]) -> None:
    column = np.array(values)
    with np.errstate(all="ignore"):
        made = stored(reference({"x": column}, {"x": Column("number")}))
    assert outside(made, {"x": column}) == {}


@pytest.mark.parametrize(("low", "high", "beyond"), [(0, 100, [-1, 101]), (0.5, 12.25, [0.49, 12.26])])
def test_a_value_beyond_the_range_is_outside(low: float, high: float, beyond: list[float]) -> None:
    column = np.array([low, high, np.nan])
    made = stored(reference({"x": column}, {"x": Column("number")}))
    assert outside(made, {"x": np.array([*beyond, low, high, np.nan])}) == {"x": 2}


def test_new_levels_are_outside_and_times_texts_and_nulls_are_not() -> None:
    spec = {"c": Column("category"), "f": Column("text"), "t": Column("time"), "n": Column("number")}
    text = np.array(["a", "b", None], dtype=object)
    rows = {"c": text, "f": text, "t": np.array(["2013-01-01"] * 3, "datetime64[s]"), "n": np.full(3, np.nan)}
    made = stored(reference(rows, spec))
    assert made.inputs["n"] == Numbers("number", 3, 1.0, (), (0,))
    other = np.array(["a", "z", None, "z"], dtype=object)
    new = {"c": other, "f": other, "t": np.array(["2099-01-01"] * 4, "datetime64[s]"), "n": np.ones(4)}
    assert outside(made, new) == {"c": 2}
    assert outside(made, {"n": np.ones(4)}) == {}


def test_a_bundle_without_the_range_compares_levels_only() -> None:
    old = Reference({"n": Numbers("number", 2, 0.0, (1.0,), (1, 1)), "c": Levels("category", 1, 0.0, {"a": 1})})
    assert build(Reference, plain(old)) == old
    assert outside(old, {"n": np.array([99.0]), "c": np.array(["b"], dtype=object)}) == {"c": 1}
