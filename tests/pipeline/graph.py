"""The first-party modules that a module imports, found by reading it: those under TYPE_CHECKING do not count."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"


def name_of(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(path): path for path in SRC.rglob("*.py")}
ROOT_PACKAGE = "fullcircle"  # its function `load` is for those who score: no stage calls it


class _Imports(ast.NodeVisitor):
    def __init__(self, package: str) -> None:
        self.package, self.found = package, set[str]()

    def visit_If(self, node: ast.If) -> None:
        typing_only = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for child in node.orelse if typing_only else [*node.body, *node.orelse]:
            self.visit(child)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        above = self.package.split(".")[: len(self.package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        self.found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}


def imports(path: Path) -> set[str]:
    """Modules of the project that a file names in its imports, with the packages that hold them."""
    name = name_of(path)
    visitor = _Imports(name if path.name == "__init__.py" else name.rpartition(".")[0])
    visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
    prefixes = {".".join(found.split(".")[:i]) for found in visitor.found for i in range(1, found.count(".") + 2)}
    return prefixes & FILES.keys()


def runs(path: Path) -> bool:
    """Whether a file holds more than its docstring."""
    return any(not isinstance(node, ast.Expr) for node in ast.parse(path.read_text(encoding="utf-8")).body)


def closure(module: str) -> set[Path]:
    """Files of all modules that importing `module` runs, relative to the repository."""
    seen: set[str] = set()
    waiting = {module}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        waiting |= imports(FILES[name]) - seen - {ROOT_PACKAGE}
    return {FILES[name].relative_to(ROOT) for name in seen if runs(FILES[name])}
