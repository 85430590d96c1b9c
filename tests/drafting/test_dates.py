from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from fullcircle.core.arrow import cast
from fullcircle.core.tables import columns_of
from fullcircle.drafting.dates import FORMATS, ISO, dated, moments
from tests.builders import text

DAYS = np.datetime64("2013-01-01T13:45:07") + np.arange(0, 400, 7).astype("timedelta64[D]")


def written(form: str) -> list[str]:
    return [day.item().strftime("%Y-%m-%d" if form == ISO else form) for day in DAYS]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_told_and_read_as_ingest_reads_it(form: str) -> None:
    values = text(written(form))
    found = dated(values)
    assert found is not None
    assert found.written == (None if form == ISO else form)
    ours = moments(values, found.written)
    theirs, wrong = cast(pa.array(values.tolist()), "time", found.written)
    assert wrong is None
    assert ours.tolist() == columns_of(pa.table({"t": theirs}))["t"].tolist()
    assert ours[0].astype("datetime64[D]") == np.datetime64("2013-01-01")


@pytest.mark.parametrize(
    "values",
    [
        ["2013"],
        ["January 1"],
        ["20130101"],
        ["C0000012"],
        ["2013-01-01", "unknown 1"],
        ["2013-13-01"],
        ["12345678.5"],
    ],
)
def test_what_is_no_date_is_not_taken_for_one(values: list[str]) -> None:
    assert dated(text(values)) is None


def test_a_day_that_could_be_a_month_is_told() -> None:
    found = dated(text(["01/02/2013", "03/04/2013"]))
    assert found is not None
    assert {found.written, *found.other} == {"%m/%d/%Y", "%d/%m/%Y"}
    beyond = dated(text(["01/02/2013", "13/04/2013"]))
    assert beyond is not None
    assert (beyond.written, beyond.other) == ("%d/%m/%Y", ())


def test_several_formats_are_counted_each_with_an_example() -> None:
    found = dated(text(["2013-01-02", "2013-01-03", "04.01.2013", "Jan 05, 2013"]))
    assert found is not None
    assert found.formats == {ISO: 2, "%d.%m.%Y": 1, "%b %d, %Y": 1}
    assert found.examples["%d.%m.%Y"] == "04.01.2013"


def test_null_stays_null_among_moments() -> None:
    found = moments(np.array(["2013-01-02", None], dtype=object), None)
    assert np.isnat(found).tolist() == [False, True]


def test_day_or_month_first_is_decided_by_the_order_of_the_rows() -> None:
    months = [f"{day:02}/{month:02}/2021" for month in range(1, 13) for day in (5, 1, 10, 12)]
    found = dated(np.array(months, dtype=object))
    assert found is not None
    assert (found.written, found.other) == ("%d/%m/%Y", ())
    mixed = [months[(29 * i) % len(months)] for i in range(len(months))]
    unsure = dated(np.array(mixed, dtype=object))
    assert unsure is not None
    assert unsure.other != ()


def test_a_few_values_that_are_no_dates_are_named() -> None:
    days = [f"2020-01-{day:02}" for day in range(1, 32)]
    found = dated(np.array([*days, "0000-00-00", "9999-12-31"], dtype=object))
    assert found is not None
    assert (found.written, found.none) == (None, ("0000-00-00", "9999-12-31"))
    assert dated(np.array([*days, *(f"no date {i}" for i in range(9))], dtype=object)) is None


@pytest.mark.parametrize(
    ("value", "written", "iso"),
    [
        ("31.12.23 18:05", "%d.%m.%y %H:%M", "2023-12-31T18:05:00"),
        ("12/31/2023 6:05:00 PM", "%m/%d/%Y %I:%M:%S %p", "2023-12-31T18:05:00"),
        ("21-Mar-05", "%d-%b-%y", "2005-03-21T00:00:00"),
        ("Jan-90", "%b-%y", "1990-01-01T00:00:00"),
        ("Mar-2018", "%b-%Y", "2018-03-01T00:00:00"),
        ("2018-03", "%Y-%m", "2018-03-01T00:00:00"),
    ],
)
def test_short_dates_are_dates(value: str, written: str, iso: str) -> None:
    found = dated(np.array([value], dtype=object))
    assert found is not None
    assert found.written == written
    assert str(moments(np.array([value], dtype=object), written)[0]) == iso
