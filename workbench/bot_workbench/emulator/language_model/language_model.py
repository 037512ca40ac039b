"""LanguageModel: an Azure OpenAI resource with one deployment, whose answers a test may script."""

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jwt
from aiohttp import web

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.faults import Handler
from bot_workbench.emulator.language_model.answer import Answer, Call, End
from bot_workbench.emulator.language_model.improvised import improvised
from bot_workbench.emulator.language_model.refusals import Refusal
from bot_workbench.emulator.language_model.request_rules import check_request
from bot_workbench.emulator.language_model.tokens import prompt_tokens
from bot_workbench.emulator.server import Server

AUDIENCES = ("https://cognitiveservices.azure.com", "https://ai.azure.com")
"""Of the tokens that it accepts (URLs)."""

DEPLOYMENT = "assistant-model"

COMPLETIONS = "/openai/v1/chat/completions"

READING_PAUSE_SECONDS = 0.03
"""A pause between two pieces with which an answer appears about as fast as a real one."""

Answering = Callable[[web.Request, Mapping[str, str]], Awaitable[web.StreamResponse]]


class LanguageModel:
    """Chat Completions of Azure OpenAI, API version v1, without other operations.

    It answers requests in the order in which they come: from the script, which another thread may
    fill, or else by improvising. A request with a mistake takes nothing from the script.

    Args:
        entra: signs the tokens that it accepts.

    Attributes:
        requests: the bodies of the requests so far, also of those that it has refused; JSON.
        pause: seconds between two pieces of a streamed answer.
    """

    def __init__(self, entra: Entra) -> None:
        self.requests: list[Any] = []
        self.pause = 0.0
        self._entra = entra
        self._script: deque[Answer | Refusal] = deque()
        routes = [
            web.post(COMPLETIONS, _with_ids(self._complete)),
            web.route("*", "/{path:.*}", _with_ids(_not_found)),
        ]
        self.server = Server("model", routes)
        self.server.faults.error = lambda status: Refusal(status).body()

    def settings(self) -> dict[str, str]:
        """The settings of a bot that uses it; known once the server is started."""
        return {"AzureOpenAIEndpoint": self.server.url, "AzureOpenAIDeployment": DEPLOYMENT}

    def answers(self, text: str = "", *, calls: Sequence[Call] = (), end: End = "stop") -> None:
        """Say what the next request gets for which nothing is said yet.

        Args:
            text: what the model says.
            calls: the tools that it calls, after the text.
            end: how the answer ends: see `End`.
        """
        self._script.append(Answer(text, tuple(calls), end))

    def refuses(self, status: int, code: str = "") -> None:
        """Say that the next request is refused for which nothing is said yet.

        Args:
            status: HTTP status.
            code: the error's, such as `content_filter`; empty: the usual one of the status.
        """
        self._script.append(Refusal(status, code))

    def reset(self) -> None:
        """Forget the script and the requests, and answer without a pause."""
        self.pause = 0.0
        self._script.clear()
        self.requests.clear()

    async def _complete(
        self, request: web.Request, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        self._check_caller(request)
        try:
            body = await request.json()
        except ValueError as error:
            raise Refusal(400, message="The body is not JSON.") from error
        self.requests.append(body)
        answer = self._answer_to(check_request(body))
        if body.get("stream"):
            return await self._stream(request, headers, answer, body)
        if answer.end == "error":
            raise Refusal(500)
        if not answer.finish_reason:
            await self._leave_open(request, answer)
        return web.json_response(answer.completion(), headers=headers)

    def _check_caller(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        issuer = issuer_of(self._entra.registration.tenant_id)
        try:
            self._entra.issuer.verify(
                token if scheme.lower() == "bearer" else "", AUDIENCES, issuer
            )
        except jwt.InvalidTokenError as error:
            raise Refusal(401) from error

    def _answer_to(self, body: Mapping[str, Any]) -> Answer:
        if body["model"] != DEPLOYMENT:
            raise Refusal(404)
        scripted = self._script.popleft() if self._script else None
        if isinstance(scripted, Refusal):
            raise scripted
        answer = scripted or improvised(body["messages"], _callable(body))
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        return replace(answer, prompt_tokens=prompt_tokens(body["messages"])).within(limit)

    async def _stream(
        self,
        request: web.Request,
        headers: Mapping[str, str],
        answer: Answer,
        body: Mapping[str, Any],
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        response.content_type, response.charset = "text/event-stream", "utf-8"
        options = body.get("stream_options") or {}
        try:
            await response.prepare(request)
            for chunk in answer.chunks(with_usage=bool(options.get("include_usage"))):
                await response.write(_event(json.dumps(chunk)))
                if self.pause:
                    await asyncio.sleep(self.pause)
            if answer.end == "error":
                await response.write(_event(json.dumps(Refusal(500).body())))
            elif answer.finish_reason:
                await response.write(_event("[DONE]"))
            else:
                await self._leave_open(request, answer)
        except ConnectionError:
            pass  # the caller wants no more
        return response

    async def _leave_open(self, request: web.Request, answer: Answer) -> None:
        """Send no end, and return once the connection is closed."""
        if answer.end == "dead" and request.transport is not None:
            request.transport.close()  # what has been written arrives
        await self.server.faults.hold(request)


def _callable(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The tools that an answer may call."""
    return () if body.get("tool_choice") == "none" else body.get("tools") or ()


def _event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()


async def _not_found(_: web.Request, __: Mapping[str, str]) -> web.StreamResponse:
    raise Refusal(404, "404", "Resource not found")


def _with_ids(answer: Answering) -> Handler:
    """A handler: each response has the ids by which Microsoft finds a request, also a refusal."""

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {"apim-request-id": str(uuid.uuid4()), "x-request-id": str(uuid.uuid4())}
        try:
            return await answer(request, headers)
        except Refusal as refusal:
            headers.update(refusal.headers)
            return web.json_response(refusal.body(), status=refusal.status, headers=headers)

    return handle
