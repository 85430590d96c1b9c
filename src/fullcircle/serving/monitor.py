"""The page of monitoring: /monitor on the service, and the same as one file that needs no service."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from .answers import encoded
from .routing import route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from .service import Service

STATIC = Path(__file__).parent / "static"
STYLES, SCRIPT = ("page.css", "monitor.css"), "monitor.js"


def routes(service: Service) -> list[Route]:
    """The routes of a service: /monitor and /monitor.json."""
    from .about import FOR_PAGES

    linked = "".join(f'<link rel="stylesheet" href="/static/{name}">\n' for name in STYLES)
    script = f'<script src="/static/{SCRIPT}"></script>'
    links = '<p class="links"><a href="/">the form</a> <a href="/monitor.json">the same as JSON</a></p>'
    page = _page(service.bundle.about.problem, linked, links, script)

    one = asyncio.Lock()  # a year of reports takes a third of a second of a core

    async def monitor(_: Request) -> Response:
        """The page."""
        service.check_log()
        return Response(page, media_type="text/html", headers=FOR_PAGES)

    async def monitor_json(_: Request) -> Response:
        """What the page shows."""
        logged = service.check_log()
        async with one:
            body = await asyncio.to_thread(lambda: encoded(logged.monitored()))
        return Response(body, media_type="application/json")

    return [route("/monitor", monitor), route("/monitor.json", monitor_json)]


def page_of(found: dict[str, Any]) -> str:
    """The page as one file, which loads nothing. `found`: what `windows.shown` returns. Equal values: equal text."""
    style = "".join((STATIC / name).read_text(encoding="utf-8") for name in STYLES)
    script = (STATIC / SCRIPT).read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; base-uri 'none'"
    )
    head = f'<meta http-equiv="content-security-policy" content="{policy}">\n<style>{style}</style>\n'
    # No text in it can end the element: "<" is written as an escape of JSON.
    data = json.dumps(found, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    foot = f'<script type="application/json" id="found">{data}</script>\n<script>{script}</script>'
    return _page(found["problem"], head, "", foot)


def _page(problem: str, head: str, links: str, foot: str) -> str:
    title = escape(f"Monitoring of {problem}" if problem else "Monitoring")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
{head}</head>
<body>
<main class="monitor">
<h1>{title}</h1>
{links}
<div id="monitor" aria-busy="true"><p>Reading the reports ...</p></div>
<noscript><p>This page draws its charts with JavaScript.</p></noscript>
</main>
{foot}
</body>
</html>
"""


def _hash(text: str) -> str:
    """A text as a content security policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
