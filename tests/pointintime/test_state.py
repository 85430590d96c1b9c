from __future__ import annotations

import contextlib
import warnings
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fullcircle.base.columns import Columns, take
from fullcircle.base.errors import DataError
from fullcircle.base.typed import build, plain
from fullcircle.core.data import Data, state_spec_of
from fullcircle.pointintime import state as module
from fullcircle.pointintime.recent import due_at
from fullcircle.pointintime.spec import Recent, StateSpec
from fullcircle.pointintime.state import State
from fullcircle.stages.clean import add_known
from tests.builders import FLIGHTS, MOMENT, flights, history, observations, same
from tests.pointintime.replay import replay

if TYPE_CHECKING:
    from pathlib import Path


COLUMNS = tuple(
    Recent(f"{what}_{'_'.join(by)}_{hours}", by, hours, what)
    for what in ("mean", "late", "waiting", "waited", "timetable")
    for by in ((), ("origin",), ("origin", "carrier"))
    for hours in (0.5, 3.0)
)
HISTORY = history(*COLUMNS)
WEATHER = replace(
    FLIGHTS,
    columns={name: FLIGHTS.columns[name] for name in ("origin", "time_hour", "temp")},
    key=("origin", "time_hour"),
)
DATA = Data({"flights": FLIGHTS, "weather": WEATHER}, observations(), HISTORY)


def spec() -> StateSpec:
    made = state_spec_of(DATA, "flights", MOMENT)
    assert made is not None
    return made


def weather() -> Columns:
    hours = np.repeat(np.arange(-6, 72), 2)
    return {
        "origin": np.array(["EWR", "JFK"] * 78, dtype=object),
        "time_hour": np.datetime64("2013-03-01T05", "s") + hours.astype("timedelta64[h]"),
        "temp": 20.0 + hours % 50,
    }


def batch(events: Columns, observed: Columns) -> Columns:
    known, _ = add_known(events, MOMENT, observations(), observed, HISTORY)
    return {name: known[name] for name in spec().outputs}


def asked_of(events: Columns) -> Columns:
    return {name: events[name] for name in spec().needed}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60), st.randoms(use_true_random=False))
def test_a_state_that_holds_all_events_gives_what_clean_gives(seed: int, count: int, random: Any) -> None:
    events, observed = flights(count, seed), weather()
    events["dep_delay"] += 0.1  # sums of such numbers would depend on their order
    state, order = State(spec()), [*range(count)]
    random.shuffle(order)
    state.add("weather", take(observed, np.array(random.sample(range(156), 156))))
    for part in np.array_split(np.array(order), min(count, 4)):
        state.add("flights", take(events, part))
    assert same(state.compute(asked_of(events)), batch(events, observed))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 60))
def test_each_row_asked_at_its_moment_gets_what_clean_gives(seed: int, count: int) -> None:
    events, observed = flights(count, seed), weather()
    found = [(row, values) for row, values in replay(State(spec()), events, observed)]
    expected = batch(events, observed)
    assert sorted(row for row, _ in found) == list(range(count))
    for row, values in found:
        assert same(values, take(expected, np.array([row])))


def test_an_event_that_arrives_late_changes_only_what_is_asked_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLACK", 10**6)
    events, observed = flights(80), weather()
    state, late = State(spec()), int(np.argmin(np.where(np.isnan(events["dep_delay"]), np.inf, due_at(events, MOMENT))))
    others = np.arange(80) != late
    state.add("weather", observed)
    state.add("flights", take(events, others))
    before = state.compute(asked_of(take(events, others)))
    assert same(before, batch(take(events, others), observed))
    state.add("flights", take(events, ~others))
    assert same(state.compute(asked_of(events)), batch(events, observed))


def test_a_repeated_key_updates_its_event() -> None:
    events = flights(50)
    state = State(spec())
    state.add("weather", weather())
    state.add("flights", events | {"dep_delay": np.full(50, np.nan)})
    state.add("flights", take(events, np.array([3, 3, 7])))
    left = events["dep_delay"].copy()
    left[[i for i in range(50) if i not in (3, 7)]] = np.nan
    assert same(state.compute(asked_of(events)), batch(events | {"dep_delay": left}, weather()))
    assert state.freshness()["flights"].rows == 50


def test_a_row_that_breaks_a_check_is_not_added() -> None:
    events = flights(20)
    events["dep_delay"][4], events["origin"][5] = 5000.0, "BOS"
    state = State(spec())
    added = state.add("flights", events)
    assert (added.rows, state.freshness()["flights"].rows) == (18, 18)
    assert added.rejected == {"dep_delay not in -120..2880": 1, "origin not one of EWR, JFK, LGA": 1}


def test_another_table_and_a_missing_column_are_refused() -> None:
    state = State(spec())
    with pytest.raises(DataError, match="no table planes of events or observations; there are flights, weather"):
        state.add("planes", {})
    with pytest.raises(DataError, match="flights: missing columns: carrier"):
        state.add("flights", {name: values for name, values in flights(3).items() if name != "carrier"})


def test_a_state_without_events_has_nothing_to_report() -> None:
    events = flights(5)
    found = State(spec()).compute(asked_of(events))
    empty = {name: np.array([], dtype=values.dtype) for name, values in events.items()}
    assert all(np.isnan(values).all() or (values == 0).all() for values in found.values())
    assert State(spec()).compute(asked_of(empty)).keys() == found.keys()


def test_a_saved_state_is_restored_exactly(tmp_path: Path) -> None:
    events, observed = flights(60), weather()
    observed["temp"][5] = np.nan
    state = State(spec())
    state.add("weather", observed)
    state.add("flights", events)
    state.save(tmp_path / "state.npz")
    restored = State.load(tmp_path / "state.npz")
    assert restored.spec == state.spec
    assert restored.freshness() == state.freshness()
    assert same(restored.compute(asked_of(events)), state.compute(asked_of(events)))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_a_damaged_state_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"state\.npz cannot be read"):
        State.load(tmp_path / "state.npz")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_of_a_state_is_one_kind_of_error(tmp_path: Path, data: st.DataObject) -> None:
    state, path = State(spec()), tmp_path / "state.npz"
    state.add("flights", flights(5))
    state.save(path)
    with zipfile.ZipFile(path) as packed:
        members = {name: bytearray(packed.read(name)) for name in packed.namelist()}
    changed = members[data.draw(st.sampled_from(sorted(members)))]
    for _ in range(3):
        changed[data.draw(st.integers(0, min(len(changed), 200) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        changed[:] = changed.replace(b"(5,)", b"(50000000000000,)")
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, bytes(content))
    with contextlib.suppress(DataError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        State.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"flight": np.arange(4.0)}, r"different lengths: 5 .*, 4 \(flight\)"),
        ({"dep_delay": np.ones(5, bool)}, "column dep_delay is an array of bool"),
        ({"carrier": np.arange(5.0)}, "column carrier is an array of float64"),
        ({"time_hour": np.arange(5.0)}, "column time_hour is an array of float64"),
    ],
)
def test_arrays_that_would_be_misread_are_refused(change: Columns, message: str) -> None:
    state, events = State(spec()), flights(5)
    with pytest.raises(DataError, match=message):
        state.add("flights", events | change)
    if "dep_delay" not in change:  # rows that are planned have none
        with pytest.raises(DataError, match="different lengths" if "flight" in change else message):
            state.plan(events | change)
    assert state.freshness()["flights"].rows == 0
    other = {"flight": events["flight"].astype(int), "time_hour": events["time_hour"].astype("datetime64[ns]")}
    assert state.add("flights", events | other).rows == 5


def test_what_no_row_can_need_is_forgotten_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLACK", 3600)
    events, observed = flights(1500), weather()
    state, expected = State(spec()), batch(events, observed)
    for row, values in replay(state, events, observed):
        assert same(values, take(expected, np.array([row])))
    assert state.freshness()["flights"].rows < 700
    with pytest.raises(DataError, match="the state has forgotten events that a prediction made at 2013-03-01T03"):
        state.compute(asked_of(take(events, np.argsort(due_at(events, MOMENT))[:1])))


def test_a_spec_survives_json() -> None:
    assert build(StateSpec, plain(spec())) == spec()
