"""The command behind `fullcircle score` and the wheel's script: what a person sees of it, and what it leaves behind."""

from __future__ import annotations

import csv
import os
import resource
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fullcircle.base.columns import Columns, take
from fullcircle.commands.score import score_any
from fullcircle.packaging.wheel import build_wheel
from fullcircle.scoring import bundle as files
from fullcircle.scoring import csvfile
from fullcircle.scoring.command import run
from fullcircle.scoring.outputs import rejected_path
from tests.builders import labelled, only_inputs
from tests.scoring.made import change, make_bundle, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "bundle")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_rows(tmp_path / "in.csv", rows())
    return tmp_path / "in.csv"


def rows(count: int = ROWS) -> Columns:
    """Rows within what was seen in training: they are the first of it."""
    return only_inputs(take(labelled(), np.arange(count)))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def failure(*given: Any, **more: Any) -> str:
    """The message that the command ends with."""
    with pytest.raises(SystemExit) as ended:
        run(*given, **more)
    assert isinstance(ended.value.code, str)
    assert ended.value.code.startswith("score: ")
    return ended.value.code


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("in.csv", "would take the place of"),
        ("./sub/../in.csv", "would take the place of"),
        ("link.csv", "would take the place of"),
        ("past.csv", "past.csv, which is read: name another output"),
        ("sub", "sub is a folder: name a file to write to, such as"),
        ("sub/aside.csv", "aside.rejected.csv is a folder, a pipe or a device"),
        ("pipe", "pipe is a folder, a pipe or a device"),
        ("bundle/out.csv", "is inside the bundle"),
        ("in.csv/out.csv", "in.csv is no folder"),
        ("in.csv/deep/out.csv", "in.csv is no folder"),
        ("/dev/full", "is a folder, a pipe or a device"),
        ("/dev/null", "is a folder, a pipe or a device"),
    ],
)
def test_an_output_in_the_place_of_something_else_is_refused_before_anything_is_read(
    folder: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, message: str
) -> None:
    (tmp_path / "sub/aside.rejected.csv").mkdir(parents=True)
    (tmp_path / "link.csv").symlink_to(source)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "past.csv").write_text("a\n1\n")
    monkeypatch.setattr("fullcircle.scoring.command.Bundle", None)  # it is not loaded
    before = {path: path.read_bytes() for path in (*folder.iterdir(), source)}
    said = failure(folder, source, tmp_path / out, events=[f"flights={tmp_path / 'past.csv'}"])
    assert message in said
    assert str(tmp_path / out).removesuffix(".csv") in said
    assert {path: path.read_bytes() for path in (*folder.iterdir(), source)} == before


def test_a_source_in_the_place_of_the_rejected_rows_is_refused(folder: Path, source: Path, tmp_path: Path) -> None:
    (tmp_path / "x.rejected.csv").write_bytes(source.read_bytes())
    assert "would take the place of" in failure(folder, tmp_path / "x.rejected.csv", tmp_path / "x.csv")
    assert (tmp_path / "x.rejected.csv").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.csv", "cannot be read: No such file or directory"),
        ("in.csv/x.csv", "cannot be read: Not a directory"),
        ("bundle", "cannot be read: Is a directory"),
        ("pipe", "is a pipe or a device, and it is read more than once"),
        ("in.csv.gz", "is no CSV in utf-8: Not a gzipped file"),
    ],
)
@pytest.mark.parametrize("score", [csvfile.score_file, score_any])
def test_a_source_that_cannot_be_read_is_one_message(
    folder: Path, source: Path, tmp_path: Path, name: str, message: str, score: Any
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "in.csv.gz").write_bytes(source.read_bytes())
    before = listing(tmp_path)
    said = failure(folder, tmp_path / name, tmp_path / "out.csv", score=score)
    assert message in said
    assert str(tmp_path / name) in said
    assert listing(tmp_path) == before


def test_a_bundle_that_is_not_there_is_one_message(source: Path, tmp_path: Path) -> None:
    assert "none is no bundle" in failure(tmp_path / "none", source, tmp_path / "out.csv")
    assert "in.csv is no bundle" in failure(source, source, tmp_path / "out.csv")


@contextmanager
def small_files() -> Iterator[None]:
    """No file can have more than 4 KiB, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_one_message_and_leaves_what_was_there(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    write_rows(tmp_path / "in.csv", rows(600))
    out.write_text("what was there")
    with small_files():
        said = failure(folder, tmp_path / "in.csv", out)
    assert said == f"score: {out} cannot be written: File too large. It is as it was before."
    assert out.read_text() == "what was there"
    assert listing(tmp_path) == ["bundle", "in.csv", "out.csv"]


def test_a_name_that_is_too_long_is_one_message(folder: Path, source: Path, tmp_path: Path) -> None:
    assert "cannot be written: File name too long" in failure(folder, source, tmp_path / f"{'x' * 250}.csv")
    assert listing(tmp_path) == ["bundle", "in.csv"]


def test_runs_that_write_one_output_all_succeed(folder: Path, source: Path, tmp_path: Path) -> None:
    code = "import sys; from fullcircle.scoring.command import run; run(*sys.argv[1:])"
    out = tmp_path / "out.csv"
    command = [sys.executable, "-c", code, str(folder), str(source), str(out)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [each.communicate()[0] for each in running]
    assert [each.returncode for each in running] == [0] * 4
    assert said == [f"{ROWS} rows scored into {out}\n"] * 4
    assert len(read(out)) == ROWS
    assert listing(tmp_path) == ["bundle", "in.csv", "out.csv", "out.rejected.csv"]


def test_line_breaks_of_any_kind_stay_inside_their_cells(folder: Path, tmp_path: Path) -> None:
    columns, odd = rows(3), 'a\rb\nc\r\nd,"e"'
    columns["carrier"] = np.array([odd, "AA", "AA"], dtype=object)
    columns["month"] = np.array([99.0, 1.0, 1.0])
    write_rows(tmp_path / "in.csv", columns, flight=odd)
    run(folder, tmp_path / "in.csv", tmp_path / "out.csv")
    (rejected,) = read(tmp_path / "out.rejected.csv")
    assert (rejected["reasons"], rejected["carrier"]) == ("month not in 1..12", odd)
    assert [row["flight"] for row in read(tmp_path / "out.csv")] == [odd, odd]
    assert (tmp_path / "out.csv").read_bytes().count(b"\r") == 4
    assert (tmp_path / "out.csv").read_bytes().endswith(b"\n")


def test_half_of_a_character_is_written_as_what_it_is(folder: Path, tmp_path: Path) -> None:
    change(folder, files.DIALECT, encoding="utf-7")
    columns = rows(2)
    write_rows(tmp_path / "plain.csv", columns, flight="x")
    (tmp_path / "in.csv").write_bytes((tmp_path / "plain.csv").read_bytes().replace(b"\nx", b"\n+2AA-"))
    run(folder, tmp_path / "in.csv", tmp_path / "out.csv")
    assert [row["flight"] for row in read(tmp_path / "out.csv")] == ["\\ud800"] * 2


def test_a_formula_comes_out_as_it_went_in(folder: Path, tmp_path: Path) -> None:
    write_rows(tmp_path / "in.csv", rows(2), flight="=cmd|' /C calc'!A0")
    run(folder, tmp_path / "in.csv", tmp_path / "out.csv")
    assert {row["flight"] for row in read(tmp_path / "out.csv")} == {"=cmd|' /C calc'!A0"}


def test_a_million_unknown_columns_are_counted(folder: Path, tmp_path: Path) -> None:
    names = [*rows(1), *(f"x{i}" for i in range(1_000_000))]
    (tmp_path / "in.csv").write_text(",".join(names) + "\n")
    said = failure(folder, tmp_path / "in.csv", tmp_path / "out.csv")
    assert "unknown column: x9\n  and 999,990 more unknown columns" in said
    assert len(said) < 1_000
    assert "--columns" not in said
    said = failure(folder, tmp_path / "in.csv", tmp_path / "out.csv", ignore_extra=True, columns="gate")
    assert "has no column gate to show; it has year, month" in said
    assert len(said) < 1_000


def test_extra_columns_are_ignored_on_request(
    folder: Path, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path / "more.csv", rows(), gate="A7", note="x")
    said = failure(folder, tmp_path / "more.csv", tmp_path / "out.csv")
    assert "unknown column: gate\n  unknown column: note\nColumns that the model does not take are ignored" in said
    run(folder, source, tmp_path / "expected.csv")
    run(folder, tmp_path / "more.csv", tmp_path / "out.csv", ignore_extra=True)
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()
    write_rows(tmp_path / "less.csv", {n: v for n, v in rows().items() if n != "month"}, gate="A7")
    said = failure(folder, tmp_path / "less.csv", tmp_path / "out.csv", ignore_extra=True)
    assert said.endswith("missing columns: month")


@pytest.mark.parametrize("name", ["more.csv", "more.parquet"])
def test_fullcircle_score_has_the_option(folder: Path, source: Path, tmp_path: Path, name: str) -> None:
    columns = rows() | {"gate": np.array(["A7"] * ROWS, dtype=object)}
    write_rows(tmp_path / "more.csv", columns)
    pq.write_table(pa.table({n: pa.array(v, from_pandas=True) for n, v in columns.items()}), tmp_path / "more.parquet")
    run(folder, source, tmp_path / "expected.csv")
    command = [
        sys.executable,
        "-m",
        "fullcircle.cli",
        "score",
        str(folder),
        str(tmp_path / name),
        str(tmp_path / "o.csv"),
    ]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert (
        "unknown column: gate\nColumns that the model does not take are ignored with --ignore-extra" in refused.stderr
    )
    subprocess.run([*command, "--ignore-extra"], capture_output=True, check=True)
    assert (tmp_path / "o.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_values_outside_of_training_are_counted(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = rows()
    columns["distance"][:3] = [11, 5999, np.nan]  # the last one is rejected
    columns["carrier"][4:6] = "XX", "YY"
    columns["delay_1h"][7] = 1e6
    columns["month"][8] = 99  # rejected, and not counted
    write_rows(tmp_path / "in.csv", columns)
    run(folder, tmp_path / "in.csv", tmp_path / "out.csv")
    said = capsys.readouterr()
    assert said.out == f"18 rows scored into {tmp_path / 'out.csv'}\n"
    assert said.err.splitlines()[-1] == (
        "outside what was seen in training: carrier in 2 rows, distance in 2 rows, delay_1h in 1 rows"
    )
    write_rows(tmp_path / "in.csv", rows())
    run(folder, tmp_path / "in.csv", tmp_path / "out.csv")
    assert "outside" not in capsys.readouterr().err


def test_blank_lines_are_no_rows(folder: Path, source: Path, tmp_path: Path) -> None:
    run(folder, source, tmp_path / "expected.csv")
    (tmp_path / "blank.csv").write_text("\n" + source.read_text().replace("\n", "\n\n\n"))
    run(folder, tmp_path / "blank.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


def test_the_wheel_has_the_same_command(folder: Path, source: Path, tmp_path: Path) -> None:
    wheel = build_wheel(folder, "departures", "Will it be late?", "0.1.0", tmp_path / "dist")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    write_rows(tmp_path / "more.csv", rows(), gate="A7")
    run(folder, source, tmp_path / "expected.csv")

    def script(*given: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "departures_scorer", *map(str, given)]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    done = script(tmp_path / "more.csv", tmp_path / "out.csv", "--ignore-extra")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()
    for given, message in [
        ((tmp_path / "more.csv", tmp_path / "out.csv"), "unknown column: gate"),
        ((source, source), "would take the place of"),
        ((source, tmp_path), "is a folder"),
        ((source, tmp_path / f"{'x' * 250}.csv"), "File name too long"),
        ((tmp_path / "none.csv", tmp_path / "out.csv"), "No such file or directory"),
    ]:
        done = script(*given)
        assert done.returncode == 1
        assert done.stderr.startswith("score: ")
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert rejected_path(Path("a/b.csv")) == Path("a/b.rejected.csv")
