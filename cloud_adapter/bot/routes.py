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

CONVERSATIONS = "skills/v3/conversations"
SKILLS = f"{CONVERSATIONS}/1"
RESERVED: Mapping[str, Mapping[str, set[str]]] = {
    "messages": {"messages": {"POST"}},
    "health": {"health": {"GET"}},
    "identity": {"identity": {"GET"}},
    "skills": {
        f"{SKILLS}/activities": {"POST"},
        f"{SKILLS}/activities/1": {"POST", "PUT", "DELETE"},
        f"{SKILLS}/members": {"GET"},
        f"{SKILLS}/members/1": {"GET"},
        f"{SKILLS}/pagedmembers": {"GET"},
        CONVERSATIONS: {"GET", "POST"},
    },
    "turns": {},
    "notifications": {},
}
"""The base's functions, with the methods that each answers by path; 1 stands for an id. They are
reserved even if the settings leave some of them out."""

RESERVED_PATHS = ("admin", "runtime")
"""The beginnings that no route may have, because the host answers there."""

PART = re.compile(
    r"/"
    r"|(?P<text>(?:[^{}?/]|\{\{|\}\})+)"
    r"|\{(?P<stars>\*{0,2})(?P<name>[^{}?*/][^{}?*/:=]*)"
    r"(?P<constraints>(?::[^{}?:=(]*(?:\((?:[^{}]|\{\{|\}\})*?\)(?=[:=]|\??\}(?!\})))?)*+)"
    r"(?P<default>(?:=(?:[^{}]|\{\{|\}\})*?)?)(?P<optional>\??)\}(?!\})"
)
"""The parts of a template: slashes, text, and parameters. Doubled braces mean one each."""

SEGMENT = r"(?:o|(?:[t.]?(?:p[t.])*p)?\.o|(?=[^/])[t.]?(?:p[t.])*p?)"
TEMPLATE = re.compile(rf"(?:{SEGMENT}/)*(?:{SEGMENT}|r)/?")
"""The forms of a template. Its parts are letters here: slash, text, a dot alone, a parameter, an
optional parameter, and one that takes the rest of the path."""

NUMBER = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
CONSTRAINT = re.compile(r":([^:=(]*)(?:\((.*?)\)(?=[:=]|$))?")
CONSTRAINTS: Mapping[str, tuple[Sequence[int], Callable[..., bool]]] = {
    "alpha": ((0,), str.isalpha),
    "file": ((0,), lambda word: "." in word),
    "length": ((1, 2), lambda word, *limits: limits[0] <= len(word) <= limits[-1]),
    "maxlength": ((1,), lambda word, limit: len(word) <= limit),
    "minlength": ((1,), lambda word, limit: len(word) >= limit),
    "nonfile": ((0,), lambda word: "." not in word),
    "required": ((0,), bool),
    **dict.fromkeys(
        ("bool", "datetime", "decimal", "double", "float", "guid", "int", "long"),
        ((0,), lambda word: False),  # noqa: ARG005  # the arguments of all
    ),
    **dict.fromkeys(("max", "min"), ((1,), lambda word, _: False)),  # noqa: ARG005  # the same
    "range": ((2,), lambda word, *_: False),  # noqa: ARG005  # the same
}
"""The constraints of parameters: how many numbers each takes, and whether a word of letters such as
`messages` satisfies it. There is also `regex`, which takes an expression."""

WRONG_EXPRESSIONS = (
    "missing )",
    "unbalanced parenthesis",
    "unterminated character set",
    "multiple repeat",
    "nothing to repeat at position 0",
    "min repeat",
)
"""Python's messages for expressions that .NET refuses too; .NET has others that Python refuses."""

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
                faults.append(" ".join(f"function {name}: {fault}".split()))
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
    bindings = function.get_bindings()
    for binding in bindings:
        if not BINDING_NAME.fullmatch(binding.name):
            return f"parameter {binding.name}: use letters and digits only, not even _"
    if len({binding.name.lower() for binding in bindings}) < len(bindings):
        return "two of its bindings have the same name"
    if sum(f"{binding.type}".lower().endswith("trigger") for binding in bindings) != 1:
        return "it needs exactly one binding whose type ends with Trigger"
    if name.lower() in RESERVED:
        return f"the name {name.lower()} is reserved; choose another name"
    if any(name.lower() == _name(other).lower() for other in others):
        return "another function has this name; choose another one"
    if not _is_http(function):
        return ""
    route, methods = _route(function), _methods(function)
    if route.lower().startswith(RESERVED_PATHS):
        return f"its route {route} begins with one of {', '.join(RESERVED_PATHS)}, the host's own"
    if fault := _fault_of_template(_template(function)):
        return f"its route {_template(function)} is not valid: {fault}"
    for own, paths in RESERVED.items():
        for path, taken in paths.items():
            if methods & taken and _can_match(route, path):
                request = f"{min(methods & taken)} /api/{path}"
                return f"its route {route} can match {request}, which belongs to {own}"
    for other in others:
        same = _is_http(other) and _route(other).lower() == route.lower()
        if same and methods & _methods(other):
            return f"function {_name(other)} has the same route {route}"
    return ""


def _name(function: func.Function) -> str:
    return f"{function.get_function_name()}"


def _trigger(function: func.Function) -> Any:
    return function.get_trigger()


def _is_http(function: func.Function) -> bool:
    """The type may be an author's own text, in any case, as may be the route and the methods."""
    return f"{_trigger(function).type}".lower() == "httptrigger"


def _template(function: func.Function) -> str:
    """The template of the route; the host takes the function's name for a blank one."""
    route: str = getattr(_trigger(function), "route", None) or ""
    return route if route.strip() else _name(function)


def _route(function: func.Function) -> str:
    """The template without slashes at its ends: the same requests match."""
    return _template(function).strip("/")


def _methods(function: func.Function) -> set[str]:
    """The methods in upper case: without any the function takes all."""
    methods = getattr(_trigger(function), "methods", None) or func.HttpMethod
    return {f"{getattr(each, 'value', each)}".upper() for each in methods}


def _fault_of_template(template: str) -> str:
    """The problem of a route's template; empty if there is none."""
    parts = list(PART.finditer(template))
    whole = "".join(part[0] for part in parts) == template
    if not whole or not TEMPLATE.fullmatch("".join(map(_letter, parts))):
        return "it is not made of text, {name}, {name?}, {name=default}, and {*name} at the end"
    names = [part["name"].lower() for part in parts if part["name"]]
    if len(set(names)) < len(names):
        return "a parameter occurs twice"
    for name, arguments in (each for part in parts for each in _constraints(part)):
        if not _is_constraint(name, arguments):
            return f"there is no constraint {name}, or not with such arguments"
    return ""


def _letter(part: re.Match[str]) -> str:
    if not part["name"]:
        return part[0] if part[0] in "/." else "t"
    if part["optional"]:
        return "?" if part["stars"] or part["default"] else "o"
    return "r" if part["stars"] else "p"


def _constraints(part: re.Match[str]) -> Sequence[tuple[str, str | None]]:
    """A parameter's constraints: the name of each, and what is in its parentheses."""
    found = CONSTRAINT.finditer(_text(part["constraints"] or ""))
    return [(each[1].lower(), each[2]) for each in found if each[0] != ":"]


def _text(part: str) -> str:
    return part.replace("{{", "{").replace("}}", "}")


def _is_constraint(name: str, arguments: str | None) -> bool:
    if name == "regex":
        return arguments is not None and _is_expression(arguments)
    counts, _ = CONSTRAINTS.get(name, ((), bool))
    texts = [] if arguments is None else arguments.split(",")
    if len(texts) not in counts or not all(NUMBER.fullmatch(each) for each in texts):
        return False
    numbers = [int(each) for each in texts]
    lowest, highest = (0, 2**31) if "length" in name else (-(2**63), 2**63)
    return numbers == sorted(numbers) and all(lowest <= each < highest for each in numbers)


def _is_expression(text: str) -> bool:
    try:
        re.compile(text)
    except re.error as error:
        return not f"{error}".startswith(WRONG_EXPRESSIONS)
    return True


def _can_match(route: str, path: str) -> bool:
    """Whether a valid route, without slashes at its ends, matches a path with 1 for each id."""
    segments: list[list[re.Match[str]]] = [[]]
    for part in PART.finditer(route):
        if part[0] == "/":
            segments.append([])
        else:
            segments[-1].append(part)
    pattern, can_be_absent = "", True
    for *others, last in reversed(segments):
        text = "".join(map(_pattern, others))
        if others and last["optional"]:  # without it, the dot before it is absent, too
            text = rf"{text.removesuffix(r'\.')}(?:\.{_pattern(last)})?"
        else:
            text += _pattern(last)
        # A segment is absent only if all that follow it are.
        can_be_absent &= not others and bool(last["optional"] or last["default"] or last["stars"])
        pattern = f"(?:/{text}{pattern})?" if can_be_absent else f"/{text}{pattern}"
    match = re.fullmatch(pattern, f"/{path}", re.IGNORECASE)
    parameters = [part for parts in segments for part in parts if part["name"]]
    return match is not None and all(map(_allows, parameters, match.groups()))


def _pattern(part: re.Match[str]) -> str:
    if part["text"]:
        return re.escape(_text(part["text"]))
    return "([^/].*)" if part["stars"] else "([^/]+)"


def _allows(part: re.Match[str], found: str | None) -> bool:
    """Whether a parameter may have this value; None: the path has none."""
    if found is None:
        return bool(part["default"] or part["optional"] or not part["constraints"])
    return found == "1" or all(_satisfies(found, *each) for each in _constraints(part))


def _satisfies(word: str, name: str, arguments: str | None) -> bool:
    if name != "regex":
        return CONSTRAINTS[name][1](word, *map(int, arguments.split(",") if arguments else ()))
    try:
        return re.search(arguments or "", word, re.IGNORECASE) is not None
    except re.error:
        return True  # .NET reads it otherwise
