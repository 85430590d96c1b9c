from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fullcircle.sweep.formatting import decimals, duration, metric_name, short_keys
from fullcircle.sweep.page import render
from fullcircle.sweep.result import Incumbent, gain_on_test, keys_of, summarize, top_decile
from fullcircle.sweep.trials import Trial
from tests.report.test_page import text_of
from tests.sweep.made import swept

if TYPE_CHECKING:
    from fullcircle.sweep.result import SweepResult

EVIL = '<script>alert("1")</script>'


def body(page: str) -> str:
    return page.split("</style>")[1]


def of(*trials: Trial) -> SweepResult:
    return swept(1, trials=trials, incumbents=(), importance={}, adopt_command="")


def test_the_page_shows_the_best_trial_and_the_space() -> None:
    sweep = swept(50)
    best, text = summarize(sweep).best, text_of(render(sweep))
    assert best is not None
    assert f"50 trials of {sweep.name}" in text
    assert f"{best.value:.4f}" in text
    assert f"± {best.deviation:.4f}" in text
    assert f"To keep them: fullcircle adopt {best.experiment}" in text
    for override in sweep.space.values():
        assert override in text


def test_the_page_is_self_contained() -> None:
    page = render(swept(50))
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)


def test_equal_sweeps_have_equal_pages() -> None:
    assert render(swept(50)) == render(swept(50))


def test_500_trials_with_8_keys_fit_a_megabyte() -> None:
    page = render(swept(500))
    assert len(page.encode()) < 300_000
    assert page.count('class="rest"') + page.count('class="top"') == len(summarize(swept(500)).complete)


@pytest.mark.parametrize("count", [0, 1, 2, 6, 50])
def test_a_sweep_of_any_length_has_a_page_without_nan(count: int) -> None:
    page = render(swept(count))
    assert f"{count} trial" in text_of(page)
    assert not re.search(r"\b(nan|inf|None)\b", body(page))


def test_a_page_without_a_complete_trial_has_no_charts() -> None:
    for trials in ((), (Trial(1, "failed", {"model.l2": 1.0}, error="broken"),), (Trial(1, "pruned", {}),)):
        page = render(of(*trials))
        assert "No trial was completed" in text_of(page)
        for part in (
            "Importance of the keys",
            "All choices at once",
            "The complete trials",
            "To keep them",
            "test rows",
        ):
            assert part not in text_of(page)


def test_one_trial_has_nothing_to_compare_with() -> None:
    text = text_of(render(of(Trial(1, "complete", {"model.l2": 1.0}, 0.7, seconds=90))))
    assert "1 trial of xgboost" in text
    assert "the first complete trial is the best" in text
    assert "1 min 30 s" in text
    assert "All choices at once" not in text


def test_equal_values_have_a_page() -> None:
    page = render(of(*(Trial(i, "complete", {"model.l2": 1.0}, 0.7 + i * 1e-15) for i in range(1, 31))))
    assert "All choices at once" in text_of(page)
    assert not re.search(r"\b(nan|inf)\b", body(page))


def test_nan_values_are_left_out() -> None:
    nan = float("nan")
    trials = [Trial(i, "complete", {"model.l2": nan}, 0.7 + i / 100, nan, {"val_ece": nan}, nan) for i in range(1, 5)]
    trials += [Trial(5, "complete", {}, nan), Trial(6, "pruned", {})]
    incumbents = (Incumbent(1, 0.7, nan, None), Incumbent(2, 0.72, 0.6, (nan, nan)))
    page = body(render(replace(of(*trials), incumbents=incumbents, importance={"model.l2": nan}, seconds=nan)))
    assert not re.search(r'(points|d|[cxy]+|width)="[^"]*nan', page)
    assert "standard deviation" not in page


def test_all_text_is_escaped() -> None:
    trials = (
        Trial(1, "complete", {EVIL: EVIL, "model.l2": 1.0}, 0.7, 0.1, {EVIL: 0.5}, experiment=EVIL),
        Trial(2, "complete", {EVIL: "other"}, 0.8, 0.1, {EVIL: 0.5}, experiment=EVIL),
        Trial(3, "failed", {EVIL: EVIL}, error=EVIL),
    )
    incumbents = (Incumbent(1, 0.7, 0.6, None), Incumbent(2, 0.8, 0.6, None))
    sweep = swept(
        1, name=EVIL, metric=EVIL, sampler=EVIL, space={EVIL: EVIL}, log=(EVIL,), trials=trials,
        importance={EVIL: 1.0}, incumbents=incumbents, adopt_command=EVIL,
    )  # fmt: skip
    page = render(sweep)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 15


def test_very_long_keys_and_many_of_them_have_a_page() -> None:
    keys = [f"model.{'part.' * 20}key_{i}" for i in range(14)]
    trials = [Trial(n, "complete", {key: n * i for i, key in enumerate(keys)}, n / 10) for n in range(1, 9)]
    importance = {key: i / 100 for i, key in enumerate(keys)}
    page = render(replace(of(*trials), space=dict.fromkeys(keys, "range(0, 99)"), importance=importance))
    assert "The 10 most important keys of 14" in text_of(page)
    drawn = page.split('id="parallel"')[1].split("</svg>")[0]
    assert "key_13<" in drawn
    assert "key_3<" not in drawn


def test_lower_is_better_if_the_sweep_minimizes() -> None:
    trials = [Trial(i, "complete", {"model.l2": i}, 0.5 - i / 100, experiment=f"x-{i}") for i in range(1, 31)]
    sweep = replace(of(*trials), direction="minimize", metric="val_logloss")
    found = summarize(sweep)
    assert found.best == trials[-1]
    assert [t.number for t in found.ranked[:3]] == [30, 29, 28]
    assert found.gain == pytest.approx((0.29, 0.145))
    text = text_of(render(sweep))
    assert "log loss on validation, lower is better" in text
    assert "+0.2900" in text


def test_outliers_are_drawn_at_the_edge_and_counted() -> None:
    trials = [Trial(i, "complete", {"model.l2": i}, 0.7 + i / 1000) for i in range(1, 21)]
    text = text_of(render(of(*trials, Trial(21, "complete", {"model.l2": 21}, 0.1))))
    assert "1 much lower value is drawn at the edge" in text
    assert "drawn at the edge" not in text_of(render(of(*trials)))


def test_trials_near_the_best_are_counted() -> None:
    trials = [Trial(i, "complete", {}, 0.7 + i / 1000, 0.0025) for i in range(1, 6)]
    assert summarize(of(*trials)).near == 2
    assert "2 trials are that close to it" in text_of(render(of(*trials)))
    assert summarize(of(*(replace(t, deviation=None) for t in trials))).near is None


def test_the_table_shows_the_best_twenty_and_the_failed_ones_their_error() -> None:
    sweep = swept(500)
    text = text_of(render(sweep))
    found = summarize(sweep)
    assert f"The best 20 of {len(found.complete)} trials" in text
    assert all(trial.experiment in text for trial in found.ranked[:20])
    assert "std::bad_alloc" in text
    assert f"The first 20 of {len(found.failed)}." in text
    assert "The failed trials" not in text_of(render(of(Trial(1, "complete", {}, 0.5))))


def test_a_long_error_is_cut_off() -> None:
    page = render(of(Trial(1, "failed", {}, error="x" * 5000)))
    assert "x" * 380 in page
    assert "x" * 400 not in page


def test_the_swept_metric_has_a_column_only_if_it_differs_from_the_value() -> None:
    trial = Trial(1, "complete", {}, 0.7, None, {"val_auc": 0.7, "rounds": 300.0})
    assert render(of(trial)).count(">val_<wbr>auc<") == 1
    assert render(of(replace(trial, value=0.71))).count(">val_<wbr>auc<") == 2


def test_the_share_of_the_gain_that_holds_on_test_rows_is_reported() -> None:
    first, last = Incumbent(1, 0.700, 0.690, None), Incumbent(9, 0.712, 0.694, None)
    assert gain_on_test((last, first), "maximize") == (
        "From trial 1 to the best, trial 9, the metric improved by 0.0120 on validation rows and improved by 0.0040 on "
        "test rows: 33% of the gain holds."
    )
    assert "got worse by 0.0100 on test rows: none of the gain holds." in gain_on_test(
        (first, replace(last, test=0.68)), "maximize"
    )
    assert "improved by 0.0200 on test rows: all of the gain holds." in gain_on_test(
        (first, replace(last, test=0.71)), "maximize"
    )
    assert "improved by 0.0120 on validation rows and improved by 0.0040" in gain_on_test(
        (Incumbent(1, 0.712, 0.694, None), Incumbent(9, 0.7, 0.69, None)), "minimize"
    )
    assert gain_on_test((first,), "maximize") == "No later trial was better than trial 1: there is no gain to compare."
    assert gain_on_test((), "maximize") == ""


def test_a_gain_inside_the_interval_may_be_chance() -> None:
    first, last = Incumbent(1, 0.700, 0.690, None), Incumbent(9, 0.712, 0.694, (0.68, 0.71))
    assert "may be chance" in gain_on_test((first, last), "maximize")
    assert "may be chance" not in gain_on_test((first, replace(last, interval=(0.692, 0.71))), "maximize")


def test_sections_without_content_are_left_out() -> None:
    text = text_of(render(swept(6, incumbents=(), importance={})))
    assert "test rows" not in text.lower()
    assert "Not computed" in text
    assert "How much of the gain holds on test rows" in text_of(render(swept(6)))


def test_keys_are_in_the_order_of_the_space_then_of_the_trials() -> None:
    trials = (Trial(1, "complete", {"extra": 1, "model.l2": 1}, 0.5), Trial(2, "complete", {"model": "x"}, 0.5))
    assert keys_of(of(*trials), trials) == ["model", "model.l2", "extra"]


def test_keys_are_shortened_unless_two_would_be_equal() -> None:
    assert short_keys(["model.l2", "split.kind", "model.seed", "seed"]) == {
        "model.l2": "l2", "split.kind": "split.kind", "model.seed": "model.seed", "seed": "seed",
    }  # fmt: skip


def test_metrics_times_and_digits_are_formatted() -> None:
    assert metric_name("val_auc") == "ROC AUC on validation"
    assert metric_name("val_rmse") == "root mean squared error on validation"
    assert metric_name("val_bacc") == "balanced accuracy on validation"
    assert metric_name("own_score") == "own_score"
    assert [duration(s) for s in (0.04, 9.96, 59.6, 200, 3599.9, 7500)] == [
        "0.0 s", "10 s", "1 min 00 s", "3 min 20 s", "1 h 00 min", "2 h 05 min",
    ]  # fmt: skip
    assert [decimals(v) for v in ([0.73, None, 0.7, 9.5], [12.5], [12345.6], [3.0, 400.0], [0.0003], [], [0.0])] == [
        4, 2, 0, 0, 7, 3, 3,
    ]  # fmt: skip
    assert [top_decile(range(n)) for n in (1, 10, 11, 500)] == [1, 1, 2, 50]
