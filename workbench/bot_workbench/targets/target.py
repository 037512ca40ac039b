"""Target: a command of `run.py`, as make has them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot_workbench.setup.step import SetUpStep
from bot_workbench.targets.variable import UsageError, Values, Variable

Commands = Callable[[Values], Sequence[Sequence[str]]]
"""The programs that a target runs, one after the other, until one fails; the last one replaces this
process where that is possible."""

Steps = Callable[[Values], Sequence[SetUpStep]]
"""What a target needs."""

Ports = Callable[[Values], Mapping[str, str]]
"""The ports that a target needs, by the names of their variables."""


def needs(*steps: SetUpStep) -> Steps:
    """Steps that no variable changes."""
    return lambda _values: steps


def no_ports(_values: Values) -> Mapping[str, str]:
    """The target needs none."""
    return {}


@dataclass(frozen=True)
class Target:
    """A command.

    Attributes:
        name: as people type it.
        help: what it does, in a few words.
        variables: those that it takes.
        steps: what it needs.
        commands: what it runs; called once, just before, and may delete old output.
        ports: what must be free before it starts.
        is_for_maintainers: whether only people who change this project need it.
    """

    name: str
    help: str
    variables: Sequence[Variable]
    steps: Steps
    commands: Commands
    ports: Ports = no_ports
    is_for_maintainers: bool = False

    def values(self, words: Sequence[str]) -> Values:
        """All variables with the values that a command line gives them.

        Args:
            words: NAME=VALUE each.

        Raises:
            UsageError: a name or a value is wrong.
        """
        known = {variable.name: variable for variable in self.variables}
        values = {variable.name: variable.default for variable in self.variables}
        for word in words:
            name, equals, value = word.partition("=")
            if not equals or name not in known:
                raise UsageError(f"{self.name} does not take {word}: {self._taken()}.")
            values[name] = known[name].checked(value) or known[name].default
        return values

    def _taken(self) -> str:
        names = ", ".join(f"{variable.name}=" for variable in self.variables)
        return f"it takes {names}" if names else "it takes no variables"
