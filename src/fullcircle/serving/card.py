"""The model card, Markdown -> HTML: the headings, paragraphs, lists and tables that a card has, and no others."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_INLINE = (
    (r"`([^`]+)`", r"<code>\1</code>"),
    (r"\*\*([^*]+)\*\*", r"<strong>\1</strong>"),
    (r"\*([^*]+)\*", r"<em>\1</em>"),
)


def to_html(markdown: str, level: int = 2) -> str:
    """A card as HTML, its first heading of a `level`.

    >>> to_html("# Card\\n\\n- a `b`\\n")
    '<h2>Card</h2>\\n<ul>\\n<li>a <code>b</code></li>\\n</ul>'
    """
    blocks = (block.strip("\n").splitlines() for block in re.split(r"\n\s*\n", markdown))
    return "\n".join(line for block in blocks if block for line in _block(block, level))


def _block(lines: list[str], level: int) -> Iterator[str]:
    heading = re.match(r"(#+) ", lines[0])
    if heading:
        tag = f"h{min(6, len(heading[1]) - 1 + level)}"
        yield f"<{tag}>{_inline(lines[0][len(heading[0]) :])}</{tag}>"
        lines = lines[1:]
    if not lines:
        return
    if lines[0].startswith("|"):
        yield from _table(lines)
    elif lines[0].startswith("- "):
        yield from ["<ul>", *(f"<li>{_inline(line.removeprefix('- '))}</li>" for line in lines), "</ul>"]
    else:
        yield f"<p>{_inline(' '.join(lines))}</p>"


def _table(lines: list[str]) -> Iterator[str]:
    head, _, *body = [[_inline(cell.strip()) for cell in line.strip().strip("|").split("|")] for line in lines]
    yield '<div class="wide" tabindex="0"><table>'
    yield "<tr>" + "".join(f'<th scope="col">{cell}</th>' for cell in head) + "</tr>"
    for row in body:
        yield "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
    yield "</table></div>"


def _inline(text: str) -> str:
    text = escape(text)
    for pattern, html in _INLINE:
        text = re.sub(pattern, html, text)
    return text
