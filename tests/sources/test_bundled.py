from __future__ import annotations

import sys
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from fullcircle import sources
from fullcircle.core.problem import Bundled, Source
from fullcircle.runtime.errors import ConfigError, SourceError
from fullcircle.runtime.typed import build

if TYPE_CHECKING:
    from pathlib import Path

TABLE = "tail,seats,seen\nN1,10,2013-01-01T05:00:00Z\nNA,,2013-01-01T06:00:00Z\n"
SOURCE = Bundled("bundled", "tiny-flights", "1.2.0", "tiny_flights/data/planes.csv")


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `tiny-flights` 1.2.0 that ships two files, and that must not be imported."""
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
    reading = sources.read(SOURCE)
    assert reading.origin == "tiny-flights 1.2.0, tiny_flights/data/planes.csv"
    assert reading.table.column("tail").to_pylist() == ["N1", None]
    assert reading.table.column("seats").to_pylist() == [10, None]
    assert reading.table.schema.field("seen").type == pa.timestamp("s", tz="UTC")
    assert "tiny_flights" not in sys.modules


def test_a_zipped_file_is_read_as_the_plain_one() -> None:
    zipped = sources.read(replace(SOURCE, file="tiny_flights/data/zipped.csv.zip"))
    assert zipped.table.equals(sources.read(SOURCE).table)


def test_what_counts_as_null_is_the_problems_choice() -> None:
    assert sources.read(replace(SOURCE, nulls=("",))).table.column("tail").to_pylist() == ["N1", "NA"]


def test_another_version_than_the_pinned_one_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"tiny-flights 1\.2\.0 is installed, but the problem pins 1\.1\.0"):
        sources.read(replace(SOURCE, version="1.1.0"))


def test_a_package_that_is_not_installed_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(SourceError, match=r"no-such-flights 1\.2\.0 is not installed\. `make install`"):
        sources.read(replace(SOURCE, package="no-such-flights"))


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"tiny-flights 1\.2\.0 has no file tiny_flights/data/none\.csv"):
        sources.read(replace(SOURCE, file="tiny_flights/data/none.csv"))


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n3\n", "\n\n"])
def test_a_file_that_is_no_table_is_an_error(installed: Path, content: str) -> None:
    (installed / "data" / "planes.csv").write_text(content)
    with pytest.raises(SourceError, match=r"tiny_flights/data/planes\.csv cannot be read"):
        sources.read(SOURCE)


@pytest.mark.parametrize("damage", ["cut", "renamed"])
def test_a_damaged_archive_is_an_error(installed: Path, damage: str) -> None:
    path = installed / "data" / "zipped.csv.zip"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:40])
    else:
        path.rename(path.with_name("other.csv.zip"))
    file = "tiny_flights/data/" + ("zipped" if damage == "cut" else "other") + ".csv.zip"
    with pytest.raises(SourceError, match="cannot be read"):
        sources.read(replace(SOURCE, file=file))


def test_an_archive_whose_content_was_changed_is_an_error(installed: Path) -> None:
    path = installed / "data" / "zipped.csv.zip"
    path.write_bytes(path.read_bytes().replace(b"N1,10", b"N1,99"))
    with pytest.raises(SourceError, match="cannot be read"):
        sources.read(replace(SOURCE, file="tiny_flights/data/zipped.csv.zip"))


def test_a_source_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="kind: 'bundle'"):
        build(Source, {"kind": "bundle", "package": "p", "version": "1", "file": "f"}, "problem.sources.flights")


def test_every_kind_of_source_has_a_reader() -> None:
    assert SOURCE.kind in sources.READERS
