"""A running alarm: it fires once, clears, counts each window once, and survives restarts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.typed import build, plain
from fullcircle.monitoring.alarm import Alarm, AlarmSettings, AlarmState, Window, alarm_of, fold, update
from fullcircle.monitoring.threshold import Spread

SPREAD = Spread(0.7, 60, 0.0016, 0.0006, 0.6, 0.1, (-1.0, 1.0))
ALARM = Alarm("abc", loss=0.04, threshold=2.0, rows=1000, lower=False, min_rows=50, spread=SPREAD, delay=4)
START = AlarmState()


def windows(*values: float | None, rows: int = 1000, first: int = 0) -> list[Window]:
    return [Window(f"{first + i:04}", value, rows) for i, value in enumerate(values)]


def test_an_alarm_fires_once_and_clears() -> None:
    states = [START]
    for window in windows(*[0.7] * 5, *[0.66] * 8, *[0.7] * 12):
        states.append(update(ALARM, states[-1], window))
    on = [state.on for state in states]
    assert on == [False] * 10 + [True] * 7 + [False] * 9  # 5 windows at the loss, then 4 without it
    assert states[-1].alarms == 1
    assert {state.raised for state in states if state.on} == {"0009"}


def test_the_change_is_dated_and_measured() -> None:
    state = fold(ALARM, START, windows(*[0.72] * 30, *[0.66] * 10))
    assert (state.since, state.raised, state.last) == ("0030", "0034", "0039")
    assert state.loss == pytest.approx(0.04)
    assert state.evidence == ALARM.threshold


def test_a_long_alarm_clears_as_fast_as_a_short_one() -> None:
    raised = fold(ALARM, START, windows(*[0.6] * 300))
    assert raised.on
    assert not fold(ALARM, raised, windows(*[0.7] * 6, first=300)).on


def test_less_than_half_of_the_loss_is_no_alarm() -> None:
    assert fold(ALARM, START, windows(*[0.6801] * 1000)) == replace(START, bundle="abc", last="0999")


def test_of_a_metric_of_which_lower_is_better_a_rise_is_the_loss() -> None:
    alarm = replace(ALARM, lower=True, spread=replace(SPREAD, mean=-0.2))
    assert alarm.expected == 0.2
    assert not fold(alarm, START, windows(*[0.1] * 50)).on
    state = fold(alarm, START, windows(*[0.24] * 6))
    assert state.on
    assert state.loss == pytest.approx(0.04)


def test_windows_without_a_value_or_with_few_rows_are_skipped() -> None:
    before = fold(ALARM, START, windows(*[0.66] * 4))
    after = fold(ALARM, before, [Window("0004", None, 900), Window("0005", float("nan"), 900), Window("0006", 0.0, 49)])
    assert after == replace(before, last="0006")


def test_a_window_of_few_rows_counts_for_less() -> None:
    usual, few = (update(ALARM, START, windows(0.6, rows=rows)[0]).evidence for rows in (1000, 100))
    assert 0 < few < 0.5 * usual


def test_a_window_counts_once() -> None:
    state = fold(ALARM, START, windows(0.7, 0.7))
    with pytest.raises(DataError, match="window 0001 comes after 0001"):
        update(ALARM, state, windows(0.7, 0.7)[1])


def test_a_new_bundle_starts_anew() -> None:
    state = fold(ALARM, START, windows(*[0.6] * 20))
    assert state.on
    after = update(replace(ALARM, bundle="new"), state, Window("0001", 0.7, 1000))
    assert after == AlarmState(bundle="new", last="0001")


VALUES = st.lists(st.one_of(st.none(), st.just(float("nan")), st.floats(0, 1)), max_size=40)


@given(VALUES, st.integers(0, 40))
def test_a_restart_changes_nothing(values: list[float | None], at: int) -> None:
    all_ = windows(*values)
    before = fold(ALARM, START, all_[:at])
    stored = build(AlarmState, json.loads(json.dumps(plain(before))))
    assert stored == before
    assert fold(ALARM, stored, all_[at:]) == fold(ALARM, START, all_)


def test_a_rule_states_its_delay() -> None:
    spread = replace(SPREAD, shocks=tuple(np.random.default_rng(0).standard_normal(59).tolist()))
    alarm = alarm_of(spread, 0.08, 1.0, 1000, AlarmSettings(), "abc")
    assert alarm.delay is not None
    assert alarm.threshold <= alarm.delay <= 4 * alarm.threshold + 1
    assert alarm_of(spread, 0.001, 1.0, 1000, AlarmSettings(), "abc").delay is None
    assert alarm_of(spread, 0.08, 1.0, 1000, AlarmSettings(window="week"), "abc").threshold < alarm.threshold


def test_a_rule_is_kept_as_json() -> None:
    assert build(Alarm, json.loads(json.dumps(plain(ALARM)))) == ALARM


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"loss": 0}, "loss 0 must be above 0"),
        ({"loss": float("inf")}, "loss inf must be above 0"),
        ({"false_alarms_per_year": 0}, r"false_alarms_per_year 0 is outside 0.01..36.5"),
        ({"false_alarms_per_year": 10, "window": "week"}, r"outside 0.01..5.2"),
        ({"min_rows": 0}, "min_rows 0 must be 1 or more"),
        ({"window": "hour"}, "alarm.window: 'hour' is not one of 'day', 'week'"),
        ({"losses": 0.1}, "losses"),
    ],
)
def test_settings_that_make_no_sense_are_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(AlarmSettings, data, "alarm")


def test_settings_are_read() -> None:
    assert build(AlarmSettings, {}, "alarm") == AlarmSettings(None, 1.0, "day", 50)
    assert build(AlarmSettings, {"loss": 0.03, "false_alarms_per_year": 2, "window": "week"}, "alarm").loss == 0.03
