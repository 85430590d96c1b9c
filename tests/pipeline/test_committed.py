"""The committed run: the problem that this repository is configured for, whichever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pipeline.graph import ROOT
from tests.pipeline.test_repro import hashes

if TYPE_CHECKING:
    from tests.conftest import Project


def test_a_cold_run_gives_the_committed_hash_of_every_output(committed: Project) -> None:
    assert hashes(committed.folder / "dvc.lock") == hashes(ROOT / "dvc.lock")


def test_a_cold_run_changes_nothing_that_git_tracks(committed: Project) -> None:
    assert committed.run("git", "status", "--porcelain").stdout == ""
