"""BotBuilder Python behind an HTTP trigger: CloudAdapter.process, for this host's requests."""

import json

import azure.functions as func
from botbuilder.core import serializer_helper
from botbuilder.schema import Activity
from echo import ADAPTER, BOT  # type: ignore[import-not-found]  # in this folder, as in Azure
from jwt import InvalidTokenError

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("messages", methods=["POST"])
async def messages(req: func.HttpRequest) -> func.HttpResponse:
    """The messaging endpoint."""
    activity = Activity().deserialize(req.get_json())
    try:
        answer = await ADAPTER.process_activity(
            req.headers.get("Authorization", ""), activity, BOT.on_turn
        )
    except (PermissionError, InvalidTokenError):
        return func.HttpResponse(status_code=401)
    if answer is None:
        return func.HttpResponse()
    return func.HttpResponse(
        json.dumps(serializer_helper(answer.body)),
        status_code=answer.status,
        mimetype="application/json",
    )
