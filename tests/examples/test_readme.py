"""The README: its commands and its lines of Python run, and its words are plain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.graph import ROOT
from tests.pipeline.test_sharing import COMMANDS
from tests.test_plain_words import WORDS, found

if TYPE_CHECKING:
    from tests.conftest import Project

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_commands_to_share_are_those_that_are_tested() -> None:
    (block,) = re.findall(r"\*\*Share\.\*\*.*?```\n(.*?)```", TEXT, re.DOTALL)
    assert [line.removeprefix("$ ") for line in block.splitlines()] == [*COMMANDS]


def test_its_lines_of_python_run(reproduced: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(reproduced.folder / "docs")
    (block,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)  # noqa: S102  the documentation's own code
    assert names["scored"].columns["prediction"].shape == (3,)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.example)
def test_its_words_are_plain(word: Any) -> None:
    assert found(word, TEXT) == []
