"""Outcomes: joined, counted, idempotent, in any order."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.base.errors import DataError
from fullcircle.log.bundles import latest_bundle, logged_bundles, note_bundle
from fullcircle.log.entries import utc
from fullcircle.log.outcomes import add_outcomes
from fullcircle.log.reading import blocks, outcomes_in, windows
from fullcircle.log.writer import Writer, WriterSettings
from tests.log.made import BUNDLE, READ, entry, opened

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import sqlalchemy as sql

    from fullcircle.log.entries import Entry

AT = "2014-05-13T16:53:20"


def log(folder: Path, entries: Sequence[Entry]) -> sql.Engine:
    writer = Writer(opened(folder), BUNDLE, WriterSettings(0.01), lambda *_: None)
    for each in entries:
        writer.offer(each)
    writer.start()
    writer.close(20)
    return opened(folder)


def known(engine: sql.Engine) -> list[str | None]:
    found = [value for block in blocks(engine) for value in outcomes_in(engine, block)]
    return [None if value is None else value[0] for value in found]


def columns(orders: Sequence[Any], values: Sequence[Any]) -> dict[str, list[Any]]:
    return {"order": [*orders], "at": [AT] * len(orders), "returned": [*values]}


def test_an_outcome_is_joined_by_the_identity_of_its_record(tmp_path: Path) -> None:
    engine = log(tmp_path, [entry(["a", "b", "c"])])
    found = add_outcomes(engine, BUNDLE, columns(["b", "c"], ["yes", 0]), 1.4e9)
    assert (found.added, found.unknown, found.duplicate, found.conflicting) == (2, 0, 0, 0)
    assert known(engine) == [None, "yes", "no"]


def test_an_outcome_is_joined_by_its_prediction_id(tmp_path: Path) -> None:
    made = entry(["a", "b"])
    engine = log(tmp_path, [made])
    by_id = {"prediction_id": [f"{made.id}/1", f"{made.id}/7", "nothing"], "returned": ["yes", "no", "no"]}
    found = add_outcomes(engine, BUNDLE, by_id, 1.4e9)
    assert (found.added, found.unknown) == (1, 1)
    assert found.set_aside == {2: "prediction_id cannot be read"}
    assert known(engine) == [None, "yes"]
    again = add_outcomes(engine, BUNDLE, columns(["b"], ["yes"]), 1.4e9)  # the same record by its identity
    assert again.duplicate == 1


def test_an_outcome_that_comes_before_its_prediction_is_joined_when_that_is_made(tmp_path: Path) -> None:
    made = entry(["a", "b"])
    engine = opened(tmp_path)
    assert add_outcomes(engine, BUNDLE, columns(["a"], ["yes"]), 1.4e9).unknown == 1
    by_id = {"prediction_id": [f"{made.id}/1"], "returned": ["no"]}
    assert add_outcomes(engine, BUNDLE, by_id, 1.4e9).unknown == 1
    engine = log(tmp_path, [made])
    assert known(engine) == ["yes", "no"]


def test_what_arrives_twice_changes_nothing(tmp_path: Path) -> None:
    engine = log(tmp_path, [entry(["a"])])
    assert add_outcomes(engine, BUNDLE, columns(["a", "a", "a"], ["yes", "yes", "no"]), 1.4e9).conflicting == 1
    again = add_outcomes(engine, BUNDLE, columns(["a", "a"], ["no", "yes"]), 1.5e9)
    assert (again.added, again.duplicate, again.conflicting) == (0, 1, 1)
    assert known(engine) == ["yes"]


def test_outcomes_that_cannot_be_read_are_set_aside_with_the_reason(tmp_path: Path) -> None:
    engine = log(tmp_path, [entry(["a"])])
    found = add_outcomes(engine, BUNDLE, columns(["a", "b"], ["perhaps", None]), 1.4e9)
    assert found.set_aside == {0: "'perhaps' is none of no, yes", 1: "None is none of no, yes"}
    assert known(engine) == [None]
    with pytest.raises(DataError, match="missing columns: at"):
        add_outcomes(engine, BUNDLE, {"order": ["a"], "returned": ["yes"]}, 1.4e9)


def test_ten_thousand_outcomes_out_of_order_duplicated_and_for_unknown_records(tmp_path: Path) -> None:
    engine = log(tmp_path, [entry(range(at, at + 500), 1.4e9 + at) for at in range(0, 6000, 500)])
    truth = {order: random.Random(order).choice(["no", "yes"]) for order in range(8000)}  # noqa: S311
    sent = [*truth, *range(2000)]
    random.Random(1).shuffle(sent)  # noqa: S311
    total = Counter[str]()
    for at in range(0, len(sent), 700):
        part = sent[at : at + 700]
        found = add_outcomes(engine, BUNDLE, columns(part, [truth[order] for order in part]), 1.5e9)
        total.update(added=found.added, unknown=found.unknown, duplicate=found.duplicate, wrong=found.conflicting)
    assert total == {"added": 6000, "unknown": 2000, "duplicate": 2000, "wrong": 0}
    before = known(engine)
    assert before == [truth[order] for order in range(6000)]
    found = add_outcomes(engine, BUNDLE, columns(sent, [truth[order] for order in sent]), 1.6e9)
    assert (found.duplicate, found.added) == (10_000, 0)
    assert known(engine) == before


def test_a_window_has_what_one_bundle_answered_in_a_span(tmp_path: Path) -> None:
    day = 86400.0
    engine = log(tmp_path, [entry([at], 1.4e9 + at * day / 4, {1: "late"}) for at in range(12)])
    add_outcomes(engine, BUNDLE, columns([5], ["yes"]), 1.5e9)
    found = windows(engine, {BUNDLE.id: READ}.get, 1.4e9 + day, 1.4e9 + 2 * day)[BUNDLE.id]
    assert found.made.tolist() == [1.4e9 + at * day / 4 for at in range(4, 8)]
    assert found.outcome.tolist() == [None, "yes", None, None]
    assert found.answer["prediction"].tolist() == ["no"] * 4
    assert found.inputs["at"].dtype.kind == "M"
    assert len(found.ms) == 4
    assert windows(engine, dict[str, Any]().get, 0, 2e9) == {}


def test_a_span_between_the_requests_of_a_block_has_no_window(tmp_path: Path) -> None:
    engine = log(tmp_path, [entry([1], 1.4e9), entry([2], 1.4e9 + 3 * 86400)])
    assert len([*blocks(engine)]) == 1
    assert windows(engine, {BUNDLE.id: READ}.get, 1.4e9 + 86400, 1.4e9 + 2 * 86400) == {}


def test_the_log_knows_its_bundles(tmp_path: Path) -> None:
    engine = opened(tmp_path)
    with pytest.raises(DataError, match="no bundle has answered yet"):
        latest_bundle(engine)
    note_bundle(engine, BUNDLE, utc(1e9))
    note_bundle(engine, BUNDLE, utc(2e9))  # a second worker
    assert [*logged_bundles(engine)] == [BUNDLE.id]
    assert latest_bundle(engine, "orders") == BUNDLE
