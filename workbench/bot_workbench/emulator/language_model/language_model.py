"""LanguageModel: an Azure OpenAI resource with one deployment, which tests script."""

import asyncio
import json
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

import jwt
from aiohttp import web

from bot_workbench.emulator.entra.endpoints import Entra
from bot_workbench.emulator.entra.registration import issuer_of
from bot_workbench.emulator.faults import Handler, until_disconnected
from bot_workbench.emulator.language_model.answer import Answer, Call, End, tokens
from bot_workbench.emulator.language_model.improvised import improvised
from bot_workbench.emulator.language_model.refusals import Refusal
from bot_workbench.emulator.server import Server

AUDIENCE = "https://cognitiveservices.azure.com"
"""Of the tokens that it accepts (URL)."""

DEPLOYMENT = "assistant-model"

PATH = "/openai/v1/chat/completions"


class LanguageModel:
    """Azure OpenAI's Chat Completions, version v1. A test's thread may fill its script.

    Args:
        entra: signs the tokens that it accepts.

    Attributes:
        requests: the JSON bodies of the requests so far, those that it refused, too.
        pause: seconds between two pieces of a stream.
    """

    def __init__(self, entra: Entra) -> None:
        self._entra = entra
        self.pause = 0.0
        self.requests: list[dict[str, Any]] = []
        self._script: deque[Answer | Refusal] = deque()
        self.server = Server("model", [web.post(PATH, _answered(self._complete))])
        self.server.faults.error = lambda status: Refusal(status).body()

    def settings(self) -> dict[str, str]:
        """The settings by which a bot finds it."""
        return {"AzureOpenAIEndpoint": self.server.url, "AzureOpenAIDeployment": DEPLOYMENT}

    def answers(self, text: str = "", *, calls: Sequence[Call] = (), end: End = "stop") -> None:
        """Script the answer to the next request that has none yet.

        Args:
            text: what the model says.
            calls: the tools that it calls, each with its arguments.
            end: how the answer ends, see `End`.
        """
        self._script.append(Answer(text, tuple(calls), end))

    def refuses(self, status: int, code: str = "") -> None:
        """Script the refusal of the next request that has no answer yet.

        Args:
            status: HTTP status.
            code: Azure's, such as `content_filter`; empty: the usual one of this status.
        """
        self._script.append(Refusal(status, code))

    def reset(self) -> None:
        """Forget the script and the requests."""
        self._script.clear()
        self.requests.clear()

    async def _complete(self, request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        self._check_caller(request)
        body = await request.json()
        self.requests.append(body)
        if body.get("model") != DEPLOYMENT:
            raise Refusal(404)
        answer = self._next(body)
        if not body.get("stream"):
            if answer.end == "silent":
                await until_disconnected(request)
            if not answer.is_whole and request.transport is not None:
                request.transport.abort()
            return web.json_response(answer.completion(), headers=headers)
        response = web.StreamResponse(headers=headers)
        response.content_type = "text/event-stream"
        await response.prepare(request)
        options = body.get("stream_options") or {}
        for chunk in answer.chunks(with_usage=bool(options.get("include_usage"))):
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
            if self.pause:
                await asyncio.sleep(self.pause)
        if answer.is_whole:
            await response.write(b"data: [DONE]\n\n")
        elif answer.end == "silent":
            await until_disconnected(request)
        elif request.transport is not None:
            request.transport.close()
        return response

    def _check_caller(self, request: web.Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise Refusal(401)
            tenant_id = self._entra.registration.tenant_id
            self._entra.issuer.verify(token, AUDIENCE, issuer_of(tenant_id))
        except jwt.InvalidTokenError as error:
            raise Refusal(401) from error

    def _next(self, body: dict[str, Any]) -> Answer:
        scripted = self._script.popleft() if self._script else None
        if isinstance(scripted, Refusal):
            raise scripted
        answer = scripted or improvised(body["messages"], body.get("tools") or [])
        prompt = tokens(json.dumps(body["messages"]))
        return Answer(answer.text, answer.calls, answer.end, prompt)


def _answered(complete: Any) -> Handler:
    """The handler, with each refusal as its response, and the ids that Azure adds."""

    async def handle(request: web.Request) -> web.StreamResponse:
        headers = {"x-request-id": str(uuid.uuid4()), "apim-request-id": str(uuid.uuid4())}
        try:
            return await complete(request, headers)
        except Refusal as refusal:
            return web.json_response(
                refusal.body(), status=refusal.status, headers={**headers, **refusal.headers}
            )

    return handle
