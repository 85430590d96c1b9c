from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fullcircle.core.folders import replacing_folder

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def fail_in(folder: Path) -> None:
    with replacing_folder(folder) as fresh:
        assert names(fresh) == []
        assert names(folder) == ["old"]
        (fresh / "new").write_text("new")
        raise OSError("gone")


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "old").write_text("old")
    return tmp_path / "raw"


def test_the_new_folder_takes_the_old_ones_place(raw: Path) -> None:
    with replacing_folder(raw) as fresh:
        (fresh / "new").write_text("new")
        assert names(raw) == ["old"]
    assert names(raw.parent) == ["raw", "raw/new"]


def test_a_folder_is_made_where_there_was_none(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "data" / "raw") as fresh:
        (fresh / "new").write_text("new")
    assert names(tmp_path) == ["data", "data/raw", "data/raw/new"]


def test_a_writer_that_fails_leaves_the_old_folder(raw: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        fail_in(raw)
    assert names(raw.parent) == ["raw", "raw/old"]


def test_what_a_killed_writer_left_is_put_right(raw: Path) -> None:
    raw.rename(raw.with_name(".raw.old"))  # killed between the two renames
    (raw.parent / ".raw.part").mkdir()
    (raw.parent / ".raw.part" / "half").write_text("half")
    with pytest.raises(OSError, match="gone"):
        fail_in(raw)
    assert names(raw.parent) == ["raw", "raw/old"]
