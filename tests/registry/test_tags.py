"""Versions and stages in real git repositories, read back, and by the real `gto`."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fullcircle.registry import tags as module
from fullcircle.registry.errors import RegistryError
from fullcircle.registry.git import git
from fullcircle.registry.policy import Policy
from fullcircle.registry.publish import (
    Promotion,
    before_champion,
    check_promotion,
    check_verdict,
    tag_stage,
    tag_version,
)
from fullcircle.registry.tags import Note, Registered, Tags, read_tags
from fullcircle.registry.versions import Fingerprint, Version, next_version

NOTE = Note("flights", "b" * 64, Fingerprint("s", "r", "d"), "p", "c", "blessed", "auc", 0.7, "first", {"flights": "f"})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.name", "Ada")
    git(tmp_path, "config", "user.email", "ada@example.org")
    return tmp_path


def at(moment: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMITTER_DATE", moment.isoformat())


def version(root: Path, text: str, **changes: object) -> Registered:
    git(root, "commit", "-q", "--allow-empty", "-m", text)
    note = replace(NOTE, bundle=f"{text:0>64}", **changes)  # type: ignore[arg-type]
    return tag_version(root, Version.read(text), note)


def promote(root: Path, stage: str, text: str) -> None:
    found = read_tags(root, "flights").version(Version.read(text))
    assert found is not None
    tag_stage(root, read_tags(root, "flights"), Promotion(stage, found))


def test_a_version_reads_back_with_all_that_it_records(root: Path) -> None:
    made = version(root, "1.0.0")
    found = read_tags(root, "flights")
    assert found.versions == [made]
    assert made.note == replace(NOTE, bundle=f"{'1.0.0':0>64}")
    assert made.commit == git(root, "rev-parse", "HEAD").strip()
    assert made.author == "Ada <ada@example.org>"
    assert found.of_bundle(f"{'1.0.0':0>64}") == made
    assert git(root, "cat-file", "-t", "flights@v1.0.0").strip() == "tag"  # annotated


def test_gto_reads_what_is_registered_and_promoted(root: Path) -> None:
    version(root, "1.0.0")
    promote(root, "prod", "1.0.0")
    version(root, "1.1.0")
    (root / "dvc.yaml").write_text("artifacts: {}\n")
    shown = subprocess.run(
        [Path(sys.executable).parent / "gto", "show", "--repo", str(root)], capture_output=True, text=True, check=True
    ).stdout
    assert [cell.strip() for cell in shown.splitlines()[3].split("│")[1:-1]] == ["flights", "v1.1.0", "v1.0.0"]


def test_other_tags_are_left_out(root: Path) -> None:
    version(root, "1.0.0")
    git(root, "tag", "flights@v9.0.0")  # lightweight: it says neither when nor who
    git(root, "tag", "-a", "-m", "x", "v2")
    git(root, "tag", "-a", "-m", "x", "other@v3.0.0")
    git(root, "tag", "-a", "-m", "by hand", "flights@v1.2.0")
    assert [str(each.version) for each in read_tags(root, "flights").versions] == ["1.0.0", "1.2.0"]
    by_hand = read_tags(root, "flights").version(Version(1, 2, 0))
    assert by_hand is not None
    assert by_hand.note is None


def test_the_champion_at_an_instant(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2013, 4, 1, tzinfo=UTC)
    for day, text in ((0, "1.0.0"), (10, "1.1.0")):
        at(start + timedelta(day), monkeypatch)
        version(root, text)
        at(start + timedelta(day + 1), monkeypatch)
        promote(root, "prod", text)
    found = read_tags(root, "flights")

    def champion(day: float) -> str | None:
        version = found.in_stage("prod", start + timedelta(day))
        return None if version is None else str(version.version)

    assert [champion(day) for day in (0.5, 1, 10.5, 11, 99)] == [None, "1.0.0", "1.0.0", "1.1.0", "1.1.0"]
    assert str(found.in_stage("prod").version) == "1.1.0"  # type: ignore[union-attr]


def test_rolled_back_twice_one_comes_to_the_version_before_that(root: Path) -> None:
    for text in ("1.0.0", "1.1.0", "2.0.0"):
        version(root, text)
        promote(root, "prod", text)
    seen = []
    for _ in range(2):
        back = before_champion(read_tags(root, "flights"), "prod")
        seen.append(str(back.version))
        promote(root, "prod", seen[-1])
    assert seen == ["1.1.0", "1.0.0"]
    with pytest.raises(RegistryError, match=r"no version of flights was in prod before 1\.0\.0"):
        before_champion(read_tags(root, "flights"), "prod")
    promote(root, "prod", "2.0.0")
    assert str(before_champion(read_tags(root, "flights"), "prod").version) == "1.0.0"


@pytest.mark.parametrize(
    ("wanted", "policy", "said"),
    [
        ({"stage": "prod"}, Policy(), "it was not in staging before"),
        ({"stage": "moon"}, Policy(), "there is no stage moon; conf/registry.yaml has staging, prod"),
        ({"stage": "prod", "skip": True}, Policy(), "ada@example.org may not skip that"),
        ({"stage": "prod", "skip": True}, Policy(may_skip=("ada@example.org",)), "--because TEXT"),
        ({"stage": "prod", "skip": True, "because": "it burns"}, Policy(may_skip=("ada@example.org",)), None),
        ({"stage": "staging"}, Policy(), None),
        ({"stage": "staging"}, Policy(verdict=("draft",)), "its verdict is blessed"),
    ],
)
def test_the_policy_holds(root: Path, wanted: dict[str, object], policy: Policy, said: str | None) -> None:
    promotion = Promotion(version=version(root, "1.0.0"), **wanted)  # type: ignore[arg-type]
    if said is None:
        check_promotion(root, read_tags(root, "flights"), promotion, policy)
        return
    with pytest.raises(RegistryError, match=said.replace("(", r"\(")):
        check_promotion(root, read_tags(root, "flights"), promotion, policy)


def test_a_version_that_was_in_the_stage_before_may_go_on(root: Path) -> None:
    made = version(root, "1.0.0")
    promote(root, "staging", "1.0.0")
    check_promotion(root, read_tags(root, "flights"), Promotion("prod", made), Policy())


def test_a_rejected_verdict_is_not_registered() -> None:
    check_verdict("blessed", Policy())
    with pytest.raises(RegistryError, match="the verdict is rejected"):
        check_verdict("rejected", Policy())


def test_a_version_is_registered_once(root: Path) -> None:
    version(root, "1.0.0")
    with pytest.raises(RegistryError, match=r"version 1\.0\.0 of flights cannot be tagged"):
        version(root, "1.0.0")


def test_without_an_author_nothing_is_tagged(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    git(root, "config", "--unset", "user.name")
    git(root, "config", "--unset", "user.email")
    git(root, "config", "user.useConfigOnly", "true")
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    with pytest.raises(RegistryError, match=r"git config user\.name NAME"):
        tag_version(root, Version(1, 0, 0), NOTE)


def test_a_thousand_tags_are_read_by_one_call_of_git(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = version(root, "1.0.0")
    contents = git(root, "cat-file", "-p", "flights@v1.0.0")
    lines = []
    for number in range(1000):
        body = contents.replace("flights@v1.0.0", f"flights@v1.{number}.1").encode()
        lines.append(b"tag flights@v1.%d.1\nfrom %s\ntagger A <a@b.c> 1400000000 +0000\ndata %d\n%s\n" % (
            number, made.commit.encode(), len(body), body))  # fmt: skip
    subprocess.run(["git", "-C", str(root), "fast-import", "--quiet"], input=b"".join(lines), check=True)
    calls = []

    def counted(*arguments: Any) -> str:
        calls.append(arguments)
        return git(*arguments)

    monkeypatch.setattr(module, "git", counted)
    assert len(read_tags(root, "flights").versions) == 1001
    assert len(calls) == 1


def test_what_changed_says_which_number_rises() -> None:
    old = Fingerprint("schema", "recipe", "data")
    before = (Version(1, 2, 3), old)
    assert next_version(None, old) == (Version(1, 0, 0), "first")
    assert next_version(before, replace(old, schema="x", recipe="x")) == (Version(2, 0, 0), "schema")
    assert next_version(before, replace(old, recipe="x", data="x")) == (Version(1, 3, 0), "recipe")
    assert next_version(before, replace(old, data="x")) == (Version(1, 2, 4), "data")
    assert next_version(before, old) == (Version(1, 2, 3), "none")


def test_a_stage_of_a_commit_without_a_version_is_no_champion(root: Path) -> None:
    git(root, "commit", "-q", "--allow-empty", "-m", "first")
    git(root, "tag", "-a", "-m", "x", "flights#prod#1")
    found: Tags = read_tags(root, "flights")
    assert found.in_stage("prod") is None
