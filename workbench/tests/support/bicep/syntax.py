"""A Bicep file's syntax tree, and its declarations."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))


class BicepError(Exception):
    """The file is not what this project writes, or cannot be evaluated."""


@dataclass(frozen=True)
class Declaration:
    """A parameter, variable, resource, module or output.

    Attributes:
        kind: `parameter`, `variable`, `resource`, `module` or `output`.
        symbol: its name in the file.
        value: an expression, a resource's body, its condition or its loop; None: it has none.
        target: a resource's type with its API version, a module's path, or a data type.
        is_existing: a resource that the file only refers to.
        decorators: the calls above it, by name.
    """

    kind: str
    symbol: str
    value: Node | None
    target: str = ""
    is_existing: bool = False
    decorators: dict[str, Node] = field(default_factory=dict)


@cache
def declarations(file: Path) -> tuple[Declaration, ...]:
    """A file's declarations, in order.

    Raises:
        BicepError: the file cannot be parsed.
    """
    root = _root(file)
    found: list[Declaration] = []
    decorators: dict[str, Node] = {}
    for node in root.named_children:
        if node.type == "decorators":
            calls = [decorator.named_children[0] for decorator in node.named_children]
            decorators = {text(call.named_children[0]): call for call in calls}
        elif node.type.endswith("_declaration"):
            found.append(_declaration(node, decorators))
            decorators = {}
    return tuple(found)


@cache
def _root(file: Path) -> Node:
    root = _PARSER.parse(file.read_bytes()).root_node
    if root.has_error:
        raise BicepError(f"{file.name} cannot be parsed: {_first_error(root)}")
    return root


def _declaration(node: Node, decorators: dict[str, Node]) -> Declaration:
    kind = node.type.removesuffix("_declaration")
    symbol, *rest = node.named_children
    target = ""
    if kind in ("resource", "module"):
        target, rest = literal(rest[0]), rest[1:]
    elif kind in ("parameter", "output"):
        target, rest = text(rest[0]), rest[1:]
    is_existing = any(each.type == "existing" for each in node.children)
    value = rest[-1] if rest else None
    return Declaration(kind, text(symbol), value, target, is_existing, decorators)


def nodes(file: Path, kind: str) -> Iterator[Node]:
    """Every node of a kind in a file, in order."""
    pending = [_root(file)]
    while pending:
        node = pending.pop()
        if node.type == kind:
            yield node
        pending += reversed(node.named_children)


def references(file: Path) -> Iterator[str]:
    """Each use of a symbol or function in a file: not its declaration, and no property's name."""
    for node in nodes(file, "identifier"):
        parent = node.parent
        is_name = (
            parent is not None
            and parent.named_children[0] == node
            and (parent.type == "object_property" or parent.type.endswith("_declaration"))
        )
        if not is_name:
            yield text(node)


def text(node: Node) -> str:
    """A node's source."""
    return (node.text or b"").decode()


def literal(node: Node) -> str:
    """A string without interpolation.

    Raises:
        BicepError: it has one, or is no string.
    """
    parts = list(string_parts(node)) if node.type == "string" else [node]
    if any(isinstance(part, Node) for part in parts):
        raise BicepError(f"{text(node)} is not a plain string")
    return "".join(map(str, parts))


def string_parts(node: Node) -> Iterator[str | Node]:
    """A string's parts in order: its text, and the expressions of its interpolations.

    The parser counts white space with what follows it: an expression, or the closing quote.
    """
    for part in node.children[1:-1]:
        spaces = text(part)[: -len(text(part).lstrip())]
        if part.type == "interpolation":
            yield spaces
            yield part.named_children[0]
        elif part.type == "escape_sequence":
            yield spaces + _ESCAPES.get(text(part).lstrip(), text(part).lstrip())
        else:
            yield text(part)
    yield text(node.children[-1]).rstrip("'")


_ESCAPES = {"\\'": "'", "\\\\": "\\", "\\n": "\n", "\\t": "\t", "\\r": "\r", "\\$": "$"}


def _first_error(node: Node) -> str:
    if node.type == "ERROR" or node.is_missing:
        return f"line {node.start_point.row + 1}: {text(node)[:60]!r}"
    return next((_first_error(child) for child in node.children if child.has_error), "")
