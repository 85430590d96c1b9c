"""How a column writes its numbers, guessed from its values."""

from __future__ import annotations

import pytest

from fullcircle.drafting.numbers import doubt, written


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (["$15,748.08", "$3", "-$7.5"], "$1,234.5"),
        (["17.03%", "9%"], "1234.5%"),
        (["36 months", "60 months"], "1234 months"),
        (["822.055,72", "987,50"], "1.234,5"),
        (["12,5", "0,25"], "1234,5"),
        (["1,204", "3,500,000"], "1,234"),
        (["1 204,50 €", "7,10 €"], "1 234,5 €"),
        (["1\u00a0204,50\u202f€", "7,10\u00a0€"], "1 234,5 €"),
        (["USD 12.50", "USD 3"], "USD 1234.5"),
        (["1'204.5", "7"], "1'234.5"),
        (["(12.50)", "13.00", "$1"], "$1234.5"),
        (["12 km/h", "7 km/h"], "1234 km/h"),
    ],
)
def test_one_format_reads_all(values: list[str], form: str) -> None:
    found = written(values)
    assert found is not None
    assert found.format == form


@pytest.mark.parametrize(
    "values",
    [
        ["A12", "A13"],
        ["N14228", "N24211"],
        ["12A", "13A"],
        ["01.02.2013", "13.02.2013"],
        ["2013-01-02", "2013-01-03"],
        ["555-1234", "555-9876"],
        ["12:30", "13:45"],
        ["$5", "€5"],
        ["5 kg", "5 lb"],
        ["10.0.0.1", "192.168.0.1"],
        ["1,23,456", "7"],
        ["small", "1"],
        ["1", "2.5"],
    ],
)
def test_codes_dates_and_mixed_units_are_no_numbers(values: list[str]) -> None:
    assert written(values) is None


def test_what_could_be_thousands_or_decimals_is_said() -> None:
    found = written(["1,204", "37"])
    assert found is not None
    assert doubt(found) == "“1,204” is read as 1,204; with `format: “1234,5”` it is 1.204"
    in_europe = written(["1,204", "37"], ",")
    assert in_europe is not None
    assert in_europe.format == "1234,5"
    sure = written(["1,204", "1,204,500"])
    assert sure is not None
    assert doubt(sure) == ""
