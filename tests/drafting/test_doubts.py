"""What the terminal says about tables that are not as they should be, and the options that help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fullcircle.base.errors import ConfigError, DataError, SourceError
from fullcircle.drafting.init import init
from fullcircle.drafting.splits import SplitBy, split_by
from fullcircle.drafting.table import USUAL, How
from tests import project

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [f"{20 + i % 50},{'a' if i % 3 else 'b'},{'yes' if (i * 7) % 11 > 5 else 'no'}" for i in range(120)]
HEADER = "age,kind,bought"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.conf_in(tmp_path)
    monkeypatch.chdir(tmp_path)


def drafted(folder: Path, lines: list[str], how: How = USUAL, by: SplitBy | None = None, target: str = "bought") -> str:
    (folder / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return init("t.csv", target, "t", how=how, split_by=by, force=True)


def test_a_clean_table_has_no_doubts(tmp_path: Path) -> None:
    said = drafted(tmp_path, [HEADER, *ROWS])
    assert "sure?" not in said
    assert "git add conf/problem/t.yaml conf/data/t.yaml" in said


def test_headers_that_come_again_are_counted_once(tmp_path: Path) -> None:
    said = drafted(tmp_path, [HEADER, *ROWS[:60], HEADER, *ROWS[60:], HEADER])
    assert "sure?        2 rows repeat the header: their cells are taken for missing" in said
    assert "1 integer, 1 category" in said
    assert "binary" in said


def test_a_level_that_is_called_as_its_column_stays_a_level(tmp_path: Path) -> None:
    drafted(tmp_path, ["age,kind,bought", *(row.replace(",a,", ",kind,") for row in ROWS)])
    assert "nulls" not in (tmp_path / "conf/data/t.yaml").read_text().split("kind:")[1].split("\n")[0]


def test_lines_before_the_header_are_skipped(tmp_path: Path) -> None:
    lines = ["Report", "Period:,2024-01-01,x,y,z", "", HEADER, *ROWS]
    with pytest.raises(SourceError, match="--skip"):
        drafted(tmp_path, lines)
    assert "120 rows, 3 columns" in drafted(tmp_path, lines, How(skip=3))


def test_a_first_row_of_numbers_is_suspected_to_be_data(tmp_path: Path) -> None:
    rows = [f"{i % 13},{i % 7}.5,{i % 11}.25" for i in range(90)]
    said = drafted(tmp_path, rows, target="0.25")
    assert "the header is “0”, “0.5”, “0.25”: is it the first row of data? Then give --no-header" in said
    assert "90 rows" in drafted(tmp_path, rows, How(header=False), target="column_3")
    assert "90 rows" in drafted(tmp_path, rows, How(header=False, names=("x", "y", "z")), target="z")


def test_a_total_at_the_end_is_named(tmp_path: Path) -> None:
    said = drafted(tmp_path, [HEADER, *ROWS, "4800,Totals:,"])
    assert "the last row says “Totals:”: a total is no row" in said


def test_a_word_for_null_can_be_given(tmp_path: Path) -> None:
    drafted(tmp_path, [HEADER, *ROWS[:100], *(["30,nil,no"] * 20)], How(nulls=("nil",)))
    assert "20 of 120 missing" in (tmp_path / "conf/data/t.yaml").read_text()


def test_the_decimal_sign_can_be_given(tmp_path: Path) -> None:
    rows = [f'"1,{200 + i * 7 % 45}",a,{"yes" if i % 3 else "no"}' for i in range(90)]
    drafted(tmp_path, [HEADER, *rows])
    assert 'format: "1,234"' in (tmp_path / "conf/data/t.yaml").read_text()
    drafted(tmp_path, [HEADER, *rows], How(decimal=","))
    assert 'format: "1234,5"' in (tmp_path / "conf/data/t.yaml").read_text()


def test_the_column_of_the_split_can_be_given(tmp_path: Path) -> None:
    dated = [f"2021-{1 + i // 10:02}-{1 + i % 10:02},{i % 6},{row}" for i, row in enumerate(ROWS)]
    header = f"when,shop,{HEADER}"
    assert "split        group: given by --group “shop”" in drafted(
        tmp_path, [header, *dated], by=SplitBy("group", "shop")
    )
    assert "split        time: given by --date “when”" in drafted(
        tmp_path, [header, *dated], by=SplitBy("time", "when")
    )
    with pytest.raises(DataError, match="--date “shop”: the column is read as integer, not as dates"):
        drafted(tmp_path, [header, *dated], by=SplitBy("time", "shop"))
    with pytest.raises(DataError, match="has no column wenn"):
        drafted(tmp_path, [header, *dated], by=SplitBy("time", "wenn"))
    with pytest.raises(ConfigError, match="not both"):
        split_by("when", "shop")


def test_a_missing_target_lists_the_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="its columns are age, kind, bought"):
        drafted(tmp_path, [HEADER, *ROWS], target="sold")
