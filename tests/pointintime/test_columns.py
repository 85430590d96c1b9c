from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fullcircle.base.columns import Array, Columns, take
from fullcircle.pointintime.observed import last_observed
from fullcircle.pointintime.recent import due_at, recent
from fullcircle.pointintime.spec import History, Moment, Recent
from tests.builders import history, observations, same, text

nan = float("nan")
START = int(np.datetime64("2013-03-01T05", "s").astype(np.int64))

COLUMNS = tuple(
    Recent(f"{what}_{'_'.join(by)}_{hours}", by, hours, what)
    for what in ("mean", "late", "waiting", "waited", "timetable")
    for by in ((), ("origin",), ("origin", "carrier"))
    for hours in (0.5, 3.0)
)
HISTORY = history(*COLUMNS)
PLANNED = tuple(c.name for c in COLUMNS if c.what == "timetable")


@dataclass
class Events:
    """A day of departures: `due` in seconds, and the moment of prediction of each."""

    rows: Columns
    due: Array
    moment: Array

    @property
    def happened(self) -> Array:
        """Seconds; infinity for one that never did."""
        delay = self.rows["dep_delay"]
        return np.where(np.isnan(delay), np.inf, self.due + np.nan_to_num(delay) * 60)

    def known(self) -> Columns:
        return recent(self.rows, self.due, self.moment, HISTORY)


def events_of(rows: list[tuple[str | None, str, int, float]], lead: int) -> Events:
    columns = {
        "origin": np.array([r[0] for r in rows], dtype=object),
        "carrier": text([r[1] for r in rows]),
        "dep_delay": np.array([float(r[3]) for r in rows]),
    }
    due = np.array([START + 60 * r[2] for r in rows], dtype=np.int64)
    return Events(columns, due, due - lead)


# Times on a coarse grid, so that events meet the borders of each other's spans.
delays = st.integers(-12, 30).map(lambda d: 10.0 * d) | st.just(nan)
event = st.tuples(
    st.sampled_from(["EWR", "JFK", None]),
    st.sampled_from(["AA", "UA"]),
    st.integers(0, 60).map(lambda m: 10 * m),
    delays,
)
leads = st.sampled_from([0, 1800, 7200])
days = st.builds(events_of, st.lists(event, min_size=1, max_size=25), leads)


def by_hand(events: Events, column: Recent, history: History, i: int) -> float:
    """One value of one column, by looking at every event."""
    span, at, due, delay = column.hours * 3600, events.moment[i], events.due, events.rows["dep_delay"]
    group = [j for j in range(len(due)) if all(events.rows[c][j] == events.rows[c][i] for c in column.by)]
    if column.what == "timetable":
        return float(sum(abs(due[j] - due[i]) <= span for j in group))
    if column.what in ("waiting", "waited"):
        waits = [(at - due[j]) / 60 for j in group if at - span < due[j] <= at and events.happened[j] > at]
        if column.what == "waiting":
            return len(waits)
        return float(np.mean(waits)) if waits else 0.0
    seen = [delay[j] for j in group if at - span < events.happened[j] <= at]
    if not seen:
        return nan
    values = np.clip(seen, *history.clip) if column.what == "mean" else np.array(seen) >= history.late_minutes
    return float(np.mean(values))


@settings(max_examples=60, deadline=None)
@given(days)
def test_every_column_agrees_with_looking_at_every_event(events: Events) -> None:
    known = events.known()
    for column in COLUMNS:
        expected = [by_hand(events, column, HISTORY, i) for i in range(len(events.due))]
        np.testing.assert_allclose(known[column.name], expected, rtol=1e-12, atol=1e-9, err_msg=column.name)


@settings(max_examples=80, deadline=None)
@given(days, st.data())
def test_nothing_moves_when_delays_that_lie_ahead_are_changed(events: Events, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, len(events.due) - 1))
    at, before = events.moment[row], events.known()
    delay = events.rows["dep_delay"].copy()
    for i in np.flatnonzero(events.happened > at):
        least = int(np.floor((at - events.due[i]) / 60)) + 1  # the first minute that still lies ahead
        delay[i] = data.draw(st.just(nan) | st.integers(max(least, -120), max(least, -120) + 600).map(float))
    changed = Events(events.rows | {"dep_delay": delay}, events.due, events.moment)
    assert (changed.happened > at).tolist() == (events.happened > at).tolist()
    assert same(take(changed.known(), np.array([row])), take(before, np.array([row])))


@settings(max_examples=80, deadline=None)
@given(days, st.lists(event, max_size=8), st.data())
def test_nothing_but_the_timetable_moves_when_events_that_lie_ahead_come_or_go(
    events: Events, others: list[tuple[str | None, str, int, float]], data: st.DataObject
) -> None:
    row = data.draw(st.integers(0, len(events.due) - 1))
    at = events.moment[row]
    ahead = (events.due > at) & (events.happened > at)
    ahead[row] = False
    gone = np.array([bool(a) and data.draw(st.booleans()) for a in ahead])
    more = events_of([(o, c, m, d) for o, c, m, d in others], 0)
    lies_ahead = (more.due > at) & (more.happened > at)
    changed = Events(
        {name: np.concatenate([more.rows[name][lies_ahead], values[~gone]]) for name, values in events.rows.items()},
        np.concatenate([more.due[lies_ahead], events.due[~gone]]),
        np.concatenate([more.due[lies_ahead], events.moment[~gone]]),
    )
    now = int(lies_ahead.sum() + (~gone[:row]).sum())
    before, after = take(events.known(), np.array([row])), take(changed.known(), np.array([now]))
    for name in PLANNED:
        del before[name], after[name]
    assert same(after, before)


def test_a_delay_that_became_known_does_move_the_row() -> None:
    first = events_of([("EWR", "AA", 0, 10), ("EWR", "AA", 130, 0)], 7200)
    later = events_of([("EWR", "AA", 0, 11), ("EWR", "AA", 130, 0)], 7200)
    assert first.known()["mean_origin_3.0"][1] == 10
    assert np.isnan(later.known()["mean_origin_3.0"][1])
    assert [first.known()["waiting_origin_3.0"][1], later.known()["waiting_origin_3.0"][1]] == [0, 1]


def test_delays_are_clipped_before_they_are_averaged_but_lateness_is_not() -> None:
    events = events_of([("EWR", "AA", 0, 500), ("EWR", "AA", 490, -100), ("EWR", "AA", 600, 0)], 3600)
    known = events.known()
    assert known["mean_origin_3.0"][2] == (180 - 15) / 2
    assert known["late_origin_3.0"][2] == 0.5


def test_the_order_of_events_does_not_matter() -> None:
    random = np.random.default_rng(3)
    rows: list[tuple[str | None, str, int, float]] = [
        (
            str(random.choice(["EWR", "JFK"])),
            "AA",
            int(random.integers(0, 600)),
            float(random.integers(-10, 90)),
        )
        for _ in range(80)
    ]
    order = random.permutation(80)
    forward, shuffled = events_of(rows, 3600).known(), events_of([rows[i] for i in order], 3600).known()
    assert same(shuffled, take(forward, order))


def test_groups_of_many_levels_are_kept_apart() -> None:
    count = 40_000
    columns = {
        "one": text(range(count)), "other": text(range(count)), "dep_delay": np.full(count, 10.0),
    }  # fmt: skip
    due = START + 60 * np.arange(count, dtype=np.int64)
    column = Recent("near", ("one", "other"), 24.0, "timetable")
    known = recent(columns, due, due - 7200, history(column))
    assert set(known["near"].tolist()) == {1.0}


def test_an_event_is_due_at_its_hour_and_minute() -> None:
    columns = {
        "time_hour": np.array(["2013-03-01T05", "2013-03-01T06"], dtype="datetime64[s]"),
        "minute": np.array([0.0, 59.0]),
    }
    assert due_at(columns, Moment("time_hour", "minute", 2.0)).tolist() == [START, START + 3600 + 59 * 60]


# --- observations

observation = st.tuples(st.sampled_from(["EWR", "JFK"]), st.integers(0, 30))
asked = st.tuples(st.sampled_from(["EWR", "JFK", "LGA"]), st.integers(-60, 40 * 60))


def observed_of(rows: list[tuple[str, int]]) -> Columns:
    return {
        "origin": text([r[0] for r in rows]),
        "time_hour": (START + 3600 * np.array([r[1] for r in rows], dtype=np.int64)).astype("datetime64[s]"),
        "temp": np.arange(len(rows), dtype=np.float64),
    }


def asked_of(rows: list[tuple[str, int]]) -> tuple[Columns, Array]:
    return {"origin": text([r[0] for r in rows])}, np.array([START + 60 * r[1] for r in rows], dtype=np.int64)


def last_by_hand(observed: Columns, place: str, moment: int, within: float) -> float:
    known = observed["time_hour"].astype(np.int64) + 3600
    fit = [
        i for i in range(len(known))
        if observed["origin"][i] == place and known[i] <= moment and moment - known[i] <= within * 3600
    ]  # fmt: skip
    return float(observed["temp"][max(fit, key=lambda i: known[i])]) if fit else nan


@settings(max_examples=100, deadline=None)
@given(
    st.lists(observation, min_size=1, max_size=25, unique=True),
    st.lists(asked, min_size=1, max_size=10),
    st.sampled_from([0.5, 2.0, 6.0]),
)
def test_the_last_observation_agrees_with_looking_at_every_one(
    made: list[tuple[str, int]], rows: list[tuple[str, int]], within: float
) -> None:
    observed, (places, moment) = observed_of(made), asked_of(rows)
    found, without = last_observed(places, observed, moment, observations(within))
    expected = [last_by_hand(observed, p, m, within) for p, m in zip(places["origin"], moment, strict=True)]
    np.testing.assert_array_equal(found["temp"], expected)
    assert without == int(np.isnan(expected).sum())


@settings(max_examples=60, deadline=None)
@given(st.lists(observation, min_size=1, max_size=25, unique=True), asked, st.data())
def test_an_observation_that_was_not_known_is_never_used(
    made: list[tuple[str, int]], row: tuple[str, int], data: st.DataObject
) -> None:
    observed, (places, moment) = observed_of(made), asked_of([row])
    before, _ = last_observed(places, observed, moment, observations())
    later = observed["time_hour"].astype(np.int64) + 3600 > moment[0]
    changed = observed | {"temp": np.where(later, -999.0, observed["temp"])}
    keep = ~later | np.array([data.draw(st.booleans()) for _ in made])
    keep[0] = True  # a table of observations is never empty
    after, _ = last_observed(places, take(changed, keep), moment, observations())
    assert same(after, before)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(59, nan), (60, 7.0), (60 + 6 * 60, 7.0), (60 + 6 * 60 + 1, nan)],
)
def test_an_observation_is_known_late_and_grows_old(minutes: int, expected: float) -> None:
    observed = observed_of([("EWR", 0)]) | {"temp": np.array([7.0])}
    places, moment = asked_of([("EWR", minutes)])
    np.testing.assert_array_equal(last_observed(places, observed, moment, observations(6.0))[0]["temp"], [expected])


def test_the_observation_of_another_place_is_not_used() -> None:
    places, moment = asked_of([("JFK", 90), ("EWR", 90)])
    found, without = last_observed(places, observed_of([("EWR", 0)]), moment, observations())
    np.testing.assert_array_equal(found["temp"], [nan, 0])
    assert without == 1


def test_text_that_was_not_observed_is_none() -> None:
    how: Any = observations()
    observed = observed_of([("EWR", 0)]) | {"temp": text(["cold"])}
    places, moment = asked_of([("EWR", 90), ("JFK", 90)])
    assert last_observed(places, observed, moment, how)[0]["temp"].tolist() == ["cold", None]
