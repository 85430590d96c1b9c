from __future__ import annotations

from fullcircle.base.errors import difference, first_lines, listed, shortened


def test_of_many_unknown_names_a_few_are_listed_and_all_are_counted() -> None:
    wanted = [f"column {i}" for i in range(50)]
    message = difference(wanted, [f"other {i}" for i in range(1_000_000)])
    assert message is not None
    assert "missing columns: column 0, column 1," in message
    assert "column 9 and 40 more" in message
    assert message.endswith("unknown column: other 9\n  and 999,990 more unknown columns")
    assert len(message) < 1_000


def test_a_long_name_is_shortened() -> None:
    message = difference(["a"], ["x" * 10_000_000])
    assert message is not None
    assert message.endswith(f"unknown column: {'x' * 60}…")
    assert listed(["x" * 10_000]) == "x" * 60 + "…"


def test_a_deep_or_long_value_is_shortened() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert len(shortened(deep)) < 100
    assert len(shortened({str(i): i for i in range(100_000)})) < 200
    assert len(shortened(10**4_000)) < 100
    assert first_lines(["a", "b", "c"], shown=2) == "a\nb\n  and 1 more"
