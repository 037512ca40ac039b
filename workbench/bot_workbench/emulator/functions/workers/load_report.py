"""LoadReport: what a worker says once it has loaded the app."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot_workbench.emulator.functions.workers.function import Function


@dataclass(frozen=True)
class LoadReport:
    """The outcome of the load.

    Attributes:
        http: the port that answers HTTP requests.
        invocations: the port that runs other triggers' functions.
        functions: the app's functions.
        fault: why the app cannot run, in one line: `FILE:LINE ERROR`; empty: it can.
        modules: the installed modules that the app has imported, in their order.
    """

    http: int
    invocations: int
    functions: Sequence[Function] = ()
    fault: str = ""
    modules: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The report as it is sent."""
        return asdict(self)

    @classmethod
    def of(cls, content: dict[str, Any]) -> "LoadReport":
        """The report that was sent."""
        functions = tuple(
            Function(each["id"], each["name"], tuple(each["bindings"]))
            for each in content.pop("functions")
        )
        return cls(functions=functions, **content)
