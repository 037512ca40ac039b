"""LanguageModel: what it refuses, as the unmodified OpenAI library reports it."""

import time
from typing import Any

import openai
import pytest
from openai import APIStatusError, AsyncOpenAI, AuthenticationError, BadRequestError

from bot_workbench.emulator.entra.token_issuer import TokenIssuer
from bot_workbench.emulator.language_model.language_model import LanguageModel
from tests.emulator.language_model.asking import QUESTION, SEARCH, complete, function, stream
from tests.emulator.language_model.conftest import Token
from tests.emulator.registered_bot import TENANT

USER = QUESTION[0]
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
WRITTEN = {"name": "f", "input": "soup"}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "soup"}
STRICT = {
    "type": "object",
    "properties": {"query": {"type": "string"}},
    "required": ["query"],
    "additionalProperties": False,
}


def schema(parameters: Any, **more: Any) -> dict[str, Any]:
    """A request with a tool whose arguments have this schema."""
    function = {"name": "f", "parameters": parameters, **more}
    return {"tools": [{"type": "function", "function": function}]}


def messages(*given: Any) -> dict[str, Any]:
    """A request with these messages."""
    return {"messages": list(given)}


async def refused(client: AsyncOpenAI, **request: Any) -> APIStatusError:
    """The error of a request, which is the same with a stream and without."""
    with pytest.raises(APIStatusError) as raised:
        await complete(client, **request)
    with pytest.raises(APIStatusError) as streamed:
        await stream(client, **request)
    assert streamed.value.body == raised.value.body
    return raised.value


ACCEPTED = {
    "a call and its result": messages(USER, CALLING, RESULT),
    "two calls": messages(
        USER,
        {**CALLING, "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
        {**RESULT, "tool_call_id": "call_2"},
        RESULT,
        USER,
    ),
    "the call's message as the library returns it": messages(
        USER, {**CALLING, "refusal": None, "annotations": []}, RESULT
    ),
    "parts": messages({"role": "user", "content": [{"type": "text", "text": "lunch?"}]}),
    "the developer's instructions": messages({"role": "developer", "content": "Be brief."}, USER),
    "a tool without arguments": {"tools": [{"type": "function", "function": {"name": "f"}}]},
    "a strict schema": schema(STRICT, strict=True),
    "a choice": {"tools": [SEARCH], "tool_choice": "none", "parallel_tool_calls": False},
    "any object as an argument": schema(
        {"type": "object", "properties": {"a": {"type": "object"}}}
    ),
    "no schema": schema(None, strict=None),
    "a call of another type": {
        "tools": [{"type": "custom", "custom": {"name": "f"}}],
        **messages(
            USER,
            {**CALLING, "tool_calls": [{"id": "1", "type": "custom", "custom": WRITTEN}]},
            {**RESULT, "tool_call_id": "1"},
        ),
    },
    "the old kind of calls": messages(
        USER,
        {"role": "assistant", "content": None, "function_call": CALL["function"]},
        {"role": "function", "name": "f", "content": None},
    ),
    "a refusal": messages(USER, {"role": "assistant", "content": None, "refusal": "No."}, USER),
    "null": {"tools": None, "tool_choice": None, "stream_options": None, "max_tokens": None},
    "other parameters": {"temperature": 0.2, "user": "ada", "seed": 1, "stop": ["."]},
    "a parameter of tomorrow": {"extra_body": {"top_k": 1}},
}

MISTAKES = {
    "no messages": (messages(), "messages", "empty_array"),
    "an unknown role": (
        messages({"role": "bot", "content": ""}),
        "messages[0].role",
        "invalid_value",
    ),
    "no role": (messages({"content": ""}), "messages[0].role", "missing_required_parameter"),
    "no content": (messages({"role": "user"}), "messages[0].content", "invalid_type"),
    "null": (messages({"role": "user", "content": None}), "messages[0].content", "invalid_type"),
    "a silent assistant": (
        messages({"role": "assistant", "content": None}),
        "messages[0].content",
        "invalid_type",
    ),
    "the bot's own property": (
        messages({**USER, "at": 1}),
        "messages[0].at",
        "unknown_parameter",
    ),
    "a result without a call": (messages(USER, RESULT), "messages.[1].role", None),
    "a result of another call": (
        messages(USER, CALLING, {**RESULT, "tool_call_id": "call_2"}),
        "messages.[2].role",
        None,
    ),
    "a result too late": (messages(USER, CALLING, USER, RESULT), "messages.[2].role", None),
    "two results": (messages(USER, CALLING, RESULT, RESULT), "messages.[3].role", None),
    "a result without an id": (
        messages(USER, CALLING, {"role": "tool", "content": ""}),
        "messages[2].tool_call_id",
        "missing_required_parameter",
    ),
    "a call without a result": (messages(USER, CALLING), "messages", None),
    "half the results": (
        messages(USER, {**CALLING, "tool_calls": [CALL, {**CALL, "id": "2"}]}, RESULT, USER),
        "messages.[3].role",
        None,
    ),
    "no calls": (
        messages({**CALLING, "tool_calls": []}),
        "messages[0].tool_calls",
        "empty_array",
    ),
    "null for calls": (
        messages({**CALLING, "tool_calls": None}),
        "messages[0].tool_calls",
        "invalid_type",
    ),
    "arguments that are no text": (
        messages({**CALLING, "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {}}}]}),
        "messages[0].tool_calls[0].function.arguments",
        "invalid_type",
    ),
    "no tools": ({"tools": []}, "tools", "empty_array"),
    "a tool of another type": ({"tools": [{"type": "web"}]}, "tools[0].type", "invalid_value"),
    "a tool's bad name": (
        {"tools": [function("search documents")]},
        "tools[0].function.name",
        "invalid_value",
    ),
    "a choice among no tools": ({"tool_choice": "auto"}, "tool_choice", None),
    "limits that are no number": ({"max_tokens": "5"}, "max_tokens", "invalid_type"),
}

BAD_SCHEMAS = {
    "no object": schema({"type": "string"}),
    "no properties": schema({"type": "object"}),
    "an array of anything": schema({"type": "object", "properties": {"all": {"type": "array"}}}),
    "a name for a schema": schema({"type": "object", "properties": {"query": "string"}}),
    "strict, and open": schema({**STRICT, "additionalProperties": True}, strict=True),
    "strict, and optional": schema({**STRICT, "required": []}, strict=True),
}


@pytest.mark.parametrize("request_", ACCEPTED.values(), ids=ACCEPTED)
async def test_what_is_accepted(client: AsyncOpenAI, request_: dict[str, Any]) -> None:
    """Requests without a mistake get an answer."""
    assert (await complete(client, **request_)).choices


@pytest.mark.parametrize(("request_", "param", "code"), MISTAKES.values(), ids=MISTAKES)
async def test_mistakes(
    model: LanguageModel,
    client: AsyncOpenAI,
    request_: dict[str, Any],
    param: str,
    code: str | None,
) -> None:
    """A bot's mistakes are refused with Azure's codes, and use up no scripted answer."""
    model.answers("Soup.")
    error = await refused(client, **request_)
    assert isinstance(error, BadRequestError)
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")
    assert (await complete(client)).choices[0].message.content == "Soup."


@pytest.mark.parametrize("request_", BAD_SCHEMAS.values(), ids=BAD_SCHEMAS)
async def test_schemas(client: AsyncOpenAI, request_: dict[str, Any]) -> None:
    """So is a tool whose arguments have a bad schema."""
    error = await refused(client, **request_)
    assert error.code == "invalid_function_parameters"
    assert error.param == "tools[0].function.parameters"


async def test_no_deployment(client: AsyncOpenAI) -> None:
    """A request that names none, as a client without types may send it."""
    with pytest.raises(BadRequestError) as raised:
        await client.post("/chat/completions", cast_to=object, body={"messages": QUESTION})
    assert (raised.value.param, raised.value.code) == ("model", "missing_required_parameter")


async def test_usage_without_a_stream(client: AsyncOpenAI) -> None:
    """The usage can be asked for in streams only: it is part of any other response."""
    with pytest.raises(BadRequestError) as raised:
        await complete(client, stream_options={"include_usage": True})
    assert raised.value.param == "stream_options"


REFUSALS = {
    (400, "content_filter"): (openai.BadRequestError, "content_filter"),
    (401, "PermissionDenied"): (openai.AuthenticationError, "PermissionDenied"),
    (403, ""): (openai.PermissionDeniedError, "403"),
    (404, ""): (openai.NotFoundError, "DeploymentNotFound"),
    (429, ""): (openai.RateLimitError, "429"),
    (500, ""): (openai.InternalServerError, None),
    (503, ""): (openai.InternalServerError, "ServiceUnavailable"),
}


@pytest.mark.parametrize(("given", "expected"), REFUSALS.items())
async def test_scripted_refusals(
    model: LanguageModel,
    client: AsyncOpenAI,
    given: tuple[int, str],
    expected: tuple[type[APIStatusError], str | None],
) -> None:
    """A test can have a request refused; the error has the ids by which Azure finds it."""
    for _ in range(2):
        model.refuses(*given)
    error = await refused(client)
    assert (type(error), error.code) == expected
    assert error.status_code == given[0]
    assert error.request_id
    assert error.response.headers["apim-request-id"]
    assert ("retry-after" in error.response.headers) == (given[0] == 429)


async def test_the_content_filter(model: LanguageModel, client: AsyncOpenAI) -> None:
    """Azure says what it has filtered."""
    for _ in range(2):
        model.refuses(400, "content_filter")
    error = await refused(client)
    assert error.param == "prompt"
    assert isinstance(error.body, dict)
    inner = error.body["innererror"]
    assert inner["code"] == "ResponsibleAIPolicyViolation"
    assert inner["content_filter_result"]["violence"] == {"filtered": True, "severity": "medium"}


async def test_a_retry(model: LanguageModel, client: AsyncOpenAI) -> None:
    """The library waits as long as the service says."""
    model.refuses(429)
    model.answers("Soup.")
    started = time.monotonic()
    completion = await complete(client.with_options(max_retries=1))
    assert completion.choices[0].message.content == "Soup."
    assert time.monotonic() - started >= 1


async def test_another_deployment(client: AsyncOpenAI) -> None:
    """There is one."""
    assert (await refused(client, model="gpt")).code == "DeploymentNotFound"


async def test_another_path(client: AsyncOpenAI) -> None:
    """A base URL without the version leads nowhere."""
    url = str(client.base_url).replace("/v1", "")
    assert (await refused(client.with_options(base_url=url))).code == "404"


@pytest.mark.parametrize(
    "audience", ["https://cognitiveservices.azure.com", "https://ai.azure.com"]
)
async def test_the_bots_token(client: AsyncOpenAI, token: Token, audience: str) -> None:
    """Both audiences of Microsoft's pages will do."""
    assert (await complete(client.with_options(api_key=token(audience)))).choices


async def test_other_tokens(client: AsyncOpenAI, token: Token) -> None:
    """A token for another service, of another issuer, or none."""
    forged = TokenIssuer().sign(
        {
            "aud": "https://cognitiveservices.azure.com",
            "iss": f"https://sts.windows.net/{TENANT}/",
        }
    )
    for key in (token("https://vault.azure.net"), forged, "key"):
        error = await refused(client.with_options(api_key=key))
        assert isinstance(error, AuthenticationError)
        # The gateway's body has no code.
        assert (error.code, error.request_id is not None) == (None, True)
        assert isinstance(error.body, dict)
        assert error.body["statusCode"] == 401
