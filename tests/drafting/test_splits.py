from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.drafting.files import problem_file
from fullcircle.drafting.roles import ColumnDraft, draft_column
from fullcircle.drafting.splits import suggest_split
from tests.drafting import made
from tests.drafting.made import profiled

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS = 400
DAYS = [str(d) for d in np.datetime64("2013-01-01") + np.random.default_rng(0).permutation(ROWS)]
Y = np.arange(ROWS) % 2 * 1.0


def roles(**columns: list[object]) -> list[ColumnDraft]:
    return [draft_column(profiled(values, name)) for name, values in columns.items()]


def test_a_date_suggests_a_split_by_time_at_70_and_85_percent() -> None:
    found = suggest_split(roles(a=[1, 2] * 200, when=[*DAYS]), Y, 2)
    assert (found.kind, found.columns) == ("time", ("when",))
    assert found.borders is not None
    first, second = found.borders
    assert [sum(day < border for day in DAYS) / ROWS for border in (first, second)] == [0.70, 0.85]


def test_times_within_a_day_have_borders_in_seconds() -> None:
    moments = [f"2013-01-01T{i // 60:02}:{i % 60:02}:00" for i in range(ROWS)]
    found = suggest_split(roles(when=[*moments]), Y, 2)
    assert found.borders == (moments[280], moments[340])


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("date_of_birth", DAYS),
        ("DOB", DAYS),
        ("when", [*DAYS[:300], *[None] * 100]),
        ("when", ["2013-01-01", "2013-06-01"] * 200),
        ("when", ["2013-01-01"] * 300 + DAYS[:100]),
    ],
)
def test_a_date_that_does_not_order_the_rows_is_ignored(name: str, days: list[object]) -> None:
    assert suggest_split(roles(**{name: days}), Y, 2).kind == "random"


def test_one_gap_in_a_date_sets_its_row_aside() -> None:
    found = suggest_split(roles(when=[*DAYS[:-1], None]), Y, 2)
    assert (found.kind, found.columns) == ("time", ("when",))
    assert found.why.endswith("the model is tested on later rows; 1 without it are set aside")


def test_of_several_dates_the_one_in_whose_order_the_rows_are_is_taken_or_the_earlier() -> None:
    later = [f"{day[:2]}23{day[4:]}" for day in DAYS]
    assert suggest_split(roles(until=[*later], opened=[*DAYS]), Y, 2).columns == ("opened",)
    mixed = [str(DAYS[(7 * i) % ROWS]) for i in range(ROWS)]
    assert suggest_split(roles(first_seen=[*mixed], shipped=[*sorted(later)]), Y, 2).columns == ("shipped",)
    mixed_later = [f"{day[:2]}23{day[4:]}" for day in mixed]
    assert suggest_split(roles(until=[*mixed_later], opened=[*mixed]), Y, 2).columns == ("opened",)


def test_a_class_that_occurs_only_late_prevents_a_split_by_time() -> None:
    found = suggest_split(roles(when=[*DAYS]), np.array([float(day > "2014-01-20") for day in DAYS]), 2)
    assert found.kind == "random"
    assert "a class is missing" in found.why


def test_regression_needs_no_classes_in_each_split() -> None:
    assert suggest_split(roles(when=[*DAYS]), np.arange(ROWS) * 1.0, 0).kind == "time"


def test_rows_without_a_target_do_not_move_the_borders() -> None:
    late = np.array([np.nan if day > "2013-07-01" else i % 2 for i, day in enumerate(DAYS)])
    found = suggest_split(roles(when=[*DAYS]), late, 2)
    assert found.borders is not None
    assert found.borders[1] < "2013-07-01"


def test_a_shared_identifier_suggests_a_split_by_group() -> None:
    found = suggest_split(roles(patient_id=[f"P{i // 4}" for i in range(ROWS)]), Y, 2)
    assert (found.kind, found.columns) == ("group", ("patient_id",))


def test_without_either_the_split_is_random_by_the_key() -> None:
    keyed = suggest_split(roles(a=[1, 2] * 200, id=[f"C{i}" for i in range(ROWS)]), Y, 2)
    assert (keyed.kind, keyed.columns) == ("random", ("id",))
    assert suggest_split(roles(a=[1, 2] * 200), Y, 2).columns == ()


def test_many_equal_rows_are_independent_rows() -> None:
    few: dict[str, Sequence[Any]] = {"city": ["Wien", "Graz"] * 60, "age": [30 + i % 5 for i in range(120)]}
    few["y"] = [i * 7 % 3 % 2 for i in range(120)]
    text = problem_file(made.drafted(few, "y"))
    assert re.search(r"^  duplicates: independent +# 92% of the rows equal another in all inputs", text, re.MULTILINE)
    distinct = few | {"age": [*range(120)]}
    assert "duplicates" not in problem_file(made.drafted(distinct, "y"))
    keyed = few | {"customer_id": [f"C{i:05}" for i in range(120)]}
    assert "duplicates" not in problem_file(made.drafted(keyed, "y"))
