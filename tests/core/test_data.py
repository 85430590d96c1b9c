from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import build
from fullcircle.core.config import load_file
from fullcircle.core.data import Data
from fullcircle.core.target import Costs
from fullcircle.pointintime.spec import Moment, Recent
from tests import project

if TYPE_CHECKING:
    from pathlib import Path


def test_costs_set_the_threshold() -> None:
    assert Costs(missed=3, false_alarm=1).threshold == 0.25
    assert Costs(missed=1, false_alarm=1).threshold == 0.5


def test_a_whole_hour_may_be_written_as_an_integer() -> None:
    assert build(Moment, {"hour": "h", "minute": "m", "lead_hours": 2}).lead_hours == 2.0
    assert build(Recent, {"name": "n", "by": [], "hours": 1, "what": "mean"}).hours == 1.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("month: {kind: integer, min: 1", "month: {kind: integer, mni: 1", r"unknown key: mni \(did you mean min\?\)"),
        ("month: {kind: integer, min: 1", "month: {kind: integer, min: 13", "columns.month: min 13 is above max 12"),
        ("late_minutes: 15", "late_minute: 15", r"history: unknown key: late_minute \(did you mean late_minutes\?\)"),
        (
            "within_hours: 6",
            "within_hour: 6",
            r"observations: unknown key: within_hour \(did you mean within_hours\?\)",
        ),
        ("hours: 3, what", "hours: 0, what", r"history.columns\[0\]: hours 0 must be above 0"),
        ("duplicates: reject", "duplicates: keep", "'keep' is not one of 'reject', 'error'"),
    ],
)
def test_a_table_that_is_described_wrongly_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (project.conf() / "data/departures.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "data.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_file(Data, tmp_path / "data.yaml")
