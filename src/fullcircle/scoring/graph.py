"""Checks an ONNX graph before ONNX Runtime sees it: a bundle computes predictions of features, and nothing else.

Checksums tell that a bundle is as it was made, and not who made it. ONNX itself may name files that are read as
constants, loop without end, and state sizes that fill the memory. The graphs that `models/` make need none of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..base.columns import Array
from ..base.errors import BundleError, listed
from .protobuf import FIXED32, VARINT, Field, MalformedError, fields, integers, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Shape: TypeAlias = "tuple[int, ...]"

ROWS = -1  # the dimension that is as long as the rows given
SAME = {"Cast", "IsNaN", "Relu", "Clip"}  # as the first input, which the others only bound
BROADCAST = {"Add", "Sub", "Div", "Where"}
TREES = "TreeEnsembleRegressor"
OPERATORS = {("", name) for name in (*SAME, *BROADCAST, "MatMul")} | {("ai.onnx.ml", TREES)}
"""Those of the graphs that models/ makes: (domain, name). What another model needs is added here, with its shape."""

WIDEST = 1_000_000  # numbers per row
DEEPEST = 1_000  # nodes from the root of a tree to a leaf: ONNX Runtime reads trees recursively

# The fields of onnx.proto that a graph may have; all others, such as functions and subgraphs, are refused.
_MODEL, _GRAPH, _NODE = {1, 2, 3, 4, 5, 6, 7, 8, 14}, {1, 2, 5, 10, 11, 12, 13, 16}, {1, 2, 3, 4, 5, 6, 7, 9}
_ATTRIBUTE, _TENSOR = {1, 2, 3, 4, 5, 7, 8, 9, 13, 20}, {1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 16}
_LISTS = {number: run_of(number, wire) for number, wire in ((7, FIXED32), (8, VARINT))}
_EXTERNAL = {13, 14}  # a tensor's file, and that it is in one


@dataclass(frozen=True, slots=True)
class _Node:
    """An operator. `integers`: of its attributes, by name."""

    domain: str
    name: str
    inputs: list[str]
    outputs: list[str]
    integers: dict[str, Array]


@dataclass(slots=True)
class _Graph:
    """`shapes`: of the constants, by name."""

    nodes: list[_Node] = field(default_factory=list)
    shapes: dict[str, Shape] = field(default_factory=dict)
    inputs: list[str] = field(default_factory=list)


def check_graph(model: bytes, width: int) -> int:
    """Check a graph that takes rows of `width` features; returns the most numbers per row that it holds at a time.

    Raises BundleError for constants in other files, operators that are not among OPERATORS, other inputs than one,
    results that are not one row per row given, and trees that are too deep.
    """
    try:
        graph = _Graph()
        for number, _, value in _allowed(memoryview(model), _MODEL, "model"):
            if number == 7:
                _read_graph(graph, _bytes(value))
    except (MalformedError, UnicodeDecodeError) as error:
        raise BundleError(f"the model is no ONNX graph: {error}") from None
    if len(graph.inputs) != 1:
        raise BundleError(f"the model takes {len(graph.inputs)} inputs, and one is given: {listed(graph.inputs)}")
    shapes = {**graph.shapes, graph.inputs[0]: (ROWS, width)}
    for node in graph.nodes:
        if (node.domain, node.name) not in OPERATORS:
            raise BundleError(
                f"the model has the operator {node.domain + '.' if node.domain else ''}{node.name or '(no name)'}, "
                f"which no model of this version needs: those are {', '.join(sorted(name for _, name in OPERATORS))}"
            )
        shape = _shape(node, shapes)
        if any(name in shapes for name in node.outputs):
            raise BundleError(f"the model computes {', '.join(node.outputs)} twice")
        shapes |= dict.fromkeys(node.outputs, shape)
    return max(shape[1] for shape in shapes.values() if shape[:1] == (ROWS,))


def _read_graph(graph: _Graph, data: memoryview) -> None:
    for number, _, value in _allowed(data, _GRAPH, "graph"):
        if number == 1:
            graph.nodes.append(_node(_bytes(value)))
        elif number == 5:
            name, shape = _tensor(_bytes(value))
            if name in graph.shapes:
                raise BundleError(f"the model has two constants {name}")
            graph.shapes[name] = shape
        elif number == 11:
            graph.inputs += [_text(v) for n, _, v in fields(_bytes(value)) if n == 1]


def _node(data: memoryview) -> _Node:
    texts: dict[int, list[str]] = {1: [], 2: [], 4: [], 7: []}  # inputs, outputs, name of the operator, its domain
    found: dict[str, Array] = {}
    for number, _, value in _allowed(data, _NODE, "operator"):
        if number in texts:
            texts[number].append(_text(value))
        elif number == 5:
            name, values = _attribute(_bytes(value))
            if name in found:
                raise MalformedError(f"an operator has two attributes {name}")
            found[name] = values
    if len(texts[4]) > 1 or len(texts[7]) > 1:
        raise MalformedError("an operator has two names")
    domain = "".join(texts[7])
    return _Node("" if domain == "ai.onnx" else domain, "".join(texts[4]), texts[1], texts[2], found)


def _attribute(data: memoryview) -> tuple[str, Array]:
    """Name and integers of an attribute; a list of modes is an integer per text: whether it is a leaf."""
    names, found, leaves = list[str](), list[Array](), list[bool]()
    for number, wire, value in _allowed(data, _ATTRIBUTE, "attribute", lists=True):
        if number == 1:
            names.append(_text(value))
        elif number == 5:
            _tensor(_bytes(value))
        elif number in (3, 8):
            found.append(integers(wire, value))
        elif number == 9:
            leaves.append(bytes(_bytes(value)) == b"LEAF")
    if len(names) != 1:
        raise MalformedError(f"an attribute has {len(names)} names")
    return names[0], np.concatenate([np.zeros(0, np.int64), *found, np.array(leaves, np.int64)])


def _tensor(data: memoryview) -> tuple[str, Shape]:
    dims, names = [np.zeros(0, np.int64)], [""]
    for number, wire, value in _allowed(data, _TENSOR | _EXTERNAL, "constant"):
        if number in _EXTERNAL:
            raise BundleError("the model reads a constant from another file, and a bundle's model is one file")
        if number == 1:
            dims.append(integers(wire, value))
        elif number == 8:
            names.append(_text(value))
    shape = tuple(np.concatenate(dims).tolist())
    if any(not 0 <= size <= WIDEST for size in shape):
        raise BundleError(f"the model has a constant {names[-1]} of shape {shape}: at most {WIDEST:,} are possible")
    return names[-1], shape


def _allowed(data: memoryview, allowed: set[int], what: str, *, lists: bool = False) -> Iterator[Field]:
    for read in fields(data, _LISTS) if lists else fields(data):
        if read[0] not in allowed:
            raise BundleError(f"the {what} of ONNX has field {read[0]}, which no model of this version needs")
        yield read


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise MalformedError("a number where a message should be")
    return value


def _text(value: int | memoryview) -> str:
    return bytes(_bytes(value)).decode("utf-8")


def _shape(node: _Node, shapes: dict[str, Shape]) -> Shape:
    """The shape of what an operator computes: a row per row given, at most WIDEST numbers each."""
    given = [shapes.get(name) for name in node.inputs if name]
    if not given or None in given:
        raise BundleError(f"the model's {node.name} takes {', '.join(node.inputs) or 'nothing'}: not all are known")
    known = [shape for shape in given if shape is not None]
    if node.name == TREES:
        found = _outputs_of_trees(node, known[0])
    elif node.name == "MatMul":
        found = known[0][:-1] + known[1][1:] if len(known) == 2 and known[0][-1:] == known[1][:1] else ()
    elif node.name in SAME:
        found = known[0] if all(shape == () for shape in known[1:]) else ()
    else:
        found = _broadcast(known)
    if len(found) != 2 or found[0] != ROWS or not 0 < found[1] <= WIDEST:
        raise BundleError(f"the model's {node.name} of shapes {known} does not give one row per row given")
    return found


def _broadcast(shapes: list[Shape]) -> Shape:
    """The common shape; () if there is none."""
    length = max(map(len, shapes))
    found = []
    for sizes in zip(*((1,) * (length - len(shape)) + shape for shape in shapes), strict=True):
        longer = set(sizes) - {1}
        if len(longer) > 1:
            return ()
        found.append(longer.pop() if longer else 1)
    return tuple(found)


def _outputs_of_trees(node: _Node, shape: Shape) -> Shape:
    """The shape of what trees give. Raises BundleError for trees that are none, or are too deep."""
    lists = ("nodes_treeids", "nodes_nodeids", "nodes_modes", "nodes_truenodeids", "nodes_falsenodeids")
    outputs = node.integers.get("n_targets", np.zeros(0, np.int64))
    tree, own, leaf, *children = (node.integers.get(name, np.zeros(0, np.int64)) for name in lists)
    if len(outputs) != 1 or not len(own) or {len(tree), len(leaf), *map(len, children)} != {len(own)}:
        raise BundleError("the model's trees have lists of different lengths")
    if min(tree.min(), own.min(), *(c.min() for c in children)) < 0 or max(tree.max(), own.max()) >= 2**31:
        raise BundleError("the model's trees have nodes with impossible numbers")
    if (node.integers.get("nodes_featureids", own) >= shape[-1]).any():
        raise BundleError(f"the model's trees read a feature that is not among the {shape[-1]} it takes")
    _check_depth(tree << 31 | own, [(tree << 31) + child for child in children], leaf == 0)
    return (*shape[:-1], int(outputs[0]))


def _check_depth(own: Array, children: list[Array], inner: Array) -> None:
    """`own`, `children`: the numbers of nodes and of their two children; `inner`: which nodes have them."""
    order = np.argsort(own)
    places = [np.searchsorted(own[order], child).clip(max=len(own) - 1) for child in children]
    places = [order[place] for place in places]
    below = np.concatenate([place[inner] for place in places])
    known = all((own[place] == child)[inner].all() for place, child in zip(places, children, strict=True))
    if not known or len(np.unique(below)) < len(below) or len(np.unique(own)) < len(own):
        raise BundleError("the model's trees have nodes that have two parents, or children that are missing")
    level, seen = np.setdiff1d(np.arange(len(own)), below), 0
    for _ in range(DEEPEST):
        seen += len(level)
        parents = level[inner[level]]
        level = np.concatenate([place[parents] for place in places])
    if seen < len(own):
        raise BundleError(f"the model has a tree that is deeper than {DEEPEST:,} nodes, or goes round in a circle")
