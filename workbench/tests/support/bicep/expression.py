"""The value of a Bicep expression."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from tree_sitter import Node

from tests.support.bicep.syntax import BicepError, string_parts, text

Names = Mapping[str, Any]
"""The values of loop variables by name."""

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Evaluator:
    """Evaluates expressions.

    Args:
        symbol: returns the value of a symbol of the file.
        functions: what can be called, by name.
    """

    def __init__(
        self, symbol: Callable[[str], Any], functions: Mapping[str, Callable[..., Any]]
    ) -> None:
        self._symbol = symbol
        self._functions = functions
        self._kinds: dict[str, Callable[[Node, Names], Any]] = {
            "array": lambda node, names: [self.value(each, names) for each in _parts(node)],
            "binary_expression": self._binary,
            "boolean": lambda node, _: text(node) == "true",
            "call_expression": self._call,
            "for_statement": self._loop,
            "identifier": self._identifier,
            "member_expression": self._member,
            "null": lambda _, __: None,
            "number": lambda node, _: int(text(node)),
            "object": self._object,
            "parenthesized_expression": lambda node, names: self.value(_parts(node)[0], names),
            "string": self._string,
            "subscript_expression": self._subscript,
            "ternary_expression": self._ternary,
            "unary_expression": lambda node, names: not self.value(_parts(node)[0], names),
        }

    def value(self, node: Node, names: Names) -> Any:
        """A node's value.

        Raises:
            BicepError: the expression uses what is not known here, or has no value.
        """
        if node.type not in self._kinds:
            raise BicepError(f"{node.type} is not known here: {text(node)[:80]}")
        return self._kinds[node.type](node, names)

    def _identifier(self, node: Node, names: Names) -> Any:
        name = text(node)
        return names[name] if name in names else self._symbol(name)

    def _string(self, node: Node, names: Names) -> str:
        parts = [
            _as_text(self.value(part, names)) if isinstance(part, Node) else part
            for part in string_parts(node)
        ]
        return "".join(parts).removeprefix("\n" if text(node).startswith("'''") else "")

    def _object(self, node: Node, names: Names) -> dict[str, Any]:
        found = {}
        for property_ in _parts(node):
            key, value = _parts(property_)
            name = text(key) if key.type == "identifier" else self.value(key, names)
            found[name] = self.value(value, names)
        return found

    def _loop(self, node: Node, names: Names) -> list[Any]:
        variable, items, body = _parts(node)
        name = text(variable)
        return [self.value(body, {**names, name: item}) for item in self.value(items, names)]

    def _member(self, node: Node, names: Names) -> Any:
        owner, *_, key = node.named_children
        value, name = self.value(owner, names), text(key)
        is_safe = any(child.type == ".?" for child in node.children)
        if is_safe and (value is None or name not in value):
            return None
        if value is None or name not in value:
            raise BicepError(f"{text(node)} has no value")
        return value[name]

    def _subscript(self, node: Node, names: Names) -> Any:
        owner, key = (self.value(part, names) for part in _parts(node))
        try:
            return owner[key]
        except (KeyError, IndexError, TypeError) as error:
            raise BicepError(f"{text(node)} has no value") from error

    def _binary(self, node: Node, names: Names) -> Any:
        left, operation, right = node.children
        first = self.value(left, names)
        match text(operation):
            case "&&":
                return first and self.value(right, names)
            case "||":
                return first or self.value(right, names)
            case "??":
                return self.value(right, names) if first is None else first
            case name if name in _COMPARISONS:
                return _COMPARISONS[name](first, self.value(right, names))
            case name:
                raise BicepError(f"{name} is not known here")

    def _ternary(self, node: Node, names: Names) -> Any:
        condition, yes, no = _parts(node)
        return self.value(yes if self.value(condition, names) else no, names)

    def _call(self, node: Node, names: Names) -> Any:
        function, arguments = _parts(node)
        name = text(function)
        if name not in self._functions:
            raise BicepError(f"{name}() is not known here")
        return self._functions[name](*(self.value(each, names) for each in _parts(arguments)))


def _parts(node: Node) -> list[Node]:
    return [each for each in node.named_children if each.type != "comment"]


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
