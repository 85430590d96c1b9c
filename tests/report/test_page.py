from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from fullcircle.core.target import BinaryTarget, Costs
from fullcircle.evaluation.reports import BaselineMetrics
from fullcircle.evaluation.slices import Slice
from fullcircle.report import formatting as words
from fullcircle.report.page import render, slice_tables, unsure
from fullcircle.report.parts import Confusion, Curves
from fullcircle.report.splits import side_of
from fullcircle.report.terms import wording_of
from fullcircle.scoring.predictions import BinaryCalibration
from fullcircle.scoring.verdict import GateResult, Verdict
from tests.report.made import (
    TASKS,
    comparison,
    facts,
    fitted,
    judgement,
    of_classes,
    of_numbers,
    of_task,
    problem,
    scored,
)

if TYPE_CHECKING:
    from fullcircle.report.facts import Facts

VOID = {"meta", "wbr"}


class Outline(HTMLParser):
    """Checks that tags nest; keeps the words, without those of the style sheet."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """A tag that closes itself nests nothing."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


def text_of(html: str) -> str:
    outline = Outline()
    outline.feed(html)
    assert outline.open == []
    return " ".join(" ".join(outline.words).split())


def bare(task: str = "binary") -> Facts:
    """A run with nothing that is optional."""
    whole = of_task(task)
    curves = Curves({}, {}, {}, (), (), ())
    asked = replace(whole.problem, slices=(), behaviour=(), limits=(), moment=None, costs=None)
    metrics: dict[str, float | None] = {whole.problem.metric: None, "ece": 0.1}
    nothing = BaselineMetrics({whole.problem.metric: None}, None, None)
    judged = judgement(
        slices=(), behaviour=(), intervals={}, metrics=metrics, rejected={}, baselines=nothing, resampled_by=(),
        distribution=whole.spread,
    )  # fmt: skip
    classes = whole.calibration.classes
    return replace(
        whole, problem=asked, tested=judged, curves=curves, unobserved=None, by_month={}, raw={}, tables={},
        versions={}, fit=replace(whole.fit, rounds=None),
        confusion=Confusion(classes, tuple(tuple(0 for _ in classes) for _ in classes)),
        selection=replace(whole.selection, dropped=(), information={}),
    )  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
def test_every_metric_and_interval_is_on_the_page(task: str) -> None:
    whole = of_task(task)
    page, say = render(whole), wording_of(whole)
    text = text_of(page)
    for name, value in whole.tested.metrics.items():
        assert say.name(name) in text
        assert say.meaning(name) in text
        assert f'<td class="n strong">{say.value(name, value)}</td>' in page
    for name, bounds in whole.tested.intervals.items():
        assert say.interval(name, bounds) in text


def test_the_page_tells_what_was_had_without_a_model_and_what_was_left_out() -> None:
    text = text_of(render(facts()))
    for figure in (
        "0.8765",
        "0.8235",
        "best rule 0.6543",
        "0.4227",
        "10,000",
        "9,990",
        "weight is missing, 7",
    ):
        assert figure in text


def test_the_page_says_what_an_interval_is() -> None:
    assert "90%, percentiles of 300 bootstrap resamples of the test rows that draw whole days" in text_of(
        render(facts())
    )
    by_customer = facts(tested=judgement(resampled_by=("customer",)))
    assert "all rows of a customer together" in text_of(render(by_customer))
    alone = facts(tested=judgement(resampled_by=()))
    assert "that draw single rows" in text_of(render(alone))


@pytest.mark.parametrize("status", ["blessed", "draft", "rejected", "unknown"])
def test_the_verdict_is_the_badge(status: str) -> None:
    judged = GateResult("auc", 0.6, 0.7, None, -0.1, "failed", "")
    verdict = Verdict(status, (judged,) if status == "rejected" else ())  # type: ignore[arg-type]
    page = render(facts(verdict=verdict))
    assert f'<strong class="badge {status}">{status}</strong>' in page
    assert ("Failed: ROC AUC, 0.6000 (required: ≥ 0.7)." in text_of(page)) == (status == "rejected")


def test_a_draft_names_what_is_to_be_filled_in() -> None:
    verdict = Verdict("draft", (), ("decision", "sign_off.role"))
    assert "To be filled in, in the problem: decision, sign_off.role." in text_of(render(facts(verdict=verdict)))


def test_what_the_data_holds_is_text_and_never_markup() -> None:
    evil = "<script>alert(1)</script>"
    whole = facts(
        tested=judgement(slices=(Slice("depot", evil, 500, (0.2,), scored(0.7, 0.1, 0.5)),), rejected={evil: 1}),
        by_month={evil: facts().by_month["2024-01"]},
        problem=problem(question=evil, limits=(evil,)),
        curves=replace(facts().curves, importance=((evil, 1.0),)),
        selection=replace(facts().selection, selected=(evil,), information={evil: 0.1}),
        versions={evil: evil},
    )
    page = render(whole)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 8


@pytest.mark.parametrize("many", [2, 3, 5, 30])
def test_the_names_of_classes_are_text_and_never_markup(many: int) -> None:
    evil = '<script>alert("1")</script>'
    names = tuple(f"{evil}{i}" for i in range(many))
    if many == 2:
        whole = facts(
            problem=problem(target=BinaryTarget("binary", "lost", names[0], names[1], "x < 1"), costs=None),
            fit=fitted(BinaryCalibration("binary", names[1], names[0], 1.0, 0.0, 0.5)),
            confusion=Confusion(names, ((1, 2), (3, 4))),
        )
    else:
        whole = of_classes(names)
    page = render(whole)
    assert "<script" not in page
    assert 'title="<' not in page
    assert page.count("&lt;script&gt;") >= 2


@pytest.mark.parametrize("task", TASKS)
def test_the_page_needs_nothing_else(task: str) -> None:
    page = render(of_task(task))
    assert len(page.encode()) < 200_000
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)


def test_equal_facts_give_equal_pages() -> None:
    assert render(facts()) == render(facts())


@pytest.mark.parametrize("task", TASKS)
def test_the_page_does_without_what_is_optional(task: str) -> None:
    page = render(bare(task))
    text = text_of(page)
    for part in ("Learning curve", "Calibration", "Information of each feature", "Importance in the model"):
        assert part not in text
    assert "by month" not in text
    assert "no observation" not in text
    assert "names no slices" in text
    assert "nan" not in page.lower().split("</style>")[1]


def test_optional_parts_are_there_when_the_facts_are() -> None:
    text = text_of(render(facts()))
    for part in (
        "Learning curve",
        "lost rows by month",
        "no observation in gauges",
        "chosen: 3 rounds",
        "too heavy",
    ):
        assert part in text


def test_a_slice_without_numbers_is_marked_and_the_worst_is_bold() -> None:
    page = render(facts())
    assert page.count("<em>not evaluated</em>") == 1
    (table,) = slice_tables(facts(), wording_of(facts()))
    rows = {row.slice.level: row for row in table.rows}
    assert [level for level, row in rows.items() if row.worst] == ["south"]
    assert rows["east"].strip == ""


def test_a_threshold_inside_the_interval_is_said_to_be_unsure() -> None:
    gate = facts().verdict.gates[0]
    for bounds in ((0.71, 0.9), (0.5, 0.69), (None, None)):
        assert not unsure(gate, facts(tested=judgement(intervals={"auc": bounds})))
    wide = facts(tested=judgement(intervals={"auc": (0.69, 0.9)}))
    assert unsure(gate, wide)
    assert "other days might have turned this gate" in text_of(render(wide))


def test_costs_are_weighed_against_the_cheaper_habit() -> None:
    confusion, costs = facts().confusion, Costs(4, 1)
    assert problem().costs == costs
    assert confusion.cost(costs) == 4 * 100 + 240
    assert confusion.cost_of_habit(costs) == ("never raise an alarm", 4 * 300)
    assert Confusion(("found", "lost"), ((5, 5), (100, 900))).cost_of_habit(costs) == ("always raise an alarm", 10)
    assert "46.7% less with the model" in text_of(render(facts()))


def test_mean_foretold_weighs_bins_by_their_rows() -> None:
    curves = replace(facts().curves, calibration=((0.1, 0.0, 300.0), (0.5, 0.0, 100.0)))
    assert curves.predicted == pytest.approx(0.2)
    assert replace(curves, calibration=()).predicted is None


def test_a_month_is_on_its_side_unless_a_border_cuts_one() -> None:
    split = facts().split
    assert [side_of(month, split) for month in facts().by_month] == ["train", "validation", "test"]
    assert side_of("2024-01", replace(split, borders=("2024-02-15", "2024-03-01"))) == ""
    assert side_of("2024-01", replace(split, kind="random", columns=("parcel",), borders=())) == ""
    timed = replace(split, columns=("sent",), borders=("2024-02-01T00:00:00", "2024-03-01"))
    assert [side_of(month, timed) for month in facts().by_month] == ["train", "validation", "test"]
    assert side_of("2024-01", replace(split, columns=("week",), borders=("04", "08"))) == ""


def test_words_never_round_a_share_to_all_or_none() -> None:
    assert [words.share(v) for v in (0.0, 0.00001, 0.5, 0.99999, 1.0)] == [
        "0.0%",
        "<0.1%",
        "50.0%",
        ">99.9%",
        "100.0%",
    ]
    assert words.share(None) == words.number(float("nan")) == "–"
    assert words.number(-0.25, 2) == "−0.25"


def test_the_narrowest_pass_is_named() -> None:
    closest = words.margin_to_spare(facts().verdict.gates)
    assert closest is not None
    assert closest.metric == "slice_gap"


def test_gates_are_named_in_the_primary_metric() -> None:
    assert "R² above the best single rule" in text_of(render(of_numbers()))
    several = text_of(render(of_classes()))
    assert "log loss below the dummy baseline" in several
    assert "log loss gap to the worst slice" in several
    assert "AUC gap to the worst slice" in text_of(render(facts()))


def test_numbers_out_of_fold_are_said_to_be_so() -> None:
    crossed, plain = text_of(render(of_classes())), text_of(render(facts()))
    assert "each predicted by a model fitted on the other 4 of 5 folds" in crossed
    assert "Of the first of 5 folds" in crossed
    assert "On validation" not in crossed
    assert "On validation" in plain
    assert "fold" not in plain.replace("folds are", "")


def test_the_members_of_an_ensemble_are_listed_the_heaviest_first() -> None:
    text = text_of(render(of_classes()))
    assert "ensemble of 2 × linear, 1 not picked" in text
    assert text.index("linear c 9.0 – 0.65") < text.index("linear c 0.1 – 0.35")


def test_without_costs_the_page_names_none() -> None:
    text = text_of(render(facts(problem=problem(costs=None))))
    assert "the problem names no costs" in text
    assert "mistakes on test rows cost" not in text


def test_the_room_imports_nothing_heavy() -> None:
    code = (
        "import sys, fullcircle.report.card, fullcircle.report.facts, fullcircle.report.page\n"
        "print({'pandas', 'sklearn', 'matplotlib', 'xgboost', 'hydra', 'scipy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def champion_section(whole: Facts) -> str:
    page = render(whole)
    text_of(page)  # the tags nest
    return page[page.index('<section id="champion">') : page.index('<section id="gates">')]


def test_without_a_champion_the_page_says_so() -> None:
    gate = GateResult("over_champion", None, 0.0, None, None, "unknown", "", "no champion is registered")
    text = text_of(render(facts(verdict=Verdict("blessed", (gate,)))))
    assert "No champion is registered" in text
    assert "Not evaluated: AUC above the champion (no champion is registered)." in text
    assert "Passed over: no champion is registered." in text


def test_the_comparison_with_the_champion_is_a_table() -> None:
    section = champion_section(facts(tested=judgement(champion=comparison())))
    text = text_of(section)
    assert "Version 1.2.0" in text
    assert "all rows 1,990 0.8120 0.8000 0.0120 −0.0010 – 0.0250" in text
    assert "depot north 1,500 0.8300 0.8140 0.0160 0.0020 – 0.0300" in text
    assert '<tr class="worst"><th>depot south</th>' in section
    assert "depot east" not in text
    assert "that were not compared: 1." in text
    assert (
        "Test rows that only the champion refuses, and that are not in these numbers: weight not in 0..20, 10." in text
    )


def test_a_champion_that_was_not_compared_has_its_reason_on_the_page() -> None:
    missing = comparison(rows=0, rejected={}, overall=None, slices=(), reason="the champion has <b>another</b> target")
    text = text_of(champion_section(facts(tested=judgement(champion=missing))))
    assert "Version 1.2.0 is the champion, and was not compared: the champion has <b>another</b> target." in text


@pytest.mark.parametrize("task", TASKS)
def test_the_comparison_is_on_the_page_of_every_task(task: str) -> None:
    whole = of_task(task)
    section = champion_section(replace(whole, tested=replace(whole.tested, champion=comparison(rejected={}))))
    assert ("though a lower" in section) == wording_of(whole).lower(whole.problem.metric)
    assert wording_of(whole).value(whole.problem.metric, 0.012) in section


def test_a_comparison_without_slices_has_one_row() -> None:
    section = champion_section(facts(tested=judgement(champion=comparison(slices=()))))
    assert section.count("<tr") == 2
    assert "Bold" not in section


@pytest.mark.parametrize(("metric", "threshold", "may_turn"), [
    ("over_champion", 0.0, True), ("over_champion", 0.03, False), ("over_champion_slice", -0.01, True),
    ("over_champion_slice", -0.05, False), ("over_champion_low", -0.002, False),
])  # fmt: skip
def test_a_gate_against_the_champion_whose_threshold_is_in_the_interval_is_marked(
    metric: str, threshold: float, may_turn: bool
) -> None:
    gate = GateResult(metric, 0.01, threshold, None, 0.01, "passed", "")
    assert unsure(gate, facts(tested=judgement(champion=comparison()))) == may_turn
    assert not unsure(gate, facts())
