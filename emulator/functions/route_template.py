"""RouteTemplate: which paths match a template, such as `api/files/{name}.{kind?}`.

Source: ASP.NET Core, RoutePatternParser, RouteParameterParser and RoutePatternMatcher.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from emulator.functions.route_constraints import Check, check_of

PIECE = re.compile(r"/|(?:[^{}/]|\{\{|\}\})+|\{(?:[^{}]|\{\{|\}\})+\}")
"""A slash, a text, or a parameter; braces that are doubled stand for themselves."""

CONSTRAINT = re.compile(r":([^:=(]*)(?:\((.*?)\)(?=[:=]|\Z))?", re.DOTALL)
PARAMETER = re.compile(
    r"(?P<rest>\*{0,2})(?P<name>[^*?/{}][^*?/{}:=]*)"
    rf"(?P<constraints>(?:{CONSTRAINT.pattern})*)(?:=(?P<default>.*))?",
    re.DOTALL,
)


class Parameter(NamedTuple):
    """One parameter.

    Attributes:
        name: as the function knows it.
        is_rest: it takes the rest of the path.
        is_optional: the path may have no value for it.
        default: its value if the path has none.
        checks: what its constraints say of its value.
    """

    name: str
    is_rest: bool
    is_optional: bool
    default: str | None
    checks: Sequence[Check]

    @property
    def may_be_absent(self) -> bool:
        """Whether a path may end before it."""
        return self.is_rest or self.is_optional or self.default is not None

    def accepts(self, value: str | None) -> bool:
        """Whether the constraints accept a value; None: there is none."""
        if value is None and self.is_optional:
            return True
        return all(check(value) for check in self.checks)


Part = str | Parameter


class RouteTemplate:
    """The paths that match a template.

    Args:
        text: the template.

    Raises:
        ValueError: ASP.NET Core refuses the template; the text is the reason.
    """

    def __init__(self, text: str) -> None:
        self._parameters: list[Parameter] = []
        pattern = ""
        may_end = True
        for parts in reversed(self._segments(text)):
            pattern = f"/{_pattern(parts)}{pattern}"
            may_end = may_end and len(parts) == 1 and _may_be_absent(parts[0])
            pattern = f"(?:{pattern})?" if may_end else pattern
        # The case of literals does not matter, and neither does a slash at the end.
        self._pattern = re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL)

    def _segments(self, text: str) -> Sequence[Sequence[Part]]:
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
                segments[-1].append(self._part(piece))
        if not segments[-1]:
            segments.pop()
        if not all(segments):
            raise ValueError("two slashes follow each other")
        for parameter in self._parameters:
            if parameter.is_rest and segments[-1] != [parameter]:
                raise ValueError(f"'*{parameter.name}' must be all of the last segment")
        return segments

    def _part(self, piece: str) -> Part:
        text = piece.replace("}}", "}").replace("{{", "{")
        if piece.startswith("{{") or not piece.startswith("{"):
            if "?" in text:
                raise ValueError(f"'{text}' contains a question mark")
            return text
        parameter = _parameter(text[1:-1])
        if parameter.name.lower() in {each.name.lower() for each in self._parameters}:
            raise ValueError(f"the parameter '{parameter.name}' occurs twice")
        self._parameters.append(parameter)
        return parameter

    def values(self, path: str) -> Mapping[str, str] | None:
        """The parameters' values in a decoded path, absent ones left out; None: no match."""
        match = self._pattern.fullmatch(path)
        if match is None:
            return None
        values = {
            parameter.name: parameter.default if value is None else value
            for parameter, value in zip(self._parameters, match.groups(), strict=True)
        }
        if not all(parameter.accepts(values[parameter.name]) for parameter in self._parameters):
            return None
        return {name: value for name, value in values.items() if value is not None}


def _parameter(text: str) -> Parameter:
    is_optional = text.endswith("?")
    form = PARAMETER.fullmatch(text.removesuffix("?"))
    if form is None:
        raise ValueError(f"'{{{text}}}' is not a parameter")
    if is_optional and (form["rest"] or form["default"] is not None):
        raise ValueError(f"'{{{text}}}' is optional, and takes the rest or has a default value")
    checks = [
        check_of(found[1], found[2])
        for found in CONSTRAINT.finditer(form["constraints"])
        if found[0] != ":"
    ]
    return Parameter(form["name"], bool(form["rest"]), is_optional, form["default"], checks)


def _pattern(parts: Sequence[Part]) -> str:
    """The regular expression of a segment."""
    parameters = [isinstance(part, Parameter) for part in parts]
    optional = [isinstance(part, Parameter) and part.is_optional for part in parts]
    if (True, True) in pairwise(parameters):
        raise ValueError("two parameters have no text between them")
    if any(optional[:-1]):
        raise ValueError("an optional parameter is not at the end of its segment")
    if optional[-1] and len(parts) > 1 and parts[-2] != ".":
        raise ValueError("an optional parameter follows another text than a dot")
    texts = [_value(part) if isinstance(part, Parameter) else re.escape(part) for part in parts]
    if optional[-1] and len(parts) > 2:
        texts[-3:] = [r"([^/]+?)(?<!\.)(?:\.([^/.]+))?"]
    return "".join(texts)


def _value(parameter: Parameter) -> str:
    return "([^/].*)" if parameter.is_rest else "([^/]+)"


def _may_be_absent(part: Part) -> bool:
    return isinstance(part, Parameter) and part.may_be_absent
