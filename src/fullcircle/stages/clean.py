"""clean: raw rows -> rows kept, with what was known of them in time, and rows rejected with their reasons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fullcircle.base.checks import Checked, check
from fullcircle.base.columns import Columns, is_null, rows, take
from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.typed import plain
from fullcircle.cleaning.joins import check_joins, joined
from fullcircle.core import paths
from fullcircle.core.config import load, load_file
from fullcircle.core.data import Data, Table, schema_of
from fullcircle.core.expressions import holds, mentioned
from fullcircle.core.memory import check_memory
from fullcircle.core.stage import run
from fullcircle.core.tables import files_of, read_columns, write_columns, write_json
from fullcircle.pointintime.columns import due_at, last_observed, recent
from fullcircle.pointintime.spec import History, Moment, Observations


@dataclass(frozen=True, slots=True)
class CleanConfig:
    """How much may be wrong before the source itself is."""

    max_rejected: float  # 0..1, share of the rows of a table

    def __post_init__(self) -> None:
        if not 0 <= self.max_rejected <= 1:
            raise ValueError(f"max_rejected {self.max_rejected:g} is outside 0..1")


@dataclass(frozen=True, slots=True)
class Sifted:
    """A table in two halves: rows(kept) + rows(rejected) == rows in; `rejected` has a column `reasons`."""

    kept: Columns
    rejected: Columns
    report: dict[str, Any]


def split_rows(raw: Columns, spec: Table, name: str, config: CleanConfig) -> Sifted:
    """Split `raw` by the checks of its columns, its rules and its key. Raises DataError if too much is rejected."""
    checked = check(raw, spec.columns)
    needed = dict.fromkeys([*spec.key, *mentioned(spec.columns, *(rule.holds for rule in spec.rules))])
    frame = pd.DataFrame({name: checked.columns[name] for name in needed}, copy=False)
    for rule in spec.rules:
        broken = ~holds(frame, rule.holds, f"rules of {name}: {rule.name}")
        if broken.any():
            checked.broken[rule.name] = broken
    if spec.key:
        # Only a row that is otherwise sound can be the first of its key.
        sound = np.flatnonzero(~checked.rejected)
        repeated = np.zeros(len(frame), bool)
        repeated[sound] = frame.iloc[sound].duplicated(subset=list(spec.key)).to_numpy()
        if repeated.any():
            checked.broken["another row has the key " + ", ".join(spec.key)] = repeated
    return _halves(checked, spec, name, config)


def _halves(checked: Checked, spec: Table, name: str, config: CleanConfig) -> Sifted:
    bad = checked.rejected
    total, lost = len(bad), int(bad.sum())
    report = {
        "rows": total,
        "kept": total - lost,
        "rejected": lost,
        "rules": {rule: int(mask.sum()) for rule, mask in checked.broken.items()},
        "corrected": checked.corrected,
        "missing": {c: n for c in spec.columns if (n := int(is_null(checked.columns[c]).sum()))},
    }
    if lost > config.max_rejected * total:
        raise DataError(_too_many(checked, spec, name, config.max_rejected))
    rejected = take(checked.columns, bad) | {"reasons": np.array(checked.reasons(), dtype=object)}
    return Sifted(take(checked.columns, ~bad), rejected, report)


def _too_many(checked: Checked, spec: Table, name: str, allowed: float) -> str:
    lines = []
    for rule, mask in checked.broken.items():
        first = np.flatnonzero(mask)[0]
        example = ", ".join(f"{key}={checked.columns[key][first]}" for key in spec.key) or f"row {first + 1:,}"
        lines.append(f"  {rule}: {int(mask.sum()):,} rows, e.g. {example}")
    bad, total = int(checked.rejected.sum()), len(checked.rejected)
    return (
        f"{bad:,} of {total:,} rows of {name} break {len(lines)} rules\n"
        + "\n".join(lines)
        + f"\nMend the source, mend the rules in the problem, or raise clean.max_rejected (now {allowed:g})."
    )


def add_known(
    kept: Columns,
    moment: Moment | None,
    observations: Observations | None,
    observed: Columns,
    history: History | None,
) -> tuple[Columns, dict[str, Any]]:
    """Add to kept rows what was known at their moment of prediction; also say how many rows had no observation.

    A problem without such a moment has only what stands in its rows. Raises ConfigError if its data has more.
    """
    if moment is None:
        if observations is not None or history is not None:
            raise ConfigError("observations and history need problem.moment, which says when a prediction is made")
        return dict(kept), {"rows_without_observation": 0}
    due = due_at(kept, moment)
    at = due - round(moment.lead_hours * 3600)
    known = dict(kept)
    unobserved = 0
    if observations is not None:
        found, unobserved = last_observed(kept, observed, at, observations)
        known |= found
    if history is not None:
        known |= recent(kept, due, at, history)
    return known, {"rows_without_observation": unobserved}


def raw_of(table: str) -> Path:
    """Where the raw table is: a file, or a folder of snapshots in the order they were taken."""
    parts = paths.raw_parts(table)
    return parts if parts.is_dir() else paths.raw(table)


def main() -> None:
    """Sift every table, join what was known, check the result; write both halves, the reference tables, the schema."""
    from fullcircle.cleaning.schema import check_clean  # pandera: half a second for who wants the configuration alone

    config = load(CleanConfig, "clean")
    name, moment = load(str, "problem.table"), load(Moment | None, "problem.moment")
    data = load_file(Data, Path(load(str, "problem.data")))
    check_joins(data, name)
    for table in data.tables:
        check_memory(table, files_of(raw_of(table)))
    sifted = {
        table: split_rows(read_columns(raw_of(table)), spec, table, config) for table, spec in data.tables.items()
    }
    observed = sifted[data.observations.table].kept if data.observations else {}
    known, report = add_known(sifted[name].kept, moment, data.observations, observed, data.history)
    known, unmatched = joined(known, {table: s.kept for table, s in sifted.items()}, data.joins)
    report |= {"rows_without_match": unmatched} if data.joins else {}
    schema = schema_of(data, name, moment)
    check_clean(pd.DataFrame({c: known[c] for c in schema.inputs}, copy=False), schema.inputs, "clean")
    assert rows(known) + rows(sifted[name].rejected) == sifted[name].report["rows"]  # noqa: S101
    write_columns(paths.KEPT, known)
    write_columns(paths.REJECTED, sifted[name].rejected)
    for table in sifted.keys() - {name, schema.observed}:
        write_columns(paths.reference(table), sifted[table].kept)
    write_json(paths.SCHEMA, plain(schema))
    write_json(paths.CLEAN_REPORT, {table: s.report for table, s in sifted.items()} | {"point_in_time": report})


if __name__ == "__main__":
    run("clean", main)
