"""The functions of an app that Azure's host runs.

Source: azure-functions-host, WorkerFunctionMetadataProvider.ValidateMetadata, ScriptHost
(ValidateHttpFunction, HttpRoutesConflict), Utility, FunctionMetadataManager; what it logs has the
form of ScriptHostLoggerExtension.FunctionError.
"""

import logging
import re
from collections.abc import Sequence

from bot_workbench.emulator.functions.workers.function import Function, is_trigger

LOG = logging.getLogger("bot_workbench.emulator.functions.workers.validation")

# The pattern of the host's source allows 128 characters, but a name of 128 is refused.
NAME = re.compile(r"(?!host$)[a-z][a-z0-9_-]{0,126}", re.IGNORECASE | re.ASCII)
BINDING_NAME = re.compile(r"[a-z][a-z0-9]{0,127}|\$return", re.IGNORECASE | re.ASCII)
RESERVED = ("admin", "runtime")
"""The beginnings of the host's own routes."""


def valid_functions(functions: Sequence[Function]) -> Sequence[Function]:
    """The functions without an error, by name; each other is logged with its error.

    The order is that in which Azure's host matches their routes.
    """
    valid: list[Function] = []
    for function in sorted(functions, key=lambda each: each.name.upper()):
        if error := _error(function, valid):
            LOG.error("The '%s' function is in error: %s", function.name, error)
        else:
            valid.append(function)
    return valid


def _error(function: Function, others: Sequence[Function]) -> str:
    """Why the host does not run a function; empty: it does."""
    if not NAME.fullmatch(function.name):
        return (
            "its name must begin with a letter, consist of at most 127 letters, digits, hyphens and"
            " underscores of ASCII, and not be 'host'."
        )
    for binding in function.bindings:
        if not BINDING_NAME.fullmatch(binding["name"]):
            return (
                f"the parameter name '{binding['name']}' must begin with a letter, and consist of"
                " letters and digits of ASCII: not even an underscore is allowed."
            )
    if len({binding["name"].lower() for binding in function.bindings}) < len(function.bindings):
        return "two of its bindings have the same name."
    if sum(map(is_trigger, function.bindings)) != 1:
        return "it must have one trigger, a binding whose type ends with 'Trigger'."
    return _route_error(function, others) if function.is_http else ""


def _route_error(function: Function, others: Sequence[Function]) -> str:
    route = function.route.strip("/").lower()
    if route.startswith(RESERVED):
        return (
            f"its route '{function.route}' begins with 'admin' or 'runtime', which are reserved for"
            " the host."
        )
    for other in others:
        if other.is_http and other.route.strip("/").lower() == route:
            methods = function.methods & other.methods
            if methods or not (function.methods and other.methods):
                return f"its route '{function.route}' is also that of the function '{other.name}'."
    return ""
