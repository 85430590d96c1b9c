from __future__ import annotations

import csv
import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.base.dialect import USUAL, Dialect
from fullcircle.base.errors import DataError
from fullcircle.scoring import csvfile as module
from fullcircle.scoring.batch import Job
from fullcircle.scoring.csvfile import score_file
from fullcircle.scoring.scorer import Scorer
from tests.builders import labelled, only_inputs, trained

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 20


def ignoring(*names: str) -> Scorer:
    made = trained().scorer
    return Scorer(replace(made.plan, ignored=names), made.spec, made.model)


def write(file: Path, **more: str) -> None:
    """The inputs of a few rows, and further columns of one value."""
    columns = only_inputs(labelled(ROWS, seed=7))
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow([*more, *columns])
        for row in zip(*columns.values(), strict=True):
            cells = ["" if v is None or v != v else v for v in row]
            writer.writerow([*more.values(), *cells])


def test_what_the_plan_ignores_may_come_along_and_moves_no_answer(tmp_path: Path) -> None:
    write(tmp_path / "bare.csv")
    write(tmp_path / "whole.csv", order_id="N-17", late="yes")
    scorer = ignoring("order_id", "late")
    for name in ("bare", "whole"):
        done = score_file(Job.of_scorer(scorer, USUAL), tmp_path / f"{name}.csv", tmp_path / f"{name}.answers.csv")
        assert done.scored + done.rejected == ROWS
    assert (tmp_path / "whole.answers.csv").read_text() == (tmp_path / "bare.answers.csv").read_text()


def test_a_column_that_nobody_knows_is_still_refused(tmp_path: Path) -> None:
    write(tmp_path / "rows.csv", order_no="N-17")
    with pytest.raises(DataError, match=r"unknown column: order_no"):
        score_file(Job.of_scorer(ignoring("order_id"), USUAL), tmp_path / "rows.csv", tmp_path / "answers.csv")
    assert not (tmp_path / "answers.csv").exists()


def test_columns_that_are_ignored_are_not_checked_either() -> None:
    columns = only_inputs(labelled(ROWS, seed=7))
    expected = trained().scorer.score(columns).predicted
    columns["order_id"] = np.array([None] * ROWS, dtype=object)
    assert ignoring("order_id").score(columns).predicted.tolist() == expected.tolist()


def test_new_rows_are_written_as_the_source_was(tmp_path: Path) -> None:
    write(tmp_path / "usual.csv")
    text = (tmp_path / "usual.csv").read_text(encoding="utf-8")
    cells = [line.split(",") for line in text.splitlines()]
    other = "\n".join(";".join(cell.replace(".", ",") or "-" for cell in line) for line in cells)
    (tmp_path / "other.csv").write_text(f"made by X\n{other}\n", encoding="utf-16")
    dialect = Dialect(";", "'", ",", "utf-16", ("-",), skip=1)
    for name, written in (("usual", USUAL), ("other", dialect)):
        done = score_file(
            Job.of_scorer(trained().scorer, written), tmp_path / f"{name}.csv", tmp_path / f"{name}.answers.csv"
        )
        assert done.scored == ROWS
    assert (tmp_path / "other.answers.csv").read_text() == (tmp_path / "usual.answers.csv").read_text()
    with pytest.raises(DataError, match="Its header is one cell: ';' stands between cells"):
        score_file(Job.of_scorer(trained().scorer, Dialect(";")), tmp_path / "usual.csv", tmp_path / "answers.csv")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.csv", b"", "is empty: it has no header"),
        ("rows.csv", "straße".encode("latin-1"), "is no CSV in utf-8: 'utf-8' codec"),
        ("rows.csv.gz", b"no gzip", "is no CSV in utf-8: Not a gzipped file"),
        ("rows.csv.gz", gzip.compress(b"a,b\n" * 1000, mtime=0)[:-20], "is no CSV in utf-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        score_file(Job.of_scorer(trained().scorer, USUAL), tmp_path / name, tmp_path / "answers.csv")
    assert name in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize(
    ("content", "dialect", "said"),
    [
        (b"x" * 10_000_000, USUAL, "a row has more than 1,000 characters; perhaps a quote is not closed"),
        (b'a,b\n"' + b"x\n" * 1_000_000, USUAL, "after row 0: a row has more than 1,000 characters"),
        (b"x" * 10_000_000, Dialect(skip=3), "a row has more than 1,000 characters"),
        (b"x\n" * 10, Dialect(skip=1_000_000), "is empty: it has no header"),
        (b"\n" * 10_000_000, USUAL, "more than 50 blank lines follow each other"),
        (b"a\n" + b"\r\n" * 10_000_000, USUAL, "more than 50 blank lines follow each other"),
    ],
)
def test_what_a_small_gzip_unpacks_to_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, dialect: Dialect, said: str
) -> None:
    monkeypatch.setattr(module, "LONGEST", 1_000)
    monkeypatch.setattr(module, "BLANK_LINES", 50)
    if b"\n" in content[:10]:
        content = content.replace(b"a,b", ",".join(trained().scorer.plan.inputs).encode(), 1)
        content = content.replace(b"a\n", ",".join(trained().scorer.plan.inputs).encode() + b"\n", 1)
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(content, 1, mtime=0))
    with pytest.raises(DataError, match=said):
        score_file(Job.of_scorer(trained().scorer, dialect), tmp_path / "rows.csv.gz", tmp_path / "out.csv")


def test_fewer_rows_are_held_at_a_time_where_they_are_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "rows.csv", order_id="N" * 100)
    job = Job.of_scorer(ignoring("order_id"), USUAL)
    score_file(job, tmp_path / "rows.csv", tmp_path / "expected.csv")
    monkeypatch.setattr(module, "CELLS", 60)
    read = module._chunks(tmp_path / "rows.csv", USUAL, job.read)
    assert [(chunk.first, chunk.rows) for chunk in read] == [(i, 3) for i in range(1, 19, 3)] + [(19, 2)]
    score_file(job, tmp_path / "rows.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()
