"""A request to the messaging endpoint, processed in this process."""

import azure.functions as func

from auth.errors import BotError
from cloud_adapter.adapter import TurnResponse
from function_app import from_http, refusal, to_http
from tests.support.bots.composed_app import ComposedApp


def http_request(body: bytes, authorization: str) -> func.HttpRequest:
    """A request, as the worker hands it to the trigger."""
    headers = {"content-type": "application/json", "authorization": authorization}
    return func.HttpRequest("POST", "/api/messages", headers=headers, body=body)


async def answered(app: ComposedApp, request: func.HttpRequest) -> int:
    """Do what function_app's `messages` does, with the app's parts; returns the status."""
    try:
        response: TurnResponse = await app.parts.adapter.process(from_http(request), app.parts.bot)
        status: int = to_http(response).status_code
    except BotError as error:
        status = refusal(error).status_code
    return status
