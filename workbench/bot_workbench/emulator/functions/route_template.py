"""RouteTemplate: which paths match a template, such as `api/files/{name}.{kind?}`.

Source: ASP.NET Core, RoutePatternParser, RouteParameterParser and RoutePatternMatcher.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from bot_workbench.emulator.functions.route_constraints import Check, check_of

PIECE = re.compile(r"/|(?:[^{}/]|\{\{|\}\})+|\{(?:[^{}]|\{\{|\}\})+\}")
"""A slash, a text, or a parameter; braces that are doubled stand for themselves."""

CONSTRAINT = re.compile(r":([^:=(]*)(?:\((.*?)\)(?=[:=]|\Z))?", re.DOTALL)
PARAMETER = re.compile(
    r"(?P<rest>\*{0,2})(?P<name>[^*?/{}][^*?/{}:=]*)"
    rf"(?P<constraints>(?:{CONSTRAINT.pattern})*)(?:=(?P<default>.*))?",
    re.DOTALL,
)

SEGMENT, REST = "([^/]+)", "([^/].*)"
"""The values of a parameter, and of one that takes the rest of the path."""


class Part(NamedTuple):
    """A text or a parameter of a template.

    Attributes:
        pattern: a regular expression of what matches it.
        name: a parameter's; a text has none.
        is_optional: it is a parameter with a question mark.
        default: a parameter's value if the path has none.
        checks: what a parameter's constraints say of its value.
    """

    pattern: str
    name: str = ""
    is_optional: bool = False
    default: str | None = None
    checks: Sequence[Check] = ()


class RouteTemplate:
    """The paths that match a template.

    Args:
        text: the template.

    Raises:
        ValueError: ASP.NET Core refuses the template; the text is the reason.
    """

    def __init__(self, text: str) -> None:
        segments = _segments(text)
        self._parameters = [part for parts in segments for part in parts if part.name]
        if len({each.name.lower() for each in self._parameters}) < len(self._parameters):
            raise ValueError("a parameter occurs twice")
        if any(part.pattern == REST for parts in segments[:-1] for part in parts):
            raise ValueError("a parameter with '*' is not at the end")
        pattern, may_end = "", True
        for parts in reversed(segments):
            pattern = f"/{_pattern(parts)}{pattern}"
            part = parts[0]
            may_be_absent = part.is_optional or part.default is not None or part.pattern == REST
            may_end = may_end and may_be_absent and len(parts) == 1
            pattern = f"(?:{pattern})?" if may_end else pattern
        # The case of texts does not matter, and neither does a slash at the end.
        self._pattern = re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL)

    def values(self, path: str) -> Mapping[str, str] | None:
        """The parameters' values in a decoded path, absent ones left out; None: no match."""
        match = self._pattern.fullmatch(path)
        if match is None:
            return None
        values = {}
        for part, found in zip(self._parameters, match.groups(), strict=True):
            value = part.default if found is None else found
            is_left_out = value is None and part.is_optional
            if not (is_left_out or all(check(value) for check in part.checks)):
                return None
            if value is not None:
                values[part.name] = value
        return values


def _segments(text: str) -> Sequence[Sequence[Part]]:
    if text.startswith("~") and not text.startswith("~/"):
        raise ValueError("it begins with '~'")
    text = text.removeprefix("~").removeprefix("/")
    pieces = PIECE.findall(text)
    if "".join(pieces) != text:
        raise ValueError("a brace is not closed, not opened, or empty")
    segments: list[list[Part]] = [[]]
    for piece in pieces:
        if piece == "/":
            segments.append([])
        else:
            segments[-1].append(_part(piece))
    if not segments[-1]:
        segments.pop()
    if not all(segments):
        raise ValueError("two slashes follow each other")
    return segments


def _part(piece: str) -> Part:
    text = piece.replace("}}", "}").replace("{{", "{")
    if piece.startswith("{{") or not piece.startswith("{"):
        if "?" in text:
            raise ValueError(f"'{text}' contains a question mark")
        return Part(re.escape(text))
    is_optional = text.endswith("?}")
    form = PARAMETER.fullmatch(text[1:-1].removesuffix("?"))
    if form is None:
        raise ValueError(f"'{text}' is not a parameter")
    if is_optional and (form["rest"] or form["default"] is not None):
        raise ValueError(f"'{text}' is optional, and takes the rest or has a default value")
    constraints = CONSTRAINT.finditer(form["constraints"])
    checks = [check_of(each[1], each[2]) for each in constraints if each[0] != ":"]
    return Part(
        REST if form["rest"] else SEGMENT, form["name"], is_optional, form["default"], checks
    )


def _pattern(parts: Sequence[Part]) -> str:
    """The regular expression of a segment."""
    patterns = [part.pattern for part in parts]
    if (True, True) in pairwise(bool(part.name) for part in parts):
        raise ValueError("two parameters have no text between them")
    if REST in patterns and len(parts) > 1:
        raise ValueError("a parameter with '*' is not all of its segment")
    if any(part.is_optional for part in parts[:-1]):
        raise ValueError("an optional parameter is not at the end of its segment")
    if parts[-1].is_optional and len(parts) > 1:
        if patterns[-2] != re.escape("."):
            raise ValueError("an optional parameter follows another text than a dot")
        if len(parts) > 2:
            patterns[-3:] = [r"([^/]+?)(?<!\.)(?:\.([^/.]+))?"]
    return "".join(patterns)
