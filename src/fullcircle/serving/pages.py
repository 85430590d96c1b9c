"""Pages for people: a form with a row that works, and the routes. They load nothing from elsewhere."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

from ..base.cells import text_of_number
from ..scoring.reference import Levels
from .card import to_html
from .openapi import column_schema, example_row, openapi

if TYPE_CHECKING:
    from ..base.checks import Column
    from .service import Service

SUGGESTED = 200  # levels of a category that a field suggests


def form(service: Service) -> str:
    """The page at /: a form with one real row, the answer, the model card."""
    about, example = service.bundle.about, example_row(service)
    inputs = service.bundle.scorer.plan.inputs
    computed = [name for name in inputs if name in service.job.optional]
    given = [name for name in inputs if name not in computed]
    fields = _fields("Inputs", service, given, example)
    if computed:
        fields += _fields("Computed from events, where all of these are left empty", service, computed, example)
    known = [name for name in service.job.read if name not in inputs] if computed else []
    fields += _fields("Needed to compute them", service, known, {})
    verdict = service.bundle.verdict.status
    monitor = "" if service.log is None else ' <a href="/monitor">monitoring</a>'
    body = f"""
<main>
<h1>{escape(about.question)}</h1>
<p class="facts">problem <strong>{escape(about.problem)}</strong>, version {escape(service.bundle.version)},
verdict <strong class="{escape(verdict)}">{escape(verdict)}</strong>, bundle <code>{service.bundle.id[:12]}</code>,
<span id="health" role="status">checking …</span></p>
<form id="form" novalidate>
{fields}
<p><button type="submit">Predict</button> <a href="/docs">how to call this from a program</a>{monitor}</p>
</form>
<section aria-labelledby="answer-title">
<h2 id="answer-title">Answer</h2>
<div id="answer" aria-live="polite"><p>Press Predict: the form holds a row of the training data.</p></div>
</section>
<details><summary>Model card</summary>
{to_html(service.card, 3) or "<p>This bundle has none.</p>"}
</details>
</main>
<script src="/static/page.js"></script>"""
    return _page(about.problem, body)


def _fields(title: str, service: Service, names: list[str], example: dict[str, Any]) -> str:
    if not names:
        return ""
    fields = "\n".join(_field(service, name, service.job.read[name], example.get(name)) for name in names)
    return f"<fieldset><legend>{escape(title)}</legend>\n<div class='fields'>\n{fields}\n</div></fieldset>"


def _field(service: Service, name: str, column: Column, value: Any) -> str:
    shown = text_of_number(value) if isinstance(value, float) else str(value)
    key, text = escape(name, quote=True), "" if value is None else escape(shown, quote=True)
    about = f"<small id='about-{key}'>{escape(_hint(column))}</small>"
    described = f"id='in-{key}' name='{key}' aria-describedby='about-{key}'"
    if column.levels is not None:
        levels = [*([""] if column.missing == "keep" or value is None else []), *column.levels]
        options = "".join(
            f"<option{' selected' if level == value else ''}>{escape(level)}</option>" for level in levels
        )
        control = f"<select {described}>{options}</select>"
    else:
        mode = "inputmode='decimal' " if column.kind in ("number", "integer") else ""
        seen = service.bundle.reference.inputs.get(name)
        suggested = [*seen.counts][:SUGGESTED] if isinstance(seen, Levels) else []
        listed = "".join(f"<option value='{escape(level, quote=True)}'></option>" for level in suggested)
        listing = f"<datalist id='list-{key}'>{listed}</datalist>" if suggested else ""
        uses = f"list='list-{key}' " if suggested else ""
        control = f"<input type='text' {mode}{uses}autocomplete='off' value='{text}' {described}>{listing}"
    return f"<div><label for='in-{key}'>{key}</label>{control}{about}</div>"


def _hint(column: Column) -> str:
    words = [column.about]
    if column.kind in ("number", "integer"):
        words.append(column.kind + ("" if column.min is None and column.max is None else f" {column.possible}"))
    elif column.kind == "time":
        words.append("time, UTC" if column.format is None else f"time as {column.format}")
    if column.missing == "keep":
        words.append("may be empty")
    return "; ".join(filter(None, words))


def docs(service: Service) -> str:
    """The page at /docs: routes, columns, an example that works."""
    found, inputs = openapi(service), service.bundle.scorer.plan.inputs
    example = json.dumps({"rows": [example_row(service)]}, ensure_ascii=False)
    call = f"curl -H 'Content-Type: application/json' -d '{example}' http://127.0.0.1:{service.settings.port}/predict"
    routes = "".join(
        f"<tr><td>{method.upper()}</td><td><code>{escape(path)}</code></td><td>{escape(what['summary'])}</td></tr>"
        for path, methods in found["paths"].items()
        for method, what in methods.items()
    )
    columns = "".join(_column_row(name, column, name in service.job.optional) for name, column in inputs.items())
    answer = json.dumps(found["components"]["schemas"]["Prediction"]["properties"], indent=2)
    body = f"""
<main>
<h1>{escape(service.bundle.about.problem)}: how to call it</h1>
<p>{escape(service.bundle.about.question)} The same for programs: <a href="/openapi.json">openapi.json</a>
(OpenAPI 3.1). <a href="/">The form</a>.</p>
<h2>An example that works</h2>
<pre tabindex="0">{escape(call)}</pre>
<p>Rows may be JSON records, JSON lines or CSV. Rows that cannot be scored come back under <code>set_aside</code>, with
their reasons. <code>?explain=true</code> adds what drove each prediction. A prediction has:</p>
<pre tabindex="0">{escape(answer)}</pre>
<h2>Routes</h2>
<div class="wide" tabindex="0"><table>
<tr><th scope="col">method</th><th scope="col">path</th><th scope="col">what</th></tr>
{routes}</table></div>
<h2>Columns of a row</h2>
<div class="wide" tabindex="0"><table><tr><th scope="col">column</th><th scope="col">type</th>
<th scope="col">possible</th><th scope="col">null</th><th scope="col">about</th></tr>
{columns}</table></div>
</main>"""
    return _page(f"{service.bundle.about.problem}: how to call it", body)


def _column_row(name: str, column: Column, computed: bool) -> str:
    schema = column_schema(column)
    possible = "" if column.levels is None and column.min is None and column.max is None else column.possible
    about = schema.get("description", "") + ("; computed from events where it is left out" if computed else "")
    null = "yes" if column.missing == "keep" else "no"
    cells = (f"<code>{escape(name)}</code>", column.kind, escape(possible), null, escape(about.removeprefix("; ")))
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/page.css">
</head>
<body>{body}
</body>
</html>
"""
