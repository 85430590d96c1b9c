"""The examples in docs/sources.md are valid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from fullcircle.base.typed import build
from fullcircle.core.data import Join
from fullcircle.core.source import Source

TEXT = (Path(__file__).parents[2] / "docs/sources.md").read_text(encoding="utf-8")
BLOCKS = [yaml.safe_load(part.partition("```")[0]) for part in TEXT.split("```yaml")[1:]]


@pytest.mark.parametrize("block", [block for block in BLOCKS if "sources" in block])
def test_documented_sources_are_valid(block: dict[str, dict[str, object]]) -> None:
    kind: Any = Source  # mypy does not accept a union as a type
    kinds = [build(kind, plain, name).kind for name, plain in block["sources"].items()]
    assert kinds in (["file", "sql", "http"], ["sql"])


def test_documented_joins_are_valid() -> None:
    shown = [join for block in BLOCKS for join in block.get("joins", [])]
    assert [build(Join, join, "joins").named for join in shown] == [{"name": "owner_name", "since": "owner_since"}]
