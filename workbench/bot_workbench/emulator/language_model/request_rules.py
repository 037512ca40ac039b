"""The rules that Azure's Chat Completions checks before the model reads a request.

Only what does not depend on the model, and what Azure is known to refuse: parameters that are not
known here are accepted, for the API gets new ones.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot_workbench.emulator.language_model.refusals import Refusal

_COMMON = {"role", "content", "name"}
IN_PLACE_OF_CONTENT = {"audio", "function_call", "refusal", "tool_calls"}
MESSAGES = {
    "system": _COMMON,
    "developer": _COMMON,
    "user": _COMMON,
    "assistant": _COMMON | IN_PLACE_OF_CONTENT | {"annotations"},
    "tool": _COMMON | {"tool_call_id"},
    "function": _COMMON,
}
"""By role: the properties of a message."""

OPTIONAL = {"tools": list, "stream_options": dict, "max_completion_tokens": int, "max_tokens": int}
"""By parameter: its type. Null is the same as none."""

NEEDED_BY = {"stream_options": "stream", "tool_choice": "tools", "parallel_tool_calls": "tools"}
"""By parameter: the other one without which it is refused."""

WRITTEN = {"function": "arguments", "custom": "input"}
"""By type of a tool: where a call has what the model has written."""

FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def check_request(body: object) -> dict[str, Any]:
    """The same request, if it keeps the rules.

    Raises:
        Refusal: 400, it does not.
    """
    if not isinstance(body, dict):
        raise Refusal(400, message="The body is not a JSON object.")
    _needed(body, "model", str)
    _check_messages(_needed(body, "messages", list))
    for name, kind in OPTIONAL.items():
        if body.get(name) is not None:
            _needed(body, name, kind)
    for name, other in NEEDED_BY.items():
        if body.get(name) is not None and not body.get(other):
            raise Refusal(400, message=f"'{name}' is only allowed with '{other}'.", param=name)
    for index, tool in enumerate(body.get("tools") or ()):
        _check_tool(tool, f"tools[{index}]")
    return body


def _check_messages(messages: Sequence[Any]) -> None:
    awaited: dict[str, None] = {}
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        role = _needed(message, "role", str, where)
        if role not in MESSAGES:
            supported = ", ".join(MESSAGES)
            raise _wrong(f"{where}.role", f"{role!r} is none of {supported}.", "invalid_value")
        for name in sorted(message.keys() - MESSAGES[role]):
            raise _wrong(f"{where}.{name}", "there is no such parameter.", "unknown_parameter")
        if role == "tool":
            answered = _needed(message, "tool_call_id", str, where)
            if answered not in awaited:
                text = "A tool message must respond to a preceding message with 'tool_calls'."
                raise Refusal(400, message=text, param=f"messages.[{index}].role")
            del awaited[answered]
        else:
            _check_answered(awaited, f"messages.[{index}].role")
        if "tool_calls" in message:
            awaited = dict.fromkeys(_call_ids(message, where))
        _check_content(message, where)
    _check_answered(awaited, "messages")


def _check_answered(awaited: Mapping[str, None], param: str) -> None:
    if awaited:
        text = f"No tool message responds to these 'tool_calls': {', '.join(awaited)}"
        raise Refusal(400, message=text, param=param)


def _check_content(message: Mapping[str, Any], where: str) -> None:
    content = message.get("content")
    if content is None and (message["role"] == "function" or message.keys() & IN_PLACE_OF_CONTENT):
        return
    if not isinstance(content, str | list):
        found = type(content).__name__
        raise _wrong(f"{where}.content", f"expected text or a list, not {found}.", "invalid_type")
    if isinstance(content, list):
        for index, part in enumerate(content):
            _needed(part, "type", str, f"{where}.content[{index}]")


def _call_ids(message: Mapping[str, Any], where: str) -> Iterator[str]:
    for index, call in enumerate(_needed(message, "tool_calls", list, where)):
        at = f"{where}.tool_calls[{index}]"
        kind = _kind(call, at)
        written = _needed(call, kind, dict, at)
        _needed(written, "name", str, f"{at}.{kind}")
        _needed(written, WRITTEN[kind], str, f"{at}.{kind}")
        yield _needed(call, "id", str, at)


def _kind(owner: object, where: str) -> str:
    kind: str = _needed(owner, "type", str, where)
    if kind not in WRITTEN:
        supported = ", ".join(WRITTEN)
        raise _wrong(f"{where}.type", f"{kind!r} is none of {supported}.", "invalid_value")
    return kind


def _check_tool(tool: object, where: str) -> None:
    kind = _kind(tool, where)
    function = _needed(tool, kind, dict, where)
    name = _needed(function, "name", str, f"{where}.{kind}")
    if not FUNCTION_NAME.fullmatch(name):
        raise _wrong(f"{where}.{kind}.name", "the pattern is not matched.", "invalid_value")
    for problem in _problems(function):
        text = f"Invalid schema for function '{name}': {problem}"
        param = f"{where}.function.parameters"
        raise Refusal(400, "invalid_function_parameters", text, param)


def _problems(function: Mapping[str, Any]) -> Iterator[str]:
    """The fault in the schema of a function's parameters, which it may do without."""
    schema = function.get("parameters")
    if schema is None:
        return
    if not isinstance(schema, dict) or schema.get("type") != "object":
        yield 'the schema must be of "type": "object".'
    elif "properties" not in schema:
        yield "the schema needs 'properties'."
    else:
        yield from _problems_of(schema, is_strict=function.get("strict") is True)


def _problems_of(schema: Mapping[str, Any], *, is_strict: bool) -> Iterator[str]:
    properties = schema.get("properties") or {}
    inner = [*properties.values()]
    if is_strict and schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            yield "a strict schema needs 'additionalProperties': false."
        if not all(each in (schema.get("required") or ()) for each in properties):
            yield "a strict schema's 'required' names every property."
    if schema.get("type") == "array":
        if "items" not in schema:
            yield "an array's schema needs 'items'."
        else:
            inner.append(schema["items"])
    for each in inner:
        if isinstance(each, dict):
            yield from _problems_of(each, is_strict=is_strict)
        elif not isinstance(each, bool):
            yield f"{each!r} is not a schema."


def _needed(owner: object, name: str, kind: type, where: str = "") -> Any:
    """The value of a property that an object must have; a list may not be empty.

    Args:
        owner: the object.
        name: of the property.
        kind: its type.
        where: the object's place in the request; empty: it is the request.
    """
    if not isinstance(owner, dict):
        raise _wrong(where, "expected an object.", "invalid_type")
    param = f"{where}.{name}" if where else name
    if name not in owner:
        raise _wrong(param, "it is required.", "missing_required_parameter")
    value = owner[name]
    if not isinstance(value, kind):
        raise _wrong(param, f"expected {kind.__name__}.", "invalid_type")
    if value == []:
        raise _wrong(param, "the array is empty.", "empty_array")
    return value


def _wrong(param: str, text: str, code: str) -> Refusal:
    return Refusal(400, code, f"'{param}': {text}", param)
