from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fullcircle.stages.explore import ExploreConfig, explore

ROWS = 60
TABLE = pa.table({"rooms": np.arange(ROWS) % 7, "city": ["Ulm", "Bonn", "Kiel"] * 20, "target": np.arange(ROWS) / 7.0})
PLOT = "svg+xml"


def test_equal_rows_give_an_equal_report() -> None:
    first, again = (explore(TABLE, ExploreConfig(ROWS, 3)) for _ in range(2))
    assert first == again
    assert all(name in first for name in (*TABLE.column_names, "Bonn"))


def test_a_table_of_many_columns_is_told_of_without_plots() -> None:
    drawn, told = (explore(TABLE, ExploreConfig(ROWS, columns)) for columns in (3, 2))
    assert PLOT in drawn
    assert PLOT not in told
    assert all(name in told for name in (*TABLE.column_names, "Bonn"))


def test_of_many_rows_some_are_looked_at_and_the_title_says_so() -> None:
    assert "every 4th of 60" in explore(TABLE, ExploreConfig(15, 3))
    assert "every 4th" not in explore(TABLE, ExploreConfig(60, 2))


@pytest.mark.parametrize("config", [(0, 1), (1, 0)])
def test_none_to_look_at_is_refused(config: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        ExploreConfig(*config)
