"""The prose and names of the project use the usual words. A word that was replaced does not come back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/fullcircle"

PER = "class|column|row|level|member|round|feature|step|stage|bin|fold|task|trial|kind|snapshot|choice"


@dataclass(frozen=True, slots=True)
class Word:
    """A replaced word: a pattern of whole words, what to write `instead`, and an `example` that it finds."""

    pattern: str
    instead: str
    example: str


WORDS = (
    Word(r"fore(tell|told)\w*", "predict, predicted, prediction", "the class is foretold"),
    Word(r"mend(s|ed|ing)?", "correct, corrected, fix", "mend the source"),
    Word(r"demand_\w*", "check_, require_", "then demand_parity"),
    Word(r"judg(e|es|ed|ing)", "evaluate, metrics, score", "a judge of each task"),
    Word(r"sift\w*", "split, check, clean", "rows are sifted"),
    Word(r"rehears\w*", "dry run", "the rehearsal of a sweep"),
    Word(r"nobody", "unseen, not available, None if unknown", "None where nobody says"),
    Word(r"could not be had", "is not available", "a sum that could not be had"),
    Word(r"in (its|their) own right", "independent", "rows in their own right"),
    Word(r"alike", "equal, duplicates, in the same way", "rows that are alike"),
    Word(r"told", "given, configured, reported", "it is told its medians"),
    Word(r"knows nothing", "does not cover, has no information about", "it knows nothing of other years"),
    Word(r"what (came|comes|becomes) of", "the outcome of, the result of", "and what became of it, or what came of it"),
    Word(r"what \w+ makes of", "computes from, derives from", "what encode makes of a row"),
    Word(r"asks for", "requires, requests", "what the scorer asks for"),
    Word(rf"an? \w+ an? ({PER})", "one X per Y", "or a column a class"),
    Word(rf"(one|rows|seconds|bins|words|lines|bits|fits) an? ({PER})", "X per Y", "fewer rows a bin"),
    Word(rf"an? ({PER}) each", "one X each", "they have a row each"),
)
"""Words that read like a translation."""

ALLOWED = {
    "src/fullcircle/core/problem.py": ("alike",),  # the old name of a key, which an error answers with the new one
    "src/fullcircle/core/split.py": ("alike",),
}
"""File -> text that may stay there."""

RENAMED = {
    "telling": "errors",
    "alone": "univariate",
    "written": "yaml",
    "whole": "params",
    "rehearsal": "dry_run",
    "sides": "splits",
    "answering": "batch",
    "judge": "metrics",
    "utils": "the noun of what is in it",
    "helpers": "the noun of what is in it",
}
"""Module name -> the name to use."""

LONGEST = 300  # lines of a module


@cache
def texts() -> dict[str, str]:
    """Path -> text of each file of this project that people read; not of those that belong to who forks it."""
    files = [ROOT / "CONTRIBUTING.md", ROOT / "dvc.yaml", ROOT / "Makefile"]
    files += [*(ROOT / "docs").glob("*.md"), *(ROOT / "conf").glob("*.yaml"), *(ROOT / "data").glob("*.md")]
    files += [
        file for group in ("engine", "model", "split", "sweep") for file in (ROOT / "conf" / group).glob("*.yaml")
    ]
    files += [file for file in PACKAGE.rglob("*") if file.suffix in (".py", ".jinja", ".css", ".md")]
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in sorted(files)}


def found(word: Word, text: str) -> list[tuple[int, str]]:
    """Line and text of each match, in upper or lower case; a space matches a line break and a comment sign too."""
    spaced = word.pattern.replace(" ", r"\s+(?:#\s+)?")
    matches = re.finditer(rf"(?<![a-z])(?:{spaced})(?![a-z])", text, re.IGNORECASE)
    return [(text.count("\n", 0, match.start()) + 1, match.group()) for match in matches]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.example)
def test_the_usual_word_is_used(word: Word) -> None:
    places = [
        f"{file}:{line}: {match}"
        for file, text in texts().items()
        for line, match in found(word, text)
        if match not in ALLOWED.get(file, ())
    ]
    assert not places, f"write {word.instead}:\n" + "\n".join(places)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.example)
def test_a_pattern_finds_its_word(word: Word) -> None:
    assert found(word, word.example)
    assert found(word, word.example.upper())
    assert found(word, word.example.replace(" ", "\n    # "))


def test_usual_words_pass() -> None:
    usual = "Recommend, amend and lift; rows that a class has; one column per class; a row of each class; one in a row."
    assert [word for word in WORDS if found(word, usual)] == []


def test_an_allowance_is_used() -> None:
    for file, words in ALLOWED.items():
        assert [word for word in words if word not in texts()[file]] == []


@pytest.mark.parametrize("name", RENAMED)
def test_a_module_is_named_after_what_it_is(name: str) -> None:
    places = [path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.stem == name]
    assert not places, f"name it {RENAMED[name]}"


def test_no_module_is_over_300_lines() -> None:
    sizes = {name: text.count("\n") for name, text in texts().items() if name.endswith(".py")}
    assert {name: size for name, size in sizes.items() if size > LONGEST} == {}
