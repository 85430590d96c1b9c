"""The documents name files and packages that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/fullcircle"
FOLDERS = (ROOT, PACKAGE, PACKAGE / "evaluation", ROOT / "docs")  # a path in a document starts in one of these
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def layout() -> set[str]:
    """The packages and modules in the layout of CONTRIBUTING."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = text.partition("\nsrc/fullcircle/ ")[2].partition("\ntests/")[0]
    return {name.removesuffix("/") for name in re.findall(r"^  ([\w.]+/?)  ", block, re.MULTILINE)}


def test_the_layout_has_one_line_per_package() -> None:
    packages = {file.parent.name for file in PACKAGE.glob("*/__init__.py")}
    modules = {file.name for file in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert layout() == packages | modules


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_modules_that_a_document_names_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+\.py)`", text)) | set(re.findall(r"]\(([\w./-]+\.(?:py|md|png))\)", text))
    there = {name for name in named for folder in (*FOLDERS, document.parent) if (folder / name).exists()}
    assert {name for name in named - there if "NAME" not in name} == set()
