from __future__ import annotations

import subprocess
import sys

READS_AHEAD = """
import io, sys, time
import pyarrow.csv as csv
from fullcircle.core.stage import run
from fullcircle.base.errors import DataError

class Slow(io.BytesIO):
    def read(self, size=-1):
        time.sleep(0.05)
        return super().read(size)

def main():
    rows = Slow(b"count\\n" + b"1\\n" * 1_000_000)
    csv.open_csv(rows, read_options=csv.ReadOptions(block_size=4096)).read_next_batch()
    print("one batch is read")
    if "fails" in sys.argv:
        raise DataError("row 7 is wrong")

run("clean", main)
"""


def ended(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a stage whose file Arrow is still reading ahead when the stage ends."""
    command = [sys.executable, "-c", READS_AHEAD, *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    return process.returncode, process.stdout, process.stderr


def test_a_stage_that_fails_while_arrow_reads_ahead_ends_with_its_message() -> None:
    assert ended("fails") == (1, "one batch is read\n", "clean: row 7 is wrong\n")


def test_a_stage_that_succeeds_ends_well_and_all_it_printed_is_there() -> None:
    assert ended() == (0, "one batch is read\n", "")
