"""The circle in one process: from a table that nobody has seen to answers, in a folder of its own."""

from __future__ import annotations

import contextlib
import csv
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fullcircle.base.files import write_text
from fullcircle.commands.score import score_any
from fullcircle.core import paths
from fullcircle.core.config import compose, load, read_params
from fullcircle.core.source import Source, of_new_rows
from fullcircle.core.tables import read_json
from fullcircle.drafting.init import init
from fullcircle.drafting.table import How
from fullcircle.params import check_composed
from fullcircle.scoring.batch import Job, Summary
from fullcircle.scoring.scorer import Scorer
from fullcircle.stages import clean, featurize, ingest, label, split, train, validate
from tests import project

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGES = (ingest, clean, label, split, featurize, train, validate)


@dataclass(frozen=True)
class Table:
    """A table as a CSV file has it; names may come twice. The last column is the target."""

    header: list[str]
    columns: list[Sequence[Any]]

    @property
    def rows(self) -> int:
        return len(self.columns[0])


@dataclass(frozen=True)
class Done:
    """What became of the very rows that were learnt from, and the verdict on the test rows."""

    scored: Summary
    answers: list[list[str]]
    verdict: str


def of(columns: dict[str, Sequence[Any]]) -> Table:
    return Table(list(columns), list(columns.values()))


def circle(table: Table, target: str, *overrides: str) -> Done:
    """Draft from a CSV file, run every stage and score that very file."""
    with elsewhere():
        write_csv(Path("table.csv"), table)
        return come_round("table.csv", "table.csv", target, *overrides)


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """Work in a folder with this project's conf/, which is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        project.conf_in(Path())
        yield
    read_params.cache_clear()


def come_round(data: str, new_rows: str, target: str, *overrides: str, encoding: str = "utf-8") -> Done:
    """Draft from `data`, run every stage and score the file `new_rows`."""
    init(data, target, "drawn", how=How(encoding), force=True)
    read_params.cache_clear()
    composed = compose(["problem=drawn", *overrides])
    check_composed(composed)
    write_text(paths.PARAMS, composed)
    for stage in STAGES:
        stage.main()
    dialect = of_new_rows(load(dict[str, Source], "problem.sources")[load(str, "problem.table")])  # as package has it
    scored = score_any(Job.of_scorer(Scorer.load(paths.SCORER), dialect), Path(new_rows), Path("answers.csv"))
    with Path("answers.csv").open(newline="", encoding="utf-8") as file:
        return Done(scored, list(csv.reader(file)), read_json(paths.VERDICT)["status"])


def write_csv(file: Path, table: Table, delimiter: str = ",", encoding: str = "utf-8") -> None:
    with file.open("w", newline="", encoding=encoding) as opened:
        writer = csv.writer(opened, delimiter=delimiter)
        writer.writerow(table.header)
        writer.writerows(["" if v is None else v for v in row] for row in zip(*table.columns, strict=True))
