"""The model card: what somebody who did not make the model must know to use it (Mitchell et al. 2019)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from fullcircle.report import words
from fullcircle.report.page import FILTERS, mean_foretold

if TYPE_CHECKING:
    from jinja2 import Template

    from fullcircle.report.facts import Facts


def render(facts: Facts) -> str:
    """The card as Markdown: the same text for the same facts."""
    return _template().render(facts=facts, words=words, foretold=mean_foretold(facts))


def plain(value: Any) -> Any:
    """Text that stays in its cell of a table and is no markup, whatever the data holds. Other values pass."""
    if not isinstance(value, str):
        return value
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", re.sub(r"\s*[\r\n]+\s*", " ", value).replace("|", "\\|"))


@cache
def _template() -> Template:
    environment = Environment(  # noqa: S701  Markdown: `plain` escapes every value
        loader=PackageLoader("fullcircle.report", ""),
        undefined=StrictUndefined,
        finalize=plain,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment.get_template("card.md.jinja")
