"""stub"""

from dataclasses import dataclass
from typing import Any


@dataclass
class Luck:
    number: int
    value: float
    test: float
    interval: tuple[float, float] | None


class Swept:
    def __init__(self, **k: Any) -> None:
        self.k = k


def render(s: Swept) -> str:
    return str({k: v for k, v in s.k.items() if k != "trials"})
