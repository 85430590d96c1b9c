from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fullcircle.base.errors import ConfigError
from fullcircle.serving.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Reader:
    """What a worker keeps: all lines, in order; its snapshot is a file of them."""

    def __init__(self, folder: Path, largest: int = 100) -> None:
        self.journal = Journal(folder, largest)
        self.lines: list[bytes] = []
        self.load()
        self.catch_up()

    def load(self) -> None:
        if self.journal.snapshot().is_file():
            self.lines = self.journal.snapshot().read_bytes().split()

    def catch_up(self) -> None:
        for line in self.journal.new_lines(self.load):
            self.lines.append(line)

    def add(self, line: bytes) -> None:
        self.journal.append(line, self.catch_up, self.save)

    def save(self, path: Path) -> None:
        path.write_bytes(b"\n".join(self.lines))


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Callable[..., Reader]]:
    made: list[Reader] = []

    def make(largest: int = 100) -> Reader:
        made.append(Reader(tmp_path, largest))
        return made[-1]

    yield make
    for each in made:
        each.journal.release()


def lines(count: int) -> list[bytes]:
    return [b"line-%d" % i for i in range(count)]


def test_every_reader_reads_every_line_once_in_order(tmp_path: Path, reader: Callable[..., Reader]) -> None:
    first, second = reader(), reader()
    for i, line in enumerate(lines(100)):
        (first if i % 3 else second).add(line)
    for each in (first, second, reader()):
        each.catch_up()
        assert each.lines == lines(100)
    assert len([*tmp_path.glob("events-*.jsonl")]) == 2
    assert len([*tmp_path.glob("state-*.npz")]) == 1


def test_a_reader_that_is_far_behind_begins_with_the_snapshot(reader: Callable[..., Reader]) -> None:
    late, other = reader(), reader()
    for line in lines(200):
        other.add(line)
    assert late.lines == []
    late.catch_up()
    assert late.lines == lines(200)
    late.add(b"line-200")
    other.catch_up()
    assert late.lines == other.lines == lines(201)


def test_what_is_closed_begins_with_its_snapshot(reader: Callable[..., Reader]) -> None:
    first = reader(10**6)
    for line in lines(7):
        first.add(line)
    first.journal.close(first.catch_up, first.save)
    again = reader()
    assert again.lines == lines(7)
    assert again.journal.snapshot().read_bytes() == b"\n".join(lines(7))


def test_half_a_line_is_read_when_the_other_half_is_there(tmp_path: Path, reader: Callable[..., Reader]) -> None:
    first, second = reader(), reader()
    first.add(b"whole")
    with (tmp_path / "events-000001.jsonl").open("ab") as file:
        file.write(b"half-")
        file.flush()
        second.catch_up()
        assert second.lines == [b"whole"]
        file.write(b"line\n")
    second.catch_up()
    assert second.lines == [b"whole", b"half-line"]


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="the state cannot be kept in"):
        Journal(tmp_path / "file" / "state")
