from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fullcircle.base.errors import BundleError
from fullcircle.base.files import MANIFEST, read_json, replacing, seal, verify, write_text
from fullcircle.features import plan
from fullcircle.scoring import scorer
from tests.builders import trained

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.json").write_text("{}", encoding="utf-8")
    (tmp_path / "deep" / "b.bin").write_bytes(bytes(range(256)))
    (tmp_path / "deep" / MANIFEST).write_text("{}", encoding="utf-8")
    seal(tmp_path)
    return tmp_path


def test_a_sealed_folder_is_verified(folder: Path) -> None:
    verify(folder)
    assert set(json.loads((folder / MANIFEST).read_text())["files"]) == {
        "a.json",
        "deep/b.bin",
        f"deep/{MANIFEST}",
    }


def test_the_seal_names_the_very_bytes_of_the_manifest(folder: Path) -> None:
    assert seal(folder) == hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    first = seal(folder)
    (folder / "a.json").write_text("{ }", encoding="utf-8")
    assert seal(folder) != first


def test_a_flipped_bit_is_found(folder: Path) -> None:
    data = bytearray((folder / "deep/b.bin").read_bytes())
    data[100] ^= 1
    (folder / "deep/b.bin").write_bytes(data)
    with pytest.raises(BundleError, match=r"deep/b\.bin: its SHA-256 is another"):
        verify(folder)


def test_a_missing_file_is_found(folder: Path) -> None:
    (folder / "a.json").unlink()
    with pytest.raises(BundleError, match=r"a\.json: is missing"):
        verify(folder)


@pytest.mark.parametrize("name", ["extra.txt", "deep/more.bin", ".hidden"])
def test_an_extra_file_is_found(folder: Path, name: str) -> None:
    (folder / name).write_text("x", encoding="utf-8")
    with pytest.raises(BundleError, match="is not in the manifest"):
        verify(folder)


def test_everything_that_is_wrong_is_said_at_once(folder: Path) -> None:
    (folder / "a.json").unlink()
    (folder / "deep/b.bin").write_bytes(b"")
    (folder / "new").write_text("x", encoding="utf-8")
    with pytest.raises(BundleError) as caught:
        verify(folder)
    assert str(caught.value).count("\n  ") == 3


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "expected keys and values"),
        ('{"format": 1}', "missing keys: files"),
        ('{"format": "1", "files": {}}', "expected int"),
        ('{"format": 1, "files": {}, "signed": true}', "unknown key: signed"),
        ('{"format": 1, "files": {"a.json": 3}}', r"files\.a\.json: expected str"),
        ('{"format": 2, "files": {}}', "manifest of format 2, and this version reads format 1"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(folder: Path, manifest: str, message: str) -> None:
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")
    with pytest.raises(BundleError, match=message):
        verify(folder)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no bundle"):
        verify(tmp_path)


def test_a_file_outside_of_the_folder_cannot_be_listed(folder: Path) -> None:
    outside = folder.parent / "outside.txt"
    outside.write_text("x", encoding="utf-8")
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["../outside.txt"] = hashlib.sha256(b"x").hexdigest()
    (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(BundleError, match=r"\.\./outside\.txt: is missing"):
        verify(folder)


@pytest.mark.parametrize("name", [scorer.MODEL, plan.PLAN, scorer.SPEC])
def test_a_flipped_byte_of_a_scorer_is_found_before_anything_is_parsed(tmp_path: Path, name: str) -> None:
    trained().scorer.save(tmp_path)
    seal(tmp_path)
    verify(tmp_path)
    original = (tmp_path / name).read_bytes()
    for position in (0, len(original) // 2, len(original) - 1):
        damaged = bytearray(original)
        damaged[position] ^= 0x40
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(BundleError, match=f"{name}: its SHA-256 is another"):
            verify(tmp_path)


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_text(path, "old")

    def fail_halfway() -> None:
        with replacing(path) as part:
            part.write_text("half of the n", encoding="utf-8")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail_halfway()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_written_alike_on_every_system(tmp_path: Path) -> None:
    write_text(tmp_path / "new/folder/x.txt", "é\n")
    assert (tmp_path / "new/folder/x.txt").read_bytes() == b"\xc3\xa9\n"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"{'a': 1}"])
def test_json_that_cannot_be_read_names_its_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"x\.json cannot be read"):
        read_json(tmp_path / "x.json")


def test_a_manifest_of_many_wrong_files_names_some(folder: Path) -> None:
    for i in range(1000):
        (folder / f"more{i:03}").touch()
    with pytest.raises(BundleError, match=r"more009: is not in the manifest\n  and 990 more$"):
        verify(folder)


def test_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_text("first", encoding="utf-8")
        second.write_text("second", encoding="utf-8")
    assert path.read_text() == "first"  # it was renamed last
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import sys
from pathlib import Path
from fullcircle.base.files import replacing
for i in range(40):
    with replacing(Path(sys.argv[1])) as part, part.open("w") as file:
        file.write(sys.argv[2] * 10_000)
"""


def test_processes_that_write_one_file_all_succeed_and_leave_one_of_theirs(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(i)]) for i in range(4)]
    assert [each.wait() for each in running] == [0, 0, 0, 0]
    assert set(path.read_text()) < set("0123")
    assert len(path.read_text()) == 10_000
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, sys
from pathlib import Path
from fullcircle.base.files import replacing
with replacing(Path(sys.argv[1])) as part:
    part.write_text("half of it")
    os._exit(9)
"""


def test_what_a_killed_writer_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    for _ in range(3):
        assert subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False).returncode == 9
        assert len(list(tmp_path.iterdir())) == 1
    other = tmp_path / ".y.txt.0123.part"
    other.write_text("of another file", encoding="utf-8")
    with replacing(path) as part:
        assert sorted(tmp_path.iterdir()) == sorted([other, part])
        part.write_text("new", encoding="utf-8")
    assert sorted(tmp_path.iterdir()) == sorted([other, path])


def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 251 + ".txt")
    write_text(path, "x")
    assert path.read_text() == "x"
