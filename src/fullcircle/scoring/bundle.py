"""The bundle: the folder that is deployed. Its sums are checked before anything of it is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.dialect import Dialect
from ..base.errors import BundleError, ConfigError
from ..base.files import read_json, verify
from ..base.typed import build
from .scorer import Scorer

if TYPE_CHECKING:
    from pathlib import Path

VERDICT, REFERENCE, PROVENANCE, CARD = "verdict.json", "reference.json", "provenance.json", "CARD.md"
DIALECT = "dialect.json"


def load(folder: Path) -> Scorer:
    """Check a bundle's manifest, then load its scorer. Raises BundleError, and then nothing was parsed."""
    verify(folder)
    return Scorer.load(folder)


def dialect_of(folder: Path) -> Dialect:
    """How the CSV files are written that a bundle reads. Its sums are checked by `load` first. Raises BundleError."""
    try:
        return build(Dialect, read_json(folder / DIALECT), str(folder / DIALECT))
    except ConfigError as error:
        raise BundleError(str(error)) from None
