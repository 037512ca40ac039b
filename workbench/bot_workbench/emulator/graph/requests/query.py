"""OData's `$filter`, `$select`, `$count` and `$top` on lists, as far as Graph has them.

Grammar of filters: OData 4.01 URL conventions, section 5.1.1.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bot_workbench.emulator.graph.errors import bad_request
from bot_workbench.emulator.graph.requests.entity_type import DIRECTORY_OBJECTS, EntityType

JsonObject = dict[str, Any]
Condition = Callable[[JsonObject], bool]

TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_$][\w./@-]*)|([0-9][\w:.+-]*)|([(),:]))")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
}
UNORDERED = ("eq", "ne")
"""Comparisons that also accept null, and two values of different types."""

LITERALS = {"null": None, "true": True, "false": False}
ANY = "/any"
OPTIONS = ("$count", "$filter", "$select", "$top", "$skiptoken")


class Filter:
    """One `$filter`: comparisons, `startswith`, `any`, `not`, `and`, `or` and parentheses.

    Text is compared without regard to case, as the directory does.

    Args:
        text: the filter.
        kind: the type of what is filtered.
        is_advanced: whether it is part of an advanced query, which may have more operators.

    Raises:
        GraphError: the filter is not understood, or names a property that the type does not have.
    """

    def __init__(self, text: str, kind: EntityType, *, is_advanced: bool = False) -> None:
        self._tokens = _tokens(text)
        self._is_advanced = is_advanced
        self._at = 0
        self._kind = kind
        self._variable = ""
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
            self._check_operator("not")
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
        self._check(name)
        comparison = self._next()
        if comparison not in COMPARISONS:
            raise _not_understood()
        self._check_operator(comparison)
        expected = _folded(self._value())
        return lambda item: _compare(comparison, _folded(_property(item, name)), expected)

    def _check_operator(self, operator: str) -> None:
        if not self._is_advanced:
            self._kind.check_operator(operator)

    def _check(self, name: str) -> None:
        """Refuse an unknown property; below `any` there is only its variable."""
        if self._variable and name.partition("/")[0] == self._variable:
            return
        self._kind.check(name, "Invalid filter clause")

    def _starts_with(self) -> Condition:
        self._expect("(")
        name = self._next()
        self._check(name)
        self._expect(",")
        start = str(_folded(self._value()))
        self._expect(")")
        return lambda item: str(_folded(_property(item, name) or "")).startswith(start)

    def _any(self, name: str) -> Condition:
        """`name/any(x:x eq 'value')`: each element is an object with itself under the variable."""
        self._check(name)
        self._expect("(")
        self._variable = variable = self._next()
        self._expect(":")
        holds = self._or()
        self._expect(")")
        self._variable = ""
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
        return int(token) if token.isdecimal() else LITERALS.get(token, token)


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


def _compare(comparison: str, left: Any, right: Any) -> bool:
    if comparison not in UNORDERED:
        if left is None:
            return False
        if type(left) is not type(right):
            raise _not_understood()
    return bool(COMPARISONS[comparison](left, right))


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _not_understood() -> Exception:
    return bad_request("Invalid filter clause: unsupported or malformed.", "BadRequest")


def selected(item: JsonObject, query: Mapping[str, str], kind: EntityType) -> JsonObject:
    """The properties that `$select` names; without it all.

    Raises:
        GraphError: 400, the type has no such property, or the query has an unknown option.
    """
    return _only(item, _selection(query, kind))


def _selection(query: Mapping[str, str], kind: EntityType) -> list[str]:
    for option in query:
        if option.startswith("$") and option not in OPTIONS:
            # Graph has more options; ignoring one would give a wrong answer.
            raise bad_request(f"This stand-in does not know the query option '{option}'.")
    names = [name.strip() for name in query.get("$select", "").split(",") if name.strip()]
    for name in names:
        kind.check(name, "Parsing OData Select and Expand failed")
    return names


def _only(item: JsonObject, names: list[str]) -> JsonObject:
    return {name: item.get(name) for name in names} if names else item


class Page(NamedTuple):
    """A part of a list.

    Attributes:
        items: with the selected properties.
        following: `$skiptoken` of the next page; empty: this is the last one.
        total: how many objects the whole list has; None: nobody has asked.
    """

    items: list[JsonObject]
    following: str
    total: int | None


def page(
    items: Sequence[JsonObject],
    query: Mapping[str, str],
    kind: EntityType,
    default_size: int,
    *,
    is_eventual: bool = False,
) -> Page:
    """One page of what matches `$filter`.

    Args:
        items: all objects of the list.
        query: the request's.
        kind: the objects' type.
        default_size: of a page without `$top`.
        is_eventual: whether the request accepts an eventually consistent answer.

    Raises:
        GraphError: 400, the query is not understood.
    """
    names, text = _selection(query, kind), query.get("$filter", "")
    is_counted = query.get("$count", "").lower() == "true"
    if is_counted and not is_eventual and kind.name in DIRECTORY_OBJECTS:
        raise bad_request("$count is not currently supported.")
    is_advanced = is_counted and is_eventual
    condition = Filter(text, kind, is_advanced=is_advanced).holds if text else None
    matching = [item for item in items if condition is None or condition(item)]
    start = _number(query.get("$skiptoken", "0"), 0)
    size = _number(query.get("$top", str(default_size)), 1)
    following = start + size
    shown = [_only(each, names) for each in matching[start:following]]
    return Page(
        shown,
        str(following) if following < len(matching) else "",
        len(matching) if is_counted else None,
    )


def _number(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise bad_request("Invalid paging option.", "BadRequest")
    return int(text)
