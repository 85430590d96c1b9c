"""Calls a service with Python's standard library alone: call.py [URL] [ROWS.csv]."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


def predict(url: str, body: bytes, media: str) -> Any:
    """The answer to rows; one that says why none can be scored has `error` and `set_aside`."""
    headers = {"Content-Type": media, **authorization()}
    request = urllib.request.Request(f"{url}/predict", body, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


def authorization() -> dict[str, str]:
    """The key, where FULLCIRCLE_API_KEY has one."""
    key = os.environ.get("FULLCIRCLE_API_KEY")
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def example(url: str) -> bytes:
    """The row of the service's own description."""
    request = urllib.request.Request(f"{url}/openapi.json", headers=authorization())  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        body = json.load(answer)["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    return json.dumps(body["example"]).encode()


def main() -> None:
    """Print one line per row."""
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    try:
        if len(sys.argv) > 2:
            found = predict(url, Path(sys.argv[2]).read_bytes(), "text/csv")
        else:
            found = predict(url, example(url), "application/json")
    except urllib.error.URLError as error:
        sys.exit(f"{url} does not answer: {error.reason}")
    for record in found.get("predictions", []):
        print(record)
    for row in found.get("set_aside", []):
        print(f"row {row['row']} was not scored: {row['reasons']}", file=sys.stderr)
    if "error" in found:
        sys.exit(found["error"])


if __name__ == "__main__":
    main()
