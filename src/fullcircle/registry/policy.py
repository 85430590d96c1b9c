"""conf/registry.yaml: which versions may be registered and promoted, by whom."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """`stages`: in their order; who is in the last one is the champion. `verdict`: those that may be registered.

    `may_skip`: e-mail addresses, as git has them, of those who may promote against the order or the verdict, with a
    reason that is recorded.
    """

    stages: tuple[str, ...] = ("staging", "prod")
    verdict: tuple[str, ...] = ("blessed",)
    may_skip: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = [name for name in self.stages if not re.fullmatch(r"[a-z][a-z0-9-]*[a-z0-9]", name)]
        if not self.stages or wrong or len({*self.stages}) < len(self.stages):
            raise ValueError(f"stages must be names such as staging and prod, each once: {', '.join(self.stages)}")
        if unknown := {*self.verdict} - {"blessed", "draft", "rejected", "unknown"}:
            raise ValueError(f"verdict: {', '.join(sorted(unknown))} is none of blessed, draft, rejected, unknown")

    @property
    def last(self) -> str:
        """The stage of the champion."""
        return self.stages[-1]
