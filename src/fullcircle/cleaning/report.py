"""What `clean` reports of its tables: reports/clean.json."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table after its checks: numbers of rows, rows by broken rule, values corrected by rule, nulls by column."""

    rows: int
    kept: int
    rejected: int
    rules: dict[str, int]
    corrected: dict[str, int]
    missing: dict[str, int]


@dataclass(frozen=True, slots=True)
class PointInTimeReport:
    """Rows for which nothing was known: no observation in time, no match in a joined table (by its name)."""

    rows_without_observation: int
    rows_without_match: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CleanReport:
    """`tables`: by name."""

    tables: dict[str, TableReport]
    point_in_time: PointInTimeReport
