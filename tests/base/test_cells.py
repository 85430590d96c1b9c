from __future__ import annotations

import numpy as np
import pytest

from fullcircle.base.cells import read_texts, read_values, text_of_number

nan, inf = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12.0), ("-1.5", -1.5), (".5", 0.5), ("5.", 5.0), ("+1e-3", 0.001), (" 7\t", 7.0), ("007", 7.0),
        ("1e999", inf), ("-1e999", -inf), ("1e-999", 0.0), ("9" * 400, inf), ("Infinity", inf), ("-inf", -inf),
        ("nan", nan),
    ],
)  # fmt: skip
def test_a_number_is_read(cell: str, value: float) -> None:
    found, wrong = read_texts([cell], "number")
    np.testing.assert_array_equal(found, [value])
    assert wrong == []


@pytest.mark.parametrize(
    "cell",
    [
        "1_000",
        "１２",
        "1,000",
        "0x1F",
        "1e",
        "e5",
        ".",
        "-",
        "--1",
        "1 2",
        "true",
        "nan(1)",
        "1d5",
        "5f",
        "\u00a05",
        "1\n",
        "½",
    ],
)
def test_what_is_no_number_is_wrong_and_becomes_null(cell: str) -> None:
    found, wrong = read_texts(["1", cell], "number")
    np.testing.assert_array_equal(found, [1.0, nan])
    assert wrong == [1]


@pytest.mark.parametrize("cell", ["1.5", "1e-1", "9007199254740992", "inf", "x"])
def test_what_is_no_exact_whole_number_is_wrong(cell: str) -> None:
    assert read_texts([cell], "integer")[1] == [0]


def test_whole_numbers_may_be_written_with_a_point_or_an_exponent() -> None:
    found, wrong = read_texts(["12", "12.0", "1e3", "-9007199254740991", "nan"], "integer")
    np.testing.assert_array_equal(found, [12, 12, 1000, -9007199254740991, nan])
    assert wrong == []


@pytest.mark.parametrize(
    ("cell", "written", "moment"),
    [
        ("2013-01-02", None, "2013-01-02T00:00:00"),
        ("2013-01-02 03", None, "2013-01-02T03:00:00"),
        ("2013-01-02T03:04:05.999999999", None, "2013-01-02T03:04:05"),
        ("1969-12-31T23:59:59.5Z", None, "1969-12-31T23:59:59"),
        ("2013-01-02T03:04+0130", None, "2013-01-02T01:34:00"),
        ("2013-01-02 03:04:05-05", None, "2013-01-02T08:04:05"),
        ("31.12.2023 18:05", "%d.%m.%Y %H:%M", "2023-12-31T18:05:00"),
        ("1 Mar 2005", "%d %b %Y", "2005-03-01T00:00:00"),
    ],
)
def test_a_time_is_read_in_utc_to_the_second(cell: str, written: str | None, moment: str) -> None:
    found, wrong = read_texts([cell], "time", written)
    assert found.tolist() == [np.datetime64(moment, "s").item()]
    assert wrong == []


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("20130102", None), ("2013-1-2", None), ("2013-02-30", None), ("2013-01-02T24:00:00", None), ("2013-W01", None),
        ("2013-01-02T03:04:60", None), ("0000-01-01", None), ("2013-01-02t03:04", None),
        ("2013-01-02T03:04:05+25", None),
        ("0001-01-01T00:00:00+14:00", None), ("9999-12-31T23:59:59-14:00", None), ("２０13-01-02", None),
        ("31.02.2023", "%d.%m.%Y"), ("31.12.2023x", "%d.%m.%Y"), ("３1.12.2023", "%d.%m.%Y"),
        ("1.1.1 +14", "%Y.%m.%d %z"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_wrong_and_never_an_exception(cell: str, written: str | None) -> None:
    found, wrong = read_texts([cell], "time", written)
    assert np.isnat(found).all()
    assert wrong == [0]


def test_text_is_taken_as_it_is_and_nulls_are_exact() -> None:
    found, wrong = read_texts(["", "NA", " NA", "1,5", "ß "], "category", nulls=("", "NA"), decimal=",")
    assert found.tolist() == [None, None, " NA", "1,5", "ß "]
    assert wrong == []


def test_a_decimal_comma_is_a_point_in_numbers() -> None:
    found, wrong = read_texts(["1,5", "1.5", "1,5e3", "5,", "1,234,567", "1.234,5"], "number", decimal=",")
    np.testing.assert_array_equal(found, [1.5, 1.5, 1500.0, 5.0, nan, nan])
    assert wrong == [4, 5]


def test_json_values_are_read_by_kind() -> None:
    values = [1, 2.5, True, "3", None, nan, "x", [1], {"a": 1}, 10**400]
    found, wrong = read_values(values, "number")
    np.testing.assert_array_equal(found, [1, 2.5, 1, 3, nan, nan, nan, nan, nan, inf])
    assert wrong == [6, 7, 8]
    found, wrong = read_values([1, 2.5, True, "3", None, nan, "x", [1], 1e16], "category")
    assert found.tolist() == ["1", "2.5", "true", "3", None, None, "x", None, "1e+16"]
    assert wrong == [7]
    found, wrong = read_values(["2013-01-02", 5, True, None], "time")
    assert wrong == [1, 2]
    assert np.isnat(found).tolist() == [False, True, True, True]


@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1e-7, 123456789.0, 5e-324, 1.7976931348623157e308])
def test_a_number_as_text_reads_back_as_it(value: float) -> None:
    assert float(text_of_number(value)) == value
    assert read_texts([text_of_number(value)], "number")[0][0] == value
