from __future__ import annotations

import io
import subprocess
import sys

import pytest
from pyarrow import csv

from fullcircle.sources.readahead import csv_reader

SMALL = csv.ReadOptions(block_size=4096)
ROWS = b"count\n" + b"1\n" * 1_000_000

ENDS_EARLY = """
import io, sys, time
from pyarrow import csv
from fullcircle.sources.readahead import csv_reader

class Slow(io.BytesIO):
    def read(self, size=-1):
        time.sleep(0.02)
        return super().read(size)

def batches():
    wrong = b"1,2\\n" if "wrong" in sys.argv else b""
    rows = Slow(b"count\\n" + b"1\\n" * 20_000 + wrong + b"1\\n" * 1_000_000)
    with csv_reader(rows, csv.ReadOptions(block_size=4096)) as reader:
        yield from reader

def main():
    found = batches()
    next(found)
    for batch in found if "wrong" in sys.argv else ():
        pass
    raise ValueError("row 7 is wrong")

try:
    main()
except ValueError:  # Arrow's errors are ValueErrors too
    sys.exit(1)
"""


@pytest.mark.parametrize("error", ["of the caller", "wrong row"])
def test_a_process_ends_normally_after_an_error_in_the_middle_of_a_file(error: str) -> None:
    command = [sys.executable, "-c", ENDS_EARLY, *error.split()]
    for _ in range(5):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, "")


def test_a_file_is_read_to_its_end() -> None:
    with csv_reader(io.BytesIO(ROWS), SMALL) as reader:
        assert sum(batch.num_rows for batch in reader) == 1_000_000


def test_after_the_block_nothing_more_is_read() -> None:
    file = io.BytesIO(ROWS)
    with csv_reader(file, SMALL) as reader:
        next(iter(reader))
    assert file.tell() < len(ROWS)
    file.close()
