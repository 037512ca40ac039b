"""Which functions of a bot's routes.py can run beside the base's.

One wrong function would take the whole app down: if the worker cannot index it, the app has no
functions; if the template of its route is invalid, the host answers every request with 503; and if
its route takes POST /api/messages, the bot gets no messages. So each function is checked by itself
before it is registered.

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

RESERVED: Mapping[str, tuple[str, set[str]]] = {
    "messages": ("messages", {"POST"}),
    "health": ("health", {"GET"}),
    "identity": ("identity", {"GET"}),
    "skills": ("skills/v3/conversations/1/activities/1", {"GET", "POST", "PUT", "DELETE"}),
    "turns": ("", set()),
    "notifications": ("", set()),
}
"""The base's functions, with a path and the methods that each answers. They are reserved even if
the settings leave some of them out."""

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
WORD_CONSTRAINTS: Mapping[str, Sequence[int]] = {
    **dict.fromkeys(("alpha", "file", "nonfile", "required"), (0,)),
    **dict.fromkeys(("maxlength", "minlength"), (1,)),
    "length": (1, 2),
}
"""The constraints of parameters that a word such as `messages` may satisfy, with how many numbers
each takes. There is also `regex`, which takes an expression."""

NUMBER_CONSTRAINTS: Mapping[str, Sequence[int]] = {
    **dict.fromkeys(
        ("bool", "datetime", "decimal", "double", "float", "guid", "int", "long"), (0,)
    ),
    **dict.fromkeys(("max", "min"), (1,)),
    "range": (2,),
}
"""Those that no word satisfies."""

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
        # A new app for each: `get_functions` of the one that the worker reads can be called once.
        app = func.FunctionApp()
        try:
            app.register_functions(blueprint)
        except (AttributeError, TypeError):
            kind = type(blueprint).__name__
            faults.append(f"create_routes returned a {kind}; it must return blueprints")
        # azure.functions has no public name for the single functions that it has been given.
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
    """How the worker of this process indexes; without one that is known, nothing is raised.

    Its library is not public. If it refuses even the plainest function, it is another one.
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
            "a name begins with a letter, has at most 127 letters, digits, - and _, and is not host"
        )
    for binding in function.get_bindings():
        if not BINDING_NAME.fullmatch(binding.name):
            return f"parameter {binding.name}: such a name has letters and digits only, not even _"
    if name.lower() in RESERVED:
        return f"the base has a function {name.lower()}; choose another name"
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
        if methods & taken and _takes(route, path):
            return f"its route {route} would take {min(methods & taken)} /api/{path} from {own}"
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
                return f"parameter {name} stands in it twice"
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
        numbers = [] if arguments is None else arguments.split(",")
        counts = {**WORD_CONSTRAINTS, **NUMBER_CONSTRAINTS}.get(name)
        if name == "regex":
            valid = bool(arguments)
        elif counts is None:
            return f"there is no constraint {name}"
        else:
            valid = len(numbers) in counts and all(map(_is_number, numbers))
        if not valid:
            return f"the constraint {each[0].removeprefix(':')} has the wrong arguments"
    return ""


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*-?\d+\s*", text) is not None


def _takes(route: str, path: str) -> bool:
    """Whether a valid route may match a path, in which words and 1 stand for what callers send."""
    pattern = ""
    for segment in route.split("/"):
        parts = list(PART.finditer(segment))
        form, texts = "".join(map(_letter, parts)), [_pattern(part) for part in parts]
        if form.endswith(".o"):
            texts[-2:] = [rf"(?:\.{texts[-1]})?"]
        can_be_absent = form in ("o", "r") or (form == "p" and parts[0]["default"])
        pattern += f"(?:/{''.join(texts)})?" if can_be_absent else f"/{''.join(texts)}"
    return re.fullmatch(pattern, f"/{path}", re.IGNORECASE) is not None


def _pattern(part: re.Match[str]) -> str:
    if part["text"]:
        return re.escape(part["text"])
    if part["stars"]:
        return ".*"
    names = {each[1].lower() for each in CONSTRAINT.finditer(part["constraints"])}
    return "1" if names & NUMBER_CONSTRAINTS.keys() else "[^/]+"
