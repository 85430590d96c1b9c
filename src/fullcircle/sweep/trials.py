"""The trials of a sweep: choices and results, and their CSV file."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from fullcircle.base.errors import DataError
from fullcircle.core import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Direction: TypeAlias = Literal["maximize", "minimize"]

LEADING = ("trial", "rank", "experiment", "state", "value", "deviation", "seconds")
STATES = ("complete", "pruned", "failed")


@dataclass(frozen=True, slots=True)
class Trial:
    """One finished point of a search. `number` counts from 1."""

    number: int
    state: Literal["complete", "pruned", "failed"]
    choices: dict[str, Any]  # swept key, such as model.max_depth -> its value; keys may differ between trials
    value: float | None = None  # of the sweep's metric: mean over folds and repeats; None if it failed or was pruned
    deviation: float | None = None  # sample standard deviation over repeats or folds; None for a single fit
    metrics: dict[str, float | None] = field(default_factory=dict)  # of metrics/train.json
    seconds: float = 0.0
    error: str = ""
    experiment: str = ""  # its DVC experiment; empty if it was not recorded
    rank: int | None = None  # among the complete trials of its sweep; 1 is the best


def completed(trials: Iterable[Trial]) -> list[Trial]:
    """The complete trials that have a finite value, by number."""
    complete = [t for t in trials if t.state == "complete" and t.value is not None and math.isfinite(t.value)]
    return sorted(complete, key=lambda trial: trial.number)


def ranked(trials: Iterable[Trial], direction: Direction) -> list[Trial]:
    """The complete trials, best first; of equal ones the earlier first."""
    sign = -1.0 if direction == "maximize" else 1.0
    return sorted(completed(trials), key=lambda trial: sign * (trial.value or 0.0))


def best(trials: Iterable[Trial], direction: Direction) -> Trial | None:
    """The best complete trial, of equal ones the earlier; None if none is complete."""
    found = running_best(trials, direction)
    return found[-1] if found else None


def running_best(trials: Iterable[Trial], direction: Direction) -> list[Trial]:
    """Each complete trial that was better than all before it, by number."""
    sign, found, most = (1.0 if direction == "maximize" else -1.0), [], -math.inf
    for trial in completed(trials):
        if sign * (trial.value or 0.0) > most:
            found.append(trial)
            most = sign * (trial.value or 0.0)
    return found


def write_csv(path: Path, trials: Sequence[Trial]) -> None:
    """Write trials as CSV: one column per metric and per choice, empty if a trial does not have it. Atomic.

    Values, metrics and choices keep every digit, so that `read_csv` returns equal trials; seconds are rounded to 0.1,
    and lines of an error end in a line feed. Text that could be read as a number, a boolean or null is quoted, as in
    JSON.
    """
    metrics = sorted({name for trial in trials for name in trial.metrics})
    choices = dict.fromkeys(key for trial in trials for key in trial.choices)
    columns: dict[str, list[Any]] = {
        "trial": [trial.number for trial in trials],
        "rank": ["" if trial.rank is None else trial.rank for trial in trials],
        "experiment": [trial.experiment for trial in trials],
        "state": [trial.state for trial in trials],
        "value": ["" if trial.value is None else repr(float(trial.value)) for trial in trials],
        "deviation": ["" if trial.deviation is None else repr(float(trial.deviation)) for trial in trials],
        "seconds": [f"{trial.seconds:.1f}" for trial in trials],
    }
    columns |= {f"metrics.{name}": [_cell(trial.metrics, name) for trial in trials] for name in metrics}
    columns |= {f"choices.{key}": [_cell(trial.choices, key) for trial in trials] for key in choices}
    tables.write_csv(
        path, columns | {"error": [trial.error.replace("\r\n", "\n").replace("\r", "\n") for trial in trials]}
    )


def read_csv(path: Path) -> list[Trial]:
    """Read a file of `write_csv`. Raises DataError if it is missing or not a table of trials."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if missing := [name for name in (*LEADING, "error") if name not in (reader.fieldnames or ())]:
                raise DataError(f"{path} is not a table of trials: it has no column {', '.join(missing)}")
            return [_trial(row) for row in reader]
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}); a sweep writes it") from None
    except (csv.Error, ValueError) as error:
        raise DataError(f"{path} is not a table of trials: {error}") from None


def _trial(row: dict[str, str]) -> Trial:
    if any(cell is None for cell in row.values()) or None in row:
        raise ValueError(f"the row of trial {row['trial']} does not have the number of cells of the header")
    if row["state"] not in STATES:
        raise ValueError(f"the state of trial {row['trial']} is {row['state']!r}; known: {', '.join(STATES)}")
    return Trial(
        number=int(row["trial"]),
        state=row["state"],  # type: ignore[arg-type]  # one of STATES
        choices=_under("choices.", row),
        value=float(row["value"]) if row["value"] else None,
        deviation=float(row["deviation"]) if row["deviation"] else None,
        metrics=_under("metrics.", row),
        seconds=float(row["seconds"]),
        error=row["error"],
        experiment=row["experiment"],
        rank=int(row["rank"]) if row["rank"] else None,
    )


def _under(prefix: str, row: dict[str, str]) -> dict[str, Any]:
    return {name.removeprefix(prefix): _parsed(cell) for name, cell in row.items() if name.startswith(prefix) and cell}


def _cell(values: dict[str, Any], key: str) -> str:
    if key not in values:
        return ""
    value = values[key]
    plain = isinstance(value, str) and value != "" and "\r" not in value and _parsed(value) is value
    return value if plain else json.dumps(value, ensure_ascii=False)


def _parsed(cell: str) -> Any:
    """The value of a cell: parsed as JSON if valid, else text."""
    try:
        return json.loads(cell)
    except ValueError:
        return cell
