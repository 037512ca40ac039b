"""Variable: what a person sets on the command line as NAME=VALUE."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot_workbench.emulator.loopback import MAX_PORT

Check = Callable[[str], str]
"""Takes a value, and returns what it may be instead, or nothing if it is right."""

Values = Mapping[str, str]
"""Each variable's value by its name; an empty one is unset."""


class UsageError(Exception):
    """The command line is wrong; the text says what would be right."""


def anything(_value: str) -> str:
    """Every text is right, such as a path."""
    return ""


def flag(value: str) -> str:
    """1 switches something on; unset, or 0, leaves it off."""
    return "" if value in ("0", "1") else "1 or 0"


def port(value: str) -> str:
    """A TCP port."""
    is_port = value.isdecimal() and 1 <= int(value) <= MAX_PORT
    return "" if is_port else f"a port from 1 to {MAX_PORT}"


def number(value: str) -> str:
    """A number of at least 1."""
    return "" if value.isdecimal() and int(value) else "a number, 1 or more"


def one_of(choices: Sequence[str]) -> Check:
    """One of some names."""

    def check(value: str) -> str:
        return "" if value in choices else _listed(choices)

    return check


def _listed(choices: Sequence[str]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


@dataclass(frozen=True)
class Variable:
    """A variable of a command.

    Attributes:
        name: in capitals.
        default: its value if it is unset.
        help: a few words about it.
        check: what it may be.
    """

    name: str
    default: str
    help: str
    check: Check = anything

    def checked(self, value: str) -> str:
        """The value itself.

        Raises:
            UsageError: it is not one that the variable may have.
        """
        wanted = self.check(value) if value else ""
        if wanted:
            raise UsageError(f"{self.name}={value}: {self.name} must be {wanted}.")
        return value


def is_on(values: Values, name: str) -> bool:
    """Whether a flag is set."""
    return values[name] not in ("", "0")
