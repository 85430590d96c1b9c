from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import yaml

from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.typed import build
from fullcircle.core.conditions import parse
from fullcircle.core.data import Rule
from fullcircle.core.expressions import holds
from fullcircle.core.target import BinaryTarget
from tests.pipeline.graph import ROOT

if TYPE_CHECKING:
    from pathlib import Path

TARGET = {"task": "binary", "name": "late", "positive": "late", "negative": "on_time"}

FRAME = pd.DataFrame(
    {
        "delay": np.array([20.0, 15.0, -3.0, np.nan]),
        "limit": np.array([15.0, np.nan, 0.0, np.nan]),
        "origin": np.array(["EWR", "JFK", None, "EWR"], dtype=object),
        "dest": np.array(["EWR", "BOS", "BOS", None], dtype=object),
        "the limit %": np.array([15.0, np.nan, 0.0, np.nan]),
        "day": np.array(["2013-01-01", "2013-01-02", "NaT", "2013-01-03"], dtype="datetime64[s]"),
    }
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("delay >= 15", [True, True, False, False]),
        ("delay >= 15 or delay.isna()", [True, True, False, True]),
        ("delay > limit", [True, False, False, False]),
        ("origin == 'EWR'", [True, False, False, True]),
        ("delay.notna() and origin == 'EWR'", [True, False, False, False]),
        ("not (delay >= 15)", [False, False, True, True]),
        ("delay * 2 + 1 == 41", [True, False, False, False]),
        ("0 < delay <= 15", [False, True, False, False]),
        ("abs(delay) == 3 or delay.abs() == 15", [False, True, True, False]),
        ("-delay == 3", [False, False, True, False]),
        ("origin in ['EWR', 'LGA']", [True, False, False, True]),
        ("origin not in ['EWR']", [False, True, True, False]),
        ("origin.isin(['JFK']) | (delay // 10 == 2)", [True, True, False, False]),
        ("origin.str.contains('W')", [True, False, False, True]),
        ("origin.str.contains('.W')", [False, False, False, False]),
        ("origin.str.lower() == 'ewr' and dest.str.len() == 3", [True, False, False, False]),
        ("origin.str.startswith('E') & ~dest.str.endswith('S')", [True, False, False, True]),
        ("`the limit %` >= 15", [True, False, False, False]),
        ("origin == 'a `quoted` text' or `the limit %` == 0", [False, False, True, False]),
        ("day >= '2013-01-02'", [False, True, False, True]),
        ("day.isna()", [False, False, True, False]),
    ],
)
def test_a_condition_is_true_or_false_for_each_row(expression: str, expected: list[bool]) -> None:
    assert holds(FRAME, expression, "k").tolist() == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("origin == dest", [True, False, False, False]),
        ("delay < 20", [False, True, True, False]),
        ("delay != limit", [True, True, True, True]),
    ],
)
def test_a_comparison_with_null_is_false_and_an_inequality_true(expression: str, expected: list[bool]) -> None:
    assert holds(FRAME, expression, "k").tolist() == expected


@pytest.mark.parametrize(
    "expression",
    ["speed > 3", "delay >", "delay > 'x'", "", "delay > 1 +* 2"],
)
def test_what_cannot_be_evaluated_names_its_key_and_itself(expression: str) -> None:
    with pytest.raises(DataError) as caught:
        holds(FRAME, expression, "problem.target.holds")
    assert str(caught.value).startswith(f"problem.target.holds: `{expression}` ")


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("@pd.io.common.os.system('touch stolen')", "cannot be read"),
        ("delay.to_pickle('stolen')", "has .to_pickle"),
        ("origin.str.__class__", "has .__class__"),
        ("delay.values.tofile('stolen')", "has .tofile"),
        ("__import__('os').system('touch stolen')", "has .system"),
        ("open('stolen', 'w')", "has name"),
        ("delay.apply(print)", "has .apply"),
        ("origin.str.replace('E', 'W') == 'WWR'", "has .replace"),
        ("9 ** 9 ** 9 ** 9 > delay", "has **"),
        ("delay.isin(values=[1])", "has values="),
        ("delay.abs(1) > 3", "with 1 arguments and not 0"),
        ("[x for x in delay] == delay", "has listcomp"),
        ("(lambda: delay)() > 1", "has lambda"),
        ("delay[0] > 1", "has subscript"),
        ("f'{delay}' == origin", "has joinedstr"),
        ("delay if delay else delay", "has ifexp"),
        ("delay == None", "for null write .isna()"),
        ("delay == 1j", "has 1j"),
        ("delay == b'x'", "has b'x'"),
        ("(x := delay) > 1", "has namedexpr"),
        ("-" * 1000 + "1 > delay", "levels deep"),
        ("(" * 900 + "delay" + ")" * 900 + " > 1", "cannot be read"),
        ("delay > 1" + " or delay > 1" * 1000, "has 13,009 characters"),
    ],
)
def test_what_could_run_something_or_take_for_ever_is_refused_when_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expression: str, part: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=re.escape(part)):
        parse(expression)
    with pytest.raises(DataError):
        holds(FRAME, expression, "k")
    for kind, values in ((Rule, {"name": "r", "holds": expression}), (BinaryTarget, TARGET | {"holds": expression})):
        with pytest.raises(ConfigError, match=re.escape(part)):
            build(kind, values, "problem")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    "expression",
    ["origin * 1000000000 == 'x'", "'x' * 10000000000 == origin", "origin + dest == 'EWREWR'", "['a'] * 9 == origin"],
)
def test_arithmetic_with_text_is_refused(expression: str) -> None:
    with pytest.raises(DataError, match="arithmetic is for numbers"):
        holds(FRAME, expression, "k")


@pytest.mark.parametrize("expression", ["delay and origin", "delay in 'EWR'", "'E' in ['E']", "1 // 0 == delay"])
def test_what_makes_no_sense_is_refused(expression: str) -> None:
    with pytest.raises(DataError, match="cannot be evaluated"):
        holds(FRAME, expression, "k")


CONDITIONS = (
    "delay >= 15 or delay.isna()", "delay > limit", "not (delay >= 15)", "origin != dest", "origin == dest",
    "delay * 2 + 1 == 41 and limit.notna()", "0 < delay <= 15", "delay - limit > 3 or origin == 'JFK'",
    "delay % 7 == 1", "delay != limit", "origin in ['EWR', 'LGA'] and not delay.isna()",
)  # fmt: skip


@pytest.mark.parametrize("expression", CONDITIONS)
def test_a_condition_is_what_pandas_evaluates(expression: str) -> None:
    expected = np.asarray(FRAME.eval(expression, engine="python"))
    assert holds(FRAME, expression, "k").tolist() == expected.tolist()


@pytest.mark.parametrize("expression", ["delay", "delay + 1", "True"])
def test_what_is_no_condition_a_row_is_refused(expression: str) -> None:
    with pytest.raises(DataError, match="is not a condition"):
        holds(FRAME, expression, "k")


def test_the_rules_of_the_documentation_are_conditions() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/own-data.md").read_text(encoding="utf-8"), re.DOTALL)
    rules = build(tuple[Rule, ...], yaml.safe_load(block)["rules"], "rules")
    assert [rule.name for rule in rules] == ["leaves before it arrives", "a known city"]
