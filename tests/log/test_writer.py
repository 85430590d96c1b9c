"""The writer: what is offered is in the database, or counted as dropped."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sqlalchemy as sql

from fullcircle.log.database import BLOCKS, OUTCOMES, RECORDS
from fullcircle.log.outcomes import add_outcomes
from fullcircle.log.reading import blocks, places_of
from fullcircle.log.writer import Writer, WriterSettings, forget
from tests.log.made import BUNDLE, entry, opened

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.log.entries import Entry


class Counted(Counter[str]):
    """Counts, and lets a test wait for them."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()

    def __call__(self, what: str, rows: int) -> None:
        with self.changed:
            self[what] += rows
            self.changed.notify_all()

    def until(self, what: str, rows: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self[what] >= rows, 20), dict(self)


def locked(folder: Path) -> sqlite3.Connection:
    """A connection that keeps the log from being written until its transaction ends."""
    holder = sqlite3.connect(folder / "log.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def written(engine: sql.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sql.select(sql.func.coalesce(sql.func.sum(BLOCKS.c.rows), 0))).scalar_one())


def test_what_is_offered_is_written_and_reads_back_to_the_last_bit(tmp_path: Path) -> None:
    engine, counted = opened(tmp_path), Counted()
    writer = Writer(engine, BUNDLE, WriterSettings(0.01), counted)
    writer.start()
    given = [entry(range(at, at + 7), 1.4e9 + at, {7: "amount is no number"}) for at in range(0, 70, 7)]
    assert all(writer.offer(each) for each in given)
    writer.close(20)
    assert counted == {"written": 80}
    found = [*blocks(opened(tmp_path))]
    assert [name for block in found for name in block.ids] == sorted(each.id for each in given)
    assert sum(block.set_aside["amount is no number"] for block in found) == 10
    values = [value for block in found for value in block.answer["probability_yes"]]
    wanted = [v for each in sorted(given) for v in each.parts[0][1]["probability_yes"].tolist()]
    assert values == wanted
    assert [v for block in found for v in block.inputs["amount"]][:3] == [None, 1.0, 2.0]
    assert len(places_of(engine, '["30","2014-05-13T16:53:20"]')) == 1


def test_an_entry_is_written_within_the_flush_interval_without_the_end(tmp_path: Path) -> None:
    counted = Counted()
    writer = Writer(opened(tmp_path), BUNDLE, WriterSettings(0.05), counted)
    writer.start()
    writer.offer(entry([1]))
    counted.until("written", 1)
    writer.close(5)


def test_a_full_queue_drops_and_counts_and_does_not_wait(tmp_path: Path) -> None:
    counted = Counted()
    writer = Writer(opened(tmp_path), BUNDLE, WriterSettings(60, queue_rows=10), counted)  # not started: nothing drains
    assert [writer.offer(entry(range(4))) for _ in range(4)] == [True, True, False, False]
    assert counted == {"dropped": 8}


def test_a_locked_database_is_tried_again_and_nothing_is_lost(tmp_path: Path) -> None:
    engine, counted = opened(tmp_path), Counted()
    holder = locked(tmp_path)
    writer = Writer(engine, BUNDLE, WriterSettings(0.01), counted)
    writer.start()
    for at in range(5):
        writer.offer(entry([at]))
    while not writer.failures:
        time.sleep(0.01)
    assert not counted
    holder.execute("COMMIT")
    counted.until("written", 5)
    writer.close(5)
    assert counted == {"written": 5}


def test_what_cannot_be_written_before_the_end_is_counted(tmp_path: Path) -> None:
    engine, counted = opened(tmp_path), Counted()
    holder = locked(tmp_path)
    writer = Writer(engine, BUNDLE, WriterSettings(0.01), counted)
    writer.start()
    writer.offer(entry([1, 2]))
    writer.close(0.1)
    holder.execute("ROLLBACK")
    assert counted["dropped"] + counted["written"] == 2


def test_an_entry_that_cannot_be_written_does_not_take_others_with_it(tmp_path: Path) -> None:
    engine, counted = opened(tmp_path), Counted()
    good, bad = [entry([at]) for at in range(4)], entry([9])
    broken = bad._replace(parts=[({"amount": np.array([1 + 2j])}, bad.parts[0][1], 0, 1)])
    writer = Writer(engine, BUNDLE, WriterSettings(0.01), counted)
    for each in (good[0], good[1], broken, good[2], good[0], good[3]):  # one of them twice, too
        writer.offer(each)
    writer.start()
    writer.close(10)
    assert counted == {"written": 4, "dropped": 2}
    assert written(engine) == 4


def test_redacted_columns_are_not_in_the_file_and_their_records_can_be_found(tmp_path: Path) -> None:
    from dataclasses import replace

    engine, counted = opened(tmp_path), Counted()
    bundle = replace(BUNDLE, redact=("shop", "order"))
    writer = Writer(engine, bundle, WriterSettings(0.01), counted)
    writer.offer(entry(["secret-order"]))
    writer.start()
    writer.close(10)
    engine.dispose()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secret-order" not in stored
    assert b"north" not in stored
    columns: dict[str, list[Any]] = {"order": ["secret-order"], "at": ["2014-05-13T16:53:20"], "returned": ["yes"]}
    assert add_outcomes(opened(tmp_path), bundle, columns, 0.0).added == 1


def test_old_requests_and_outcomes_are_forgotten_and_others_stay(tmp_path: Path) -> None:
    engine, counted = opened(tmp_path), Counted()
    for made in (1e9, 2e9):
        writer = Writer(engine, BUNDLE, WriterSettings(0.01), counted)
        writer.offer(entry([int(made)], made))
        writer.start()
        writer.close(10)
        engine = opened(tmp_path)
        columns: dict[str, list[Any]] = {"order": [int(made)], "at": ["2014-05-13T16:53:20"], "returned": [1]}
        assert add_outcomes(engine, BUNDLE, columns, made).added == 1
    forget(engine, 1.5e9)
    with engine.connect() as connection:
        counts = [
            connection.execute(sql.select(sql.func.count()).select_from(t)).scalar_one()
            for t in (BLOCKS, RECORDS, OUTCOMES)
        ]
    assert counts == [1, 1, 1]
    assert places_of(engine, '["1000000000","2014-05-13T16:53:20"]') == []


@pytest.mark.parametrize("threads", [4])
def test_offers_of_several_threads_are_all_written(tmp_path: Path, threads: int) -> None:
    engine, counted = opened(tmp_path), Counted()
    writer = Writer(engine, BUNDLE, WriterSettings(0.01), counted)
    writer.start()

    def offer(first: int) -> None:
        made: list[Entry] = [entry([first + at]) for at in range(100)]
        assert all(writer.offer(each) for each in made)

    workers = [threading.Thread(target=offer, args=(1000 * at,)) for at in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    writer.close(20)
    assert counted == {"written": 400}
    assert written(engine) == 400
