"""OData's `$filter`, `$select` and `$top` on lists of JSON objects, as far as Graph has them.

Grammar of filters: OData 4.01 URL conventions, section 5.1.1.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulator.graph.errors import bad_request

JsonObject = dict[str, Any]
Condition = Callable[[JsonObject], bool]

TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_$][\w./@-]*)|([0-9][\w:.+-]*)|([(),:]))")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "ge": lambda left, right: left is not None and left >= right,
    "gt": lambda left, right: left is not None and left > right,
    "le": lambda left, right: left is not None and left <= right,
    "lt": lambda left, right: left is not None and left < right,
}
LITERALS = {"null": None, "true": True, "false": False}
ANY = "/any"


class Filter:
    """One `$filter`: comparisons, `startswith`, `any`, `not`, `and`, `or` and parentheses.

    Text is compared without regard to case, as the directory does.

    Args:
        text: the filter.

    Raises:
        GraphError: the filter is not understood.
    """

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self.holds = self._or()
        if self._at != len(self._tokens):
            raise _not_understood()

    def _or(self) -> Condition:
        conditions = [self._and()]
        while self._accept("or"):
            conditions.append(self._and())
        return lambda item: any(holds(item) for holds in conditions)

    def _and(self) -> Condition:
        conditions = [self._term()]
        while self._accept("and"):
            conditions.append(self._term())
        return lambda item: all(holds(item) for holds in conditions)

    def _term(self) -> Condition:
        if self._accept("not"):
            negated = self._term()
            return lambda item: not negated(item)
        if self._accept("("):
            inner = self._or()
            self._expect(")")
            return inner
        name = self._next()
        if name.lower() == "startswith":
            return self._starts_with()
        if name.endswith(ANY):
            return self._any(name.removesuffix(ANY))
        compare = COMPARISONS.get(self._next())
        if compare is None:
            raise _not_understood()
        expected = _folded(self._value())
        return lambda item: compare(_folded(_property(item, name)), expected)

    def _starts_with(self) -> Condition:
        self._expect("(")
        name = self._next()
        self._expect(",")
        start = str(_folded(self._value()))
        self._expect(")")
        return lambda item: str(_folded(_property(item, name) or "")).startswith(start)

    def _any(self, name: str) -> Condition:
        """`name/any(x:x eq 'value')`: each element is an object with itself under the variable."""
        self._expect("(")
        variable = self._next()
        self._expect(":")
        holds = self._or()
        self._expect(")")
        return lambda item: any(holds({variable: each}) for each in _property(item, name) or ())

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise _not_understood()
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, token: str) -> bool:
        found = self._at < len(self._tokens) and self._tokens[self._at] == token
        self._at += found
        return found

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            raise _not_understood()

    def _value(self) -> Any:
        token = self._next()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        return LITERALS.get(token, token)


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = TOKEN.match(text, at)
        if match is None:
            raise _not_understood()
        quoted, *others = match.groups()
        tokens.append(f"'{quoted}'" if quoted is not None else next(filter(None, others)))
        at = match.end()
    return tokens


def _property(item: JsonObject, name: str) -> Any:
    found: Any = item
    for part in name.split("/"):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _not_understood() -> Exception:
    return bad_request("Invalid filter clause: unsupported or malformed.", "BadRequest")


def selected(item: JsonObject, query: Mapping[str, str]) -> JsonObject:
    """The properties that `$select` names; without it all."""
    names = [name.strip() for name in query.get("$select", "").split(",") if name.strip()]
    return {name: item[name] for name in names if name in item} if names else item


def page(
    items: Sequence[JsonObject], query: Mapping[str, str], default_size: int
) -> tuple[list[JsonObject], str]:
    """The items of one page that match `$filter`, and the next page's `$skiptoken`.

    Args:
        items: all objects of the list.
        query: the request's.
        default_size: of a page without `$top`.

    Returns:
        The items, and the token; empty: this is the last page.
    """
    condition = query.get("$filter", "")
    matching = [item for item in items if not condition or Filter(condition).holds(item)]
    start = _number(query.get("$skiptoken", "0"), 0)
    size = _number(query.get("$top", str(default_size)), 1)
    following = start + size
    return matching[start:following], str(following) if following < len(matching) else ""


def _number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise bad_request("Invalid paging option.", "BadRequest")
    return int(text)
