"""BotBuilder Python behind an HTTP trigger: CloudAdapter.process, for this host's requests."""

import json

import azure.functions as func
from botbuilder.core import Bot, serializer_helper
from botbuilder.integration.aiohttp import CloudAdapter
from botbuilder.schema import Activity
from jwt import InvalidTokenError


def app_with(adapter: CloudAdapter, bot: Bot) -> func.FunctionApp:
    """The function app of a bot."""
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route("messages", methods=["POST"])
    async def messages(req: func.HttpRequest) -> func.HttpResponse:
        """The messaging endpoint."""
        activity = Activity().deserialize(req.get_json())
        try:
            answer = await adapter.process_activity(
                req.headers.get("Authorization", ""), activity, bot.on_turn
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

    return app
