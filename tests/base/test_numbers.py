"""Formats of numbers: what each reads, and what it refuses."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fullcircle.base.cells import read_texts, read_values
from fullcircle.base.checks import Column
from fullcircle.base.numbers import is_number_format, reader_of
from fullcircle.core.arrow import cast


@pytest.mark.parametrize(
    ("written", "text", "number"),
    [
        ("$1,234.5", "$15,748.08", 15748.08),
        ("$1,234.5", " - $ 5", -5.0),
        ("$1,234.5", "$-5", -5.0),
        ("$1,234.5", "(1,000.50)", -1000.5),
        ("$1,234.5", "12", 12.0),
        ("1.234,5", "822.055,72", 822055.72),
        ("1.234,5", "12,5", 12.5),
        ("1234,5", ",5", 0.5),
        ("1 234,5 €", "1\u202f234,50\u00a0€", 1234.5),
        ("1'234.5", "1\u2019234\u2019567", 1234567.0),
        ("1234%", "17.03%", 17.03),
        ("1234 months", "36 Months", 36.0),
        ("1,234", "1,204", 1204.0),
        ("1,234", "1e3", 1000.0),
        ("1,234.5", "−7.5", -7.5),
        ("1234", "1234567890123456789012345", 1.2345678901234568e24),
    ],
)
def test_a_format_reads_its_numbers(written: str, text: str, number: float) -> None:
    assert reader_of(written)(text) == number
    assert read_texts([text], "number", written)[0].tolist() == [number]
    assert cast(pa.array([text]), "number", written)[0].to_pylist() == [number]


@pytest.mark.parametrize("text", ["1,23", "1,2345", "1,,234", "$", "-", "12 €", "--5", "(5", "-$-5", "1.2.3", "$5$"])
def test_what_is_no_number_of_the_format_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        reader_of("$1,234.5")(text)
    assert read_texts([text], "number", "$1,234.5")[1] == [0]


def test_json_numbers_are_not_read_by_the_format() -> None:
    """1.299 is one and a bit; only the text `1.299` is more than a thousand."""
    assert read_values([1.299, "1.299", None, "1.299,5"], "number", "1.234,5")[0].tolist()[::3] == [1.299, 1299.5]
    assert read_values(["1.299"], "number", "1.234,5")[0].tolist() == [1299.0]
    assert cast(pa.array([1.299]), "number", "1.234,5")[0].to_pylist() == [1.299]


def test_whole_numbers_stay_whole() -> None:
    made, wrong = cast(pa.array(["1,204", "12.0", "12.5", "nan"]), "integer", "1,234")
    assert made.to_pylist() == [1204, 12, None, None]
    assert wrong is not None
    assert wrong.to_pylist() == [False, False, True, False]


def test_words_of_a_column_are_null() -> None:
    words = ("ERROR", "-")
    assert cast(pa.array(["1", "ERROR", "-", "x"]), "number", None, words)[1].to_pylist() == [False] * 3 + [True]  # type: ignore[union-attr]
    assert read_values(["a", "ERROR"], "category", None, words)[0].tolist() == ["a", None]
    assert read_values([1, "ERROR", "2"], "number", None, words)[1] == []


def test_a_number_that_says_such_a_word_is_null_too() -> None:
    """The same cell is null in CSV, JSON and Parquet."""
    assert read_texts(["-999", "5"], "number", None, ("-999",))[0].tolist()[1:] == [5.0]
    found = read_values([-999, -999.0, "-999", 5, None, True], "number", None, ("-999",))[0]
    assert np.isnan(found).tolist() == [True, True, True, False, True, False]
    assert np.isnan(read_values([-999.0, 5.0], "number", None, ("-999",))[0]).tolist() == [True, False]
    for values in (pa.array([-999, 5]), pa.array([-999.0, 5.0]), pa.array(["-999", "5"])):
        assert cast(values, "number", None, ("-999",))[0].to_pylist() == [None, 5.0]


@pytest.mark.parametrize("written", ["", "1,234,5", "1.234.5", "5", "%d.%m.%Y", "1234.5.", "-1234", "12345"])
def test_what_shows_no_number_is_no_format(written: str) -> None:
    if written == "1234.5.":  # a unit of one point
        assert is_number_format(written)
        return
    assert not is_number_format(written)
    with pytest.raises(ValueError, match="does not show how 1234"):
        Column("number", format=written)


@given(
    st.floats(-1e12, 1e12).map(lambda value: round(value, 2)),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("", "."), ("", ",")]),
    st.sampled_from([("$", ""), ("", " €"), ("", "%"), ("", " months"), ("", "")]),
)
def test_a_written_number_reads_back(value: float, separated: tuple[str, str], unit: tuple[str, str]) -> None:
    def write(shown: str) -> str:
        return unit[0] + shown.replace(",", "T").replace(".", separated[1]).replace("T", separated[0]) + unit[1]

    assert reader_of(write("1,234.5"))(write(f"{value:,.2f}")) == value
