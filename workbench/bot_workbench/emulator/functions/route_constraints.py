"""The constraints of route parameters, such as `int` and `length(1,5)`.

Source: ASP.NET Core, RouteOptions.ConstraintMap and ParameterPolicyActivator.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

Check = Callable[[str | None], bool]
"""Whether a parameter may have a value; None: the path has none."""

INT, LONG = 2**31, 2**63

_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,40}\s*")
_NUMBER = r"(?:[0-9][0-9,]*\.?[0-9]*|\.[0-9]+)"
_FLOAT = rf"\s*[+-]?(?:{_NUMBER}(?:e[+-]?[0-9]+)?|infinity|nan)\s*"
_HEX = "[0-9a-f]"
_GUID = rf"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}"
_FILE = r"(?:.*/)?[^/]*\.[^/]*[^/.][^/]*"


def _like(pattern: str, matches: bool = True) -> Check:
    compiled = re.compile(pattern, re.IGNORECASE | re.ASCII | re.DOTALL)
    return lambda value: (value is not None and bool(compiled.fullmatch(value))) is matches


def _is_between(value: str | None, lowest: int, highest: int) -> bool:
    if value is None or not _INTEGER.fullmatch(value):
        return False
    return lowest <= int(value) <= highest


def _has_length(value: str | None, shortest: int, longest: int | None = None) -> bool:
    longest = shortest if longest is None else longest
    return value is not None and shortest <= len(value) <= longest


def _is_date(value: str | None) -> bool:
    """Whether it is a date of ISO 8601, perhaps with a time."""
    try:
        return value is not None and datetime.fromisoformat(value).isoformat()[:10] == value[:10]
    except ValueError:
        return False


CONSTRAINTS: Mapping[str, tuple[Collection[int], Callable[..., bool]]] = {
    "alpha": ((0,), _like("[a-z]*")),
    "bool": ((0,), _like(r"\s*(?:true|false)\s*")),
    "datetime": ((0,), _is_date),
    "decimal": ((0,), _like(rf"\s*[+-]?{_NUMBER}[+-]?\s*")),
    "double": ((0,), _like(_FLOAT)),
    "file": ((0,), _like(_FILE)),
    "float": ((0,), _like(_FLOAT)),
    "guid": ((0,), _like(rf"\s*(?:{_HEX}{{32}}|{_GUID}|\{{{_GUID}\}}|\({_GUID}\))\s*")),
    "int": ((0,), lambda value: _is_between(value, -INT, INT - 1)),
    "length": ((1, 2), _has_length),
    "long": ((0,), lambda value: _is_between(value, -LONG, LONG - 1)),
    "max": ((1,), lambda value, highest: _is_between(value, -LONG, highest)),
    "maxlength": ((1,), lambda value, longest: _has_length(value, 0, longest)),
    "min": ((1,), lambda value, lowest: _is_between(value, lowest, LONG - 1)),
    "minlength": ((1,), lambda value, shortest: _has_length(value, shortest, INT)),
    "nonfile": ((0,), _like(_FILE, matches=False)),
    "range": ((2,), _is_between),
    "required": ((0,), bool),
}
"""The number of arguments of each, and its check of a value and them. `regex` takes a pattern."""


def check_of(name: str, argument: str | None) -> Check:
    """A constraint's check.

    Args:
        name: in any case.
        argument: what is in its parentheses; None: it has none.

    Raises:
        ValueError: ASP.NET Core does not know it, or not with this argument.
    """
    name = name.lower()
    try:
        if name == "regex" and argument is not None:
            pattern = re.compile(argument, re.IGNORECASE)
            return lambda value: value is not None and pattern.search(value) is not None
        counts, check = CONSTRAINTS[name]
        numbers = [] if argument is None else [int(number) for number in argument.split(",")]
    except (KeyError, ValueError, re.error) as error:
        raise _unknown(name, argument) from error
    lowest, highest = (0, INT - 1) if "length" in name else (-LONG, LONG - 1)
    ordered = [lowest, *numbers, highest]
    if len(numbers) not in counts or ordered != sorted(ordered):
        raise _unknown(name, argument)
    return lambda value: check(value, *numbers)


def _unknown(name: str, argument: str | None) -> ValueError:
    shown = name if argument is None else f"{name}({argument})"
    return ValueError(f"'{shown}' is an unknown route constraint, or has a wrong argument")
