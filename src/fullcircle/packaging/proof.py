"""Proof of the service: the real server, started on a bundle, must answer as the scorer does, to the last bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import ParityError
from fullcircle.scoring.rows import to_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fullcircle.scoring.scorer import Scorer

ROWS = 1000
REQUESTS = (1, 9, 90, 900)  # rows of each request


@contextmanager
def served(bundle: Path) -> Iterator[subprocess.Popen[str]]:
    """The server of a bundle, whatever its verdict, while the block runs: on a free port, without keys."""
    command = [sys.executable, "-m", "fullcircle.serving", str(bundle), "--allow-unblessed", "--host", "127.0.0.1"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIP_", "SAGEMAKER_"))}
    process = subprocess.Popen(
        [*command, "--port", "0", "--config", os.devnull],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def port_of(server: subprocess.Popen[str]) -> int:
    """The port that a server says it serves on. Raises ParityError where it ended instead."""
    line = server.stdout.readline() if server.stdout is not None else ""
    if not line:
        why = server.stderr.read() if server.stderr is not None else ""
        raise ParityError(f"the service does not begin on the new bundle\n  {why.strip()}")
    return int(line.rsplit(":", 1)[1])


def check_answers(port: int, scorer: Scorer, records: Sequence[dict[str, Any]]) -> None:
    """Compare the service's answers with the scorer's. Raises ParityError for another answer of any row."""
    scored = scorer.score(to_columns(list(records), scorer.plan.inputs))
    wanted: list[dict[str, Any] | None] = [None] * len(records)
    columns = {name: values.tolist() for name, values in scored.columns.items()}
    for at, position in enumerate(scored.kept.tolist()):
        wanted[position] = {name: values[at] for name, values in columns.items()}
    found: list[dict[str, Any] | None] = []
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        for count in REQUESTS:
            part = records[len(found) : len(found) + count]
            found += _asked(connection, part, [*columns]) if part else []
    except (OSError, HTTPException, ValueError) as error:
        raise ParityError(f"the service does not answer on the new bundle: {error}") from None
    finally:
        connection.close()
    other = [at for at, (one, two) in enumerate(zip(wanted, found, strict=True)) if one != two]
    if other:
        raise ParityError(
            f"the service answers {len(other):,} of {len(wanted):,} rows otherwise than the scorer, the first of them "
            f"row {other[0]}: {found[other[0]]} instead of {wanted[other[0]]}"
        )


def _asked(connection: HTTPConnection, part: Sequence[dict[str, Any]], names: list[str]) -> list[Any]:
    body = json.dumps({"rows": part})
    connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    found: list[Any] = [None] * len(part)
    for record in answer.get("predictions", []):
        found[record["row"]] = {name: record[name] for name in names}
    if response.status not in (200, 422):
        raise ParityError(f"the service answers {len(part)} rows with {response.status}: {answer.get('error')}")
    return found
