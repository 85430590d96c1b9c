"""Outcomes: the truth about a record, which arrives after its prediction."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql
from sqlalchemy.exc import OperationalError

from ..base.errors import DataError, UnavailableError, difference
from .database import CHUNK, OUTCOMES, RECORDS, insert_new, reason_of
from .entries import utc
from .index import index_new
from .reading import block_of_request

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from .bundles import LoggedBundle

PREDICTION = "prediction_id"
"""The column that may name a prediction, instead of the columns that identify a record."""


_PREDICTION_ID = re.compile("[0-9a-f]{20}/[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Arrived:
    """The outcomes that arrived together, counted.

    `added`: of records that were asked about. `unknown`: of records that were not (yet): they are kept, and count from
    the moment that a prediction is made. `duplicate`: known already, with the same value. `conflicting`: known already
    with another value, which stays. `set_aside`: position -> why an outcome cannot be read.
    """

    rows: int
    added: int = 0
    unknown: int = 0
    duplicate: int = 0
    conflicting: int = 0
    set_aside: dict[int, str] = field(default_factory=dict)


def add_outcomes(engine: sql.Engine, bundle: LoggedBundle, columns: Mapping[str, Sequence[Any]], now: float) -> Arrived:
    """Add outcomes: the target of a bundle, and the columns that identify a record, or `prediction_id`.

    What arrives twice changes nothing. Returns their counts; one transaction, so that an error leaves nothing half
    done. Raises DataError for other columns, and UnavailableError where the log cannot be written now.
    """
    if differs := difference(columns_of_outcomes(bundle, columns), columns):
        raise DataError(f"these are not the columns of outcomes\n  {differs}")
    values, aside = values_of(columns[bundle.target], bundle.classes)
    count = len(values)
    by_prediction = PREDICTION in columns
    keys = [*columns[PREDICTION]] if by_prediction else bundle.keys(columns)
    for at, key in enumerate(keys):
        if not isinstance(key, str) or (by_prediction and not _PREDICTION_ID.fullmatch(key)):
            name = PREDICTION if by_prediction else ", ".join(bundle.identity)
            aside[at] = "; ".join(filter(None, [aside.get(at), f"{name} cannot be read"]))
    good = [at for at in range(count) if at not in aside]
    try:
        counts = _add(engine, keys, values, good, now, by_prediction=by_prediction)
    except OperationalError as error:
        raise UnavailableError(f"the prediction log cannot be written now: {reason_of(error)}; try again") from None
    return Arrived(count, **counts, set_aside=aside)


def _add(
    engine: sql.Engine,
    keys: Sequence[Any],
    values: Sequence[str],
    good: Sequence[int],
    now: float,
    *,
    by_prediction: bool,
) -> Counter[str]:
    """Add those at the positions `good`; how many there are of each kind."""
    index_new(engine)
    made = _records_of(engine, [str(keys[at]) for at in good]) if by_prediction else {}
    wanted = [made.get(str(keys[at]), str(keys[at])) for at in good]
    with engine.begin() as connection:
        known = _known(connection, wanted)
        asked = {*made.values()} | _asked(connection, wanted)
        counts: Counter[str] = Counter()
        new: dict[str, str] = {}
        for at, key in zip(good, wanted, strict=True):
            there = known.get(key, new.get(key))
            if there is None:
                new[key] = values[at]
                counts["added" if key in asked else "unknown"] += 1
            else:
                counts["duplicate" if there == values[at] else "conflicting"] += 1
        insert_new(connection, OUTCOMES, [{"record": k, "value": v, "arrived": utc(now)} for k, v in new.items()])
    return counts


def columns_of_outcomes(bundle: LoggedBundle, given: Collection[str]) -> list[str]:
    """The columns that outcomes must bring, by those that they do."""
    named = [PREDICTION] if PREDICTION in given or not bundle.identity else bundle.identity
    return [*named, bundle.target]


def values_of(found: Sequence[Any], classes: Sequence[str]) -> tuple[list[str], dict[int, str]]:
    """Outcomes as the log has them, and why some cannot be read, by position.

    >>> values_of(["late", 0, True, "x"], ["on_time", "late"])
    (['late', 'on_time', 'late', ''], {3: "'x' is none of on_time, late"})
    >>> values_of([1, "2.50", None], [])
    (['1.0', '2.5', ''], {2: 'None is no number'})
    """
    values, aside = list[str](), dict[int, str]()
    for at, given in enumerate(found):
        value = _class(given, classes) if classes else _number(given)
        if value is None:
            shown = repr(given)[:40]
            aside[at] = f"{shown} is none of {', '.join(classes[:10])}" if classes else f"{shown} is no number"
        values.append(value or "")
    return values, aside


def _class(given: Any, classes: Sequence[str]) -> str | None:
    text = str(given).strip()
    if text in classes:
        return text
    if len(classes) == 2:
        return {"0": classes[0], "1": classes[1], "false": classes[0], "true": classes[1]}.get(text.lower())
    return None


def _number(given: Any) -> str | None:
    try:
        value = float(given)
    except (TypeError, ValueError):
        return None
    return repr(value) if math.isfinite(value) else None


def _records_of(engine: sql.Engine, predictions: Sequence[str]) -> dict[str, str]:
    """Prediction id -> the key of its record, of those that were made and have one."""
    found: dict[str, str] = {}
    wanted = sorted({*predictions})
    while wanted:
        block = block_of_request(engine, wanted[0].rpartition("/")[0])
        if block is None:
            wanted.pop(0)
            continue
        keys = dict(zip(block.predictions, block.keys, strict=True))
        found |= {name: key or name for name in wanted if (key := keys.get(name)) or name in keys}
        wanted = [name for name in wanted[1:] if name not in keys]
    return found


def _known(connection: sql.Connection, keys: Sequence[str]) -> dict[str, str]:
    """Key -> outcome, of the records whose outcome is known."""
    found = dict[str, str]()
    for some in _chunks(keys):
        query = sql.select(OUTCOMES.c.record, OUTCOMES.c.value).where(OUTCOMES.c.record.in_(some))
        found |= {row.record: row.value for row in connection.execute(query)}
    return found


def _asked(connection: sql.Connection, keys: Sequence[str]) -> set[str]:
    """The keys of records that a prediction was made for."""
    found = set[str]()
    for some in _chunks(keys):
        query = sql.select(RECORDS.c.record).where(RECORDS.c.record.in_(some)).distinct()
        found |= {*connection.scalars(query)}
    return found


def _chunks(keys: Sequence[str]) -> list[list[str]]:
    distinct = [*dict.fromkeys(keys)]
    return [distinct[at : at + CHUNK] for at in range(0, len(distinct), CHUNK)]
