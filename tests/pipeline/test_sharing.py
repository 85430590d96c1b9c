"""A team shares data through a remote: own files, and what the pipeline made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conftest import Project
from tests.pipeline.test_repro import damage

if TYPE_CHECKING:
    from pathlib import Path


COMMANDS = (
    "dvc remote add -d team /mnt/team/dvc",
    "dvc remote modify team verify true",
    'git add .dvc/config && git commit -m "A remote for the team" && dvc push',
)
"""As the README has them."""


def shared(project: Project, remote: Path) -> Project:
    """Share a project through a remote; return a colleague's clone."""
    for line in COMMANDS:
        project.run("bash", "-c", line.replace("/mnt/team/dvc", str(remote)))
    clone = Project(remote.with_name("colleague"))
    project.run("git", "clone", "-q", str(project.folder), str(clone.folder))
    return clone


def test_a_file_of_ones_own_reaches_a_colleague_and_nothing_runs_again(copied: Project, tmp_path: Path) -> None:
    own = copied.folder / "data/source/homes.csv"
    own.write_text("price,rooms\n1,2\n", encoding="utf-8")
    copied.run("dvc", "add", "data/source/homes.csv")  # as data/source/README.md says
    assert copied.ran() == ["ingest"]
    copied.commit()
    clone = shared(copied, tmp_path / "remote")
    assert not (clone.folder / "data/source/homes.csv").exists()
    clone.run("dvc", "pull")
    assert (clone.folder / "data/source/homes.csv").read_bytes() == own.read_bytes()
    assert clone.ran() == []
    assert clone.run("git", "status", "--porcelain").stdout == ""


def test_a_file_damaged_in_the_remote_is_not_pulled(copied: Project, tmp_path: Path) -> None:
    clone = shared(copied, tmp_path / "remote")
    largest = max((tmp_path / "remote").rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
    damage(largest)
    done = clone.run("dvc", "pull", check=False)
    assert done.returncode != 0
    assert "failed" in done.stdout
    assert not any(path.name == largest.name for path in (clone.folder / ".dvc/cache").rglob("*"))


def test_every_folder_that_stages_make_is_ignored_by_git_and_no_other_in_data(reproduced: Project) -> None:
    ignored = reproduced.run("git", "status", "--porcelain", "--ignored", "data").stdout.split()[1::2]
    made = {f"data/{path.name}/" for path in (reproduced.folder / "data").iterdir() if path.is_dir()}
    assert {*ignored} == made - {"data/source/"}
