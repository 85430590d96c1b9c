"""`fullcircle outcomes`: outcomes out of a file, with the target or with the columns that it is computed from."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from fullcircle.base.errors import DataError, listed
from fullcircle.core.arrow import cast
from fullcircle.core.expressions import mentioned
from fullcircle.core.source import File
from fullcircle.core.tables import columns_of
from fullcircle.core.target import BinaryTarget, Target
from fullcircle.labelling.targets import target_of
from fullcircle.log.bundles import latest_bundle
from fullcircle.log.outcomes import PREDICTION, Arrived, add_outcomes
from fullcircle.log.records import plain_values
from fullcircle.sources.file import read

if TYPE_CHECKING:
    from pathlib import Path

    import sqlalchemy as sql

    from fullcircle.base.checks import Column
    from fullcircle.log.bundles import LoggedBundle

ROWS = 20_000  # that are added in one transaction


def outcomes(
    engine: sql.Engine, source: Path, target: Target, columns: dict[str, Column], now: float | None = None
) -> Arrived:
    """Add the outcomes of a file, in parts of 20,000 rows. `columns`: those of the problem's table.

    The file has the columns that identify a record, or `prediction_id`, and the target by its name, or the columns
    that the problem computes it from. Raises DataError and SourceError; what was added before stays, and is known
    when the file is read again.
    """
    bundle = latest_bundle(engine)
    known = dict(columns) | dict(bundle.read)
    batches, where = read(File("file", str(source)), known)
    total: Arrived | None = None
    for batch in batches:
        for at in range(0, batch.num_rows, ROWS):
            part = batch.slice(at, ROWS)
            found = add_outcomes(engine, bundle, _values(part, bundle, target, known, where), now or time.time())
            total = found if total is None else _added(total, found)
    if total is None:
        raise DataError(f"{where} has no rows")
    return total


def _values(
    batch: pa.RecordBatch, bundle: LoggedBundle, target: Target, known: dict[str, Column], where: str
) -> dict[str, list[Any]]:
    names = batch.schema.names
    identity = [PREDICTION] if PREDICTION in names else [*bundle.identity]
    if absent := [name for name in identity if name not in names]:
        raise DataError(f"{where}: there is no column {listed(absent)}, which identifies a record; nor {PREDICTION}")
    found = {name: _column(batch, name, known) for name in identity}
    if bundle.target in names:
        found[bundle.target] = batch.column(bundle.target).to_pylist()
        return found
    reads = (
        mentioned(known, target.holds) if isinstance(target, BinaryTarget) and target.holds else [str(target.column)]
    )
    if absent := [name for name in reads if name not in names]:
        raise DataError(
            f"{where}: there is no column {bundle.target}, nor {listed(absent)}, which it is computed from; "
            f"there are {listed(names)}"
        )
    typed = pa.table({name: _cast(batch, name, known) for name in reads})
    numbers = target_of(typed, target)
    found[bundle.target] = [_outcome(number, bundle.classes) for number in numbers.tolist()]
    return found


def _outcome(number: float, classes: tuple[str, ...]) -> Any:
    if np.isnan(number):
        return None
    return classes[int(number)] if classes else number


def _cast(batch: pa.RecordBatch, name: str, known: dict[str, Column]) -> pa.Array:
    column = known[name]
    made, wrong = cast(batch.column(name), column.kind, column.format, column.nulls)
    if wrong is not None:
        at = int(np.flatnonzero(wrong.to_numpy(zero_copy_only=False))[0])
        raise DataError(f"{name} is no {column.kind} in some rows, e.g. {batch.column(name)[at].as_py()!r}")
    return made


def _column(batch: pa.RecordBatch, name: str, known: dict[str, Column]) -> list[Any]:
    if name not in known:
        return list(batch.column(name).to_pylist())
    return plain_values(columns_of(pa.table({name: _cast(batch, name, known)}))[name])


def _added(one: Arrived, two: Arrived) -> Arrived:
    return Arrived(
        one.rows + two.rows,
        one.added + two.added,
        one.unknown + two.unknown,
        one.duplicate + two.duplicate,
        one.conflicting + two.conflicting,
        one.set_aside | {one.rows + at: why for at, why in two.set_aside.items()},
    )


def summary(found: Arrived) -> str:
    """The counts of outcomes, in words."""
    kinds = {
        "kept for records without a prediction": found.unknown,
        "known already": found.duplicate,
        "known already with another value, which stays": found.conflicting,
        "could not be read": len(found.set_aside),
    }
    lines = [f"{found.rows:,} outcomes: {found.added:,} added"]
    lines += [f"  {count:,} {kind}" for kind, count in kinds.items() if count]
    if found.set_aside:
        lines += [f"    row {at + 1}: {why}" for at, why in sorted(found.set_aside.items())[:5]]
    return "\n".join(lines)
