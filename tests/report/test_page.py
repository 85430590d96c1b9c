from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from fullcircle.evaluation.gates import Judged, Verdict
from fullcircle.evaluation.slices import Slice
from fullcircle.report import words
from fullcircle.report.facts import Confusion, Facts
from fullcircle.report.page import mean_foretold, render, side_of, slice_tables, unsure
from tests.report.made import facts, judgement, problem

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


def bare() -> Facts:
    """A run with nothing that is optional."""
    whole = facts()
    curves = replace(whole.curves, learning={}, calibration=(), importance=())
    asked = problem(slices=(), behaviour=(), limits=())
    judged = judgement(slices=(), behaviour=(), intervals={}, metrics={"auc": None, "ece": 0.1}, rejected={})
    return replace(
        whole, problem=asked, tested=judged, curves=curves, unobserved=None, by_month={}, raw={}, sifted={},
        versions={}, fit=replace(whole.fit, rounds=None), confusion=Confusion(0, 0, 0, 0),
        selection=replace(whole.selection, dropped=(), information={}),
    )  # fmt: skip


def test_every_metric_and_interval_is_on_the_page() -> None:
    whole = facts()
    page = render(whole)
    text = text_of(page)
    for name, value in whole.tested.metrics.items():
        assert words.name_of(name) in text
        assert f'<td class="n strong">{words.number(value)}</td>' in page
    for bounds in whole.tested.intervals.values():
        assert words.interval(bounds) in text
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


@pytest.mark.parametrize("status", ["blessed", "rejected", "unknown"])
def test_the_verdict_is_the_badge(status: str) -> None:
    judged = Judged("auc", 0.6, 0.7, None, -0.1, "failed", "")
    verdict = Verdict(status, (judged,) if status == "rejected" else ())  # type: ignore[arg-type]
    page = render(facts(verdict=verdict))
    assert f'<strong class="badge {status}">{status}</strong>' in page
    assert ("Failed: ROC AUC, 0.6000 where ≥ 0.7 is asked." in text_of(page)) == (status == "rejected")


def test_what_the_data_holds_is_text_and_never_markup() -> None:
    evil = "<script>alert(1)</script>"
    whole = facts(
        tested=judgement(slices=(Slice("depot", evil, 500, 0.2, 0.7, 0.1, 0.5),), rejected={evil: 1}),
        by_month={evil: facts().by_month["2024-01"]},
        problem=problem(question=evil, limits=(evil,)),
        curves=replace(facts().curves, importance=((evil, 1.0),)),
        selection=replace(facts().selection, selected=(evil,), information={evil: 0.1}),
        versions={evil: evil},
    )
    page = render(whole)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 8


def test_the_page_needs_nothing_else() -> None:
    page = render(facts())
    assert len(page.encode()) < 200_000
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)


def test_equal_facts_give_equal_pages() -> None:
    assert render(facts()) == render(facts())


def test_the_page_does_without_what_is_optional() -> None:
    page = render(bare())
    text = text_of(page)
    for part in ("Learning curve", "Calibration", "What each tells", "What the model makes"):
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
    assert page.count("<em>not judged</em>") == 1
    rows = {row.slice.level: row for row in slice_tables(facts())["depot"]}
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
    confusion, costs = facts().confusion, problem().costs
    assert confusion.cost(costs) == 4 * 100 + 240
    assert confusion.cost_of_habit(costs) == ("never raise an alarm", 4 * 300)
    assert Confusion(900, 100, 5, 5).cost_of_habit(costs) == ("always raise an alarm", 10)
    assert "46.7% less with the model" in text_of(render(facts()))


def test_mean_foretold_weighs_bins_by_their_rows() -> None:
    curves = replace(facts().curves, calibration=((0.1, 0.0, 300.0), (0.5, 0.0, 100.0)))
    assert mean_foretold(facts(curves=curves)) == pytest.approx(0.2)


def test_a_month_is_on_its_side_unless_a_border_cuts_one() -> None:
    split = facts().split
    assert [side_of(month, split) for month in facts().by_month] == ["train", "validation", "test"]
    assert side_of("2024-01", replace(split, borders=("2024-02-15", "2024-03-01"))) == ""
    assert side_of("2024-01", replace(split, kind="random", columns=("parcel",), borders=())) == ""


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


def test_the_room_imports_nothing_heavy() -> None:
    code = (
        "import sys, fullcircle.report.card, fullcircle.report.facts, fullcircle.report.page\n"
        "print({'pandas', 'sklearn', 'matplotlib', 'xgboost', 'hydra', 'scipy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
