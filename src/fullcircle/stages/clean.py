"""clean: raw rows -> rows kept, with their point-in-time columns, and rows rejected with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fullcircle.base.columns import Columns, rows
from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import plain
from fullcircle.cleaning.joins import check_joins, joined
from fullcircle.cleaning.report import CleanReport, PointInTimeReport
from fullcircle.cleaning.rows import check_rows
from fullcircle.core import paths
from fullcircle.core.config import load, load_file
from fullcircle.core.data import Data, schema_of, state_spec_of
from fullcircle.core.memory import check_memory
from fullcircle.core.progress import doing
from fullcircle.core.schema import Schema
from fullcircle.core.stage import run
from fullcircle.core.tables import files_of, read_columns, write_columns, write_json
from fullcircle.pointintime.observed import last_observed
from fullcircle.pointintime.recent import due_at, recent
from fullcircle.pointintime.spec import History, Moment, Observations, StateSpec


@dataclass(frozen=True, slots=True)
class CleanConfig:
    """How much may be wrong before the source itself is."""

    max_rejected: float  # 0..1, share of the rows of a table

    def __post_init__(self) -> None:
        if not 0 <= self.max_rejected <= 1:
            raise ValueError(f"max_rejected {self.max_rejected:g} is outside 0..1")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The rows of the problem's table, and the reference tables, which are all others but the observations.

    `state`: what a state of past events must know; None where no column depends on a moment.
    """

    kept: Columns
    rejected: Columns
    references: dict[str, Columns]
    schema: Schema
    state: StateSpec | None
    report: CleanReport


def clean(raw: dict[str, Columns], table: str, data: Data, moment: Moment | None, config: CleanConfig) -> Cleaned:
    """Check every table, add what was known of each row of `table`, and check the result.

    rows(kept) + rows(rejected) == rows(raw[table]). Raises DataError, and ConfigError for data that needs a `moment`.
    """
    from fullcircle.cleaning.schema import check_clean  # pandera: half a second for who wants the configuration alone

    check_joins(data, table)
    checked = {name: check_rows(raw[name], spec, name, config.max_rejected) for name, spec in data.tables.items()}
    main_table, schema = checked[table], schema_of(data, table, moment)
    observed = checked[data.observations.table].kept if data.observations else {}
    known, unobserved = add_known(main_table.kept, moment, data.observations, observed, data.history)
    known, unmatched = joined(known, {name: c.kept for name, c in checked.items()}, data.joins)
    check_clean(pd.DataFrame({c: known[c] for c in schema.inputs}, copy=False), schema.inputs, "clean")
    assert rows(known) + rows(main_table.rejected) == main_table.report.rows  # noqa: S101
    reports = {name: c.report for name, c in checked.items()}
    return Cleaned(
        kept=known,
        rejected=main_table.rejected,
        references={name: c.kept for name, c in checked.items() if name not in (table, schema.observed)},
        schema=schema,
        state=state_spec_of(data, table, moment),
        report=CleanReport(reports, PointInTimeReport(unobserved, unmatched)),
    )


def add_known(
    kept: Columns,
    moment: Moment | None,
    observations: Observations | None,
    observed: Columns,
    history: History | None,
) -> tuple[Columns, int]:
    """Add to kept rows what was known at their moment of prediction; also return how many have no observation.

    A problem without such a moment has only the columns of its rows. Raises ConfigError if its data has more.
    """
    if moment is None:
        if observations is not None or history is not None:
            raise ConfigError("observations and history need problem.moment, which says when a prediction is made")
        return dict(kept), 0
    due = due_at(kept, moment)
    at = due - round(moment.lead_hours * 3600)
    known, unobserved = dict(kept), 0
    if observations is not None:
        found, unobserved = last_observed(kept, observed, at, observations)
        known |= found
    if history is not None:
        known |= recent(kept, due, at, history)
    return known, unobserved


def read_raw(data: Data) -> dict[str, Columns]:
    """Every raw table. Raises DataError for one that does not fit into memory."""
    for table in data.tables:
        check_memory(table, files_of(raw_of(table)))
    return {table: read_columns(raw_of(table)) for table in data.tables}


def raw_of(table: str) -> Path:
    """Where the raw table is: a file, or a folder of snapshots in the order they were taken."""
    parts = paths.raw_parts(table)
    return parts if parts.is_dir() else paths.raw(table)


def main() -> None:
    """Clean the raw tables; write both halves, the reference tables, the schema and the report."""
    config, moment = load(CleanConfig, "clean"), load(Moment | None, "problem.moment")
    data = load_file(Data, Path(load(str, "problem.data")))
    doing("checking rows and computing point-in-time columns")
    cleaned = clean(read_raw(data), load(str, "problem.table"), data, moment, config)
    doing("writing")
    write_columns(paths.KEPT, cleaned.kept)
    write_columns(paths.REJECTED, cleaned.rejected)
    for table, columns in cleaned.references.items():
        write_columns(paths.reference(table), columns)
    write_json(paths.SCHEMA, plain(cleaned.schema))
    write_json(paths.STATE_SPEC, plain(cleaned.state))
    write_json(paths.CLEAN_REPORT, plain(cleaned.report))


if __name__ == "__main__":
    run("clean", main)
