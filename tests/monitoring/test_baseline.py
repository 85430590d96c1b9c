from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.base.errors import ConfigError, DataError
from fullcircle.monitoring.baseline import Watched, make_baseline, read_baseline, write_baseline
from fullcircle.monitoring.bins import NULL, OUTSIDE, bin_rows, numeric_bins
from fullcircle.monitoring.counts import chosen_groups, count_category, count_number
from fullcircle.packaging.reference import reference
from tests.builders import INPUTS, labelled, same, text, trained
from tests.monitoring.made import Process, drawn_baseline

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.monitoring.baseline import Baseline

WATCHED = Watched("flights", "auc", ("origin",), ("month", "day"))


def made(watched: Watched = WATCHED) -> Baseline:
    scorer, train = trained().scorer, labelled(600)
    return make_baseline("a" * 64, scorer, reference(train, INPUTS), train, labelled(200, 1), watched)


def test_a_baseline_reads_back_as_it_was_written_and_equal_ones_are_equal_bytes(tmp_path: Path) -> None:
    baseline = made()
    for name in ("one", "two"):
        write_baseline(baseline, tmp_path / name)
        write_baseline(baseline, tmp_path / name)
    files = [{f.name: f.read_bytes() for f in (tmp_path / name).iterdir()} for name in ("one", "two")]
    assert files[0] == files[1]
    assert len(files[0]) == 4
    found = read_baseline(tmp_path / "one")
    assert same(found.test, baseline.test)
    assert (found.bundle, found.classes, found.together) == ("a" * 64, ("on_time", "late"), ("month", "day"))
    for first, second in zip(found.train.values(), baseline.train.values(), strict=True):
        assert first.bins == second.bins
        assert np.array_equal(first.total, second.total)
        assert np.array_equal(first.groups, second.groups)
    assert np.array_equal(found.predicted, baseline.predicted)
    assert np.array_equal(found.group, baseline.group)
    assert found.rare is not None


def test_every_training_row_is_counted_once_in_each_input() -> None:
    baseline = made()
    assert {*baseline.train} == {*INPUTS}
    for counted in baseline.train.values():
        assert counted.total.sum() == 600
        assert np.array_equal(counted.groups.sum(axis=0), counted.total)


def test_a_column_that_names_groups_is_not_compared() -> None:
    assert made().train["month"].bins.kind == "key"
    assert made(replace(WATCHED, together=())).train["month"].bins.kind == "number"


def test_rows_without_groups_are_counted_in_all_only() -> None:
    baseline = made(replace(WATCHED, together=()))
    assert {c.groups.shape[0] for c in baseline.train.values()} == {0}
    assert np.array_equal(baseline.group, np.arange(len(baseline.target)))


def test_a_damaged_baseline_says_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "reference"
    write_baseline(drawn_baseline(Process(), 3, np.random.default_rng(0)), folder)
    (folder / "counts.parquet").unlink()
    with pytest.raises(DataError, match=r"counts\.parquet cannot be read"):
        read_baseline(folder)
    (folder / "baseline.json").write_text('{"format": 7}', encoding="utf-8")
    with pytest.raises((ConfigError, DataError)):
        read_baseline(folder)


def test_what_only_one_group_has_counts_as_outside() -> None:
    group = np.array([0, 0, 1, 1, 2, 2])
    counted = count_number(np.array([1.0, 2, 2, 9, 3, np.nan]), "number", group).counted
    assert counted.total[OUTSIDE] == 2  # 1 and 9
    assert counted.total[NULL] == 1
    category = count_category(text(["A", "B", "A", "C", "A", "C"]), ("A", "C", "B"), group).counted
    assert category.total[OUTSIDE] == 1  # B
    assert category.groups[:, OUTSIDE].tolist() == [1, 0, 0]


def test_of_many_groups_runs_are_chosen() -> None:
    chosen = chosen_groups(10_000)
    assert len(chosen) == 400
    assert (chosen[0], chosen[-1]) == (0, 9_999)
    assert np.array_equal(chosen_groups(400), np.arange(400))


def test_values_have_the_bins_that_were_counted() -> None:
    values = np.append(np.arange(100.0), np.nan)
    bins = numeric_bins("number", values)
    at = bin_rows(np.array([-1.0, 0, 50, 99, 100, np.nan, np.inf]), bins)
    outside, null = bins.count + OUTSIDE, bins.count + NULL
    assert at.tolist() == [outside, 0, 5, 9, outside, null, outside]


def test_times_are_compared_by_their_time_of_day() -> None:
    hours = np.datetime64("2020-01-01", "s") + 3600 * np.arange(240)
    counted = count_number(hours, "time", np.repeat(np.arange(10), 24)).counted
    later = bin_rows(hours + np.timedelta64(3650, "D"), counted.bins)
    assert np.array_equal(np.bincount(later, minlength=counted.bins.count), counted.total)
