from __future__ import annotations

import gzip
import sys
import zipfile
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from fullcircle import sources
from fullcircle.base.checks import Column
from fullcircle.base.dialect import Dialect
from fullcircle.base.errors import ConfigError, SourceError
from fullcircle.base.typed import build
from fullcircle.core.data import Table
from fullcircle.core.source import Bundled, Source
from fullcircle.sources.raw import check_raw

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.sources import Reading

TABLE = "tail,seats,seen\nN1,10,2013-01-01T05:00:00Z\nNA,,2013-01-01T06:00:00Z\n"
SOURCE = Bundled("bundled", "tiny-flights", "1.2.0", "tiny_flights/data/planes.csv")


def read(source: Bundled) -> Reading:
    return sources.read(source, None)


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `tiny-flights` 1.2.0 with two files; importing it is an error."""
    package, information = tmp_path / "tiny_flights", tmp_path / "tiny_flights-1.2.0.dist-info"
    (package / "data").mkdir(parents=True)
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-flights\nVersion: 1.2.0\n")
    (information / "RECORD").write_text("")
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "data" / "planes.csv").write_text(TABLE)
    with zipfile.ZipFile(package / "data" / "zipped.csv.zip", "w") as archive:
        archive.writestr("zipped.csv", TABLE)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return package


def test_a_plain_file_is_read_without_importing_its_package() -> None:
    reading = read(SOURCE)
    assert reading.origin == "tiny-flights 1.2.0, tiny_flights/data/planes.csv"
    table = reading.table()
    assert table.column("tail").to_pylist() == ["N1", None]
    assert table.column("seats").to_pylist() == [10, None]
    assert table.schema.field("seen").type == pa.timestamp("s", tz="UTC")
    assert "tiny_flights" not in sys.modules


def test_a_zipped_file_equals_the_plain_one() -> None:
    zipped = read(replace(SOURCE, file="tiny_flights/data/zipped.csv.zip"))
    assert zipped.table().equals(read(SOURCE).table())


def test_nulls_are_configurable() -> None:
    assert read(replace(SOURCE, dialect=Dialect(nulls=("",)))).table().column("tail").to_pylist() == ["N1", "NA"]


def test_a_version_other_than_the_pinned_one_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"tiny-flights 1\.2\.0 is installed, but the problem pins 1\.1\.0"):
        read(replace(SOURCE, version="1.1.0"))


def test_a_package_that_is_not_installed_is_an_error_with_advice() -> None:
    with pytest.raises(SourceError, match=r"no-such-flights 1\.2\.0 is not installed\. `make install`"):
        read(replace(SOURCE, package="no-such-flights"))


def test_a_missing_file_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"tiny-flights 1\.2\.0 has no file tiny_flights/data/none\.csv"):
        read(replace(SOURCE, file="tiny_flights/data/none.csv"))


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n3\n", "\n\n"])
def test_an_invalid_csv_is_an_error(installed: Path, content: str) -> None:
    (installed / "data" / "planes.csv").write_text(content)
    with pytest.raises(SourceError, match=r"tiny_flights/data/planes\.csv cannot be read"):
        read(SOURCE).table()


@pytest.mark.parametrize("damage", ["cut", "two files"])
def test_a_damaged_archive_is_an_error(installed: Path, damage: str) -> None:
    path = installed / "data" / "zipped.csv.zip"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:40])
    else:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("another.csv", TABLE)
    file = "tiny_flights/data/zipped.csv.zip"
    with pytest.raises(SourceError, match=r"cannot be read|holds 2 files, e\.g\. zipped\.csv, another\.csv"):
        read(replace(SOURCE, file=file)).table()


def test_an_archive_whose_content_was_changed_is_an_error(installed: Path) -> None:
    path = installed / "data" / "zipped.csv.zip"
    path.write_bytes(path.read_bytes().replace(b"N1,10", b"N1,99"))
    with pytest.raises(SourceError, match="cannot be read"):
        read(replace(SOURCE, file="tiny_flights/data/zipped.csv.zip")).table()


def test_a_source_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="kind: str 'bundle' is not one of bundled, file, sql, http"):
        build(Source, {"kind": "bundle", "package": "p", "version": "1", "file": "f"}, "problem.sources.flights")  # type: ignore[arg-type]


def test_columns_of_several_files_are_combined_row_by_row(installed: Path) -> None:
    (installed / "data" / "x.csv").write_text("".join(f"{i} {i / 2}\n" for i in range(5000)))
    with gzip.open(installed / "data" / "y.csv.gz", "wt") as file:
        file.writelines(f"{i}.5e+00\n" for i in range(5000))
    columns = {name: Column("number") for name in ("a", "b", "target")}
    plain = Dialect(delimiter=" ", header=False)
    source = replace(SOURCE, file="tiny_flights/data/x.csv", beside=("tiny_flights/data/y.csv.gz",), dialect=plain)
    table = sources.read(source, Table(columns, ("a",))).table()
    assert table.column_names == ["a", "b", "target"]
    assert table.slice(4999).to_pylist() == [{"a": 4999.0, "b": 2499.5, "target": 4999.5}]
    with pytest.raises(SourceError, match=r"x\.csv, .*y\.csv\.gz have 3 columns in total, but 2 names are given"):
        sources.read(replace(source, dialect=replace(plain, names=("a", "b"))), None)


def test_files_of_different_length_are_an_error(installed: Path) -> None:
    (installed / "data" / "x.csv").write_text("a\n1\n2\n")
    (installed / "data" / "y.csv").write_text("b\n1\n")
    source = replace(SOURCE, file="tiny_flights/data/x.csv", beside=("tiny_flights/data/y.csv",))
    with pytest.raises(SourceError, match=r"y\.csv ends after 1 rows, but another file has more"):
        read(source).table()


@pytest.mark.parametrize(
    ("file", "beside", "dialect", "columns", "rows"),
    [
        ("breast_cancer.csv", (), Dialect(skip=1, header=False), 31, 569),
        ("diabetes_data_raw.csv.gz", ("diabetes_target.csv.gz",), Dialect(delimiter=" ", header=False), 11, 442),
        ("digits.csv.gz", (), Dialect(header=False), 65, 1797),
    ],
)
def test_what_scikit_learn_ships_is_read(
    file: str, beside: tuple[str, ...], dialect: Dialect, columns: int, rows: int
) -> None:
    folder = "sklearn/datasets/data/"
    source = Bundled(
        "bundled", "scikit-learn", version("scikit-learn"), folder + file, tuple(folder + b for b in beside), dialect
    )
    spec = Table({f"c{i}": Column("number") for i in range(columns)}, ("c0",))
    table = pa.Table.from_batches(check_raw(sources.read(source, spec).batches, spec, file))
    assert (table.num_rows, table.num_columns) == (rows, columns)
    assert sum(column.null_count for column in table.columns) == 0
