"""Which functions of a bot's routes.py can run beside the base's.

One wrong function can take the whole app down: if the worker cannot index it, the app has no
functions; if the template of its route is invalid, the host answers every request with 503; and if
its route also matches POST /api/messages, the bot may get no messages (the host takes the first
match, in the order of the functions' names). So each function is checked by itself before it is
registered.

Sources: azure-functions-host (Utility.IsValidFunctionName, ScriptHost.ValidateFunction), the route
templates of ASP.NET Core, and the worker's own library, which indexes each function on trial.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import azure.functions as func

NAME = re.compile(r"(?!host$)[a-z][a-z0-9_-]{0,126}", re.ASCII | re.IGNORECASE)
BINDING_NAME = re.compile(r"[a-z][a-z0-9]{0,127}|\$return", re.ASCII | re.IGNORECASE)

ID = "1"
"""Stands in a path for any id."""

RESERVED: Mapping[str, tuple[str, set[str]]] = {
    "messages": ("messages", {"POST"}),
    "health": ("health", {"GET"}),
    "identity": ("identity", {"GET"}),
    "skills": (f"skills/v3/conversations/{ID}/activities/{ID}", {"GET", "POST", "PUT", "DELETE"}),
    "turns": ("", set()),
    "notifications": ("", set()),
}
"""The base's functions, with a path and the methods that each answers.
They are reserved even if the settings leave some of them out."""

RESERVED_PATHS = ("admin", "runtime")
"""What no route may begin with, because the host answers there."""

PART = re.compile(
    r"(?P<text>[^{}?]+)"
    r"|\{(?P<stars>\*{0,2})(?P<name>[^{}?*:=]+)"
    r"(?P<constraints>(?::\w*(?:\((?:[^{}]|\{\{|\}\})*?\)(?=[:=?}]))?)*)"
    r"(?P<default>(?:=[^{}?]*)?)(?P<optional>\??)\}"
)
"""What a segment of a template consists of: text and parameters."""

SEGMENTS = re.compile(r"o|[t.]?(p[t.])*p?|t?(p[t.])*p\.o|r")
"""The forms of a segment. Its parts are letters here: text, a dot alone, a parameter, an optional
parameter, and one that takes the rest of the path."""

FORMS = "text, {name}, text{name}text, {name?}, {name=default}, and at the end {*name}"

CONSTRAINT = re.compile(r":(\w+)(?:\((.*?)\)(?=:|$))?")
CONSTRAINTS: Mapping[str, tuple[Sequence[int], Callable[..., bool]]] = {
    "alpha": ((0,), str.isalpha),
    "file": ((0,), lambda word: "." in word),
    "nonfile": ((0,), lambda word: "." not in word),
    "required": ((0,), bool),
    "length": ((1, 2), lambda word, *limits: limits[0] <= len(word) <= limits[-1]),
    "maxlength": ((1,), lambda word, limit: len(word) <= limit),
    "minlength": ((1,), lambda word, limit: len(word) >= limit),
    # No word satisfies these.
    **dict.fromkeys(
        ("bool", "datetime", "decimal", "double", "float", "guid", "int", "long"),
        ((0,), lambda word: not word),
    ),
    **dict.fromkeys(("max", "min"), ((1,), lambda word, _limit: not word)),
    "range": ((2,), lambda word, _low, _high: not word),
}
"""The constraints of parameters: how many numbers each takes, and whether a word such as `messages`
satisfies it. There is also `regex`, which takes an expression."""

Index = Callable[[func.Function], object]
"""Indexes a function, and raises whatever the worker would raise."""


def usable_functions(blueprints: Iterable[Any]) -> tuple[func.Blueprint, Sequence[str]]:
    """The functions that can run, as one blueprint, and a line for each thing that cannot.

    An HTTP function without an `auth_level` needs a key, as in other Functions apps.

    Args:
        blueprints: what `create_routes` returned.
    """
    usable, faults = func.Blueprint(), []  # type: ignore[no-untyped-call]  # as the SDK has it
    accepted: list[func.Function] = []
    index = _index_of_worker()
    for blueprint in blueprints:
        # In an app of its own, because `get_functions` may be called only once for each app.
        app = func.FunctionApp()
        try:
            app.register_functions(blueprint)
        except (AttributeError, TypeError):
            kind = type(blueprint).__name__
            faults.append(f"create_routes returned a {kind}; it must return blueprints")
        # azure.functions has no public name for an app's single functions.
        for builder in app._function_builders:
            name = builder._function.get_function_name()
            try:
                function = builder.build(app.auth_level)
                index(function)
                fault = _fault(function, accepted)
            except Exception as error:  # noqa: BLE001  # whatever the worker would end with
                fault = f"{error or type(error).__name__}"
            if fault:
                faults.append(f"function {name}: {fault}")
            else:
                accepted.append(function)
                usable._function_builders.append(builder)
    return usable, faults


def _index_of_worker() -> Index:
    """The worker's own check; one that accepts everything, if its library is missing or unknown.

    The library is not public. If it refuses even the plainest function, it is not the known one.
    """
    loader: Any = sys.modules.get("azure_functions_runtime.loader")
    protos = getattr(sys.modules.get("azure_functions_runtime.handle_event"), "protos", None)

    def index(function: func.Function) -> object:
        return loader.process_indexed_function(protos, loader.Registry(), [function], "")

    app = func.FunctionApp()
    app.route("plainest")(lambda req: None)  # noqa: ARG005  # the binding's name
    try:
        index(*app.get_functions())
    except Exception:  # noqa: BLE001  # whatever another version raises
        return lambda function: None  # noqa: ARG005  # as Index has it
    return index


def _fault(function: func.Function, others: Sequence[func.Function]) -> str:
    """Why the host would not run a function beside the others and the base's; empty: it would."""
    name = _name(function)
    if not NAME.fullmatch(name):
        return (
            "a function's name begins with a letter, has at most 127 letters, digits, - and _, and"
            " is not host"
        )
    for binding in function.get_bindings():
        if not BINDING_NAME.fullmatch(binding.name):
            return f"parameter {binding.name}: use letters and digits only, not even _"
    if name.lower() in RESERVED:
        return f"the name {name.lower()} is reserved; choose another name"
    if any(name.lower() == _name(other).lower() for other in others):
        return "another function has this name; choose another one"
    if _trigger(function).type != "httpTrigger":
        return ""
    route, methods = _route(function), _methods(function)
    if route.lower().startswith(RESERVED_PATHS):
        return f"its route {route} begins with one of {', '.join(RESERVED_PATHS)}, the host's own"
    if fault := _fault_of_template(_template(function)):
        return f"its route {_template(function)} is not valid: {fault}"
    for own, (path, taken) in RESERVED.items():
        if methods & taken and _can_match(route, path):
            request = f"{min(methods & taken)} /api/{path}"
            return f"its route {route} can match {request}, which belongs to {own}"
    for other in others:
        same = _trigger(other).type == "httpTrigger" and _route(other).lower() == route.lower()
        if same and methods & _methods(other):
            return f"function {_name(other)} has the same route {route}"
    return ""


def _name(function: func.Function) -> str:
    return f"{function.get_function_name()}"


def _trigger(function: func.Function) -> Any:
    return function.get_trigger()


def _template(function: func.Function) -> str:
    """The template of the route; the host takes the function's name for a blank one."""
    route: str = _trigger(function).route or ""
    return route if route.strip() else _name(function)


def _route(function: func.Function) -> str:
    """The template without slashes at its ends: the same requests match."""
    return _template(function).strip("/")


def _methods(function: func.Function) -> set[str]:
    """The methods in upper case: without any the function takes all."""
    return {each.value for each in _trigger(function).methods or func.HttpMethod}


def _fault_of_template(template: str) -> str:
    """What is wrong with a route's template; empty: nothing."""
    names: set[str] = set()
    segments = template.removesuffix("/").split("/")
    for number, segment in enumerate(segments, 1):
        parts = list(PART.finditer(segment))
        form = "".join(map(_letter, parts))
        whole = "".join(part[0] for part in parts) == segment != ""
        if not whole or not SEGMENTS.fullmatch(form) or ("r" in form and number < len(segments)):
            return f"'{segment}' is none of {FORMS}"
        for part in parts:
            if fault := _fault_of_constraints(part["constraints"] or ""):
                return fault
            if (name := (part["name"] or "").lower()) in names:
                return f"parameter {name} occurs twice"
            names |= {name} - {""}
    return ""


def _letter(part: re.Match[str]) -> str:
    if part["text"]:
        return "." if part["text"] == "." else "t"
    if part["optional"]:
        return "?" if part["stars"] or part["default"] else "o"
    return "r" if part["stars"] else "p"


def _fault_of_constraints(constraints: str) -> str:
    for each in CONSTRAINT.finditer(constraints):
        name, arguments = each[1].lower(), each[2]
        if name not in CONSTRAINTS and name != "regex":
            return f"there is no constraint {name}"
        valid = bool(arguments) if name == "regex" else _are_numbers_of(name, arguments)
        if not valid:
            return f"the constraint {each[0].removeprefix(':')} has the wrong arguments"
    return ""


def _are_numbers_of(name: str, arguments: str | None) -> bool:
    try:
        numbers = _numbers(arguments)
    except ValueError:
        return False
    is_length = "length" in name
    limit = 2**31 if is_length else 2**63
    in_range = all((0 if is_length else -limit) <= number < limit for number in numbers)
    return len(numbers) in CONSTRAINTS[name][0] and in_range and numbers == sorted(numbers)


def _numbers(arguments: str | None) -> list[int]:
    return [] if arguments is None else [int(each) for each in arguments.split(",")]


def _can_match(route: str, path: str) -> bool:
    """Whether a valid route can match a path of words and ids."""
    pattern, parameters = "", []
    for segment in route.split("/"):
        parts = list(PART.finditer(segment))
        form, texts = "".join(map(_letter, parts)), [_pattern(part) for part in parts]
        parameters += [part for part in parts if part["name"]]
        if form.endswith(".o"):
            texts[-2:] = [rf"(?:\.{texts[-1]})?"]
        can_be_absent = form in ("o", "r") or (form == "p" and parts[0]["default"])
        pattern += f"(?:/{''.join(texts)})?" if can_be_absent else f"/{''.join(texts)}"
    match = re.fullmatch(pattern, f"/{path}", re.IGNORECASE)
    if match is None:
        return False
    values = zip(match.groups(), parameters, strict=True)
    return all(_satisfies(value or ID, part["constraints"]) for value, part in values)


def _pattern(part: re.Match[str]) -> str:
    if part["text"]:
        return re.escape(part["text"])
    return "(.*)" if part["stars"] else "([^/]+)"


def _satisfies(value: str, constraints: str) -> bool:
    found = [(each[1].lower(), each[2]) for each in CONSTRAINT.finditer(constraints)]
    return value == ID or all(
        CONSTRAINTS[name][1](value, *_numbers(arguments))
        for name, arguments in found
        if name != "regex"
    )
