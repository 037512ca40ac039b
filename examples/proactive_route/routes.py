"""The bot's own trigger: POST /api/notify, which needs the function's key."""

from collections.abc import Awaitable, Callable

import azure.functions as func
from botbuilder.core import TurnContext

from cloud_adapter.bot.services import BotServices


def create_routes(ready: Callable[[], Awaitable[BotServices]]) -> func.Blueprint:
    """The blueprint; `ready` returns the services that `create_bot` gets."""
    routes = func.Blueprint()

    @routes.route("notify", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
    async def notify(req: func.HttpRequest) -> func.HttpResponse:
        services = await ready()
        try:
            message = req.get_json()
            to, text = str(message["to"]), str(message["text"])
        except (ValueError, KeyError, TypeError):
            return func.HttpResponse('Send {"to": ..., "text": ...}.', status_code=400)
        reference = await services.references.conversation(to)
        if reference is None:
            return func.HttpResponse("The bot has no such conversation.", status_code=404)

        async def say(turn_context: TurnContext) -> None:
            await turn_context.send_activity(text)

        await services.adapter.continue_conversation(reference, say, services.app_id)
        return func.HttpResponse(status_code=202)

    return routes
