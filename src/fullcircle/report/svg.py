"""The marks that charts are made of, as SVG text: rounded to a tenth, classes in place of colours."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LETTER = 6.8  # mean width of a letter at the size of a label: text cannot be measured here


def box(kind: str, x: float, y: float, width: float, height: float) -> str:
    """A rectangle from its upper left corner."""
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="1"/>'


def path(kind: str, points: Sequence[tuple[float, float]]) -> str:
    """A line through points."""
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def dot(kind: str, point: tuple[float, float], radius: float) -> str:
    """A point of a given radius."""
    return f'<circle class="{kind}" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="{radius}"/>'


def text(kind: str, x: float, y: float, words: str, anchor: str = "start") -> str:
    """Words on a baseline, escaped."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def shortened(name: str, room: float) -> str:
    """A name that fits `room`, cut off with an ellipsis if it must be."""
    letters = int(room / LETTER)
    return name if len(name) <= letters else name[: letters - 1] + "…"


def image(title: str, width: int, height: float, parts: Sequence[str], kind: str = "chart") -> str:
    """The whole SVG; the title is what a screen reader says."""
    start = f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img">'
    return "".join([start, f"<title>{escape(title)}</title>", *parts, "</svg>"])
