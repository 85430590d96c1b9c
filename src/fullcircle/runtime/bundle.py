"""The bundle: the folder that is deployed. Its sums are checked before anything of it is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .files import verify
from .scorer import Scorer

if TYPE_CHECKING:
    from pathlib import Path

VERDICT, REFERENCE, PROVENANCE, CARD = "verdict.json", "reference.json", "provenance.json", "CARD.md"


def load(folder: Path) -> Scorer:
    """Check a bundle's manifest, then load its scorer. Raises BundleError, and then nothing was parsed."""
    verify(folder)
    return Scorer.load(folder)
