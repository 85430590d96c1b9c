"""From a table that nobody has seen to answers: init, every stage, score. A model or one clear error, no traceback."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from fullcircle.base.errors import FullCircleError
from tests.conftest import copy_of_working_tree
from tests.drafting.made import customers
from tests.drafting.test_yaml import ODD, is_refused
from tests.e2e.circle import Table, circle, of, write_csv

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TARGET = "the target"
PLAIN = ["a", "b", "c", "d", "Size (m²)", "straße", "order id", "date"]


@pytest.mark.parametrize(
    ("target", "outputs"),
    [
        ("churned", ["prediction", "probability_no", "probability_yes"]),
        ("city", ["prediction", "probability_Graz", "probability_Linz", "probability_Wien"]),
        ("income", ["prediction", "lower", "upper"]),
    ],
)
def test_each_task_comes_round_and_scores_the_very_file_it_learnt_from(target: str, outputs: list[str]) -> None:
    table = customers()
    done = circle(of(table), target)
    assert done.answers[0] == ["row", *outputs]
    assert (done.scored.scored, done.scored.rejected) == (300, 0)
    assert done.verdict in ("draft", "rejected", "unknown")  # the decision and the sign-off are open
    if target == "churned":
        agreed = Counter(a[1] == c for a, c in zip(done.answers[1:], table["churned"], strict=True))
        assert agreed[True] > 200  # it learnt something


def test_a_table_with_dates_and_one_with_groups_come_round() -> None:
    days = [f"{i % 28 + 1:02}.{i // 28 + 1:02}.2013" for i in range(300)]
    assert circle(of(customers() | {"since": days}), "churned").scored.scored == 300
    grouped = customers() | {"patient_id": [f"P{i // 3}" for i in range(300)]}
    assert circle(of(grouped), "churned", "model=linear").scored.scored == 300


def test_two_thousand_columns_come_round() -> None:
    wide: dict[str, Sequence[Any]] = {f"c{k}": [(i * (k + 7)) % 101 for i in range(120)] for k in range(2000)}
    wide["y"] = ["a" if i * 7 % 101 < 50 else "b" for i in range(120)]
    assert circle(of(wide), "y", "model=linear").scored.scored == 120


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (Table(["a", TARGET], [[1, 2, 3], ["x", "y", "x"]]), "is known in 3 rows"),
        (Table(["a", "a", TARGET], [[1, 2], [1, 2], ["x", "y"]]), "has columns of one name: a"),
        (Table(["a", TARGET], [[None] * 40, ["x", "y"] * 20]), "no column besides the target can be used as an input"),
        (Table(["a", TARGET], [["z"] * 40, ["x", "y"] * 20]), "no column besides the target can be used as an input"),
        (Table([TARGET], [["x", "y"] * 20]), "no column besides the target can be used as an input"),
        (Table(["target", TARGET], [[*range(40)], ["x", "y"] * 20]), "a column is named target"),
    ],
)
def test_a_table_of_which_nothing_can_be_learnt_is_one_clear_error(table: Table, said: str) -> None:
    with pytest.raises(FullCircleError, match=said) as caught:
        circle(table, TARGET)
    assert "table.csv" in str(caught.value)


def cells(rows: int, *kinds: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.one_of(*kinds), min_size=rows, max_size=rows)


def column(rows: int) -> st.SearchStrategy[list[Any]]:
    """A column of any kind: sound, with gaps, of one level or none, of mixed types, of any text."""
    number, word = st.integers(-5, 50), st.sampled_from(["a", "ä", "日本", "a b", "NA", "?", "x,y", 'say "no"'])
    texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    day = st.dates().map(lambda d: d.strftime("%d.%m.%Y") if d.year > 1900 else None)
    return st.one_of(
        cells(rows, number),
        cells(rows, number, st.none()),
        cells(rows, st.floats(width=32).map(str)),
        cells(rows, number, word),
        cells(rows, word),
        cells(rows, texts),
        cells(rows, day),
        cells(rows, day, st.just("soon")),
        st.just([None] * rows),
        st.just(["only"] * rows),
        st.just([*range(rows)]),
        cells(rows, st.just("flag"), st.none()),
        cells(rows, st.sampled_from(["1e308", "-1e308", "inf", "0"])),
    )


@st.composite
def tables(draw: st.DrawFn) -> Table:
    rows = draw(st.sampled_from([3, 60, 90, 90, 90]))
    twice = draw(st.integers(0, 9)) == 0  # names of columns, now and then
    odd = [name for name in ODD if twice or not is_refused(name)]
    names = draw(st.lists(st.sampled_from([*PLAIN, *odd]), min_size=1, max_size=6, unique=not twice))
    sound: list[Sequence[Any]] = [
        ["x", "y", "y"] * (rows // 3),
        [i * 7 % 3 for i in range(rows)],
        [i * 37 % 101 / 4 for i in range(rows)],
    ]
    target: Sequence[Any] = draw(st.sampled_from(sound)) if draw(st.integers(0, 4)) else draw(column(rows))
    sound_column = [i * 13 % 47 for i in range(rows)]
    return Table([*names, "sound", TARGET], [*(draw(column(rows)) for _ in names), sound_column, target])


# Without shrinking: an example costs a second, and to shrink one minutes.
@settings(max_examples=30, deadline=None, suppress_health_check=[*HealthCheck], phases=[Phase.explicit, Phase.generate])
@given(tables())
def test_any_table_gives_a_model_or_one_clear_error(table: Table) -> None:
    try:
        done = circle(table, TARGET, "model=linear", "validate.resamples=20")
    except FullCircleError as error:
        event("error")
        said = str(error)
    else:
        event("model")
        assert done.scored.scored + done.scored.rejected == table.rows
        assert len(done.answers) == 1 + done.scored.scored
        assert not any(cell in ("nan", "inf", "-inf") for row in done.answers for cell in row[2:])
        return
    assert len(said) > 20
    assert "Traceback" not in said


def test_an_experiment_runs_the_drafted_problem_and_its_bundle_scores_new_rows(tmp_path: Path) -> None:
    project = copy_of_working_tree(tmp_path)
    write_csv(project.folder / "customers.csv", of(customers()))
    project.run("fullcircle", "init", "customers.csv", "--target", "churned")
    project.run("dvc", "exp", "run", "-S", "problem=customers", "-S", "model=linear", "package")
    said = project.run("fullcircle", "score", "dist/bundle", "customers.csv", "answers.csv").stdout
    assert "300 rows scored into answers.csv" in said
