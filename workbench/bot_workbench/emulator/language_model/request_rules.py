"""The rules that Azure's Chat Completions checks before the model reads a request.

Only what does not depend on the model: some take no `temperature`, for example, or no `max_tokens`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot_workbench.emulator.language_model.refusals import Refusal

PARAMETERS = frozenset(
    {"audio", "function_call", "functions", "max_completion_tokens", "max_tokens", "messages"}
    | {"metadata", "modalities", "model", "n", "parallel_tool_calls", "prediction", "seed", "stop"}
    | {"frequency_penalty", "logit_bias", "logprobs", "presence_penalty", "temperature", "top_p"}
    | {"prompt_cache_key", "prompt_cache_retention", "reasoning_effort", "response_format", "store"}
    | {"safety_identifier", "service_tier", "stream", "stream_options", "tool_choice", "tools"}
    | {"top_logprobs", "user", "user_security_context", "verbosity"}
)
"""Of a request."""

_COMMON = {"role", "content", "name"}
MESSAGES = {
    "system": _COMMON,
    "developer": _COMMON,
    "user": _COMMON,
    "assistant": _COMMON | {"annotations", "audio", "function_call", "refusal", "tool_calls"},
    "tool": {"role", "content", "tool_call_id", "name"},
    "function": _COMMON,
}
"""By role: the properties of a message."""

FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

NEEDED_BY = {"stream_options": "stream", "tool_choice": "tools", "parallel_tool_calls": "tools"}
"""By parameter: the other one without which it is refused."""


def check_request(body: object) -> dict[str, Any]:
    """The same request, if it keeps the rules.

    Raises:
        Refusal: 400, it does not.
    """
    if not isinstance(body, dict):
        raise Refusal(400, message="The body is not a JSON object.")
    _check_names(body, PARAMETERS, "")
    for name, other in NEEDED_BY.items():
        if name in body and not body.get(other):
            raise Refusal(400, message=f"'{name}' is only allowed with '{other}'.", param=name)
    _check_messages(_filled_list(body, "messages"))
    if "tools" in body:
        _check_tools(_filled_list(body, "tools"))
    return body


def _check_messages(messages: Sequence[Any]) -> None:
    awaited: dict[str, None] = {}
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        role = _needed(message, "role", where)
        if str(role) not in MESSAGES:
            supported = ", ".join(MESSAGES)
            raise _wrong(f"{where}.role", f"{role!r} is none of {supported}.", "invalid_value")
        _check_names(message, MESSAGES[role], f"{where}.")
        if role == "tool":
            answered = _needed(message, "tool_call_id", where)
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
    if content is None and message["role"] == "assistant" and "tool_calls" in message:
        return
    if not isinstance(content, str | list):
        found = type(content).__name__
        raise _wrong(f"{where}.content", f"expected text or a list, not {found}.", "invalid_type")
    if isinstance(content, list):
        for index, part in enumerate(content):
            _needed(part, "type", f"{where}.content[{index}]")


def _call_ids(message: Mapping[str, Any], where: str) -> Iterator[str]:
    for index, call in enumerate(_filled_list(message, "tool_calls", f"{where}.")):
        at = f"{where}.tool_calls[{index}]"
        _needed(call, "type", at)
        function = _needed(call, "function", at)
        _needed(function, "name", f"{at}.function")
        if not isinstance(_needed(function, "arguments", f"{at}.function"), str):
            raise _wrong(f"{at}.function.arguments", "expected a string.", "invalid_type")
        yield _needed(call, "id", at)


def _check_tools(tools: Sequence[Any]) -> None:
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        if _needed(tool, "type", where) != "function":
            raise _wrong(f"{where}.type", "only functions are supported.", "invalid_value")
        function = _needed(tool, "function", where)
        _check_names(
            function, {"name", "description", "parameters", "strict"}, f"{where}.function."
        )
        name = _needed(function, "name", f"{where}.function")
        if not FUNCTION_NAME.fullmatch(str(name)):
            raise _wrong(f"{where}.function.name", "the pattern is not matched.", "invalid_value")
        problem = next(_problems(function), "")
        if problem:
            text = f"Invalid schema for function '{name}': {problem}"
            param = f"{where}.function.parameters"
            raise Refusal(400, "invalid_function_parameters", text, param)


def _problems(function: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the schema of a function's parameters, which it may do without."""
    if "parameters" not in function:
        return
    schema = function["parameters"]
    if not isinstance(schema, dict) or schema.get("type") != "object":
        yield 'the schema must be of "type": "object".'
        return
    yield from _problems_of(schema, is_strict=function.get("strict") is True)


def _problems_of(schema: Mapping[str, Any], *, is_strict: bool) -> Iterator[str]:
    inner: list[Any] = []
    if schema.get("type") == "object":
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            yield "an object's schema needs 'properties'."
            return
        inner += properties.values()
        if is_strict and schema.get("additionalProperties") is not False:
            yield "a strict schema needs 'additionalProperties': false."
        if is_strict and set(schema.get("required", ())) != properties.keys():
            yield "a strict schema's 'required' names every property."
    if schema.get("type") == "array":
        if "items" not in schema:
            yield "an array's schema needs 'items'."
            return
        inner.append(schema["items"])
    for each in inner:
        if isinstance(each, dict):
            yield from _problems_of(each, is_strict=is_strict)
        elif not isinstance(each, bool):
            yield f"{each!r} is not a schema."


def _filled_list(owner: Mapping[str, Any], name: str, where: str = "") -> list[Any]:
    value = _needed(owner, name, where.rstrip("."))
    if not isinstance(value, list):
        raise _wrong(f"{where}{name}", "expected an array.", "invalid_type")
    if not value:
        raise _wrong(f"{where}{name}", "the array is empty.", "empty_array")
    return value


def _needed(owner: object, name: str, where: str) -> Any:
    if not isinstance(owner, dict):
        raise _wrong(where, "expected an object.", "invalid_type")
    param = f"{where}.{name}" if where else name
    if name not in owner:
        raise _wrong(param, "it is required.", "missing_required_parameter")
    return owner[name]


def _check_names(owner: object, known: set[str] | frozenset[str], where: str) -> None:
    if not isinstance(owner, dict):
        raise _wrong(where.rstrip("."), "expected an object.", "invalid_type")
    unknown = sorted(owner.keys() - known)
    if unknown:
        raise _wrong(f"{where}{unknown[0]}", "there is no such parameter.", "unknown_parameter")


def _wrong(param: str, text: str, code: str) -> Refusal:
    return Refusal(400, code, f"'{param}': {text}", param)
