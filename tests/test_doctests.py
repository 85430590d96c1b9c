"""The examples in docstrings of these packages are right."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
PACKAGES = ("base", "pointintime", "features", "monitoring")
MODULES = [
    ".".join(file.relative_to(SRC).with_suffix("").parts)
    for package in PACKAGES
    for file in sorted((SRC / "fullcircle" / package).rglob("*.py"))
    if file.stem != "__init__"
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_right(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    failed = doctest.testmod(import_module(name)).failed
    assert not failed, capsys.readouterr().out


def test_examples_are_found() -> None:
    assert doctest.testmod(import_module("fullcircle.base.errors")).attempted == 5


def test_a_wrong_example_fails() -> None:
    wrong = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    assert doctest.DocTestRunner(verbose=False).run(wrong, out=lambda _: None).failed == 1
