"""Which functions of an app Azure's host runs."""

from typing import Any

import pytest

from bot_workbench.emulator.functions.workers.function import Function
from bot_workbench.emulator.functions.workers.validation import valid_functions


def http(name: str, route: str = "", *methods: str, binding: str = "req") -> Function:
    """An HTTP-triggered function as a worker indexes it."""
    trigger: dict[str, Any] = {"type": "httpTrigger", "name": binding, "route": route}
    return Function(
        name, name, ({**trigger, "methods": methods}, {"type": "http", "name": "$return"})
    )


def queue(name: str, binding: str = "message") -> Function:
    """A queue-triggered one."""
    return Function(name, name, ({"type": "queueTrigger", "name": binding, "queueName": "q"},))


ERRORS = [
    *(
        queue(name)
        for name in ("_mine", "f\u00fcr", "host", "HOST", "my-fn.2 x", "1st", "", "n" * 128)
    ),
    *(queue("take", binding) for binding in ("my_message", "1st", "f\u00fcr")),
    *(
        http("f", route)
        for route in ("admin", "/admin/x", "Administrators", "runtime/x", "admin/{a}")
    ),
    http("admin-page"),
    Function("f", "f", ({"type": "HTTPTRIGGER", "name": "req", "route": "admin"},)),
    http("z", "taken"),
    http("z", "/Taken/", "POST"),
    http("twice", binding="$Return"),
    Function("none", "none", ({"type": "anything", "name": "event"},)),
    Function("two", "two", (*queue("two").bindings, {"type": "TIMERTRIGGER", "name": "timer"})),
]


@pytest.mark.parametrize("function", ERRORS, ids=lambda each: f"{each.name[:9]} {each.bindings[0]}")
def test_function_in_error(function: Function, caplog: pytest.LogCaptureFixture) -> None:
    """It is left out, and one line names it."""
    other = http("other", "taken", "POST")
    assert valid_functions([function, other]) == [other]
    [line] = caplog.messages
    assert line.startswith(f"The '{function.name}' function is in error: ")


def test_functions_without_an_error_come_by_name(caplog: pytest.LogCaptureFixture) -> None:
    """Their order is that of upper case, where an underscore follows the letters."""
    names = ["a", "a-b", "AB", "ab2", "a_", "hosts", "n" * 127, "X_y-2"]
    routes = [http("y", "same", "GET"), http("z", "same", "POST"), http("zz", "x/admin")]
    assert valid_functions([*routes, *map(queue, reversed(names))]) == [*map(queue, names), *routes]
    assert not caplog.messages
