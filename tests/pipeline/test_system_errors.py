"""Faults of the system, really caused: one message with the path, exit code 1, and the old outputs stay."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

SMALL_FILES = "ulimit -f 40; trap '' XFSZ; "  # blocks of 1024 bytes (bash)


def message(project: Project, script: str) -> str:
    """What a script that must fail with one message prints."""
    done = project.run("bash", "-c", script, check=False)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout


def in_the_way(file: Path) -> None:
    """Put a folder where a file should be."""
    file.unlink(missing_ok=True)
    (file / "something").mkdir(parents=True)


@pytest.mark.parametrize(
    ("stage", "output"),
    [
        ("clean", "data/clean/kept.parquet"),
        ("label", "reports/label.json"),
        ("split", "data/split/test.parquet"),
        ("featurize", "models/features/features.json"),
        ("train", "metrics/train.json"),
        ("validate", "reports/verdict.json"),
        ("package", "reports/index.html"),
    ],
)
def test_a_folder_in_the_way_of_an_output(copied: Project, stage: str, output: str) -> None:
    in_the_way(copied.folder / output)
    said = message(copied, f"python -m fullcircle.stages.{stage}")
    assert said.startswith(f"{stage}: {output}: ")
    assert "a folder is where a file should be; move it away" in said


@pytest.mark.parametrize(
    ("stage", "output"),
    [
        ("ingest", "data/raw/flights.parquet"),
        ("clean", "data/clean/kept.parquet"),
        ("label", "data/labelled/labelled.parquet"),
        ("train", "models/scorer/model.onnx"),
    ],
)
def test_a_file_that_cannot_grow_leaves_the_old_one(copied: Project, stage: str, output: str) -> None:
    before = (copied.folder / output).read_bytes()
    said = message(copied, f"{SMALL_FILES} python -m fullcircle.stages.{stage}")
    assert f"{stage}: " in said
    assert "File too large" in said or "DVC cannot write its own files: disk I/O error" in said
    assert (copied.folder / output).read_bytes() == before
    assert not [file for file in (copied.folder / "data").rglob("*.part") if file.name.startswith(".kept")]


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("params", "params.yaml"),
        ("explore", "reports/explore.html"),
        ("adopt main", "params.yaml"),
        ("init data/source/airlines.csv --target name --name a --task multiclass", "conf/problem/a.yaml"),
    ],
)
def test_a_folder_in_the_way_of_a_command(copied: Project, command: str, file: str) -> None:
    rows = "\n".join(f"{i % 7},{'x' if i % 2 else 'y'}" for i in range(60))
    (copied.folder / "data/source/airlines.csv").write_text(f"code,name\n{rows}\n", encoding="utf-8")
    in_the_way(copied.folder / file)
    said = message(copied, f"fullcircle {command}")
    assert said.startswith("fullcircle: ")
    assert file in said


def test_a_file_where_a_folder_should_be(copied: Project) -> None:
    shutil.rmtree(copied.folder / "data/clean")
    (copied.folder / "data/clean").touch()
    said = message(copied, "python -m fullcircle.stages.clean")
    assert said.startswith("clean: data/clean: ")
    assert "move it away" in said


def test_a_folder_that_cannot_be_written(copied: Project) -> None:
    """As root too: in a read-only mount where there is a right to make one, else by permissions."""
    folder = copied.folder / "reports"
    mounted = copied.run("mount", "--bind", "-o", "ro", str(folder), str(folder), check=False).returncode == 0
    if not mounted:
        folder.chmod(0o500)
    try:
        done = copied.run("fullcircle", "explore", check=False)
    finally:
        if mounted:
            copied.run("umount", str(folder))
        folder.chmod(0o755)
    if done.returncode == 0:
        pytest.xfail("this user may write everywhere, and may not mount")
    assert done.stdout.startswith("fullcircle: reports/")
    assert "Traceback" not in done.stdout
