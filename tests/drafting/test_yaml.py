from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from fullcircle.base.errors import DataError
from fullcircle.drafting.yaml import check_composable, comment, flow, plain, scalar, shown, wrapped

ODD = [
    "", " ", "n", "Y", "on", "Off", "NULL", "null", "~", "1e5", "1_000", "0x1F", "010", "12:30:45", "2013-01-01", "-",
    "?", "a: b", "a #b", "#", "{", "[x]", "'", '"', "\\", "%", "@", "`", "&a", "*a", "!t", "<<", "=", "a\nb", "tab\t",
    "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "naïve", "日本語", "😀", "Größe (cm)", "null ", "a - b", "true", ".5",
    ".inf", ".nan", "-.inf", "+1", "e", "1e", "a,b", "x: ", "key:", "- a", "? a", "| a", "> a", "%YAML", "---", "...",
    "${", "$x", "???",
]  # fmt: skip


def read(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader)


def is_refused(text: str) -> bool:
    return text == "???" or any(mark in text for mark in ("${", "\x85", "\u2028", "\u2029"))


texts = st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=12))


@pytest.mark.parametrize("value", ODD)
def test_odd_text_survives_a_round_trip_as_key_and_value(value: str) -> None:
    text = f"top:\n  {scalar(value)}: {flow({value: [value]})}  # {plain(value)}\n"
    assert read(text) == {"top": {value: {value: [value]}}}


@given(st.dictionaries(texts, st.lists(texts), max_size=4))
def test_any_text_survives_a_round_trip(values: dict[str, list[str]]) -> None:
    assert read(flow(values)) == values
    assert read("a:\n  " + wrapped(values, 2)) == {"a": [*values]}


@settings(max_examples=300)
@given(st.lists(texts.filter(lambda text: not is_refused(text)), max_size=4))
def test_accepted_text_is_unchanged_by_omegaconf(values: list[str]) -> None:
    check_composable(values, "t.csv")
    config = OmegaConf.create(f"a: {flow(values)}")
    OmegaConf.resolve(config)
    assert OmegaConf.to_container(OmegaConf.create(OmegaConf.to_yaml(config)), throw_on_missing=True) == {"a": values}


@pytest.mark.parametrize("value", ["a ${b}", "${", "???", "a\x85b", "\u2029"])
def test_text_that_hydra_would_change_is_refused_at_any_depth(value: str) -> None:
    for where in (value, [value], {value: 1}, {"a": [{"b": value}]}):
        with pytest.raises(DataError, match=r"t\.csv: “.*” is not allowed in conf.*Rename it"):
            check_composable(where, "t.csv")


@pytest.mark.parametrize("value", [0, 5, -3, 0.5, 1e-05, 1e20, 1234567.25, True, False, None])
def test_numbers_keep_value_and_type(value: Any) -> None:
    found = read(scalar(value))
    assert (found, type(found)) == (value, type(value))


def test_only_text_that_yaml_would_change_is_quoted() -> None:
    assert [scalar(v) for v in ("city", "Größe", "customer id", "no", "1", "a: b")] == [
        "city", "Größe", "customer id", '"no"', '"1"', '"a: b"',
    ]  # fmt: skip


def test_a_long_list_is_wrapped() -> None:
    names = [f"column_{i}" for i in range(80)]
    text = "a:\n      " + wrapped(names, 6)
    assert max(map(len, text.splitlines())) <= 120
    assert len(text.splitlines()) > 5
    assert read(text) == {"a": names}


@given(st.text())
def test_no_text_ends_a_comment(text: str) -> None:
    assert read(f"a: 1\n{comment(text, 2)}\nb: 2  # {plain(text)} {shown(text)}\nc: 3\n") == {"a": 1, "b": 2, "c": 3}
