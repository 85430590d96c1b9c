"""Tables to draft from; all columns are text, as in CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fullcircle.core.source import File
from fullcircle.drafting.draft import Draft, draft
from fullcircle.drafting.kinds import ColumnProfile, profile
from fullcircle.drafting.table import TableSample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.drafting.target import Task


def column(values: Sequence[Any], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    """Values as a column of a table; text unless `kind` is given."""
    if kind is None:
        values, kind = [None if v is None else str(v) for v in values], pa.string()
    return pa.chunked_array([pa.array(values, kind)])


def profiled(values: Sequence[Any], name: str = "c", kind: pa.DataType | None = None) -> ColumnProfile:
    """The profile of a column."""
    return profile(name, column(values, kind), "t.csv")


def sample_of(columns: dict[str, Sequence[Any]], rows: int | None = None, step: int = 1) -> TableSample:
    """A sample with text columns."""
    table = pa.table({name: column(values) for name, values in columns.items()})
    return TableSample(File("file", "t.csv"), "t.csv", table, table.num_rows if rows is None else rows, step)


def drafted(columns: dict[str, Sequence[Any]], target: str, task: Task | None = None, *records: str) -> Draft:
    """A draft of a table of text."""
    return draft(sample_of(columns), "t", target, task, records)


def customers(rows: int = 300, seed: int = 0) -> dict[str, Sequence[Any]]:
    """Customers: `age` and `city` predict `churned`; the other columns cover every role."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 90, rows)
    city = random.choice(["Wien", "Graz", "Linz"], rows)
    odds = 0.06 * (age - 54) + 2.0 * (city == "Graz") - 0.7
    churned = random.random(rows) < 1 / (1 + np.exp(-odds))
    return {
        "customer_id": [f"C{i:05}" for i in random.permutation(rows)],
        "age": age.tolist(),
        "city": city.tolist(),
        "income": [None if i % 30 == 0 else f"{v:.2f}" for i, v in enumerate(random.normal(3000, 800, rows))],
        "country": ["AT"] * rows,
        "nothing": [None] * rows,
        "remark": [f"called {i} times about the bill" for i in range(rows)],
        "churned": ["yes" if c else "no" for c in churned],
    }
