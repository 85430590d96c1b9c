"""The line that says what a stage is doing, on a real terminal and without one."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

PROGRAM = """
import sys
from fullcircle.core.progress import doing, shown
with shown("train", delay=0.0):
    doing("fitting xgboost, round 7")
    sys.stdin.read(1)
print("done")
"""


def test_a_terminal_shows_what_is_done_and_the_line_is_erased() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while b"train: fitting xgboost, round 7, " not in seen:
        seen += os.read(ours, 1000)
    out, _ = process.communicate(b"x")
    try:
        while chunk := os.read(ours, 1000):
            seen += chunk
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    assert seen.endswith(b"\r\x1b[K")
    assert out == b"done\n"


def test_without_a_terminal_nothing_is_shown() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], input=b"x", capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"done\n", b"")
